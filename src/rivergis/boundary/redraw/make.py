"""A whole redraw, the same for files and for the database: compared, placed, held against everything given, thresholds from rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import ground as diff_ground
from rivergis.boundary.redraw import place as diff_place
from rivergis.boundary.redraw import things as diff_things
from rivergis.boundary.redraw.compare import Redraw
from rivergis.rules import RuleView

_KEYS = (
    "boundary.doctor.shrink_tolerance", "boundary.change.one_sided_share", "boundary.change.one_sided_area", "boundary.change.water_edge",
    "encroach.snap",
)  # fmt: skip
_OFF_M2 = 0.1
_STRANGE = 0.5  # share of all old ground handed to other rivers, from which two files name their rivers differently


@dataclass(frozen=True)
class Limits:
    """Thresholds of a redraw, with the rule rows they come from."""

    noise_m: float
    one_sided_share: float
    one_sided_m2: float
    water_m2: float
    snap_m: float
    rules: tuple[dict[str, Any], ...] = ()


def limits_of(view: RuleView, noise_m: float | None = None) -> Limits:
    """Thresholds of the rules of a place; ``noise_m`` where somebody knows the two surveys better."""
    noise, share, m2, water, snap = (view.value(k) for k in _KEYS)
    told = tuple(v.as_dict() for v in (noise, share, m2, water, snap))
    noise_m = float(noise.value) if noise_m is None else noise_m
    return Limits(noise_m, float(share.value), float(m2.value), float(water.value), float(snap.value), told)


@dataclass(frozen=True)
class Given:
    """What a redraw is held against, all in EPSG:4490; a layer that is None was not given, and nothing is said of it.

    ``things``: layer of ``diff_things.LAYERS`` -> features; ``observed``: water extents (see ``diff_ground``); ``units``: villages,
    towns; ``reaches``: centre lines. ``old_day``: since when the old line is law. ``reason``: of reductions that name none.
    """

    reaches: gpd.GeoDataFrame | None = None
    things: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    observed: gpd.GeoDataFrame | None = None
    units: gpd.GeoDataFrame | None = None
    old_day: date | None = None
    reason: str = ""


def make(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, limits: Limits, given: Given, said: Sequence[Said] = ()
) -> Redraw:
    """The redraw from old to new areas (EPSG:4490, columns as in ``diff.compare``), measured on the ellipsoid."""
    return held(compared(old, new, limits, given.reaches, said), limits, given)


def compared(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    limits: Limits,
    reaches: gpd.GeoDataFrame | None,
    said: Sequence[Said] = (),
) -> Redraw:
    """Old and new areas compared and placed on ``reaches``, before anything is held against them."""
    plane = _plane(old, new)
    old, new, strange = _comparable(old, new)
    redraw = diff.compare(old.to_crs(plane), new.to_crs(plane), limits.noise_m)
    if reaches is not None and len(reaches):
        redraw = diff_place.place(redraw, reaches.to_crs(plane))
    told = [*said, *strange, *_unbalanced(redraw), *_handed(redraw), *_one_sided(redraw, limits)]
    return replace(redraw, said=told, about={"rules": list(limits.rules), "noise_m": limits.noise_m})


def held(redraw: Redraw, limits: Limits, given: Given) -> Redraw:
    """A redraw held against what is given: things, water, units; reductions without a reason get the one given."""
    plane = redraw.pieces.crs
    if given.reason:
        redraw = replace(redraw, pieces=redraw.pieces.assign(reason=redraw.pieces["reason"].fillna(given.reason)))
    layers = [diff_things.Layer(n, given.things[n].to_crs(plane)) for n in diff_things.LAYERS if n in given.things]
    redraw = diff_things.held_against(redraw, layers)
    observed = None if given.observed is None else given.observed.to_crs(plane)
    redraw = diff_ground.flagged(redraw, observed, least_m2=limits.water_m2, old_day=given.old_day)
    if given.units is not None:
        redraw = diff_place.by_unit(redraw, given.units.to_crs(plane))
    return replace(redraw, about={**redraw.about, "old_day": given.old_day})


def _plane(*frames: gpd.GeoDataFrame) -> Any:
    boxes = pd.concat([f.geometry.bounds for f in frames]).dropna()
    if boxes.empty:
        return diff.plane(105.0, 30.0)
    return diff.plane((boxes.minx.min() + boxes.maxx.max()) / 2, (boxes.miny.min() + boxes.maxy.max()) / 2)


def _comparable(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[Said]]:
    """Both sides with their rivers, or both without: where one names none, rivers cannot be told apart."""
    named = [f["river_code"].notna().all() if "river_code" in f and len(f) else None for f in (old, new)]
    if False not in named:
        return old, new, []
    which = "old" if named[0] is False else "new"
    sentence = (
        f"Not every {which} area names its river (column river_code), so all areas were compared as one: add the column, or give "
        "--reaches with river_code, to have every river by itself."
    )
    return old.assign(river_code=None), new.assign(river_code=None), [Said("rivers_unknown", sentence)]


def _unbalanced(redraw: Redraw) -> list[Said]:
    """Rivers whose sums do not meet: areas that touch in needles can defeat the overlay, and that is never kept silent."""
    r = redraw.rivers
    off = (r["old_m2"] + r["entering_m2"] - r["leaving_m2"] - r["new_m2"]).abs()
    return [
        Said("redraw_unbalanced", f"The sums of {code or 'the areas'} are off by {m2:.1f} m2: its areas touch themselves or each other in needles that cannot be resolved; run 'boundary check' on both files.", (code,))
        for code, m2 in zip(r["river_code"], off, strict=True)
        if m2 > _OFF_M2
    ]  # fmt: skip


def _handed(redraw: Redraw) -> list[Said]:
    handed, old = redraw.rivers["handed_over_m2"].sum(), redraw.rivers["old_m2"].sum()
    if handed <= _STRANGE * old or not old:
        return []
    sentence = (
        f"{handed / old:.0%} of the old ground lies in areas of another river now: the two sides seem to name their rivers "
        "differently; compare the columns river_code."
    )
    return [Said("rivers_differ", sentence)]


def _one_sided(redraw: Redraw, limits: Limits) -> list[Said]:
    rivers = tuple(diff.one_sided(redraw, limits.one_sided_share, limits.one_sided_m2))
    if not rivers:
        return []
    out = redraw.rivers.set_index("river_code").loc[list(rivers), "noise_out_m2"].sum()
    sentence = (
        f"Changes below the tolerance of {limits.noise_m:g} m go one way, outwards, on {', '.join(r or '(all)' for r in rivers[:8])}: "
        f"{out:.0f} m2 in all; this is no resurvey noise but a narrow reduction, say why."
    )
    return [Said("one_sided_noise", sentence, rivers)]


def to_storage(redraw: Redraw) -> dict[str, gpd.GeoDataFrame]:
    """The layers of a redraw in EPSG:4490, as they are written and drawn: pieces, flags, things, old, new."""
    frames = {
        "pieces": redraw.pieces,
        "flags": redraw.flags,
        "things": redraw.things,
        "old": redraw.old,
        "new": redraw.new,
    }
    return {n: crs.to_storage(f) for n, f in frames.items() if f is not None}
