"""From what do the heights of a layer count? 1985, 吴淞, 珠江, the ellipsoid: metres apart along one river."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import shapely

from rivergis.intake import columns
from rivergis.intake.delivery import Defect, Delivered, defect

_HEIGHT = re.compile(
    r"高程|标高|水位|正常高|大地高|(?<![a-z])(?:h|z|elev(?:ation)?|height|level)(?![a-z])", re.IGNORECASE
)
_DATUM_FIELD = re.compile(r"高程基准|高程系|基准面|vertical.?datum|height.?datum", re.IGNORECASE)
_ACTION = "Name it before levels are compared: 1985国家高程基准, 吴淞 and ellipsoidal heights lie metres apart."


def look(layer: Delivered) -> tuple[str | None, list[Defect]]:
    """The vertical datum of a layer's heights (``unknown`` where nothing names it, None where it has no heights)."""
    if layer.kind not in ("vector", "table") or layer.facts.get("position_of"):
        return None, []
    fields = _height_fields(layer.frame)
    if not fields and not _has_heights(layer.shapes):
        return None, []
    named = _named(layer, fields)
    where = f"field {fields[0]}" if fields else "the third ordinate"
    if len(named) == 1:
        return named[0], []
    if named:
        message = f"Heights ({where}) count from several vertical datums: {', '.join(named)}."
        return "mixed", [defect("vertical_datum_mixed", "warning", message, _ACTION, count=len(named))]
    message = f"It holds heights ({where}) and names no vertical datum."
    return "unknown", [defect("vertical_datum_unknown", "info", message, _ACTION)]


def _height_fields(frame: pd.DataFrame | None) -> list[str]:
    """Fields named for a height that hold numbers."""
    if frame is None:
        return []
    named = [c for c in frame.columns if _HEIGHT.search(str(c)) and not _DATUM_FIELD.search(str(c))]
    return [str(c) for c in named if pd.to_numeric(frame[c].head(200), errors="coerce").notna().mean() > 0.5]


def _has_heights(shapes: np.ndarray | None) -> bool:
    if shapes is None or not len(shapes):
        return False
    z = shapely.get_coordinates(shapes[:200], include_z=True)[:, 2]
    z = z[np.isfinite(z)]
    return len(z) > 0 and float(np.abs(z).max()) > 0


def _named(layer: Delivered, fields: list[str]) -> list[str]:
    """Datums that headings, words near the table, or a field of its own name."""
    said = [layer.declared.text, *fields, str(layer.facts.get("vertical_datum") or "")]
    if layer.frame is not None:
        for column in (c for c in layer.frame.columns if _DATUM_FIELD.search(str(c))):
            said += [str(v) for v in layer.frame[column].dropna().unique()[:20]]
    return list(dict.fromkeys(d for d in map(columns.vertical_datum, said) if d))
