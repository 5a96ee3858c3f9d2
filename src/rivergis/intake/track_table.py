"""Is a table in truth the log of a walk? Rows with a time of day, in its order, at places that continue one another.

A table of surveyed places has names, codes or a day of survey; a log has hundreds of nameless positions seconds apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.intake import times, track_names
from rivergis.intake.delivery import Delivered
from rivergis.intake.track_course import Course, Found, layer_of
from rivergis.intake.track_order import AT_LEAST, in_order

REGION = "Asia/Shanghai"
_CLOCK = re.compile(r"\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*")
# a row that has a name of its own is a place; what numbers the fixes of a track does not name a place
_OF_PLACES = re.compile(r"名称|名字|点名|点号|编码|编号|排口|^name$|code", re.IGNORECASE)
_NOT_OF_PLACES = re.compile(r"轨迹|设备|用户|人员|device|user|track", re.IGNORECASE)
_POINT = int(shapely.GeometryType.POINT)
_USUAL_S = 600.0
_CONTINUES = 0.5
_CLOSE_BY = 0.002
"""Degrees: who stays within some 200 m of one place has no course to continue."""


def from_table(delivered: Delivered, now: datetime | None = None) -> Delivered | None:
    """A table as a track layer if it is the log of a walk (or of several, a segment for each device); else None.

    Its other columns stay in the frame and its defects are kept; letters for west and south make positions negative. ``now``: default this moment.
    """
    if not _may_be(delivered):
        return None
    course = course_of(delivered)
    if not _is_log(course, delivered):
        return None
    layer = layer_of(course, now or datetime.now(UTC), Found("table"))
    assert layer.frame is not None and delivered.frame is not None
    rest = delivered.frame.drop(columns=[c for c in delivered.frame if c in layer.frame])
    said = [d for d in layer.defects if d.code != "fix_position"]  # the reader of the table named the rows already
    return replace(
        delivered,
        kind="track",
        frame=layer.frame.join(rest),
        shapes=layer.shapes,
        facts=delivered.facts | layer.facts,
        defects=[*delivered.defects, *said],
    )


def courses_of(layers: Sequence[Delivered]) -> list[Course]:
    """The tables of a file that hold points, taken for tracks because somebody says that they are."""
    courses = []
    for layer in layers:
        if layer.frame is not None and not layer.sampled and _points_only(layer):
            course = course_of(layer)
            course.defects = list(layer.defects)
            courses.append(course)
    return courses


def _points_only(layer: Delivered) -> bool:
    return layer.shapes is not None and set(shapely.get_type_id(layer.shapes)) - {-1} == {_POINT}


def _may_be(delivered: Delivered) -> bool:
    """Whether there are points and attributes enough to ask."""
    if delivered.frame is None or delivered.sampled or len(delivered.frame) < AT_LEAST:
        return False
    return delivered.frame.index.is_unique and _points_only(delivered)


def course_of(delivered: Delivered) -> Course:
    """A table of points as a track, whether it looks like one or not: times, speeds and the rest by the names of its columns."""
    assert delivered.frame is not None and delivered.shapes is not None
    frame = delivered.frame
    names = track_names.found_names([str(c) for c in frame.columns])
    at = _times(frame, names)
    rows = pd.DataFrame({"at": at if at is not None else None}, index=frame.index, dtype=object)
    rows["lon"], rows["lat"] = shapely.get_x(delivered.shapes), shapely.get_y(delivered.shapes)
    _hemispheres(rows, frame, names)
    for ours in ("ele_m", "acc_m", "speed_ms", "received_at"):
        if ours in names:
            rows[ours] = frame[names[ours]]
    for ours in ("ele_m", "acc_m", "speed_ms"):
        if ours in rows:
            rows[ours] = _amounts(rows[ours], in_kmh=ours == "speed_ms" and track_names.in_kmh(names[ours]))
    segment = _segments(frame, names)
    rows["segment"] = 0 if segment is None else segment
    if segment is not None:  # several devices in one table may be written in turn: each is judged by itself
        rows["track"] = segment
        rows = rows.sort_values("segment", kind="stable")
    zone = "UTC" if at is not None and "utc" in str(at.name).lower() else REGION
    return Course(delivered.name, rows, zone, delivered.declared, delivered.names)


def _times(frame: pd.DataFrame, names: dict[str, str]) -> pd.Series | None:
    """The column of instants: by its name, a day and a time of day put together, or the first that holds instants in order."""
    named = [frame[names[n]] for n in ("at",) if n in names]
    if "date" in names and named and _is_clock(named[0]):
        return _joined(frame[names["date"]], named[0])
    if "date" in names:
        clocks = [frame[c] for c in frame if c != names["date"] and _is_clock(frame[c])]
        if clocks:
            return _joined(frame[names["date"]], clocks[0])
        named.append(frame[names["date"]])
    others = [frame[c] for c in frame if "received_at" not in names or c != names["received_at"]]
    return next((c for c in [*named, *others] if in_order(c)), named[0] if named else None)


def _is_clock(values: pd.Series) -> bool:
    filled = values.dropna()
    return len(filled) > 0 and all(isinstance(v, time) or (isinstance(v, str) and _CLOCK.fullmatch(v)) for v in filled)


def _joined(days: pd.Series, clocks: pd.Series) -> pd.Series:
    """Days and times of day as text of instants."""
    texts = [
        f"{_day(d)} {str(c).strip()}" if pd.notna(d) and pd.notna(c) else None
        for d, c in zip(days, clocks, strict=True)
    ]
    return pd.Series(texts, index=days.index, dtype=object, name=f"{days.name} {clocks.name}")


def _day(value: Any) -> str:
    return value.strftime("%Y-%m-%d") if isinstance(value, date) else str(value).strip()


def _hemispheres(rows: pd.DataFrame, frame: pd.DataFrame, names: dict[str, str]) -> None:
    """Letters beside the numbers: west and south are negative."""
    for axis, letters, negative in (("lon", "east_west", "W"), ("lat", "north_south", "S")):
        if letters in names:
            against = frame[names[letters]].astype("string").str.strip().str.upper().eq(negative).fillna(False)
            rows[axis] = np.where(against.to_numpy(bool), -rows[axis].abs(), rows[axis])


def _amounts(values: pd.Series, *, in_kmh: bool) -> pd.Series:
    """Numbers that may carry their unit; speeds in km/h become m/s."""
    parts = values.astype("string").str.extract(r"^\s*([-+.\deE]+)\s*(km/h)?", flags=re.IGNORECASE)
    kmh = (parts[1].notna() | in_kmh).to_numpy(bool)
    return pd.to_numeric(parts[0], errors="coerce").astype(float) / np.where(kmh, 3.6, 1.0)


def _segments(frame: pd.DataFrame, names: dict[str, str]) -> pd.Series | None:
    """The column that tells several devices or persons apart, if there are several of them with some rows each."""
    if "segment" not in names:
        return None
    column = frame[names["segment"]].astype("string").fillna("")
    return column if 1 < column.nunique() <= len(column) / 5 else None


def _is_log(course: Course, delivered: Delivered) -> bool:
    assert delivered.frame is not None
    return (
        in_order(course.rows["at"], course.rows["segment"])
        and not _names_places(delivered.frame)
        and _continues(course)
    )


def _names_places(frame: pd.DataFrame) -> bool:
    """Whether most rows have a name or code of their own."""
    said = [c for c in frame if _OF_PLACES.search(str(c)) and not _NOT_OF_PLACES.search(str(c))]
    return any(frame[c].astype("string").nunique() > 0.5 * len(frame) for c in said)


def _continues(course: Course) -> bool:
    """Whether each fix lies near the one before, in place and time, compared with the extent of the whole."""
    rows = course.rows
    at, _ = times.instants(rows["at"], course.zone)
    segment = pd.factorize(rows["segment"])[0]
    same = segment[1:] == segment[:-1]
    step_s = at.diff().dt.total_seconds().abs().to_numpy()[1:][same]
    place = rows[["lon", "lat"]].to_numpy(float)
    if np.nanmax(np.abs(place[:, 0])) > 180 or np.nanmax(np.abs(place[:, 1])) > 180:
        return False  # metres: surveyed points have them, phones and loggers write degrees
    steps = np.hypot(*np.diff(place, axis=0)[same].T)
    apart = np.hypot(*(place - np.nanmedian(place, axis=0)).T)
    near = np.nanmedian(steps) <= _CONTINUES * np.nanmedian(apart) or np.nanmax(apart) < _CLOSE_BY
    return bool(near and np.nanmedian(step_s) <= _USUAL_S)
