"""Draft boundary lines for a whole set of reaches (划界草案): each bank from its rule, joined at nodes, with the area between.

Where a levee stands, its outer toe plus the berm land of its grade and jurisdiction; else the flood level, the bank plus a
distance, or a surrogate, in this order, as far as files and rules give it. 《河道管理条例》第二十条, 《防洪法》第二十一条.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis.boundary.drafting import drawn as draft_drawn
from rivergis.boundary.drafting import islands as draft_islands
from rivergis.boundary.drafting import rules as draft_rules
from rivergis.boundary.drafting.chains import followers
from rivergis.boundary.drafting.course import Piece, joined, laid, outermost, within, without
from rivergis.boundary.drafting.curves import Curve, axis_curve, laid_along, parallel
from rivergis.boundary.drafting.edges import Linework, Looks, edge, seen
from rivergis.boundary.drafting.frames import SIDES, Basis, Draft, Note, Reach
from rivergis.boundary.drafting.nodes import Corner, Courses, corners_of, meet, nodes_of
from rivergis.boundary.drafting.rules import Answer, Drawing
from rivergis.boundary.drafting.spoil import Spoil, moved_out
from rivergis.boundary.drafting.standing import Standing, cut_off
from rivergis.rules import RuleView


@dataclass(frozen=True)
class Work:
    """A levee or flood wall beside one bank: its outer (landward) toe, what rules ask of it, where it comes from.

    ``virtual_m``: for a flood wall, how far behind it the toe of the virtual levee lies.
    """

    reach: int
    bank: str
    toe: shapely.LineString
    facts: Mapping[str, Any]
    source: Mapping[str, Any]
    drawn_by: str = "levee_toe"
    virtual_m: float = 0.0


@dataclass(frozen=True)
class Ground:
    """Edges that a line may follow where no levee stands: water (bank), flood extents, roads ...; ``basis`` of what is drawn."""

    kind: str
    work: Linework
    source: Mapping[str, Any]
    owned: bool = False
    area: Any = None
    """Water: the edge is looked for only from places in it."""
    basis: Basis | None = None
    farthest_m: float = float("inf")


@dataclass(frozen=True)
class Sources:
    """Everything a draft is made of, in metres of one system. ``kept``: rows of an earlier draft that stay as they are."""

    reaches: Sequence[Reach]
    works: Sequence[Work] = ()
    water: Ground | None = None
    banks: Mapping[tuple[int, str], tuple[shapely.LineString, Mapping[str, Any]]] = field(default_factory=dict)
    grounds: Sequence[Ground] = ()
    pieces: Mapping[tuple[int, str], Sequence[Piece]] = field(default_factory=dict)
    """Lines of floods, drawn before, by reach and bank."""
    hidden: Mapping[tuple[int, str], Sequence[tuple[float, float]]] = field(default_factory=dict)
    """Stretches of banks under the water of another river: no line is drawn there."""
    extents: Sequence[shapely.MultiPolygon] = ()
    bands: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Note] = ()
    counties: gpd.GeoDataFrame | None = None
    kept: Mapping[tuple[int, str], Sequence[Piece]] = field(default_factory=dict)
    kept_rows: gpd.GeoDataFrame | None = None
    kept_codes: frozenset[str] = frozenset()
    kept_apart: tuple[int, ...] = ()
    redrawn: Mapping[int, Sequence[tuple[float, float]]] | None = None
    """Stretches that are to be drawn, by reach, in metres from its first vertex; None: everything."""
    waters: Sequence[Standing] = ()
    spoil: Sequence[Spoil] = ()
    surrogate_offset: bool = False
    line_type: str = "management"


def make(sources: Sources, view_of: Callable[[Reach], RuleView], system: Any) -> Draft:
    """Lines, areas, bands and notes of a draft. ``view_of``: the rules of a reach; ``system``: CRS of everything, in metres."""
    desk = _Desk(sources, view_of)
    nodes = nodes_of(sources.reaches, desk.rules.snap_m)
    corners = corners_of(nodes)
    inner = draft_islands.inner_sides(sources.reaches, nodes, desk.rules.island_m2)
    desk.notes += draft_islands.notes_of(inner, sources.reaches)
    carried = _carried(sources, desk, corners)
    courses: Courses = {}
    for i, reach in enumerate(sources.reaches):
        for bank in SIDES:
            if (i, bank) not in inner.sides:
                goes_on = (carried.get((i, bank, 0), False), carried.get((i, bank, 1), False))
                courses[i, bank] = desk.bank(i, reach, bank, goes_on, (nodes.degree(i, 0) > 1, nodes.degree(i, 1) > 1))
    axes, after = dict(enumerate(desk.axes)), followers(sources.reaches, nodes)
    for corner in sorted(corners, key=lambda c: (not c.through, c.node)):
        pair = (corner.first.reach, corner.second.reach)
        one_river = after.get(pair[0]) == pair[1] or after.get(pair[1]) == pair[0]
        meet(courses, corner, nodes, axes, desk.rules, one_river)
    return draft_drawn.drawn(sources, courses, nodes, inner, desk.axes, desk.notes, system)


def _carried(sources: Sources, desk: _Desk, corners: Sequence[Corner]) -> dict[tuple[int, str, int], bool]:
    """Ends of banks where a levee stops short of the node and goes on soon after it, in the next reach."""
    short: dict[tuple[int, str, int], float] = {}
    for work in sources.works:
        toe = desk.toes[id(work)]
        for end, gap in ((0, toe.from_m), (1, desk.axes[work.reach].to_m - toe.to_m)):
            key = (work.reach, work.bank, end)
            short[key] = min(gap, short.get(key, np.inf))
    carried = {}
    for corner in corners:
        keys = [(*side, arm.end) for side, arm in zip(corner.sides, (corner.first, corner.second), strict=True)]
        gaps = [short.get(k, np.inf) for k in keys]
        if corner.through and sum(gaps) <= desk.rules.levee_gap_m:
            carried.update(dict.fromkeys(keys, True))
    return carried


class _Desk:
    """The drawing of single banks, with what all of them need."""

    def __init__(self, sources: Sources, view_of: Callable[[Reach], RuleView]) -> None:
        self.sources, self.view_of = sources, view_of
        self.rules: Drawing = draft_rules.drawing_of(view_of(sources.reaches[0]))
        self.axes = [axis_curve(r.axis) for r in sources.reaches]
        self.notes: list[Note] = list(sources.notes)
        self.standing = shapely.union_all([w.area for w in sources.waters]) if sources.waters else shapely.Polygon()
        self.toes = {id(w): laid_along(w.toe, self.axes[w.reach]) for w in sources.works}
        self.works: dict[tuple[int, str], list[Work]] = {}
        for work in sources.works:
            self.works.setdefault((work.reach, work.bank), []).append(work)
        self._looks: dict[tuple[int, str], Looks] = {}

    def note(self, reach: Reach, bank: str, a: float, b: float, code: str, sentence: str) -> None:
        middle = reach.axis.interpolate((a + b) / 2)
        self.notes.append(Note(reach.code, bank, reach.origin_m + a, reach.origin_m + b, code, sentence, middle))

    # ---- one bank ----------------------------------------------------------------------------------------------------

    def bank(
        self, i: int, reach: Reach, bank: str, carried: tuple[bool, bool], at_node: tuple[bool, bool]
    ) -> list[Piece]:
        """The pieces of one bank, joined to each other. ``at_node``: whether other reaches begin or end at its start, its end."""
        axis = self.axes[i]
        kept = list(self.sources.kept.get((i, bank), ()))
        hidden = self.sources.hidden.get((i, bank), ())
        spans = [rest for span in self._spans(i, kept, at_node) for rest in without(span, hidden)]
        works, twice = outermost([*kept, *within(self._works(i, reach, bank), spans)], axis)
        for a, b in twice:
            self.note(
                reach,
                bank,
                a,
                b,
                "two_works",
                "Several levees stand on this bank here; the line follows the outermost: say which of them bounds the river.",
            )
        grounds = self._grounds(i, reach, bank)
        pieces, open_ = laid(axis, works, grounds, self.rules, carried, spans)
        for a, b in open_:
            if shapely.intersects(self.standing, reach.axis.interpolate((a + b) / 2)):
                continue  # in a lake, whose own line runs round it
            self.note(
                reach,
                bank,
                a,
                b,
                "nothing_to_draw_from",
                f"No levee, flood level, bank or surrogate is given for {b - a:.0f} m of this bank under these rules: nothing was drawn.",
            )
        drawn = joined(axis, pieces, self.rules)
        if self.sources.spoil:
            drawn = moved_out(drawn, axis, SIDES[bank], self.sources.spoil)
        return cut_off(drawn, self.standing) if self.sources.waters else drawn

    def _spans(self, i: int, kept: Sequence[Piece], at_node: tuple[bool, bool]) -> list[tuple[float, float]]:
        """Which stretches of a bank are drawn. Between a kept line and the corner it ends in at a node there is none."""
        if self.sources.redrawn is not None:
            return list(self.sources.redrawn.get(i, ()))
        start, end = 0.0, self.axes[i].to_m
        for piece, at_start in ((kept[0], True), (kept[-1], False)) if kept else ():
            tail = piece.from_m if at_start else end - piece.to_m
            edge_ = piece.curve.xy[0 if at_start else -1]
            away = float(np.hypot(*(edge_ - self.axes[i].points([piece.from_m if at_start else piece.to_m])[0])))
            if at_node[0 if at_start else 1] and tail <= 3 * away:
                start, end = (piece.from_m, end) if at_start else (start, piece.to_m)
        return [(start, end)]

    def _works(self, i: int, reach: Reach, bank: str) -> list[Piece]:
        view, out = self.view_of(reach), []
        for work in self.works.get((i, bank), ()):
            toe = self.toes[id(work)]
            answer = draft_rules.berm(view, work.facts)
            if answer is None:
                self.note(
                    reach,
                    bank,
                    toe.from_m,
                    toe.to_m,
                    "no_berm_rule",
                    f"The rules give no berm width for levee {work.source.get('feature')}: nothing was drawn from it; tell its grade, return period or name.",
                )
                continue
            self._lacking(reach, bank, toe, work, answer)
            curve = parallel(toe, SIDES[bank], answer.metres + work.virtual_m, self.rules.bend_m)
            out.append(Piece(curve, Basis(work.drawn_by, answer.row, work.source, tolerance_m=0.05), True))
        return out

    def _lacking(self, reach: Reach, bank: str, toe: Curve, work: Work, answer: Answer) -> None:
        if answer.lacking:
            self.note(
                reach, bank, toe.from_m, toe.to_m, "fact_missing",
                f"Levee {work.source.get('feature')}: the local rule asks {', '.join(answer.lacking)}, which the file does not tell; "
                f"{answer.metres:g} m of {answer.row.ruleset} ({answer.row.status}) was drawn: complete the field and draw again.",
            )  # fmt: skip

    def _grounds(self, i: int, reach: Reach, bank: str) -> list[Piece]:
        """What the line may follow where no levee stands, the first first."""
        out = list(self.sources.pieces.get((i, bank), ()))
        for curve, source in self._bank_line(i, reach, bank):
            width = 2 * (reach.half_width_m if np.isfinite(reach.half_width_m) else self.half_width(i, curve))
            answer = draft_rules.bank_offset(self.view_of(reach), width)
            if answer is not None:
                out.append(self._beside(reach, bank, curve, answer, source, Basis("bank_offset")))
        for ground in self.sources.grounds:
            out += [
                replace(p, basis=replace(p.basis, source=ground.source)) for p in self._seen(i, reach, bank, ground)
            ]
        return [*out, *self._offset(i, reach, bank)]

    def _beside(
        self, reach: Reach, bank: str, curve: Curve, answer: Answer, source: Mapping[str, Any], basis: Basis
    ) -> Piece:
        made = parallel(curve, SIDES[bank], answer.metres, self.rules.bend_m)
        return Piece(made, replace(basis, rule=answer.row, source=source, tolerance_m=0.05))

    def _bank_line(self, i: int, reach: Reach, bank: str) -> list[tuple[Curve, Mapping[str, Any]]]:
        """The bank (河口线): as given, as the edge of the water, or half a width beside the axis."""
        given = self.sources.banks.get((i, bank))
        found: list[tuple[Curve, Mapping[str, Any]]] = []
        if given is not None:
            found.append((laid_along(given[0], self.axes[i]), given[1]))
        if self.sources.water is not None:
            found += [(c, self.sources.water.source) for c in self._edges(i, reach, bank, self.sources.water)]
        if np.isfinite(reach.half_width_m) and reach.half_width_m > 0:
            told = {"layer": "reaches", "feature": reach.code, "bank": "half width"}
            found.append((parallel(self.axes[i], SIDES[bank], reach.half_width_m), told))
        return found

    def half_width(self, i: int, curve: Curve) -> float:
        """Mean distance of a bank from its axis."""
        return float(np.median(np.hypot(*(curve.xy - self.axes[i].points(curve.at_m)).T)))

    def _edges(self, i: int, reach: Reach, bank: str, ground: Ground) -> list[Curve]:
        far = min(self.rules.farthest_m, ground.farthest_m)
        if ground.kind == "water" and np.isfinite(reach.half_width_m):
            far = min(far, 10 * reach.half_width_m + 50)
        found = seen(
            self.axes[i], SIDES[bank], ground.work, self.rules.look_m, far, reach.code if ground.owned else None
        )
        if ground.area is not None:
            dry = ~shapely.intersects_xy(ground.area, found.origin)
            found = replace(found, away_m=np.where(dry, np.inf, found.away_m))
        return edge(self.axes[i], found, ground.work, self.rules.bay_m)

    def _seen(self, i: int, reach: Reach, bank: str, ground: Ground) -> list[Piece]:
        basis = ground.basis or Basis("surrogate", basis="surrogate", indicative=True)
        return [Piece(c, basis) for c in self._edges(i, reach, bank, ground)]

    def _offset(self, i: int, reach: Reach, bank: str) -> list[Piece]:
        """The last surrogate, where asked for: water's edge or half width plus the distance of the rules."""
        if not self.sources.surrogate_offset:
            return []
        view = self.view_of(reach)
        basis = Basis("surrogate", basis="surrogate", indicative=True)
        shore = view.value("boundary.surrogate.water_offset")
        plain = view.value("boundary.surrogate.line_offset", reach_kind=reach.kind or "river")
        axis = (self.axes[i], {"layer": "reaches", "feature": reach.code})
        lines = [*((shore, *line) for line in self._bank_line(i, reach, bank)), (plain, *axis)]
        return [self._beside(reach, bank, c, Answer(float(row.value), row), s, basis) for row, c, s in lines]
