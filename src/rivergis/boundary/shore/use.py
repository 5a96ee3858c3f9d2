"""Permitted against used shoreline (岸线占用): how much of what a permit takes is used, and what is used outside of any permit.

What comes out are things to be looked at (线索): a permit that looks unused (占而不用) or little used (多占少用) in what was observed,
and a use that no permit covers. Whether anything is wrong a person finds out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rivergis.boundary.shore.function_zones import Laid, Shore, Stretch, common, long, minus


@dataclass(frozen=True)
class UseLimits:
    """Shares of a permit's length: used up to ``idle`` it looks unused, up to ``little`` little used; observed below ``observed`` tells nothing."""

    idle: float
    little: float
    observed: float
    shortest_m: float


@dataclass(frozen=True)
class PermitUse:
    """A permit with its length along the shoreline, what of it is used and observed, and what that asks: see ``judged``."""

    permit: str
    river: str
    bank: str
    from_m: float
    to_m: float
    permitted_m: float
    used_m: float
    observed_share: float | None
    uses: tuple[str, ...]
    judged: str
    """in_use, little_used (多占少用), unused (占而不用) or cannot_tell."""

    @property
    def used_share(self) -> float:
        return self.used_m / self.permitted_m if self.permitted_m else 0.0


@dataclass(frozen=True)
class Outside:
    """A stretch that is used and lies in no permit that was given."""

    river: str
    bank: str
    from_m: float
    to_m: float
    length_m: float
    uses: tuple[str, ...]


def of_permits(
    permits: Sequence[Laid],
    uses: Sequence[Laid],
    observed: Sequence[Laid] | None,
    shores: Sequence[Shore],
    limits: UseLimits,
) -> list[PermitUse]:
    """Each permit against the uses on its stretch. ``observed``: stretches that were looked at; None: all were."""
    return [_permit(p, uses, observed, shores[p.shore], limits) for p in permits]


def _permit(
    permit: Laid, uses: Sequence[Laid], observed: Sequence[Laid] | None, shore: Shore, limits: UseLimits
) -> PermitUse:
    mine = [u for u in uses if u.shore == permit.shore and _meets(u.stretch, permit.stretch)]
    used = long(common([u.stretch for u in mine], [permit.stretch]))
    seen = None
    if observed is not None and permit.length_m:
        looked = common([o.stretch for o in observed if o.shore == permit.shore], [permit.stretch])
        seen = long(looked) / permit.length_m
    judged = _judged(used / permit.length_m if permit.length_m else None, bool(mine), seen, limits)
    a, b = (shore.at_m(s) for s in permit.stretch)
    names = tuple(dict.fromkeys(u.zone.name for u in mine))
    return PermitUse(permit.zone.name, shore.river, shore.bank, a, b, permit.length_m, used, seen, names, judged)


def _judged(share: float | None, met: bool, seen: float | None, limits: UseLimits) -> str:
    """What a permit looks like by the share of it that is used, whether anything stands there, and how much was observed."""
    if share is not None and share > limits.little:
        return "in_use"
    if share is None or (seen is not None and seen < limits.observed):
        return "cannot_tell"
    return "unused" if share <= limits.idle and not met else "little_used"


def _meets(one: Stretch, other: Stretch) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def outside(permits: Sequence[Laid], uses: Sequence[Laid], shores: Sequence[Shore], limits: UseLimits) -> list[Outside]:
    """Stretches that are used and in no permit, longer than ``shortest_m``."""
    out = []
    for n, shore in enumerate(shores):
        mine = [u for u in uses if u.shore == n]
        free = minus([u.stretch for u in mine], [p.stretch for p in permits if p.shore == n])
        for a, b in free:
            if b - a >= limits.shortest_m:
                names = tuple(dict.fromkeys(u.zone.name for u in mine if _meets(u.stretch, (a, b))))
                out.append(Outside(shore.river, shore.bank, shore.at_m(a), shore.at_m(b), b - a, names))
    return out


def allowed(word: str | None, uses: Iterable[str]) -> str:
    """Whether a use is one of those allowed inside a line: ``yes``, ``not_listed`` (a person looks), ``unknown`` without a word.

    >>> allowed("取水泵站", ["防洪", "取水"]), allowed("仓库", ["防洪"]), allowed(None, ["防洪"])
    ('yes', 'not_listed', 'unknown')
    """
    said = unicodedata.normalize("NFKC", word or "").strip()
    if not said:
        return "unknown"
    return "yes" if any(u in said for u in uses) else "not_listed"
