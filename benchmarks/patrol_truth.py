"""Simulated patrols with truth, read from a folder, and how far an answer agrees with it by length.

The folder holds reaches.geojson, tracks.json, tracks/ and truth.json (docs/formats of ``rivergis patrol score``): per track and
reach what *must* be reported, what *may* be (punished neither way) and, of the former, on which bank. Everything else must not.
An answer is a list of ``Seen`` per track.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from rivergis import crs
from rivergis.intake import track as track_intake

CELL_M = 2.0

Bits = npt.NDArray[np.bool_]


class Seen(NamedTuple):
    """A covered stretch: metres from the first vertex on the ellipsoid, bank by the digitised direction or None."""

    reach_id: str
    from_m: float
    to_m: float
    bank: str | None


@dataclass(frozen=True)
class Folder:
    """One bench folder."""

    path: Path

    @cached_property
    def reaches(self) -> gpd.GeoDataFrame:
        """Reaches in degrees with reach_id, from_node, to_node, length_m, visible_m."""
        return gpd.read_file(self.path / "reaches.geojson")

    @cached_property
    def tracks(self) -> dict[str, dict[str, Any]]:
        return {t["track_id"]: t for t in json.loads((self.path / "tracks.json").read_text())}

    @cached_property
    def truth(self) -> dict[str, dict[str, Any]]:
        loaded: dict[str, dict[str, Any]] = json.loads((self.path / "truth.json").read_text())
        return loaded

    def honest(self, every: int = 1) -> list[str]:
        """Tracks that are no cheat, each ``every``-th of them."""
        return [k for k, t in self.truth.items() if not t["cheat"]][::every]

    def fixes(self, track_id: str) -> pd.DataFrame:
        """Fixes in time order without exact repeats, WGS 84 taken from the datum that the truth knows."""
        read = track_intake.read_track(self.path / self.tracks[track_id]["file"], self.truth[track_id]["datum"]).fixes
        return read.sort_values("at", kind="stable").drop_duplicates(["at", "lon", "lat"]).reset_index(drop=True)

    def raw(self, tracks: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Fixes of tracks as the files have them."""
        asked = list(tracks)
        read = track_intake.read_tracks(self.path / self.tracks[t]["file"] for t in asked)
        return {t: r.fixes for t, r in zip(asked, read, strict=True) if isinstance(r, track_intake.TrackFile)}

    def metric(self) -> dict[str, gpd.GeoDataFrame]:
        """The reaches of each network in its own metric zone."""
        return {str(n): crs.to_metric(g.reset_index(drop=True)) for n, g in self.reaches.groupby("network")}


def bits(intervals: Iterable[tuple[float, float]], cells: int) -> Bits:
    out = np.zeros(cells, dtype=bool)
    for a, b in intervals:
        out[max(0, round(min(a, b) / CELL_M)) : max(0, round(max(a, b) / CELL_M))] = True
    return out


def agreement(folder: Folder, answers: Mapping[str, list[Seen]]) -> dict[str, float]:
    """F1, precision, recall by length, shares of reported length on a reach never patrolled, and share of right banks."""
    length = folder.reaches.set_index("reach_id")["length_m"]
    sums: dict[str, float] = defaultdict(float)
    for track_id, answer in answers.items():
        truth = folder.truth[track_id]["reaches"]
        for reach in {s.reach_id for s in answer} | set(truth):
            cells = int(np.ceil(length[reach] / CELL_M))
            _count(sums, truth.get(reach, {}), [s for s in answer if s.reach_id == reach], cells)
    hit, wrong, missed = sums["hit"], sums["wrong"], sums["missed"]
    return {
        "f1": 2 * hit / max(2 * hit + wrong + missed, 1.0),
        "precision": hit / max(hit + wrong, 1.0),
        "recall": hit / max(hit + missed, 1.0),
        "wrong_reach": sums["wrong_reach"] / max(hit + wrong, 1.0),
        "bank": sums["bank_right"] / max(sums["bank"], 1.0),
    }


def _count(sums: dict[str, float], truth: Mapping[str, Any], said: list[Seen], cells: int) -> None:
    """Adds the cells of one reach of one track."""
    must = bits(truth.get("must", []), cells)
    reported = bits([(s.from_m, s.to_m) for s in said], cells)
    wrong = reported & ~must & ~bits(truth.get("may", []), cells)
    sums["hit"] += (reported & must).sum()
    sums["missed"] += (must & ~reported).sum()
    sums["wrong"] += wrong.sum()
    sums["wrong_reach"] += 0 if must.any() else wrong.sum()
    for bank in ("left", "right"):
        known = bits(truth.get(bank, []), cells) & reported
        sums["bank"] += known.sum()
        sums["bank_right"] += (known & bits([(s.from_m, s.to_m) for s in said if s.bank == bank], cells)).sum()
