"""A redraw as plain data: what ``--json``, the preview over HTTP and every report are made of. Shapes in EPSG:4490."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import ground as diff_ground
from rivergis.boundary.redraw import things as diff_things
from rivergis.boundary.redraw.compare import Redraw
from rivergis.lifecycle import DRAFT_MARK

_MOST_NOISE = 500
_DIGITS = 8  # of degrees: a millimetre


def told(redraw: Redraw, *, shapes: bool = True) -> dict[str, Any]:
    """Everything a redraw says, JSON-ready; ``shapes``: with the pieces as GeoJSON under ``geometry``.

    ``not_looked_at`` names the layers that were not given: nothing is known of them, which is not nothing found.
    """
    names: Mapping[str, str] = redraw.about.get("river_names", {})
    looked = [n for n in diff_things.LAYERS if n in redraw.layers]
    out = {
        "mark": DRAFT_MARK,
        "about": {k: v for k, v in redraw.about.items() if k != "river_names"},
        "tolerance_m": redraw.tolerance_m,
        "total": {k: round(v, 1) for k, v in redraw.total.items()},
        "rivers": [{**_row(r), "river": names.get(r["river_code"])} for r in redraw.rivers.to_dict("records")],
        "reductions": reductions(redraw),
        "things": [_row(r) for r in diff_things.each(redraw).to_dict("records")],
        "sums": [_row(r) for r in diff_things.sums(redraw).to_dict("records")],
        "places": [] if redraw.places is None else [_row(r) for r in redraw.places.to_dict("records")],
        "looked_at": looked,
        "not_looked_at": [n for n in (*diff_things.LAYERS, "observed") if n not in redraw.layers],
        "noise_pieces": int(redraw.pieces["noise"].sum()),
        "said": [s.as_dict() for s in redraw.said],
    }
    return plain(out | ({"geometry": geometry(redraw)} if shapes else {}))


def reductions(redraw: Redraw) -> list[dict[str, Any]]:
    """The table that is countersigned: every reduction with number, place, m2, reason, open cases and what speaks against it."""
    names: Mapping[str, str] = redraw.about.get("river_names", {})
    against: dict[Any, list[dict[str, Any]]] = {}
    for flag in [] if redraw.flags is None else redraw.flags.drop(columns="geom").to_dict("records"):
        against.setdefault(flag.pop("piece"), []).append(_row(flag))
    spots = _spots(redraw.reduced)
    width = redraw.reduced["width_m"].to_numpy()
    out = []
    for n, (piece, r) in enumerate(zip(redraw.reduced.index, diff.reductions(redraw), strict=True), 1):
        out.append(
            {
                "no": n, "piece": piece, "river_code": r.river_code, "river": names.get(r.river_code), "bank": r.bank,
                "stretch": r.stretch, "from_m": _round(r.from_m), "to_m": _round(r.to_m), "m2": round(r.m2, 1),
                "width_m": round(float(width[n - 1]), 1), "reason": r.reason, "cases": list(r.cases),
                "flags": against.get(piece, []),
                "codes": diff_ground.gravest(r.flags), "lon": spots[n - 1][0], "lat": spots[n - 1][1],
            }
        )  # fmt: skip
    return out


def geometry(redraw: Redraw) -> dict[str, Any]:
    """Pieces as GeoJSON feature collections: entering, leaving, flags, and of the noise the largest strips; a package holds all."""
    pieces = redraw.pieces
    noise = pieces["noise"].to_numpy(dtype=bool)
    chosen = {
        "entering": pieces[(pieces["change"] == diff.ENTERING).to_numpy() & ~noise],
        "leaving": pieces[(pieces["change"] == diff.LEAVING).to_numpy() & ~noise],
        "noise": pieces[noise].nlargest(_MOST_NOISE, "m2"),
    }
    if redraw.flags is not None:
        chosen["flags"] = redraw.flags
    return {name: collection(frame) for name, frame in chosen.items()}


def collection(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """A frame as GeoJSON in EPSG:4490 degrees; ``id`` is the number of the piece."""
    if frame.empty:
        return {"type": "FeatureCollection", "features": []}
    stored = crs.to_storage(frame)
    texts = shapely.to_geojson(shapely.transform(stored.geometry.to_numpy(), lambda xy: np.round(xy, _DIGITS)))
    rows = stored.drop(columns=stored.geometry.name).to_dict("records")
    features = [
        {"type": "Feature", "id": plain(i), "properties": plain(_row(row)), "geometry": json.loads(text)}
        for i, row, text in zip(stored.index, rows, texts, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def _spots(frame: gpd.GeoDataFrame) -> list[tuple[float, float]]:
    """A place inside each piece, in degrees."""
    if frame.empty:
        return []
    inside = gpd.GeoSeries(shapely.point_on_surface(frame.geometry.to_numpy()), crs=frame.crs)
    return [(round(p.x, 6), round(p.y, 6)) for p in crs.to_storage(inside)]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k): _round(v) if k.endswith(("_m2", "_m", "m2")) else v for k, v in row.items()}


def _round(value: Any) -> Any:
    return round(float(value), 1) if isinstance(value, (int, float, np.number)) and math.isfinite(value) else None


def plain(value: Any) -> Any:
    """JSON-ready data: numbers of numpy as numbers, what is no number nothing, days as text."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (date, datetime)):
        return None if pd.isna(value) else value.isoformat()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)
