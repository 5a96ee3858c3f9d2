"""Identity over nights on scenarios made to confuse it, beside two plain matchers; and any folder of nights replayed and scored.

Run: .venv/bin/python benchmarks/encroachment_nights.py [--seeds 1 2 3] [--nights 50] [--copies 3]
     .venv/bin/python benchmarks/encroachment_nights.py --folder SCENARIO [SCENARIO ...]
     .venv/bin/python benchmarks/encroachment_nights.py --large 20000
Every site (``nights_sites.py``) stands alone in a square of its own and says what must be told of it. The plain
matchers are the usual ones: ``last_night`` takes IoU of at least 0.5 with last night's footprint, one to one, and calls gone at
the first miss; ``overlap`` takes 0.3 of the smaller, the eldest takes all, gone after three observed nights. Scores: IDF1 (share
of detections under the right id, best one-to-one pairing, Ristani 2016), F1 of the events told, and which sites went wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from nights_sites import CELL_M, EAST, NORTH, Site, scenario

from rivergis import rules
from rivergis.encroachment import night_files
from rivergis.encroachment.ledger import Known, NightLimits, Seen, observed_shares, reconcile
from rivergis.settings import gis_dir

START = date(2026, 3, 1)
LIMITS = NightLimits(0.3, 0.3, 0.5, 0.5, 3, 20, 1.1, 20.0, 2, 3, 0.9, 100.0)
TOLD = ("new", "rebound", "grown", "gone", "merged")
Table = list[tuple[int, str, str, tuple[str, ...]]]  # night, id, status, detections


@dataclass
class Night:
    """What is seen in a night, in an order of its own; incident by key; where and by whom nobody looked."""

    seen: list[Seen]
    incident: dict[str, str | None]
    coverage: dict[str, shapely.Geometry]
    moved: shapely.Geometry


def nights_of(sites: Sequence[Site], nights: int, seed: int) -> Iterator[Night]:
    """The scenario night by night; every ninth night comes from a pass that lies two metres off."""
    r = np.random.default_rng(seed + 99)
    world = shapely.box(EAST - CELL_M, NORTH - CELL_M, EAST + 20 * CELL_M, NORTH + 40 * CELL_M)
    for n in range(nights):
        off = (1.6, -1.2) if n % 9 == 8 else (0.0, 0.0)
        sights = [s for site in sites for s in site.sights.get(n, [])]
        order = r.permutation(len(sights))
        seen = [_moved(sights[i].seen, off) for i in order]
        names = {s.seen.key: s.incident and f"{s.seen.key.partition('-')[0]}/{s.incident}" for s in sights}
        hidden = shapely.union_all([site.hidden[n] for site in sites if n in site.hidden])
        looked: dict[str, list[shapely.Geometry]] = defaultdict(list)
        for site in sites:
            for source, when in site.looked.items():
                if n in when:
                    looked[source].append(_ground(site))
        moved = shapely.union_all([_ground(site) for site in sites if n in site.redrawn])
        coverage = {"all": world.difference(hidden), **{s: shapely.union_all(g) for s, g in looked.items()}}
        yield Night(seen, names, coverage, moved)


def _moved(seen: Seen, off: tuple[float, float]) -> Seen:
    def way(g: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(g, lambda xy: xy + off)

    if seen.footprint.area == 0:
        return seen
    return replace(seen, footprint=way(seen.footprint), whole=None if seen.whole is None else way(seen.whole))


def _ground(site: Site) -> shapely.Geometry:
    return shapely.union_all([s.seen.footprint for sights in site.sights.values() for s in sights]).buffer(30)


def ours(nights: Iterator[Night]) -> Table:
    """The ledger of this project."""
    known: list[Known] = []
    table: Table = []
    ids = 0
    for n, night in enumerate(nights):
        shares = observed_shares(known, night.coverage).tolist()
        moved = [bool(shapely.intersects(k.footprint, night.moved)) for k in known]
        steps = reconcile(known, night.seen, shares, LIMITS, night=START + timedelta(days=n), line_moved=moved)
        after = []
        for step in steps:
            ids += step.known is None
            name = f"F{ids:05d}" if step.known is None else known[step.known].finding_id
            after.append(Known(name, step.footprint, step.carried))
            table.append((n, name, step.status, tuple(night.seen[i].key for i in step.seen)))
        met = {step.known for step in steps}
        known = after + [k for i, k in enumerate(known) if i not in met]
    return table


def last_night(nights: Iterator[Night]) -> Table:
    """Plain: IoU of 0.5 with last night, one to one, gone at the first miss."""
    return _plain(nights, lambda inter, a, b: inter / (a + b - inter) >= 0.5, one_to_one=True, patience=1)


def overlap(nights: Iterator[Night]) -> Table:
    """Plain: 0.3 of the smaller, the eldest takes all, gone after three observed nights."""
    return _plain(nights, lambda inter, a, b: inter / min(a, b) >= 0.3, one_to_one=False, patience=3)


@dataclass
class _Plain:
    name: str
    shape: shapely.Geometry
    area_m2: float
    missed: int = 0
    last: int = 0


def _plain(
    nights: Iterator[Night], same: Callable[[float, float, float], bool], *, one_to_one: bool, patience: int
) -> Table:
    leads: list[_Plain] = []
    table: Table = []
    for n, night in enumerate(nights):
        leads = [x for x in leads if x.missed < patience or (not one_to_one and n - x.last <= 20)]
        found: dict[int, list[Seen]] = defaultdict(list)
        tree = shapely.STRtree([x.shape for x in leads])
        told = [s for s in night.seen if s.untold is None]
        for s in told:
            hits = [k for k in sorted(tree.query(s.footprint).tolist()) if _meets(s, leads[k], same)]
            free = [k for k in hits if not one_to_one or k not in found]
            if not free:
                leads.append(_Plain(f"F{n}-{s.key}", s.footprint, s.footprint.area))
            found[free[0] if free else len(leads) - 1].append(s)
        for k, x in enumerate(leads):
            table += _plain_step(n, x, found.get(k, []), night, patience)
    return table


def _meets(s: Seen, lead: _Plain, same: Callable[[float, float, float], bool]) -> bool:
    a, b = s.footprint.area, lead.shape.area
    if not a or not b:
        return bool(s.footprint.dwithin(lead.shape, s.accuracy_m)) and a == b
    return same(s.footprint.intersection(lead.shape).area, a, b)


def _plain_step(n: int, x: _Plain, seen: list[Seen], night: Night, patience: int) -> Table:
    if seen:
        shape = shapely.union_all([s.footprint for s in seen])
        back, first = x.missed >= patience, x.last == 0 and x.name.startswith(f"F{n}-")
        grown = shape.area >= 1.1 * x.area_m2 and shape.area >= x.area_m2 + 20
        status = "new" if first else "rebound" if back else "grown" if grown else "persisting"
        x.area_m2 = shape.area if grown or back else x.area_m2
        x.shape, x.missed, x.last = shape, 0, n
        return [(n, x.name, status, tuple(s.key for s in seen))]
    if x.missed >= patience or not x.shape.within(night.coverage["all"]):
        return []
    x.missed += 1
    return [(n, x.name, "gone", ())] if x.missed == patience else []


@dataclass
class Score:
    idf1: float
    event_f1: float
    missed: list[tuple[str, str, int]]
    false: list[tuple[str, str, int]]
    wrong_status: list[tuple[int, str, str]]
    untrue: int
    """Detections told that must not be, or not told."""


def score(sites: Sequence[Site], nights: Sequence[Night], table: Table) -> Score:
    """Identity and events against what the sites say."""
    truth = {k: i for night in nights for k, i in night.incident.items()}
    told = {k: name for _, name, _, keys in table for k in keys}
    want = {k: i for k, i in truth.items() if i}
    pairs = Counter((want[k], name) for k, name in told.items() if k in want)
    owner, right = _paired(pairs)
    missed, false = _events(sites, table, owner)
    events = sum(len(site.events) for site in sites)
    stood = {(n, owner[name], status) for n, name, status, _ in table if name in owner}
    asked = {(n, f"{site.name}/{i}", status) for site in sites for n, i, status in site.statuses}
    f1 = 2 * (events - len(missed)) / max(2 * (events - len(missed)) + len(missed) + len(false), 1)
    untrue = sum(k not in want for k in told) + sum(k not in told for k in want)
    return Score(2 * right / (len(want) + len(told)), f1, missed, false, sorted(asked - stood), untrue)


def _paired(pairs: Counter[tuple[str, str]]) -> tuple[dict[str, str], int]:
    """The incident of each id (the one it has most of), and detections under the best one-to-one pairing."""
    owner: dict[str, str] = {}
    incidents: set[str] = set()
    names: set[str] = set()
    right = 0
    for (incident, name), count in sorted(pairs.items(), key=lambda x: (-x[1], x[0])):
        owner.setdefault(name, incident)
        if incident not in incidents and name not in names:
            incidents.add(incident)
            names.add(name)
            right += count
    return owner, right


def _events(sites: Sequence[Site], table: Table, owner: dict[str, str]) -> tuple[list[Any], list[Any]]:
    open_: dict[str, list[tuple[int, str]]] = defaultdict(list)
    closing = {"permitted": "gone", "merged": "gone", "gone": "gone"}
    for n, name, status, _ in table:
        if status in (*TOLD, "permitted"):
            open_[owner.get(name, name).partition("#")[0]].append((n, closing.get(status, status)))
    missed = []
    for site in sites:
        for incident, status, first, last in site.events:
            want = closing.get(status, status)
            hit = next((e for e in open_[incident] if e[1] == want and first <= e[0] <= last), None)
            if hit is None:
                missed.append((incident, status, first))
            else:
                open_[incident].remove(hit)
    growing = {site.name for site in sites if site.may_grow}
    false = [
        (incident, status, n)
        for incident, events in open_.items()
        for n, status in events
        if not (status == "grown" and incident.partition("/")[0] in growing)
    ]
    return missed, false


def adversarial(seeds: Sequence[int], nights: int, copies: int) -> bool:
    """Every matcher on every seed; returns whether ours was right everywhere."""
    print(f"{'matcher':<12}{'seed':>5}{'idf1':>8}{'event f1':>10}{'missed':>8}{'false':>7}{'untrue':>8}{'CPU s':>8}")
    good = True
    for seed in seeds:
        sites = scenario(seed, nights, copies)
        all_nights = list(nights_of(sites, nights, seed))
        for matcher in (last_night, overlap, ours):
            began = time.process_time()
            table = matcher(iter(all_nights))
            s = score(sites, all_nights, table)
            print(
                f"{matcher.__name__:<12}{seed:>5}{s.idf1:>8.4f}{s.event_f1:>10.4f}{len(s.missed):>8}{len(s.false):>7}"
                f"{s.untrue:>8}{time.process_time() - began:>8.1f}"
            )
            if matcher is ours:
                good &= s.idf1 == 1 and s.event_f1 == 1 and not s.wrong_status and not s.untrue
                for what in ("missed", "false", "wrong_status"):
                    for row in getattr(s, what)[:12]:
                        print(f"    {what}: {row}")
    return good


def folders(paths: Sequence[Path]) -> None:
    """Replay folders of nights with a truth.json and score them by the same rules."""
    view = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), date.today())
    for path in paths:
        with tempfile.TemporaryDirectory() as scratch:
            began = time.perf_counter()
            out = Path(scratch) / "findings.csv"
            done = night_files.replay(path, out, view)
            seconds = time.perf_counter() - began
            rows = [line.split(",") for line in out.read_text(encoding="utf-8").splitlines()[1:]]
        table = [(int(n), name, status, tuple(k for k in keys.split(";") if k)) for n, name, status, keys in rows]
        truth = json.loads((path / "truth.json").read_text(encoding="utf-8"))
        sites, nights = _from_truth(truth, done.nights)
        s = score(sites, nights, table)
        print(
            f"{path.name}: idf1 {s.idf1:.4f}, event f1 {s.event_f1:.4f}, {len(s.missed)} missed, {len(s.false)} false, "
            f"{s.untrue} untrue, {seconds:.1f} s"
        )
        for row in [*s.missed, *s.false][:12]:
            print(f"    {row}")


def _from_truth(truth: list[dict[str, Any]], nights: int) -> tuple[list[Site], list[Night]]:
    """A truth.json as sites; incidents are called PLACE#NUMBER, and the events are those of the place."""
    sites = []
    incident: list[dict[str, str | None]] = [{} for _ in range(nights)]
    for t in truth:
        site = Site(t["site"], may_grow=t["grown_any"])
        site.events = [(t["site"], s, lo, hi) for s, lo, hi in t["events"]]
        sites.append(site)
        for n, ids in t["detections"].items():
            incident[int(n)].update(dict.fromkeys(ids, t["incident"].get(n)))
    return sites, [Night([], night, {}, shapely.Point()) for night in incident]


def large(count: int) -> None:
    """One night of so many things against as many known leads."""
    r = np.random.default_rng(1)
    known: list[Known] = []
    side = int(np.ceil(np.sqrt(count)))
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    round_ = np.column_stack([12 * np.cos(turn), 10 * np.sin(turn)])
    for n in range(3):
        at = np.column_stack([np.arange(count) % side, np.arange(count) // side]) * 40.0 + (EAST, NORTH)
        rings = at[:, None, :] + round_ + r.normal(0, 0.5, (count, 1, 2)) + r.normal(0, 0.25, (count, 12, 2))
        seen = [Seen(f"{n}-{i}", "dump", g, "a") for i, g in enumerate(shapely.polygons(rings))]
        began = time.process_time()
        steps = reconcile(known, seen, [1.0] * len(known), LIMITS, night=START + timedelta(days=n))
        print(
            f"{len(known)} known, {count} seen: {time.process_time() - began:.1f} CPU s, {Counter(s.status for s in steps)}"
        )
        known = [Known(f"F{i:06d}", s.footprint, s.carried) for i, s in enumerate(steps)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--nights", type=int, default=50)
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--folder", type=Path, nargs="+")
    parser.add_argument("--large", type=int)
    asked = parser.parse_args()
    if asked.large:
        large(asked.large)
    elif asked.folder:
        folders(asked.folder)
    else:
        return 0 if adversarial(asked.seeds, asked.nights, asked.copies) else 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
