"""A check on files (四乱核查): candidates against boundaries, less permits of a day; no database, no ledger.

Law: every candidate of the file is part of a finding, or not told with its reason, or counted among those plainly outside.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.boundary.ground.closing import Said
from rivergis.boundary.ground.prepared import Prepared
from rivergis.encroachment import boundary_files, layer_files
from rivergis.encroachment.asked_files import Asking, Things
from rivergis.encroachment.boundary_files import Ground
from rivergis.encroachment.chunk_files import Chunk, waters_of, zones_of
from rivergis.encroachment.findings import Told, finding_rows
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.overlay import limits_of, overlay, union_m2
from rivergis.encroachment.permit_files import permits_of, said_of
from rivergis.encroachment.permits import Permits
from rivergis.rules import RuleView

PLACE_OPEN = "permit_place_open"


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
    ground = boundary_files.ground_of(
        asking.boundary, asking.how("boundary"), snap_m=view.number("encroach.snap"),
        doubt_m=view.number("encroach.doubt_around"), keep=asking.prepared, opened=asking.opened,
    )  # fmt: skip
    permits = (
        layer_files.read(asking.permits, asking.how("permits"), "permit", asking.opened) if asking.permits else None
    )
    zones = layer_files.read(asking.zones, asking.how("zones"), "zone", asking.opened) if asking.zones else None
    things = Things(asking, ground, int(view.number("encroach.list_up_to")))
    done = _Done(view, asking, ground, permits)
    for frame, zone in things:
        done.judge(frame, zone)
    return done.result(things, zones)


class _Done:
    """What the chunks of a check give together."""

    def __init__(self, view: RuleView, asking: Asking, ground: Ground, permit_layer: Layer | None) -> None:
        self.view, self.asking, self.ground, self.permit_layer = view, asking, ground, permit_layer
        self.limits = limits_of(view.number)
        self.waters = waters_of(ground.areas)
        self.place_m = view.number("encroach.permit.place_tolerance")
        self.prepared: dict[int, Prepared] = {}
        self.permits: dict[int, Permits] = {}
        self.told: dict[int, list[Told]] = {}
        self.not_findings: list[dict[str, Any]] = []
        self.queue: list[dict[str, Any]] = []
        self.said: list[Said] = []
        self.reasons: Counter[str] = Counter()

    def judge(self, layer: Layer, zone: int) -> None:
        """Judge a chunk of candidates in the metres of one zone."""
        if zone not in self.prepared:
            self.prepared[zone] = self.ground.in_zone(zone)
            self.permits[zone] = permits_of(
                self.permit_layer, self.ground.zoned.zones[zone], self.asking.as_of, self.view
            )
        chunk = Chunk(
            layer, self.prepared[zone], self.permits[zone], self.waters, self.asking.candidates.stem, self.view
        )
        done = overlay(chunk.frame, chunk.ground, chunk.permits, self.limits)
        self.said += chunk.said(done)
        lawful = chunk.lawful(done)
        for c, because in lawful.items():
            self._not_told(chunk.row(done, c) | {"reason": "allowed_use", "because": because})
        waiting = {c: p for c, p in chunk.waiting(done, self.place_m).items() if c not in lawful}
        for c, permits in sorted(waiting.items()):
            row = chunk.row(done, c) | {"permits": permits}
            self._not_told(row | {"reason": PLACE_OPEN})
            self.queue.append(row | {"why": PLACE_OPEN})
        for c in np.flatnonzero([r is not None for r in done.reason]).tolist():
            self._not_told(chunk.not_told(done, c))
        self.queue += chunk.unaccepted(done)
        self.told.setdefault(zone, []).extend(
            chunk.told(done, np.setdiff1d(done.told, [*waiting, *lawful]), self.place_m)
        )

    def _not_told(self, row: dict[str, Any]) -> None:
        self.reasons[row["reason"]] += 1
        if self.asking.listed != "count":
            self.not_findings.append(row)

    def result(self, things: Things, zones: Layer | None) -> Check:
        findings, shapes, total_m2 = [], [], 0.0
        for zone, told in sorted(self.told.items()):
            system = self.ground.zoned.zones[zone]
            rows = list(
                finding_rows(
                    told, self.prepared[zone], zones_of(zones, system), self.view, with_verdict=things.with_verdict
                )
            )
            findings += [row for row, _ in rows]
            total_m2 += union_m2([net for _, net in rows])
            shapes += list(gpd.GeoSeries([net for _, net in rows], crs=system).to_crs(crs.STORAGE))
        self.reasons["outside"] += things.outside_count
        self.reasons["left_out"] += things.left_out
        listed = things.listed
        if listed == "all":
            self.not_findings += [{"candidate": n, "reason": "outside"} for n in things.outside]
        elif listed == "near":
            self.not_findings = [n for n in self.not_findings if n["reason"] != "outside"]
        said = [
            *self.ground.said,
            *(self.permit_layer.said if self.permit_layer else []),
            *things.said,
            *self._of_permits(),
            *self.said,
            *self._far(things),
        ]
        counts = {
            "candidates": things.count, "findings": len(findings), "candidates_found": sum(len(f["candidates"]) for f in findings),
            "not_told": dict(sorted((r, n) for r, n in self.reasons.items() if n)), "not_findings_listed": listed, "verdicts": things.with_verdict,
        }  # fmt: skip
        used = self.view.used
        layers = {
            "boundary": self.ground.about,
            "candidates": things.about,
            "permits": self.permit_layer and self.permit_layer.about,
        }
        return Check(
            str(self.asking.as_of), findings, self.not_findings, self.queue, [s.as_dict() for s in said], round(total_m2, 2), counts,
            [v.as_dict() for v in used], sorted({v.key for v in used if v.status == "unconfirmed"}), {k: v for k, v in layers.items() if v},
            gpd.GeoDataFrame(_table(findings), geometry=gpd.GeoSeries(shapes, crs=crs.STORAGE)),
        )  # fmt: skip

    def _far(self, things: Things) -> list[Said]:
        """A word where no candidate is near any line at all: the layers may be of two places."""
        if not things.count or things.outside_count < things.count:
            return []
        sentence = f"No candidate of {things.about['file']} lies near any line of {self.ground.about['file']}: are both of one place?"
        return [Said("nothing_near", sentence, (), "candidates")]

    def _of_permits(self) -> list[Said]:
        one = next(iter(self.permits.values()), None)
        if one is None or self.permit_layer is None:
            return []
        return said_of(one, self.permit_layer, set().union(*self.waters), self.view)


def _table(findings: list[dict[str, Any]]) -> pd.DataFrame:
    """Findings as rows of a table, with headings also where there are none."""
    columns = (
        "candidates",
        "sources",
        "kind",
        "reaches",
        "basis",
        "permits",
        "ended_permits",
        "area_m2",
        "length_m",
        "zones",
    )
    rows = [{k: _cell(v) for k, v in f.items() if k != "verdict"} for f in findings]
    return pd.DataFrame(rows) if rows else pd.DataFrame({c: pd.Series(dtype=object) for c in columns})


def _cell(value: Any) -> Any:
    """A value as one cell of a table."""
    if isinstance(value, dict):
        return str(value)
    return ";".join(str(v["id"] if isinstance(v, dict) else v) for v in value) if isinstance(value, list) else value
