"""Recording a night: what was seen against what is known, one place one lead, nothing changed and nothing deleted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.encroachment import hand_store, ledger, report_workflow, store
from rivergis.encroachment.book_workflow import (
    Ledger,
    feeds_of,
    fresh,
    line_moved,
    objects_of,
    observed_shares,
    standing,
)
from rivergis.encroachment.judge_workflow import Judged
from rivergis.encroachment.lead_workflow import lead
from rivergis.encroachment.ledger import Known, NightLimits, Seen, Step
from rivergis.encroachment.night_workflow import Registers
from rivergis.encroachment.store import Given, Moment, Sighting
from rivergis.lead import Lead, NotLead
from rivergis.rules import RuleView

ENCROACHMENT = "encroachment"
# what is said of a lead again and again while nothing happens to it
QUIET = ("persisting", "unobserved", "left_by_redraw")
_SAME_M2 = 0.01  # coordinates go through the database and a projection


@dataclass
class Recorded:
    """What was recorded: what happened to leads, verdicts that are new, and leads to be shown in pictures."""

    statuses: dict[uuid.UUID, str] = field(default_factory=dict)
    verdicts: int = 0
    new: list[tuple[uuid.UUID, Lead]] = field(default_factory=list)


@dataclass(frozen=True)
class Stands:
    """A lead that is shown by the same objects, of which nothing that its verdict rests on has changed: the verdict stands."""

    sources: list[dict[str, Any]]


@dataclass(frozen=True)
class _Met:
    """A step of tonight with the lead it is about, the lead it tells, and whether the place was looked at since."""

    finding: uuid.UUID
    step: Step
    told: Lead | Stands | None
    row: Any
    """Row of the ledger; None = new."""
    share: float | None
    looked: bool
    footprint: shapely.Geometry
    """Degrees."""


def record_encroachments(
    conn: Connection,
    judged: Judged,
    book: Ledger,
    registers: Registers,
    view: RuleView,
    given: Given,
    at: Moment,
    delivered: pd.DataFrame,
    changed: Collection[uuid.UUID],
    touched: Collection[uuid.UUID] | None = None,
) -> Recorded:
    """Record what was judged of things that belong together against the leads they may be, in the caller's transaction.

    ``delivered``: feeds that looked since the night before (``night_store.feeds_delivered``); ``changed``: candidates that are
    delivered otherwise than before; ``touched``: candidates that changed since, or whose permits, lines or pictures did (None = all): a lead on others keeps its verdict.
    """
    store.add_not_findings(conn, at, list(_reasons(judged)))
    zone = judged.night.ground.crs
    metric = book.frame.geometry.to_crs(zone)
    known = [replace(k, footprint=g) for k, g in zip(book.known, metric, strict=True)]
    seen, rows = _seen(judged, known)
    last_seen = [date.fromisoformat(k.carried.last_seen) for k in known]
    on_foot = np.maximum(_looked_at_on_foot(conn, book, last_seen, view, at), _ended_by_hand(conn, book, at))
    looked = np.maximum(observed_shares(known, book, judged, delivered), on_foot).tolist()
    news = fresh(judged, book)
    stand, mine, theirs = standing(book, known, seen, rows, judged, news, changed)
    free_k = [k for k in range(len(known)) if k not in mine]
    free_s = [s for s in range(len(seen)) if s not in theirs]
    moved = line_moved(book, registers)
    limits = NightLimits.of(view)
    steps = stand + [
        _at(step, free_k, free_s)
        for step in ledger.reconcile(
            [known[k] for k in free_k],
            [seen[s] for s in free_s],
            [looked[k] for k in free_k],
            limits,
            night=at.night,
            line_moved=[moved[k] for k in free_k],
        )
    ]
    told = [_told(judged, [rows[s] for s in step.seen], step, book, touched) for step in steps]
    feeds = book.looked(delivered)
    seen_anew = [
        any(news[rows[s]] for s in step.seen)
        or (
            step.known is not None
            and (
                on_foot[step.known] > 0
                or not (step.seen or feeds[step.known].isdisjoint(known[step.known].carried.sources))
            )
        )
        for step in steps
    ]
    shares = [looked[s.known] if s.known is not None and not s.seen else None for s in steps]
    return _record(conn, ENCROACHMENT, steps, told, shares, seen_anew, book, known, zone, given, limits, at.night)


def _told(
    judged: Judged, rows: Sequence[int], step: Step, book: Ledger, touched: Collection[uuid.UUID] | None
) -> Lead | Stands | None:
    """What a step tells: nothing, the lead as it stood, or one made anew."""
    if not rows:
        return None
    if touched is not None and step.known is not None and step.status == "persisting":
        things = judged.candidates.iloc[list(rows)]
        objects = sorted((str(i), int(v)) for i, v in zip(things["id"], things["version"], strict=True))
        sources = book.frame["sources"].iloc[step.known]
        if objects == sorted(objects_of(sources)) and not any(i in touched for i in things["id"]):
            return Stands(sources)
    return lead(judged, rows)


def _looked_at_on_foot(
    conn: Connection, book: Ledger, last_seen: Sequence[date], view: RuleView, at: Moment
) -> np.ndarray:
    """Share of the place of each lead that people looked at in person since it heard of them last."""
    out = np.zeros(len(book.frame))
    for heard in set(book.heard):
        mine = [k for k, t in enumerate(book.heard) if t == heard]
        seen = [last_seen[k] for k in mine]
        there = book.frame.geometry.iloc[mine]
        out[mine] = report_workflow.looked_at(conn, there, seen, view, at.night, at.known_at, heard)
    return out


def _ended_by_hand(conn: Connection, book: Ledger, at: Moment) -> np.ndarray:
    """1 for each lead all of whose objects somebody ended, the last of them since it heard of them: who ended it looked."""
    objects = [[c for c, _ in objects_of(sources)] for sources in book.frame["sources"]]
    when = hand_store.ended(conn, {c for of in objects for c in of}, at.night, at.known_at)
    out = np.zeros(len(objects))
    for k, (of, heard) in enumerate(zip(objects, book.heard, strict=True)):
        if of and all(c in when for c in of):
            out[k] = float(heard is None or max(when[c] for c in of) > heard)
    return out


def _reasons(judged: Judged) -> Iterator[NotLead]:
    """Why each candidate is not told; ``told`` for the others."""
    ids, versions = judged.candidates["id"].astype(str), judged.candidates["version"].astype(int)
    for i, v, reason, detail in zip(ids, versions, judged.reason, judged.details, strict=True):
        yield NotLead(i, v, "told", {}) if reason is None else NotLead(i, v, str(reason), detail)


def _at(step: Step, known: Sequence[int], seen: Sequence[int]) -> Step:
    """A step with the positions of the whole night."""
    return replace(
        step,
        known=None if step.known is None else known[step.known],
        seen=tuple(seen[s] for s in step.seen),
        into=None if step.into is None else known[step.into],
    )


def _seen(judged: Judged, known: Sequence[Known]) -> tuple[list[Seen], list[int]]:
    """Detections of tonight and their rows: all that is told, and what is not told where it meets a known lead."""
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
        untold = None if reason is None else str(reason)
        accuracy = float(row["accuracy_m"])
        seen.append(Seen(identity, row["kind"], shape, str(row["feed"]), identity, accuracy, untold, over.shape[i]))
        rows.append(i)
    return seen, rows


def record_register(
    conn: Connection, topic: str, leads: Sequence[Lead], book: Ledger, view: RuleView, given: Given, on: date
) -> Recorded:
    """Record the leads of a topic on things of a register (outfalls, lines): each has a name, and is itself only."""
    limits = NightLimits.of(view)
    known = [_seen_until_now(k, r, book) for k, r in zip(book.known, book.frame.itertuples(), strict=True)]
    by_key: dict[str, list[int]] = {}
    for k, lead_ in enumerate(known):
        by_key.setdefault(lead_.carried.identities[0] if lead_.carried.identities else "", []).append(k)
    steps: list[Step] = []
    told: list[Lead | Stands | None] = []
    for key in sorted({*by_key, *(x.key for x in leads)}):
        here = [i for i, x in enumerate(leads) if x.key == key][:1]
        mine = by_key.get(key, [])
        seen = [Seen(key, leads[i].kind, leads[i].geom, topic, key) for i in here]
        found = ledger.reconcile([known[k] for k in mine], seen, [1.0] * len(mine), limits, night=on)
        for step in found:
            steps.append(_as_it_was(_at(step, mine, here), known))
            told.append(leads[here[0]] if step.seen else None)
    # a register is there every night: that it says the same again is no sight worth a row
    anew = [step.known is None or step.carried != known[step.known].carried for step in steps]
    shares: list[float | None] = [None] * len(steps)
    return _record(conn, topic, steps, told, shares, anew, book, known, crs.STORAGE, given, limits, on)


def _as_it_was(step: Step, known: Sequence[Known]) -> Step:
    """A step of a thing of a register that stands where it stood: nothing is learnt of it."""
    if step.known is None or step.status != "persisting":
        return step
    before = known[step.known]
    same = shapely.equals_exact(step.footprint, before.footprint, 1e-9)
    return replace(step, carried=before.carried) if same else step


def _seen_until_now(lead_: Known, row: Any, book: Ledger) -> Known:
    if book.before is None or lead_.carried.closed or lead_.carried.missed:
        return lead_
    return replace(lead_, carried=replace(lead_.carried, last_seen=book.before.night.isoformat()))


def _record(
    conn: Connection,
    topic: str,
    steps: Sequence[Step],
    told: Sequence[Lead | Stands | None],
    shares: Sequence[float | None],
    looked: Sequence[bool],
    book: Ledger,
    known: Sequence[Known],
    zone: Any,
    given: Given,
    limits: NightLimits,
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
    last = list(book.frame.itertuples())
    met = [
        _Met(i, step, x, None if step.known is None else last[step.known], share, anew, shape)
        for i, step, x, share, anew, shape in zip(ids, steps, told, shares, looked, footprints, strict=True)
    ]
    made = [(m.finding, m.told, m.step) for m in met if isinstance(m.told, Lead)]
    store.add_findings(conn, on, [(i, x) for i, x, s in made if s.known is None])
    before = {m.finding: known[m.step.known] for m in met if m.step.known is not None}
    areas = dict(zip(ids, shapely.area([s.footprint for s in steps]) if steps else [], strict=True))
    sightings = [
        x for m in met if (x := _sighting(m, before.get(m.finding), float(areas[m.finding]), limits)) is not None
    ]
    store.add_sightings(conn, on, sightings)
    heirs = [(i, uuid.UUID(known[s.into].finding_id)) for i, s in zip(ids, steps, strict=True) if s.into is not None]
    store.merge(conn, heirs)
    verdicts = store.add_verdicts(conn, on, [(i, x) for i, x, _ in made], given)
    return Recorded(
        {s.finding: s.status for s in sightings},
        verdicts,
        [(i, x) for i, x, s in made if s.status in ("new", "rebound")],
    )


def _sighting(m: _Met, before: Known | None, area_m2: float, limits: NightLimits) -> Sighting | None:
    """What is written of a lead: all of it, that it was seen as it was, or nothing, where nobody looked and nothing changed."""
    sources = _sources(m)
    if before is not None and m.step.status in QUIET:
        again = m.step.status == m.row.last_status and _same_sight(m, before, sources, area_m2)
        if again and m.row.calm:
            return Sighting(m.finding, m.step.status, calm=True) if m.looked else None
        unsaid = m.step.status != "left_by_redraw" and not m.step.because
        if not m.looked and m.step.carried == before.carried and (again or unsaid):
            return None
    shape = m.footprint if m.step.seen else None
    area = m.told.area_m2 if isinstance(m.told, Lead) and m.step.area_m2 is None else m.step.area_m2
    calm = m.step.status in QUIET and m.step.carried.would_stay(_showing(m), limits)
    return Sighting(
        m.finding,
        m.step.status,
        sources,
        None if area is None else round(area, 1),
        m.share,
        shape,
        m.step.carried.record(),
        calm,
    )


def _sources(m: _Met) -> list[dict[str, Any]]:
    if m.told is None:
        return [{"because": m.step.because}] if m.step.because else []
    if isinstance(m.told, Stands):
        return m.told.sources
    return [{"key": m.told.key, "kind": m.told.kind}, *m.told.sources]


def _same_sight(m: _Met, before: Known, sources: list[dict[str, Any]], area_m2: float) -> bool:
    """Whether a lead is seen by the same versions of the same objects, on as much ground; or unseen for the same reason."""
    if m.told is None:
        return bool(m.step.because == m.row.last_because)
    same = sorted(objects_of(sources)) == sorted(objects_of(m.row.sources))
    return same and abs(area_m2 - before.footprint.area) < _SAME_M2


def _showing(m: _Met) -> set[str]:
    """Feeds that show a lead now, or showed it last."""
    return feeds_of(m.told.sources if m.told is not None else m.row.sources if m.row is not None else [])
