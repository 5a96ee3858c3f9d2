"""What an uploaded file is to be called: by the name it was sent with, by what was said of it, by its first bytes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from rivergis.errors import InputError
from rivergis.intake import sources

_ENDINGS = {
    "application/gpx+xml": ".gpx",
    "application/gpx": ".gpx",
    "text/csv": ".csv",
    "application/geo+json": ".geojson",
    "application/json": ".json",
    "application/vnd.google-earth.kml+xml": ".kml",
    "application/vnd.google-earth.kmz": ".kmz",
    "application/vnd.ant.fit": ".fit",
    "application/fit": ".fit",
    "application/zip": ".zip",
}
_LONGEST = 120


def name_of(name: str | None, content_type: str, content: bytes) -> str:
    """A safe file name with the ending of its format; ``InputError`` where nothing tells what the file is."""
    base = PurePosixPath((name or "").replace("\\", "/")).name
    base = re.sub(r"[^\w.()\- ]+", "_", base)[-_LONGEST:].lstrip(". ")
    ending = PurePosixPath(base).suffix.lower()
    if ending in sources.TRACK | {".zip"}:
        return base[: -len(ending)] + ending if base != ending else f"track{ending}"
    found = _ENDINGS.get(content_type.partition(";")[0].strip().lower()) or _by_content(content[:4096])
    if found is None:
        raise InputError(
            "Nothing tells what kind of file this is: send it with a file name that ends in .gpx, .csv, .geojson, .kml, .fit or .zip."
        )
    return (base or "track") + found


def _by_content(head: bytes) -> str | None:
    if head[8:12] == b".FIT":
        return ".fit"
    if head[:4] == b"PK\x03\x04":
        return ".zip"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, ending in ((b"<gpx", ".gpx"), (b"<kml", ".kml"), (b"<TrainingCenterDatabase", ".tcx")):
        if mark in head:
            return ending
    if start[:1] in (b"{", b"["):
        return ".geojson"
    return ".csv" if b"," in start.split(b"\n", 1)[0] else None
