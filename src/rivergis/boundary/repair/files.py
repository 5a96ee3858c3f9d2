"""Proposed repairs as a file that a desk tool opens (整改建议图层): before, after, and a copy with all of them made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from rivergis import crs
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.repair.case import (
    ADD,
    FIELDS,
    LAYERS,
    REMOVE,
    SHAPE,
    SPLICE,
    Repair,
    applied,
    frame_of,
    spliced,
    together,
)
from rivergis.errors import EnvironmentFault, InputError, UsageError

ORIGIN = ("given", "given_crs")
"""Columns of a case that no file holds."""


def write(path: Path, case: Case, defects: Sequence[Defect], proposals: Sequence[Repair]) -> Path:
    """Write the layers ``proposals`` (the shapes as they would be, areas by their outlines), ``proposals_before`` (as they are), both
    with ``_stakes`` for points, and copies ``lines_repaired``, ``areas_repaired``, ``stakes_repaired`` of the features with all proposals
    made that go together; EPSG:4490.

    ``UsageError`` where the path is one of the files that were checked or does not end in .gpkg; written whole or not at all.
    """
    if path.suffix.lower() != ".gpkg":
        raise UsageError(f"{path.name}: repairs are written as GeoPackage, give a name that ends in .gpkg.")
    if path.exists() and _is_ours(path) is False:
        raise UsageError(
            f"{path} holds other layers than repairs, and nothing is written over a file of yours: give a new name."
        )
    part = path.with_name(f"{path.stem}.part.gpkg")
    part.unlink(missing_ok=True)
    made = {r.defect for r in together(proposals)}
    try:
        for name, frame in _layers(case, defects, proposals, made).items():
            frame.to_file(part, layer=name, driver="GPKG", engine="pyogrio")
        part.replace(path)
    except (OSError, pyogrio.errors.DataSourceError) as error:
        raise EnvironmentFault(f"{path} cannot be written ({error}): choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _is_ours(path: Path) -> bool:
    """Whether a file holds what this module writes, and nothing else."""
    try:
        names = {str(n) for n in pyogrio.list_layers(path)[:, 0]}
    except pyogrio.errors.DataSourceError as error:
        raise InputError(f"{path} is there and cannot be read: give a new name.", file=str(path)) from error
    ours = {f"proposals{a}{b}" for a in ("", "_before") for b in ("", "_stakes")} | {f"{n}_repaired" for n in LAYERS}
    return names <= ours


def _layers(
    case: Case, defects: Sequence[Defect], proposals: Sequence[Repair], made: set[int]
) -> dict[str, gpd.GeoDataFrame]:
    rows = [_row(case, defects[r.defect], r, r.defect in made) for r in proposals]
    columns = [
        "no",
        "code",
        "severity",
        "reach_id",
        "bank",
        "layer",
        "feature",
        "kind",
        "basis",
        "sentence_zh",
        "sentence",
        "fields_before",
        "fields_after",
        "in_copy",
    ]
    table = pd.DataFrame([r[0] for r in rows], columns=columns)
    out: dict[str, gpd.GeoDataFrame] = {}
    for name, at in (("proposals", 2), ("proposals_before", 1)):
        frame = gpd.GeoDataFrame(table, geometry=[r[at] for r in rows], crs=case.lines.crs)
        points = frame.geom_type == "MultiPoint"  # a layer of a desk tool holds one kind of shape
        out |= {name: frame[~points], f"{name}_stakes": frame[points]} if points.any() else {name: frame}
    whole = applied(case, proposals)
    for name in LAYERS:
        frame = frame_of(whole, name)
        if frame is not None:
            out[f"{name}_repaired"] = _plain(frame)
    return {name: _stored(frame) for name, frame in out.items()}


def _row(case: Case, d: Defect, r: Repair, made: bool) -> tuple[dict[str, Any], Any, Any]:
    """The attributes of a proposal, and its shapes before and after."""
    before, after = shapes(case, r)
    named = [(c, frame_of(case, c.layer)) for c in r.changes if c.what == FIELDS]
    old = {
        f"{c.layer}[{c.row}].{k}": frame[k].iloc[c.row]
        for c, frame in named
        if frame is not None
        for k in c.fields
        if k in frame
    }
    new = {f"{c.layer}[{c.row}].{k}": v for c, _ in named for k, v in c.fields.items()}
    told = {
        "no": r.defect + 1, "code": d.code, "severity": d.severity, "reach_id": d.reach, "bank": d.bank, "layer": r.changes[0].layer,
        "feature": r.feature, "kind": r.kind, "basis": r.basis, "sentence_zh": r.zh, "sentence": r.sentence, "in_copy": made,
        "fields_before": json.dumps(old, ensure_ascii=False, default=str), "fields_after": json.dumps(new, ensure_ascii=False, default=str),
    }  # fmt: skip
    return told, before, after


def shapes(case: Case, r: Repair) -> tuple[Any, Any]:
    """What a proposal changes of the geometry, as it is and as it would be; where only words change the feature itself, twice."""
    before, after = [], []
    for c in r.changes:
        frame = frame_of(case, c.layer)
        old = None if frame is None or c.row is None else frame.geometry.iloc[c.row]
        if c.what in (SPLICE, SHAPE, REMOVE):
            before.append(old)
        if c.what == SPLICE:
            after.append(spliced(old, [c]))
        elif c.what in (SHAPE, ADD):
            after.append(c.shape)
    if r.kind == "attributes":
        rows = [
            frame.geometry.iloc[c.row]
            for c in r.changes
            if c.row is not None and (frame := frame_of(case, c.layer)) is not None
        ]
        before = after = rows
    return _together(before), _together(after)


def _together(shapes_: list[Any]) -> Any:
    """Shapes as one geometry of one kind, areas by their outlines, without what is no number; None where there are none."""
    parts = [
        p
        for s in shapes_
        if s is not None
        for p in shapely.get_parts(s)
        if np.isfinite(shapely.get_coordinates(p)).all()
    ]
    points = [p for p in parts if p.geom_type == "Point"]
    lines = [
        q for p in parts if p.geom_type != "Point" for q in (shapely.get_rings(p) if p.geom_type == "Polygon" else [p])
    ]
    return shapely.MultiLineString(lines) if lines else shapely.MultiPoint(points) if points else None


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A frame as a file takes it."""
    frame = frame.drop(columns=[c for c in ORIGIN if c in frame])
    texts = [c for c in frame.columns if c != frame.geometry.name and frame[c].dtype == object]
    return frame.assign(**{c: [None if pd.isna(v) else str(v) for v in frame[c]] for c in texts})


def _stored(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return crs.to_storage(frame)
