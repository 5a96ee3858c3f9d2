"""The ledger of leads as the nights before left it, and how much of each lead's place was looked at since."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis.encroachment import store
from rivergis.encroachment.judge_workflow import OPEN_REASONS, Judged
from rivergis.encroachment.ledger import Carried, Known, NightLimits, Seen, Step
from rivergis.encroachment.night_workflow import Night, Registers, named
from rivergis.encroachment.store import Moment

_SAME_M2 = 0.01  # coordinates go through the database and a projection


@dataclass(frozen=True)
class Ledger:
    """Leads as the nights before left them; arrays row by row like ``frame``."""

    frame: gpd.GeoDataFrame
    known: list[Known]
    before: Moment | None
    """The night before, and what it knew."""

    @cached_property
    def heard(self) -> list[datetime | None]:
        """Up to when each lead has heard of what was delivered: a night that was run again wrote down of some what came in between."""
        if self.before is None:
            return [None] * len(self.frame)
        known = [self.before.known_at if pd.isna(t) else t for t in self.frame["told_knowing"]]
        return [max(t, self.before.known_at) for t in known]

    def looked(self, delivered: pd.DataFrame) -> list[set[str]]:
        """For each lead the feeds that delivered since it heard of them last (``night_store.feeds_delivered``)."""
        feeds = list(zip(delivered["feed"], delivered["delivered_on"], delivered["recorded_at"], strict=True))
        return [
            {f for f, on, at in feeds if self.before is None or t is None or on > self.before.night or at > t}
            for t in self.heard
        ]


def known_leads(
    conn: Connection,
    topic: str,
    at: Moment,
    before: Moment | None,
    limits: NightLimits,
    ids: Sequence[uuid.UUID] | None = None,
) -> Ledger:
    """The leads of a topic (or of them ``ids``) that a night may meet again."""
    frame = store.open_findings(conn, topic, at, at.night - timedelta(days=limits.rebound_within), ids)
    known = [Known(str(r.id), r.geom, _seen_since(r, _carried(r), limits)) for r in frame.itertuples()]
    return Ledger(frame, known, before)


def objects_of(sources: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """Candidates and their versions among the sources of a sighting."""
    return [(s["candidate"], int(s["version"])) for s in sources or [] if "candidate" in s]


def feeds_of(sources: list[dict[str, Any]]) -> set[str]:
    """Feeds among the sources of a sighting."""
    return {str(s["feed"]) for s in sources or [] if s.get("feed")}


def _seen_since(row: Any, carried: Carried, limits: NightLimits) -> Carried:
    """What a lead carries, with the nights since that saw it as it was."""
    kinds = {str(s["kind"]) for s in row.sources or [] if s.get("kind")}
    return carried.seen_as_it_was(int(row.seen_again), str(row.seen_again_on), kinds, feeds_of(row.sources), limits)


def _carried(row: Any) -> Carried:
    """What a lead carries; of one recorded before that was kept, what its columns tell."""
    if row.carried:
        return Carried.of(row.carried)
    first = row.sources[0] if row.sources else {}
    feeds = sorted(feeds_of(row.sources) or ({row.feed} if row.feed else set()))
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


def observed_shares(known: Sequence[Known], book: Ledger, judged: Judged, delivered: pd.DataFrame) -> list[float]:
    """Share of the place of each known lead that a feed looked at since the night before: a feed that did not deliver did not look.

    ``delivered``: feeds that did (``night_store.feeds_delivered``). Where the newest scene up to then shows nothing usable there, a
    feed made at a desk did not look either; and what a person must decide first is not missed.
    """
    feeds = delivered.set_index("feed")
    open_ = {str(judged.candidates["id"].iloc[i]) for i, r in enumerate(judged.reason) if r in OPEN_REASONS}
    out = []
    of_each = zip(known, book.frame.geometry, book.frame["sources"], book.looked(delivered), strict=True)
    for k, degrees, sources, looked in of_each:
        mine = [f for f in k.carried.sources if f in looked]
        if any(c in open_ for c, _ in objects_of(sources)) or not mine:
            out.append(0.0)
            continue
        on_foot = any(feeds.loc[f, "on_foot"] for f in mine)
        out.append(1.0 if on_foot else _clear(k.footprint, degrees, max(feeds.loc[mine, "delivered_on"]), judged.night))
    return out


def _clear(footprint: Any, degrees: Any, until: date, night: Night) -> float:
    """Share of a place (metres, and in degrees) that the newest scene of it up to a day shows; all of it where there is no scene."""
    for scene in night.scenes.itertuples():
        if scene.taken_on <= until and scene.geom.intersects(degrees):
            return night.observed(footprint, str(scene.code))
    return 1.0


def fresh(judged: Judged, book: Ledger) -> list[bool]:
    """Whether each candidate was delivered since the night before, or since the lead that names it heard of it."""
    before, frame = book.before, judged.candidates
    if before is None:
        return [True] * len(frame)
    heard = {
        o: t for sources, t in zip(book.frame["sources"], book.heard, strict=True) if t for o in objects_of(sources)
    }
    known = [heard.get((str(i), int(v)), before.known_at) for i, v in zip(frame["id"], frame["version"], strict=True)]
    return [
        d > before.night or t > h for d, t, h in zip(frame["delivered_on"], frame["delivered_at"], known, strict=True)
    ]


def standing(
    book: Ledger,
    known: Sequence[Known],
    seen: Sequence[Seen],
    rows: Sequence[int],
    judged: Judged,
    news: Sequence[bool],
    changed: Collection[uuid.UUID],
) -> tuple[list[Step], set[int], set[int]]:
    """Leads of which no feed said anything since the night before: they stand as last delivered, and nothing is learnt of them.

    One delivery is one sight, however many nights it stands for; what is delivered again as it was beside a lead says nothing of
    it (``changed``: candidates delivered otherwise than before). Also returns which known leads and detections those are.
    """
    if book.before is None:
        return [], set(), set()
    frame = judged.candidates
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
        if (news[r] and frame["id"].iloc[r] in changed)
        or (not s.untold and (s.key, int(frame["version"].iloc[r])) not in named)
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


def line_moved(book: Ledger, known: Registers) -> list[bool]:
    """Whether ground that each lead was judged by is no longer in force."""
    return [
        any(named(g) not in known.in_force for g in (inputs or {}).get("ground", []))
        # as verdicts named it before they named all of their ground
        or ("area" in (inputs or {}) and named(inputs["area"]) not in known.areas_in_force)
        for inputs in book.frame["inputs"]
    ]
