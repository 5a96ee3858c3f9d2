"""Tracks in JSON: GeoJSON with times, and the plain lists of positions that phone apps export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rivergis.errors import InputError
from rivergis.intake.delivery import Declared
from rivergis.intake.track_course import BY_STANDARD, Course, Found, rows_of
from rivergis.intake.track_names import FIELDS, found_names
from rivergis.intake.track_order import in_order

REGION = "Asia/Shanghai"
_LINES = ("LineString", "MultiLineString")
_TIMES = ("coordTimes", "coordtimes", "times", "timestamps", "time")


def read_json(path: Path, text: str) -> Found:
    """Lines of a GeoJSON (times in coordTimes or the like), points that each have a time, or an app's list of positions.

    ``InputError`` when none of these is in it.
    """
    body = _parsed(path, text)
    try:
        course, form = _course(path, body)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise InputError(f"{path.name} is not a whole GeoJSON file: export it again.", file=str(path)) from error
    if course is None:
        raise InputError(
            f"{path.name} holds no line: a track in GeoJSON is a LineString with coordTimes, or points that each have a time.",
            file=str(path),
        )
    return Found(form, [course])


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a whole GeoJSON file: export it again.", file=str(path)) from error


def is_timed(body: Any) -> bool:
    """Whether parsed JSON is a recording: lines with times, points in the order of their times, or an app's list."""
    if not (isinstance(body, dict) and "type" in body):
        return _listed(body) is not None
    lines = [f for f in _features(body) if _kind(f) in _LINES]
    if lines:
        return any(_said(f) for f in lines)
    return _points(body) is not None


def _course(path: Path, body: Any) -> tuple[Course | None, str]:
    if not (isinstance(body, dict) and "type" in body):
        rows = _listed(body)
        declared = Declared(where="names", degrees=True)
        return (None if rows is None else Course(path.stem, rows, REGION, declared)), "JSON"
    frames = [frame for f in _features(body) if _kind(f) in _LINES for frame in _parts(f)]
    rows = _lines(frames) if frames else _points(body)
    if rows is None:
        return None, "GeoJSON"
    rows.index = pd.RangeIndex(1, len(rows) + 1)
    return Course(path.stem, rows, REGION, _declared(body)), "GeoJSON"


def _lines(parts: list[dict[str, Any]]) -> pd.DataFrame:
    """Lines one after the other, a segment each."""
    frames = [pd.DataFrame(part | {"segment": s}) for s, part in enumerate(parts)]
    return frames[0] if len(frames) == 1 else pd.concat(frames)


def _declared(body: dict[str, Any]) -> Declared:
    member = body.get("crs")
    name = ((member.get("properties") or {}).get("name")) if isinstance(member, dict) else None
    return Declared(str(name), where="crs_member") if name else BY_STANDARD


def _features(body: dict[str, Any]) -> list[dict[str, Any]]:
    listed = body["features"] if body.get("type") == "FeatureCollection" else [body]
    features = [f if "geometry" in f or f.get("type") == "Feature" else {"geometry": f} for f in listed]
    return [f for f in features if isinstance(f.get("geometry"), dict)]


def _kind(feature: dict[str, Any]) -> str:
    return str(feature["geometry"].get("type"))


def _said(feature: dict[str, Any]) -> list[Any]:
    """Times of a line's points, by any of the names they go by."""
    properties = feature.get("properties") or {}
    inner = properties.get("coordinateProperties") or {}
    for holder in (properties, inner):
        for name in _TIMES:
            value = holder.get(name)
            if isinstance(value, list) and value:
                return value
    return []


def _parts(feature: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The columns of each line of a feature; the times of a MultiLineString are one list or a list for each line."""
    shape, said = feature["geometry"], _said(feature)
    if shape["type"] == "LineString":
        yield _line(shape["coordinates"], said, feature.get("properties") or {})
        return
    nested = bool(said) and isinstance(said[0], list)
    start = 0
    for n, points in enumerate(shape["coordinates"]):
        own = said[n] if nested and n < len(said) else [] if nested else said[start : start + len(points)]
        yield _line(points, own, {})
        start += len(points)


def _line(points: list[Any], said: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(zip(("lon", "lat", "ele_m"), _positions(points), strict=True))
    columns["at"] = pd.Series((list(said) + [None] * len(points))[: len(points)], dtype=object)
    for ours, names in (("acc_m", ("acc_m", "accuracy")), ("speed_ms", ("speed", "speeds", "speed_ms"))):
        values: list[Any] = next((properties[n] for n in names if isinstance(properties.get(n), list)), [])
        if values and len(values) == len(points):
            columns[ours] = pd.to_numeric(pd.Series(values), errors="coerce")
    return columns


def _positions(points: list[Any]) -> list[np.ndarray]:
    """Longitude, latitude and height of each point, NaN where there is none."""
    try:
        known = np.array(points, dtype=float)
    except (ValueError, TypeError, OverflowError):  # not all points are of one kind
        known = np.empty(0)
    if known.ndim != 2:
        return [np.array([_number(p, i) for p in points], dtype=float) for i in range(3)]
    return [known[:, i] if i < known.shape[1] else np.full(len(known), np.nan) for i in range(3)]


def _points(body: dict[str, Any]) -> pd.DataFrame | None:
    """Point features that each have a time, in its order; None if they are places rather than a recording."""
    points = [f for f in _features(body) if _kind(f) == "Point"]
    if not points:
        return None
    table = pd.DataFrame([f.get("properties") or {} for f in points])
    columns = _columns(table)
    if "at" not in columns or not in_order(columns["at"]):
        return None
    where = [f["geometry"].get("coordinates") for f in points]
    places = {n: [_number(p, i) for p in where] for i, n in enumerate(("lon", "lat"))}
    return pd.DataFrame(columns | places | {"segment": 0})


def _columns(table: pd.DataFrame) -> dict[str, pd.Series]:
    names = found_names([str(c) for c in table.columns])
    return {ours: table[theirs].astype(object) for ours, theirs in names.items() if ours in FIELDS}


def _listed(body: Any) -> pd.DataFrame | None:
    """Rows of the first list of objects that have a longitude and a latitude, at the top or one level below it."""
    lists = [body] if isinstance(body, list) else list(body.values()) if isinstance(body, dict) else []
    for rows in lists:
        if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
            continue
        columns = _columns(pd.DataFrame(rows))
        if "lon" in columns and "lat" in columns:
            return rows_of({n: columns[n].to_list() for n in columns} | {"segment": 0})
    return None


def _number(point: Any, i: int) -> float:
    try:
        return float(point[i])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return float("nan")
