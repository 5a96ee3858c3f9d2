"""Patrol track files: GPX, CSV and GeoJSON to one table of fixes in WGS 84 degrees and UTC."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpxpy
import gpxpy.gpx
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import sources

MAX_BYTES = 64 << 20
COLUMNS = ("at", "lon", "lat", "acc_m", "speed_ms", "received_at", "segment")
_CSV_NAMES = {
    "at": ("time", "at", "timestamp", "datetime", "时间", "定位时间"),
    "lon": ("lon", "lng", "longitude", "x", "经度"),
    "lat": ("lat", "latitude", "y", "纬度"),
    "acc_m": ("acc_m", "accuracy", "acc", "精度"),
    "speed_ms": ("speed", "speed_ms", "速度"),
    "received_at": ("recv_time", "received_at", "上传时间"),
}


@dataclass(frozen=True)
class TrackFile:
    """A track as read: ``fixes`` with at (UTC, may be missing), lon, lat (WGS 84), acc_m, speed_ms, received_at, segment."""

    format: str
    sha256: str
    fixes: pd.DataFrame
    diagnostics: list[dict[str, Any]] = field(default_factory=list)


def read_track(path: Path, datum: str = "wgs84") -> TrackFile:
    """Read a track file given in ``datum`` (wgs84, cgcs2000, gcj02, bd09); ``InputError`` when there is nothing usable in it."""
    sources.check(path, sources.TRACK, "track file")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"{path.name} is larger than {MAX_BYTES >> 20} MB, which no patrol track is: split it.", file=str(path)
        )
    sha256 = sources.sha256(path)
    text = _text(path)
    kind = path.suffix.lower().lstrip(".")
    fixes = {"gpx": _gpx, "csv": _csv, "geojson": _geojson, "json": _geojson}[kind](path, text)
    fixes = fixes.reindex(columns=list(COLUMNS))
    for column in ("lon", "lat", "acc_m", "speed_ms"):
        fixes[column] = pd.to_numeric(fixes[column], errors="coerce").astype(float)
    fixes["at"], fixes["received_at"] = (
        pd.to_datetime(fixes["at"], utc=True),
        pd.to_datetime(fixes["received_at"], utc=True),
    )
    good = (
        np.isfinite(fixes["lon"]) & np.isfinite(fixes["lat"]) & (fixes["lon"].abs() <= 180) & (fixes["lat"].abs() <= 90)
    )
    diagnostics = []
    if not good.all():
        diagnostics.append(
            {
                "code": "fix_position",
                "count": int((~good).sum()),
                "sentence": "Fixes without a position on earth were left out.",
            }
        )
    fixes = fixes[good].reset_index(drop=True)
    if len(fixes) < 2:
        raise InputError(
            f"{path.name} holds {len(fixes)} usable fixes; a track needs two: export it again.", file=str(path)
        )
    if fixes["at"].isna().any():
        diagnostics.append(
            {
                "code": "fix_time",
                "count": int(fixes["at"].isna().sum()),
                "sentence": "Fixes without a time: nothing between them can be shown as seen.",
            }
        )
    fixes["lon"], fixes["lat"] = crs.to_wgs84(fixes["lon"].to_numpy(), fixes["lat"].to_numpy(), datum)
    return TrackFile(kind, sha256, fixes, diagnostics)


def _text(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(f"{path.name} is not text in UTF-8 or GBK: it is damaged or of another kind.", file=str(path))


def _times(values: Any) -> pd.Series:
    """Times as UTC; what has no zone is taken as UTC, what cannot be read is missing."""
    return pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", utc=True, format="mixed")


def _gpx(path: Path, text: str) -> pd.DataFrame:
    if re.search(r"<!(DOCTYPE|ENTITY)", text[:4096], re.IGNORECASE):
        raise InputError(f"{path.name} declares XML entities, which no GPX needs: it is refused.", file=str(path))
    try:
        gpx = gpxpy.parse(text)
    except (gpxpy.gpx.GPXException, ValueError) as error:
        raise InputError(
            f"{path.name} is not a whole GPX file ({' '.join(str(error).split())[:120]}): export it again.",
            file=str(path),
        ) from error
    rows = [
        (p.time, p.longitude, p.latitude, getattr(p, "speed", None), s)
        for s, segment in enumerate(seg for t in gpx.tracks for seg in t.segments)
        for p in segment.points
    ]
    frame = pd.DataFrame(rows, columns=["at", "lon", "lat", "speed_ms", "segment"])
    return frame.assign(
        at=_times([None if t is None else t.isoformat() for t in frame["at"]]),
        speed_ms=pd.to_numeric(frame["speed_ms"], errors="coerce"),
    )


def _csv(path: Path, text: str) -> pd.DataFrame:
    from io import StringIO

    try:
        raw = pd.read_csv(StringIO(text), dtype=str, sep=None, engine="python", on_bad_lines="skip")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(
            f"{path.name} is not a table ({str(error)[:100]}): export it again.", file=str(path)
        ) from error
    lower = {str(c).strip().lower(): c for c in raw.columns}
    found = {ours: next((lower[n] for n in names if n in lower), None) for ours, names in _CSV_NAMES.items()}
    if found["lon"] is None or found["lat"] is None:
        raise InputError(
            f"{path.name} has no columns of longitude and latitude; it has {', '.join(map(str, raw.columns))}.",
            file=str(path),
        )
    out = {k: raw[c] for k, c in found.items() if c is not None}
    return pd.DataFrame(
        {k: _times(v) if k in ("at", "received_at") else pd.to_numeric(v, errors="coerce") for k, v in out.items()}
    ).assign(segment=0)


def _geojson(path: Path, text: str) -> pd.DataFrame:
    try:
        body = json.loads(text)
        features = body["features"] if body.get("type") == "FeatureCollection" else [body]
        lines = [f for f in features if (f.get("geometry") or {}).get("type") in ("LineString", "MultiLineString")]
        frames = [_geojson_line(f, s) for s, f in enumerate(lines)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path.name} is not a whole GeoJSON file: export it again.", file=str(path)) from error
    if not frames:
        raise InputError(
            f"{path.name} holds no line: a track in GeoJSON is a LineString with coordTimes.", file=str(path)
        )
    return pd.concat(frames, ignore_index=True)


def _geojson_line(feature: dict[str, Any], segment: int) -> pd.DataFrame:
    geometry, properties = feature["geometry"], feature.get("properties") or {}
    points = (
        geometry["coordinates"]
        if geometry["type"] == "LineString"
        else [p for part in geometry["coordinates"] for p in part]
    )
    times = properties.get("coordTimes") or (properties.get("coordinateProperties") or {}).get("times") or []
    frame = pd.DataFrame(
        {"lon": [_number(p, 0) for p in points], "lat": [_number(p, 1) for p in points], "segment": segment}
    )
    frame["at"] = _times((list(times) + [None] * len(points))[: len(points)])
    for name in ("acc_m", "speed"):
        values = properties.get(name)
        if isinstance(values, list) and len(values) == len(points):
            frame["speed_ms" if name == "speed" else name] = pd.to_numeric(pd.Series(values), errors="coerce")
    return frame


def _number(point: Any, i: int) -> float:
    try:
        return float(point[i])
    except (TypeError, ValueError, IndexError):
        return float("nan")
