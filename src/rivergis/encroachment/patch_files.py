"""Batches of patches as files: read through a field profile, and given back in their own form with what was filled in.

Nothing is written anew: the file as delivered is kept, copied and filled in, so that names, order, format, encoding and
geometry of a form are those of who sent it.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell

from rivergis.encroachment import patch_dbf, patches
from rivergis.errors import EnvironmentFault, InputError, UsageError, inert
from rivergis.intake import delimited, shapefile, sources, vector
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.profile import Mapped, Profile

ENDINGS = (".gpkg", ".shp", ".geojson", ".json", ".xlsx", ".csv")
_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".xml")
# triggers of a GeoPackage name these; they do not fire where only attributes change
_OF_TRIGGERS = (("ST_IsEmpty", 1), ("ST_MinX", 1), ("ST_MaxX", 1), ("ST_MinY", 1), ("ST_MaxY", 1))


@dataclass(frozen=True)
class Row:
    """One patch as a file says it."""

    seq: int
    source_feature: str
    delivered: dict[str, str]
    shape_hash: str | None

    @property
    def patch_no(self) -> str | None:
        return self.delivered.get("patch_no")


@dataclass(frozen=True)
class BatchFile:
    """A file of patches read: its rows in their order and which column holds which field."""

    path: Path
    source_layer: str
    sha256: str
    encoding: str | None
    headings: tuple[str, ...]
    columns: dict[str, str]
    rows: list[Row]


def mapping(profile: Profile) -> tuple[Mapped, dict[str, str]]:
    """How a profile makes candidates of patches, and its spellings of the fields of the form.

    What the machine and people fill in is no part of the candidate. ``UsageError`` for a profile that names no patch_no.
    """
    for m in profile.mappings:
        named = m.fields.get("evidence")
        if m.target == "candidate" and isinstance(named, dict) and "patch_no" in named:
            own = {k: v for k, v in named.items() if k not in (*patches.MACHINE, *patches.PEOPLE)}
            return replace(m, fields={**m.fields, "evidence": own}), {k: str(v) for k, v in named.items()}
    raise UsageError(f"The profile {profile.name} does not say where a patch has its patch_no: use --profile patches.")


def read(
    path: Path, profile: Profile, asked: Asked, *, source_layer: str | None = None, limits: Limits = DEFAULT
) -> BatchFile:
    """The patches of a file. ``InputError`` where it cannot be used, has no numbers, or could not be given back in its form."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{path.name}: a batch of patches is {', '.join(ENDINGS)}, so that it can be given back in its form: unpack or save it so.",
            file=str(path),
        )
    opened = vector.chosen(path, vector.open_layers(path, asked, limits=limits), source_layer)
    _, names = mapping(profile)
    headings: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    rows: list[Row] = []
    for piece in opened.pieces(placed=False):
        if not columns:
            headings = tuple(str(c) for c in piece.frame.columns if c not in ("geom", "geometry"))
            columns = patches.columns_of(headings, names)
        shapes = piece.given if piece.given is not None else [None] * len(piece.frame)
        for feature, said, shape in zip(piece.frame.index, piece.frame.to_dict("records"), shapes, strict=True):
            row = {str(k): v for k, v in said.items()}
            rows.append(Row(len(rows), str(feature), patches.read_row(row, columns), patches.shape_hash(shape)))
    beside = next((r.source_feature for r in rows if not r.source_feature.isdecimal()), None)
    if beside is not None:
        raise InputError(
            f"{path.name}, layer {opened.name} has several patches in one row (row {beside}): give each a row of its own.",
            file=str(path),
            layer=opened.name,
            feature=beside,
        )
    if "patch_no" not in columns:
        raise InputError(
            f"{path.name}, layer {opened.name} has no column with the number of a patch ({names['patch_no'].replace('|', ', ')}): "
            "name it in a profile of your own in gis/rules/import_fields and give --profile.",
            file=str(path),
            layer=opened.name,
        )
    return BatchFile(path, opened.name, opened.sha256, opened.delivered.encoding, headings, columns, rows)


def keep(path: Path, sha256: str, store_dir: Path) -> str:
    """Keep a file as delivered in the store, all parts of a Shapefile; returns its place there."""
    folder = Path("patches") / sha256
    for part in _parts(path):
        sources.keep(part, store_dir / folder / part.name)
    return str(folder / path.name)


def _parts(path: Path) -> list[Path]:
    if path.suffix.lower() != ".shp":
        return [path]
    return [p for e, p in sorted(shapefile.parts(path).items()) if e in _SHAPEFILE]


@dataclass
class Form:
    """What is to be filled in: for each feature of the file, field of the form -> value."""

    columns: Mapping[str, str]
    values: dict[str, dict[str, Any]]
    """source_feature -> field -> value; a field that a feature does not name is left as it stands."""
    headings: Sequence[str]
    encoding: str | None = None
    layer: str = ""
    cut: list[tuple[str, str]] = field(default_factory=list)
    """Feature and column of what did not fit whole into the column of the form."""
    fields: Sequence[patches.Field] = patches.FIELDS
    """What may be filled in; a field without a column gets one behind the last."""

    def placed(self, width: int | None = None) -> tuple[dict[str, str], list[patches.Field]]:
        """field -> column to write it to, and the fields whose column is to be added, named as the form names its own."""
        used = {f for said in self.values.values() for f in said}
        added = [f for f in self.fields if f.name in used and f.name not in self.columns]
        ours = sum(not h.isascii() for h in self.headings) * 2 > len(self.headings) and width is None
        names = {f.name: (f.zh if ours else f.name)[:width] for f in added}
        return {**self.columns, **names}, added


def write(kept: Path, out: Path, form: Form) -> None:
    """Write a batch in its form. ``UsageError`` for another ending than that of the file as delivered."""
    ending = kept.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(
            f"{kept.name} came as {ending}, which cannot be filled in: save it as .xlsx, import that, and export it so."
        )
    if out.suffix.lower() != ending:
        raise UsageError(
            f"{out.name}: the batch was delivered as {ending} and goes back so: give a name with that ending."
        )
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    if not kept.exists():
        raise EnvironmentFault(
            f"The batch as delivered is not in the store any more ({kept}): restore it from the backup."
        )
    writers: dict[str, Callable[[Path, Path, Form], None]] = {
        ".gpkg": _geopackage,
        ".shp": _shapefile,
        ".geojson": _geojson,
        ".json": _geojson,
        ".xlsx": _workbook,
        ".csv": _csv,
    }
    part = out.with_name(f"{out.stem}.part{ending}")
    try:
        writers[ending](kept, part, form)
        for made in _parts(part) if ending == ".shp" else [part]:
            made.replace(out.with_name(out.stem + made.suffix))
    except OSError as error:
        raise EnvironmentFault(f"{out} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        for left in out.parent.glob(f"{out.stem}.part.*"):
            left.unlink(missing_ok=True)


def _geopackage(kept: Path, part: Path, form: Form) -> None:
    """The same file, its attribute table filled in by feature id."""
    shutil.copyfile(kept, part)
    columns, added = form.placed()
    kinds = {"text": "TEXT", "number": "REAL", "integer": "INTEGER"}
    with closing(sqlite3.connect(part)) as db, db:
        for name, count in _OF_TRIGGERS:
            db.create_function(name, count, lambda *_: None)
        table = _quoted(form.layer)
        key = next(row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[5])
        for f in added:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {_quoted(columns[f.name])} {kinds[f.kind]}")
        for feature, said in form.values.items():
            if said:
                sets = ", ".join(f"{_quoted(columns[f])} = ?" for f in said)
                db.execute(f"UPDATE {table} SET {sets} WHERE {_quoted(key)} = ?", [*said.values(), int(feature)])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shapefile(kept: Path, part: Path, form: Form) -> None:
    """The same parts, the table filled in byte by byte; added names have at most ten bytes."""
    columns, added = form.placed(10)
    encoding = form.encoding or "gb18030"
    there = shapefile.parts(kept)
    for ending, file in there.items():
        if ending in _SHAPEFILE and ending != ".dbf":
            shutil.copyfile(file, part.with_suffix(ending))
    raw = there[".dbf"].read_bytes()
    records = patch_dbf.table(raw, encoding).records
    values = [{columns[f]: v for f, v in form.values.get(str(n), {}).items()} for n in range(records)]
    body, cut = patch_dbf.fill(raw, encoding, values, [(columns[f.name], f.kind) for f in added])
    part.with_suffix(".dbf").write_bytes(body)
    form.cut += [(str(n), column) for n, column in cut]


def _geojson(kept: Path, part: Path, form: Form) -> None:
    columns, added = form.placed()
    body = json.loads(kept.read_text(encoding="utf-8-sig"))
    for n, feature in enumerate(body["features"]):
        said = {columns[f]: v for f, v in form.values.get(str(n), {}).items()}
        empty = {columns[f.name]: None for f in added}
        feature["properties"] = {**(feature.get("properties") or {}), **empty, **said}
    part.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def _workbook(kept: Path, part: Path, form: Form) -> None:
    """The same workbook with its titles, widths and colours; only cells of what was filled in change."""
    book = openpyxl.load_workbook(kept)
    sheet = book[form.layer] if form.layer in book.sheetnames else book.worksheets[0]
    columns, added = form.placed()
    first = min((int(f) for f in form.values if f.isdecimal()), default=2)
    head = _head_row((((c.value for c in row)) for row in sheet.iter_rows(max_row=first - 1)), form)
    at = {str(c.value).strip(): c.column for c in reversed(sheet[head + 1]) if c.value is not None}
    for f in added:
        cell = sheet.cell(head + 1, sheet.max_column + 1, columns[f.name])
        at[columns[f.name]] = cell.column
    for name in {n for said in form.values.values() for n in said}:
        told = {int(f): said[name] for f, said in form.values.items() if name in said}
        _take_apart(sheet, at[columns[name]], told)
        for row, value in told.items():
            cell = sheet.cell(row, at[columns[name]])
            if not isinstance(cell, MergedCell):
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"  # text that begins like a formula stays text
    book.save(part)


def _take_apart(sheet: Any, column: int, told: Mapping[int, Any]) -> None:
    """Cells that stand for several rows, where these rows now say different things: each row gets a cell of its own with what it said."""
    for block in list(sheet.merged_cells.ranges):
        rows = range(block.min_row, block.max_row + 1)
        if not block.min_col <= column <= block.max_col or not told.keys() & set(rows):
            continue
        first = sheet.cell(block.min_row, block.min_col)
        alike = block.min_col == column and all(r in told and told[r] == told[block.min_row] for r in rows)
        if alike:
            continue
        sheet.unmerge_cells(block.coord)
        for row in rows:
            cell = sheet.cell(row, column)
            cell.value, cell._style = first.value, copy(first._style)


def _head_row(rows: Iterator[Any] | Sequence[Any] | Any, form: Form) -> int:
    """Which row (from 0) has most of the headings."""
    wanted = {h.strip() for h in form.headings}
    scored = [(sum(str(c).strip() in wanted for c in row if c is not None), n) for n, row in enumerate(rows)]
    return max(scored, default=(0, 0), key=lambda s: (s[0], -s[1]))[1]


def _csv(kept: Path, part: Path, form: Form) -> None:
    encoding = form.encoding or "utf-8"
    raw = kept.read_bytes()
    bom = raw.startswith(b"\xef\xbb\xbf")
    codec = "utf-8-sig" if bom else encoding
    text = raw.decode(codec, "surrogateescape")  # bytes that are no text go back as they came
    sep = delimited.find_delimiter(text.splitlines()[:200])
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sep))
    columns, added = form.placed()
    head = _head_row(rows[: min((int(f) for f in form.values if f.isdecimal()), default=2) - 1], form)
    headings = [h.strip() for h in rows[head]]
    width = len(headings)
    headings += [columns[f.name] for f in added]
    for n, row in enumerate(rows):
        row += [""] * (width - len(row) if n >= head else 0)
        row += [columns[f.name] if n == head else "" for f in added] if n >= head else []
    for feature, said in form.values.items():
        for name, value in said.items():
            rows[int(feature) - 1][headings.index(columns[name])] = "" if value is None else inert(str(value))
    newline = "\r\n" if b"\r\n" in raw else "\n"
    with part.open("w", encoding=codec, errors="surrogateescape", newline="") as handle:
        csv.writer(handle, delimiter=sep, lineterminator=newline).writerows(rows)
