"""Walks beside drawn rivers, in metres of the zone of ``tests.tiny``: what a phone would have recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import rules
from rivergis.patrol.score import Score, method_of, score, waters_of
from tests import tiny
from tests.conftest import ROOT

VIEW = rules.load(ROOT / "gis" / "rules").at((rules.NATIONAL,), date(2026, 5, 20))
METHOD = method_of(VIEW.number)
START = pd.Timestamp("2026-05-20T01:00:00Z")

Points = Sequence[tuple[float, float]]


def river(lines: dict[str, Points], **columns: object) -> gpd.GeoDataFrame:
    """Reaches in degrees by name; half width 10 m unless told otherwise."""
    frame = tiny.degrees(tiny.reaches(*(tiny.line(*xy) for xy in lines.values())))
    return frame.assign(reach_id=list(lines), **columns)


def walk(
    *ways: Points, speed_ms: float = 1.3, every_s: float = 5.0, noise_m: float = 3.0, seed: int = 1, rest_s: float = 0.0
) -> pd.DataFrame:
    """Fixes along ways one after another, ``rest_s`` of silence between them; the error of the phone drifts slowly."""
    parts, t0 = [], 0.0
    for points in ways:
        line = shapely.LineString(points)
        t = np.arange(0.0, line.length / speed_ms, every_s)
        xy = shapely.get_coordinates(shapely.line_interpolate_point(line, t * speed_ms))
        parts.append(np.column_stack([t0 + t, xy]))
        t0 += t[-1] + max(rest_s, every_s)
    return at_places(np.vstack(parts), noise_m=noise_m, seed=seed)


def at_places(txy: np.ndarray, *, noise_m: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Fixes from rows (seconds, x, y)."""
    rng, error = np.random.default_rng(seed), np.zeros((len(txy), 2))
    for i in range(1, len(txy)):
        error[i] = 0.9 * error[i - 1] + rng.normal(0, 0.44 * noise_m, 2)
    xy = txy[:, 1:] + error
    spots = tiny.degrees(tiny.metric([tiny.point(x, y) for x, y in xy]))
    at = START + pd.to_timedelta(txy[:, 0], unit="s")
    return pd.DataFrame({"at": at, "lon": spots.geometry.x, "lat": spots.geometry.y, "acc_m": 6.0})


def duty_of(frame: gpd.GeoDataFrame, *names: str) -> pd.DataFrame:
    """Both banks of whole reaches as assigned stretches."""
    at = {name: i for i, name in enumerate(frame["reach_id"])}
    rows = [(at[n], bank, 0.0, float(frame["length_m"].iloc[at[n]])) for n in names for bank in ("left", "right")]
    table = pd.DataFrame(rows, columns=["reach", "bank", "from_m", "to_m"])
    return table.astype({"reach": "int64", "from_m": float, "to_m": float})


def scored(track: pd.DataFrame, frame: gpd.GeoDataFrame, *duty: str, declared: str | None = "wgs84") -> Score:
    """The track scored against the river with these reaches assigned."""
    return score(track, waters_of(frame, METHOD), duty_of(frame, *duty), METHOD, declared=declared, fast_kmh=30.0)


def seen(done: Score, frame: gpd.GeoDataFrame) -> dict[str, float]:
    """Metres seen of each reach by name, every metre once; reaches not seen are left out."""
    legs = done.legs[done.legs["why"] == "seen"]
    out = {}
    for reach, rows in legs.groupby("reach"):
        spans = shapely.union_all(
            [shapely.LineString([(a, 0), (b, 0)]) for a, b in zip(rows["from_m"], rows["to_m"], strict=True)]
        )
        out[str(frame["reach_id"].iloc[int(reach)])] = float(spans.length)
    return out
