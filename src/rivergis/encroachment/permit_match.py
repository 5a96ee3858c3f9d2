"""Does what stands match a permit (许可) by content, position and limits? Each: yes, no, or not told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import shapely

from rivergis.encroachment.severity import Measured
from rivergis.rules import RuleView

YES, NO, NOT_TOLD = "yes", "no", "not_told"
PERMANENT = "permanent_work"


@dataclass(frozen=True)
class Permitted:
    """What a permit says, as far as it says it; geometry in the metres of the object it is compared with."""

    code: str
    doc_no: str | None
    allows: str  # candidate kind
    kind: str  # permanent_work, temporary_use, sand_mining, dredging
    position_kind: str  # polygon, stretch, point, name
    geometry: shapely.Geometry | None = None
    word: str | None = None
    """What work or use it permits, in its own words (桥梁, 码头 ...); None = it says no more than the kind."""
    valid_from: date | None = None
    valid_to: date | None = None
    accepted_on: date | None = None
    bank: str | None = None
    from_m: float | None = None
    to_m: float | None = None
    limits: dict[str, float] = field(default_factory=dict)
    """Largest size it permits by unit (m2, m, m3, count); empty = it names no size."""
    id: str | None = None
    version: int | None = None


@dataclass(frozen=True)
class PermitMatch:
    """One object against one permit; ``why`` holds a reason of the catalogue (group ``permit_match``) for each answer."""

    permit: str
    doc_no: str | None
    content: str
    position: str
    limits: str
    offset_m: float | None
    """How far the farthest part of what stands lies outside what is permitted, m; 0 = wholly within it."""
    why: tuple[str, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    version: int | None = None

    @property
    def outcome(self) -> str:
        """matches (all yes), differs (one no), or open (something is not told, or whether the permit is for this at all)."""
        answers = {self.content, self.position, self.limits}
        if self.content != NOT_TOLD and NO in answers:
            return "differs"
        return "open" if NOT_TOLD in answers else "matches"


@dataclass(frozen=True)
class Standing:
    """What stands: kind, the source's own word, shape in metres, sizes by unit, and its stretch of bank."""

    kind: str
    shape: shapely.Geometry
    word: str | None = None
    measured: Mapping[str, Measured] = field(default_factory=dict)
    bank: str | None = None
    from_m: float | None = None
    to_m: float | None = None


def match(stands: Standing, permit: Permitted, view: RuleView) -> PermitMatch:
    """Was it built according to the permitted content, position and limits, on the day of ``view``?

    What the permit or the source does not tell is not told; it is never taken for a yes. A permit of another kind
    differs in content. Source: evidence of 不是问题 in the verification of patches (长寿 2025-11-07).
    """
    content, what = _content(stands, permit, view)
    position, where, offset = _position(stands, permit, view)
    limits, sizes, figures = _limits(stands, permit, view)
    return PermitMatch(
        permit.code,
        permit.doc_no,
        content,
        position,
        limits,
        None if offset is None else round(offset, 2),
        (what, where, *sizes),
        figures,
        permit.id,
        permit.version,
    )


def _content(stands: Standing, permit: Permitted, view: RuleView) -> tuple[str, str]:
    if stands.kind == "unknown":
        return NOT_TOLD, "kind_unknown"
    if permit.allows != stands.kind:
        return NO, "another_kind"
    codes = [view.class_of(stands.kind, w) for w in (stands.word, permit.word)]
    if permit.word is None:
        covers = permit.geometry is None or permit.geometry.intersects(stands.shape)
        return (YES, "by_kind") if covers else (NOT_TOLD, "by_kind_beside")
    if any(c.told_by != "word" for c in codes):
        same = stands.word is not None and stands.word.strip() == permit.word.strip()
        return (YES, "same_word") if same else (NOT_TOLD, "word_unknown")
    return (YES, "same_class") if codes[0].taxon.code == codes[1].taxon.code else (NO, "another_work")


def _position(stands: Standing, permit: Permitted, view: RuleView) -> tuple[str, str, float | None]:
    if permit.geometry is not None and not permit.geometry.is_empty:
        tolerance = view.number("encroach.permit.match_tolerance")
        offset = offset_m(stands.shape, permit.geometry)
        return (YES, "in_place", offset) if offset <= tolerance else (NO, "beside", offset)
    if permit.position_kind != "stretch" or None in (permit.from_m, permit.to_m):
        return NOT_TOLD, "no_place", None
    if stands.bank is None or stands.from_m is None or stands.to_m is None:
        return NOT_TOLD, "object_not_located", None
    if permit.bank in ("left", "right") and permit.bank != stands.bank:
        return NO, "other_bank", None
    assert permit.from_m is not None and permit.to_m is not None
    over = max(permit.from_m - stands.from_m, stands.to_m - permit.to_m, 0.0)
    on_it = over <= view.number("encroach.permit.place_tolerance")
    return (YES, "on_stretch", over) if on_it else (NO, "off_stretch", over)


def offset_m(shape: shapely.Geometry, permitted: shapely.Geometry) -> float:
    """How far the farthest part of an object lies outside what is permitted, m.

    A permit that is a point or a line has no extent: there the nearest part of the object counts.
    """
    if permitted.area == 0:
        return float(shape.distance(permitted))
    size = max(float(np.hypot(*np.ptp(np.reshape(shape.bounds, (2, 2)), axis=0))), 1e-3)
    corners = shapely.points(shapely.get_coordinates(shapely.segmentize(shape, max(1.0, size / 50))))
    return float(shapely.distance(corners, permitted).max())


def _limits(stands: Standing, permit: Permitted, view: RuleView) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """Dates and sizes together: no if one is exceeded, yes only if the permit names a size and all hold."""
    answers = [_dates(permit, view.on)]
    figures: dict[str, Any] = {}
    for unit, limit in sorted(permit.limits.items()):
        answers.append(_size(stands.measured.get(unit), limit, view))
        figures[f"limit_{unit}"] = limit
    if not permit.limits:
        answers.append((NOT_TOLD, "no_size_in_permit"))
    said = {a for a, _ in answers}
    whole = NO if NO in said else NOT_TOLD if NOT_TOLD in said else YES
    return whole, tuple(dict.fromkeys(why for _, why in answers)), figures


def _dates(permit: Permitted, on: date) -> tuple[str, str]:
    if permit.valid_from is not None and on < permit.valid_from:
        return NO, "not_begun"
    if permit.valid_to is None or on <= permit.valid_to:
        return YES, "in_force"
    if permit.kind != PERMANENT:
        return NO, "ended"
    accepted = permit.accepted_on is not None and permit.accepted_on <= on
    return (YES, "accepted") if accepted else (NOT_TOLD, "acceptance_not_seen")


def _size(measured: Measured | None, limit: float, view: RuleView) -> tuple[str, str]:
    """A size against its limit, with its error bar: where the bar crosses the limit nothing is told."""
    if measured is None:
        return NOT_TOLD, "size_not_measured"
    if measured.sigma is None:
        return NOT_TOLD, "size_error_unknown"
    spread = view.number("encroach.severity.sigmas") * measured.sigma
    if measured.value + spread <= limit:
        return YES, "within_size"
    return (NO, "over_size") if measured.value - spread > limit else (NOT_TOLD, "size_within_error")
