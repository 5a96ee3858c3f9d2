"""What kind of file is this? One list of formats, known by how they begin and by their endings."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import stat
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rivergis.errors import EnvironmentFault, InputError

MAX_UNPACKED_BYTES = 4 << 30
MAX_MEMBERS = 10_000


@dataclass(frozen=True)
class Format:
    """A kind of file: the endings it goes by, how its content begins, and who reads it."""

    name: str
    endings: tuple[str, ...]
    kinds: tuple[str, ...]  # vector track raster
    begins: tuple[bytes, ...] = ()
    """Signatures at the first byte; none: text, where nothing is certain."""
    drivers: tuple[str, ...] = ()
    """GDAL drivers that may answer: another one would open what the file points at, not the file."""


_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
FORMATS = (
    Format("GeoPackage", (".gpkg",), ("vector",), (b"SQLite format 3\0",), ("GPKG",)),
    Format("Shapefile", (".shp",), ("vector",), (b"\0\0\x27\x0a",), ("ESRI Shapefile",)),
    Format("GeoJSON", (".geojson", ".json"), ("vector", "track"), (), ("GeoJSON",)),
    Format("FlatGeobuf", (".fgb",), ("vector",), (b"fgb\x03",), ("FlatGeobuf",)),
    Format("KML", (".kml",), ("vector",), (), ("LIBKML", "KML")),
    Format("GML", (".gml",), ("vector",), (), ("GML",)),
    Format("MapInfo", (".tab",), ("vector",), (), ("MapInfo File",)),
    Format("DXF", (".dxf",), ("vector",), (), ("DXF",)),
    Format("table", (".csv",), ("vector", "track"), (), ("CSV",)),
    Format("Excel table", (".xlsx",), ("vector",), _ZIP, ("XLSX",)),
    Format("KMZ", (".kmz",), ("vector",), _ZIP, ("LIBKML",)),
    Format("FileGDB", (".gdb",), ("vector",), (), ("OpenFileGDB",)),
    Format("ZIP archive", (".zip",), ("vector",), _ZIP),
    Format("GPX", (".gpx",), ("track",)),
    Format("GeoTIFF", (".tif", ".tiff"), ("raster",), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("ERDAS image", (".img",), ("raster",), (b"EHFA_HEADER_TAG",)),
    Format("ASCII grid", (".asc",), ("raster",)),
    Format("SRTM height", (".hgt",), ("raster",)),
)


def endings(kind: str) -> set[str]:
    return {e for f in FORMATS if kind in f.kinds for e in f.endings}


VECTOR, TRACK, RASTER = endings("vector"), endings("track"), endings("raster")


def format_of(name: str) -> Format | None:
    """The format that goes by a file name's ending."""
    ending = PurePosixPath(name).suffix.lower()
    return next((f for f in FORMATS if ending in f.endings), None)


def check(path: Path, kinds: set[str], what: str) -> Path:
    """The path if it is a readable, non-empty file of one of these endings, and begins as its ending says.

    Otherwise ``InputError`` with what to do. Pipes and devices are refused: reading them may never end.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _folder(path, kinds)
        _ending(path, kinds, what)
        if not stat.S_ISREG(mode):
            raise InputError(f"{path.name} is a pipe or device, not a file.", file=str(path))
        with path.open("rb") as handle:
            head = handle.read(1 << 20)
    except (FileNotFoundError, ValueError) as error:
        raise InputError(f"There is no file {path}: check the name.", file=str(path)) from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read by this user: change its permissions.", file=str(path)) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check the name and the disk.", file=str(path)
        ) from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes): ask for it again.", file=str(path))
    _begins(path, head)
    return path


def _folder(path: Path, kinds: set[str]) -> Path:
    if path.suffix.lower() != ".gdb" or ".gdb" not in kinds:
        raise InputError(f"{path} is a folder; name a file in it.", file=str(path))
    return path


def _ending(path: Path, kinds: set[str], what: str) -> None:
    if path.suffix.lower() not in kinds:
        raise InputError(
            f"{path.name} is not a {what} that can be read; known endings: {' '.join(sorted(kinds))}.", file=str(path)
        )


def _begins(path: Path, head: bytes) -> None:
    """Content against ending: a file that is something else is named for what it is."""
    form = format_of(path.name)
    if form is not None and form.begins and not head.startswith(form.begins):
        other = next((f.name for f in FORMATS if f.begins and head.startswith(f.begins)), None)
        is_ = f"; it begins like a {other}" if other else ""
        raise InputError(
            f"{path.name} cannot be opened as a {form.name}: it does not begin like one{is_}. It is damaged or of another kind; ask for it again.",
            file=str(path),
        )
    if path.suffix.lower() in {".kml", ".gml", ".gpx"} and re.search(rb"<!(DOCTYPE|ENTITY)", head, re.IGNORECASE):
        raise InputError(
            f"{path.name} declares XML entities, which no {form.name if form else 'such file'} needs: it is refused.",
            file=str(path),
        )


def members(path: Path) -> list[str]:
    """Names in a ZIP archive; ``InputError`` if it is damaged or claims to unpack to more than ``MAX_UNPACKED_BYTES``."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{path.name} cannot be opened as a ZIP archive: it is damaged or not whole; ask for it again.",
            file=str(path),
        ) from error
    if len(entries) > MAX_MEMBERS or sum(e.file_size for e in entries) > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{path.name} unpacks to more than {MAX_UNPACKED_BYTES >> 30} GB or {MAX_MEMBERS} files: unpack what you need of it.",
            file=str(path),
        )
    if any(e.flag_bits & 1 for e in entries):
        raise InputError(f"{path.name} is protected by a password: unpack it first.", file=str(path))
    return [e.filename for e in entries if not e.filename.startswith("__MACOSX/")]


def sha256(path: Path) -> str:
    """Content hash of a file, or of all files of a folder (FileGDB) and of a Shapefile's parts."""
    digest = hashlib.sha256()
    try:
        for part in _parts(path):
            with part.open("rb") as handle:
                while block := handle.read(1 << 20):
                    digest.update(block)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the disk.", file=str(path)) from error
    return digest.hexdigest()


def _parts(path: Path) -> list[Path]:
    if path.is_dir():
        # lock files come and go while others only look at a FileGDB
        return sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".lock")
    if path.suffix.lower() == ".shp":
        wanted = {".shp", ".shx", ".dbf", ".prj", ".cpg"}
        return sorted(p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in wanted)
    return [path]


def keep(path: Path, target: Path, sha256: str | None = None) -> None:
    """Copy a file into the store by way of a temporary name, so that a broken copy is never taken for the file.

    ``sha256``: what the copy must hash to; ``InputError`` if the file changed since it was read.
    """
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        if sha256 is not None and _hash_of(part) != sha256:
            raise InputError(f"{path.name} changed while it was read: import it again.", file=str(path))
        part.replace(target)
    except OSError as error:
        raise EnvironmentFault(
            f"{path.name} cannot be kept in {target.parent} ({error.strerror}): free some space or check the folder's owner."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _hash_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
