"""Flood levels and the ground for a draft: read, their vertical datums compared, lines drawn river by river."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from affine import Affine
from pyproj import CRS

from rivergis.boundary.drafting import flood as draft_flood
from rivergis.boundary.drafting import rules as draft_rules
from rivergis.boundary.drafting.chains import chains_of
from rivergis.boundary.drafting.flood import Floods, Heights
from rivergis.boundary.drafting.frames import Reach
from rivergis.boundary.drafting.nodes import nodes_of
from rivergis.boundary.drafting.read_files import Layer, Reading, levels_of
from rivergis.river.flood import FloodRules
from rivergis.river.terrain import UNKNOWN, Dem, require_same_datum
from rivergis.rules import RuleValue, RuleView


@dataclass(frozen=True)
class Terrain:
    """The ground of a draft as the command line opens it: a DEM, or heights above the nearest drainage.

    ``datum_of``: a vertical datum in people's words as it is written here. ``declared``: that of the levels, as the user says.
    """

    heights: Heights
    datum_of: Callable[[str | None], str]
    declared: str | None = None
    insist: bool = False
    constant_beyond: bool = False


def floods(
    terrain: Terrain, given: Layer, reaches: Sequence[Reach], view: RuleView, system: CRS, reading: Reading
) -> Floods:
    """Lines of the floods that bound the reaches, where levels are given. Raises ``InputError`` where datums do not agree."""
    levels, datums = levels_of(given, reaches, shapely.STRtree([r.axis for r in reaches]))
    heights = _one_datum(terrain, datums, given, reading)
    heights = replace(heights, source=given.about)
    if heights.indicative:
        reading.said.append(
            f"Lines from {heights.name} (cells of {heights.cell_m:.1f} m) are for orientation only 示意: it is coarse, or a model of the surface."
        )
    drawing = draft_rules.drawing_of(view)
    nodes = nodes_of(reaches, drawing.snap_m)
    wet, notes = [], []
    wanted = {i: _wanted(r, view) for i, r in enumerate(reaches)}
    for chain in chains_of(reaches, nodes):
        done, said = draft_flood.flooded(
            chain, reaches, levels, heights, rules_of(view), wanted, system, drawing.level_join_m, terrain.constant_beyond
        )  # fmt: skip
        notes += said
        wet += [] if done is None else [done]
    return draft_flood.together(wet, reaches, heights, wanted, notes)


def rules_of(view: RuleView) -> FloodRules:
    """Thresholds of the place for a flood."""
    keys = ("barrier_way", "steep", "widest_void", "told_barrier", "below_bed", "least_low_area")
    return FloodRules(*(view.number(f"terrain.flood.{k}") for k in keys))


def _wanted(reach: Reach, view: RuleView) -> tuple[float, RuleValue | None]:
    """The flood that bounds a reach: its own return period, else that of the rules for its planning area."""
    if np.isfinite(reach.return_period_a):
        return reach.return_period_a, None
    answer = draft_rules.return_period(view, _given(reach.facts, ("plan_area",)))
    return (float("nan"), None) if answer is None else (answer.metres, answer.row)


def _given(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {n: facts[n] for n in names if facts.get(n) is not None}


def _one_datum(terrain: Terrain, datums: set[str], given: Layer, reading: Reading) -> Heights:
    """Ground and levels count from one vertical datum, or the draft is refused."""
    heights = terrain.heights
    if heights.relative:
        return heights
    declared = terrain.datum_of(terrain.declared)
    own = heights.vertical_datum
    if own == UNKNOWN and declared != UNKNOWN:
        own = declared
        reading.said.append(f"{heights.name} names no vertical datum; {declared} is declared by the user.")
    probe = Dem(np.zeros((1, 1), np.float32), Affine.identity(), CRS.from_epsg(4490), own, heights.name)
    named = {terrain.datum_of(d) for d in datums} or {declared}
    reading.said += require_same_datum(probe, named, terrain.insist)
    return replace(heights, vertical_datum=own)
