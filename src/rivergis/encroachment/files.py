"""A check on files (四乱核查): candidates against boundaries, less permits of a day; no database, no ledger.

Law: every candidate of the file is part of a finding, or not told with its reason, or counted among those plainly outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.boundary.closing import Said
from rivergis.boundary.prepared import Prepared
from rivergis.encroachment import boundary_files, candidate_files, layer_files, parquet_files
from rivergis.encroachment.boundary_files import Ground
from rivergis.encroachment.findings import Told, finding_rows
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.overlay import Overlaid, limits_of, overlay, union_m2
from rivergis.encroachment.permit_match import Permitted
from rivergis.encroachment.permits import Permits, by_candidate, links, permits_on, unplaced
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

LISTS = ("all", "near", "count")
PLACE_OPEN, UNACCEPTED = "permit_place_open", "permit_unaccepted"

# columns by what they mean, the first that is there
_NAMES: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "类型", "种类", "class"),
    "source": ("source", "source_kind", "来源", "feed"),
    "word": ("subtype", "word", "子类", "细类", "描述"),
    "valid_from": ("valid_from", "有效期起", "起始日期"),
    "valid_to": ("valid_to", "有效期止", "截止日期"),
    "accepted_on": ("accepted_on", "竣工验收日期"),
}


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
    prepared: Path | None = None
    """File to keep the prepared boundary in, and to take it from while it still holds."""
    verdict: bool | None = None
    """Whether findings get a verdict; None = where the candidates are no more than the rules list one by one."""

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
    ground = boundary_files.ground_of(
        asking.boundary, asking.how("boundary"), snap_m=view.number("encroach.snap"),
        doubt_m=view.number("encroach.doubt_around"), keep=asking.prepared,
    )  # fmt: skip
    permits = layer_files.read(asking.permits, asking.how("permits"), "permit") if asking.permits else None
    zones = layer_files.read(asking.zones, asking.how("zones"), "zone") if asking.zones else None
    things = _Things(asking, ground, int(view.number("encroach.list_up_to")))
    done = _Done(view, asking, ground, permits)
    for frame, zone in things:
        done.judge(frame, zone)
    return done.result(things, zones)


class _Things:
    """The candidates of a file, those near an area chunk by chunk; a large GeoParquet file is streamed, the rest read whole."""

    def __init__(self, asking: Asking, ground: Ground, list_up_to: int) -> None:
        self.ground, self.path = ground, asking.candidates
        asked = asking.how("candidates")
        self.stream: candidate_files.Candidates | None = None
        self.layer: Layer | None = None
        if parquet_files.is_large(self.path):
            self.stream = candidate_files.open_candidates(self.path, asked)
            self.count, self.said = self.stream.count, []
            self.about: dict[str, Any] = {"file": self.path.name, **self.stream.opened.provenance()}
        else:
            self.layer = layer_files.read(self.path, asked, "candidate")
            self.count, self.said, self.about = len(self.layer.frame), [*self.layer.said], self.layer.about
        self.with_verdict = self.count <= list_up_to if asking.verdict is None else asking.verdict
        self.listed = asking.listed or ("all" if self.count <= list_up_to and self.layer else "near")
        self.outside: list[str] = []
        self.outside_count = 0

    def __iter__(self) -> Iterator[tuple[Layer, int]]:
        if self.stream:
            yield from self._streamed(self.stream)
        elif self.layer:
            yield from self._whole(self.layer)

    def _streamed(self, candidates: candidate_files.Candidates) -> Iterator[tuple[Layer, int]]:
        for chunk in candidates.near(self.ground.zoned):
            layer = Layer(
                chunk.frame.rename_geometry("geom") if chunk.frame.geometry.name != "geom" else chunk.frame, self.about
            )
            if layer.column(*layer_files.DATUM_COLUMNS):
                raise InputError(
                    f"{self.path.name} names a datum feature by feature, which is not read from files this large: split it by datum and "
                    "say which with --datum.", file=str(self.path),
                )  # fmt: skip
            yield layer, chunk.zone
        self.outside_count = candidates.outside
        for feature, (_, sentence) in candidates.aside.items():
            self.said.append(
                Said(
                    "candidate_skipped",
                    f"Feature {feature} of {self.path.name} was left out: {sentence}",
                    (str(feature),),
                    "candidates",
                )
            )

    def _whole(self, layer: Layer) -> Iterator[tuple[Layer, int]]:
        frame = layer.frame
        boxes = frame.geometry.bounds.to_numpy(np.float64)
        missing = ~np.isfinite(boxes).all(axis=1)
        near = self.ground.zoned.near(np.nan_to_num(boxes)) | missing
        handed = np.zeros(len(frame), bool)
        source = vector.Source(frame[near], str(layer.about.get("layer")), None)
        for chunk in candidate_files.chunks(source, self.ground.zoned):
            handed[frame.index.get_indexer(chunk.frame.index)] = True
            yield Layer(chunk.frame, layer.about, [], layer.faults), chunk.zone
        names = np.array(layer.names(), dtype=object)
        self.outside = names[~handed].tolist()
        self.outside_count = len(self.outside)


class _Done:
    """What the chunks of a check give together."""

    def __init__(self, view: RuleView, asking: Asking, ground: Ground, permit_layer: Layer | None) -> None:
        self.view, self.asking, self.ground, self.permit_layer = view, asking, ground, permit_layer
        self.limits = limits_of(view.number)
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
            self.permits[zone] = permits_of(self.permit_layer, self.ground.zoned.zones[zone], self.asking.as_of)
        chunk = _Chunk(layer, self.prepared[zone], self.permits[zone], self.asking.candidates.stem)
        done = overlay(chunk.frame, chunk.ground, chunk.permits, self.limits)
        self.said += chunk.said(done)
        waiting = chunk.waiting(done, self.place_m)
        for c, permits in sorted(waiting.items()):
            row = chunk.row(done, c) | {"permits": permits}
            self._not_told(row | {"reason": PLACE_OPEN})
            self.queue.append(row | {"why": PLACE_OPEN})
        for c in np.flatnonzero([r is not None for r in done.reason]).tolist():
            self._not_told(chunk.not_told(done, c))
        self.queue += chunk.unaccepted(done)
        self.told.setdefault(zone, []).extend(chunk.told(done, np.setdiff1d(done.told, list(waiting)), self.place_m))

    def _not_told(self, row: dict[str, Any]) -> None:
        self.reasons[row["reason"]] += 1
        if self.asking.listed != "count":
            self.not_findings.append(row)

    def result(self, things: _Things, zones: Layer | None) -> Check:
        findings, shapes, total_m2 = [], [], 0.0
        for zone, told in sorted(self.told.items()):
            system = self.ground.zoned.zones[zone]
            rows = list(
                finding_rows(
                    told, self.prepared[zone], _zones(zones, system), self.view, with_verdict=things.with_verdict
                )
            )
            findings += [row for row, _ in rows]
            total_m2 += union_m2([net for _, net in rows])
            shapes += list(gpd.GeoSeries([net for _, net in rows], crs=system).to_crs(crs.STORAGE))
        self.reasons["outside"] += things.outside_count
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
            gpd.GeoDataFrame(pd.DataFrame([{k: _cell(v) for k, v in f.items()} for f in findings]), geometry=gpd.GeoSeries(shapes, crs=crs.STORAGE)),
        )  # fmt: skip

    def _of_permits(self) -> list[Said]:
        """Permits with days nobody can read: never taken off, and what they may concern waits."""
        one = next(iter(self.permits.values()), None)
        if one is None or self.permit_layer is None or not one.unread.any():
            return []
        ids = tuple(one.frame["id"].to_numpy()[one.unread])
        said = "Permits {} of {} have days that cannot be read: they take nothing off, and candidates of their kind there wait for a person."
        return [
            Said("permit_date_unread", said.format(", ".join(ids[:5]), self.permit_layer.about["file"]), ids, "permits")
        ]


class _Chunk:
    """Candidates of one zone with what they are called, and what an overlay says of them in rows."""

    def __init__(self, layer: Layer, ground: Prepared, permits: Permits, stem: str) -> None:
        self.layer, self.ground, self.permits = layer, ground, permits
        self.names = layer.names()
        self.kinds = layer.values(*_NAMES["kind"]).fillna("unknown").astype(str).to_numpy(object)
        self.sources = layer.values(*_NAMES["source"]).fillna(stem).astype(str).to_numpy(object)
        self.words = layer.values(*_NAMES["word"])
        self.frame = layer.frame.assign(kind=self.kinds).reset_index(drop=True)
        self.ids = permits.frame["id"].to_numpy(object)

    def said(self, done: Overlaid) -> Iterator[Said]:
        why = {"no_geometry": "it has no geometry", "degenerate": "it encloses no ground"}
        for c in np.flatnonzero(np.isin(done.reason.astype(str), list(why))).tolist():
            feature = self.layer.frame.index[c]
            because = self.layer.faults.get(feature) or f"{why[done.reason[c]]}."
            yield Said(
                "candidate_skipped",
                f"Candidate {self.names[c]} (feature {feature}) was left out: {because}",
                (str(feature),),
                "candidates",
            )
        for c in np.flatnonzero(done.repaired).tolist():
            feature = self.layer.frame.index[c]
            said = f"Candidate {self.names[c]} (feature {feature}) crosses itself: it was repaired, {done.shape[c].area:.1f} m² in all."
            yield Said("candidate_repaired", said, (str(feature),), "candidates")

    def waiting(self, done: Overlaid, place_m: float) -> dict[int, list[str]]:
        """Candidates that a permit without a place may concern (有许可·待核位置), with the permits."""
        if not self.permits.open.any():
            return {}
        at, kinds = done.told, self.kinds[done.told]
        reach, within = self.ground.areas["reach"].to_list(), by_candidate(done.within)
        waters = [{str(reach[a]) for a in within.get(c, ())} for c in at.tolist()]
        out: dict[int, set[str]] = {}
        for found in (
            unplaced(kinds, waters, self.permits),
            links(done.net[at], kinds, self.permits, self.permits.open, place_m),
        ):
            for c, p in zip(at[found.candidate].tolist(), found.permit.tolist(), strict=True):
                out.setdefault(c, set()).add(self.ids[p])
        return {c: sorted(p) for c, p in out.items()}

    def row(self, done: Overlaid, c: int) -> dict[str, Any]:
        return {"candidate": self.names[c], "kind": self.kinds[c], "area_m2": _round(done.gross_m2[c])}

    def not_told(self, done: Overlaid, c: int) -> dict[str, Any]:
        permits = [self.ids[p] for p in done.permits.of(c)]
        return self.row(done, c) | {"reason": done.reason[c]} | ({"permits": permits} if permits else {})

    def unaccepted(self, done: Overlaid) -> Iterator[dict[str, Any]]:
        """Candidates under a permanent work whose time to build has ended without papers of acceptance."""
        late = self.permits.unaccepted[done.permits.permit]
        for c in np.unique(done.permits.candidate[late]).tolist():
            permits = [self.ids[p] for p in done.permits.of(c) if self.permits.unaccepted[p]]
            yield self.row(done, c) | {"permits": permits, "why": UNACCEPTED}

    def told(self, done: Overlaid, at: np.ndarray, place_m: float) -> Iterator[Told]:
        """The candidates at ``at`` as they go into findings."""
        ended = links(done.net[at], self.kinds[at], self.permits, self.permits.ended & self.permits.placed)
        beside = links(done.net[at], self.kinds[at], self.permits, self.permits.placed, place_m)
        numbers = [
            [_number(v) for v in self.layer.numbers(*c).to_numpy()[at]]
            for c in (("accuracy_m",), ("gsd_m", "image_res_m"))
        ]
        words = [None if pd.isna(w) else str(w) for w in self.words.to_numpy(object)[at]]
        within, taken = by_candidate(done.within), by_candidate(done.permits)
        over, near = by_candidate(ended), by_candidate(beside)
        last = self.permits.frame["valid_to"].to_list() if "valid_to" in self.permits.frame else []
        main = done.main.tolist()
        for i, (c, word, accuracy, gsd) in enumerate(zip(at.tolist(), words, *numbers, strict=True)):
            yield Told(
                self.names[c], self.kinds[c], self.sources[c], word, accuracy, gsd, done.shape[c], done.net[c], within.get(c, ()), main[c],
                tuple(self.ids[p] for p in taken.get(c, ())), tuple((self.ids[p], str(last[p])[:10]) for p in over.get(i, ())),
                tuple(self._permitted(p) for p in near.get(i, ())),
            )  # fmt: skip

    def _permitted(self, p: int) -> Permitted:
        row = self.permits.frame.iloc[p]
        first, last, accepted = (
            None if pd.isna(row[c]) else row[c].date() for c in ("valid_from", "valid_to", "accepted_on")
        )
        return Permitted(
            str(row["id"]), None, str(row["allows"]), row["kind"] or "temporary_use", "polygon", self.permits.frame.geometry.iloc[p],
            valid_from=first, valid_to=last, accepted_on=accepted,
        )  # fmt: skip


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _round(value: float, digits: int = 1) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


def _cell(value: Any) -> Any:
    """A value as one cell of a table."""
    if isinstance(value, dict):
        return str(value)
    return ";".join(str(v["id"] if isinstance(v, dict) else v) for v in value) if isinstance(value, list) else value


def _zones(layer: Layer | None, system: Any) -> gpd.GeoDataFrame | None:
    """Source zones in metres with code, name, zone_class; a zone without a class is taken for the widest (准保护区, 3)."""
    if layer is None:
        return None
    names = layer.names()
    frame = gpd.GeoDataFrame(
        {
            "code": names, "name": layer.values("name", "名称").fillna(pd.Series(names, index=layer.frame.index)),
            "zone_class": layer.values("zone_class", "class", "级别", "保护区级别").map(_zone_class),
        },
        geometry=layer.frame.geometry,
    )  # fmt: skip
    return frame[frame.geometry.notna()].to_crs(system)


def _zone_class(word: Any) -> int:
    text = str(word)
    return next((n for n, words in ((1, ("1", "一级")), (2, ("2", "二级"))) if any(w in text for w in words)), 3)


def permits_of(layer: Layer | None, zone: Any, on: date) -> Permits:
    """Permits of a layer on a day, in a metric zone; none without a layer."""
    if layer is None:
        empty = {c: pd.Series(dtype=object) for c in ("id", "allows")}
        return permits_on(gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=zone)), on)
    read = {c: layer.days(*_NAMES[c]) for c in ("valid_from", "valid_to", "accepted_on")}
    frame = layer.frame.assign(
        id=layer.names(), allows=layer.values("allows", "许可类型", "kind_allowed"), kind=layer.values("kind", "permit_kind", "许可种类"),
        **{c: days for c, (days, _) in read.items()}, unread=pd.concat([wrong for _, wrong in read.values()], axis=1).any(axis=1),
    )  # fmt: skip
    return permits_on(frame.to_crs(zone), on)
