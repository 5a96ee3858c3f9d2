"""Patrol track files: GPX, CSV and GeoJSON to one table of fixes in WGS 84 degrees and UTC."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpxpy
import gpxpy.gpx
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import sources, times

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

    A time without a zone is UTC in GPX, as its standard says, and Asia/Shanghai elsewhere; the diagnostics say so.
    """
    sources.check(path, sources.TRACK, "track file")
    if path.stat().st_size > max_bytes:
        raise InputError(
            f"{path.name} is larger than {max_bytes >> 20} MB, which no patrol track is: split it.", file=str(path)
        )
    raw = path.read_bytes()
    kind = path.suffix.lower().lstrip(".")
    fixes = {"gpx": _gpx, "csv": _csv, "geojson": _geojson, "json": _geojson}[kind](path, _text(path, raw))
    track = TrackFile(kind, hashlib.sha256(raw).hexdigest(), fixes.reindex(columns=list(COLUMNS)))
    track._note("lines_left_out", fixes.attrs.get("lines_left_out", 0), "Lines with too many fields were left out.")
    _to_utc(track, "UTC" if kind == "gpx" else "Asia/Shanghai")
    return _on_earth(track, path, datum)


def _to_utc(track: TrackFile, zone: str) -> None:
    fixes = track.fixes
    fixes["at"], assumed = times.instants(fixes["at"], zone)
    fixes["received_at"], late = times.instants(fixes["received_at"], zone)
    track._note("time_zone_assumed", max(assumed, late), f"Times that name no zone were taken as {zone}.")


def _on_earth(track: TrackFile, path: Path, datum: str) -> TrackFile:
    """The fixes that have a position on earth, in WGS 84; a track needs two."""
    fixes = track.fixes
    for column in ("lon", "lat", "acc_m", "speed_ms"):
        fixes[column] = pd.to_numeric(fixes[column], errors="coerce").astype(float)
    good = (
        np.isfinite(fixes["lon"]) & np.isfinite(fixes["lat"]) & (fixes["lon"].abs() <= 180) & (fixes["lat"].abs() <= 90)
    )
    track._note("fix_position", int((~good).sum()), "Fixes without a position on earth were left out.")
    fixes = fixes[good].reset_index(drop=True)
    if len(fixes) < 2:
        raise InputError(
            f"{path.name} holds {len(fixes)} usable fixes; a track needs two: export it again.", file=str(path)
        )
    without = int(fixes["at"].isna().sum())
    track._note("fix_time", without, "Fixes without a time: nothing between them can be shown as seen.")
    fixes["lon"], fixes["lat"] = crs.to_wgs84(fixes["lon"].to_numpy(), fixes["lat"].to_numpy(), datum)
    return TrackFile(track.format, track.sha256, fixes, track.diagnostics)


def _text(path: Path, raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path.name} is not text in UTF-8 or GBK: it is damaged or of another kind.", file=str(path))


def _gpx(path: Path, text: str) -> pd.DataFrame:
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise InputError(f"{path.name} declares XML entities, which no GPX needs: it is refused.", file=str(path))
    # the text is decoded already; what its first line says of an encoding would only mislead the parser
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
    try:
        gpx = gpxpy.parse(text)
    except (gpxpy.gpx.GPXException, ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name} is not a whole GPX file ({' '.join(str(error).split())[:120]}): export it again.",
            file=str(path),
        ) from error
    rows = [
        (None if p.time is None else p.time.isoformat(), p.longitude, p.latitude, getattr(p, "speed", None), s)
        for s, segment in enumerate(seg for t in gpx.tracks for seg in t.segments)
        for p in segment.points
    ]
    return pd.DataFrame(rows, columns=["at", "lon", "lat", "speed_ms", "segment"])


def _csv(path: Path, text: str) -> pd.DataFrame:
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
    fixes.attrs["lines_left_out"] = len(left_out)
    return fixes


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


def _geojson(path: Path, text: str) -> pd.DataFrame:
    try:
        body = json.loads(text)
        features = body["features"] if body.get("type") == "FeatureCollection" else [body]
        lines = [f for f in features if (f.get("geometry") or {}).get("type") in ("LineString", "MultiLineString")]
        frames = [frame for f in lines for frame in _geojson_parts(f)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path.name} is not a whole GeoJSON file: export it again.", file=str(path)) from error
    if not frames:
        raise InputError(
            f"{path.name} holds no line: a track in GeoJSON is a LineString with coordTimes.", file=str(path)
        )
    return pd.concat([f.assign(segment=s) for s, f in enumerate(frames)], ignore_index=True)


def _geojson_parts(feature: dict[str, Any]) -> list[pd.DataFrame]:
    """One frame for each line of a feature; the times of a MultiLineString are a list for each of its lines."""
    shape, properties = feature["geometry"], feature.get("properties") or {}
    said = properties.get("coordTimes") or (properties.get("coordinateProperties") or {}).get("times") or []
    if shape["type"] == "LineString":
        return [_geojson_line(shape["coordinates"], said, properties)]
    nested = bool(said) and isinstance(said[0], list)
    frames, start = [], 0
    for n, points in enumerate(shape["coordinates"]):
        own = said[n] if nested and n < len(said) else [] if nested else said[start : start + len(points)]
        frames.append(_geojson_line(points, own, {}))
        start += len(points)
    return frames


def _geojson_line(points: list[Any], said: list[Any], properties: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame({"lon": [_number(p, 0) for p in points], "lat": [_number(p, 1) for p in points]})
    frame["at"] = pd.Series((list(said) + [None] * len(points))[: len(points)], dtype=object)
    for name in ("acc_m", "speed"):
        values = properties.get(name)
        if isinstance(values, list) and len(values) == len(points):
            frame["speed_ms" if name == "speed" else name] = pd.to_numeric(pd.Series(values), errors="coerce")
    return frame


def _number(point: Any, i: int) -> float:
    try:
        return float(point[i])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return float("nan")
