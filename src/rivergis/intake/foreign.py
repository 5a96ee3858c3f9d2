"""Formats of other programs that cannot be read here: recognised with their version, converted where a converter is
installed, else refused with the export to ask the survey office for.

Names, endings and wishes are rows of ``gis/text/foreign_formats.yaml``; how the files begin is written here.
"""

from __future__ import annotations

import atexit
import json
import re
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyogrio
import yaml

from rivergis.errors import InputError
from rivergis.intake.delivery import Defect, defect
from rivergis.intake.limits import Limits
from rivergis.settings import gis_dir

HEAD_BYTES = 1 << 16

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\0"

# the release that first wrote each version of DWG, to the one that last did
_DWG = {
    b"AC1002": "AutoCAD 2.5", b"AC1003": "AutoCAD 2.6", b"AC1004": "AutoCAD R9", b"AC1006": "AutoCAD R10",
    b"AC1009": "AutoCAD R11-R12", b"AC1012": "AutoCAD R13", b"AC1014": "AutoCAD R14", b"AC1015": "AutoCAD 2000-2002",
    b"AC1018": "AutoCAD 2004-2006", b"AC1021": "AutoCAD 2007-2009", b"AC1024": "AutoCAD 2010-2012",
    b"AC1027": "AutoCAD 2013-2017", b"AC1032": "AutoCAD 2018 or later",
}  # fmt: skip
_JET = {
    0: "Access 97 (Jet 3)",
    1: "Access 2000-2003 (Jet 4)",
    2: "Access 2007",
    3: "Access 2010",
    5: "Access 2016",
    6: "Access 2019",
}
_MAPGIS = {b"1": "lines, WL", b"2": "points, WT", b"3": "areas, WP"}


@lru_cache(maxsize=1)
def formats() -> dict[str, dict[str, Any]]:
    """Rows of the table of foreign formats by key."""
    return yaml.safe_load((gis_dir() / "text" / "foreign_formats.yaml").read_text(encoding="utf-8"))


def refuse_or_convert(path: Path, limits: Limits) -> Path | None:
    """A readable file made of ``path`` (in a temporary folder), or None where ``path`` is no foreign format.

    ``InputError`` where it is one and no converter for it is installed or it failed. ``conversion`` says what was done.
    """
    head = b""
    with suppress(OSError, ValueError):  # what cannot be opened is said by who recognises files
        if path.is_file():
            with path.open("rb") as handle:
                head = handle.read(HEAD_BYTES)
    if not head or recognised(path, head)[0] is None:
        return None
    made = converted(path, limits)
    if made is None:
        refuse_foreign(path, head)
    return made


def refuse_foreign(path: Path, head: bytes) -> None:
    """``InputError`` for a format that is known and cannot be read, with its version and the export to ask for."""
    key, version = recognised(path, head)
    if key is None:
        return
    row = formats()[key]
    zh, en = row["ask"]
    of = f" ({version})" if version else ""
    raise InputError(
        f"{path.name} is {row['name'][1]}{of}, which cannot be read here: ask for {en} (请{zh}).",
        file=str(path),
        format=key,
        version=version or None,
        name_zh=row["name"][0],
        ask_zh=zh,
        ask_en=en,
    )


def recognised(path: Path, head: bytes) -> tuple[str | None, str]:
    """Key of the foreign format and its version in words; (None, "") for everything else. Content goes before ending."""
    for sign in (_by_beginning, _by_container, _by_ending):
        key, version = sign(path, head)
        if key is not None:
            return (None, "") if key == _PASS else (key, version)
    return None, ""


_PASS = "read by others"
_MARKS: tuple[tuple[bytes, int, str, str], ...] = (
    (b"%PDF-", 0, "pdf", ""),
    (b"Rar!\x1a\x07\x00", 0, "archive", "RAR 4"),
    (b"Rar!\x1a\x07\x01", 0, "archive", "RAR 5"),
    (b"7z\xbc\xaf\x27\x1c", 0, "archive", "7-Zip"),
    (b"\x1f\x8b\x08", 0, "archive", "gzip"),
    (b"BZh", 0, "archive", "bzip2"),
    (b"\xfd7zXZ\0", 0, "archive", "xz"),
    (b"\x28\xb5\x2f\xfd", 0, "archive", "zstd"),
    (b"ustar", 257, "archive", "tar"),
    (b"OviO", 0, "ovital", "OVOBJ"),
    (b"CAJ\0", 0, "caj", ""),
    (b"KDH ", 0, "caj", ""),
    (b"EXP  1", 0, "e00_packed", ""),
    (b"LASF", 0, "point_cloud", "LAS"),
)


def _by_beginning(path: Path, head: bytes) -> tuple[str | None, str]:
    for mark, at, key, version in _MARKS:
        if head[at : at + len(mark)] == mark:
            return key, version
    if re.match(rb"AC10\d\d|AC[12]\.\d|MC0\.0", head):
        code = head[:6]
        return "dwg", f"{_DWG.get(code, 'unknown release')}, {code.decode('ascii', 'replace').strip()}"
    if head[4:19] in (b"Standard Jet DB", b"Standard ACE DB"):
        return "access", _JET.get(head[20] if len(head) > 20 else -1, "unknown version")
    if head.startswith(b"WMAP`D2"):
        return ("mapgis_project", "6.x") if head[7:8] in (b":", b"9") else ("mapgis6", _MAPGIS.get(head[7:8], ""))
    text = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"Datamark", b"DataMark", b"HeadBegin")) and b":" in text:
        return "vct", _told(rb"Version\s*:\s*([\w.]+)", text)
    if re.match(rb"CASS\d*\s*[\r\n]", text):
        return "cass", text.split(maxsplit=1)[0].decode("ascii", "replace")
    if b"<SuperMapWorkspace" in text or b"<sml:SuperMapWorkspace" in text:
        return "supermap_workspace", ""
    return _json_document(text)


def _told(pattern: bytes, text: bytes) -> str:
    found = re.search(pattern, text)
    return found[1].decode("ascii", "replace") if found else ""


def _json_document(text: bytes) -> tuple[str | None, str]:
    """Maps and layer files of ArcGIS Pro are JSON and would pass for GeoJSON with nothing in it."""
    if text.startswith(b"{") and re.search(rb'"type"\s*:\s*"CIM(?:Map|Layer)Document"', text):
        return "arcgis_document", "ArcGIS Pro"
    return None, ""


def _by_container(path: Path, head: bytes) -> tuple[str | None, str]:
    """Compound files, ZIP and SQLite are boxes: what lies in them counts, then the ending."""
    if head.startswith(_OLE):
        if "Dgn~H".encode("utf-16-le") in _directory(path, head):
            return "dgn8", "V8"
        if "WordDocument".encode("utf-16-le") in _directory(path, head):
            return ("wps", "") if path.suffix.lower() in (".wps", ".wpt") else ("word", "Word 97-2003")
        if path.suffix.lower() in (".xls", ".et", ".ett", ".xlt"):
            return _PASS, ""
    if head.startswith(_ZIP):
        if b"OFD.xml" in head[:4096]:
            return "ofd", ""
        if path.suffix.lower() in (".et", ".zip", ".xlsx", ".docx", ".kmz", ".ovkmz"):
            return _PASS, ""
    if head.startswith(_SQLITE) and (path.suffix.lower() == ".udbx" or _has_table(path, "SmRegister")):
        return "udbx", ""
    return None, ""


def _directory(path: Path, head: bytes) -> bytes:
    """The directory sector of a compound file; its place stands in the header."""
    if len(head) < 512:
        return b""
    size, first = 1 << min(int.from_bytes(head[30:32], "little"), 16), int.from_bytes(head[48:52], "little")
    with path.open("rb") as handle, suppress(OSError, OverflowError):
        handle.seek((first + 1) * size)
        return handle.read(max(size, 4096))
    return b""


def _by_ending(path: Path, head: bytes) -> tuple[str | None, str]:
    """What only its ending tells; a file that begins like something well known is left to those who know it."""
    ending = path.suffix.lower()
    if ending == ".hdf" and head.startswith((b"\x89HDF", b"\x0e\x03\x13\x01")):
        return _PASS, ""
    if ending == ".dgn" and head.startswith(_OLE):
        return "dgn8", "V8"
    key = next((k for k, row in formats().items() if ending in row["endings"]), None)
    if key is not None and _text_table(ending, head):
        return _PASS, ""
    return key, ""


def _text_table(ending: str, head: bytes) -> bool:
    """A list of points may go by a controller's ending."""
    return ending in (".job", ".pd", ".001", ".obj") and bool(head) and b"\0" not in head and b"," in head[:200]


def converted(path: Path, limits: Limits) -> Path | None:
    """A file made of a foreign one by a converter that is installed: DXF of a DWG, GeoPackage of an Access database or UDBX.

    None where there is no converter or it made nothing. The file lies in a temporary folder that goes with the process.
    """
    with path.open("rb") as handle:
        key, _ = recognised(path, handle.read(HEAD_BYTES))
    makers: dict[str, list[Callable[[Path, Path, Limits], Path | None]]] = {
        "dwg": [_dwg2dxf, _oda],
        "access": [_ogr2ogr],
        "udbx": [_open_layers],
    }
    if key not in makers:
        return None
    folder = Path(tempfile.mkdtemp(prefix="rivergis-converted-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for make in makers[key]:
        with suppress(OSError, subprocess.SubprocessError, sqlite3.Error, ValueError, RuntimeError):
            made = make(path, folder, limits)
            if made is not None and made.is_file() and made.stat().st_size:
                return made
    return None


def conversion(path: Path, made: Path) -> Defect:
    """The sentence that belongs to a file that was read through a conversion."""
    message = f"{path.name} was converted to {made.suffix.lstrip('.').upper()} by a program on this machine and read from that."
    return defect("converted", "info", message, "Compare with the original in its own program before it counts.")


def _run(command: list[str], limits: Limits, **extra: Any) -> bool:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.seconds, check=False, **extra
    )
    return done.returncode == 0


def _dwg2dxf(path: Path, folder: Path, limits: Limits) -> Path | None:
    program = shutil.which("dwg2dxf")
    out = folder / f"{path.stem}.dxf"
    return out if program and _run([program, "-y", "-o", str(out), str(path.resolve())], limits) else None


def _oda(path: Path, folder: Path, limits: Limits) -> Path | None:
    """ODA's converter takes folders, and needs no screen if told so."""
    program = shutil.which("ODAFileConverter")
    if not program:
        return None
    inside, outside = folder / "in", folder / "out"
    inside.mkdir()
    outside.mkdir()
    shutil.copyfile(path, inside / "drawing.dwg")
    command = [program, str(inside), str(outside), "ACAD2018", "DXF", "0", "1", "*.DWG"]
    _run(command, limits, env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "HOME": str(folder)})
    return (
        (outside / "drawing.dxf").rename(folder / f"{path.stem}.dxf") if (outside / "drawing.dxf").is_file() else None
    )


def _ogr2ogr(path: Path, folder: Path, limits: Limits) -> Path | None:
    """The system's GDAL may have drivers for Access that the one inside Python has not."""
    program = shutil.which("ogr2ogr")
    out = folder / f"{path.stem}.gpkg"
    return out if program and _run([program, "-f", "GPKG", str(out), str(path.resolve())], limits) else None


def _open_layers(path: Path, folder: Path, limits: Limits) -> Path | None:
    """Layers of a UDBX whose geometry is SpatiaLite's, as GeoPackage; texts and CAD objects have another that nobody reads."""
    names = _open_tables(path)
    if not names:
        return None
    source, out = folder / "source.sqlite", folder / f"{path.stem}.gpkg"
    shutil.copyfile(path, source)
    for name in names:
        meta, table = pyogrio.read_arrow(source, layer=name, encoding="UTF-8")
        shape = {"geometry_type": meta["geometry_type"], "geometry_name": meta["geometry_name"] or "wkb_geometry"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what has no coordinate system stays without
            pyogrio.write_arrow(table, out, layer=name, driver="GPKG", append=out.exists(), crs=meta["crs"], **shape)
    source.unlink()
    return out


def _open_tables(path: Path) -> list[str]:
    """Tables with a geometry that begins and ends as SpatiaLite's do."""
    with closing(_connect(path)) as db:
        listed = db.execute("SELECT f_table_name, f_geometry_column FROM geometry_columns LIMIT 1000").fetchall()
        return [table for table, column in listed if _spatialite(db, table, column)]


def _spatialite(db: sqlite3.Connection, table: str, column: str) -> bool:
    quoted = [json.dumps(name, ensure_ascii=False) for name in (column, table) if '"' not in name and "\\" not in name]
    if len(quoted) < 2:
        return False
    rows = db.execute(f"SELECT {quoted[0]} FROM {quoted[1]} WHERE {quoted[0]} IS NOT NULL LIMIT 20").fetchall()
    blobs = [b for (b,) in rows if isinstance(b, bytes)]
    return bool(blobs) and all(len(b) > 44 and b[0] == 0 and b[38] == 0x7C and b[-1] == 0xFE for b in blobs)


def _has_table(path: Path, name: str) -> bool:
    with suppress(sqlite3.Error, UnicodeDecodeError), closing(_connect(path)) as db:
        return db.execute("SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE", [name]).fetchone() is not None
    return False


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True)


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
