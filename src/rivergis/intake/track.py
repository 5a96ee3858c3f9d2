"""Patrol track files, whatever their format, as one table of fixes in WGS 84 degrees and UTC."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import sources, track_formats
from rivergis.intake import text as encodings
from rivergis.intake.delivery import Asked, Defect, defect
from rivergis.intake.limits import DEFAULT
from rivergis.intake.track_course import Course, Found, fixes_of, on_null_island

MAX_BYTES = 64 << 20
COLUMNS = ("at", "lon", "lat", "acc_m", "speed_ms", "received_at", "segment")
_CSV_NAMES = {
    "at": ("at", "timestamp", "datetime", "date_time", "gpstime", "定位时间", "采集时间", "time", "时间"),
    "date": ("date", "日期"),
    "lon": ("lon", "lng", "long", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "east_west": ("e/w",),
    "north_south": ("n/s",),
    "acc_m": ("acc_m", "accuracy", "acc", "精度", "定位精度"),
    "speed_ms": ("speed_ms", "speed", "speed_kmh", "speed(km/h)", "速度", "速度(km/h)", "时速"),
    "received_at": ("recv_time", "received_at", "上传时间"),
}


@dataclass(frozen=True)
class TrackFile:
    """A track as read: ``fixes`` with at (UTC, may be missing), lon, lat (WGS 84), acc_m, speed_ms, received_at, segment."""

    format: str
    sha256: str
    fixes: pd.DataFrame
    diagnostics: list[dict[str, Any]] = field(default_factory=list)

    def _note(self, code: str, count: int, sentence: str) -> None:
        if count:
            self.diagnostics.append({"code": code, "count": int(count), "sentence": sentence})


def read_track(path: Path, datum: str = "wgs84", *, max_bytes: int = MAX_BYTES) -> TrackFile:
    """Read a track file given in ``datum`` (wgs84, cgcs2000, gcj02, bd09); ``InputError`` when there is nothing usable in it.

    All tracks of a file follow one another. A time without a zone is UTC in the formats whose standard says so, and
    Asia/Shanghai in tables and JSON; the diagnostics say so.
    """
    sources.check(path, sources.TRACK, "track file")
    if path.stat().st_size > max_bytes:
        raise InputError(
            f"{path.name} is larger than {max_bytes >> 20} MB, which no patrol track is: split it.", file=str(path)
        )
    sha256 = sources.sha256(path)
    raw = path.read_bytes()
    if track_formats.format_name(path, DEFAULT) == "table":
        found = _csv(path, encodings.find_encoding(raw).read(raw))
    else:
        found = track_formats.find_courses(path, Asked(), replace(DEFAULT, text_bytes=max_bytes))
    track = TrackFile(path.suffix.lower().lstrip("."), sha256, _fixes(found))
    for said in _alarms(found):
        track._note(said.code, said.count, said.message)
    for zone in dict.fromkeys(c.zone for c in found.courses):
        assumed = sum(fixes_of(c)[1] for c in found.courses if c.zone == zone)
        track._note("time_zone_assumed", assumed, f"Times that name no zone were taken as {zone}.")
    return _on_earth(track, path, datum)


def _fixes(found: Found) -> pd.DataFrame:
    """Fixes of all tracks of a file, their segments counted on."""
    frames, segments = [], 0
    for course in found.courses:
        fixes = _one(course, segments)
        segments = int(fixes["segment"].max()) + 1
        frames.append(fixes)
    empty = pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(frames, ignore_index=True) if frames else empty


def _one(course: Course, segments: int) -> pd.DataFrame:
    fixes = fixes_of(course)[0][list(COLUMNS)]
    return fixes.assign(segment=fixes["segment"] + segments)


def _alarms(found: Found) -> list[Defect]:
    said = [*found.defects, *(d for c in found.courses for d in c.defects)]
    return [d for d in said if d.severity != "info"]


def _on_earth(track: TrackFile, path: Path, datum: str) -> TrackFile:
    """The fixes that have a position on earth, in WGS 84; a track needs two."""
    fixes = track.fixes
    fixes = fixes.astype(dict.fromkeys(("lon", "lat", "acc_m", "speed_ms"), float))
    null = on_null_island(fixes)
    good = (
        np.isfinite(fixes["lon"]) & np.isfinite(fixes["lat"]) & (fixes["lon"].abs() <= 180) & (fixes["lat"].abs() <= 90)
    ).to_numpy()
    track._note("fix_position", int((~good).sum()), "Fixes without a position on earth were left out.")
    track._note("fix_null_island", int(null.sum()), "Fixes at longitude 0, latitude 0 were left out.")
    fixes = fixes[good & ~null].reset_index(drop=True)
    if len(fixes) < 2:
        raise InputError(
            f"{path.name} holds {len(fixes)} usable fixes; a track needs two: export it again.", file=str(path)
        )
    without = int(fixes["at"].isna().sum())
    track._note("fix_time", without, "Fixes without a time: nothing between them can be shown as seen.")
    fixes["lon"], fixes["lat"] = crs.to_wgs84(fixes["lon"].to_numpy(), fixes["lat"].to_numpy(), datum)
    return TrackFile(track.format, track.sha256, fixes, track.diagnostics)


def _csv(path: Path, text: str) -> Found:
    header = text.lstrip().split("\n", 1)[0]
    left_out: list[Sequence[str]] = []
    try:
        raw = pd.read_csv(
            io.StringIO(text),
            dtype=str,
            sep=max(",;\t|", key=header.count),
            engine="python",
            index_col=False,
            on_bad_lines=lambda line: left_out.append(line),
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise InputError(
            f"{path.name} is not a table ({' '.join(str(error).split())[:100]}): export it again.", file=str(path)
        ) from error
    lower = {str(c).strip().lower(): c for c in raw.columns}
    found = {ours: next((lower[n] for n in names if n in lower), None) for ours, names in _CSV_NAMES.items()}
    if found["lon"] is None or found["lat"] is None:
        raise InputError(
            f"{path.name} has no columns of longitude and latitude; it has {', '.join(map(str, raw.columns))[:300]}.",
            file=str(path),
        )
    table = raw[[c for c in found.values() if c is not None]].rename(columns={c: k for k, c in found.items() if c})
    speed_name = str(found["speed_ms"] or "").lower()
    fixes = _plain_columns(table, in_kmh="km" in speed_name or "时速" in speed_name)
    said = [defect("lines_left_out", "warning", "Lines with too many fields were left out.", count=len(left_out))]
    return Found("table", [Course(path.stem, fixes, "Asia/Shanghai")], defects=said if left_out else [])


def _plain_columns(table: pd.DataFrame, *, in_kmh: bool) -> pd.DataFrame:
    """Columns of a device put together: date and time of day, hemisphere letters, speeds with their unit."""
    table = table.assign(segment=0)
    if "date" in table and "at" in table:
        table["at"] = (table["date"].fillna("") + " " + table["at"].fillna("")).str.strip()
    for axis, letters, negative in (("lon", "east_west", "W"), ("lat", "north_south", "S")):
        table[axis] = pd.to_numeric(table[axis], errors="coerce")
        if letters in table:
            table[axis] *= np.where(table[letters].str.strip().str.upper() == negative, -1, 1)
    if "speed_ms" in table:
        parts = table["speed_ms"].str.extract(r"^\s*([-+.\deE]+)\s*(km/h)?", flags=re.IGNORECASE)
        kmh = parts[1].notna() | in_kmh
        table["speed_ms"] = pd.to_numeric(parts[0], errors="coerce") / np.where(kmh, 3.6, 1.0)
    return table
