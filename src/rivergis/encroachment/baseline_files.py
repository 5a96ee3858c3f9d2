"""Tables of what is known already, row by row with its place: patch decisions, problem lists, tasks, water works.

Law: every row of a file that holds anything is a row here, also one without a usable place; then it is said why.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.encroachment import patch_files, patches, superior
from rivergis.encroachment.superior import Profile
from rivergis.errors import InputError
from rivergis.intake import profile as profile_files
from rivergis.intake import vector
from rivergis.intake.crs_reference import Reference
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits

FOLDER = "list_fields"
# a degree of latitude in metres: what a digit of a position in degrees is worth
_DEGREE_M = 111_320.0
_FULL_DIGITS = 7
# rows below a title within which the headings stand
_HEAD_ROWS = 15
_TOTALS = {"合计", "总计", "小计", "共计"}


@dataclass(frozen=True)
class Row:
    """One row: its fields as texts, its place in EPSG:4490 or why it has none, and how coarsely that is written."""

    seq: int
    source_feature: str
    said: dict[str, str]
    place: shapely.Geometry | None = None
    why: str | None = None
    written_to_m: float = 0.0
    """Half of the last digit that its position is written to, m."""


@dataclass(frozen=True)
class Table:
    """A file read: which column holds which field, and its rows in their order."""

    path: Path
    layer: str
    sha256: str
    encoding: str | None
    headings: tuple[str, ...]
    columns: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    @cached_property
    def content(self) -> str:
        """Hash of what the table says: a workbook that was only opened and saved again says the same."""
        rows = [
            (r.source_feature, sorted(r.said.items()), r.place and shapely.to_wkb(r.place, hex=True)) for r in self.rows
        ]
        return hashlib.sha256(json.dumps([self.headings, rows], ensure_ascii=False).encode()).hexdigest()


def profiles(rules_dir: Path) -> list[str]:
    """Names of the profiles of lists there are."""
    return profile_files.names_in(rules_dir / FOLDER)


def load_profile(name: str, rules_dir: Path) -> Profile:
    """The profile of that name; ``InputError`` lists those there are, ``RuleError`` says what is wrong in its file."""
    return superior.profile_of(name, profile_files.body_of(name, rules_dir / FOLDER, "list"))


def read(
    path: Path,
    names: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    asked: Asked,
    *,
    reference: Reference | None = None,
    limits: Limits = DEFAULT,
) -> Table:
    """A table of the fields ``names`` (field -> headings). ``needed``: fields of which at least one must have a column.

    Raises ``InputError`` for a file that cannot be used or has none of these columns, ``CrsRefused`` where it has positions and
    it is not certain where they lie.
    """
    opened = vector.chosen(path, vector.open_layers(path, asked, reference, limits), asked.layer)
    if opened.anywhere:
        opened.check_place()
    headings: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    rows: list[Row] = []
    head: Any = None
    for piece in opened.pieces(placed=opened.anywhere):
        if not columns:
            headings = tuple(str(c) for c in piece.frame.columns if c not in ("geom", "geometry"))
            columns = superior.columns_of(headings, names, path.suffix.lower() == ".shp")
            head, found = (None, headings) if opened.anywhere else _heading(piece.frame, headings, names, len(columns))
            if head is not None:
                headings, columns = found, superior.columns_of(found, names)
            _check(path, opened.name, columns, names, needed, headings)
        if head is not None:
            piece.frame = _below(piece.frame, head, headings)
        rows += _rows(piece, columns, len(rows), opened.anywhere)
    return Table(path, opened.name, opened.sha256, opened.delivered.encoding, headings, columns, rows)


def _heading(
    frame: pd.DataFrame, headings: tuple[str, ...], names: Mapping[str, Sequence[str]], known: int
) -> tuple[Any, tuple[str, ...]]:
    """Which row of a table without positions has more of the headings than what was taken for them (a title, nothing), and what it says."""
    best: tuple[int, Any, tuple[str, ...]] = (known, None, headings)
    for number, cells in zip(frame.index[:_HEAD_ROWS], frame.head(_HEAD_ROWS).itertuples(index=False), strict=True):
        said = tuple("" if pd.isna(c) else str(c).strip() for c in cells)
        found = len(superior.columns_of(said, names))
        if found > max(best[0], 1):
            best = (found, number, said)
    return best[1:]


def _below(frame: pd.DataFrame, head: Any, headings: Sequence[str]) -> pd.DataFrame:
    """The rows below the heading, under its names; a name that stands twice counts where it stands first."""
    below = frame[frame.index > head]
    named = [h if h and h not in headings[:n] else f"column {n + 1}" for n, h in enumerate(headings)]
    return below.set_axis(named, axis=1)


def _check(
    path: Path,
    layer: str,
    columns: Mapping[str, str],
    names: Mapping[str, Sequence[str]],
    needed: Sequence[str],
    headings: Sequence[str],
) -> None:
    if not any(n in columns for n in needed):
        wanted = "; ".join(", ".join(names[n][:4]) for n in needed)
        raise InputError(
            f"{path.name}, layer {layer} has none of the columns that are needed ({wanted}); its columns are "
            f"{', '.join(headings[:12]) or 'none'}: name them in a profile of your own in gis/rules/{FOLDER} and give --profile.",
            file=str(path),
            layer=layer,
        )


def _rows(piece: vector.Source, columns: Mapping[str, str], first: int, placed: bool) -> list[Row]:
    faults = {str(f): sentence for f, (_, sentence) in piece.faults.items()}
    frame = piece.frame
    shapes = frame["geom"].to_numpy() if placed else np.full(len(frame), None, dtype=object)
    given = piece.given if piece.given is not None else shapes
    out: list[Row] = []
    for feature, said, shape, own in zip(frame.index, frame.to_dict("records"), shapes, given, strict=True):
        fields = patches.read_row({str(k): v for k, v in said.items()}, columns)
        usable = shape is not None and not shapely.is_empty(shape) and str(feature) not in faults
        if not usable and _no_row(fields):
            continue
        why = None if usable else faults.get(str(feature), "no_coordinates")
        place = shapely.make_valid(shapely.force_2d(shape)) if usable else None
        out.append(Row(first + len(out), str(feature), fields, place, why, written_to_m(own) if usable else 0.0))
    return out


def _no_row(fields: Mapping[str, str]) -> bool:
    """Whether a line below the headings is no row: empty, a total, or a note written over the whole width."""
    said = set(fields.values())
    return not said or bool(said & _TOTALS) or (len(fields) > 2 and len(said) == 1)


def written_to_m(given: Any) -> float:
    """Half of the last digit that a point in degrees is written to, in metres; 0 for other shapes and for metres.

    29.4 N is no place to 5 m. Degrees, minutes and seconds are known by their whole seconds.
    """
    if not isinstance(given, shapely.Point) or max(map(abs, given.coords[0][:2])) > 180:
        return 0.0
    values = given.coords[0][:2]
    digits = max(_digits(v, _FULL_DIGITS) for v in values)
    steps = [10.0**-digits] if digits < _FULL_DIGITS else []
    # seconds to a tenth at the most: finer than that is as good as full
    seconds = max(_digits(v * 3600, 2) for v in values)
    steps += [10.0**-seconds / 3600] if seconds < 2 else []
    return 0.5 * max(steps) * _DEGREE_M if steps else 0.0


def _digits(value: float, most: int) -> int:
    """Decimals that a value is written with, ``most`` where it has that many or more."""
    return next((n for n in range(most) if abs(round(value, n) - value) < 1e-6 * 10.0**-n), most)


def keep(table: Table, store_dir: Path) -> str:
    """Keep the file of a table in the store as it is, a Shapefile with all its parts, a folder packed; returns its place there."""
    if not table.path.is_dir():
        return patch_files.keep(table.path, table.sha256, store_dir)
    place = Path("patches") / table.sha256 / f"{table.path.name}.zip"
    _pack(sorted(p for p in table.path.rglob("*") if p.is_file()), store_dir / place)
    return str(place)


def proof(kept: str, store_dir: Path) -> Path:
    """The one file that is attached to events for a kept table: itself, or the parts of a Shapefile packed."""
    path = store_dir / kept
    if path.suffix.lower() != ".shp":
        return path
    packed = path.with_suffix(".zip")
    if not packed.exists():
        _pack(sorted(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() != ".zip"), packed)
    return packed


def _pack(parts: Sequence[Path], out: Path) -> None:
    """Parts in one archive; the same parts make the same bytes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for p in parts:
            archive.writestr(zipfile.ZipInfo(p.name, (1980, 1, 1, 0, 0, 0)), p.read_bytes())
    part.replace(out)
