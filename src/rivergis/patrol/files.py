"""Score a track against reaches that are files: no database, no rule, no assignment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import track as track_intake
from rivergis.intake import vector
from rivergis.patrol import coverage
from rivergis.patrol.score import ENGINE, method_of, score
from rivergis.rules import RuleView


@dataclass(frozen=True)
class FileScore:
    """What a track has seen: covered stretches by reach and bank (metres from the first vertex), figures, reasons to look."""

    track: str
    engine: str
    datum: str
    covered: list[dict[str, Any]]
    figures: dict[str, Any]
    review: list[dict[str, Any]]
    effective: bool | None = None


def score_file(
    track: Path, reaches_file: Path, view: RuleView, *, layer: str | None = None, datum: str | None = None
) -> FileScore:
    """Score a track file; ``bank`` means the digitised direction of the reaches. Raises ``InputError`` for unusable files."""
    read = track_intake.read_track(track, datum or "wgs84")
    reaches = _reaches(reaches_file, layer)
    fixes = gpd.GeoDataFrame(
        read.fixes.assign(seq=np.arange(len(read.fixes)), acc_m=read.fixes["acc_m"].astype(float)),
        geometry=gpd.points_from_xy(read.fixes["lon"], read.fixes["lat"]),
        crs=crs.STORAGE,
    )
    none = pd.DataFrame(columns=["reach", "bank", "from_m", "to_m"])
    done = score(fixes, reaches, none, method_of(view.number), rule=None, datum_declared=datum)
    covered = [
        {
            "reach_id": reaches["code"].iloc[s.reach],
            "from_m": round(s.from_m, 1),
            "to_m": round(s.to_m, 1),
            "bank": s.bank,
        }
        for s in done.stretches
        if s.why == coverage.SEEN
    ]
    return FileScore(track.name, ENGINE, datum or "wgs84", covered, done.figures, [asdict(r) for r in done.review])


def _reaches(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not set(frame.geom_type) <= {"LineString", "MultiLineString"}:
        raise InputError(
            f"{path.name}, layer {name} does not hold lines: name the layer of the reaches with --layer.",
            file=str(path),
            layer=name,
        )
    frame = frame.explode(index_parts=False).reset_index(drop=True)
    code = next((c for c in ("reach_id", "code", "id") if c in frame), None)
    return frame.assign(
        code=frame[code].astype(str) if code else frame.index.astype(str),
        kind=frame["kind"].fillna("river") if "kind" in frame else "river",
        half_width_m=frame["half_width_m"]
        if "half_width_m" in frame
        else frame["width_m"] / 2
        if "width_m" in frame
        else np.nan,
        length_m=crs.length_m(frame.geometry.values),
    )
