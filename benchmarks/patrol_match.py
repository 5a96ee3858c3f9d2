"""Which metres of which bank were seen, told by rivergis, by the nearest line and by Leuven map matching, against the truth.

Run: .venv/bin/python benchmarks/patrol_match.py FOLDER [--every N] [--leuven-every N]
FOLDER holds simulated patrols with truth (see ``patrol_truth.py``); the honest tracks are scored. All are given the same fixes in
memory and the datum that the truth knows; the two others also the fixes in order and without repeats. Fixes per second of
processor: matching, filling and coverage, the reaches ready. ``rivergis, whole`` adds what only it does: clock, marks, figures, reasons.
Leuven's matcher (leuvenmapmatching) is asked where it imports, for each ``--leuven-every``-th track, and the others again for
the same ones. Valhalla's cannot be asked: its wheel (pyvalhalla) brings no builder of tiles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from patrol_peers import has_leuven, leuven, leuven_map, nearest_line
from patrol_sensitivity import RULES, Tracks
from patrol_truth import Folder, Seen, agreement

from rivergis import rules
from rivergis.patrol import coverage, datum
from rivergis.patrol.score import method_of, waters_of

COLUMNS = ("f1", "precision", "recall", "wrong_reach", "bank")
Points = npt.NDArray[np.object_]
Peer = Callable[[pd.DataFrame, Points, gpd.GeoDataFrame], list[Seen]]
Told = tuple[dict[str, list[Seen]], float]


def asked(folder: Folder, tracks: list[str], peer: Peer) -> Told:
    """Answers of a peer, and fixes per second of processor."""
    networks, answers, count, spent = folder.metric(), {}, 0, 0.0
    for track in tracks:
        fixes, reaches = folder.fixes(track), networks[folder.truth[track]["network"]]
        spots = gpd.GeoSeries(gpd.points_from_xy(fixes["lon"], fixes["lat"]), crs=4326).to_crs(reaches.crs).to_numpy()
        start = time.process_time()
        answers[track] = peer(fixes, spots, reaches)
        spent += time.process_time() - start
        count += len(fixes)
    return answers, count / spent


def leuven_peer(folder: Folder) -> Peer:
    """Leuven's matcher with the graph of each network made before the clock runs."""
    graphs = {str(r["network"].iloc[0]): leuven_map(r) for r in folder.metric().values()}
    return lambda fixes, spots, reaches: leuven(fixes, spots, reaches, graphs[str(reaches["network"].iloc[0])])


def whole(tracks: Tracks) -> Told:
    """The whole score by rivergis, and fixes per second of processor."""
    number = rules.load(RULES).at(("000000",), date.today()).number
    tracks.scored(number)  # once before, so that the loops are compiled
    start = time.process_time()
    scores = tracks.scored(number)
    spent = time.process_time() - start
    return tracks.stretches(scores), sum(len(s.fixes) for s in scores.values()) / spent


def matching(tracks: Tracks) -> float:
    """Fixes per second of processor of rivergis' matching and coverage alone, every neighbourhood of reaches ready."""
    method = method_of(rules.load(RULES).at(("000000",), date.today()).number)
    waters = waters_of(tracks.river.reaches, method)
    at = {code: i for i, code in enumerate(tracks.river.codes)}
    margin_m = float(waters.visible_m.max()) + method.matching.extra_m
    spent, count = 0.0, 0
    for track, done in tracks.scored(rules.load(RULES).at(("000000",), date.today()).number).items():
        fixes = done.fixes.take(done.fixes.used)
        duty = np.array([at[a] for a in tracks.folder.tracks[track]["assigned"]], dtype=np.int64)
        matcher = datum.Matcher(waters, duty, method.matching, method.watch, margin_m)
        for again in (False, True):
            start = time.process_time()
            way = datum.follow(fixes, done.datum, matcher)
            if way is not None:
                coverage.along(way.path, way.water, method.cover, way.path.certainty)
            spent += (time.process_time() - start) * again
        count += len(fixes)
    return count / spent


def row(name: str, folder: Folder, told: Told, than: float) -> None:
    """One line: agreement, speed, and the speed as a ratio to the nearest line."""
    found = agreement(folder, told[0])
    print(
        f"{name:18}" + "".join(f"{found[c]:12.4f}" for c in COLUMNS) + f"{told[1]:12,.0f} {told[1] / than:8.2f}",
        flush=True,
    )


def compare(path: Path, every: int, with_leuven: bool) -> None:
    """All methods on the same tracks."""
    tracks = Tracks.read(path, every)
    folder = tracks.folder
    names = list(tracks.tables)
    print(
        f"\n{len(names)} honest tracks, {sum(map(len, tracks.tables.values())):,} fixes, {len(folder.reaches)} reaches"
    )
    print(f"{'':18}" + "".join(f"{c:>12}" for c in COLUMNS) + f"{'fixes/CPU s':>12} {'ratio':>8}")
    plain = asked(folder, names, nearest_line)
    row("nearest line", folder, plain, plain[1])
    if with_leuven:
        row("leuven", folder, asked(folder, names, leuven_peer(folder)), plain[1])
    ours = whole(tracks)
    row("rivergis, whole", folder, ours, plain[1])
    row("rivergis, matching", folder, (ours[0], matching(tracks)), plain[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="each so many honest tracks")
    parser.add_argument("--leuven-every", type=int, default=20)
    given = parser.parse_args()
    compare(given.folder, given.every, False)
    if has_leuven():
        compare(given.folder, given.leuven_every, True)
    else:
        print("leuvenmapmatching is not installed: not compared")


if __name__ == "__main__":
    main()
