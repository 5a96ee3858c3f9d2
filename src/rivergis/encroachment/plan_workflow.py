"""What a night has to look at, and in which parts: all that changed since the night before, with all that it may be the same as."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary.ground import store as ground_store
from rivergis.encroachment import delta_store, night_store, parts, report_store
from rivergis.encroachment.delta_store import Nodes
from rivergis.encroachment.ground_workflow import Acts, acts, prepare
from rivergis.encroachment.store import Moment
from rivergis.river.register import Register
from rivergis.rules import RuleView
from rivergis.rules.book import listed

CHUNK = 2_000  # things judged at a time, so that memory does not grow with the night


@dataclass(frozen=True)
class Work:
    """Things of one district to be judged together, measured in the zone at ``at`` (degrees); boxes (n, 4) in degrees."""

    at: tuple[float, float]
    leads: list[uuid.UUID]
    candidates: pd.DataFrame
    """id, version, delivered_on, delivered_at; ``round`` 0 = it changed, or what it is judged by did."""
    boxes: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """A night's work by district (adcode of a county, or ``none``)."""

    work: dict[str, list[Work]]
    calm: dict[str, list[tuple[uuid.UUID, str]]]
    """Leads that are shown again as they were, with their status."""
    changed: frozenset[uuid.UUID]
    """Candidates delivered otherwise than before."""
    full: bool
    delivered: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Feeds that looked since the night before."""
    crossed: frozenset[uuid.UUID] = frozenset()
    """Candidates at ground whose boundary was redrawn or revoked: those that are not judged lie outside now."""

    @property
    def candidates(self) -> int:
        """How many candidates are judged."""
        return sum(len(w.candidates) for of in self.work.values() for w in of)

    @property
    def judged(self) -> set[uuid.UUID]:
        return {i for of in self.work.values() for w in of for i in w.candidates["id"]}


def plan(
    conn: Connection,
    wanted: Acts,
    now: Moment,
    before: Moment | None,
    view: RuleView,
    register: Register,
    *,
    full: bool,
    again: Sequence[str] = (),
    chunk: int = CHUNK,
) -> Plan:
    """What is to be judged on a civil day, given what the night ``before`` judged; writes temporary tables only.

    ``full``: everything at or inside the lines, and every lead; ``again``: districts of which that holds because the night
    before failed there.
    """
    delta_store.open_leads(conn, now, timedelta(days=_most(view, "encroach.nights.rebound_within")))
    nodes = Nodes(conn, now, wanted.grounds, _reach_m(view))
    after, since = (None, None) if before is None else (before.night, before.known_at)
    delivered = night_store.feeds_delivered(conn, after, since, now.night, now.known_at)
    used = delta_store.deliveries_used(conn, now)
    then = {} if before is None else delta_store.deliveries_used(conn, before)
    changed = _changed(conn, used, then)
    crossed: set[uuid.UUID] = set()
    if full or before is None or parts.ELSEWHERE in again:
        nodes.everything()
        crossed = night_store.not_told(conn, now.night, now.known_at)
    else:
        crossed = _seed(conn, nodes, wanted, now, before, view, changed)
        new = {f for f in used if used[f] != then.get(f)} | set(delivered["feed"])
        nodes.add_moving(sorted(new))
        nodes.add_district(again, [u for d in again for u in _units(register, d)])
        nodes.close()
    frame = nodes.frame()
    pairs = nodes.pairs(frame)
    fresh = {d for f, ids in used.items() for d in ids - then.get(f, frozenset())}
    calm: dict[str, list[tuple[uuid.UUID, str]]] = {}
    again_seen = nodes.seen_as_they_were(fresh)
    places = [shapely.Point(xy) for xy in zip(again_seen["lon"], again_seen["lat"], strict=True)]
    for row, district in zip(again_seen.itertuples(), register.districts(places), strict=True):
        calm.setdefault(district, []).append((row.id, row.status))
    everything = full or before is None
    return Plan(
        _by_district(frame, pairs, register, chunk), calm, frozenset(changed), everything, delivered, frozenset(crossed)
    )


def _most(view: RuleView, key: str) -> float:
    """The most that any place's rules say: what is gathered for a night is gathered for all of its districts."""
    rows = view.book.by_key[key]
    return max(float(r.value) for r in rows if isinstance(r.value, (int, float)))


def _reach_m(view: RuleView) -> dict[str, float]:
    """How far off the place of a point may be that says nothing of it, m, by kind of source (``*`` = any other): the most that any
    place's rules say."""
    out = {"*": 0.0}
    for row in view.book.by_key["encroach.source_accuracy"]:
        for kind in listed(row.applies_to.get("source_kind", "*")):
            out[kind] = max(out.get(kind, 0.0), float(row.value))
    return out


def _changed(
    conn: Connection, now: dict[str, frozenset[uuid.UUID]], before: dict[str, frozenset[uuid.UUID]]
) -> set[uuid.UUID]:
    out: set[uuid.UUID] = set()
    for feed in sorted({*now, *before}):
        a, b = now.get(feed, frozenset()), before.get(feed, frozenset())
        if a != b:
            out |= delta_store.changed_items(conn, a, b)
    return out


def _seed(
    conn: Connection, nodes: Nodes, wanted: Acts, now: Moment, before: Moment, view: RuleView, changed: set[uuid.UUID]
) -> set[uuid.UUID]:
    """What changed by itself: objects, permits, lines, pictures, and looks that people took; returns what stands at lines redrawn."""
    moments = (now.night, now.known_at), (before.night, before.known_at)
    permits = night_store.permits_between(conn, *moments)
    scenes = night_store.scenes_between(conn, *moments)
    ids = set(changed) | delta_store.seen_earlier(conn, now, before)
    if scenes:
        ids |= night_store.naming_scenes(conn, scenes)
    worded = set(permits.loc[~permits["placed"].to_numpy(bool), "allows"])
    if worded:
        ids |= night_store.of_kinds(conn, worded)
    nodes.add_candidates(ids)
    places = list(permits.geometry[permits["placed"].to_numpy(bool)])
    places += _looks(conn, now, before, view)
    nodes.add_places(places)
    return nodes.add_places(_redrawn(conn, wanted, before))


def _redrawn(conn: Connection, wanted: Acts, before: Moment) -> list[Any]:
    """Ground of boundaries that only one of two nights judges by; where it is open what is inside, too."""
    then = acts(conn, before.night, before.known_at, snap_m=wanted.snap_m, doubt_m=wanted.doubt_m)
    changed = set(wanted.grounds).symmetric_difference(then.grounds)
    prepare(conn, then.near(changed))  # the cache may have been emptied since
    frame = ground_store.grounds(conn, sorted(changed, key=str))
    return [g for g in frame.geometry if g is not None and not g.is_empty]


def _looks(conn: Connection, now: Moment, before: Moment, view: RuleView) -> list[Any]:
    """Around where people looked since and found nothing, degrees."""
    looks = report_store.looks(conn, now.night, now.known_at)
    looks = looks[
        (looks["day"] == now.night) | (looks["day"] > before.night) | (looks["recorded_at"] > before.known_at)
    ]
    if looks.empty:
        return []
    zone = crs.metric_crs(*crs.centre(looks))
    wide = looks.geometry.to_crs(zone).buffer(view.number("encroach.report.seen_radius") * 1.1)
    return list(wide.to_crs(crs.STORAGE))


def _units(register: Register, district: str) -> list[Any]:
    """Ground of a district, of whatever level it is known."""
    mine = register.units["code"].astype(str).str[:6] == district
    return list(register.units.geometry[mine.to_numpy(bool)]) if len(register.units) else []


def _by_district(
    frame: pd.DataFrame, pairs: npt.NDArray[np.int64], register: Register, chunk: int
) -> dict[str, list[Work]]:
    """Groups of things go to the district of the lead that is oldest, else of one of their objects; each is judged once."""
    if frame.empty:
        return {}
    group = parts.groups(len(frame), pairs)
    rank = [(r.version > 0, str(r.first_night or ""), str(r.id)) for r in frame.itertuples()]
    speakers = parts.speakers(group, rank)
    place = list(zip(frame["lon"].iloc[speakers], frame["lat"].iloc[speakers], strict=True))
    district = register.districts([shapely.Point(p) for p in place])
    zone = [crs.middle_of_zone(*p) for p in place]
    out: dict[str, list[Work]] = {}
    for part in parts.packed(group, district, zone, place, chunk):
        rows = frame.iloc[part.members]
        things = rows[rows["version"] > 0]
        work = Work(
            part.at,
            list(rows.loc[rows["version"] == 0, "id"]),
            things[["id", "version", "delivered_on", "delivered_at", "round"]].reset_index(drop=True),
            rows[["west", "south", "east", "north"]].to_numpy(float),
        )
        out.setdefault(part.district, []).append(work)
    return out


def candidates(conn: Connection, work: Work, now: Moment) -> gpd.GeoDataFrame:
    """The candidates of a part of a night as they are judged, with the delivery that showed each last."""
    versions = list(zip(work.candidates["id"], work.candidates["version"], strict=True))
    frame = night_store.candidates_of(conn, [(str(i), int(v)) for i, v in versions], now.known_at)
    by_id = work.candidates.set_index("id")
    for column in ("delivered_on", "delivered_at"):
        frame[column] = [by_id.loc[i, column] for i in frame["id"]]
    return frame
