"""What kind of file is this? One list of formats; content tells first, the ending only where content leaves it open."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import sqlite3
import stat
import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rivergis.errors import EnvironmentFault, InputError
from rivergis.intake import archive
from rivergis.intake.formats import (
    BEGINNINGS,
    BESIDE,
    FORMATS,
    JUNK,
    OLE,
    ORPHANS,
    SIDE,
    SQLITE,
    ZIP,
    Format,
    endings,
    format_of,
    named,
)  # fmt: skip
from rivergis.intake.limits import DEFAULT, Limits

_HEAD_BYTES = 1 << 20
VECTOR, TRACK, RASTER = endings("vector"), endings("track"), endings("raster")


# ---- recognising ----------------------------------------------------------------------------------------------------


def recognise(path: Path, limits: Limits = DEFAULT) -> Format:
    """The format of a file by its content, then by its ending; a FileGDB is a folder.

    ``InputError`` if there is no such file, it is empty, a pipe or device, larger than the limits, declares XML entities,
    or is of no kind that is known. Reads at most its first megabyte (of an archive, its list of contents).
    """
    if _mode(path) == "folder":
        if path.suffix.lower() == ".gdb" or any(path.glob("a0000000*.gdbtable")):
            return named("FileGDB")
        raise InputError(f"{path} is a folder; name a file in it.", file=str(path))
    if path.suffix.lower() in ORPHANS:
        raise _orphan(path)
    head = _head(path)
    form = by_content(head, path, limits) or format_of(path.name)
    if form is None and path.suffix.lower() in BESIDE:
        raise InputError(
            f"{path.name} is a text or style beside data and holds no features: name the data file.", file=str(path)
        )
    if form is None and path.suffix.lower() in SIDE:
        raise _orphan(path)
    if form is None or (form.begins and not head.startswith(form.begins)):
        raise _unknown(path, form)
    if form.root and form.name != "HTML page":
        check_xml(path, head, form.name)
    size = path.stat().st_size
    if size > (limits.text_bytes if form.is_text and form.name != "ASCII grid" else limits.file_bytes):
        raise InputError(
            f"{path.name} is larger ({size >> 20} MB) than is read of a {form.name}: ask for it in parts.",
            file=str(path),
        )
    return form


def _orphan(path: Path) -> InputError:
    owners = ORPHANS.get(path.suffix.lower(), (".shp", ".tab", ".mif", ".tif", ".gml", ".gpkg"))
    found = {n.suffix.lower(): n for n in path.parent.iterdir() if n.stem == path.stem}
    near = next((found[o] for o in owners if o in found), None)
    said = f"name {near.name} instead" if near else f"the {owners[0]} it belongs to is missing; ask for it"
    return InputError(f"{path.name} is only a part of a data set and holds no features: {said}.", file=str(path))


def _unknown(path: Path, form: Format | None) -> InputError:
    if form is None:
        return InputError(
            f"{path.name} is of no kind that can be read: neither its content nor its ending is known; ask for a GeoPackage or Shapefile.",
            file=str(path),
        )
    return InputError(
        f"{path.name} cannot be opened as a {form.name}: it does not begin like one. It is damaged or of another kind; ask for it again.",
        file=str(path),
    )


def by_content(head: bytes, path: Path | None = None, limits: Limits = DEFAULT) -> Format | None:
    """The format content speaks for; None where it leaves it open. ``path``: to look deeper into archives and databases."""
    ending = path.suffix.lower() if path else ""
    alike = [f for f in FORMATS if f.begins and head.startswith(f.begins)]
    if alike and alike[0].begins is ZIP:
        return _in_zip(path, limits) if path else named("ZIP archive")
    if alike and alike[0].begins is SQLITE:
        return _in_sqlite(path) if path else named("SQLite")
    if alike and alike[0].begins is OLE:
        return named(
            "Excel 97 table"
            if "Workbook".encode("utf-16-le") in head or ending in (".xls", ".et")
            else "Word 97 document"
        )
    if alike:
        return alike[0]
    return _binary(head) or _as_text(_plain(head), ending)


def _binary(head: bytes) -> Format | None:
    if head[8:12] == b".FIT":
        return named("FIT")
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return named("HEIC photo")
    if b"OSMHeader" in head[:64]:
        return named("OpenStreetMap PBF")
    return None


def _in_zip(path: Path, limits: Limits) -> Format:
    names = {m.name.lower() for m in archive.members(path, limits)}
    if "[content_types].xml" in names:
        for folder, name in (("xl/", "Excel table"), ("word/", "Word document")):
            if any(n.startswith(folder) for n in names):
                return named(name)
    if "content.xml" in names and "meta-inf/manifest.xml" in names:
        return named("OpenDocument table")
    kml = any(n.endswith((".kml", ".ovkml")) for n in names)
    others = any((f := format_of(n)) and "vector" in f.kinds and f.name not in ("KML", "table") for n in names)
    if kml and not others and (path.suffix.lower() in (".kmz", ".ovkmz") or "doc.kml" in names):
        return named("KMZ")
    return named("ZIP archive")


def _in_sqlite(path: Path) -> Format | None:
    """GeoPackage, SuperMap's UDBX or another SQLite database, by its tables."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            base.text_factory = bytes
            rows = base.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
            tables = {bytes(n).decode("utf-8", "replace").lower() for (n,) in rows}
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{path.name} cannot be opened as a GeoPackage or SQLite database ({str(error)[:100]}): it is damaged; ask for it again.",
            file=str(path),
        ) from error
    if "smregister" in tables or "smdatasourceinfo" in tables:
        return named("SuperMap UDBX")
    return named("GeoPackage" if "gpkg_contents" in tables else "SQLite")


def _plain(head: bytes) -> str:
    """The beginning of a file as far as it is text: ASCII is readable in whatever encoding it is, UTF-16 apart."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    if head[1:4:2] == b"\0\0" or head[0:3:2] == b"\0\0":
        return head[: len(head) // 2 * 2].decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", "replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _as_text(text: str, ending: str) -> Format | None:
    start = text.lstrip("\x1e\ufeff \t\r\n")
    if start.startswith("<"):
        return _as_xml(start)
    if start[:1] in "{[" and start:
        return _as_json(start, text.startswith("\x1e"), ending)
    for pattern, name in BEGINNINGS:
        if re.match(pattern, start, re.IGNORECASE):
            return named(name)
    return None


def _as_xml(start: str) -> Format | None:
    found = _ROOT.match(_PROLOG.sub("", start, count=1))
    root = found.group(2).lower() if found else ""
    if root == "table":
        return named("HTML page")
    if root == "featurecollection" and "opengis.net/gml" not in start and "opengis.net/wfs" not in start:
        return None
    form = next((f for f in FORMATS if root and root in f.root), None)
    return form or (
        named("HTML page") if re.match(r"<!doctype\s+html|<html|<head|<meta|<body", start, re.IGNORECASE) else None
    )


def _as_json(start: str, sequence: bool, ending: str) -> Format | None:
    if sequence or (ending in named("GeoJSON text sequence").endings and start[0] == "{"):
        return named("GeoJSON text sequence")
    first, _, rest = start.partition("\n")
    if re.search(r'"type"\s*:\s*"Topology"', start):
        return named("TopoJSON")
    if re.search(r'"geometryType"\s*:\s*"esri', start):
        return named("Esri JSON")
    whole = first[0] == "{" and first.rstrip().endswith("}") and rest.lstrip().startswith("{")
    if whole and re.search(r'"type"\s*:\s*"Feature"\s*[,}]', first):
        return named("GeoJSON text sequence")
    return named("GeoJSON") if re.search(r'"(type|features|coordinates|geometry)"\s*:', start) else None


# ---- safety ---------------------------------------------------------------------------------------------------------

_PROLOG = re.compile(r"(?:\s+|<\?(?:(?!\?>)[\s\S])*\?>|<!--(?:(?!-->)[\s\S])*-->)*")
_ROOT = re.compile(r"<(?:([\w.-]+):)?([\w.-]+)")


def check_xml(path: Path, head: bytes, what: str) -> None:
    """``InputError`` if an XML file declares entities or a document type, in whatever encoding, or hides its root.

    Both can only stand before the root element; what follows (HTML in a description) may say what it likes.
    """
    text = _plain(head).lstrip("\ufeff")
    rest = text[_PROLOG.match(text).end() :]  # type: ignore[union-attr]  # it matches the empty text
    if re.match(r"<!(DOCTYPE|ENTITY)", rest, re.IGNORECASE):
        raise InputError(f"{path.name} declares XML entities, which no {what} needs: it is refused.", file=str(path))
    if not _ROOT.match(rest):
        raise InputError(
            f"{path.name} does not begin as a {what} within its first megabyte: it is damaged or hostile.",
            file=str(path),
        )


# a text in JSON; one that does not close goes to the end, so that nothing is looked through twice
_TEXTS = re.compile(rb'"(?:[^"\\]|\\[\s\S])*(?:"|\\?\Z)')


def check_depth(path: Path, raw: bytes, limits: Limits = DEFAULT) -> None:
    """``InputError`` if JSON is nested deeper than ``limits.json_depth``; brackets in texts do not count."""
    if _depth(raw) > limits.json_depth and _depth(_TEXTS.sub(b"", raw)) > limits.json_depth:
        raise InputError(
            f"{path.name} nests its values more than {limits.json_depth} deep, which no map data does: it is refused.",
            file=str(path),
        )


def _depth(raw: bytes) -> int:
    """The deepest nesting of brackets, those in texts included."""
    depth = deepest = 0
    for start in range(0, len(raw), 1 << 24):
        marks = np.frombuffer(raw[start : start + (1 << 24)].translate(None, _NO_BRACKETS), np.uint8)
        steps = np.where((marks == 0x5B) | (marks == 0x7B), 1, -1).cumsum() + depth
        if len(steps):
            depth, deepest = int(steps[-1]), max(deepest, int(steps.max()))
    return deepest


_NO_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")


def check(path: Path, kinds: set[str], what: str) -> Path:
    """The path if it is a readable, non-empty file of one of these endings, and begins as its ending says.

    Otherwise ``InputError`` with what to do. Pipes and devices are refused: reading them may never end.
    """
    if _mode(path) == "folder":
        if path.suffix.lower() != ".gdb" or ".gdb" not in kinds:
            raise InputError(f"{path} is a folder; name a file in it.", file=str(path))
        return path
    if path.suffix.lower() not in kinds:
        raise InputError(
            f"{path.name} is not a {what} that can be read; known endings: {' '.join(sorted(kinds))}.", file=str(path)
        )
    head = _head(path)
    form = format_of(path.name)
    if form is not None and form.begins and not head.startswith(form.begins):
        other = next((f.name for f in FORMATS if f.begins and head.startswith(f.begins)), None)
        is_ = f"; it begins like a {other}" if other else ""
        raise InputError(
            f"{path.name} cannot be opened as a {form.name}: it does not begin like one{is_}. It is damaged or of another kind; ask for it again.",
            file=str(path),
        )
    if form is not None and form.root and _plain(head).lstrip("\ufeff \r\n\t").startswith("<"):
        check_xml(path, head, form.name)
    return path


def _mode(path: Path) -> str:
    """file or folder; ``InputError`` for what is not there, may not be looked at, or is neither."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise InputError(f"There is no file {path}: check the name.", file=str(path)) from error
    except OSError as error:
        raise _no_access(path, error) from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(f"{path.name} is a pipe or device, not a file.", file=str(path))
    return "file" if stat.S_ISREG(mode) else "folder"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD_BYTES)
    except OSError as error:
        raise _no_access(path, error) from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes): ask for it again.", file=str(path))
    return head


def _no_access(path: Path, error: OSError) -> InputError:
    if isinstance(error, PermissionError):
        return InputError(f"{path} may not be read by this user: change its permissions.", file=str(path))
    return InputError(f"{path} cannot be read ({error.strerror}): check the name and the disk.", file=str(path))


# ---- folders --------------------------------------------------------------------------------------------------------


def expand(paths: Iterable[Path]) -> list[Path]:
    """The files a delivery consists of: folders are walked in order, parts of one data set count once.

    A Shapefile is its .shp, a FileGDB its folder; a .dbf without a .shp is a table; an orphaned .shx or .prj stays in the
    list, so that ``recognise`` says of what it is a part. Links to folders are not followed.
    """
    found: dict[Path, None] = {}
    for path in paths:
        walk = _is_folder(path) and not path.is_symlink() and path.suffix.lower() != ".gdb"
        for file in _walk(path) if walk and not any(path.glob("a0000000*.gdbtable")) else [path]:
            found[file] = None
    return list(found)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder; what cannot even be looked at (a name too long) is none, and is said when it is read."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _walk(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise _no_access(folder, error) from error
    there = {p.name.lower() for p in entries}
    files: list[Path] = []
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            files += expand([entry])
        elif not entry.is_dir() and not _is_part(entry, there):
            files.append(entry)
    return files


def _is_part(path: Path, there: set[str]) -> bool:
    """Whether a file is only a part of another one in its folder, or no delivery at all."""
    name, ending = path.name.lower(), path.suffix.lower()
    if name in JUNK or name.startswith(("._", "~$")) or name.endswith((".aux.xml", ".shp.xml", ".shp.ovr")):
        return True
    stem = name[: len(name) - len(ending)]
    if ending == ".dbf" or ending in ORPHANS:
        owners = ORPHANS.get(ending, (".shp",))
        return any(stem + e in there for e in owners)
    if ending == ".dat":
        return stem + ".tab" in there
    return ending in SIDE


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
