"""What a lead remembers from night to night: all that the next night needs, as one plain record.

Areas are remembered for each source apart, because two sources draw the same heap 30 % apart and a lead must not grow
whenever the other one looks. Source of the rule for growth: the area last acknowledged is the median of three sights,
so that slow creep is told and jitter is not (design notes on identity over nights).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from rivergis.rules import RuleView

_OFTEN = 0.25  # share of the nights of the commonest kind: below it a kind is a slip of the classifier


@dataclass(frozen=True)
class NightLimits:
    """Thresholds of identity over nights; shares and ratios 0 to 1 unless said, areas in m2, counts in nights."""

    min_overlap: float
    """Shared area over the smaller of two that makes them the same place."""
    match_iou: float
    """Shared over joint area from which things of different kinds may still be the same lead over nights."""
    same_thing_iou: float
    """Shared over joint area from which two detections of one night are one thing, whatever their kind."""
    part_share: float
    """Share of the smaller from which two detections of one kind in one night are one thing, and a part is a part."""
    gone_after: int
    """Observed nights without it until it is gone."""
    rebound_within: int
    """Nights since the last sight within which the same place is a rebound."""
    growth_ratio: float
    """Times the area last acknowledged (1.1 = a tenth more)."""
    growth_min_m2: float
    growth_sights: int
    """Sights running that must show the change."""
    reference_sights: int
    """Sights whose median is the area acknowledged."""
    min_observed: float
    """Share of a place that must be looked at to judge."""
    same_name_within_m: float
    """How far the footprint of an object may jump while its lasting name still makes it the same lead, m."""

    @classmethod
    def of(cls, view: RuleView) -> NightLimits:
        """The limits of the rule book at a place on a day (keys ``encroach.nights.*``)."""
        return cls(
            min_overlap=view.number("encroach.nights.min_overlap"),
            match_iou=view.number("encroach.nights.match_iou"),
            same_thing_iou=view.number("encroach.nights.same_thing_iou"),
            part_share=view.number("encroach.nights.part_share"),
            gone_after=int(view.number("encroach.nights.gone_after_observed")),
            rebound_within=int(view.number("encroach.nights.rebound_within")),
            growth_ratio=view.number("encroach.nights.growth_ratio"),
            growth_min_m2=view.number("encroach.nights.growth_min_area"),
            growth_sights=int(view.number("encroach.nights.growth_sights")),
            reference_sights=int(view.number("encroach.nights.reference_sights")),
            min_observed=view.number("encroach.nights.min_observed_share"),
            same_name_within_m=view.number("encroach.nights.same_name_within"),
        )


@dataclass(frozen=True)
class Size:
    """Areas of a lead as one source draws it, m2: the first and the last few sights, and what is acknowledged.

    ``own`` is what this source has shown; ``told`` differs only while another source has told a change that this one has
    not shown yet.
    """

    first: tuple[float, ...]
    last: tuple[float, ...]
    own: float
    told: float
    up: int = 0
    """Sights running that were larger than both."""
    down: int = 0
    """Sights running that were smaller than both."""

    @classmethod
    def at(cls, *areas_m2: float) -> Size:
        """Acknowledge these sights, and nothing before them."""
        middle = float(median(areas_m2))
        return cls(areas_m2, areas_m2, middle, middle)

    @property
    def low(self) -> float:
        return min(self.own, self.told)

    @property
    def high(self) -> float:
        return max(self.own, self.told)

    def seen_again(self, area_m2: float, limits: NightLimits) -> Size:
        """One sight more: counts what is larger or smaller than acknowledged, and learns while there are few sights."""
        last = (*self.last, area_m2)[-limits.reference_sights :]
        up = self.up + 1 if _exceeds(area_m2, self.high, limits) else 0
        down = self.down + 1 if _exceeds(self.low, area_m2, limits) else 0
        size = replace(self, last=last, up=up, down=down)
        if len(self.first) < limits.reference_sights:
            first = (*self.first, area_m2)
            middle = float(median(first))
            return replace(size, first=first, own=middle, told=middle)
        return size._settled(limits)

    def _settled(self, limits: NightLimits) -> Size:
        """Whether this source has caught up with a change that another one told: then that is its area too."""
        near = all(self.told / limits.growth_ratio <= a <= self.told * limits.growth_ratio for a in self.last)
        caught_up = self.own != self.told and len(self.last) >= limits.reference_sights and near
        return Size.at(*self.last) if caught_up else self

    def plus(self, other: Size) -> Size:
        """Two leads go on as one: both areas are acknowledged together."""
        first, last = (tuple(a + other.own for a in areas) for areas in (self.first, self.last))
        return Size(first, last, self.own + other.own, self.told + other.told)


def _exceeds(more_m2: float, less_m2: float, limits: NightLimits) -> bool:
    return more_m2 >= less_m2 * limits.growth_ratio and more_m2 >= less_m2 + limits.growth_min_m2


Sizes = Mapping[str, Size]


@dataclass(frozen=True)
class Measured:
    """Sizes of a lead by source: of its ground inside the line, and of the whole objects that it is part of.

    A change counts where both show it: an object that slips across the line by the error of a picture, or a permit that
    ends under half of it, has made neither of them larger.
    """

    inside: Sizes = field(default_factory=dict)
    whole: Sizes = field(default_factory=dict)

    @classmethod
    def at(cls, inside_m2: Mapping[str, float], whole_m2: Mapping[str, float]) -> Measured:
        """Tonight's areas (by source, m2) are acknowledged, and nothing before them."""
        return cls(*({s: Size.at(a) for s, a in areas.items()} for areas in (inside_m2, whole_m2)))

    def seen_again(
        self, inside_m2: Mapping[str, float], whole_m2: Mapping[str, float], limits: NightLimits
    ) -> tuple[Measured, str | None]:
        """After a full sight; and ``grown`` or ``shrunk`` if that is to be told.

        Grown when one source has shown it often enough; shrunk when one has and none of tonight's says otherwise. What the
        others have not shown yet is acknowledged for them, so that it is told once.
        """
        inside, whole = _again(self.inside, inside_m2, limits), _again(self.whole, whole_m2, limits)
        now, sights = Measured({**self.inside, **inside}, {**self.whole, **whole}), limits.growth_sights
        larger = [s for s in inside if min(inside[s].up, whole[s].up) >= sights]
        if larger:
            return now._acknowledged(larger), "grown"
        smaller = [s for s in inside if min(inside[s].down, whole[s].down) >= sights]
        if smaller and all(z.down for z in inside.values()):
            return now._acknowledged(smaller), "shrunk"
        return now, None

    def _acknowledged(self, told: Sequence[str]) -> Measured:
        return Measured(_acknowledged(self.inside, told), _acknowledged(self.whole, told))

    def plus(self, other: Measured) -> Measured:
        """Two leads go on as one."""
        return Measured(_joined(self.inside, other.inside), _joined(self.whole, other.whole))


def _again(sizes: Sizes, areas_m2: Mapping[str, float], limits: NightLimits) -> dict[str, Size]:
    return {s: sizes[s].seen_again(a, limits) if s in sizes else Size.at(a) for s, a in areas_m2.items()}


def _acknowledged(sizes: Sizes, told: Sequence[str]) -> Sizes:
    """The sources that showed it stand at their last sights; the others are told that it has changed by as much."""
    factor = median(median(sizes[s].last) / sizes[s].told for s in told)
    return {
        s: Size.at(*z.last) if s in told else replace(z, up=0, down=0, told=z.told * factor) for s, z in sizes.items()
    }


def _joined(a: Sizes, b: Sizes) -> Sizes:
    return {s: a[s].plus(b[s]) if s in a and s in b else (a.get(s) or b[s]) for s in {**a, **b}}


@dataclass(frozen=True)
class Carried:
    """All the next night needs of a lead beside its id and footprint; ``record`` and ``of`` are its plain form."""

    kind: str
    """Kind of the largest thing seen of it at the last sight."""
    kinds: Mapping[str, int]
    """Kinds it was ever told as -> nights; a classifier flips, a lead does not."""
    born: str
    """Civil day of the first night, ISO."""
    last_seen: str
    """Civil day of the last sight, ISO."""
    sources: tuple[str, ...]
    """Sources that ever showed it, sorted: only they can miss it."""
    sizes: Measured = field(default_factory=Measured)
    """Areas by source; empty for points."""
    area_m2: float | None = None
    """Joint area at the last full sight; None for points."""
    accuracy_m: float = 0.0
    """Position error of a point lead, m."""
    identities: tuple[str, ...] = ()
    """Lasting names of its objects in their sources at the last sight."""
    parts: int = 1
    """Pieces of ground at most, since it is known."""
    absent: int = 0
    """Sights running that showed only some of its separate pieces of ground."""
    missed: int = 0
    """Observed nights running without it."""
    left: bool = False
    """A line was redrawn and the object stands outside now."""
    closed: str | None = None
    """gone, permitted or merged; None while it is open."""

    @property
    def usual_kinds(self) -> frozenset[str]:
        """Kind of the last sight and those told often: what a detection of the same thing may be called."""
        often = max(self.kinds.values())
        return frozenset({self.kind, *(k for k, n in self.kinds.items() if n >= _OFTEN * often)})

    def seen_as_it_was(
        self, times: int, last_seen: str, kinds: Iterable[str], sources: Iterable[str], limits: NightLimits
    ) -> Carried:
        """After so many more sights of the same detections by these sources, the last on a day."""
        if times <= 0:
            return self
        counted = Counter(self.kinds) + Counter(dict.fromkeys(kinds, times))
        sizes = self.sizes
        for _ in range(times):
            before, (sizes, _told) = sizes, self._again(sizes, sources, limits)
            if sizes == before:
                break
        return replace(self, kinds=dict(sorted(counted.items())), last_seen=last_seen, sizes=sizes)

    def would_stay(self, sources: Iterable[str], limits: NightLimits) -> bool:
        """Whether sights of the same detections by these sources would tell nothing, however many there are."""
        sizes = self.sizes
        moving = any(z.up or z.down for of in (sizes.inside, sizes.whole) for z in of.values())
        if moving or self.missed or self.absent or self.closed:
            return False
        for _ in range(limits.reference_sights + limits.growth_sights):
            sizes, told = self._again(sizes, sources, limits)
            if told:
                return False
        return True

    @staticmethod
    def _again(sizes: Measured, sources: Iterable[str], limits: NightLimits) -> tuple[Measured, str | None]:
        inside, whole = ({s: z.last[-1] for s, z in of.items() if s in sources} for of in (sizes.inside, sizes.whole))
        return sizes.seen_again(inside, whole, limits)

    def record(self) -> dict[str, Any]:
        """Plain and JSON-ready; ``Carried.of`` reads it back equal."""
        sizes = {
            part: {
                source: {**vars(size), "first": list(size.first), "last": list(size.last)}
                for source, size in of.items()
            }
            for part, of in vars(self.sizes).items()
        }
        lists = {k: list(getattr(self, k)) for k in ("sources", "identities")}
        return {**vars(self), **lists, "kinds": dict(self.kinds), "sizes": sizes}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Carried:
        """Read a plain record back."""
        sizes = Measured(*({s: _size(z) for s, z in record["sizes"][k].items()} for k in ("inside", "whole")))
        lists = {k: tuple(record[k]) for k in ("sources", "identities")}
        return cls(**{**record, **lists, "sizes": sizes})

    @classmethod
    def bare(
        cls,
        kind: str,
        area_m2: float | None,
        *,
        source: str,
        born: str,
        last_seen: str,
        identity: str | None = None,
        accuracy_m: float = 0.0,
        missed: int = 0,
        closed: str | None = None,
    ) -> Carried:
        """A memory made of bare columns, for leads that were recorded before they had one."""
        return cls(
            kind=kind,
            kinds={kind: 1},
            born=born,
            last_seen=last_seen,
            sources=(source,),
            sizes=Measured.at(*([{source: area_m2}] * 2)) if area_m2 else Measured(),
            area_m2=area_m2 or None,
            accuracy_m=accuracy_m,
            identities=() if identity is None else (identity,),
            missed=missed,
            closed=closed,
        )


def _size(plain: Mapping[str, Any]) -> Size:
    return Size(**{**plain, "first": tuple(plain["first"]), "last": tuple(plain["last"])})
