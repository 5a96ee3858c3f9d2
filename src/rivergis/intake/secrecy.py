"""Deliveries that may be state secrets: control points, land surveys, wide large-scale topography.

The service holds boundary results, not the base topography; such a layer stops at the door until a person answers for it.
Source: 测绘地理信息管理工作国家秘密范围的规定 (2020), maps larger than 1:5000 over more than 25 km2 contiguous.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
import yaml

from rivergis import crs as crs_
from rivergis.intake.crs_verdict import Verdict, place
from rivergis.intake.delivery import Defect, Delivered, defect
from rivergis.settings import gis_dir

# scales larger than 1:5000 have a smaller denominator
_LARGE_SCALE = 5_000
_ACTION = 'An import stops: bring it in with --secrecy-confirmed "WHO, DOCUMENT" once the competent office has confirmed that it may be held here.'


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((gis_dir() / "text" / "sensitive_layers.yaml").read_text(encoding="utf-8"))
    return loaded


def look(layer: Delivered, verdict: Verdict, file_name: str, max_area_km2: float) -> list[Defect]:
    """What asks for a confirmation of secrecy; ``max_area_km2``: contiguous area up to which large scales are free."""
    names = _names(layer, file_name)
    for kind in ("control_points", "land_survey"):
        word = _first_word(names, _words()[kind]["words"])
        if word:
            return [_confirm(f"It looks like {_words()[kind]['en']} ({_words()[kind]['zh']}): {word}.")]
    word = _first_word(names, _words()["topography"]["words"])
    scale = _scale(layer.frame)
    if word is None and (scale is None or scale >= _LARGE_SCALE or _is_boundary_result(names)):
        return []
    area = _area_km2(layer, verdict)
    if area is None or area <= max_area_km2 or (scale is not None and scale >= _LARGE_SCALE):
        return []
    said = f"1:{scale}" if scale is not None else f"scale not named, {word}"
    return [
        _confirm(
            f"It looks like large-scale topography ({said}) over {area:.0f} km2, more than {max_area_km2:.0f} km2."
        )
    ]


def _confirm(message: str) -> Defect:
    return defect("secrecy_confirmation", "warning", message, _ACTION)


def _names(layer: Delivered, file_name: str) -> list[str]:
    """Names of file, layer and fields, and what fields of types hold."""
    out = [file_name, layer.name]
    if layer.frame is None:
        return out
    out += [str(c) for c in layer.frame.columns]
    for column in layer.frame.columns:
        if str(column) in _words()["type_fields"]:
            out += [str(v) for v in layer.frame[column].dropna().unique()[:200]]
    return out


def _is_boundary_result(names: list[str]) -> bool:
    """Lines, stakes and zones name the scale of the map beneath them; they are not that map."""
    return any(word in name.lower() for name in names for word in _words()["boundary_results"])


def _first_word(names: list[str], words: list[str]) -> str | None:
    """A word found in a name; short codes in capitals must stand alone."""
    for name in names:
        for word in words:
            if (name.upper() == word) if word.isascii() else (word in name):
                return f"{word} in {name[:40]!r}"
    return None


def _scale(frame: pd.DataFrame | None) -> int | None:
    """The smallest denominator that a field of scales names (2000, 1:2000, 1∶2000)."""
    if frame is None:
        return None
    fields = [c for c in frame.columns if str(c).lower() in _words()["scale_fields"]]
    text = pd.concat([frame[c].dropna().astype(str) for c in fields]) if fields else pd.Series(dtype=str)
    found = text.str.extract(r"(?:1\s*[:：∶/]\s*)?(\d{3,6})(?:\.0)?$")[0].dropna()
    return int(found.astype(int).min()) if len(found) else None


def _area_km2(layer: Delivered, verdict: Verdict) -> float | None:
    """Area of the hull of a layer, km2 on the ellipsoid; None where its place is not known at all."""
    if verdict.hypothesis is None or layer.shapes is None:
        return None
    shapes = shapely.box(*layer.bounds.T) if layer.bounds is not None else layer.shapes
    placed = place(verdict, np.asarray(shapes))
    hull = shapely.convex_hull(shapely.multipoints(shapely.get_coordinates(placed)))
    return float(crs_.area_m2(hull)) / 1e6 if hull.geom_type == "Polygon" else 0.0
