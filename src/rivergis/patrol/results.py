"""What one track has seen, as it goes out in a result file: a score with the names of its reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rivergis.patrol import authenticity, compliance
from rivergis.patrol.coverage import BANKS, MODES, SEEN, Legs
from rivergis.patrol.score import ENGINE, Score


@dataclass(frozen=True)
class TrackScore:
    """What one track has seen, as it goes out: lengths in metres from the first vertex, ``bank`` by the digitised direction.

    ``covered``: merged by reach and bank; ``legs``: the same by passage with times, way of moving, speed and confidence;
    ``uncovered``: assigned stretches not seen, each with its reason; ``unobserved``: bridged over a silence. ``effective`` is None
    without a rule; ``tests`` are its figures against thresholds, ``near`` those within the share of rule ``patrol.near``.
    """

    track_id: str
    covered: list[dict[str, Any]]
    effective: bool | None
    flags: list[str]
    datum: str
    start_utc: str | None
    legs: list[dict[str, Any]] = field(default_factory=list)
    uncovered: list[dict[str, Any]] = field(default_factory=list)
    unobserved: list[dict[str, Any]] = field(default_factory=list)
    stops: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    tests: list[dict[str, Any]] = field(default_factory=list)
    near: list[str] = field(default_factory=list)
    review: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    engine: str = ENGINE


def told(
    track_id: str, done: Score, codes: Sequence[str], *, tests: Sequence[compliance.Tested] = (), ruled: bool = False,
    notes: Sequence[dict[str, Any]] = (),
) -> TrackScore:  # fmt: skip
    """A score in the words of a result file; ``ruled``: a rule was given and ``tests`` are its outcome."""
    seen = done.seen.take(done.seen.why == SEEN)
    figures = dict(done.figures)
    return TrackScore(
        track_id,
        covered(seen, codes),
        compliance.met(tests) if ruled else None,
        [],
        done.datum,
        _when(done.start_s),
        legs=_legs(done.seen, codes),
        uncovered=[_stretch(codes[r], bank, a, b) | {"reason": why} for r, bank, a, b, why in done.rest],
        unobserved=[_named(r, codes) for r in figures.pop("unobserved")],
        stops=[_named(s, codes) for s in figures.pop("stops")],
        figures=figures,
        tests=[asdict(t) for t in tests],
        near=[t.key for t in tests if t.near],
        notes=list(notes),
    )


def covered(seen: Legs, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Legs joined where they meet on one reach and bank, in order."""
    out: list[dict[str, Any]] = []
    was = (-1, -1)
    for reach, bank, a, b in sorted(
        zip(*(x.tolist() for x in (seen.reach, seen.bank, seen.from_m, seen.to_m)), strict=True)
    ):
        if was == (reach, bank) and a <= out[-1]["to_m"] + 1.0:
            out[-1]["to_m"] = max(out[-1]["to_m"], round(b, 1))
        else:
            out.append(_stretch(codes[reach], bank, a, b))
        was = (reach, bank)
    return out


def _stretch(code: str, bank: int, from_m: float, to_m: float) -> dict[str, Any]:
    return {"reach_id": code, "from_m": round(from_m, 1), "to_m": round(to_m, 1), "bank": BANKS[bank]}


def _legs(seen: Legs, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Legs one by one; those that do not count have a ``reason``."""
    out = []
    for k in range(len(seen)):
        leg = _stretch(codes[seen.reach[k]], seen.bank[k], float(seen.from_m[k]), float(seen.to_m[k])) | {
            "passage": int(seen.passage[k]),
            "started_at": _when(seen.started_s[k]),
            "ended_at": _when(seen.ended_s[k]),
            "mode": MODES[seen.mode[k]] if seen.mode[k] >= 0 else None,
            "speed_kmh": round(float(seen.speed_ms[k]) * 3.6, 1) if np.isfinite(seen.speed_ms[k]) else None,
            "confidence": round(float(seen.confidence[k]), 3),
        }
        out.append(leg if seen.why[k] == SEEN else leg | {"reason": seen.why[k]})
    return out


def _named(record: dict[str, Any], codes: Sequence[str]) -> dict[str, Any]:
    """A record of the figures with the name of its reach, and times in words."""
    out = {k: v for k, v in record.items() if k not in ("reach", "at_s")}
    if "at_s" in record:
        out = {"at": _when(record["at_s"])} | out
    reach = record.get("reach")
    return {"reach_id": codes[reach] if reach is not None else None} | out


def _when(seconds: float | None) -> str | None:
    if seconds is None or not np.isfinite(seconds):
        return None
    at = np.datetime64(round(seconds * 1000), "ms")  # a clock repaired by years may leave the calendar of datetime
    return f"{at}Z"


def with_questions(result: TrackScore, found: Sequence[authenticity.Signal]) -> TrackScore:
    """A result with the reasons to look at its track; ``flags`` are their families."""
    flags = list(dict.fromkeys(s.family or s.code for s in found))
    return replace(result, flags=flags, review=[asdict(s) for s in found])
