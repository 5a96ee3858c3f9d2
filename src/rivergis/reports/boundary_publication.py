"""A publication bundle (公开成果): map, geometry and tables with a 审图号, or tables alone without one; and whether one still stands.

The manifest names number, day, title, extent, delimitations and the check sum of every file; its own hash covers all of it.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

from rivergis import __version__, crs, words
from rivergis.boundary.delivery import layers as delivery_layers
from rivergis.boundary.delivery import publication
from rivergis.boundary.delivery.layers import Terms
from rivergis.boundary.delivery.publication import MANIFEST, Fault, Limits
from rivergis.boundary.delivery.publication_workflow import Held
from rivergis.boundary.delivery.tables import Delivery
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.reports import boundary_delivery, boundary_map, bundle, workbook
from rivergis.reports.boundary_delivery import Asked
from rivergis.reports.boundary_map import Sheet
from rivergis.reports.writing import whole
from rivergis.river import chainage

_TABLE = (
    "river", "river_code", "version_code", "bank", "code", "from", "to", "length_m", "announced",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a person says of a publication: its code, title, the day printed on it, its review number, who confirmed its secrecy."""

    code: str
    title: str
    published_on: date
    review_no: str | None = None
    secrecy_confirmed: str | None = None


def make(
    held: Held, said: Said, terms: Terms, asked: Asked, sheet: Sheet, limits: Limits, folder: Path
) -> dict[str, Any]:
    """Fill a folder with the bundle; what its manifest says, for the record.

    Raises ``NotPermitted`` for lines that are not announced and in force, and for what may be secret and nobody answered for.
    """
    if not re.fullmatch(r"[^/\s]{1,60}", said.code):
        raise UsageError(f"{said.code!r} is no code: 1 to 60 letters and figures without blank or slash.")
    _check(held)
    kind = publication.kind(said.review_no, limits)
    told = public(replace(held.delivery, title=said.title), asked.columns)
    ground = publication.contiguous_km2(told.areas)
    scale, notes = _fill(told, kind, said, terms, asked, sheet, folder)
    largest = _largest_scale(held.delivery.lines, scale) if kind == "map" else None
    secrecy = publication.check_secrecy(ground, largest, limits, said.secrecy_confirmed)
    bundle.seal(folder)
    manifest = publication.sealed({
        "code": said.code, "title": said.title, "kind": kind, "review_no": said.review_no,
        "published_on": said.published_on.isoformat(), "as_of": held.on.isoformat(), "known_at": held.known_at.isoformat(),
        "scale_denominator": None if largest is None else int(largest), "contiguous_km2": round(ground, 4),
        "secrecy": secrecy, "extent": _extent(told) if kind == "map" else None, "crs": "EPSG:4490",
        "delimitations": [
            {k: _text(row[k]) for k in ("code", "river_code", "river", "line_type", "announce_gov", "announce_doc_no", "announced_on", "lines_sha256")}
            for row in held.acts.to_dict("records")
        ],
        "files": [
            {"path": n, "bytes": (folder / n).stat().st_size, "sha256": bundle.sha256(folder / n)} for n in bundle.names(folder)
        ],
        "notes": notes, "made_by": f"rivergis {__version__}",
    })  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


def _check(held: Held) -> None:
    bad = held.acts[(held.acts["standing"] != "in_force") | (held.acts["basis"] != "announced")]
    if len(bad):
        row = bad.iloc[0]
        raise NotPermitted(
            f"{row['code']} is {words.both('deliver.standing.' + str(row['standing']))}, announced lines in force only are published: "
            "choose other delimitations, or another --as-of day."
        )


def public(told: Delivery, columns: frozenset[str] | None) -> Delivery:
    """A delivery with the attributes that may go out only, and without what is shown around the lines but river and water."""

    def narrowed(frame: Any) -> Any:
        kept = [c for c in frame if columns is None or c in columns or c == frame.geometry.name]
        return frame[kept]

    return replace(
        told,
        lines=narrowed(told.lines),
        areas=narrowed(told.areas),
        levees=None,
        stakes=None,
        counties=None,
        sources=(),
        notes=(),
    )


def _fill(
    told: Delivery, kind: str, said: Said, terms: Terms, asked: Asked, sheet: Sheet, folder: Path
) -> tuple[float | None, list[str]]:
    """Write the files of a bundle; the scale of its map."""
    scale, notes = None, []
    if kind == "map":
        zones = delivery_layers.zones(told, terms, sheet.zone)
        done = boundary_delivery.write(told, zones, asked, folder)
        printed = boundary_map.write(
            told, replace(sheet, review_no=said.review_no, on=said.published_on), folder / "map.pdf"
        )
        scale, notes = float(printed.sheet_scale), [*done.notes, *printed.notes]
    _tables(told, said, asked, folder / "announcement.xlsx")
    return scale, notes


def _tables(told: Delivery, said: Said, asked: Asked, path: Path) -> None:
    """The table of an announcement: rivers, banks, chainages, lengths, areas, acts; no coordinate and no shape."""
    book = openpyxl.Workbook(write_only=True)
    lines = told.lines.assign(length=np.round(crs.length_m(told.lines.geometry.values), 1))
    rows = [
        (
            r.get("river"), r.get("river_code"), r.get("version_code"), words.say(f"bank.{r['bank']}"), r.get("code"),
            _label(r.get("from_m")), _label(r.get("to_m")), r["length"],
            " ".join(_text(r.get(c)) or "" for c in ("announce_gov", "announce_doc_no", "announced_on")).strip(),
        )
        for r in pd.DataFrame(lines.drop(columns=lines.geometry.name)).to_dict("records")
    ]  # fmt: skip
    heads = [
        words.both(
            f"deliver.{'about' if k == 'announced' else 'head'}.{'announced' if k == 'announced' else _HEADS.get(k, k)}"
        )
        for k in _TABLE
    ]
    workbook.add_table(book, words.say("deliver.sheet_lines"), heads, rows)
    about = [
        (words.both("deliver.about.title"), said.title),
        (words.both("deliver.about.review_no"), said.review_no or words.both("deliver.map.no_review_no")),
        (words.both("deliver.map.day"), said.published_on.isoformat()),
        (words.both("deliver.about.areas"), f"{np.sum(crs.area_m2(told.areas.geometry.values)) / 1e6:.4f} km2"),
        (words.both("deliver.about.note"), words.both("page.disclaimer")),
    ]
    workbook.add_table(
        book,
        words.say("deliver.sheet_about"),
        [words.both("deliver.head.item"), words.both("deliver.head.value")],
        about,
    )
    with whole(path) as part:
        workbook.write_fixed(book, part, asked.made_at or pd.Timestamp.now("UTC").to_pydatetime())


_HEADS = {"version_code": "code"}


def _label(at_m: Any) -> str | None:
    return None if at_m is None or pd.isna(at_m) else chainage.label(float(at_m))


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)


def _largest_scale(lines: pd.DataFrame, printed: float | None) -> float | None:
    """The largest scale (smallest denominator) of the survey behind the lines or of the map."""
    surveyed = pd.to_numeric(lines["survey_scale"], errors="coerce").min() if "survey_scale" in lines else np.nan
    given = [float(v) for v in (surveyed, printed) if v is not None and np.isfinite(v)]
    return min(given, default=None)


def _extent(told: Delivery) -> list[float]:
    boxes = np.array([f.total_bounds for f in (told.lines, told.areas) if len(f)])
    return [round(float(v), 6) for v in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))]


def record(manifest: Mapping[str, Any], held: Held) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the database keeps of a bundle: its row and its delimitations."""
    west, south, east, north = manifest["extent"] or _extent(held.delivery)
    row = {
        **{k: manifest[k] for k in ("code", "title", "kind", "review_no", "published_on", "content_sha256", "files")},
        "as_of": held.on, "known_at": held.known_at, "scale": manifest["scale_denominator"], "km2": manifest["contiguous_km2"],
        "secrecy": manifest["secrecy"], "west": west, "south": south, "east": east, "north": north,
    }  # fmt: skip
    return row, held.acts[["boundary_id", "boundary_version", "lines_sha256"]].to_dict("records")


def check_place(out: Path, overwrite: bool) -> None:
    """Before long work: ``UsageError`` where something stands that no bundle may replace."""
    if out.suffix.lower() != ".zip":
        bundle.check_free(out, overwrite)
        return
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} is there already: choose another name or say --overwrite.")


@contextmanager
def placed(out: Path, overwrite: bool) -> Iterator[Path]:
    """A folder to fill that becomes ``out`` when all went well, or its ZIP where the name ends so."""
    if out.suffix.lower() != ".zip":
        with bundle.whole(out, overwrite) as folder:
            yield folder
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)
        pack(Path(folder), out)


def pack(folder: Path, path: Path) -> None:
    """A bundle as one ZIP; equal content gives equal bytes."""
    with whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in bundle.names(folder):
            archive.writestr(
                zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), (folder / name).read_bytes(), zipfile.ZIP_DEFLATED
            )


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """A bundle as a folder, whether it is one or a ZIP. Raises ``InputError`` for what is neither."""
    if path.is_dir():
        yield path
        return
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no publication: give its folder or its ZIP.")
    with TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        bad = [n for n in archive.namelist() if n.startswith(("/", "\\")) or ".." in Path(n).parts]
        if bad or sum(i.file_size for i in archive.infolist()) > _MOST_BYTES:
            raise InputError(
                f"{path.name} has members that no publication has ({(bad or ['too large'])[0]}): ask for it again."
            )
        archive.extractall(folder)
        yield Path(folder)


_MOST_BYTES = 4 * 1024**3


def verify(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The manifest of a bundle and everything that is not as it was published; empty = whole."""
    with opened(path) as folder:
        at = folder / MANIFEST
        try:
            manifest = json.loads(at.read_text(encoding="utf-8"))
            if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), list):
                raise ValueError
        except (OSError, ValueError, UnicodeDecodeError):
            return {}, [Fault("no_manifest")]
        there = {n: bundle.sha256(folder / n) for n in bundle.names(folder) if n != MANIFEST}
        return manifest, publication.faults(manifest, there)


def sentences(faults: Sequence[Fault]) -> list[str]:
    """Reasons in words, Chinese first."""
    return [words.both(f"publication.{f.code}", **f.values()) for f in faults]
