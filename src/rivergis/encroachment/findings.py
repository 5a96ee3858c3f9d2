"""From candidates that lie inside to findings: one row for each incident, with its verdict and everything that explains it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis.boundary.ground.prepared import Prepared
from rivergis.encroachment.area_error import area_error_m2
from rivergis.encroachment.facts import Facts
from rivergis.encroachment.incidents import incidents
from rivergis.encroachment.permit_match import PermitMatch, Permitted, Standing, match
from rivergis.encroachment.position import ZoneHit, distance_to_line, uncertainty, zones_hit
from rivergis.encroachment.severity import Measured
from rivergis.encroachment.verdict import verdict
from rivergis.rules import RuleView

# words of deliveries for the kinds of source the rules know
SOURCE_KINDS = {"footprints": "footprint", "遥感": "remote_sensing", "巡河": "inspector", "土地利用": "landuse"}


@dataclass(frozen=True)
class Told:
    """One candidate to be told; geometries in metres of one zone, ``areas`` and ``main`` positions in the ground."""

    name: str
    kind: str
    source: str
    word: str | None
    accuracy_m: float | None
    gsd_m: float | None
    last_without: date | None
    """Last day on which the place is known without it, and the first with it."""
    first_with: date | None
    shape: Any
    net: Any
    areas: tuple[int, ...]
    main: int
    permits: tuple[str, ...]
    """Permits whose ground was taken off."""
    ended: tuple[tuple[str, str], ...]
    """Permits for a time that covered it and have ended: id and last day."""
    beside: tuple[Permitted, ...]
    """Permits in force or ended that are near enough to be meant."""


def finding_rows(
    told: Sequence[Told], ground: Prepared, zones: gpd.GeoDataFrame | None, view: RuleView, *, with_verdict: bool = True
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each incident as a JSON-ready row and its net geometry (metres); ``zones``: source zones in the same metres.

    ``with_verdict=False``: the overlay alone, for millions of candidates.
    """
    shapes, kinds = np.array([t.shape for t in told], dtype=object), [t.kind for t in told]
    groups = incidents(shapes, kinds, min_iou=view.number("encroach.same_thing_iou"))
    nets = np.array(
        [told[g[0]].net if len(g) == 1 else shapely.union_all([told[i].net for i in g]) for g in groups], dtype=object
    )
    hits = zones_hit(list(nets), zones) if zones is not None else [()] * len(nets)
    columns = {
        c: ground.areas[c].to_list() for c in ("reach", "basis", "xy_error_m", "survey_scale") if c in ground.areas
    }
    sizes = zip(
        nets,
        shapely.get_dimensions(nets).tolist(),
        shapely.area(nets).tolist(),
        shapely.length(nets).tolist(),
        strict=True,
    )
    for group, hit, (net, dimension, area_m2, length_m) in zip(groups, hits, sizes, strict=True):
        mine = [told[i] for i in group]
        row = _row(mine, columns) | {
            "area_m2": round(area_m2, 2) if dimension == 2 else None, "length_m": round(length_m, 2) if dimension == 1 else None,
            "zones": [z.code for z in hit],
        }  # fmt: skip
        if with_verdict:
            main = {c: v[mine[0].main] for c, v in columns.items()}
            row |= _verdict(mine, net, main, hit, ground, view)
        yield row, net


def _row(group: list[Told], columns: dict[str, list[Any]]) -> dict[str, Any]:
    """What the overlay says of one incident."""
    first = group[0]
    return {
        "candidates": sorted(t.name for t in group), "sources": sorted({t.source for t in group}), "kind": first.kind,
        "reaches": list(dict.fromkeys(columns["reach"][a] for a in sorted({a for t in group for a in t.areas}))),
        "basis": columns["basis"][first.main], "permits": sorted({p for t in group for p in t.permits}),
        "ended_permits": [{"id": p, "valid_to": day} for p, day in sorted({e for t in group for e in t.ended})],
    }  # fmt: skip


def _verdict(
    group: list[Told], net: Any, main: dict[str, Any], zones: tuple[ZoneHit, ...], ground: Prepared, view: RuleView
) -> dict[str, Any]:
    """What the rules say of one incident, with the figures they rest on."""
    facts, figures = _facts(group, net, main, zones, ground, view)
    told = verdict(facts, view)
    return figures | {
        "wording": told.wording, "class": told.class_code, "group": told.group, "clause": told.clause,
        "competent_authority": told.competent_authority, "our_action": told.our_action, "position": told.position,
        "severity": told.severity.said, "severity_why": told.severity.why, "allowed_use": told.allowed_use,
        "built_period": told.built_period.period, "stands_on": list(told.stands_on), "notes": list(told.notes),
        "permit_match": [m["permit"] + ": " + m["outcome"] for m in told.permit_match],
        "verdict": {k: v for k, v in told.as_dict().items() if k != "rules"},
    }  # fmt: skip


def _facts(
    group: list[Told], net: Any, main: dict[str, Any], zones: tuple[ZoneHit, ...], ground: Prepared, view: RuleView
) -> tuple[Facts, dict[str, Any]]:
    """What the verdict rests on, and the figures a finding shows of it."""
    first = group[0]
    source = SOURCE_KINDS.get(first.source, first.source)
    line_error = _known(main["xy_error_m"])
    scale = None if (told := _known(main["survey_scale"])) is None else int(told)
    off = uncertainty(
        view,
        source_kind=source,
        accuracy_m=first.accuracy_m,
        gsd_m=first.gsd_m,
        line_error_m=line_error,
        survey_scale=scale,
    )
    look_m = view.number("encroach.position.look")
    around = ground.around(net, look_m)
    depth_m = min(distance_to_line(net, around), look_m)
    error = area_error_m2(net, around.boundary, float("nan") if off.line_m is None else off.line_m, off.source_m)
    dimension = int(shapely.get_dimensions(net))
    facts = Facts(
        kind=first.kind, basis=str(main["basis"]), source_kind=source, word=first.word, gsd_m=first.gsd_m, accuracy_m=first.accuracy_m,
        area=Measured(net.area, "m2", error) if dimension == 2 else None, length=Measured(net.length, "m") if dimension == 1 else None,
        zones=zones, distance_m=depth_m, line_error_m=line_error, survey_scale=scale, permits=_matches(group, net, view),
        last_without=max((t.last_without for t in group if t.last_without), default=None),
        first_with=min((t.first_with for t in group if t.first_with), default=None),
    )  # fmt: skip
    return facts, {
        "area_error_m2": None if error is None else round(error, 2), "distance_m": round(depth_m, 2), "distance_at_least": depth_m >= look_m,
        "sigma_m": None if off.sigma_m is None else round(off.sigma_m, 2),
    }  # fmt: skip


def _matches(group: list[Told], net: Any, view: RuleView) -> tuple[PermitMatch, ...]:
    first = group[0]
    standing = Standing(first.kind, net, first.word)
    permits = {p.code: p for t in group for p in t.beside}
    return tuple(match(standing, permits[c], view) for c in sorted(permits))


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
