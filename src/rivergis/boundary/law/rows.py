"""Rows of a line file as segments of a draft: what survey software and desktop GIS leave in a file, read without a guess.

Pure: one row in, one mapping of fields out; shapes in EPSG:4490.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError

_COLUMNS = ("code", "river_code", "reach_code", "bank", "from_m", "to_m", "basis", "drawn_by", "hand_edited")


def parted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of which several carry one segment_id: a line that was split in desktop GIS, whose parts all keep what stood beside it.

    The first part stays that segment, the others become segments of their own; a chainage they share is that of none of them.
    """
    parts: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault(row["segment_id"], []).append(row)
    for first, *others in parts.values():
        for name in ("from_m", "to_m"):
            shared = [row for row in others if row[name] == first[name]]
            for row in [first, *shared] if shared else []:
                row[name] = None
        for row in others:
            row["segment_id"] = uuid.uuid4()
    return rows


def row_of_file(row: pd.Series, river_id: uuid.UUID, number: int) -> dict[str, Any]:
    """What a row of a file says of its stretch of line, as fields of a segment; ``InputError`` names the feature that cannot be read."""

    def value(name: str, missing: Any = None) -> Any:
        given = row.get(name)
        return missing if given is None or (not isinstance(given, (dict, list)) and pd.isna(given)) else given

    own = {"segment_id", "revision", "river", "line_type", "geometry", "geom", "draft", "mark", *_COLUMNS}
    told = {str(k): _said(v) for k, v in row.items() if k not in own and value(str(k)) is not None}
    if isinstance(told.get("attributes"), dict):
        told |= told.pop("attributes")
    basis = str(value("basis", "draft"))
    from_m, to_m = (_metres(value(name), name, number) for name in ("from_m", "to_m"))
    if from_m is not None and to_m is not None and from_m > to_m:
        raise InputError(
            f"Feature {number} runs from {from_m:g} m to {to_m:g} m: from_m is the smaller chainage; swap them."
        )
    return {
        "segment_id": _segment_id(value("segment_id"), number),
        "code": str(value("code", "")), "river_id": river_id, "reach_code": value("reach_code"), "bank": value("bank"),
        "from_m": from_m, "to_m": to_m,
        "basis": basis if basis in ("draft", "surrogate", "computed") else "draft",
        "drawn_by": str(value("drawn_by", "hand")), "hand_edited": _true(value("hand_edited", "drawn_by" not in row)),
        "attributes": told, "base_segment_id": None, "base_segment_version": None,
    }  # fmt: skip


def _segment_id(value: Any, number: int) -> uuid.UUID:
    """The segment a row of a file is, a new one where it says none."""
    if value is None or not str(value).strip():
        return uuid.uuid4()
    try:
        return uuid.UUID(str(value).strip())
    except ValueError as error:
        raise InputError(
            f"Feature {number}: segment_id {str(value)[:40]!r} is no id of a segment: leave it as the draft gave it out, or empty for a new line."
        ) from error


def _metres(value: Any, name: str, number: int) -> float | None:
    if value is None or not str(value).strip():
        return None
    try:
        metres = float(value)
    except (TypeError, ValueError):
        metres = np.nan
    if not np.isfinite(metres):
        raise InputError(
            f"Feature {number}: {name} {str(value)[:40]!r} is no chainage: metres along the river, a number."
        )
    return metres


def _true(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "1", "1.0", "是", "t")


def _said(value: Any) -> Any:
    """A cell as JSON: texts that hold JSON (rule, source) as what they say."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return (
        value.item()
        if hasattr(value, "item")
        else value
        if isinstance(value, (str, int, float, bool, dict, list))
        else str(value)
    )


def one_line(shape: Any, number: int) -> shapely.LineString:
    if isinstance(shape, shapely.MultiLineString) and len(shape.geoms) == 1:
        shape = shape.geoms[0]
    if not isinstance(shape, shapely.LineString) or shape.is_empty:
        kind = "nothing" if shape is None else shape.geom_type
        raise InputError(
            f"Feature {number} is {kind}: a stretch of line is one LineString; split it, or give it its shape."
        )
    west, south, east, north = shape.bounds
    box = crs.CHINA_BOX
    if not (box[0] <= west <= east <= box[2] and box[1] <= south <= north <= box[3]):
        raise InputError(
            f"Feature {number} lies at {west:.4f}, {south:.4f}, outside China: shapes are longitude and latitude in degrees (EPSG:4490)."
        )
    return shapely.force_2d(shape)
