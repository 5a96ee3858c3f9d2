"""Sites made to confuse identity over nights, each with what must be told of it: parts, sources, permits, clouds, lines, points."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from rivergis.encroachment.ledger import Seen

EAST, NORTH, CELL_M = 520_000.0, 3_380_000.0, 400.0


@dataclass
class Sight:
    """One detection with the incident it is of; None = it must not be told."""

    seen: Seen
    incident: str | None


@dataclass
class Site:
    """A place: its detections by night, what must be told (incident, status, first and last night), where nobody looked."""

    name: str
    sights: dict[int, list[Sight]] = field(default_factory=lambda: defaultdict(list))
    events: list[tuple[str, str, int, int]] = field(default_factory=list)
    may_grow: bool = False
    hidden: dict[int, shapely.Geometry] = field(default_factory=dict)
    looked: dict[str, set[int]] = field(default_factory=dict)
    """Source of points -> nights it looked at all of the place."""
    redrawn: set[int] = field(default_factory=set)
    statuses: list[tuple[int, str, str]] = field(default_factory=list)
    """(night, incident, status) that must stand in the table."""


class Draw:
    """Draws detections of a site: shapes in metres from the middle of its square, with jitter and misses."""

    def __init__(self, r: np.random.Generator, name: str, at: tuple[float, float], nights: int, miss: float) -> None:
        self.r, self.nights, self.miss, self.at = r, nights, miss, at
        self.site = Site(name)
        self.runs: Counter[str] = Counter()

    def box(self, x: float, y: float, w: float, h: float) -> np.ndarray:
        return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float)

    def shape(self, corners: np.ndarray, jitter: float = 1.0) -> shapely.Polygon:
        shift = np.clip(self.r.normal(0, 0.5, 2), -1.2, 1.2) * jitter
        each = np.clip(self.r.normal(0, 0.25, corners.shape), -0.6, 0.6) * jitter
        return shapely.Polygon(np.round(corners + shift + each + self.at, 3))

    def missed(self, key: str, calm: bool) -> bool:
        """Whether a detection fails tonight: never three nights running, never near an event."""
        fails = not calm and self.runs[key] < 2 and self.r.random() < self.miss
        self.runs[key] = self.runs[key] + 1 if fails else 0
        return bool(fails)

    def put(self, n: int, incident: str | None, what: Any, kind: str, source: str = "footprints", **more: Any) -> None:
        shape = what if isinstance(what, shapely.Geometry) else self.shape(what)
        key = f"{self.site.name}-{n}-{len(self.site.sights[n])}"
        self.site.sights[n].append(Sight(Seen(key, kind, shape, source, **more), incident))

    def told(self, incident: str, status: str, first: int, last: int | None = None) -> None:
        self.site.events.append((f"{self.site.name}/{incident}", status, first, first + 1 if last is None else last))

    def calm(self, n: int, *events: int) -> bool:
        return any(abs(n - e) <= 4 for e in (0, self.nights - 1, *events))


def site_two_views(d: Draw) -> None:
    """Two sources, one draws it 30 % larger, each fails by itself: nothing grows whichever of them looks."""
    d.told("a", "new", 0)
    for n in range(d.nights):
        a, b = d.missed("a", d.calm(n)), d.missed("b", d.calm(n))
        if not a or b:
            d.put(n, "a", d.box(-15, -12, 30, 24), "dump")
        if not b:
            d.put(n, "a", d.box(-17, -14, 34, 27.5), "dump", "images")


def site_split_with_a_flip(d: Draw) -> None:
    """It splits, and in the same night one part is called something else: one id."""
    a = d.nights // 3
    d.told("a", "new", 0)
    for n in range(d.nights):
        if n < a:
            if not d.missed("a", d.calm(n, a)):
                d.put(n, "a", d.box(-25, -10, 50, 20), "dump")
            continue
        d.put(n, "a", d.box(-25, -10, 18, 20), "dump")
        if not d.missed("b", d.calm(n, a)):
            d.put(n, "a", d.box(7, -10, 18, 20), "building" if n == a or n % 5 == 0 else "dump")


def site_two_parts_of_another_kind(d: Draw) -> None:
    """Cut into two quarters, both called something else from that night on."""
    a = d.nights // 3
    d.told("a", "new", 0)
    for n in range(d.nights):
        if n < a:
            d.put(n, "a", d.box(-25, -10, 50, 20), "occupation")
        else:
            d.put(n, "a", d.box(-25, -10, 14, 20), "building")
            d.put(n, "a", d.box(11, -10, 14, 20), "building")


def site_parts_move_apart(d: Draw) -> None:
    a = d.nights // 3
    d.told("a", "new", 0)
    for n in range(d.nights):
        away = max(n - a, 0) * 1.0
        if n < a:
            d.put(n, "a", d.box(-20, -10, 40, 20), "dump")
        elif not d.missed("a", d.calm(n, a)):
            d.put(n, "a", d.box(-20 - away, -10, 18, 20), "dump")
            d.put(n, "a", d.box(2 + away, -10, 18, 20), "dump")


def site_younger_is_larger(d: Draw) -> None:
    """Two become one; the younger one was the larger: the eldest goes on all the same."""
    a = d.nights // 2
    d.site.may_grow = True
    d.told("a", "new", 0)
    d.told("b", "new", 5)
    d.told("b", "merged", a, a + 3)
    for n in range(d.nights):
        if n >= a:
            d.put(n, "a", d.box(-40, -15, 80, 30), "dump")
            continue
        if not d.missed("a", d.calm(n, a)):
            d.put(n, "a", d.box(-40, -8, 18, 16), "dump")
        if n >= 5 and not d.missed("b", d.calm(n, a, 5)):
            d.put(n, "b", d.box(-14, -15, 54, 30), "dump")


def site_three_become_one(d: Draw) -> None:
    a = d.nights // 2
    d.site.may_grow = True
    for name, born in (("a", 0), ("b", 3), ("c", 6)):
        d.told(name, "new", born)
        if name != "a":
            d.told(name, "merged", a, a + 3)
    for n in range(d.nights):
        if n >= a:
            d.put(n, "a", d.box(-50, -10, 100, 20), "quarry")
            continue
        for i, (name, born) in enumerate((("c", 6), ("a", 0), ("b", 3))):
            if n >= born and not d.missed(name, d.calm(n, a, born)):
                d.put(n, name, d.box(-50 + 36 * i, -10, 28, 20), "quarry")


def site_split_then_merge(d: Draw) -> None:
    """An elder splits; one of its parts is swallowed by a younger neighbour; the elder goes on with the other part."""
    a, b = d.nights // 3, 2 * d.nights // 3
    d.site.may_grow = True
    d.told("a", "new", 0)
    d.told("b", "new", 4)
    for n in range(d.nights):
        if n < a:
            d.put(n, "a", d.box(-40, -10, 50, 20), "dump")
        else:
            d.put(n, "a", d.box(-40, -10, 18, 20), "dump")
        if a <= n < b:
            d.put(n, "a", d.box(-8, -10, 18, 20), "dump")
        if 4 <= n < b:
            d.put(n, "b", d.box(16, -14, 40, 28), "dump")
        elif n >= b:
            d.put(n, "b", d.box(-8, -14, 64, 28), "dump")


def site_half_a_permit(d: Draw) -> None:
    """A permit begins for half of it and ends again: it has neither shrunk nor grown, and goes on."""
    a, b = d.nights // 3, 2 * d.nights // 3
    d.told("a", "new", 0)
    for n in range(d.nights):
        whole = d.shape(d.box(-20, -12, 40, 24))
        permit = shapely.box(d.at[0], d.at[1] - 40, d.at[0] + 60, d.at[1] + 40)
        if not d.missed("a", d.calm(n, a, b)):
            d.put(n, "a", whole.difference(permit) if a <= n < b else whole, "dump", whole=whole)


def site_a_whole_permit(d: Draw) -> None:
    """A permit for all of it closes it; when it ends, it is new."""
    a, b = d.nights // 3, 2 * d.nights // 3
    d.told("a", "new", 0)
    d.told("a", "gone", a, a + 3)
    d.told("b", "new", b)
    for n in range(d.nights):
        under = a <= n < b
        incident = None if under else "a" if n < a else "b"
        d.put(n, incident, d.box(-20, -12, 40, 24), "dump", untold="permitted" if under else None)


def site_half_in_cloud(d: Draw) -> None:
    """Cloud hides half of it for some nights, then all of it: it goes on, and nothing of it has shrunk."""
    a = d.nights // 3
    d.told("a", "new", 0)
    for n in range(d.nights):
        whole = d.shape(d.box(-20, -12, 40, 24))
        if a <= n < a + 6:
            cloud = shapely.box(d.at[0] - (0 if n < a + 4 else 60), d.at[1] - 60, d.at[0] + 60, d.at[1] + 60)
            d.site.hidden[n] = cloud
            whole = whole.difference(cloud)
        if not whole.is_empty and not d.missed("a", d.calm(n, a, a + 6)):
            d.put(n, "a", whole, "dump")


def site_heap_from_night_one(d: Draw) -> None:
    """A heap on a yard from the first night; later it is called what the yard is called, and either may be missed."""
    for name in "ab":
        d.told(name, "new", 0)
    for n in range(d.nights):
        if not d.missed("a", d.calm(n)):
            d.put(n, "a", d.box(-30, -25, 60, 50), "occupation")
        if not d.missed("b", d.calm(n)):
            d.put(n, "b", d.box(2, -14, 18, 16), "occupation" if n % 6 == 5 else "dump")


def site_many_lives(d: Draw) -> None:
    """Cleaned and back, three times within the nights of a rebound: one id."""
    period = max(d.nights // 4, 10)
    d.told("a", "new", 0)
    for n in range(d.nights):
        if n % period < period - 5:
            d.put(n, "a", d.box(-14, -10, 28, 20), "dump" if n // period % 2 else "occupation")
        if n % period == period - 3:
            d.told("a", "gone", n)
        if n and n % period == 0:
            d.told("a", "rebound", n)


def site_line_redrawn(d: Draw) -> None:
    """The line moves and leaves it outside, then moves back: it stays known all the time."""
    a, b = d.nights // 3, 2 * d.nights // 3
    d.site.redrawn |= {a, b}
    d.told("a", "new", 0)
    for n in range(d.nights):
        out = a <= n < b
        d.put(n, None if out else "a", d.box(-14, -10, 28, 20), "building", untold="outside" if out else None)
        d.site.statuses += [(n, "a", "left_by_redraw")] if out else [(n, "a", "persisting")] if n == b else []


def site_half_redrawn(d: Draw) -> None:
    """The line moves through it: half of it is left inside, which is no change of the object; then it moves back."""
    a, b = d.nights // 3, 2 * d.nights // 3
    d.site.redrawn |= {a, b}
    d.told("a", "new", 0)
    for n in range(d.nights):
        whole = d.shape(d.box(-20, -12, 40, 24))
        inside = whole.intersection(shapely.box(d.at[0] - 60, d.at[1] - 60, d.at[0], d.at[1] + 60))
        d.put(n, "a", inside if a <= n < b else whole, "building", whole=whole)


def site_across_the_line(d: Draw) -> None:
    """It stands across the line and slips over it by the error of each picture: nothing grows."""
    d.told("a", "new", 0)
    line = shapely.box(d.at[0] - 100, d.at[1], d.at[0] + 100, d.at[1] + 100)
    for n in range(d.nights):
        whole = d.shape(d.box(-25, -7, 50, 14))
        if not d.missed("a", d.calm(n)):
            d.put(n, "a", whole.intersection(line), "building", whole=whole)


def site_row_of_neighbours(d: Draw) -> None:
    """Five sheds three metres apart, each failing by itself."""
    for i, name in enumerate("abcde"):
        d.told(name, "new", 0)
        for n in range(d.nights):
            if not d.missed(name, d.calm(n)):
                d.put(n, name, d.box(-80 + 23 * i, -10, 20, 20), "building")


def site_slow_creep(d: Draw) -> None:
    """Half a per cent a night, told by two sources that draw it differently."""
    d.site.may_grow = True
    d.told("a", "new", 0)
    size = [1.005**n for n in range(d.nights)]
    high = [n for n in range(d.nights) if size[n] >= 1.2]
    if high:
        d.told("a", "grown", next(n for n in range(d.nights) if size[n] >= 1.05), high[0] + 3)
    for n in range(d.nights):
        w = 40 * size[n]
        if n % 2 == 0 or n < 4:
            d.put(n, "a", d.box(-20, -20, w, 40), "quarry")
        if n % 2 == 1 or n < 4:
            d.put(n, "a", d.box(-22, -22, w * 1.1, 46), "quarry", "images")


def site_stale_source(d: Draw) -> None:
    """One source shows the growth at once, the other a fortnight later: told once."""
    a = d.nights // 3
    d.told("a", "new", 0)
    d.told("a", "grown", a, a + 3)
    for n in range(d.nights):
        if not d.missed("a", d.calm(n, a)):
            d.put(n, "a", d.box(-20, -12, 40 if n < a else 64, 24), "dump")
        d.put(n, "a", d.box(-20, -12, 40 if n < a + 14 else 64, 24), "dump", "images")


def site_cut_by_a_county_line(d: Draw) -> None:
    """One office delivers it whole, another cut along its border, in turn or together: one lead all the time."""
    d.told("a", "new", 0)
    for n in range(d.nights):
        if n % 3 != 1:
            d.put(n, "a", d.box(-30, -12, 60, 24), "occupation")
        if n % 3 != 0:
            whole = d.shape(d.box(-30, -12, 60, 24))
            border = shapely.box(d.at[0] - 200, d.at[1] - 200, d.at[0] + 4, d.at[1] + 200)
            d.put(n, "a", whole.intersection(border), "occupation", "border")
            d.put(n, "a", whole.difference(border), "occupation", "border")


def site_removed_under_cloud(d: Draw) -> None:
    """Removed while nobody can look: gone only after three nights that somebody did."""
    a = d.nights // 3
    d.told("a", "new", 0)
    d.told("a", "gone", a + 10, a + 10)
    for n in range(a):
        d.put(n, "a", d.box(-14, -10, 28, 20), "dump")
    for n in range(a, a + 8):
        d.site.hidden[n] = shapely.Point(d.at).buffer(60)


def site_yard_round_a_heap(d: Draw) -> None:
    """A yard is laid out round an old heap, which is not seen that night: the heap stays what it is, the yard is new."""
    a = d.nights // 3
    d.told("a", "new", 0)
    d.told("b", "new", a)
    for n in range(d.nights):
        if n != a:
            d.put(n, "a", d.box(-8, -8, 16, 14), "dump")
        if n >= a and not d.missed("b", d.calm(n, a)):
            d.put(n, "b", d.box(-30, -25, 60, 50), "occupation")


def site_back_after_too_long(d: Draw) -> None:
    """Back after more nights than a rebound may take: another lead."""
    a = 8
    d.told("a", "new", 0)
    d.told("a", "gone", a + 2)
    d.told("b", "new", a + 26)
    for n in range(d.nights):
        if n < a or n >= a + 26:
            d.put(n, "a" if n < a else "b", d.box(-14, -10, 28, 20), "dump")


def site_merged_gone_and_back(d: Draw) -> None:
    """Two become one, all is cleaned, and both stand again: both ids come back."""
    a, b, c = 12, 20, 30
    d.site.may_grow = True
    for name in "ab":
        d.told(name, "new", 0)
    for n in range(d.nights):
        if a <= n < b:
            d.put(n, "a", d.box(-40, -10, 80, 20), "dump")
        elif n < a or n >= c:
            d.put(n, "a", d.box(-40, -10, 36, 20), "dump")
            d.put(n, "b", d.box(6, -10, 34, 20), "dump")
    d.told("b", "merged", a, a + 3)
    d.told("a", "gone", b + 2)
    d.told("a", "rebound", c)
    d.told("b", "rebound", c)


def site_point_is_evidence(d: Draw) -> None:
    """An inspector's point beside a heap, within its accuracy: the heap's."""
    d.told("a", "new", 0)
    for n in range(d.nights):
        d.put(n, "a", d.box(-14, -10, 28, 20), "dump")
        if n % 7 == 3:
            d.put(n, "a", shapely.Point(d.at[0] + 17, d.at[1] + 2), "dump", "inspector", accuracy_m=8.0)


def site_point_between_two(d: Draw) -> None:
    """A point between two heaps is its own lead, and no picture makes it disappear."""
    for name in "ab":
        d.told(name, "new", 0)
    d.told("p", "new", 8)
    for n in range(d.nights):
        d.put(n, "a", d.box(-30, -10, 24, 20), "dump")
        d.put(n, "b", d.box(6, -10, 24, 20), "dump")
        if n in (8, 20):
            d.put(n, "p", shapely.Point(d.at[0] + n / 10, d.at[1]), "dump", "inspector", accuracy_m=10.0)


def site_point_then_outline(d: Draw) -> None:
    """Reported as a point, then drawn from a picture: one lead; then cleaned."""
    a, b = 6, 2 * d.nights // 3
    d.told("a", "new", 0)
    d.told("a", "gone", b + 2)
    d.put(0, "a", shapely.Point(d.at[0] + 4, d.at[1]), "dump", "inspector", accuracy_m=10.0)
    for n in range(a, b):
        d.put(n, "a", d.box(-14, -10, 28, 20), "dump")


def site_inspector_comes_back(d: Draw) -> None:
    """A point lead is gone after its own source has looked three times without it."""
    d.told("a", "new", 2)
    d.told("a", "gone", 30, 30)
    d.site.looked["inspector"] = {10, 20, 30}
    d.put(2, "a", shapely.Point(d.at), "dump", "inspector", accuracy_m=10.0)


SITES: dict[str, Callable[[Draw], None]] = {k[5:]: v for k, v in globals().items() if k.startswith("site_")}


def scenario(seed: int, nights: int, copies: int) -> list[Site]:
    """Sites of every kind, each in its square; rates of misses differ by seed."""
    r = np.random.default_rng(seed)
    miss = (0.04, 0.12, 0.2)[seed % 3]
    sites = []
    for i, (name, draw) in enumerate((f"{k}{c}", f) for c in range(copies) for k, f in SITES.items()):
        at = (EAST + CELL_M * (i % 12) + r.uniform(-20, 20), NORTH + CELL_M * (i // 12) + r.uniform(-20, 20))
        d = Draw(r, name, at, nights, miss)
        draw(d)
        sites.append(d.site)
    return sites
