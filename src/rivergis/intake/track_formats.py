"""Every track file by one door: what kind it is by its content, the reader for it, and the layers that come out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from rivergis.errors import InputError
from rivergis.intake import (
    archive,
    sources,
    tables,
    track_document,
    track_fit,
    track_json,
    track_plain,
    track_text,
    track_xml,
)
from rivergis.intake import text as encodings
from rivergis.intake.delivery import Asked, Delivered, Reading
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.track_course import Found, reading_of
from rivergis.intake.track_table import courses_of, from_table

__all__ = ["find_courses", "from_table", "is_track", "read_tracks"]

_HEAD_BYTES = 1 << 16
_XML = {"GPX", "KML", "KMZ", "TCX"}
_TABLES = {"table", "Excel table", "Excel 97 table", "OpenDocument table"}
_PLAIN = {".csv", ".txt"}
_TEXT = {"NMEA": track_text.read_nmea, "IGC": track_text.read_igc, "GeoJSON": track_json.read_json}
# what loggers write before their first sentence leaves the content open
_SENTENCES = re.compile(rb"^\$G[PNLAB](RMC|GGA|GLL|GNS),", re.MULTILINE)


def read_tracks(path: Path, asked: Asked, limits: Limits) -> Reading:
    """The tracks of a GPX, KML, KMZ, TCX, FIT, NMEA, IGC, GeoJSON, JSON, CSV, text or Excel file as layers of kind track.

    One point (longitude, latitude as written; no datum is changed) for each fix, times in UTC in the frame, the verdict
    on them in ``facts``; waypoints, routes and placemarks as vector layers. ``InputError`` when there is nothing in it.
    """
    if format_name(path, limits) in _TABLES:
        read = tables.read_table(path, asked, limits)
        return replace(read, layers=[from_table(_whole(path, layer, asked)) or layer for layer in read.layers])
    return reading_of(find_courses(path, asked, limits), datetime.now(UTC))


def find_courses(path: Path, asked: Asked, limits: Limits) -> Found:
    """The tracks of a file as they are written, before places and times are judged; ``InputError`` as ``read_tracks``."""
    form, raw = _content(path, limits)
    if form in _TABLES:
        return _table(path, asked, limits)
    if form == "FIT":
        return track_fit.read_fit(path, raw)
    if form in _XML:
        return track_xml.read_xml(path, raw, asked)
    if form not in _TEXT:
        raise InputError(f"{path.name} is a {form}, which holds no track.", file=str(path))
    found = encodings.find_encoding(raw, asked=asked.encoding)
    read = _TEXT[form](path, found.read(raw).lstrip("\ufeff"))
    read.defects[:0] = found.defects
    read.encoding, read.encoding_basis = found.encoding, found.basis
    return read


def _table(path: Path, asked: Asked, limits: Limits) -> Found:
    """Every table of points of a file as a track, whether it looks like one or not."""
    if asked == Asked() and path.suffix.lower() in _PLAIN and (course := track_plain.plain_log(path, _bytes(path))):
        return Found("delimited text", [course])
    read = tables.read_table(path, asked, limits)
    courses = courses_of([_whole(path, layer, asked) for layer in read.layers])
    if not courses:
        columns = ", ".join(str(c) for d in read.layers if d.frame is not None for c in d.frame.columns)
        raise InputError(
            f"{path.name} has no columns of longitude and latitude; it has {columns[:300]}.", file=str(path)
        )
    return Found(read.format, courses, defects=list(read.defects))


def _whole(path: Path, layer: Delivered, asked: Asked) -> Delivered:
    """A table with all of its rows: of a large one its reader keeps a sample, in which no order of times can be judged."""
    if not layer.sampled:
        return layer
    pieces = list(tables.stream_table(path, layer.name, asked, layer.encoding))
    frame = pd.concat([p.frame for p in pieces if p.frame is not None])
    shapes = [p.shapes for p in pieces if p.shapes is not None]
    return replace(layer, frame=frame, shapes=np.concatenate(shapes) if shapes else None, bounds=None)


def is_track(path: Path, limits: Limits = DEFAULT) -> bool:
    """Whether a file that could be many things (KML, KMZ, GeoJSON, JSON) is a recording with times; False if unreadable."""
    try:
        form, raw = _content(path, limits)
        if form in ("KML", "KMZ"):
            return b"when" in raw.replace(b"\0", b"") and bool(track_xml.read_xml(path, raw, Asked()).courses)
        if form == "GeoJSON":
            return track_json.is_timed(json.loads(encodings.find_encoding(raw).read(raw)))
    except (InputError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False
    return form in _XML or form in _TEXT or form == "FIT"


def _content(path: Path, limits: Limits) -> tuple[str, bytes]:
    """The name of the format in ``sources.FORMATS`` and the bytes to read, of a KMZ those of its document."""
    form = format_name(path, limits)
    if form == "KMZ":
        return form, _document(path, limits)
    if form not in _XML and form not in _TEXT and form != "FIT":
        return form, b""
    raw = _bytes(path)
    raw = raw if form == "FIT" else track_document.unpadded(raw)
    if form == "GeoJSON":
        sources.check_depth(path, raw, limits)
    return form, raw


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the disk.", file=str(path)) from error


def format_name(path: Path, limits: Limits) -> str:
    """The name of a file's format; a text that holds sentences of a receiver is NMEA whatever stands above them."""
    form = sources.recognise(path, limits).name
    if form != "table":
        return form
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    return "NMEA" if b"$G" in head and _SENTENCES.search(head) else form


def _document(path: Path, limits: Limits) -> bytes:
    """The KML of a KMZ: doc.kml, or the first there is."""
    inside = [m for m in archive.members(path, limits) if m.base.lower().endswith((".kml", ".ovkml"))]
    if not inside:
        raise InputError(f"{path.name} holds no KML: export it again.", file=str(path))
    chosen = min(inside, key=lambda m: m.base.lower() != "doc.kml")
    return archive.read(path, chosen, limits.text_bytes)
