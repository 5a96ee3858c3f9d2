"""The page of a track that was scored on bare files: the same page as of a patrol of the database, without assignment or rule."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from rivergis import words
from rivergis.maps import patrols
from rivergis.patrol.reach_files import River
from rivergis.patrol.results import TrackScore
from rivergis.patrol.score import Score
from rivergis.reports import patrol_page
from rivergis.reports.patrol_page import Told


def page(result: TrackScore, done: Score, river: River) -> str:
    """HTML of one scored track: ``bank`` by the digitised direction, metres from the first vertex of each reach.

    Questions are shown: whoever scores a file has the file.
    """
    fixes = patrols.used_points(done.right)
    figures = result.figures | {"stops": result.stops, "unobserved": result.unobserved, "near": result.near}
    zh, en = words.pair("map.patrol")
    told = Told(
        f"{zh} · {result.track_id}",
        en,
        [(words.pair(f"patrol_report.figure_{k}"), v) for k, v in _facts(result).items() if v is not None],
        figures,
        result.tests,
        _legs(done),
        _reaches(river),
        fixes,
        patrol_page.gap_s(fixes["at"], river.method.watch),
        review=[{"zh": q["zh"], "en": q["en"], "state": None} for q in result.review],
        notes=[words.both("patrol_report.note_digitised")],
    )
    return patrol_page.render(told)


def _facts(result: TrackScore) -> dict[str, object]:
    offset = result.figures.get("clock_offset_s")
    return {
        "datum": result.datum,
        "clock": f"{offset:+,.0f} s" if offset else None,
        "fixes": f"{result.figures['fixes_used']} / {result.figures['fixes']}",
    }


def _legs(done: Score) -> pd.DataFrame:
    """Legs with their moments as times."""
    legs = done.legs
    ends = {f"{c}_at": pd.to_datetime(legs[f"{c}_s"].astype(float), unit="s", utc=True) for c in ("started", "ended")}
    return legs.assign(**ends)


def _reaches(river: River) -> gpd.GeoDataFrame:
    """Reaches as the map takes them; what a file calls from_m belongs to the river, not to the metres of its reaches."""
    kept = [c for c in ("reach_id", "kind", "half_width_m", "length_m") if c in river.reaches]
    return river.reaches[[*kept, river.reaches.geometry.name]].reset_index(drop=True)
