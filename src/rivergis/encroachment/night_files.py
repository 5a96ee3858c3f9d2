"""Nights kept as files, replayed one at a time: a folder of candidates by night becomes a table of leads (线索台账)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.boundary.ground.closing import Closed
from rivergis.boundary.ground.prepared import Prepared, prepared
from rivergis.encroachment.boundary_files import closed_boundary
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.ledger import (
    ALL_SOURCES,
    Known,
    Seen,
    Step,
    may_come_back,
    observed_shares,
    reconcile,
)
from rivergis.encroachment.night_folder_files import (
    NightFolder,
    Params,
    batches,
    digest_of,
    lasting,
    layer_of,
    nights_of,
    params_of,
    plain,
    read,
    stem_of,
)  # fmt: skip
from rivergis.encroachment.night_table_files import NightTable, Row
from rivergis.encroachment.overlay import Overlaid, overlay
from rivergis.encroachment.permit_files import COLUMNS, kinds_of, permits_of
from rivergis.encroachment.permits import Permits, links, unplaced
from rivergis.errors import InputError
from rivergis.intake import sources
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

_IN_TABLE = {"split": "persisting", "permitted": "gone"}
"""Statuses of the ledger that the table has no word of its own for."""


@dataclass
class Replayed:
    """What a run did: nights told before and now, detections, leads ever, lines of the table by status (now)."""

    nights_before: int = 0
    nights: int = 0
    detections: int = 0
    leads: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"statuses": dict(sorted(self.statuses.items()))}


def replay(
    folder: Path,
    out: Path,
    view: RuleView,
    *,
    asked: Asked | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Replayed:
    """Replay the nights of a folder into a table, going on where the table stands.

    The table is whole after every night, so a run may be ended at any time. Raises ``InputError`` and ``CrsRefused`` for a
    layer that cannot be used, and when a night that the table rests on has changed.
    """
    asked = asked or Asked()
    params = params_of(folder, view)
    boundaries, permits = layer_of(folder, "boundaries"), layer_of(folder, "permits", needed=False)
    nights = nights_of(folder)
    fixed = [f"{p.stem}:{sources.sha256(p)}" for p in (boundaries, permits) if p is not None]
    base = digest_of([*fixed, json.dumps(plain(params), sort_keys=True)])
    hashes = {n.number: n.digest for n in nights}
    table = NightTable(out, folder, base, hashes)
    done = Replayed(nights_before=len(table.state.nights), leads=table.state.ids)
    world = _World(params, view)
    world.draw(read([boundaries], asked)[0])
    world.permits = None if permits is None else read([permits], asked)[0]
    for night, layers in _one_by_one(nights, world, set(table.state.nights), asked):
        progress(f"night {night.number}")
        seen, names = world.seen(night.number, layers, table.state.known)
        steps = world.steps(night.number, seen, layers["coverage"], table.state.known)
        rows, known = _told(night.number, steps, table.state.known, names, table.state.ids)
        known += world.resting(night.number, steps, table.state.known)
        table.add(night.number, hashes[night.number], rows, known, table.state.ids + _new(steps))
        done.nights += 1
        done.detections += sum(len(r.detections) for r in rows)
        done.statuses.update(r.status for r in rows)
    done.leads = table.state.ids
    return done


def _one_by_one(
    nights: Sequence[NightFolder], world: _World, done: set[int], asked: Asked
) -> Iterator[tuple[NightFolder, dict[str, Layer]]]:
    """Each night that is not done, with its layers; what earlier nights brought for all that follow is in ``world`` by then."""
    for batch in batches(nights, done):
        files = [p for night in batch for p in (lasting(night) if night.number in done else night.files)]
        layers = iter(read(files, asked))
        for night in batch:
            mine = lasting(night) if night.number in done else night.files
            tonight = {stem_of(p, night): next(layers) for p in mine}
            if "permits" in tonight:
                world.permits = tonight["permits"]
            world.draw(tonight.get("boundaries"))
            if night.number not in done:
                yield night, tonight


def _moved(closed: Closed, zone: Any) -> Closed:
    return replace(closed, areas=closed.areas.to_crs(zone), doubts=closed.doubts.to_crs(zone))


class _World:
    """What holds tonight: the lines with what moved since last night, and the permits; metres of one zone."""

    def __init__(self, params: Params, view: RuleView) -> None:
        self.params = params
        self.view = view
        self.zone: Any = None
        self.ground: Prepared
        self.moved: shapely.Geometry = shapely.MultiPolygon()
        self.permits: Layer | None = None

    def draw(self, layer: Layer | None) -> None:
        """Lines that hold from tonight on; None = those of last night."""
        if layer is None:
            self.moved = shapely.MultiPolygon()
            return
        closed = closed_boundary(layer, self.params.snap_m, self.params.doubt_m)
        if self.zone is None:
            self.zone = crs.metric_crs(*crs.centre(closed.areas if len(closed.areas) else closed.doubts))
            self.ground = prepared(_moved(closed, self.zone))
            return
        before = self._inside()
        self.ground = prepared(_moved(closed, self.zone))
        self.moved = geometry.polygons_of(before.symmetric_difference(self._inside()))

    def _inside(self) -> shapely.Geometry:
        return shapely.union_all(self.ground.areas.geometry.to_numpy())

    def seen(self, number: int, layers: Mapping[str, Layer], known: Sequence[Known]) -> tuple[list[Seen], list[str]]:
        """Detections of a night: what is told, and what is not where it meets a known lead; with their ids."""
        layer = layers["candidates"]
        names = _ids(layer)
        kinds = kinds_of(layer.values(*COLUMNS["kind"]), self.view).fillna("unknown").to_numpy(object)
        feeds = layer.values(*COLUMNS["source"]).fillna("").astype(str).to_numpy(object)
        own = {s: self.view.number("encroach.source_accuracy", source_kind=s) for s in set(feeds)}
        accuracy = layer.numbers("accuracy_m").fillna(pd.Series(feeds, layer.frame.index).map(own)).to_numpy(float)
        frame = layer.frame.to_crs(self.zone).assign(kind=kinds).reset_index(drop=True)
        permits = permits_of(self.permits, self.zone, self._day(number), self.view)
        over = overlay(frame, self.ground, permits, self.params.overlay)
        reason = over.reason.copy()
        reason[self._waiting(over.told, over, kinds, permits)] = "permit_place_open"
        meets = shapely.STRtree([k.footprint for k in known]).query(over.shape, predicate="intersects")[0]
        kept = np.flatnonzero(np.array([r is None for r in reason], bool) | np.isin(np.arange(len(reason)), meets))
        seen = [
            Seen(
                key=names[i],
                kind=kinds[i],
                footprint=over.shape[i] if reason[i] else over.net[i],
                source=feeds[i],
                accuracy_m=accuracy[i],
                untold=reason[i],
                whole=over.shape[i],
            )
            for i in kept
        ]
        return seen, [s.key for s in seen]

    def _waiting(self, told: np.ndarray, over: Overlaid, kinds: np.ndarray, permits: Permits) -> np.ndarray:
        """Candidates a permit without a place may concern: a person has to place it before they are told."""
        if not permits.open.any():
            return told[:0]
        waters = [{str(self.ground.areas["reach"].iloc[a]) for a in over.within.of(c)} for c in told]
        words = unplaced(kinds[told], waters, permits)
        near = links(over.net[told], kinds[told], permits, permits.open, self.params.place_tolerance_m)
        return told[np.union1d(words.candidate, near.candidate).astype(int)]

    def _day(self, number: int) -> date:
        return self.params.start + timedelta(days=number)

    def resting(self, number: int, steps: Sequence[Step], known: Sequence[Known]) -> list[Known]:
        """Closed leads that tonight has not met and a later night may meet."""
        met, day = {step.known for step in steps}, self._day(number + 1)
        return [x for k, x in enumerate(known) if k not in met and may_come_back(x.carried, day, self.params.nights)]

    def steps(self, number: int, seen: Sequence[Seen], coverage: Layer, known: Sequence[Known]) -> list[Step]:
        """What the night does to each lead."""
        frame = coverage.frame.to_crs(self.zone)
        sources_ = coverage.values("source").fillna(ALL_SOURCES).astype(str)
        looked = {
            s: shapely.union_all([geometry.polygons_of(g) for g in frame.geometry[(sources_ == s).to_numpy()]])
            for s in sorted(set(sources_))
        }
        grounds = np.array([k.footprint for k in known], object)
        moved = shapely.dwithin(grounds, self.moved, self.params.overlay.touch_m) & (not self.moved.is_empty)
        return reconcile(
            known,
            seen,
            observed_shares(known, looked).tolist(),
            self.params.nights,
            night=self._day(number),
            line_moved=moved.tolist(),
        )


def _ids(layer: Layer) -> list[str]:
    """What the candidates of a night are called; ``InputError`` where a name stands twice."""
    names = layer.names()
    twice = [n for n, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(
            f"{layer.about['file']} holds the id {twice[0]} twice in one night: give each candidate its own."
        )
    return names


def _new(steps: Sequence[Step]) -> int:
    return sum(step.known is None for step in steps)


def _told(
    number: int, steps: Sequence[Step], known: Sequence[Known], names: Sequence[str], ids: int
) -> tuple[list[Row], list[Known]]:
    """Lines of the table, and the leads that tonight has met; new ones are numbered in their order on the ground."""
    rows, after = [], []
    for step in steps:
        ids += step.known is None
        name = f"F{ids:06d}" if step.known is None else known[step.known].finding_id
        after.append(Known(name, step.footprint, step.carried))
        if step.status != "missed":
            found = tuple(sorted(names[i] for i in step.seen))
            rows.append(Row(number, name, _IN_TABLE.get(step.status, step.status), found))
    return sorted(rows, key=lambda r: r.finding_id), after
