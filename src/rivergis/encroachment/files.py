"""A check on files (四乱核查): candidates against boundaries, less permits of a day; no database, no ledger.

Law: every candidate of the file is part of a finding, or not told with its reason, or waits in the queue, or is counted
among those plainly outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.closing import Closed, Said, close
from rivergis.boundary.prepared import Prepared, prepared
from rivergis.encroachment import layer_files
from rivergis.encroachment.incidents import incidents
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.overlay import Limits, Overlaid, limits_of, overlay
from rivergis.encroachment.permits import Permits, links, permits_on, unplaced
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

LISTS = ("all", "near", "count")
PLACE_OPEN, UNACCEPTED = "permit_place_open", "permit_unaccepted"

# columns by what they mean, the first that is there
_NAMES: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "类型", "种类", "class"),
    "source": ("source", "source_kind", "来源", "feed"),
    "reach": ("reach", "reach_id", "reach_code", "河段", "version_code", "boundary_code", "river_code", "river", "河流", "code", "name", "名称"),
    "together": ("reach", "reach_id", "reach_code", "河段", "version_code", "boundary_code", "river_code", "river", "河流"),
    "valid_from": ("valid_from", "有效期起", "起始日期"),
    "valid_to": ("valid_to", "有效期止", "截止日期"),
    "accepted_on": ("accepted_on", "竣工验收日期"),
    "bank": ("bank", "岸别", "岸"),
}  # fmt: skip
_BASES = {"公告": "announced", "已公告": "announced", "草案": "draft", "代用": "surrogate", "计算": "computed"}


@dataclass(frozen=True)
class Asking:
    """What to check: files with how they are to be read, the day, and which of those not told are listed."""

    boundary: Path
    candidates: Path
    permits: Path | None
    as_of: date
    asked: dict[str, Asked] = field(default_factory=dict)
    """By layer (boundary, candidates, permits, zones): layer inside the file, CRS, datum, encoding."""
    listed: str | None = None
    """One of ``LISTS``; None = all up to the number of the rules, then near."""
    zones: Path | None = None

    def how(self, layer: str) -> Asked:
        return self.asked.get(layer, Asked())


@dataclass(frozen=True)
class Check:
    """Outcome of a check; lists of JSON-ready rows. ``shapes``: findings with their geometry, EPSG:4490."""

    as_of: str
    findings: list[dict[str, Any]]
    not_findings: list[dict[str, Any]]
    queue: list[dict[str, Any]]
    diagnostics: list[dict[str, Any]]
    total_area_m2: float
    counts: dict[str, Any]
    rules: list[dict[str, Any]]
    rules_unconfirmed: list[str]
    files: dict[str, Any]
    shapes: gpd.GeoDataFrame = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without the geometries."""
        return {k: v for k, v in vars(self).items() if k != "shapes"}


def check(asking: Asking, view: RuleView) -> Check:
    """Check candidate areas, lines and points against management areas given as polygons, rings or bank lines.

    Raises ``InputError`` and ``CrsRefused`` for a layer that cannot be used as a whole; single features are said.
    """
    boundary = layer_files.read(asking.boundary, asking.how("boundary"), "boundary")
    things = layer_files.read(asking.candidates, asking.how("candidates"), "candidate")
    permits = layer_files.read(asking.permits, asking.how("permits"), "permit") if asking.permits else None
    closed, home = closed_boundary(boundary, view.number("encroach.snap"), view.number("encroach.doubt_around"))
    done = _Done(things, view, asking)
    for ground, zone, rows in _by_zone(closed, home, things.frame):
        done.judge(ground, zone, rows, permits)
    return done.result(
        {"boundary": boundary, "candidates": things, **({"permits": permits} if permits else {})}, closed.said
    )


def closed_boundary(layer: Layer, snap_m: float, doubt_m: float) -> tuple[Closed, Any]:
    """The management areas of a boundary layer with ``reach``, ``basis``, ``xy_error_m``, and the metric zone they are closed in."""
    reach = layer.values(*_NAMES["reach"])
    together = layer.column(*_NAMES["together"])
    basis = layer.values("basis", "依据").map(lambda b: _BASES.get(str(b).strip(), b)).fillna("draft")
    numbers = {c: layer.numbers(c) for c in ("xy_error_m", "survey_scale")}
    frame = layer.frame.assign(
        reach=[str(r) if pd.notna(r) else str(i) for i, r in reach.items()], basis=basis, **numbers,
        together=layer.frame[together].astype(object).where(layer.frame[together].notna(), "") if together else "",
        bank=layer.values(*_NAMES["bank"]),
    )  # fmt: skip
    zone = crs.metric_crs(*_centre(frame))
    return close(frame.to_crs(zone), group="together", bank="bank", snap_m=snap_m, doubt_m=doubt_m), zone


def _centre(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    usable = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    return crs.centre(usable) if len(usable) else (105.0, 35.0)


def _by_zone(closed: Closed, home: Any, things: gpd.GeoDataFrame) -> Iterator[tuple[Prepared, Any, np.ndarray]]:
    """Prepared ground, its metric zone, and the positions of the candidates measured in it: each in the zone of its own centre."""
    at = shapely.bounds(things.geometry.to_numpy(object)).reshape(-1, 4)
    lon, lat = (at[:, 0] + at[:, 2]) / 2, (at[:, 1] + at[:, 3]) / 2
    zones = np.where(np.isfinite(lon), np.round(lon / 3), np.nan)
    first = True
    for z in np.unique(zones[np.isfinite(zones)]) if np.isfinite(zones).any() else [np.nan]:
        mine = (zones == z) | (first & ~np.isfinite(zones))
        near = np.flatnonzero(zones == z)
        zone = crs.metric_crs(float(lon[near[0]]), float(lat[near[0]])) if len(near) else home
        moved = Closed(closed.areas.to_crs(zone), closed.doubts.to_crs(zone), [])
        yield prepared(moved if zone != home else closed), zone, np.flatnonzero(mine)
        first = False


class _Done:
    """What the zones of a check give together."""

    def __init__(self, things: Layer, view: RuleView, asking: Asking) -> None:
        self.things, self.view, self.asking = things, view, asking
        self.limits: Limits = limits_of(view.number)
        self.names = things.names()
        self.kinds = things.values(*_NAMES["kind"]).fillna("unknown").astype(str).to_numpy(object)
        self.sources = things.values(*_NAMES["source"]).fillna(asking.candidates.stem).astype(str).to_numpy(object)
        self.findings: list[dict[str, Any]] = []
        self.shapes: list[Any] = []
        self.not_findings: list[dict[str, Any]] = []
        self.queue: list[dict[str, Any]] = []
        self.said: list[Said] = [*things.said]
        self.total_m2 = 0.0
        self.judged = 0

    def judge(self, ground: Prepared, zone: Any, rows: np.ndarray, permit_layer: Layer | None) -> None:
        """Judge the candidates at ``rows`` in one zone."""
        frame = self.things.frame.iloc[rows].to_crs(zone).assign(kind=self.kinds[rows]).reset_index(drop=True)
        permits = permits_of(permit_layer, zone, self.asking.as_of)
        self.said += _unread(permits, permit_layer) if permit_layer and not self.judged else []
        self.judged += 1
        done = overlay(frame, ground, permits, self.limits)
        self._say(done, rows)
        waiting = self._waiting(done, rows, ground, permits)
        self._not_told(done, rows, permits)
        told = np.setdiff1d(done.told, list(waiting))
        groups = incidents(
            done.shape[told], self.kinds[rows][told], min_iou=self.view.number("encroach.same_thing_iou")
        )
        nets = [self._finding(done, told[g], rows, ground, permits, zone) for g in groups]
        self.total_m2 += (
            float(shapely.union_all([n for n in nets if shapely.get_dimensions(n) == 2]).area) if nets else 0.0
        )

    def _say(self, done: Overlaid, rows: np.ndarray) -> None:
        index = self.things.frame.index
        for c in np.flatnonzero(np.isin(done.reason.astype(str), ("no_geometry", "degenerate"))):
            feature = index[rows[c]]
            why = (
                self.things.faults.get(feature)
                or {"no_geometry": "it has no geometry", "degenerate": "it encloses no ground"}[done.reason[c]]
            )
            said = f"Candidate {self.names[rows[c]]} (feature {feature}) was left out: {why}."
            self.said.append(Said("candidate_skipped", said, (str(feature),), "candidates"))
        for c in np.flatnonzero(done.repaired):
            feature = index[rows[c]]
            said = f"Candidate {self.names[rows[c]]} (feature {feature}) crosses itself: it was repaired, {done.shape[c].area:.1f} m² in all."
            self.said.append(Said("candidate_repaired", said, (str(feature),), "candidates"))

    def _waiting(self, done: Overlaid, rows: np.ndarray, ground: Prepared, permits: Permits) -> set[int]:
        """Candidates a permit without a place may concern: they wait for a person (有许可·待核位置)."""
        told = done.told
        kinds = self.kinds[rows][told]
        waters = [{str(ground.areas["reach"].iloc[a]) for a in done.within.of(c)} for c in told]
        words = unplaced(kinds, waters, permits)
        near = links(done.net[told], kinds, permits, permits.open, self.view.number("encroach.permit.place_tolerance"))
        waiting: dict[int, set[int]] = {}
        for found in (words, near):
            for c, p in zip(told[found.candidate].tolist(), found.permit.tolist(), strict=True):
                waiting.setdefault(c, set()).add(p)
        for c in sorted(waiting):
            row = self._row(done, c, rows)
            ids = [permits.frame["id"].iloc[p] for p in sorted(waiting[c])]
            self.not_findings.append(row | {"reason": PLACE_OPEN, "permits": ids})
            self.queue.append(row | {"why": PLACE_OPEN, "permits": ids})
        return set(waiting)

    def _row(self, done: Overlaid, c: Any, rows: np.ndarray) -> dict[str, Any]:
        return {"candidate": self.names[rows[c]], "kind": self.kinds[rows[c]], "area_m2": _round(done.net_m2[c])}

    def _not_told(self, done: Overlaid, rows: np.ndarray, permits: Permits) -> None:
        for c in np.flatnonzero([r is not None for r in done.reason]):
            row = self._row(done, c, rows) | {"reason": done.reason[c], "area_m2": _round(done.gross_m2[c])}
            mine = done.permits.of(int(c))
            self.not_findings.append(row | ({"permits": [permits.frame["id"].iloc[p] for p in mine]} if mine else {}))
            unaccepted = [p for p in mine if permits.unaccepted[p]]
            if unaccepted:
                self.queue.append(
                    self._row(done, c, rows)
                    | {"why": UNACCEPTED, "permits": [permits.frame["id"].iloc[p] for p in unaccepted]}
                )

    def _finding(
        self, done: Overlaid, mine: np.ndarray, rows: np.ndarray, ground: Prepared, permits: Permits, zone: Any
    ) -> Any:
        """Record one incident; returns its net geometry."""
        net = shapely.union_all(done.net[mine])
        areal = shapely.get_dimensions(net) == 2
        areas = ground.areas.iloc[sorted({a for c in mine for a in done.within.of(int(c))})]
        main = ground.areas.iloc[done.main[mine[0]]]
        taken = sorted({p for c in mine for p in done.permits.of(int(c))})
        over = links([net], self.kinds[rows[mine[:1]]], permits, permits.ended & permits.placed).permit
        ends = permits.frame["valid_to"] if "valid_to" in permits.frame else pd.Series(None, index=permits.frame.index)
        self.findings.append({
            "candidates": sorted(self.names[r] for r in rows[mine]), "sources": sorted(set(self.sources[rows[mine]].tolist())),
            "kind": self.kinds[rows[mine[0]]], "reaches": list(dict.fromkeys(areas["reach"])), "basis": main["basis"],
            "area_m2": _round(net.area, 2) if areal else None,
            "length_m": _round(net.length, 2) if shapely.get_dimensions(net) == 1 else None,
            "permits": [permits.frame["id"].iloc[p] for p in taken],
            "ended_permits": [{"id": permits.frame["id"].iloc[p], "valid_to": str(ends.iloc[p])[:10]} for p in over],
        })  # fmt: skip
        self.shapes.append(gpd.GeoSeries([net], crs=zone).to_crs(crs.STORAGE).iloc[0])
        return net

    def result(self, layers: dict[str, Layer], of_boundary: list[Said]) -> Check:
        said = [
            *of_boundary,
            *layers["boundary"].said,
            *(layers["permits"].said if "permits" in layers else []),
            *self.said,
        ]
        listed = self.asking.listed or ("all" if len(self.names) <= self.view.number("encroach.list_up_to") else "near")
        reasons = pd.Series([n["reason"] for n in self.not_findings], dtype=object).value_counts().to_dict()
        kept = {
            "all": self.not_findings,
            "near": [n for n in self.not_findings if n["reason"] != "outside"],
            "count": [],
        }[listed]
        counts = {
            "candidates": len(self.names), "findings": len(self.findings), "candidates_found": sum(len(f["candidates"]) for f in self.findings),
            "not_told": {str(k): int(v) for k, v in reasons.items()}, "not_findings_listed": listed,
        }  # fmt: skip
        columns = pd.DataFrame([{k: _cell(v) for k, v in f.items()} for f in self.findings])
        used = self.view.used
        return Check(
            str(self.asking.as_of), self.findings, kept, self.queue, [s.as_dict() for s in said], _round(self.total_m2, 2) or 0.0, counts,
            [v.as_dict() for v in used], sorted({v.key for v in used if v.status == "unconfirmed"}),
            {k: layer.about for k, layer in layers.items()},
            gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(self.shapes, crs=crs.STORAGE)),
        )  # fmt: skip


def _cell(value: Any) -> Any:
    """A value as one cell of a table."""
    return ";".join(str(v["id"] if isinstance(v, dict) else v) for v in value) if isinstance(value, list) else value


def _round(value: float, digits: int = 1) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), digits)


def permits_of(layer: Layer | None, zone: Any, on: date) -> Permits:
    """Permits of a layer on a day, in a metric zone; none without a layer."""
    if layer is None:
        empty = {c: pd.Series(dtype=object) for c in ("id", "allows")}
        return permits_on(gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=zone)), on)
    read = {c: layer.days(*_NAMES[c]) for c in ("valid_from", "valid_to", "accepted_on")}
    frame = layer.frame.assign(
        id=layer.names(),
        allows=layer.values("allows", "许可类型", "kind_allowed"), kind=layer.values("kind", "permit_kind", "许可种类"),
        **{c: days for c, (days, _) in read.items()}, unread=pd.concat([wrong for _, wrong in read.values()], axis=1).any(axis=1),
    )  # fmt: skip
    return permits_on(frame.to_crs(zone), on)


def _unread(permits: Permits, layer: Layer) -> list[Said]:
    """Permits with days nobody can read: never taken off, and what they may concern waits."""
    ids = [permits.frame["id"].iloc[p] for p in np.flatnonzero(permits.unread)]
    said = "Permits {} of {} have days that cannot be read: they take nothing off, and candidates of their kind there wait for a person."
    return (
        [Said("permit_date_unread", said.format(", ".join(ids[:5]), layer.about["file"]), tuple(ids), "permits")]
        if ids
        else []
    )
