"""What kind of file is this? Recognised by content and extension; each kind has one reader of the same shape."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from rivergis.errors import EnvironmentFault, InputError

VECTOR = {
    ".gpkg",
    ".shp",
    ".zip",
    ".geojson",
    ".json",
    ".fgb",
    ".kml",
    ".kmz",
    ".gml",
    ".gdb",
    ".csv",
    ".parquet",
    ".tab",
    ".dxf",
}
TRACK = {".gpx", ".csv", ".geojson", ".json"}
RASTER = {".tif", ".tiff", ".img", ".asc", ".hgt"}


def check(path: Path, kinds: set[str], what: str) -> Path:
    """The path if it is a readable, non-empty file of one of these kinds; else ``InputError`` with what to do."""
    if not path.exists():
        raise InputError(f"There is no file {path}: check the name.", file=str(path))
    if path.suffix.lower() not in kinds:
        raise InputError(
            f"{path.name} is not a {what} that can be read; known endings: {' '.join(sorted(kinds))}.", file=str(path)
        )
    if path.is_dir():
        if path.suffix.lower() != ".gdb":
            raise InputError(f"{path} is a folder; name a file in it.", file=str(path))
        return path
    try:
        with path.open("rb") as handle:
            if not handle.read(1):
                raise InputError(f"{path.name} is empty (0 bytes): ask for it again.", file=str(path))
    except PermissionError as error:
        raise InputError(f"{path} may not be read by this user: change its permissions.", file=str(path)) from error
    return path


def sha256(path: Path) -> str:
    """Content hash of a file, or of all files of a folder (FileGDB) and of a Shapefile's parts."""
    digest = hashlib.sha256()
    for part in _parts(path):
        with part.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _parts(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file())
    if path.suffix.lower() == ".shp":
        return sorted(
            p
            for p in path.parent.glob(path.stem + ".*")
            if p.suffix.lower() in {".shp", ".shx", ".dbf", ".prj", ".cpg"}
        )
    return [path]


def keep(path: Path, target: Path) -> None:
    """Copy a file into the store by way of a temporary name, so that a broken copy is never taken for the file."""
    part = target.with_suffix(target.suffix + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"{path.name} cannot be kept in {target.parent} ({error.strerror}): free some space or check the folder's owner."
        ) from error
