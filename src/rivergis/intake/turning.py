"""Turning points (界址点) that describe lines or areas in the order of their rows: what they would form, without forming it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from rivergis.intake.layout import Layout

_POINT = re.compile(r"点号|点名|点序|序号|拐点|界址点|顶点|桩号|编号|point|vertex|^no\.?$", re.IGNORECASE)
_GROUP = re.compile(
    r"宗地|地块|图斑|河段|河流|岸别|环号|圈号|块号|线号|线段|部件|parcel|ring|part|polygon|shape_?id|line_?id|group",
    re.IGNORECASE,
)
_TURNING = re.compile(r"界址点|拐点|转折点|顶点|范围线|边界点|turning|vertex", re.IGNORECASE)
_NUMBERED = re.compile(r"^([A-Za-z\u4e00-\u9fff]{0,6}[-_]?)0*(\d{1,5})$")


def turning_points(frame: pd.DataFrame | None, shapes: np.ndarray | None, layout: Layout) -> Iterator[tuple[str, Any]]:
    """Facts ``rings`` (group, first and last row, points, closed) and ``turning_points`` (a sentence) if rows run on as J1, J2, J3 …"""
    if frame is None or shapes is None or len(frame) < 3 or not layout.positions or layout.join:
        return
    number = next((c for c in frame.columns if _POINT.search(c) and _runs_on(frame[c])), None)
    if number is None or not any(_TURNING.search(w) for w in (number, *layout.above, *layout.parents)):
        return
    group = next((c for c in frame.columns if _GROUP.search(c) and c != number and frame[c].notna().any()), None)
    rings = _rings(frame, shapes, number, group)
    if not rings:
        return
    closed = sum(r["closed"] for r in rings)
    by = f"by {group}, " if group else ""
    yield "rings", rings
    yield (
        "turning_points",
        f"The rows are turning points that form {len(rings)} lines or areas, {by}in the order of {number}; {closed} of them close.",
    )


def _runs_on(values: pd.Series) -> bool:
    """Whether most values count up by one from row to row."""
    found = [_NUMBERED.match(str(v).strip()) for v in values if v is not None]
    steps = [
        b is not None and a is not None and a[1] == b[1] and int(b[2]) == int(a[2]) + 1 for a, b in pairwise(found)
    ]
    return len(found) >= 3 and sum(steps) >= 0.6 * len(steps)


def _rings(frame: pd.DataFrame, shapes: np.ndarray, number: str, group: str | None) -> list[dict[str, Any]]:
    """Runs of rows of one group; without a group a run ends where the numbers begin again."""
    names = frame[group].ffill() if group else _restarts(frame[number])
    starts = np.flatnonzero(np.r_[True, names.to_numpy()[1:] != names.to_numpy()[:-1]])
    stops = np.r_[starts[1:], len(frame)]
    return [
        {
            "group": str(names.iloc[a]) if group else None,
            "first_row": str(frame.index[a]),
            "last_row": str(frame.index[b - 1]),
            "points": int(b - a),
            "closed": _closes(frame[number], shapes, int(a), int(b)),
        }
        for a, b in zip(starts, stops, strict=True)
        if b - a >= 2
    ]


def _restarts(values: pd.Series) -> pd.Series:
    numbers = pd.Series([int(m[2]) if (m := _NUMBERED.match(str(v).strip())) else None for v in values], dtype=float)
    # J1 once more at the end closes a ring; it begins a new one only where J2 follows
    begins = (numbers == numbers.iloc[0]) & (numbers.shift(-1) != numbers)
    last = (numbers.shift(-1) == numbers.iloc[0]) | numbers.shift(-1).isna()
    return (begins & ~last).cumsum()


def _closes(values: pd.Series, shapes: np.ndarray, a: int, b: int) -> bool:
    first, last = shapes[a], shapes[b - 1]
    same = first is not None and last is not None and first.equals(last)
    return bool(same or (b - a > 3 and str(values.iloc[a]) == str(values.iloc[b - 1])))
