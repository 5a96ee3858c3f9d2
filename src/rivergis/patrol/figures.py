"""The figures of a patrol: minutes, metres, shares, ways of moving - what rules are tested on and people are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from rivergis.patrol import coverage_kernels as kernels
from rivergis.patrol.coverage import BANKS, MODES, SEEN, Legs, Limits, Unobserved
from rivergis.patrol.match import Places
from rivergis.patrol.spans import Spans, total
from rivergis.patrol.unseen import CHANNEL, Duty, Rest

Stretch = tuple[int, float, float]


def union_m(stretches: Iterable[Stretch]) -> float:
    """Metres of reaches in at least one stretch (reach, from_m, to_m): every metre once."""
    spans: dict[int, Spans] = {}
    for r, a, b in stretches:
        spans.setdefault(r, []).append((a, b))
    return sum((total(own) for own in spans.values()), 0.0)


def on_duty(legs: Legs, duty: Duty) -> Legs:
    """Legs cut to the assigned stretches, every part once whichever bank is assigned; way and time are shared out by metres."""
    rows = [
        (k, max(legs.from_m[k], a), min(legs.to_m[k], b))
        for reach, a, b in sorted({(r, a, b) for r, _, a, b in duty.rows()})
        for k in np.flatnonzero(legs.reach == reach)
        if min(legs.to_m[k], b) > max(legs.from_m[k], a)
    ]
    cut = legs.take(np.array([k for k, _, _ in rows], dtype=np.int64))
    low, high = np.array([a for _, a, _ in rows]), np.array([b for _, _, b in rows])
    length, took = np.maximum(cut.to_m - cut.from_m, 1e-9), cut.ended_s - cut.started_s
    first, last = (low - cut.from_m) / length, (high - cut.from_m) / length
    return replace(
        cut,
        from_m=low,
        to_m=high,
        started_s=cut.started_s + took * first,
        ended_s=cut.started_s + took * last,
        fast_m=cut.fast_m * (last - first),
        way_m=cut.way_m * (last - first),
    )


def banks_m(legs: Legs, duty: Duty) -> list[float]:
    """Metres seen of the left and the right bank, on the assigned stretches of each where there are any."""
    out = []
    for bank in (0, 1):
        mine: Iterable[Stretch] = ((r, a, b) for r, s, a, b in _stretches(legs) if s in (bank, CHANNEL))
        if len(duty):
            asked: dict[int, Spans] = {}
            for r, s, x, y in duty.rows():
                if s == bank:
                    asked.setdefault(r, []).append((x, y))
            mine = ((r, max(a, x), min(b, y)) for r, a, b in mine for x, y in asked.get(r, ()) if min(b, y) > max(a, x))
        out.append(union_m(mine))
    return out


def _stretches(legs: Legs) -> Iterable[tuple[int, int, float, float]]:
    return zip(legs.reach.tolist(), legs.bank.tolist(), legs.from_m.tolist(), legs.to_m.tolist(), strict=True)


def minutes(legs: Legs, unobserved: Unobserved, places: Places, limits: Limits) -> float:
    """Minutes along the water of the legs, overlapping times once; of a stop only the first minutes count.

    A silence counts where it parts two legs of the same water and what lies between was passed no faster than riding: its
    bearer was there, though what was seen is not known. It counts at most as a slow walk of the way and one stop.
    """
    slow = unobserved.take(unobserved.speed_ms <= limits.ride_speed_kmh / 3.6)
    walked = slow.speed_ms * slow.seconds / (limits.slow_speed_kmh / 3.6) + limits.stop_counted_s
    spans = list(zip(legs.started_s.tolist(), legs.ended_s.tolist(), strict=True))
    spans += zip(slow.started_s.tolist(), np.minimum(slow.ended_s, slow.started_s + walked).tolist(), strict=True)
    stood = _touching(stops(places, limits.stop_s), spans)
    stayed = _touching(stays(places, limits), spans)
    long = sum(b - a - limits.stop_counted_s for a, b in stayed)
    return max(total(spans + stood + stayed) - long, 0.0) / 60


def _touching(some: Spans, spans: Spans) -> Spans:
    return [(a, b) for a, b in some if any(a <= y + 1 and b >= x - 1 for x, y in spans)]


def stops(places: Places, stop_s: float) -> Spans:
    """Times of the places where a track stayed for at least ``stop_s``."""
    stay = places.end_s - places.start_s >= stop_s
    return list(zip(places.start_s[stay].tolist(), places.end_s[stay].tolist(), strict=True))


def stays(places: Places, limits: Limits) -> Spans:
    """Times during which a track kept within a circle of ``stay_m`` for longer than a stop counts: a phone that lies by the water
    wanders through many places, and none of them need look like a stop."""
    x, y = (np.ascontiguousarray(places.xy[:, k]) for k in (0, 1))
    rows = kernels.stays(x, y, places.start_s, places.end_s, limits.stay_m, limits.stop_s)
    start, end = places.start_s[rows[:, 0]], places.end_s[rows[:, 1]]
    long = end - start > limits.stop_counted_s
    return list(zip(start[long].tolist(), end[long].tolist(), strict=True))


def of_patrol(
    legs: Legs, rest: Iterable[Rest], duty: Duty, unobserved: Unobserved, places: Places | None, limits: Limits
) -> dict[str, Any]:
    """Figures of one patrol; on the assigned stretches where there are any (``duty``), else on everything seen.

    Lengths in metres on the ellipsoid: ``metres`` every metre once, ``passage_metres`` every passage, ``bank_metres`` by bank.
    """
    seen = legs.take(legs.why == SEEN)
    once = on_duty(seen, duty) if len(duty) else seen
    assigned = union_m((r, a, b) for r, _, a, b in duty.rows())
    asked = [union_m((r, a, b) for r, s, a, b in duty.rows() if s == bank) for bank in (0, 1)]
    metres = union_m((r, a, b) for r, _, a, b in _stretches(once))
    by_bank = banks_m(seen, duty)
    length, way = once.to_m - once.from_m, float(once.way_m.sum())
    mine = unobserved.take(np.isin(unobserved.reach, duty.reach)) if len(duty) else unobserved
    unseen: dict[str, float] = {}
    for _, _, a, b, why in rest:
        unseen[why] = unseen.get(why, 0.0) + b - a
    return {
        "minutes": round(minutes(once, mine, places, limits), 1) if places is not None else None,
        "metres": round(metres, 1),
        "passage_metres": round(float(length.sum()), 1),
        "bank_metres": round(sum(by_bank), 1),
        "assigned_metres": round(assigned, 1),
        "assigned_bank_metres": round(sum(asked), 1),
        "share": round(metres / assigned, 4) if assigned else None,
        "bank_share": round(sum(by_bank) / sum(asked), 4) if assigned else None,
        "fast_share": round(float(once.fast_m.sum()) / way, 4) if way else 0.0,
        "by_mode": {
            m: round(float(length[once.mode == k].sum()), 1) for k, m in enumerate(MODES) if (once.mode == k).any()
        },
        "by_bank": {
            b: {"seen_m": round(by_bank[k], 1), "assigned_m": round(asked[k], 1) if len(duty) else None}
            for k, b in enumerate(BANKS[:2])
        },
        "unseen": {why: round(m, 1) for why, m in sorted(unseen.items())},
        "confidence": round(float(np.average(once.confidence, weights=length)), 3) if length.sum() > 0 else None,
    }
