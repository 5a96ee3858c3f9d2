"""What a drawing page of boundary lines stands on (划界底图): water, reaches, counties, levees and lines in force of the own database.

No map of elsewhere lies under it. Lines that a drawn line may be caught by keep every digit, so that both meet in one point;
what is only looked at is thinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection

from rivergis.maps import features, marks, palette, thinning
from rivergis.maps.atlas import Bounds
from rivergis.maps.features import Scope, When

NOUNS = ("admin_unit", "water_area", "boundary_area", "reach", "bank_line", "levee", "boundary_line", "stake")
CAUGHT = ("reach", "bank_line", "levee", "boundary_line")
"""What a drawn line snaps to."""
HIDDEN = ("bank_line", "stake", "boundary_area")
NOWHERE: Bounds = (100.0, 25.0, 115.0, 40.0)
"""Where an empty database looks."""
_KEPT = ("boundary_line", "levee", "reach", "bank_line")
_THIN_DEG = 1e-5  # about 1 m: what is only looked at


def ground(conn: Connection, at: When, box: Bounds) -> dict[str, Any]:
    """Layers within a box (west, south, east, north in degrees) as the page takes them, and what was left out in words.

    ``{layers: [{id, zh, en, shown, classes, features: [{c, g, label}]}], note, bounds}``; positions in EPSG:4490.
    """
    scope = Scope(box=box)
    frames = {noun: features.layer(conn, noun, at, scope) for noun in NOUNS}
    drawn, note = thinning.fit({noun: frame for noun, frame in frames.items() if len(frame)}, _KEPT)
    west, south, east, north = box
    return {
        "layers": [_layer(noun, drawn[noun]) for noun in NOUNS if noun in drawn],
        "note": note,
        "bounds": [[south, west], [north, east]],
    }


def _layer(noun: str, frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """One layer: without popups, exact where lines catch, thinned elsewhere."""
    plain = frame.drop(columns=[c for c in ("popup", "text") if c in frame]).reset_index(drop=True)
    exact = noun in CAUGHT
    if not exact:
        plain = plain.set_geometry(shapely.simplify(plain.geometry.values, _THIN_DEG, preserve_topology=True))
    drawn = marks.layer(noun, plain, palette.load())
    if exact:
        placed = plain[~(plain.geometry.isna() | plain.geometry.is_empty)]
        for feature, shape in zip(drawn["features"], placed.geometry, strict=True):
            feature["g"] = shapely.geometry.mapping(shape)
    return {**drawn, "shown": noun not in HIDDEN}


def around(frames: Sequence[gpd.GeoDataFrame]) -> Bounds | None:
    """Box round all frames (EPSG:4490) with a margin of ground, None where there is nothing."""
    boxes = np.array([f.total_bounds for f in frames if len(f)]).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        return None
    west, south = boxes[:, :2].min(axis=0) - features.MARGIN_DEG
    east, north = boxes[:, 2:].max(axis=0) + features.MARGIN_DEG
    return float(west), float(south), float(east), float(north)
