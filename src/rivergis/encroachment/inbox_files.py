"""The folder of a feed as it lies there: what is whole, what is still being written; nothing in it is changed, moved or deleted."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from rivergis.encroachment.feeds import day_in_name
from rivergis.errors import InputError
from rivergis.intake import formats, shapefile, sources
from rivergis.intake.limits import DEFAULT, Limits

SHANGHAI = ZoneInfo("Asia/Shanghai")
# how programs that copy or fetch call a file until it is whole
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".swp", ".writing")
_PICTURES = formats.endings("photo")
_EVENTS = (".json", ".jsonl", ".ndjson")
_DRAWINGS = ("FeatureCollection", "Feature", "Topology")
_DEEPEST_LIST = 4
EMBEDDED = "embedded:"
EMBEDDED_NAME = re.compile(r"embedded:([0-9a-f]{64}\.(?:jpg|png))")
_SHORTEST_PICTURE = 400
_BEGINS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}


@dataclass(frozen=True)
class Lying:
    """A file of an inbox, all parts of a Shapefile or FileGDB as one."""

    path: Path
    name: str
    """Path inside the folder."""
    stamp: str
    size_bytes: int
    written_at: datetime
    """When anything of it was last written, by the clock of this machine."""
    modified_at: datetime
    """When its content was last changed, as its sender says."""

    @property
    def unfinished(self) -> bool:
        """Whether its name says that it is still being written."""
        return self.path.suffix.lower() in _UNFINISHED

    @property
    def is_image(self) -> bool:
        return self.path.suffix.lower() in sources.RASTER

    def day(self, pattern: str | None) -> date | None:
        """The civil day that its name says, else that of the nearest folder it lies in; a pattern with a slash is that of the whole path."""
        path = PurePosixPath(self.name)
        if pattern is not None:
            return day_in_name(self.name if "/" in pattern else path.name, pattern)
        return next((d for part in reversed(path.parts) if (d := day_in_name(part, None))), None)


def lying(folder: Path) -> list[Lying]:
    """What lies in a folder and below it, by name. Pictures beside a table belong to it and are not told.

    Raises ``InputError`` where the folder is not there or may not be read: a share that is not mounted is no empty feed.
    """
    if not folder.is_dir():
        raise InputError(
            f"The folder {folder} is not there: mount or create it, or name another with 'rivergis feed change'.",
            file=str(folder),
        )
    found = []
    for path in sources.expand([folder]):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith((".", "~$")) for part in name.split("/")) or path.suffix.lower() in _PICTURES:
            continue
        try:
            found.append(look(path, name))
        except FileNotFoundError:
            continue  # gone between the two looks
    return sorted(found, key=lambda f: f.name)


def look(path: Path, name: str) -> Lying:
    """A file as it lies there now; ``FileNotFoundError`` if it does not any more."""
    said, size, written, modified = [], 0, 0.0, 0.0
    for part in _parts(path):
        at = part.stat()
        said.append(f"{part.name}|{at.st_size}|{at.st_mtime_ns}|{at.st_ctime_ns}")
        size += at.st_size
        # a copy that keeps the times of its sender is written now all the same
        written, modified = max(written, at.st_ctime), max(modified, at.st_mtime)
    stamp = hashlib.sha256("\n".join(said).encode(errors="surrogateescape")).hexdigest()
    return Lying(path, name, stamp, size, datetime.fromtimestamp(written, UTC), datetime.fromtimestamp(modified, UTC))


def picture_beside(folder: Path, file_name: str, said: str, limits: Limits = DEFAULT) -> Path | None:
    """The picture that an event of a file names, beside that file or anywhere below by its path; None where there is none.

    An address on a network is none: nothing is fetched. Nor is what lies outside the folder or is no picture by its content.
    """
    inside = folder.resolve()
    name = said.replace("\\", "/")
    if "://" in name or "\0" in name:
        return None
    for place in (folder / PurePosixPath(file_name).parent / name, folder / name):
        try:
            found = place.resolve()
            if found.is_relative_to(inside) and found.is_file() and "photo" in sources.recognise(found, limits).kinds:
                return found
        except (InputError, OSError, ValueError):
            continue
    return None


def _parts(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".lock")
    return sorted(shapefile.parts(path).values()) if path.suffix.lower() == ".shp" else [path]


# ---- events in JSON ---------------------------------------------------------------------------------------------------


def events(path: Path, limits: Limits = DEFAULT) -> list[dict[str, Any]] | None:
    """The events of a JSON file, each with its fields and those of the objects in it; None where it is no list of events.

    A list of objects, one object a line, the list inside an answer of a service (``{"data": {"list": [...]}}``), or one
    event alone. A drawing (GeoJSON) is None: it has its own reader. Raises ``InputError`` where it is no sound JSON.
    """
    if path.suffix.lower() not in _EVENTS:
        return None
    whole = _read_json(path, limits)
    if isinstance(whole, dict):
        if whole.get("type") in _DRAWINGS:
            return None
        whole = next(_lists(whole, _DEEPEST_LIST), [whole])
    if not isinstance(whole, list) or not all(isinstance(e, dict) and e.get("type") not in _DRAWINGS for e in whole):
        return None
    return [_flat(e) for e in whole]


def write_table(rows: list[dict[str, Any]], path: Path) -> None:
    """Events as a table, so that they are read like any other delivery."""
    columns = list(dict.fromkeys(c for row in rows for c in row))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(rows)


def pictures_out(rows: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Take pictures that stand inside events as text (base64) out into ``folder``; in their place stands ``embedded:`` and the name.

    The names are content hashes, so that the same alert gives the same.
    """
    out = []
    for row in rows:
        for name, value in row.items():
            found = _picture(value) if isinstance(value, str) and len(value) >= _SHORTEST_PICTURE else None
            if found is None:
                continue
            content, ending = found
            out.append(folder / f"{hashlib.sha256(content).hexdigest()}{ending}")
            out[-1].write_bytes(content)
            row[name] = f"{EMBEDDED}{out[-1].name}"
    return out


def _picture(said: str) -> tuple[bytes, str] | None:
    """The bytes and ending of a picture written as base64, with or without ``data:image/jpeg;base64,``."""
    try:
        content = base64.b64decode(said.rpartition("base64,")[2], validate=True)
    except ValueError:
        return None
    return next(((content, ending) for begin, ending in _BEGINS.items() if content.startswith(begin)), None)


def _read_json(path: Path, limits: Limits) -> Any:
    if path.stat().st_size > limits.text_bytes:
        raise InputError(
            f"{path.name} is larger than {limits.text_bytes >> 20} MB: ask for it in parts.", file=str(path)
        )
    raw = path.read_bytes()
    sources.check_depth(path, raw, limits)
    try:
        said = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = raw.decode("gb18030", "replace")
    try:
        return json.loads(said)
    except ValueError as error:
        lines = [line for line in said.splitlines() if line.strip()]
        try:
            return [json.loads(line) for line in lines] if len(lines) > 1 else json.loads(said)
        except ValueError:
            raise InputError(
                f"{path.name} is no sound JSON ({error}): it is damaged or cut off; ask for it again.", file=str(path)
            ) from error


def _lists(value: Any, depth: int) -> Iterator[list[dict[str, Any]]]:
    """Lists of objects inside an object, from the outside in."""
    inner = [v for v in value.values() if isinstance(v, (dict, list))] if isinstance(value, dict) else []
    yield from (v for v in inner if isinstance(v, list) and all(isinstance(e, dict) for e in v))
    for v in inner if depth else ():
        yield from _lists(v, depth - 1)


def _flat(event: dict[str, Any]) -> dict[str, Any]:
    """Fields of an event and of the objects in it; numbers of a list stand together, 107.1,30.2 for a position."""
    out: dict[str, Any] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            out |= {n if n not in event else f"{name}.{n}": v for n, v in _flat(value).items()}
        elif isinstance(value, list):
            plain = all(isinstance(v, (int, float, str)) for v in value)
            out[name] = ",".join(map(str, value)) if plain else json.dumps(value, ensure_ascii=False)
        else:
            out[name] = value
    return out
