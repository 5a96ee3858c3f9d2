"""One track of a file, whatever its format: fixes as they are written, and the layer that is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.intake import times, track_times
from rivergis.intake.delivery import Declared, Defect, Delivered, Names, Reading, defect

COLUMNS = ("at", "lon", "lat", "ele_m", "acc_m", "speed_ms", "received_at", "segment", "track")
_NUMBERS = ("lon", "lat", "ele_m", "acc_m", "speed_ms")
BY_STANDARD = Declared("EPSG:4326", where="format")


@dataclass
class Course:
    """A track as its reader found it. ``rows``: columns of ``COLUMNS`` as far as the format has them, one row for each fix;
    times as text or instants, positions as written; the index is the fix's number, from 1 unless a table numbers its rows.
    ``track`` tells recordings apart (tracks of a GPX, devices of a table) that may have run at the same time."""

    name: str
    rows: pd.DataFrame
    zone: str = "UTC"
    """Of times that name none."""
    declared: Declared = BY_STANDARD
    names: Names | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)


@dataclass
class Found:
    """What a reader found in a file: tracks, other layers, and what is wrong with the file as a whole."""

    format: str
    courses: list[Course] = field(default_factory=list)
    others: list[Delivered] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    encoding: str | None = None
    encoding_basis: str = ""


def rows_of(columns: dict[str, Any]) -> pd.DataFrame:
    """Columns of equal length as rows numbered from 1."""
    frame = pd.DataFrame(columns, copy=False)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def columns_of(course: Course) -> tuple[dict[str, np.ndarray], int]:
    """Every column of ``COLUMNS``: times as datetime64[us] of UTC, numbers as floats; how many times named no zone."""
    rows = course.rows
    columns = {c: _floats(rows, c) for c in _NUMBERS}
    columns["at"], assumed = _moments(rows, "at", course.zone)
    columns["received_at"], late = _moments(rows, "received_at", course.zone)
    columns["segment"], columns["track"] = _codes(rows, "segment"), _codes(rows, "track")
    return {c: columns[c] for c in COLUMNS}, max(assumed, late)


def fixes_of(course: Course) -> tuple[pd.DataFrame, int]:
    """``columns_of`` as a table numbered as the course is, with its names of recordings."""
    columns, assumed = columns_of(course)
    fixes = frame_of(columns).set_axis(course.rows.index)
    fixes["track"] = course.rows.get("track", np.nan)
    return fixes, assumed


def frame_of(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """Columns as a table, its times as UTC."""
    return pd.DataFrame({c: _utc(v) if v.dtype.kind == "M" else v for c, v in columns.items()}, copy=False)


def _utc(at: np.ndarray) -> Any:
    return pd.DatetimeIndex(at, copy=False).tz_localize("UTC").array


def _moments(rows: pd.DataFrame, column: str, zone: str) -> tuple[np.ndarray, int]:
    if column in rows:
        return times.moments(rows[column], zone)
    return np.full(len(rows), np.datetime64("NaT", "us")), 0


def _floats(rows: pd.DataFrame, column: str) -> np.ndarray:
    if column not in rows:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(rows[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _codes(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Numbers from 0 in place of names, in the order of their first row."""
    if column not in rows:
        return np.zeros(len(rows), dtype=np.int64)
    return pd.factorize(rows[column], use_na_sentinel=False)[0]


def has_position(fixes: pd.DataFrame) -> np.ndarray:
    return (np.isfinite(fixes["lon"]) & np.isfinite(fixes["lat"])).to_numpy()


def on_null_island(fixes: Any) -> np.ndarray:
    """Fixes at longitude 0, latitude 0: what receivers write before they know where they are."""
    return np.asarray((fixes["lon"] == 0) & (fixes["lat"] == 0))


def layer_of(course: Course, now: datetime, found: Found) -> Delivered:
    """A track as a layer: one point for each fix, the facts of its recording, and what is wrong with places and times."""
    fixes, assumed = fixes_of(course)
    nowhere, null = ~has_position(fixes), on_null_island(fixes)
    again, recording = _twice(fixes)
    verdict, defects = track_times.time_verdict(
        fixes["at"],
        now=now,
        segment=fixes["segment"].to_numpy(),
        recording=recording,
        numbers=fixes.index.to_numpy(),
        moved=_moved(fixes),
        again=again,
        assumed=assumed,
        zone=course.zone,
    )
    keep = [c for c in COLUMNS if c in ("at", "lon", "lat", "segment") or fixes[c].notna().any()]
    layer = Delivered(
        course.name,
        "track",
        len(fixes),
        fixes[keep],
        _points(fixes, nowhere | null),
        declared=course.declared,
        names=course.names,
        encoding=found.encoding,
        encoding_basis=found.encoding_basis,
        defects=[*course.defects, *_places(fixes, nowhere, null), *defects],
        geometry_types=("Point",),
    )
    layer.facts = _facts(fixes, ~(nowhere | null), course) | {
        "time_verdict": verdict,
        "time_findings": track_times.findings(defects),
    }
    return layer


def _moved(fixes: pd.DataFrame) -> np.ndarray:
    place = fixes[["lon", "lat"]].to_numpy()
    return np.concatenate([[True], (place[1:] != place[:-1]).any(axis=1)])[: len(fixes)]


def _twice(fixes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Fixes whose time and place stand in an earlier segment, and the recording of each: tracks that share fixes are one."""
    key = ["at", "lon", "lat"]
    recording = pd.Series(pd.factorize(fixes["track"], use_na_sentinel=False)[0], index=fixes.index)
    again = fixes["at"].notna() & fixes["lon"].notna() & fixes.duplicated(key) & ~fixes.duplicated([*key, "segment"])
    if again.any():
        first = recording.groupby([fixes[k] for k in key]).transform("first")
        recording = recording.replace(dict(zip(recording[again], first[again], strict=True)))
    return again.to_numpy(), recording.to_numpy()


def _points(fixes: pd.DataFrame, without: np.ndarray) -> np.ndarray:
    points = np.full(len(fixes), None, dtype=object)
    points[~without] = shapely.points(fixes.loc[~without, ["lon", "lat"]].to_numpy())
    return points


def _places(fixes: pd.DataFrame, nowhere: np.ndarray, null: np.ndarray) -> list[Defect]:
    out = []
    if null.any():
        numbers = fixes.index[null]
        said = f"{len(numbers)} fixes lie at longitude 0, latitude 0: the receiver did not know its place."
        out.append(
            defect("fix_null_island", "warning", said, "They are counted and have no place.", numbers, place="0, 0")
        )
    if nowhere.any():
        numbers = fixes.index[nowhere]
        said = f"{len(numbers)} fixes have no position that can be read."
        out.append(defect("fix_position", "warning", said, "They are counted and have no place.", numbers))
    return out


def _facts(fixes: pd.DataFrame, placed: np.ndarray, course: Course) -> dict[str, Any]:
    at = fixes["at"].dropna()
    first, last = (at.min(), at.max()) if len(at) else (None, None)
    return course.facts | {
        "fixes": len(fixes),
        "segments": int(fixes["segment"].nunique()),
        "first_at": _iso(first),
        "last_at": _iso(last),
        "duration_s": None if first is None else (last - first).total_seconds(),
        "length_m": _length_m(fixes[placed], course.declared),
        **track_times.pace(fixes["at"], fixes["segment"].to_numpy()),
    }


def _iso(at: pd.Timestamp | None) -> str | None:
    """UTC with as many decimals of a second as there are."""
    if at is None:
        return None
    text = at.tz_convert(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def _length_m(fixes: pd.DataFrame, declared: Declared) -> float | None:
    """Length on the ellipsoid along each segment; None where positions are no degrees of longitude and latitude."""
    lon, lat, segment = fixes["lon"].to_numpy(), fixes["lat"].to_numpy(), fixes["segment"].to_numpy()
    if declared.degrees is False or not len(fixes) or (np.abs(lon) > 180).any() or (np.abs(lat) > 90).any():
        return None
    within = segment[1:] == segment[:-1]
    steps = crs.GEOD.inv(lon[:-1][within], lat[:-1][within], lon[1:][within], lat[1:][within])[2]
    return round(float(np.sum(steps)), 1)


_LOSSES = ("file_cut_off", "file_damaged", "file_padded")


def reading_of(found: Found, now: datetime) -> Reading:
    """All layers of a file. What is wrong with its text is said at the first, what is lost at its end at the last track."""
    layers = [layer_of(course, now, found) for course in found.courses]
    every = [*layers, *found.others]
    for said in found.defects:
        every[len(layers) - 1 if said.code in _LOSSES and layers else 0].add(said)
    return Reading(found.format, every)
