"""What becomes of the features of one source layer: rows, set aside, skipped. Law: in = rows + set aside + skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.db.versions import SetAside

SHOWN = 20


@dataclass
class Batch:
    """A source layer read for a target layer. ``frame``: contract columns, code, valid_from, valid_to, source_feature, source."""

    layer: str
    frame: gpd.GeoDataFrame | pd.DataFrame
    source_layer: str
    source_crs: str | None
    file_sha256: str
    count_in: int
    set_aside: list[SetAside] = field(default_factory=list)
    raw: dict[str, tuple[dict[str, Any], str | None]] = field(default_factory=dict)
    """source_feature -> (attributes, WKT) of what was set aside."""
    skipped: int = 0
    diagnostics: list[dict[str, Any]] = field(default_factory=list)

    def aside(self, bad: Any, code: str, sentence: str | Sequence[str]) -> None:
        """Set features aside with their reason (one, or one for each); the rest goes on."""
        bad = np.asarray(bad, dtype=bool)
        if not bad.any():
            return
        sentences = [sentence] * int(bad.sum()) if isinstance(sentence, str) else list(sentence)
        for row, said in zip(self.frame[bad].to_dict("records"), sentences, strict=True):
            self.set_aside.append(SetAside(row["source_feature"], code, said))
            shape = row.get("geom")
            wkt = shape.wkt if isinstance(shape, shapely.Geometry) else None
            self.raw[row["source_feature"]] = (row["source"]["attributes"], wkt)
        self.frame = self.frame[~bad].reset_index(drop=True)

    def skip(self, out: Any, code: str, sentence: str) -> None:
        """Leave features out that are not meant for this layer, and say how many."""
        out = np.asarray(out, dtype=bool)
        if out.any():
            self.skipped += int(out.sum())
            self.frame = self.frame[~out]
            self.diagnostics.append({"code": code, "count": int(out.sum()), "sentence": sentence})

    def note(self, code: str, features: Sequence[str], sentence: str, count: int | None = None, **more: Any) -> None:
        """Say what was done to features that go on; nothing if there are none."""
        count = len(features) if count is None else count
        if count:
            self.diagnostics.append(
                {"code": code, "count": count, "features": list(features)[:SHOWN], "sentence": sentence, **more}
            )
