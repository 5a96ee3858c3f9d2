"""Why the rest of the assigned metres was not seen, bank by bank: seen and unseen are together what was assigned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from rivergis.patrol.coverage import (
    BANKS,
    GAP,
    NEVER,
    NOT_ALONG,
    OTHER_BANK,
    POOR_ACCURACY,
    SEEN,
    TOO_FAR,
    Legs,
    Unobserved,
    no_legs,
)  # fmt: skip
from rivergis.patrol.fixes import Floats, Ints
from rivergis.patrol.spans import Spans, common, minus
from rivergis.patrol.water import Water

CELL_M = 25.0  # an unseen stretch is asked for its reason at this spacing
CHANNEL = BANKS.index(None)  # from the middle of the water both banks are seen


@dataclass(frozen=True, eq=False)
class Duty:
    """Assigned stretches as arrays (n,): position of the reach, bank (index into ``coverage.BANKS``), metres along it."""

    reach: Ints
    bank: Ints
    from_m: Floats
    to_m: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, length_m: Floats) -> Duty:
        """A table of reach, bank (left, right), from_m, to_m on reaches of ``length_m`` (r,): every metre of a bank once, in order,
        however often it is assigned. A stretch that is nowhere on its reach stays, without length: nothing else is then on duty."""
        spans: dict[tuple[int, int], Spans] = {}
        for reach, bank, a, b in zip(*(rows[c].tolist() for c in ("reach", "bank", "from_m", "to_m")), strict=True):
            spans.setdefault((int(reach), BANKS.index(bank)), []).append((float(a), float(b)))
        out = [
            (reach, bank, a, b)
            for (reach, bank), own in sorted(spans.items())
            for a, b in list(common((0.0, float(length_m[reach])), own)) or [(0.0, 0.0)]
        ]
        reaches, banks, low, high = (np.array(c) for c in (zip(*out, strict=True) if out else ((),) * 4))
        return cls(reaches.astype(np.int64), banks.astype(np.int64), low.astype(float), high.astype(float))

    def __len__(self) -> int:
        return len(self.reach)

    def rows(self) -> Iterator[tuple[int, int, float, float]]:
        """The stretches one by one."""
        return zip(self.reach.tolist(), self.bank.tolist(), self.from_m.tolist(), self.to_m.tolist(), strict=True)


Rest = tuple[int, int, float, float, str]


def explain(
    seen: Legs,
    unobserved: Unobserved,
    duty: Duty,
    water: Water | None,
    fixes_xy: Floats,
    poor_xy: Floats,
    far_sights: float,
) -> list[Rest]:
    """The unseen stretches of a duty: (reach, bank, from_m, to_m, why) in order.

    ``fixes_xy`` (n, 2) used and ``poor_xy`` (m, 2) unusable fixes in metres of ``water``; within ``far_sights`` sights a stretch was
    passed by too far. Reasons in this order: gone along but not counted (the leg's own ``why``), only the other bank, a
    silence there, unusable fixes there, in sight but not gone along, too far, never approached.
    """
    at = {int(r): k for k, r in enumerate(water.number)} if water is not None else {}
    near = _Near(water, fixes_xy, poor_xy, far_sights)
    mine, silent = _by_reach(seen), _by_reach(unobserved)
    out: list[Rest] = []
    for reach, bank, from_m, to_m in duty.rows():
        legs = mine.get(reach, [])
        here = [k for k in legs if seen.bank[k] in (bank, CHANNEL)]
        done = [k for k in legs if seen.why[k] == SEEN]
        left = minus((from_m, to_m), _spans(seen, [k for k in here if seen.why[k] == SEEN]))
        layers = [
            (why, _spans(seen, [k for k in here if seen.why[k] == why]))
            for why in sorted({seen.why[k] for k in here} - {SEEN})
        ]
        layers += [(OTHER_BANK, _spans(seen, done)), (GAP, _spans(unobserved, silent.get(reach, [])))]
        for why, spans in layers:
            out += [(reach, bank, a, b, why) for piece in left for a, b in common(piece, spans)]
            left = [part for piece in left for part in minus(piece, spans)]
        for a, b in left:
            told = near.reasons(at[reach], a, b) if reach in at else iter([(a, b, NEVER)])
            out += [(reach, bank, x, y, why) for x, y, why in told]
    return sorted(out)


def as_legs(rest: Sequence[Rest]) -> Legs:
    """Unseen stretches as legs with no time, way or confidence."""
    if not rest:
        return no_legs()
    reach, bank, low, high, why = (np.array(c) for c in zip(*rest, strict=True))
    none, nan = np.full(len(rest), -1, dtype=np.int64), np.full(len(rest), np.nan)
    return Legs(reach, bank, low, high, why.astype(object), nan, nan, none, none, nan, nan, nan, nan)


def _by_reach(rows: Legs | Unobserved) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for k, reach in enumerate(rows.reach.tolist()):
        out.setdefault(reach, []).append(k)
    return out


def _spans(rows: Legs | Unobserved, which: Sequence[int]) -> Spans:
    return [(float(rows.from_m[k]), float(rows.to_m[k])) for k in which]


class _Near:
    """How near a track came to places on the reaches of a neighbourhood."""

    def __init__(self, water: Water | None, fixes_xy: Floats, poor_xy: Floats, far: float) -> None:
        self.water, self.far = water, far
        self.used = cKDTree(fixes_xy) if len(fixes_xy) else None
        self.poor = cKDTree(poor_xy) if len(poor_xy) else None

    def reasons(self, r: int, a: float, b: float) -> Iterator[tuple[float, float, str]]:
        """A stretch of a reach cut where the reason changes."""
        assert self.water is not None
        n = max(int(np.ceil((b - a) / CELL_M)), 1)
        edges = np.linspace(a, b, n + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        first, last = self.water.first[r], self.water.first[r + 1]
        at_m, line = self.water.at_m[first:last], self.water.vertex[first:last]
        places = np.column_stack([np.interp(middle, at_m, line[:, 0]), np.interp(middle, at_m, line[:, 1])])
        sight = self.water.visible_m[r]
        why = np.full(n, NEVER, dtype=object)
        away = self._away(self.used, places)
        why[away <= self.far * sight] = TOO_FAR
        why[away <= sight] = NOT_ALONG
        why[(self._away(self.poor, places) <= sight) & (why != NOT_ALONG)] = POOR_ACCURACY
        start = 0
        for k in range(1, n + 1):
            if k == n or why[k] != why[start]:
                yield float(edges[start]), float(edges[k]), str(why[start])
                start = k

    @staticmethod
    def _away(tree: cKDTree | None, places: Floats) -> Floats:
        return np.full(len(places), np.inf) if tree is None else np.asarray(tree.query(places)[0])
