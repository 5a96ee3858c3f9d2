"""Line files of planners, in and out of a draft: whatever survey software wrote them, under the column names of a draft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.doctor import files as doctor_files
from rivergis.boundary.ground import closing
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.lifecycle import DRAFT_MARK

NAMES = ("lines", "boundary_line", "界线", "管理范围线")
"""Layers that are taken where a file has several."""
_ROLES = {"code": "line_id", "reach_code": "reach_id", "bank": "bank", "from_m": "from_m", "to_m": "to_m"}
OUT = (
    "segment_id", "revision", "code", "river_code", "river", "reach_code", "bank", "from_m", "to_m", "basis", "drawn_by",
    "hand_edited", "attributes",
)  # fmt: skip


def read(path: Path, asked: Asked, *, river_code: str | None = None) -> gpd.GeoDataFrame:
    """Lines of a file (界线): LineString in EPSG:4490 with river_code, reach_code, bank (left/right), code, and its other columns.

    ``river_code``: the river of lines that name none. Raises ``InputError`` (no lines, a bank that is not said) or ``CrsRefused``.
    """
    opened = vector.open_layers(path, asked)
    names = [o.name for o in opened if o.placed]
    wanted = asked.layer or next((n for n in NAMES if n in names), None)
    chosen = vector.chosen(path, opened, wanted)
    chosen.check_place()
    pieces = list(chosen.pieces())
    faults = {f: sentence for p in pieces for f, (_, sentence) in p.faults.items()}
    if faults:
        feature, sentence = next(iter(faults.items()))
        raise InputError(f"{path.name}, layer {chosen.name}, feature {feature}: {sentence}", file=str(path))
    frame = pd.concat([p.frame for p in pieces]) if len(pieces) > 1 else pieces[0].frame
    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        raise InputError(f"{path.name}, layer {chosen.name} has no lines: name another layer or file.", file=str(path))
    return _named(_single(frame), path, river_code)


def _single(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One row a part of a line of several parts."""
    shapes = frame.geometry.values
    if (shapely.get_type_id(shapes) == 5).any():
        frame = frame.explode(index_parts=False)
    return frame.reset_index(drop=True)


def _named(frame: gpd.GeoDataFrame, path: Path, river_code: str | None) -> gpd.GeoDataFrame:
    """Columns under the names of a draft."""
    there = {str(c).strip().lower(): c for c in reversed(frame.columns)}
    known = doctor_files.words()["lines"]
    renames: dict[Any, str] = {}
    for column, role in _ROLES.items():
        source = next((there[n.lower()] for n in (column, *known.get(role, [role])) if n.lower() in there), None)
        if source is not None and source not in renames:
            renames[source] = column
    frame = frame.drop(columns=[c for c in renames.values() if c in frame and c not in renames]).rename(columns=renames)
    if "bank" in frame:
        frame["bank"] = [closing.bank_of(b) if pd.notna(b) else None for b in frame["bank"]]
    unsaid = np.flatnonzero(frame["bank"].isna()) if "bank" in frame else np.arange(len(frame))
    if len(unsaid):
        raise InputError(
            f"{path.name}: {len(unsaid)} lines do not say on which bank they are, the first is line {int(unsaid[0]) + 1}: fill in "
            "a column bank (left or right, looking downstream).",
            file=str(path),
        )  # fmt: skip
    if river_code is not None:
        held = frame["river_code"] if "river_code" in frame else pd.Series(None, index=frame.index, dtype=object)
        frame["river_code"] = held.where(held.notna(), river_code)
    return frame.set_crs(crs.STORAGE, allow_override=True) if frame.crs is None else frame


def out(segments: gpd.GeoDataFrame, draft: dict[str, Any], revision: int) -> gpd.GeoDataFrame:
    """Segments of a draft as a file holds them: what ``read`` and a save take back; every row says what it is."""
    frame = segments[[c for c in OUT if c != "revision" and c in segments] + [segments.geometry.name]].copy()
    frame.insert(1, "revision", revision)
    frame["segment_id"] = [str(i) for i in frame["segment_id"]]
    frame["attributes"] = [json.dumps(a, ensure_ascii=False, sort_keys=True) for a in frame["attributes"]]
    return frame.assign(draft=draft["code"], mark=DRAFT_MARK)
