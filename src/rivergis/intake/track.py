"""Patrol track files, whatever their format, as one table of fixes in WGS 84 degrees and UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError, RivergisError
from rivergis.intake import guard, sources, times, track_formats, track_times
from rivergis.intake.delivery import Asked, Defect
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.track_course import Course, Found, columns_of, frame_of, on_null_island, rows_of

MAX_BYTES = 64 << 20
_BATCH_FILES, _BATCH_BYTES = 64, 8 << 20
COLUMNS = ("at", "lon", "lat", "acc_m", "speed_ms", "received_at", "segment")
PLACE_COLUMNS = ("at", "kind", "text", "lon", "lat")


@dataclass(frozen=True)
class TrackFile:
    """A track as read: ``fixes`` with at (UTC, may be missing), lon, lat (WGS 84), acc_m, speed_ms, received_at, segment.

    ``places``: waypoints and placemarks beside it, with at (UTC, may be missing), kind, text, lon, lat (WGS 84).
    """

    format: str
    sha256: str
    fixes: pd.DataFrame
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    places: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(PLACE_COLUMNS)))


def read_track(path: Path, datum: str = "wgs84", *, max_bytes: int = MAX_BYTES) -> TrackFile:
    """Read a track file given in ``datum`` (wgs84, cgcs2000, gcj02, bd09); ``InputError`` when there is nothing usable in it.

    All tracks of a file follow one another. A time without a zone is UTC in the formats whose standard says so, and
    Asia/Shanghai in tables and JSON; the diagnostics say so.
    """
    limits = replace(DEFAULT, text_bytes=max_bytes)
    return _track(guard.guarded(_read, path, datum, limits, limits=limits, name=path.name))


def read_tracks(
    paths: Iterable[Path], datum: str = "wgs84", *, max_bytes: int = MAX_BYTES
) -> Iterator[TrackFile | RivergisError]:
    """``read_track`` of many files, in their order; what it would raise for a file stands in the place of its track.

    Small files share a guarded process, so that a thousand walks cost little more than their bytes.
    """
    limits = replace(DEFAULT, text_bytes=max_bytes)
    for batch in _batches(paths):
        tasks, names = [(path, datum, limits) for path in batch], [path.name for path in batch]
        for read in guard.guarded_each(_read, tasks, limits=limits, names=names):
            yield read if isinstance(read, RivergisError) else _track(read)


def _batches(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Files that are read in one process: few enough that their tracks are no burden to hold."""
    batch: list[Path] = []
    held = 0
    for path in paths:
        size = _size(path)
        if batch and (len(batch) == _BATCH_FILES or held + size > _BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(path)
        held += size
    if batch:
        yield batch


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # it is said when the file is read
        return 0


@dataclass(frozen=True)
class _Read:
    """What a guarded process sends of a file: arrays, which cost next to nothing to send."""

    format: str
    sha256: str
    columns: dict[str, np.ndarray]
    diagnostics: list[dict[str, Any]]
    places: pd.DataFrame | None


def _track(read: _Read) -> TrackFile:
    track = TrackFile(read.format, read.sha256, frame_of(read.columns), read.diagnostics)
    return track if read.places is None else replace(track, places=read.places)


def _read(path: Path, datum: str, limits: Limits) -> _Read:
    sources.check(path, sources.TRACK, "track file")
    if path.stat().st_size > limits.text_bytes:
        raise InputError(
            f"{path.name} is larger than {limits.text_bytes >> 20} MB, which no patrol track is: split it.",
            file=str(path),
        )
    sha256 = sources.sha256(path)
    found = track_formats.find_courses(path, Asked(), limits)
    read = [columns_of(course) for course in found.courses]
    columns = _joined([columns for columns, _ in read])
    notes = [_note(said.code, said.count, said.message) for said in _alarms(found)]
    for said in track_times.wrong_years(columns["at"], datetime.now(UTC)):
        notes.append(_note(said.code, said.count, f"{said.message} {said.action}"))
    for zone in dict.fromkeys(c.zone for c in found.courses):
        assumed = sum(n for c, (_, n) in zip(found.courses, read, strict=True) if c.zone == zone)
        notes.append(_note("time_zone_assumed", assumed, f"Times that name no zone were taken as {zone}."))
    columns, said_of_places = _on_earth(columns, path, datum)
    notes = [note for note in [*notes, *said_of_places] if note["count"]]
    return _Read(path.suffix.lower().lstrip("."), sha256, columns, notes, _places(found, datum))


def _note(code: str, count: int, sentence: str) -> dict[str, Any]:
    return {"code": code, "count": int(count), "sentence": sentence}


def _places(found: Found, datum: str) -> pd.DataFrame | None:
    """Points beside the tracks (waypoints, placemarks): what was noted on the way, as it is written."""
    rows = [
        row
        for layer in found.others
        if layer.frame is not None and layer.shapes is not None
        for row in zip(layer.frame.to_dict("records"), layer.shapes, strict=True)
        if isinstance(row[1], shapely.Point)
    ]
    if not rows:
        return None
    lon, lat = crs.to_wgs84(np.array([p.x for _, p in rows]), np.array([p.y for _, p in rows]), datum)
    said = [[r.get(k) for k in ("name", "cmt", "desc", "description")] for r, _ in rows]
    return pd.DataFrame(
        {
            "at": times.instants(pd.Series([r.get("time") for r, _ in rows], dtype=object), "UTC")[0],
            "kind": pd.Series([_first([r.get("type"), r.get("sym")]) for r, _ in rows], dtype=object),
            "text": pd.Series(
                [" ".join(dict.fromkeys(str(t) for t in texts if _said(t))) or None for texts in said], dtype=object
            ),
            "lon": lon,
            "lat": lat,
        }
    )


def _said(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _first(values: list[Any]) -> str | None:
    return next((str(v) for v in values if _said(v)), None)


def _joined(read: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Columns of all tracks of a file, their segments counted on."""
    segments = 0
    for columns in read:
        columns["segment"] = columns["segment"] + segments
        segments = int(columns["segment"].max(initial=segments - 1)) + 1
    if not read:
        read = [columns_of(Course("", rows_of({})))[0]]
    return {c: np.concatenate([columns[c] for columns in read]) for c in COLUMNS}


def _alarms(found: Found) -> list[Defect]:
    said = [*found.defects, *(d for c in found.courses for d in c.defects)]
    return [d for d in said if d.severity != "info"]


def _on_earth(
    columns: dict[str, np.ndarray], path: Path, datum: str
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """The fixes that have a position on earth, in WGS 84, and what was left out; a track needs two."""
    lon, lat = columns["lon"], columns["lat"]
    null = on_null_island(columns)
    good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    columns = {c: values[good & ~null] for c, values in columns.items()}
    left = len(columns["at"])
    if left < 2:
        raise InputError(f"{path.name} holds {left} usable fixes; a track needs two: export it again.", file=str(path))
    columns["lon"], columns["lat"] = crs.to_wgs84(columns["lon"], columns["lat"], datum)
    without = int(np.isnat(columns["at"]).sum())
    return columns, [
        _note("fix_position", int((~good).sum()), "Fixes without a position on earth were left out."),
        _note("fix_null_island", int(null.sum()), "Fixes at longitude 0, latitude 0 were left out."),
        _note("fix_time", without, "Fixes without a time: nothing between them can be shown as seen."),
    ]
