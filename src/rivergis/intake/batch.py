"""What becomes of the features of one piece of a source layer: rows, set aside, skipped. Law: in = rows + set aside + skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from rivergis.db.versions import SetAside

SHOWN = 20


@dataclass
class Course:
    """What the pieces of one source layer share, so that a layer read in pieces comes out as one read whole."""

    present: frozenset[str] | None = None
    """Columns that any feature of the layer fills; unknown where the layer is one piece."""
    once: set[str] = field(default_factory=set)
    """Codes taken, where several features are one thing."""


@dataclass
class Batch:
    """A piece of a source layer, read for a target layer.

    ``frame``: contract columns, code, valid_from, valid_to, source_feature, source, geom (EPSG:4490); while it is checked
    also ``delivered``, the shape as the file has it.
    """

    layer: str
    frame: gpd.GeoDataFrame | pd.DataFrame
    source_layer: str
    source_crs: str | None
    file_sha256: str
    count_in: int
    set_aside: list[SetAside] = field(default_factory=list)
    raw: dict[str, tuple[dict[str, Any], str | None, str | None]] = field(default_factory=dict)
    """source_feature -> (attributes, WKT, first position), both as in the source, of what was set aside."""
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    """source_feature -> longitude and latitude of what was set aside, where it lies on earth."""
    skipped: int = 0
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    course: Course = field(default_factory=Course)
    positions: tuple[str, ...] = ()
    """Fields that positions were read from; they are no fields without a use."""

    def aside(self, bad: Any, code: str, sentence: str | Sequence[str]) -> None:
        """Set features aside with their reason (one, or one for each); the rest goes on."""
        from rivergis.db.versions import SetAside  # loads the database's library, which files alone do not need

        bad = np.asarray(bad, dtype=bool)
        if not bad.any():
            return
        sentences = [sentence] * int(bad.sum()) if isinstance(sentence, str) else list(sentence)
        for row, said in zip(self.frame[bad].to_dict("records"), sentences, strict=True):
            self.set_aside.append(SetAside(row["source_feature"], code, said))
            self.keep(row)
        self.frame = self.frame[~bad].reset_index(drop=True)

    def keep(self, row: dict[str, Any]) -> None:
        """Keep attributes, shape and place of a row that is set aside."""
        feature = str(row["source_feature"])
        shape = delivered_shape(row)
        wkt = None if shape is None else shape.wkt
        self.raw[feature] = (row["source"]["attributes"], wkt, None if shape is None else _first_position(shape))
        place = point_of(row.get("geom"))
        if place is not None:
            self.places[feature] = place

    def skip(self, out: Any, code: str, sentence: str) -> None:
        """Leave features out that are not meant for this layer, and say how many."""
        out = np.asarray(out, dtype=bool)
        if out.any():
            self.skipped += int(out.sum())
            self.frame = self.frame[~out]
            self.diagnostics.append({"code": code, "count": int(out.sum()), "sentence": sentence})

    def note(self, code: str, features: Sequence[str], sentence: str, count: int | None = None, **more: Any) -> None:
        """Say what was done to features that go on; nothing if there are none.

        ``severity`` in ``more``: warning where a person should look, info where not said; ``about`` in ``more`` names what the note is about (a column), so that notes of several pieces become one.
        """
        count = len(features) if count is None else count
        if count:
            self.diagnostics.append(
                {"code": code, "count": count, "features": list(features)[:SHOWN], "sentence": sentence, **more}
            )


def delivered_shape(row: dict[str, Any]) -> shapely.Geometry | None:
    """The shape of a row in source coordinates: as delivered, or from its provenance where that holds it."""
    shape = row.get("delivered")
    if not isinstance(shape, shapely.Geometry):
        kept = row["source"].get("geom")
        shape = shapely.from_wkb(kept) if kept else row.get("geom")
    return shape if isinstance(shape, shapely.Geometry) else None


def _first_position(shape: shapely.Geometry) -> str | None:
    first = shapely.get_coordinates(shape)[:1]
    return f"{first[0][0]:.10g}, {first[0][1]:.10g}" if len(first) else None


def point_of(shape: Any) -> tuple[float, float] | None:
    """Longitude and latitude of a shape in EPSG:4490, for a mark on a map; ``None`` if it is not on earth."""
    if not isinstance(shape, shapely.Geometry) or shape.is_empty:
        return None
    x, y = shapely.get_coordinates(shape)[0]
    return (round(float(x), 7), round(float(y), 7)) if abs(x) <= 180 and abs(y) <= 90 else None


def merged(notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Diagnostics of several pieces as those of one layer: equal ones once, with their counts added."""
    out: dict[tuple[str, str], dict[str, Any]] = {}
    for said in notes:
        key = (said["code"], str(said.get("about") or said["sentence"]))
        if key not in out:
            out[key] = dict(said)
            continue
        first = out[key]
        if not said.get("of_layer"):
            first["count"] += said["count"]
        for name, value in said.items():
            if isinstance(value, list):
                first[name] = [*first.get(name, []), *value][:SHOWN]
    return list(out.values())
