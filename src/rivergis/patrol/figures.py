"""The figures of a patrol: minutes, metres, shares, ways of moving, stops - what rules are tested on and people are shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rivergis.patrol.coverage import BANKS, MODES, SEEN, Limits
from rivergis.patrol.fixes import Floats
from rivergis.patrol.match import Places
from rivergis.patrol.unseen import minus

Spans = list[tuple[float, float]]


def union_m(rows: pd.DataFrame) -> float:
    """Metres of reaches in at least one row (reach, from_m, to_m): every metre once, whichever bank."""
    total = 0.0
    for _, group in rows.groupby("reach"):
        spans = sorted(zip(group["from_m"], group["to_m"], strict=True))
        low, high = spans[0][0], spans[-1][1]
        total += (
            max(b for _, b in spans)
            - low
            - sum(b - a for a, b in minus((low, max(high, *(b for _, b in spans))), spans))
        )
    return total


def on_duty(legs: pd.DataFrame, duty: pd.DataFrame, *, by_bank: bool) -> pd.DataFrame:
    """Legs cut to the assigned stretches; in the channel both banks are seen."""
    pairs = legs.merge(duty, on="reach", suffixes=("", "_duty"))
    if by_bank:
        pairs = pairs[(pairs["bank"] == pairs["bank_duty"]) | pairs["bank"].isna()]
        pairs = pairs.assign(bank=pairs["bank_duty"])
    low, high = pairs[["from_m", "from_m_duty"]].max(axis=1), pairs[["to_m", "to_m_duty"]].min(axis=1)
    share = ((high - low) / (pairs["to_m"] - pairs["from_m"])).clip(lower=0)
    cut = pairs.assign(from_m=low, to_m=high, fast_m=pairs["fast_m"] * share, way_m=pairs["way_m"] * share)
    return cut[high > low][list(legs.columns)].reset_index(drop=True)


def minutes(legs: pd.DataFrame, unobserved: pd.DataFrame, places: Places, limits: Limits) -> float:
    """Minutes along the water of the legs, overlapping times once; of a stop only the first minutes count.

    A silence counts where it parts two legs of the same water and what lies between was passed no faster than riding: its
    bearer was there, though what was seen is not known.
    """
    slow = unobserved[unobserved["speed_ms"] <= limits.ride_speed_kmh / 3.6]
    spans = [
        *zip(legs["started_s"], legs["ended_s"], strict=True),
        *zip(slow["started_s"], slow["ended_s"], strict=True),
    ]
    stay = stops(places, limits.stop_s)
    spans += [(a, b) for a, b in stay if any(x - 1 <= a <= y + 1 or x - 1 <= b <= y + 1 for x, y in spans)]
    total = _time(spans)
    total -= sum(
        max(b - a - limits.stop_counted_s, 0.0) for a, b in stay if any(x <= a + 1 and b <= y + 1 for x, y in spans)
    )
    return max(total, 0.0) / 60


def _time(spans: Spans) -> float:
    total, end = 0.0, -np.inf
    for a, b in sorted(spans):
        total += max(b - max(a, end), 0.0)
        end = max(end, b)
    return total


def stops(places: Places, stop_s: float) -> Spans:
    """Times of the places where a track stayed for at least ``stop_s``."""
    stay = places.end_s - places.start_s >= stop_s
    return list(zip(places.start_s[stay].tolist(), places.end_s[stay].tolist(), strict=True))


def of_patrol(
    legs: pd.DataFrame,
    rest: pd.DataFrame,
    duty: pd.DataFrame,
    unobserved: pd.DataFrame,
    places: Places | None,
    limits: Limits,
) -> dict[str, Any]:
    """Figures of one patrol; on the assigned stretches where there are any (``duty``), else on everything seen.

    Lengths in metres on the ellipsoid: ``metres`` every metre once, ``passage_metres`` every passage, ``bank_metres`` by bank.
    """
    seen = legs[legs["why"] == SEEN]
    once = on_duty(seen, duty.drop_duplicates(["reach", "from_m", "to_m"]), by_bank=False) if len(duty) else seen
    banks = on_duty(seen, duty, by_bank=True) if len(duty) else seen
    assigned, assigned_banks = union_m(duty) if len(duty) else 0.0, _banks_m(duty)
    metres, by_bank = union_m(once), _banks_m(banks)
    way, fast = float(once["way_m"].sum()), float(once["fast_m"].sum())
    mine = unobserved[unobserved["reach"].isin(duty["reach"])] if len(duty) else unobserved
    return {
        "minutes": round(minutes(once, mine, places, limits), 1) if places is not None else 0.0,
        "metres": round(metres, 1),
        "passage_metres": round(float((once["to_m"] - once["from_m"]).sum()), 1),
        "bank_metres": round(sum(by_bank.values()), 1),
        "assigned_metres": round(assigned, 1),
        "assigned_bank_metres": round(sum(assigned_banks.values()), 1),
        "share": round(metres / assigned, 4) if assigned else None,
        "bank_share": round(sum(by_bank.values()) / sum(assigned_banks.values()), 4) if assigned else None,
        "fast_share": round(fast / way, 4) if way else 0.0,
        "by_mode": {m: round(float((p["to_m"] - p["from_m"]).sum()), 1) for m in MODES if len(p := once[once["mode"] == m])},
        "by_bank": {
            b: {"seen_m": round(by_bank[b], 1), "assigned_m": round(assigned_banks[b], 1) if len(duty) else None}
            for b in ("left", "right")
        },
        "unseen": {str(why): round(float((p["to_m"] - p["from_m"]).sum()), 1) for why, p in rest.groupby("why")},
        "confidence": _confidence(once),
    }  # fmt: skip


def _banks_m(rows: pd.DataFrame) -> dict[str, float]:
    return {b: union_m(p) if len(p := rows[(rows["bank"] == b) | rows["bank"].isna()]) else 0.0 for b in BANKS if b}


def _confidence(legs: pd.DataFrame) -> float | None:
    """Mean of the legs' confidence, by length; None where nothing was seen."""
    length = (legs["to_m"] - legs["from_m"]).to_numpy(dtype=float)
    return (
        round(float(np.average(legs["confidence"].to_numpy(dtype=float), weights=length)), 3)
        if length.sum() > 0
        else None
    )


def at_places(places: Places, spans: Spans) -> Floats:
    """Positions (n, 2) in local metres of stops."""
    starts = {s: i for i, s in enumerate(places.start_s.tolist())}
    return places.xy[[starts[a] for a, _ in spans]] if spans else np.zeros((0, 2))
