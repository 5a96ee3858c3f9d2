"""The ledger of leads as the nights before left it, and how much of each lead's place was looked at since."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.encroachment import night_store, store
from rivergis.encroachment.judge_workflow import OPEN_REASONS, Judged
from rivergis.encroachment.lead_workflow import reference
from rivergis.encroachment.ledger import Carried, Known, Seen, Step
from rivergis.encroachment.night_workflow import Night, observed
from rivergis.rules import RuleView

_SAME_M2 = 0.01  # coordinates go through the database and a projection


@dataclass(frozen=True)
class Ledger:
    """The leads of a topic as the nights before left them; arrays row by row like ``frame``."""

    frame: gpd.GeoDataFrame
    known: list[Known]
    before: tuple[date, datetime] | None
    """The night before, and when it was recorded."""

    @property
    def watched(self) -> list[uuid.UUID]:
        """Candidates that the leads were last seen by: fetched wherever they are now."""
        return [uuid.UUID(c) for s in self.frame["sources"] for c, _ in objects_of(s)]


def known_leads(conn: Connection, topic: str, on: date, view: RuleView) -> Ledger:
    """The leads of a topic that a night may meet again."""
    back = int(view.number("encroach.nights.rebound_within"))
    frame = store.open_findings(conn, topic, on, on - timedelta(days=back))
    known = [Known(str(r.id), r.geom, _carried(r)) for r in frame.itertuples()]
    return Ledger(frame, known, store.night_before(conn, on))


def objects_of(sources: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Candidates and their versions among the sources of a sighting."""
    return [(s["candidate"], int(s["version"])) for s in sources or [] if "candidate" in s]


def _carried(row: Any) -> Carried:
    """What a lead carries; of one recorded before that was kept, what its columns tell."""
    if row.carried:
        return Carried.of(row.carried)
    first = row.sources[0] if row.sources else {}
    feeds = sorted({s["feed"] for s in row.sources or [] if s.get("feed")} or ({row.feed} if row.feed else set()))
    bare = Carried.bare(
        str(first.get("kind") or "unknown"),
        None if pd.isna(row.area_m2) else float(row.area_m2),
        source=feeds[0] if feeds else "",
        born=str(row.first_night),
        last_seen=str(row.last_seen),
        identity=first.get("key"),
        missed=int(row.missed),
        closed=row.last_status if row.last_status in ("gone", "permitted") else None,
    )
    return replace(bare, sources=tuple(feeds) or bare.sources)


def observed_shares(
    conn: Connection, book: Ledger, known: Sequence[Known], judged: Judged, on: date, known_at: datetime
) -> list[float]:
    """Share of the place of each known lead that a feed looked at since the night before: a feed that did not deliver did not look.

    Where the newest scene up to then shows nothing usable there, a feed made at a desk did not look either; and what a person
    must decide first is not missed.
    """
    last, when = book.before or (None, None)
    feeds = night_store.feeds_delivered(conn, last, when, on, known_at).set_index("feed")
    scenes = judged.night.scenes if judged.night else night_store.imagery(conn, on, known_at)
    open_ = {str(judged.candidates["id"].iloc[i]) for i, r in enumerate(judged.reason) if r in OPEN_REASONS}
    out = []
    for k, sources in zip(known, book.frame["sources"], strict=True):
        mine = [f for f in k.carried.sources if f in feeds.index]
        if any(c in open_ for c, _ in objects_of(sources)) or not mine:
            out.append(0.0)
            continue
        on_foot = any(feeds.loc[f, "on_foot"] for f in mine)
        out.append(1.0 if on_foot else _clear(k.footprint, scenes, max(feeds.loc[mine, "delivered_on"]), book, judged))
    return out


def _clear(footprint: Any, scenes: gpd.GeoDataFrame, until: date, book: Ledger, judged: Judged) -> float:
    """Share of a place that the newest scene of it up to a day shows; all of it where there is no scene."""
    zone = judged.night.ground.crs if judged.night else crs.metric_crs(*crs.centre(book.frame))
    degrees = gpd.GeoSeries([footprint], crs=zone).to_crs(crs.STORAGE).iloc[0]
    for scene in scenes.itertuples():
        if scene.taken_on <= until and scene.geom.intersects(degrees):
            return 1.0 if scene.unobserved is None else observed(footprint, zone, scene.unobserved)
    return 1.0


def standing(
    book: Ledger, known: Sequence[Known], seen: Sequence[Seen], rows: Sequence[int], judged: Judged
) -> tuple[list[Step], set[int], set[int]]:
    """Leads of which no feed said anything since the night before: they stand as last delivered, and nothing is learnt of them.

    One delivery is one sight, however many nights it stands for. Also returns which known leads and detections those are.
    """
    if judged.night is None or book.before is None:
        return [], set(), set()
    frame = judged.candidates
    last, when = book.before
    news = [d > last or t > when for d, t in zip(frame["delivered_on"], frame["delivered_at"], strict=True)]
    at = {
        (s.key, int(frame["version"].iloc[r])): n
        for n, (s, r) in enumerate(zip(seen, rows, strict=True))
        if not s.untold
    }
    # what no lead names yet is news as well: an earlier night that was run twice wrote down what it saw first
    named = {o for sources in book.frame["sources"] for o in objects_of(sources)}
    fresh = [
        s.footprint if s.footprint.area > 0 else s.footprint.buffer(s.accuracy_m)
        for s, r in zip(seen, rows, strict=True)
        if news[r] or (not s.untold and (s.key, int(frame["version"].iloc[r])) not in named)
    ]
    tree = shapely.STRtree(fresh)
    steps: list[Step] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for k, sources in enumerate(book.frame["sources"]):
        mine = [at.get(o) for o in objects_of(sources)]
        if not mine or None in mine or known[k].carried.closed or known[k].carried.left:
            continue
        own = tuple(n for n in mine if n is not None)
        same = abs(shapely.union_all([seen[n].footprint for n in own]).area - known[k].footprint.area) < _SAME_M2
        if (
            same
            and not len(tree.query(known[k].footprint, predicate="dwithin", distance=_reach_m(known[k])))
            and not any(news[rows[n]] for n in own)
        ):
            steps.append(Step("persisting", k, own, known[k].footprint, known[k].carried))
            taken[0].add(k)
            taken[1].update(own)
    return steps, *taken


def _reach_m(lead: Known) -> float:
    """How far from a lead without an area something may be that is the same thing, m."""
    return 0.0 if lead.is_area else lead.carried.accuracy_m


def line_moved(book: Ledger, night: Night | None) -> list[bool]:
    """Whether ground that each lead was judged by is no longer in force."""
    grounds = [] if night is None else [reference(a) for _, a in night.areas.iterrows()]
    in_force = {_named(g) for g in grounds}
    areas_in_force = {_named(g["area"]) for g in grounds if "area" in g}
    return [
        any(_named(g) not in in_force for g in (inputs or {}).get("ground", []))
        # as verdicts named it before they named all of their ground
        or ("area" in (inputs or {}) and _named(inputs["area"]) not in areas_in_force)
        for inputs in book.frame["inputs"]
    ]


def _named(ground: Any) -> str:
    return json.dumps(ground, sort_keys=True)
