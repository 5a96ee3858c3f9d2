"""Which known lead does each row of a table mean (基线比对): by number, by common ground, or near within stated errors and of its class.

Pure: shapes in metres of one system. One to one, the same whichever way round and in whatever order things are given. What could
mean two, or only perhaps means one, is left to a person with all that may be meant; the machine decides none of these.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import shapely

Tier = Literal["number", "overlap", "near"]
TIERS: tuple[Tier, ...] = ("number", "overlap", "near")
# what a number of a list begins with: other lists may count the same way, so it says nothing without place or class
LIST = "list:"
# a mere serial number, with or without what it numbers (patch:12)
_SERIAL = re.compile(r"(?:\w+:)?\d{1,4}")


@dataclass(frozen=True)
class Thing:
    """One row of a table, or one known lead: what it is called, where it lies, and of which group (乱占, 乱建 ...) it is."""

    key: Hashable
    numbers: frozenset[str] = frozenset()
    shape: shapely.Geometry | None = None
    """Point, line or area in metres; None = no usable place."""
    error_m: float = 0.0
    """One-sigma error of its place."""
    group: str | None = None
    """None = its class is not known."""


@dataclass(frozen=True)
class Limits:
    """What counts as the same: from the rules ``encroach.baseline.*``."""

    overlap_share: float
    """Common ground over the smaller of two areas."""
    sigmas: float
    """Errors (one sigma, of both together) that two places may lie apart."""
    clear: float
    """The next best may have at most this share of what the best has."""
    number_within_m: float
    """A number that stands further away than this is that of another thing."""


@dataclass(frozen=True)
class Pair:
    """A row and a lead that may be one: ``strong`` pairs can be decided, the others are only shown to a person."""

    row: Hashable
    known: Hashable
    tier: Tier
    weight: float
    strong: bool
    distance_m: float | None = None
    overlap: float | None = None
    reach_m: float | None = None

    @property
    def figures(self) -> dict[str, float]:
        """What the match rests on, rounded as it is told: distance and reach in m, overlap as a share."""
        said = {"distance_m": self.distance_m, "overlap": self.overlap, "reach_m": self.reach_m}
        return {k: round(v, 3 if k == "overlap" else 1) for k, v in said.items() if v is not None}


@dataclass
class Matched:
    """Every row once: matched to one lead, open (all that may be meant), or alone."""

    pairs: dict[Hashable, Pair] = field(default_factory=dict)
    open: dict[Hashable, list[Pair]] = field(default_factory=dict)
    alone: list[Hashable] = field(default_factory=list)


def plain_number(said: object) -> str | None:
    """A number without what writers differ in: width, capitals, blanks, kinds of dash; None where there is none."""
    text = unicodedata.normalize("NFKC", "" if said is None else str(said)).casefold()
    text = re.sub(r"[\s'\"]", "", re.sub(r"[‐-―−_]", "-", text))
    return text or None


def match(rows: Sequence[Thing], knowns: Sequence[Thing], limits: Limits) -> Matched:
    """Match rows of one table to known leads, one to one; the order of neither matters."""
    pairs = _consistent(_pairs(rows, knowns, limits))
    done = Matched()
    taken: set[Hashable] = set()
    for tier in TIERS:
        live = [p for p in pairs if p.tier == tier and p.strong and p.row not in done.pairs and p.known not in taken]
        for p in _clear(live, limits.clear):
            done.pairs[p.row] = p
            taken.add(p.known)
    by_row = _by(pairs, "row")
    for row in rows:
        if row.key in done.pairs:
            continue
        # what touches a lead that another row means is a place beside it; a second row for the same place is a question
        left = [p for p in by_row.get(row.key, ()) if p.strong or p.known not in taken]
        if left:
            done.open[row.key] = sorted(left, key=lambda p: (TIERS.index(p.tier), -p.weight, str(p.known)))
        else:
            done.alone.append(row.key)
    return done


def _by(pairs: Iterable[Pair], side: str) -> dict[Hashable, list[Pair]]:
    out: dict[Hashable, list[Pair]] = defaultdict(list)
    for p in pairs:
        out[getattr(p, side)].append(p)
    return out


def _clear(pairs: Sequence[Pair], share: float) -> list[Pair]:
    """Pairs that are the best of both sides, each next best clearly behind; one that is another's own best weighs less."""
    rows, knowns = _by(pairs, "row"), _by(pairs, "known")
    own_row = {r: _single_best(ps) for r, ps in rows.items()}
    own_known = {k: _single_best(ps) for k, ps in knowns.items()}
    mutual = {id(p) for p in pairs if own_row[p.row] is p and own_known[p.known] is p}

    def rivals(p: Pair) -> Iterable[float]:
        for q in rows[p.row]:
            yield 0.0 if q is p else q.weight * (share**0.5 if id(own_known[q.known]) in mutual else 1.0)
        for q in knowns[p.known]:
            yield 0.0 if q is p else q.weight * (share**0.5 if id(own_row[q.row]) in mutual else 1.0)

    return [p for p in pairs if max(rivals(p)) <= share * p.weight]


def _single_best(pairs: Sequence[Pair]) -> Pair | None:
    """The pair of most weight; None where two have it."""
    best = max(pairs, key=lambda p: p.weight)
    return best if sum(p.weight == best.weight for p in pairs) == 1 else None


def _consistent(pairs: list[Pair]) -> list[Pair]:
    """One pair for each two: by number before place. A place is not decided against the number of either side."""
    best: dict[tuple[Hashable, Hashable], Pair] = {}
    for p in sorted(pairs, key=lambda p: (not p.strong, TIERS.index(p.tier))):
        best.setdefault((p.row, p.known), p)
    numbered = {(p.row, p.known) for p in pairs if p.tier == "number"}
    rows, knowns = {r for r, _ in numbered}, {k for _, k in numbered}
    return [
        _weak(p) if p.strong and (p.row in rows or p.known in knowns) and (p.row, p.known) not in numbered else p
        for p in best.values()
    ]


def _weak(p: Pair) -> Pair:
    return Pair(p.row, p.known, p.tier, p.weight, False, p.distance_m, p.overlap, p.reach_m)


# ---- which may be meant -------------------------------------------------------------------------------------------------


def _pairs(rows: Sequence[Thing], knowns: Sequence[Thing], limits: Limits) -> list[Pair]:
    return [*_by_number(rows, knowns, limits), *_by_place(rows, knowns, limits)]


def _by_number(rows: Sequence[Thing], knowns: Sequence[Thing], limits: Limits) -> Iterable[Pair]:
    """Pairs with a number in common. A mere serial number (12) says nothing without the place."""
    held: dict[str, list[Thing]] = defaultdict(list)
    for k in knowns:
        for n in k.numbers:
            held[n].append(k)
    for row in rows:
        meant = {k.key: k for n in row.numbers for k in held.get(n, ())}
        yield from filter(None, (_numbered(row, k, limits) for k in meant.values()))


def _numbered(row: Thing, known: Thing, limits: Limits) -> Pair | None:
    """A number in common: a mere serial number, or one that two lists may both use, says nothing alone."""
    shared = row.numbers & known.numbers
    serial = all(_SERIAL.fullmatch(n) for n in shared)
    agree = row.group is not None and row.group == known.group
    alone = not serial and (agree or any(not n.startswith(LIST) for n in shared))
    apart = None if row.shape is None or known.shape is None else float(shapely.distance(row.shape, known.shape))
    far = apart is not None and apart > limits.number_within_m
    if far and not alone:
        return None
    return Pair(row.key, known.key, "number", 1.0, not far and (alone or apart is not None), apart)


def _by_place(rows: Sequence[Thing], knowns: Sequence[Thing], limits: Limits) -> Iterable[Pair]:
    rows = [r for r in rows if r.shape is not None and not r.shape.is_empty]
    knowns = [k for k in knowns if k.shape is not None and not k.shape.is_empty]
    if not rows or not knowns:
        return
    tree = shapely.STRtree([k.shape for k in knowns])
    widest = max(k.error_m for k in knowns)
    reach = np.array([limits.sigmas * math.hypot(r.error_m, widest) for r in rows])
    near = tree.query([r.shape for r in rows], predicate="dwithin", distance=reach)
    for i, j in zip(*near.tolist(), strict=True):
        pair = _placed(rows[i], knowns[j], limits)
        if pair:
            yield pair


def _placed(row: Thing, known: Thing, limits: Limits) -> Pair | None:
    """What the places of two things say; None where they lie further apart than their errors allow."""
    a, b = row.shape, known.shape
    reach = limits.sigmas * math.hypot(row.error_m, known.error_m)
    apart = float(shapely.distance(a, b))
    if apart > reach:
        return None
    agree = row.group is not None and row.group == known.group
    differ = None not in (row.group, known.group) and not agree
    if shapely.area(a) > 0 and shapely.area(b) > 0 and apart == 0.0:
        common = float(shapely.area(shapely.intersection(a, b)))
        overlap = common / min(float(shapely.area(a)), float(shapely.area(b)))
        joint = common / float(shapely.area(a) + shapely.area(b) - common)
        if overlap >= limits.overlap_share:
            return Pair(row.key, known.key, "overlap", joint, True, 0.0, overlap, reach)
        return Pair(row.key, known.key, "near", joint, False, 0.0, overlap, reach)
    # how likely two places of these errors are so far apart when they are one
    error = math.hypot(row.error_m, known.error_m)
    weight = math.exp(-0.5 * (apart / error) ** 2) if error > 0 else 1.0
    return Pair(row.key, known.key, "near", weight, agree or (apart == 0.0 and not differ), apart, None, reach)
