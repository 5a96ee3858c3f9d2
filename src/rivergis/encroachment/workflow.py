"""The night's work on encroachments: candidates against the lines in force, leads recorded with their verdicts."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, geometry, lifecycle
from rivergis.boundary import store as boundary_store
from rivergis.db.connect import Database
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.encroachment import ledger, store
from rivergis.encroachment.old_overlay import Inside, overlay
from rivergis.intake import raster, sources
from rivergis.lead import Lead, NotLead
from rivergis.river.register import Register, Spot
from rivergis.rules import RuleView

CHIP_MARGIN_M = 120.0  # ground shown around a lead in its before/after pictures


@dataclass(frozen=True)
class Judged:
    """What a night makes of the candidates: leads, those not told with their reason, and counts."""

    leads: list[Lead]
    not_leads: list[NotLead]
    candidates: int
    reasons: dict[str, int]


@dataclass(frozen=True)
class _Night:
    """All a night reads, in one metric zone."""

    candidates: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    permits: gpd.GeoDataFrame
    expired: gpd.GeoDataFrame
    scenes: gpd.GeoDataFrame
    register: Register
    view: RuleView
    rules: dict[str, list[dict[str, Any]]]
    """By kind of source: the rule rows a verdict rests on."""


# what a verdict on one object rests on; identity over nights has keys of its own
KEYS = ("encroach.width_tolerance", "encroach.min_overlap_area", "encroach.nights.min_observed_share")


def judge(conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime) -> Judged:
    """Judge the candidates of a night against the boundaries in force on that civil day, less the permits valid then.

    Reads only. What lies plainly outside every line is counted, not listed.
    """
    candidates = store.candidates_of_night(conn, on)
    areas = boundary_store.areas(conn, on, known_at)
    if candidates.empty or areas.empty:
        return Judged([], [], len(candidates), {"outside": len(candidates)} if len(candidates) else {})
    zone = crs.metric_crs(*crs.centre(areas))
    accuracy = {
        k: view.value("encroach.source_accuracy", source_kind=k) for k in sorted(set(candidates["source_kind"]))
    }
    candidates = _numbers(candidates.to_crs(zone), "accuracy_m")
    candidates["accuracy_m"] = candidates["accuracy_m"].fillna(
        candidates["source_kind"].map(lambda k: float(accuracy[k].value))
    )
    rules = {k: [view.value(key).as_dict() for key in KEYS] + [accuracy[k].as_dict()] for k in accuracy}
    night = _Night(
        candidates,
        _numbers(areas.to_crs(zone), "xy_error_m"),
        store.permits(conn, on, known_at).to_crs(zone),
        store.expired_permits(conn, on, known_at).to_crs(zone),
        store.imagery(conn, on, known_at),
        register,
        view,
        rules,
    )
    with_place = night.permits[night.permits["position_kind"] == "polygon"].reset_index(drop=True)
    results = overlay(
        night.candidates,
        night.areas,
        with_place,
        width_tolerance_m=view.number("encroach.width_tolerance"),
        min_area_m2=view.number("encroach.min_overlap_area"),
    )
    near = [r for r in results if r.area is not None]
    spots = register.spots(_points(near, night), [night.areas["river_id"].iloc[r.area] for r in near])
    leads: list[Lead] = []
    not_leads: list[NotLead] = []
    for result, spot in zip(near, spots, strict=True):
        told = _tell(result, spot, with_place, night)
        if isinstance(told, Lead):
            leads.append(told)
        else:
            not_leads.append(told)
    reasons = (
        pd.Series([n.reason for n in not_leads] + ["outside"] * (len(results) - len(near)), dtype=object)
        .value_counts()
        .to_dict()
    )
    return Judged(leads, not_leads, len(candidates), {str(k): int(v) for k, v in reasons.items()})


def _numbers(frame: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    return frame.assign(**{column: pd.to_numeric(frame[column], errors="coerce").astype(float)}).reset_index(drop=True)


def _points(near: Sequence[Inside], night: _Night) -> list[shapely.Point]:
    """A representative point of each judged object in degrees: of its part inside where there is one."""
    shapes = [
        r.net if r.net is not None and not r.net.is_empty else night.candidates.geometry.iloc[r.candidate] for r in near
    ]
    points = gpd.GeoSeries([s.representative_point() for s in shapes], crs=night.candidates.crs)
    return list(points.to_crs(crs.STORAGE)) if len(points) else []


def _tell(result: Inside, spot: Spot, with_place: gpd.GeoDataFrame, night: _Night) -> Lead | NotLead:
    """A lead, or the reason why the object is not told."""
    row = night.candidates.iloc[result.candidate]
    detail: dict[str, Any] = {"gross_m2": round(result.gross_m2, 1), "net_m2": _round(result.net_m2), **_where(spot)}
    if result.permits:
        detail["permits"] = [
            with_place["code"].iloc[p] + " " + str(with_place["doc_no"].iloc[p] or "") for p in result.permits
        ]
    if result.reason:
        return NotLead(str(row["id"]), int(row["version"]), result.reason, detail)
    allowed = night.view.allowed_use(row["kind"], (row["evidence"] or {}).get("subtype"))
    if allowed is not None:
        return NotLead(str(row["id"]), int(row["version"]), "allowed_use", {**detail, "because": allowed})
    hidden = _unobserved_scene(row, night)
    if hidden is not None:
        return NotLead(str(row["id"]), int(row["version"]), "not_observed", {**detail, "scene": hidden})
    open_permit = _permit_without_place(row["kind"], spot, night)
    if open_permit is not None:
        return NotLead(str(row["id"]), int(row["version"]), "permit_place_open", {**detail, "permits": [open_permit]})
    return _lead(result, row, spot, with_place, night)


def _round(value: float | None, digits: int = 1) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), digits)


def _where(spot: Spot) -> dict[str, Any]:
    return {
        k: v
        for k, v in spot.as_dict().items()
        if k in ("river", "river_code", "bank", "at_m", "chainage", "village", "town", "county", "chiefs")
    }


def _scene_code(name: str | None) -> str | None:
    """Code of the scene that a delivery names by its file."""
    return PurePath(name).stem if name else None


def _unobserved_scene(row: pd.Series, night: _Night) -> str | None:
    """Code of the scene the candidate rests on, when that scene shows too little of the place to judge."""
    code = _scene_code((row["evidence"] or {}).get("after"))
    scene = night.scenes[night.scenes["code"] == code] if code else night.scenes.iloc[:0]
    if scene.empty or scene["unobserved"].iloc[0] is None:
        return None
    share = _observed(row["geom"], night.candidates.crs, scene["unobserved"].iloc[0])
    return code if share < night.view.number("encroach.nights.min_observed_share") else None


def _observed(shape: shapely.Geometry, zone: Any, unobserved: shapely.Geometry) -> float:
    """Share of a shape (metres) outside an unobserved area (degrees)."""
    hidden = gpd.GeoSeries([unobserved], crs=crs.STORAGE).to_crs(zone).iloc[0]
    if shape.area == 0:
        return 0.0 if shape.intersects(hidden) else 1.0
    return 1.0 - float(geometry.polygons_of(shape).intersection(hidden).area / shape.area)


def _permit_without_place(kind: str, spot: Spot, night: _Night) -> str | None:
    """A permit of this kind that covers this place in words only: a person must place it first.

    By stretch or point: the chainage, within a tolerance, on its bank; by name: the villages its name speaks of, or
    the whole river when it speaks of none that is known.
    """
    permits = night.permits[(night.permits["position_kind"] != "polygon") & (night.permits["allows"] == kind)]
    slack = night.view.number("encroach.permit.place_tolerance")
    for p in permits.itertuples():
        if str(p.river_id) != str(spot.river_id) or (p.bank is not None and p.bank != spot.bank):
            continue
        if p.position_kind == "name":
            near = _named_here(p.name, spot, night.register)
        else:
            near = spot.at_m is not None and p.from_m - slack <= spot.at_m <= p.to_m + slack
        if near:
            return f"{p.code} {p.doc_no or ''}".strip()
    return None


def _expired_here(row: pd.Series, net: shapely.Geometry, expired: gpd.GeoDataFrame) -> str | None:
    """The last permit of this kind that covered the place and has ended: its end is why the object is told."""
    for p in expired[expired["allows"] == row["kind"]].itertuples():
        if p.geom.intersects(net):
            return f"{p.code} {p.name} {p.doc_no or ''} 有效至 valid to {p.last_day}"
    return None


def _named_here(name: str, spot: Spot, register: Register) -> bool:
    stems = [v.removesuffix("村").removesuffix("社区") for v in register.names("village")]
    meant = [s for s in stems if s and s in name]
    return not meant or (spot.village or "").removesuffix("村").removesuffix("社区") in meant


def _lead(result: Inside, row: pd.Series, spot: Spot, with_place: gpd.GeoDataFrame, night: _Night) -> Lead:
    assert result.area is not None and result.net is not None
    area = night.areas.iloc[result.area]
    line = night.view.classify(row["kind"])
    degrees = gpd.GeoSeries([result.net, result.net.representative_point()], crs=night.candidates.crs).to_crs(
        crs.STORAGE
    )
    evidence = row["evidence"] or {}
    figures = {
        "area_m2": _round(result.net_m2),
        "area_error_m2": _round(result.error_m2),
        "gross_m2": _round(result.gross_m2),
        "sigma_m": _round(result.sigma_m, 2),
        "name": row["name"],
        "kind": row["kind"],
        "source_kind": row["source_kind"],
        "feed": row["feed"],
        "first_delivered_on": str(row["first_delivered_on"]),
        "imagery_first_seen": _scene_code(evidence.get("after")),
        "imagery_before": _scene_code(evidence.get("before")),
        "expired_permit": _expired_here(row, result.net, night.expired),
        "announce_gov": area["announce_gov"],
        "announce_doc_no": area["announce_doc_no"],
        "line_code": area["boundary_code"],
        **_where(spot),
    }
    inputs = {
        "candidate": [str(row["id"]), int(row["version"])],
        "area": [str(area["id"]), int(area["version"])],
        "permits": [[str(with_place["id"].iloc[p]), int(with_place["version"].iloc[p])] for p in result.permits],
    }
    return Lead(
        topic="encroachment",
        key=str(row["id"]),
        kind=row["kind"],
        class_code=line.code,
        place=degrees.iloc[1],
        geom=degrees.iloc[0],
        position=result.position,
        basis=area["basis"],
        clause=line.clause,
        competent_authority=line.competent_authority,
        our_action=line.our_action if area["basis"] == "announced" else "仅提示",
        figures=figures,
        rules=night.rules[row["source_kind"]],
        inputs=inputs,
        sources=[{"candidate": str(row["id"]), "version": int(row["version"]), "code": row["code"]}],
        boundary_id=str(area["boundary_id"]),
        boundary_version=int(area["boundary_version"]),
        area_m2=_round(result.net_m2),
        district=spot.village_code or "",
        evidence=evidence,
    )


@dataclass
class Recorded:
    """What a night recorded for one topic: leads by status, and verdicts that are new."""

    statuses: dict[str, int] = field(default_factory=dict)
    verdicts: int = 0
    new: list[tuple[uuid.UUID, Lead]] = field(default_factory=list)


def record(
    conn: Connection,
    topic: str,
    leads: Sequence[Lead],
    not_leads: Sequence[NotLead],
    view: RuleView,
    rule_set: str,
    engine: dict[str, str],
    on: date,
    known_at: datetime,
) -> Recorded:
    """Record the leads of a topic against the ledger in the caller's transaction: same place, same lead; nothing is deleted."""
    known_frame = store.open_findings(conn, topic, on)
    zone = (
        crs.metric_crs(
            *crs.centre(gpd.GeoSeries([x.geom for x in leads] or list(known_frame.geometry), crs=crs.STORAGE))
        )
        if leads or len(known_frame)
        else None
    )
    if zone is None:
        store.add_not_findings(conn, on, not_leads)
        return Recorded()
    known, observed = _known(known_frame, zone, store.imagery(conn, on, known_at))
    footprints = gpd.GeoSeries([x.geom for x in leads], crs=crs.STORAGE).to_crs(zone)
    seen = [
        ledger.Seen(x.key, x.kind, g, str(x.figures.get("source_kind") or ""), x.key)
        for x, g in zip(leads, footprints, strict=True)
    ]
    steps = ledger.reconcile(known, seen, observed, ledger.NightLimits.of(view), night=on)
    reasons = {n.candidate_id: n.reason for n in not_leads}
    done = Recorded()
    for step in steps:
        _record_step(conn, step, leads, known, reasons, topic, on, rule_set, engine, done)
    store.add_not_findings(conn, on, not_leads)
    return done


def _known(frame: gpd.GeoDataFrame, zone: Any, scenes: gpd.GeoDataFrame) -> tuple[list[ledger.Known], list[float]]:
    known = (
        [
            ledger.Known(str(r.id), g, _carried(r))
            for r, g in zip(frame.itertuples(), frame.geometry.to_crs(zone), strict=True)
        ]
        if len(frame)
        else []
    )
    clouds = [u for u in scenes["unobserved"].head(1) if u is not None] if len(scenes) else []
    return known, [min([_observed(k.footprint, zone, u) for u in clouds], default=1.0) for k in known]


def _carried(row: Any) -> ledger.Carried:
    """What the nights before left of a lead, from the columns of its sightings."""
    return ledger.Carried.bare(
        row.kind,
        None if pd.isna(row.area_m2) else float(row.area_m2),
        source="",
        born=str(row.first_night),
        last_seen=str(row.last_seen),
        identity=row.key,
        missed=int(row.missed),
        closed=row.last_status if row.last_status in ("gone", "permitted") else None,
    )


def _record_step(
    conn: Connection,
    step: ledger.Step,
    leads: Sequence[Lead],
    known: Sequence[ledger.Known],
    reasons: dict[str, str],
    topic: str,
    on: date,
    rule_set: str,
    engine: dict[str, str],
    done: Recorded,
) -> None:
    lead = leads[step.seen[0]] if step.seen else None
    old = known[step.known] if step.known is not None else None
    status = step.status
    if lead is None and old is not None and "permitted" in {reasons.get(i) for i in old.carried.identities}:
        status = "permitted"
    if lead is None and old is not None and "not_observed" in {reasons.get(i) for i in old.carried.identities}:
        status = "unobserved"
    if old is not None:
        finding_id = uuid.UUID(old.finding_id)
    else:
        assert lead is not None
        finding_id = uuid.uuid5(IDENTITY_NAMESPACE, f"finding/{topic}/{lead.key}/{on}")
        store.add_finding(conn, finding_id, lead, on)
    store.add_sighting(conn, finding_id, on, status, lead, 0.0 if status == "unobserved" else None)
    done.statuses[status] = done.statuses.get(status, 0) + 1
    if lead is not None:
        done.verdicts += store.add_verdict(conn, finding_id, on, lead, rule_set, engine)
        if status in ("new", "rebound"):
            done.new.append((finding_id, lead))


def attach_pictures(
    conn: Connection, new: Sequence[tuple[uuid.UUID, Lead]], scenes: gpd.GeoDataFrame, store_dir: Path
) -> int:
    """Before and after pictures of new leads from the two newest scenes that show the whole place; returns how many leads got both.

    影像首见于 is what they say, never since when something stands there.
    """
    done = 0
    for finding_id, lead in new:
        shows = scenes[[bool(g.contains(lead.geom)) for g in scenes.geometry]].head(2) if len(scenes) else scenes
        if len(shows) < 2:
            continue
        for kind, scene in (("chip_after", shows.iloc[0]), ("chip_before", shows.iloc[1])):
            name, sha256 = _chip(lead, scene, store_dir)
            store.add_evidence(
                conn,
                finding_id,
                kind,
                file_sha256=sha256,
                file_path=name,
                taken_on=scene["taken_on"],
                caption=f"影像 {scene['taken_on']} · image of {scene['taken_on']}",
                position_grade="georeferenced",
            )
        done += 1
    return done


def _chip(lead: Lead, scene: pd.Series, store_dir: Path) -> tuple[str, str]:
    """Write the picture of a place into the store under its hash: (relative path, sha256)."""
    folder = store_dir / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{uuid.uuid4()}.part.png"
    raster.write_chip(store_dir / scene["file_path"], lead.geom, CHIP_MARGIN_M, part)
    sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(folder / f"{sha256}.png")
    return f"evidence/{sha256}.png", sha256


def as_rows(judged: Judged) -> dict[str, Any]:
    """The judged candidates as plain data for files and ``--json``."""
    return {
        "leads": [asdict(x) | {"geom": x.geom.wkt, "place": x.place.wkt} for x in judged.leads],
        "not_leads": [asdict(x) for x in judged.not_leads],
        "reasons": judged.reasons,
    }


@dataclass(frozen=True)
class Step:
    """A step taken in the life of a lead."""

    finding: str
    move: str
    state: str
    actor: str


def take_step(
    db: Database,
    finding: str,
    move: str,
    actor: str,
    *,
    reason: str | None,
    attachment: Path | None,
    store_dir: Path,
) -> Step:
    """Append an event to a lead if its lifecycle allows the move; the one who accepts is not the one who did.

    Raises ``NotFound``, ``UsageError`` (move not allowed now, something missing) or ``NotPermitted``.
    """
    life = lifecycle.load()["finding"]
    with db.write(actor) as conn:
        finding_id = store.record_of(conn, finding)["finding"]["id"]
        store.lock_finding(conn, finding_id)
        past = store.events(conn, finding_id)
        state = life.fold([e["move"] for e in past])
        given = [name for name, value in (("reason", reason), ("attachment", attachment)) if value]
        to_state = life.check(state, move, actor, given, [(e["move"], e["actor"]) for e in past])
        sha256 = None
        if attachment is not None:
            sha256 = sources.sha256(attachment)
            sources.keep(attachment, store_dir / "evidence" / f"{sha256}{attachment.suffix.lower()}")
        store.add_event(conn, finding_id, move, to_state, reason, sha256)
    return Step(str(finding_id), move, to_state, actor)
