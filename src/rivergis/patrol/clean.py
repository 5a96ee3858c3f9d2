"""Fixes of a track put in order, their clock repaired, the unusable marked; nothing is deleted.

Phones resend batches, lose them, send them out of order, write local time as UTC, stand still while their position drifts
and now and then report a place 300 m away. What is used afterwards and what is not, and why, stays visible in the marks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.ndimage import median_filter

from rivergis.patrol.fixes import JUMP, NO_TIME, POOR_ACCURACY, REPEAT, Clock, Fixes, Floats

LOCAL_AS_UTC_S = -8 * 3600.0  # Asia/Shanghai is eight hours ahead of UTC the whole year
NEIGHBOURS = 7  # odd: the fix itself and three on either side
METRES_A_DEGREE = 111_320.0  # good enough to tell a jump of a hundred metres


@dataclass(frozen=True)
class Limits:
    """Thresholds of cleaning, from ``patrol.track.*`` of the rules by ``limits_of``."""

    clock_tolerance_s: float
    clock_spread_s: float
    jump_m: float
    max_accuracy_m: float


def limits_of(number: Callable[[str], float]) -> Limits:
    """The limits with the values a rule view gives for its keys."""
    names = ("clock_tolerance", "clock_spread", "jump", "max_accuracy")
    return Limits(*(number(f"patrol.track.{name}") for name in names))


def order(table: pd.DataFrame, limits: Limits, *, uploaded_s: float = np.nan) -> Fixes:
    """Fixes of one outing in time order with a repaired clock and marks: the track as everything after this reads it.

    ``table``: one row a fix in the order of the file: at (UTC, may be missing), lon, lat (degrees), and where known acc_m,
    speed_ms, received_at (UTC). ``uploaded_s``: seconds since 1970 when the file arrived, NaN if unknown. Without any time the
    order of the file stands. See ``repair`` for the clock; marks are those of ``fixes.MARKS``.
    """
    t, received = seconds(table.get("at"), len(table)), seconds(table.get("received_at"), len(table))
    clock = repair(t, received, limits, uploaded_s=uploaded_s)
    fixes = Fixes(
        np.arange(len(table), dtype=np.int64),
        t + clock.offset_s,
        lon=_number(table, "lon"),
        lat=_number(table, "lat"),
        acc_m=_number(table, "acc_m"),
        speed_ms=_number(table, "speed_ms"),
        mark=np.zeros(len(table), dtype=np.int8),
        clock=clock,
    )
    return mark(fixes.take(np.argsort(fixes.t_s, kind="stable")) if fixes.timed else fixes, limits)


def seconds(at: pd.Series | None, n: int) -> Floats:
    """Times as seconds since 1970 UTC, NaN where missing."""
    if at is None or not len(at) or at.isna().all():
        return np.full(n, np.nan)
    utc = at if isinstance(at.dtype, pd.DatetimeTZDtype) else pd.to_datetime(at, utc=True)
    stamps = utc.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)


def _number(table: pd.DataFrame, name: str) -> Floats:
    return table[name].to_numpy(dtype=float) if name in table else np.full(len(table), np.nan)


def repair(t: Floats, received: Floats, limits: Limits, *, uploaded_s: float = np.nan) -> Clock:
    """What to add to the times of a phone whose clock is wrong; times within the tolerance stay as they are.

    A phone that sends while walking shows a constant difference to the server: their median is the fault. One that sends
    later shows a difference that shrinks along the track, and only a phone ahead of the server is certainly wrong.
    """
    lag = received - t
    lag = lag[np.isfinite(lag)]
    if not len(lag):
        return _before_upload(t, uploaded_s, limits)
    low, middle, high = np.percentile(lag, (25, 50, 75))
    live = high - low <= limits.clock_spread_s
    fault = middle if live else min(float(lag.min()), 0.0)
    return _clock(fault, limits)


def _before_upload(t: Floats, uploaded_s: float, limits: Limits) -> Clock:
    """Without receive times only a track that ends after it was uploaded is surely wrong."""
    if not (np.isfinite(uploaded_s) and np.isfinite(t).any()):
        return Clock()
    early = uploaded_s - float(np.nanmax(t))
    if early < -limits.clock_tolerance_s and early - LOCAL_AS_UTC_S >= -limits.clock_tolerance_s:
        return Clock(LOCAL_AS_UTC_S, "local_as_utc")
    return _clock(min(early, 0.0), limits)


def _clock(fault_s: float, limits: Limits) -> Clock:
    if abs(fault_s - LOCAL_AS_UTC_S) <= limits.clock_tolerance_s:
        return Clock(LOCAL_AS_UTC_S, "local_as_utc")
    return Clock(float(fault_s), "received") if abs(fault_s) > limits.clock_tolerance_s else Clock()


def mark(fixes: Fixes, limits: Limits) -> Fixes:
    """Fixes with the marks of those that are not used.

    ``repeat``: the time (without times the place) of the fix before; ``no_time``: no time though others have one; ``poor_accuracy``: worse than the limit by the phone's
    own word; ``jump``: farther from the median of its seven neighbours than the limit and their usual step allow.
    """
    marks = np.zeros(len(fixes), dtype=np.int8)
    marks[fixes.acc_m > limits.max_accuracy_m] = POOR_ACCURACY
    marks[1:][_repeats(fixes)] = REPEAT
    if fixes.timed:
        marks[~np.isfinite(fixes.t_s)] = NO_TIME
    rest = np.flatnonzero(marks == 0)
    marks[rest[_jumps(fixes.lon[rest], fixes.lat[rest], limits.jump_m)]] = JUMP
    return replace(fixes, mark=marks)


def _repeats(fixes: Fixes) -> np.ndarray:
    if fixes.timed:
        return np.asarray(np.diff(fixes.t_s) == 0)
    return np.asarray((np.diff(fixes.lon) == 0) & (np.diff(fixes.lat) == 0))


def _jumps(lon: Floats, lat: Floats, jump_m: float) -> np.ndarray:
    """Which fixes lie far from the median of their neighbours; a phone in a car moves far between two fixes, and may."""
    if len(lon) < NEIGHBOURS:
        return np.zeros(len(lon), dtype=bool)
    x = (lon - lon[0]) * METRES_A_DEGREE * np.cos(np.radians(lat[0]))
    y = (lat - lat[0]) * METRES_A_DEGREE
    away = np.hypot(x - median_filter(x, NEIGHBOURS, mode="nearest"), y - median_filter(y, NEIGHBOURS, mode="nearest"))
    step = np.hypot(np.diff(x), np.diff(y))
    usual = np.median(step[step > 0]) if (step > 0).any() else 0.0
    return np.asarray(away > jump_m + 2 * usual)
