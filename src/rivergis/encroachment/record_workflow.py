"""Recording a night: what was seen against what is known, one place one lead, nothing changed and nothing deleted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.encroachment import ledger, night_store, report_workflow, store
from rivergis.encroachment.book_workflow import Ledger, line_moved, objects_of, observed_shares, standing
from rivergis.encroachment.judge_workflow import Judged
from rivergis.encroachment.lead_workflow import lead
from rivergis.encroachment.ledger import Known, NightLimits, Seen, Step
from rivergis.encroachment.store import Given, Sighting
from rivergis.lead import Lead
from rivergis.rules import RuleView

ENCROACHMENT = "encroachment"


@dataclass
class Recorded:
    """What a night recorded for one topic: leads by status, verdicts that are new, and leads to be shown in pictures."""

    statuses: dict[str, int] = field(default_factory=dict)
    verdicts: int = 0
    leads: int = 0
    announced: int = 0
    """Of them on announced lines or gazetted zones."""
    new: list[tuple[uuid.UUID, Lead]] = field(default_factory=list)


@dataclass(frozen=True)
class Stands:
    """A lead that is as it was the night before, with all that its verdict rests on: the verdict stands."""

    sources: list[dict[str, Any]]
    basis: str


def record_encroachments(
    conn: Connection,
    judged: Judged,
    book: Ledger,
    view: RuleView,
    given: Given,
    on: date,
    known_at: datetime,
    *,
    unchanged: bool = False,
) -> Recorded:
    """Record the encroachments of a night against the ledger, in the caller's transaction.

    ``unchanged``: rules and everything else that verdicts rest on are as the night before, deliveries apart; then only what was
    delivered otherwise is given a verdict anew.
    """
    store.add_not_findings(conn, on, judged.not_leads)
    if judged.night is None:
        zone = crs.metric_crs(*crs.centre(book.frame)) if len(book.frame) else None
    else:
        zone = judged.night.ground.crs
    if zone is None:
        return Recorded()
    metric = book.frame.geometry.to_crs(zone)
    known = [replace(k, footprint=g) for k, g in zip(book.known, metric, strict=True)]
    seen, rows = _seen(judged, known)
    last_seen = [date.fromisoformat(k.carried.last_seen) for k in known]
    when = None if book.before is None else book.before[1]
    on_foot = report_workflow.looked_at(conn, book.frame.geometry, last_seen, view, on, known_at, when)
    looked = np.maximum(observed_shares(conn, book, known, judged, on, known_at), on_foot).tolist()
    stand, mine, theirs = standing(book, known, seen, rows, judged)
    free_k = [k for k in range(len(known)) if k not in mine]
    free_s = [s for s in range(len(seen)) if s not in theirs]
    moved = line_moved(book, judged.night)
    beyond = _beyond(conn, book, moved, judged, view, zone, on, known_at)
    steps = stand + [
        _at(step, free_k, free_s)
        for step in ledger.reconcile(
            [known[k] for k in free_k],
            [seen[s] for s in free_s] + beyond,
            [looked[k] for k in free_k],
            NightLimits.of(view),
            night=on,
            line_moved=[moved[k] for k in free_k],
        )
    ]
    told = [_told(judged, [rows[s] for s in step.seen], step, book, unchanged) for step in steps]
    shares = [0.0 if i < len(stand) else _share(step, looked) for i, step in enumerate(steps)]
    return _record(conn, ENCROACHMENT, steps, told, shares, known, zone, given, on)


def _beyond(
    conn: Connection,
    book: Ledger,
    moved: Sequence[bool],
    judged: Judged,
    view: RuleView,
    zone: Any,
    on: date,
    known_at: datetime,
) -> list[Seen]:
    """What stands where leads are whose line is no longer in force, and no line of tonight comes near: it is outside, not gone.

    Whatever a feed calls it by now, and where no line is in force any more.
    """
    left = book.frame[[m and k.carried.closed is None for m, k in zip(moved, book.known, strict=True)]]
    if left.empty:
        return []
    ids = [uuid.UUID(c) for s in left["sources"] for c, _ in objects_of(s)]
    found = night_store.candidates_near(conn, on, known_at, [], list(left.geometry), ids)
    judged_ids = set() if judged.candidates.empty else set(judged.candidates["id"].astype(str))
    found = found[~found["id"].astype(str).isin(judged_ids)]
    found = found[report_workflow.standing(conn, found, view, on, known_at)]
    return [
        Seen(str(c.id), c.kind, shape, str(c.feed), str(c.id), untold="outside", whole=shape)
        for c, shape in zip(found.itertuples(), found.geometry.to_crs(zone), strict=True)
    ]


def _told(judged: Judged, rows: Sequence[int], step: Step, book: Ledger, unchanged: bool) -> Lead | Stands | None:
    """What a step tells: nothing, the lead as it stood the night before, or one made anew."""
    if not rows:
        return None
    if unchanged and step.known is not None and book.before is not None:
        last = book.frame.iloc[step.known]
        ids, versions = judged.candidates["id"], judged.candidates["version"]
        same = {(str(ids.iloc[i]), int(versions.iloc[i])) for i in rows} == set(objects_of(last["sources"]))
        if same and last["last_seen"] == book.before[0] and last["basis"] is not None:
            return Stands(last["sources"], last["basis"])
    return lead(judged, rows)


def _at(step: Step, known: Sequence[int], seen: Sequence[int]) -> Step:
    """A step with the positions of the whole night."""
    return replace(
        step,
        known=None if step.known is None else known[step.known],
        seen=tuple(seen[s] for s in step.seen),
        into=None if step.into is None else known[step.into],
    )


def _share(step: Step, looked: Sequence[float]) -> float | None:
    return looked[step.known] if step.known is not None and not step.seen else None


def _seen(judged: Judged, known: Sequence[Known]) -> tuple[list[Seen], list[int]]:
    """Detections of tonight and their rows: all that is told, and what is not told where it meets a known lead."""
    if judged.over is None or judged.night is None:
        return [], []
    over, frame = judged.over, judged.candidates
    names = {name for k in known for name in k.carried.identities}
    tree = shapely.STRtree([k.footprint for k in known])
    seen, rows = [], []
    for i, reason in enumerate(judged.reason):
        shape = over.net[i] if reason is None else over.shape[i]
        if shape is None or shape.is_empty:
            continue
        identity = str(frame["id"].iloc[i])
        if reason is not None and identity not in names and not len(tree.query(shape, predicate="intersects")):
            continue
        row = frame.iloc[i]
        seen.append(
            Seen(
                identity,
                row["kind"],
                shape,
                str(row["feed"]),
                identity,
                float(row["accuracy_m"]),
                None if reason is None else str(reason),
                over.shape[i],
            )
        )
        rows.append(i)
    return seen, rows


def record_register(
    conn: Connection, topic: str, leads: Sequence[Lead], book: Ledger, view: RuleView, given: Given, on: date
) -> Recorded:
    """Record the leads of a topic on things of a register (outfalls, lines): each has a name, and is itself only."""
    limits = NightLimits.of(view)
    by_key: dict[str, list[int]] = {}
    for k, lead_ in enumerate(book.known):
        by_key.setdefault(lead_.carried.identities[0] if lead_.carried.identities else "", []).append(k)
    steps: list[Step] = []
    told: list[Lead | Stands | None] = []
    shares: list[float | None] = []
    for key in sorted({*by_key, *(x.key for x in leads)}):
        here = [i for i, x in enumerate(leads) if x.key == key][:1]
        mine = by_key.get(key, [])
        seen = [Seen(key, leads[i].kind, leads[i].geom, topic, key) for i in here]
        found = ledger.reconcile([book.known[k] for k in mine], seen, [1.0] * len(mine), limits, night=on)
        for step in found:
            steps.append(_at(step, mine, here))
            told.append(leads[here[0]] if step.seen else None)
            shares.append(None)
    return _record(conn, topic, steps, told, shares, book.known, crs.STORAGE, given, on)


def _record(
    conn: Connection,
    topic: str,
    steps: Sequence[Step],
    told: Sequence[Lead | Stands | None],
    shares: Sequence[float | None],
    known: Sequence[Known],
    zone: Any,
    given: Given,
    on: date,
) -> Recorded:
    """Write down the steps of a topic with the lead that each tells, if any."""
    ids = [
        uuid.UUID(known[step.known].finding_id)
        if step.known is not None
        else uuid.uuid5(IDENTITY_NAMESPACE, f"finding/{topic}/{x.key if isinstance(x, Lead) else ''}/{on}")
        for step, x in zip(steps, told, strict=True)
    ]
    footprints = list(gpd.GeoSeries([s.footprint for s in steps], crs=zone).to_crs(crs.STORAGE)) if steps else []
    made = [(i, x, s) for i, x, s in zip(ids, told, steps, strict=True) if isinstance(x, Lead)]
    store.add_findings(conn, on, [(i, x) for i, x, s in made if s.known is None])
    sightings = [
        _sighting(i, step, x, share, shape)
        for i, step, x, share, shape in zip(ids, steps, told, shares, footprints, strict=True)
    ]
    store.add_sightings(conn, on, sightings)
    heirs = [(i, uuid.UUID(known[s.into].finding_id)) for i, s in zip(ids, steps, strict=True) if s.into is not None]
    store.merge(conn, heirs)
    verdicts = store.add_verdicts(conn, on, [(i, x) for i, x, _ in made], given)
    bases = [x.basis for x in told if x is not None]
    return Recorded(
        store.statuses_of_night(conn, topic, on),
        verdicts,
        len(bases),
        sum(b in ("announced", "gazette") for b in bases),
        [(i, x) for i, x, s in made if s.status in ("new", "rebound")],
    )


def _sighting(finding: uuid.UUID, step: Step, x: Lead | Stands | None, share: float | None, shape: Any) -> Sighting:
    carried = step.carried.record()
    if x is None:
        because = [{"because": step.because}] if step.because else []
        return Sighting(finding, step.status, because, None, share, None, carried)
    sources = x.sources if isinstance(x, Stands) else [{"key": x.key, "kind": x.kind}, *x.sources]
    area = x.area_m2 if isinstance(x, Lead) and step.area_m2 is None else step.area_m2
    return Sighting(finding, step.status, sources, None if area is None else round(area, 1), share, shape, carried)
