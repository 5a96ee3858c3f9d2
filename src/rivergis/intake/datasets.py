"""Vector files: every layer as it is, whatever GDAL or Arrow can read, with every defect said; whole or in pieces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import shapely

from rivergis.errors import InputError
from rivergis.intake import features, layer_text, shape_faults, staging, text
from rivergis.intake.delivery import Asked, Declared, Defect, Delivered, Reading, defect
from rivergis.intake.features import Layer, Piece, short
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.staging import DataSet

# a layer beyond either is not held: bounds of every feature and an even sample
_HELD_FEATURES = 100_000
_HELD_VERTICES = 8_000_000
# columns that KML's reader makes of itself; left out where they say nothing
_KML_OWN = {
    "timestamp",
    "begin",
    "end",
    "altitudeMode",
    "tessellate",
    "extrude",
    "visibility",
    "drawOrder",
    "icon",
    "snippet",
    "id",
}
_BY_STANDARD = {"KML", "KMZ", "OpenStreetMap PBF", "OpenStreetMap XML", "GeoJSON", "GeoJSON text sequence", "TopoJSON"}


def read_vector(path: Path, asked: Asked, limits: Limits = DEFAULT) -> Reading:
    """Every layer of a vector file (or the one asked for) as it is: any geometry types, the file's own coordinates.

    Layers too large to hold keep the bounds of all features and an even sample. ``InputError`` if the file cannot be
    opened, has no layer of the name asked for, holds nothing, or changes while it is read; ``UsageError`` for an unknown encoding.
    """
    text.asked_encoding(asked.encoding)
    before = _state(path)
    with staging.staged(path, asked, limits) as (form, data_sets):
        linked = _check_links(path, data_sets)
        found = _found(path, data_sets)
        wanted = _wanted(path, found, asked.layer)
        read = [_read_layer(found[name][0], found[name][1], name, asked, limits) for name in wanted]
    if _state(path) != before:
        raise InputError(
            f"{path.name} changed while it was read: wait until it is written and try again.", file=str(path)
        )
    return Reading(form, read, linked)


def stream(
    path: Path, layer_name: str, asked: Asked, encoding: str | None, rows: int = features.ROWS, limits: Limits = DEFAULT
) -> Iterator[Delivered]:
    """A whole layer in pieces of ``rows`` features, numbered as in ``read_vector``, in the file's own coordinates.

    ``encoding``: as ``read_vector`` found it. Every piece repeats name, kind and declared system and counts its own
    features; its defects are those of its own features (unreadable shapes, linearised curves, unreadable text).
    """
    with staging.staged(path, asked, limits) as (_, data_sets):
        found = _found(path, data_sets)
        _wanted(path, found, layer_name)
        data, layer = found[layer_name]
        codec = text.canonical(asked.encoding) or encoding or "utf-8"
        for piece in features.pieces(data, layer, rows):
            yield _delivered_piece(data, layer, layer_name, piece, text.Text(codec))


def _state(path: Path) -> list[tuple[str, int, int]]:
    """What tells whether a file, the parts beside it or a folder were changed."""
    try:
        if path.is_dir():
            files = [p for p in sorted(path.rglob("*")) if p.suffix != ".lock"]
        else:
            files = [p for p in sorted(path.parent.iterdir()) if p.stem == path.stem]
        return [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files if p.is_file()]
    except (OSError, ValueError):
        return []


def _found(path: Path, data_sets: list[DataSet]) -> dict[str, tuple[DataSet, Layer]]:
    """Layer name -> data set and layer; names that occur twice are told apart by the data set they are in."""
    listed = [(d, layer, _shown_name(d, layer)) for d in data_sets for layer in features.layers(d)]
    names = [n for _, _, n in listed]
    found: dict[str, tuple[DataSet, Layer]] = {}
    for data, layer, name in listed:
        shown = name if names.count(name) == 1 else f"{data.stem}/{name}" if data.stem != name else name
        while shown in found:
            shown += "'"
        found[shown] = (data, layer)
    if not found:
        raise InputError(f"{path.name} has no layer at all: ask for it again.", file=str(path))
    return found


def _shown_name(data: DataSet, layer: Layer) -> str:
    """A layer's name; that of the delivered file where GDAL would show the name of our copy of it."""
    return data.stem if layer.name in ("layer", "data") and layer.name == Path(data.place).stem else layer.name


def _wanted(path: Path, found: dict[str, Any], asked: str | None) -> list[str]:
    if asked is not None and asked not in found:
        names = ", ".join(list(found)[:20])
        raise InputError(f"{path.name} has no layer {asked!r}; it has {names}.", file=str(path), layer=asked)
    return list(found) if asked is None else [asked]


def _check_links(path: Path, data_sets: list[DataSet]) -> list[Defect]:
    """A KML may only point at data elsewhere; nothing is fetched. ``InputError`` if it holds nothing else."""
    linked = [d for d in data_sets if d.links]
    if not linked:
        return []
    said = f"{linked[0].name} links to data kept elsewhere ({linked[0].links[0][:80]}), which is not in the file and is not fetched."
    if all(d.empty for d in data_sets):
        raise InputError(f"{said} It holds no features: open the link and save its places as a file.", file=str(path))
    return [defect("network_link", "warning", said, "Open the link and save its places as a file.", count=len(linked))]


# ---- one layer ------------------------------------------------------------------------------------------------------


@dataclass
class _Gathered:
    """A layer while it is read: pieces thinned evenly as they become too many to hold."""

    limits: Limits
    pieces: list[Piece] = field(default_factory=list)
    bounds: list[np.ndarray] = field(default_factory=list)
    types: dict[str, int] = field(default_factory=dict)
    curved: list[Any] = field(default_factory=list)
    unreadable: list[Any] = field(default_factory=list)
    unclosed: list[Any] = field(default_factory=list)
    count: int = 0
    step: int = 1

    def add(self, piece: Piece) -> None:
        for kind in piece.types:
            if kind:
                self.types[kind] = self.types.get(kind, 0) + 1
        self.curved += piece.curved
        self.unreadable += piece.unreadable
        self.unclosed += piece.unclosed
        if piece.shapes is not None:
            self.bounds.append(shapely.bounds(piece.shapes))
        rows = np.arange(-self.count % self.step, len(piece.ids), self.step)
        self.pieces.append(piece.take(rows) if self.step > 1 else piece)
        self.count += len(piece.ids)
        while self._too_large():
            self._thin()

    def _too_large(self) -> bool:
        held = sum(len(p.ids) for p in self.pieces)
        vertices = sum(p.vertices for p in self.pieces)
        return held > _HELD_FEATURES or (vertices > _HELD_VERTICES and held > 1000)

    def _thin(self) -> None:
        """Every second of the features held, counted through all pieces."""
        first, thinned = 0, []
        for piece in self.pieces:
            thinned.append(piece.take(np.arange(first % 2, len(piece.ids), 2)))
            first += len(piece.ids)
        self.pieces, self.step = thinned, self.step * 2


def _read_layer(data: DataSet, layer: Layer, name: str, asked: Asked, limits: Limits) -> Delivered:
    if layer.fields > limits.fields:
        raise InputError(
            f"{data.name}, layer {name} has {layer.fields} fields, more than {limits.fields}: ask for what is needed.",
            file=data.name,
            layer=name,
        )
    gathered, faults = _Gathered(limits), shape_faults.Faults(limits)
    known = data.shape.damaged if data.shape is not None else frozenset()
    for piece in features.pieces(data, layer):
        if piece.shapes is not None:
            told = np.isin(piece.ids, [*piece.unreadable, *known])
            faults.add(piece.shapes[~told], piece.ids[~told])
        gathered.add(piece)
    found = layer_text.encoding_of(data, gathered.pieces, asked)
    made = _delivered(data, layer, name, gathered, found)
    made.add(
        *data.defects,
        *found.defects,
        *layer_text.truncated(data, gathered.pieces, found),
        *layer_text.repeated(data, gathered.pieces, found),
        *_drawn(gathered, layer),
        *faults.defects(),
    )
    return made


def _delivered(data: DataSet, layer: Layer, name: str, gathered: _Gathered, found: text.Text) -> Delivered:
    frames = [_frame(data, p, found) for p in gathered.pieces]
    frame = _only_telling(data, pd.concat(frames) if len(frames) > 1 else frames[0]) if frames else pd.DataFrame()
    is_table = layer.geometry is None
    shapes = None if is_table else np.concatenate([p.shapes for p in gathered.pieces] or [np.empty(0, object)])
    sampled = gathered.step > 1 and not is_table
    made = Delivered(name, "table" if is_table else "vector", gathered.count, frame, shapes)
    made.bounds = np.concatenate(gathered.bounds) if sampled else None
    made.declared = declared(data, layer)
    made.encoding, made.encoding_basis = found.encoding, found.basis
    made.geometry_types = tuple(gathered.types)
    made.readable = not gathered.count or len(gathered.unreadable) < gathered.count
    made.facts = {**data.facts, **({} if is_table else {"dimensions": _dimensions(made.geometry_types)})}
    for values in layer_text.unread(frame):
        made.add(values)
    return made


def _delivered_piece(data: DataSet, layer: Layer, name: str, piece: Piece, how: text.Text) -> Delivered:
    gathered = _Gathered(DEFAULT)
    gathered.add(piece)
    frame = _frame(data, piece, how)
    made = Delivered(
        name,
        "table" if layer.geometry is None else "vector",
        len(piece.ids),
        frame,
        piece.shapes,
        declared=declared(data, layer),
    )
    made.encoding, made.geometry_types = how.encoding, tuple(gathered.types)
    made.add(*_drawn(gathered, layer), *layer_text.unread(frame))
    return made


def _frame(data: DataSet, piece: Piece, how: text.Text) -> pd.DataFrame:
    """Attributes with text read, in the order of the file; the index is the feature's number."""
    plain = _plain_columns(data, piece)
    columns: dict[str, Any] = {}
    for raw in piece.columns:
        name = own = layer_text.name_of(data, raw, how)
        again = 1
        while name in columns:
            again += 1
            name = f"{own}_{again}"
        if raw in piece.texts:
            values = [how.read(v) if isinstance(v, bytes) else v for v in piece.texts[raw]]
            columns[name] = pd.Series(values, dtype="str" if any(values) else object)
        else:
            columns[name] = plain[raw].reset_index(drop=True)
    frame = pd.DataFrame(columns, index=range(len(piece.ids)))
    frame.index = pd.Index(piece.ids)
    return frame


def _as_json(value: Any) -> str | None:
    """Lists and structures as JSON text: one value in one cell."""
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _plain_columns(data: DataSet, piece: Piece) -> pd.DataFrame:
    try:
        frame = piece.table.to_pandas(integer_object_nulls=True)
        for kind in piece.table.schema:
            if pa.types.is_nested(kind.type):
                frame[kind.name] = [_as_json(v) for v in piece.table[kind.name].to_pylist()]
        return frame
    except features.FAULTS as error:
        raise InputError(
            f"{data.name}: its attributes cannot be read ({short(error)}): it is damaged; ask for it again.",
            file=data.name,
        ) from error


def _only_telling(data: DataSet, frame: pd.DataFrame) -> pd.DataFrame:
    """Without the columns KML's reader adds to every file, where they say the same of every feature."""
    if data.form.name not in ("KML", "KMZ"):
        return frame
    same = [c for c in frame.columns if c in _KML_OWN and frame[c].astype(str).nunique() <= 1]
    return frame.drop(columns=same)


def _dimensions(types: tuple[str, ...]) -> str:
    ends = [t.rpartition(" ")[2] for t in types if " " in t]
    return "XY" + "Z" * any("Z" in e for e in ends) + "M" * any("M" in e for e in ends)


def declared(data: DataSet, layer: Layer) -> Declared:
    """Where a layer's coordinates lie, as the data set says it; where it says nothing, nothing."""
    if data.shape is not None:
        return Declared(data.shape.prj, "prj") if data.shape.prj else Declared()
    if data.declared_crs is not None:
        known = layer.crs if layer.crs and layer.crs.split(":")[-1] in data.declared_crs else data.declared_crs
        return Declared(known, "crs_member") if data.declared_crs else Declared()
    if data.form.name in _BY_STANDARD:
        return Declared("EPSG:4326", "format")
    if not layer.crs or data.form.name == "DXF" or _says_unknown(layer.crs):
        return Declared()
    return Declared(layer.crs, "file")


def _says_unknown(crs: str) -> bool:
    """GeoPackage's srs_id 0 and -1 and MapInfo's NonEarth come out as systems that are called undefined.

    A system without a name is none of them: MapInfo never names its projected ones, and their datum counts.
    """
    words = (
        "Undefined",
        "undefined",
        '"Nonearth"',
        *(('"unnamed"',) if crs.startswith(("LOCAL_CS", "ENGCRS")) else ()),
    )
    return not crs.startswith("EPSG:") and any(word in crs[:200] for word in words)


def _drawn(gathered: _Gathered, layer: Layer) -> list[Defect]:
    """What became of shapes on the way in: curves, kinds nobody can draw, open rings; or that there are none at all."""
    said = []
    if gathered.count == 0:
        said.append(defect("layer_empty", "info", "The layer holds no features.", "Nothing to import."))
    if gathered.unreadable:
        kinds = ", ".join(gathered.types) or "unknown"
        why = f"{len(gathered.unreadable)} features have shapes that cannot be read ({kinds})."
        said.append(
            defect(
                "geometry_unreadable",
                "error",
                why,
                "They are set aside: ask for lines, areas or points.",
                gathered.unreadable,
            )
        )
    if gathered.curved:
        why = f"{len(gathered.curved)} features have curves; they are read as lines that follow them."
        said.append(
            defect(
                "curve_linearised", "info", why, "Vertices are added; the curve itself is not kept.", gathered.curved
            )
        )
    if gathered.unclosed:
        why = f"{len(gathered.unclosed)} features have outlines that do not close."
        said.append(
            defect(
                "ring_unclosed", "warning", why, "They are closed with a straight line and reported.", gathered.unclosed
            )
        )
    return said
