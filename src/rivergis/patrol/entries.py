"""Entries (纸质巡河日志、平台记录): patrols that somebody says were done, and which of them a track shows to be the same.

An entry satisfies a frequency and proves no coverage. When the track of the same patrol arrives late, the entry is merged
into it, so that one patrol is counted once; whatever could be two patrols is left to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis.river.chainage import Axis, locate_on

KINDS = ("paper", "hand_drawn", "drone", "on_site_meeting", "proxy", "platform_record")
# what the chief did in person on the way: a track of the same hours is the same patrol
_IN_PERSON = ("paper", "hand_drawn", "platform_record")
_STEP_M = 10.0


@dataclass(frozen=True)
class Stretch:
    """Metres of a river that a patrol was said, or seen, to go along: chainage on the axis; None = the river, unsaid where."""

    river_id: Any
    from_m: float | None = None
    to_m: float | None = None
    bank: str = "both"
    from_landmark_id: Any = None
    to_landmark_id: Any = None


@dataclass(frozen=True)
class Said:
    """A patrol as the matching sees it: an entry (``kind`` of ``KINDS``) or a track (``kind`` 'track')."""

    id: Any
    chief_ids: frozenset[Any]
    day: date
    kind: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stretches: tuple[Stretch, ...] = ()
    merged_into: Any = None
    """Track that an entry is merged into already."""
    kept_apart: bool = False
    """A person has taken an earlier merging of the entry back: only people merge it again."""


@dataclass(frozen=True)
class Pair:
    """An entry and a track that may be one patrol. ``doubt``: why a person has to say so; None = certain."""

    entry_id: Any
    track_id: Any
    overlap_min: float | None
    overlap_m: float | None
    doubt: str | None


def pair(entries: Sequence[Said], tracks: Sequence[Said], *, slack_min: float, min_share: float) -> list[Pair]:
    """Which entries are the same patrol as which tracks (补传合并): same chief and day, overlapping time, overlapping stretch.

    ``slack_min``: how far the said hours may miss those of the track. ``min_share``: how much of the shorter of the two
    stretches must be common. What is said of time or place and contradicts the track makes no pair. A pair is certain where
    the chief went in person, the hours overlap without slack or the place agrees, and neither side has another partner of
    its kind: ``doubt`` else is ``several_tracks``, ``several_entries``, ``other_kind``, ``nothing_said``, ``hours_near`` or
    ``kept_apart``. Entries that are merged
    already make no new pair, but stand in the way of a second one of their kind. The order of the input changes nothing.
    """
    fits = [f for e in entries for t in tracks if (f := _fit(e, t, slack_min, min_share)) is not None]
    made = [_judged(f, fits) for f in fits if f.entry.merged_into is None]
    return sorted(made, key=lambda p: (str(p.entry_id), str(p.track_id)))


def twins(entries: Sequence[Said], *, slack_min: float, min_share: float) -> list[tuple[Any, Any]]:
    """Entries of a chief that may tell of one patrol twice, on paper and by a platform: same day, and hours or stretch agree.

    Nothing merges them: a person withdraws one. Entries that are merged into a track are no question any more.
    """
    counted = sorted((e for e in entries if e.merged_into is None), key=lambda e: str(e.id))
    pairs = ((a, b) for i, a in enumerate(counted) for b in counted[i + 1 :] if a.kind != b.kind)
    fits = ((f, a, b) for a, b in pairs if (f := _fit(a, b, slack_min, min_share)) is not None)
    return [(a.id, b.id) for f, a, b in fits if f.timed or f.placed]


@dataclass(frozen=True)
class _Fit:
    entry: Said
    track: Said
    overlap_min: float | None
    overlap_m: float | None
    timed: bool
    placed: bool


def _fit(entry: Said, track: Said, slack_min: float, min_share: float) -> _Fit | None:
    if entry.merged_into is not None:
        return _Fit(entry, track, None, None, True, True) if entry.merged_into == track.id else None
    if not entry.chief_ids & track.chief_ids or entry.day != track.day:
        return None
    minutes, metres = _common_min(entry, track, slack_min), _common_m(entry, track)
    if (minutes is not None and minutes <= 0) or (metres is not None and metres < min_share * _shorter(entry, track)):
        return None
    if metres is None and _rivers(entry) and _rivers(track) and not _rivers(entry) & _rivers(track):
        return None
    real = _common_min(entry, track, 0.0)
    return _Fit(entry, track, minutes, metres, real is not None and real > 0, metres is not None)


def _common_min(entry: Said, track: Said, slack_min: float) -> float | None:
    """Minutes in common, the said hours widened by the slack; None where either names no start."""
    if entry.started_at is None or track.started_at is None:
        return None
    slack = timedelta(minutes=slack_min)
    begin = max(entry.started_at - slack, track.started_at)
    end = min((entry.ended_at or entry.started_at) + slack, track.ended_at or track.started_at)
    return (end - begin).total_seconds() / 60 + (1e-9 if begin == end else 0.0)


def _rivers(patrol: Said) -> set[Any]:
    return {s.river_id for s in patrol.stretches}


def _intervals(patrol: Said) -> dict[Any, list[tuple[float, float]]]:
    """Disjoint stretches of each river, of either bank."""
    out: dict[Any, list[tuple[float, float]]] = {}
    for s in patrol.stretches:
        if s.from_m is not None and s.to_m is not None:
            out.setdefault(s.river_id, []).append((s.from_m, s.to_m))
    return {river: joined(parts) for river, parts in out.items()}


def joined(parts: Iterable[tuple[float, float]], within_m: float = 0.0) -> list[tuple[float, float]]:
    """Intervals made disjoint and put in order; those less than ``within_m`` apart become one."""
    out: list[tuple[float, float]] = []
    for lo, hi in sorted(parts):
        if out and lo <= out[-1][1] + within_m:
            out[-1] = (out[-1][0], max(out[-1][1], hi))
        else:
            out.append((lo, hi))
    return out


def _common_m(entry: Said, track: Said) -> float | None:
    """Metres in common; None where either has no metres."""
    mine, seen = _intervals(entry), _intervals(track)
    if not mine or not seen:
        return None
    pairs = ((a, b) for river, parts in mine.items() for a in parts for b in seen.get(river, ()))
    return float(sum(max(min(a[1], b[1]) - max(a[0], b[0]), 0.0) for a, b in pairs))


def _shorter(entry: Said, track: Said) -> float:
    lengths = [sum(hi - lo for parts in _intervals(p).values() for lo, hi in parts) for p in (entry, track)]
    return max(min(lengths), 1e-9)


def _judged(fit: _Fit, fits: Sequence[_Fit]) -> Pair:
    return Pair(fit.entry.id, fit.track.id, fit.overlap_min, fit.overlap_m, _doubt(fit, fits))


def _doubt(fit: _Fit, fits: Sequence[_Fit]) -> str | None:
    """Why a person has to look, None if nothing else could be meant. Hours that agree outweigh rivals that name none."""
    if fit.entry.kept_apart:
        return "kept_apart"
    if fit.entry.kind not in _IN_PERSON:
        return "other_kind"
    if not (fit.timed or fit.placed):
        return "nothing_said" if fit.overlap_min is None else "hours_near"
    if any(f.entry.id == fit.entry.id and f.track.id != fit.track.id for f in fits):
        return "several_tracks"
    same_kind = [
        f for f in fits if f.track.id == fit.track.id and f.entry.id != fit.entry.id and f.entry.kind == fit.entry.kind
    ]
    return "several_entries" if any(f.timed or not fit.timed for f in same_kind) else None


def along_rivers(
    line: shapely.Geometry, axes: gpd.GeoDataFrame, *, within_m: float, min_m: float
) -> tuple[list[Stretch], float]:
    """The stretches of rivers that a hand-drawn line runs along (手绘路线上河), and the share of the line that does, 0 to 1.

    ``line``: LineString or MultiLineString in degrees (EPSG:4490); ``axes``: river_id, origin_m, LineString in degrees,
    digitised downstream. Metres count where the line is within ``within_m`` of the axis nearest to it; where it cuts off a
    bend the bend does not. Stretches shorter than ``min_m`` (the line crosses a river) are left out. The bank is not
    told by a drawn line: it reads both.
    """
    rows: dict[Any, list[tuple[float, float]]] = {}
    points = on = 0
    for part in shapely.get_parts(line):
        river, at_m, near = _sampled(part, axes, within_m)
        points, on = points + len(near), on + int(near.sum())
        follows = near[:-1] & near[1:] & (river[:-1] == river[1:]) & (np.abs(np.diff(at_m)) <= within_m)
        for i in np.flatnonzero(follows):
            rows.setdefault(river[i], []).append((min(at_m[i : i + 2]), max(at_m[i : i + 2])))
    found = [
        Stretch(river, float(lo), float(hi))
        for river, parts in rows.items()
        for lo, hi in joined(parts, within_m=1.0)
        if hi - lo >= min_m
    ]
    return sorted(found, key=lambda s: (str(s.river_id), s.from_m or 0.0)), on / points if points else 0.0


def _sampled(part: shapely.LineString, axes: gpd.GeoDataFrame, within_m: float) -> tuple[Any, Any, Any]:
    """River, chainage and whether it is near, of points every few metres along a line."""
    drawn = Axis(part)
    steps = np.linspace(0.0, drawn.length_m, max(int(drawn.length_m / _STEP_M), 1) + 1)
    points = gpd.GeoSeries(drawn.points_at(steps), crs=axes.crs)
    found = locate_on(axes, points, factor=1.0, margin_m=0.0, min_confidence=0.0)
    near = (found["offset_m"].abs() <= within_m).to_numpy()
    return found["river_id"].to_numpy(dtype=object), found["at_m"].to_numpy(np.float64), near
