"""A layer out of the house as a file: the rows in force on a day, in the system and format that are asked for.

Files are written under a name of their own beside the target and put in place only when they are whole (``release``).
What was imported comes out equal to 1 mm, with the contract's columns and the attributes as delivered.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import layers, words
from rivergis.db.connect import now_of
from rivergis.errors import EnvironmentFault, NotPermitted, UsageError
from rivergis.maps import export_dxf, export_files, export_rows, export_tables, features
from rivergis.maps.export_columns import Field, Query, query
from rivergis.maps.export_files import Sheet, Writer
from rivergis.maps.export_filter import Where, where
from rivergis.maps.export_rows import HeightsLost, Part

PERSONAL = ("track", "tracks", "fix", "patrol", "leg")
ENCODINGS = ("UTF-8", "GBK")
# everything that belongs to a Shapefile of one name
_SHAPEFILE = ("shp", "shx", "dbf", "prj", "cpg", "qix", "sbn", "sbx", "qpj", "shp.xml", "fields.csv")


@dataclass(frozen=True)
class Format:
    """How an ending is written. ``crs``: the system unless another is asked for; ``fixed``: the only one it may have."""

    write: Writer
    crs: str = "EPSG:4490"
    fixed: bool = False
    tables: bool = True
    one_kind: bool = False
    encodings: tuple[str, ...] = ("UTF-8",)
    """The first is the one unless another is asked for."""


FORMATS = {
    ".gpkg": Format(export_files.gdal("GPKG")),
    ".shp": Format(export_files.shapefile, tables=False, one_kind=True, encodings=ENCODINGS),
    ".zip": Format(export_files.shapefile, tables=False, one_kind=True, encodings=ENCODINGS),
    ".geojson": Format(export_files.gdal("GeoJSON")),
    ".geojsonl": Format(export_files.gdal("GeoJSONSeq"), "EPSG:4326", fixed=True),
    ".fgb": Format(export_files.gdal("FlatGeobuf"), tables=False),
    ".parquet": Format(export_files.geoparquet),
    ".kml": Format(export_files.gdal("LIBKML"), "EPSG:4326", fixed=True, tables=False),
    ".gml": Format(export_files.gdal("GML"), tables=False),
    ".gdb": Format(export_files.gdal("OpenFileGDB"), one_kind=True),
    ".csv": Format(export_tables.to_csv),
    ".xlsx": Format(export_tables.to_xlsx, "local"),
    ".dxf": Format(export_dxf.write, "local", tables=False, encodings=ENCODINGS[::-1]),
}


@dataclass(frozen=True)
class Wanted:
    """What the user asks for. ``crs``: a code or ``local``; ``filter``: CQL2 text; ``fields``: columns to keep."""

    layer: str
    crs: str | None = None
    encoding: str | None = None
    filter: str | None = None
    as_of: date | None = None
    known_at: datetime | None = None
    namespace: str | None = None
    layer_name: str | None = None
    fields: tuple[str, ...] | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Exported:
    """What came of an export, the same for people, ``--json`` and the audit."""

    layer: str
    as_of: date
    known_at: datetime
    count: int
    files: list[dict[str, Any]] = field(default_factory=list)
    """``file``, ``count``, ``crs`` (code or name, none for a plain table), ``geometry``."""
    columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    whole: bool = True
    """False: some value could not go out whole, as a note says."""

    def detail(self) -> dict[str, Any]:
        """For the audit: what went out, without what it says."""
        return {"count": self.count, "as_of": str(self.as_of), "files": self.files}


class Staged:
    """An export that is written but not yet in its place."""

    def __init__(self, done: Exported, folder: Path, target: Path) -> None:
        self.done, self._folder, self._target = done, folder, target

    def release(self) -> None:
        """Put the files in their place; what stood there is moved away first and comes back if that fails."""
        aside = self._folder / "before"
        aside.mkdir()
        moved: list[tuple[Path, Path]] = []
        try:
            for old in self._before():
                old.replace(aside / old.name)
                moved.append((aside / old.name, old))
            for new in sorted((self._folder / "new").iterdir()):
                new.replace(self._target / new.name)
        except OSError as error:
            for kept, old in moved:
                if kept.exists() and not old.exists():
                    kept.replace(old)
            raise EnvironmentFault(
                f"{self._target} cannot be written ({error.strerror}): choose another place."
            ) from error

    def _before(self) -> list[Path]:
        """What of an earlier export stands where the new files go."""
        names = {p.name for p in (self._folder / "new").iterdir()}
        stems = {p.stem for p in (self._folder / "new").glob("*.shp")}
        names |= {f"{stem}.{ending}" for stem in stems for ending in _SHAPEFILE}
        return [self._target / n for n in sorted(names) if (self._target / n).exists()]


@contextmanager
def stage(conn: Connection, wanted: Wanted, out: Path) -> Iterator[Staged]:
    """Write a layer of the contract to temporary files beside ``out``; they vanish at the end unless released.

    Raises ``UsageError`` (format, filter, field or encoding), ``NotFound`` (layer), ``NotPermitted`` (personal data),
    ``CrsRefused`` and ``EnvironmentFault``.
    """
    out = out.with_suffix(out.suffix.lower())
    form, layer = _form(wanted, out)
    if not wanted.overwrite:
        _check_free([out])
    known_at = wanted.known_at or now_of(conn)
    on = wanted.as_of or features.when(conn).on
    rows = query(conn, layer, on, known_at, wanted.namespace)
    chosen = rows.chosen(wanted.fields)
    condition = where(wanted.filter, rows.properties()) if wanted.filter is not None else Where("true", {})
    system = _system(form, wanted.crs, out)
    params = {**rows.params, **condition.params}
    parts = export_rows.parts(conn, rows, condition.sql, params, system, form.one_kind)
    paths = [out.with_name(f"{out.stem}{p.suffix}{out.suffix}") for p in parts]
    with _folder(out) as folder:
        sheets = [
            _write(conn, form, rows, chosen, p, wanted, folder / "new" / path.name, (on, known_at))
            for p, path in zip(parts, paths, strict=True)
        ]
        if not wanted.overwrite:
            _check_free(out.parent / p.name for p in (folder / "new").iterdir())
        yield Staged(_summary(wanted, rows, chosen, sheets, paths, system, (on, known_at)), folder, out.parent)


_LAYER_NAME = re.compile(r"\w[\w.-]{0,59}")


def _form(wanted: Wanted, out: Path) -> tuple[Format, layers.Layer]:
    if wanted.layer in PERSONAL:
        raise NotPermitted(
            "Patrol tracks are personal data and are not exported as a layer: 'rivergis map patrol' shows one, with a line in the audit."
        )
    layer = layers.layer(wanted.layer)
    if wanted.layer_name is not None and not _LAYER_NAME.fullmatch(wanted.layer_name):
        raise UsageError("--layer-name: 1 to 60 letters, digits, and . _ - between them, which every format can hold.")
    form = FORMATS.get(out.suffix.lower())
    if form is None:
        raise UsageError(f"{out.name}: the ending says the format; there are {', '.join(FORMATS)}.")
    if layer.geometry is None and not form.tables:
        able = ", ".join(e for e, f in FORMATS.items() if f.tables)
        raise UsageError(f"{layer.name} has no shapes, which {out.suffix} cannot hold: choose one of {able}.")
    encoding = wanted.encoding or form.encodings[0]
    if encoding not in form.encodings:
        raise UsageError(
            f"{out.suffix} is always {' or '.join(form.encodings)}: --encoding {encoding} is for .shp, .zip and .dxf."
        )
    return form, layer


def _system(form: Format, asked: str | None, out: Path) -> str:
    system = form.crs if asked is None else "local" if asked.lower() == "local" else asked
    if form.fixed and system.upper() != form.crs:
        raise UsageError(
            f"{out.suffix} is always in {form.crs} (longitude and latitude): leave --crs away or choose another format."
        )
    if system != "local":
        export_rows.accepted(system)
    return system


def _check_free(paths: Iterable[Path]) -> None:
    standing = sorted(p for p in paths if p.exists())
    if standing:
        raise UsageError(f"{standing[0]} is there already: choose another name or say --overwrite.")


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder beside the target, on the same disk, so that putting in place is one step."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.part-", dir=out.parent))
        (folder / "new").mkdir()
    except OSError as error:
        raise EnvironmentFault(
            f"{out.parent} cannot be written to ({error.strerror}): choose another place."
        ) from error
    try:
        yield folder
    except OSError as error:
        raise EnvironmentFault(
            f"{out} cannot be written ({error.strerror or error}): free some space or choose another place."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(
    conn: Connection,
    form: Format,
    rows: Query,
    chosen: Sequence[Field],
    part: Part,
    wanted: Wanted,
    path: Path,
    when: tuple[date, datetime],
) -> Sheet:
    """One file of the export, zipped where that is asked for."""
    zipped = path.suffix.lower() == ".zip"
    work = path.parent.with_name("work")
    work.mkdir()
    name = (wanted.layer_name or rows.layer.name) + part.suffix
    inside = work / (f"{path.stem}.shp" if zipped else path.name)
    sheet = Sheet(inside, part, chosen, name, (wanted.encoding or form.encodings[0]).upper(), _about(rows, part, when))
    try:
        written = form.write(sheet, export_rows.chunks(conn, rows, chosen, part))
    except HeightsLost:
        shutil.rmtree(work)
        return _write(conn, form, rows, chosen, replace(part, heights="some"), wanted, path, when)
    if written != part.count:
        raise EnvironmentFault(f"{path.name}: {written} of {part.count} features were written: run the export again.")
    if zipped:
        _zip(work, path)
    for file in [] if zipped else sorted(work.iterdir()):
        file.replace(path.parent / file.name)
    shutil.rmtree(work)
    return sheet


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)


def _about(rows: Query, part: Part, when: tuple[date, datetime]) -> dict[str, str]:
    """What a table or drawing says of itself."""
    crs = part.crs
    about = {words.both("export.layer"): f"{rows.layer.zh} {rows.layer.name}", words.both("export.as_of"): str(when[0])}
    if crs is not None:
        code = crs.to_epsg()
        about[words.both("export.crs")] = f"EPSG:{code} {crs.name}" if code else crs.name
        meridian = export_tables.central_meridian(crs)
        if meridian is not None:
            about[words.both("export.meridian")] = f"{meridian:g}°"
    if part.shape is not None:
        about[words.both("export.axes")] = words.both("export.axes_said")
    about[words.both("export.purpose")] = words.both("page.disclaimer")
    return about


def _summary(
    wanted: Wanted,
    rows: Query,
    chosen: Sequence[Field],
    sheets: Sequence[Sheet],
    paths: Sequence[Path],
    system: str,
    when: tuple[date, datetime],
) -> Exported:
    files = [
        {"file": str(path), "count": s.part.count, "crs": _code(s.part), "geometry": s.part.kind}
        for s, path in zip(sheets, paths, strict=True)
    ]
    notes = [*rows.notes, *(n for s in sheets for n in s.notes)]
    count = sum(s.part.count for s in sheets)
    if len(sheets) > 1 and system == "local" and len({f["crs"] for f in files}) > 1:
        notes.append(
            "The layer lies in several 3-degree zones: each has a file of its own; --crs EPSG:CODE puts all into one."
        )
    elif len(sheets) > 1:
        notes.append(
            "The layer has shapes of several kinds, and the format holds one: each kind has a file of its own."
        )
    if any(s.part.heights == "some" for s in sheets):
        notes.append(
            "Heights stay with the shapes as delivered: not every shape has them, or one was repaired; the file is two-dimensional."
        )
    if not count:
        notes.append("No feature answers: the file has the columns and no rows.")
    names = [f.name for f in chosen]
    return Exported(wanted.layer, *when, count, files, names, notes, not any(s.cut for s in sheets))


def _code(part: Part) -> str | None:
    if part.crs is None:
        return None
    return f"EPSG:{part.crs.to_epsg()}" if part.crs.to_epsg() else str(part.crs.name)
