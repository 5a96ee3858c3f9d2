"""Every track file by one door: what kind it is by its content, the reader for it, and the layers that come out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from rivergis.errors import InputError
from rivergis.intake import text as encodings
from rivergis.intake import track_fit, track_json, track_text, track_xml
from rivergis.intake.delivery import Asked, Reading
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.track_course import Found, reading_of

_HEAD = 1 << 16


def read_tracks(path: Path, asked: Asked, limits: Limits) -> Reading:
    """The tracks of a GPX, KML, TCX, FIT, NMEA, IGC, GeoJSON, JSON, CSV, text or Excel file as layers of kind track.

    One point (longitude, latitude as written; no datum is changed) for each fix, times in UTC in the frame, the verdict
    on them in ``facts``; waypoints, routes and placemarks as vector layers. ``InputError`` when there is nothing in it.
    """
    return reading_of(find_courses(path, asked, limits), datetime.now(UTC))


def find_courses(path: Path, asked: Asked, limits: Limits) -> Found:
    """The tracks of a file as they are written, before places and times are judged; ``InputError`` as ``read_tracks``."""
    raw = _bytes(path, limits)
    kind = kind_of(path, raw[:_HEAD])
    if kind == "fit":
        return track_fit.read_fit(path, raw)
    if kind in ("gpx", "kml", "tcx"):
        return track_xml.read_xml(path, raw, asked)
    found = encodings.find_encoding(raw, asked=asked.encoding)
    reader = {"nmea": track_text.read_nmea, "igc": track_text.read_igc, "json": track_json.read_json}[kind]
    read = reader(path, found.read(raw).lstrip("\ufeff"))
    read.defects[:0] = found.defects
    read.encoding, read.encoding_basis = found.encoding, found.basis
    return read


def _bytes(path: Path, limits: Limits) -> bytes:
    try:
        size = path.stat().st_size
        if size > limits.text_bytes:
            raise InputError(
                f"{path.name} is larger than {limits.text_bytes >> 20} MB, the limit for a file of this kind: split it.",
                file=str(path),
            )
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): check the name and the disk.", file=str(path)
        ) from error
    if not raw.strip(b"\0 \t\r\n"):
        raise InputError(f"{path.name} is empty ({len(raw)} bytes without content): ask for it again.", file=str(path))
    return raw


def kind_of(path: Path, head: bytes) -> str:
    """fit, gpx, kml, tcx, nmea, igc, json or table, by what the file begins with; its ending only where that is silent."""
    ending = path.suffix.lower().lstrip(".")
    if head[8:12] == b".FIT" or ending == "fit":
        return "fit"
    start = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace").lstrip(
        "\ufeff\0 \t\r\n"
    )
    if ending in ("gpx", "kml", "tcx") or start.startswith("<"):
        return track_xml.kind_of(start) or (ending if ending in ("gpx", "kml", "tcx") else "gpx")
    if ending == "nmea" or "$GP" in start or "$GN" in start:
        return "nmea"
    if ending == "igc" or (start.startswith(("A", "H")) and "HFDTE" in start):
        return "igc"
    return "json" if ending in ("json", "geojson") or start[:1] in ("{", "[") else "table"


def is_track(path: Path, limits: Limits = DEFAULT) -> bool:
    """Whether a file that could be many things (KML, GeoJSON, JSON) is a recording with times. Never raises."""
    try:
        raw = _bytes(path, limits)
        kind = kind_of(path, raw[:_HEAD])
        if kind == "kml":
            return bool(track_xml.read_xml(path, raw, Asked()).courses)
        if kind == "json":
            return track_json.is_timed(json.loads(encodings.find_encoding(raw).read(raw)))
    except (InputError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False
    return kind in ("gpx", "tcx", "fit", "nmea", "igc")
