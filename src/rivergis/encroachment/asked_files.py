"""What a check asks for, and the candidates of its file: those near an area chunk by chunk, the rest named or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis.boundary.ground.closing import Said
from rivergis.encroachment import candidate_files, layer_files, parquet_files
from rivergis.encroachment.boundary_files import Ground
from rivergis.encroachment.layer_files import Layer
from rivergis.errors import InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked

LISTS = ("all", "near", "count")


@dataclass(frozen=True)
class Asking:
    """What to check: files with how they are to be read, the day, and which of those not told are listed."""

    boundary: Path
    candidates: Path
    permits: Path | None
    as_of: date
    asked: dict[str, Asked] = field(default_factory=dict)
    """By layer (boundary, candidates, permits, zones): layer inside the file, CRS, datum, encoding."""
    listed: str | None = None
    """One of ``LISTS``; None = all up to the number of the rules, then near."""
    zones: Path | None = None
    prepared: Path | None = None
    """File to keep the prepared boundary in, and to take it from while it still holds."""
    verdict: bool | None = None
    """Whether findings get a verdict; None = where the candidates are no more than the rules list one by one."""
    opened: layer_files.Opened = field(default_factory=dict)

    def how(self, layer: str) -> Asked:
        return self.asked.get(layer, Asked())


class Things:
    """The candidates of a file, those near an area chunk by chunk; a large GeoParquet file is streamed, the rest read whole."""

    def __init__(self, asking: Asking, ground: Ground, list_up_to: int) -> None:
        self.ground, self.path = ground, asking.candidates
        asked = asking.how("candidates")
        self.stream: candidate_files.Candidates | None = None
        self.layer: Layer | None = None
        if parquet_files.is_large(self.path):
            self.stream = candidate_files.open_candidates(self.path, asked)
            self.count, self.said = self.stream.count, []
            self.about: dict[str, Any] = {"file": self.path.name, **self.stream.opened.provenance()}
        else:
            self.layer = _rings_as_areas(layer_files.read(self.path, asked, "candidate", asking.opened))
            self.count, self.said, self.about = len(self.layer.frame), [*self.layer.said], self.layer.about
        self.with_verdict = self.count <= list_up_to if asking.verdict is None else asking.verdict
        self.listed = asking.listed or ("all" if self.count <= list_up_to and self.layer else "near")
        self.outside: list[str] = []
        self.outside_count, self.left_out = 0, 0

    def __iter__(self) -> Iterator[tuple[Layer, int]]:
        if self.stream:
            yield from self._streamed(self.stream)
        elif self.layer:
            yield from self._whole(self.layer)

    def _streamed(self, candidates: candidate_files.Candidates) -> Iterator[tuple[Layer, int]]:
        for chunk in candidates.near(self.ground.zoned):
            layer = Layer(layer_files.with_geom(chunk.frame), self.about)
            if layer.column(*layer_files.DATUM_COLUMNS):
                raise InputError(
                    f"{self.path.name} names a datum feature by feature, which is not read from files this large: split it by datum and "
                    "say which with --datum.", file=str(self.path),
                )  # fmt: skip
            yield layer, chunk.zone
        self.outside_count = candidates.outside
        self._aside({f: sentence for f, (_, sentence) in candidates.aside.items()})

    def _aside(self, sentences: dict[Any, str]) -> None:
        for feature, sentence in sentences.items():
            said = f"Feature {feature} of {self.path.name} was left out: {sentence}"
            self.said.append(Said("candidate_skipped", said, (str(feature),), "candidates"))
            self.left_out += 1

    def _whole(self, layer: Layer) -> Iterator[tuple[Layer, int]]:
        frame = layer.frame
        boxes = frame.geometry.bounds.to_numpy(np.float64)
        missing = ~np.isfinite(boxes).all(axis=1)
        near = self.ground.zoned.near(np.nan_to_num(boxes)) | missing
        wide = candidate_files.too_wide(frame[near & ~missing], self.ground.zoned)
        self._aside({f: sentence for f, (_, sentence) in wide.items()})
        handed = frame.index.isin(list(wide))
        source = vector.Source(frame[near & ~handed], str(layer.about.get("layer")), None)
        for chunk in candidate_files.chunks(source, self.ground.zoned):
            handed[frame.index.get_indexer(chunk.frame.index)] = True
            yield Layer(chunk.frame, layer.about, [], layer.faults), chunk.zone
        names = np.array(layer.names(), dtype=object)
        self.outside = names[~handed].tolist()
        self.outside_count = len(self.outside)


def _rings_as_areas(layer: Layer) -> Layer:
    """Candidates drawn as closed lines (outlines in a drawing) as the areas they enclose, and names that several bear, said."""
    shapes = layer.frame.geometry.to_numpy()
    rings = (shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING) & shapely.is_closed(shapes)
    rings &= shapely.get_num_coordinates(shapes) > 3
    said = list(layer.said)
    if rings.any():
        features = tuple(map(str, layer.frame.index[rings]))
        sentence = (
            f"{len(features)} candidates of {layer.about['file']} are closed lines: the areas they enclose are taken."
        )
        said.append(Said("candidate_line_polygonised", sentence, features, "candidates"))
        shapes = shapes.copy()
        shapes[rings] = [shapely.Polygon(shapely.get_coordinates(line)) for line in shapes[rings]]
    twice = [name for name, n in Counter(layer.names()).items() if n > 1]
    if twice:
        sentence = f"{len(twice)} names are borne by several candidates of {layer.about['file']} ({', '.join(twice[:5])}): the findings cannot tell them apart."
        said.append(Said("candidate_name_twice", sentence, tuple(twice), "candidates"))
    frame = layer.frame.set_geometry(
        gpd.GeoSeries(shapes, index=layer.frame.index, crs=layer.frame.crs).rename(layer.frame.geometry.name)
    )
    return Layer(frame, layer.about, said, layer.faults)
