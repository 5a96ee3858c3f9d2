"""What a proposed repair of a boundary line is (整改建议): changes of features that nobody has made yet, and a case with them made.

A repair is never applied in silence: it stands beside its defect, with what was and what would be, until a planner takes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from rivergis.boundary.doctor.case import Case

Array = npt.NDArray[np.float64]
SPLICE, SHAPE, FIELDS, REMOVE, ADD = "splice", "shape", "fields", "remove", "add"
LAYERS = ("lines", "areas", "stakes")


@dataclass(frozen=True)
class Change:
    """One change of one feature of a layer of the case, by its position there.

    ``splice``: vertices ``start`` up to ``end`` (not included) are replaced by ``xy`` (n, 2); ``shape``: the whole geometry;
    ``fields``: column -> new value; ``remove``; ``add``: a new feature of ``shape`` and ``fields`` (``row`` is None).
    """

    layer: str
    what: str
    row: int | None = None
    start: int = 0
    end: int = 0
    xy: Array | None = None
    shape: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Repair:
    """A proposal for one defect: position of the defect in its list, name of the feature, what kind of change, and a sentence.

    ``kind``: geometry, attributes, remove, add. ``basis`` says where the new shape comes from: vertices (the line's own), area_edge,
    rule, former, parallel, swapped, reach, names (of other features).
    """

    defect: int
    feature: str
    kind: str
    basis: str
    changes: tuple[Change, ...]
    sentence: str
    zh: str


def frame_of(case: Case, layer: str) -> gpd.GeoDataFrame | None:
    """The frame of the case that a change is about."""
    frames: dict[str, gpd.GeoDataFrame | None] = {"lines": case.lines, "areas": case.areas, "stakes": case.stakes}
    return frames[layer]


def spliced(shape: Any, changes: Sequence[Change]) -> Any:
    """A line or the outer ring of an area with stretches of its vertices replaced; windows may not touch each other."""
    polygon = shape.geom_type == "Polygon"
    xy = shapely.get_coordinates(shape.exterior)[:-1] if polygon else shapely.get_coordinates(shape)
    for c in sorted(changes, key=lambda c: -c.start):
        xy = np.vstack([xy[: c.start], np.empty((0, 2)) if c.xy is None else c.xy, xy[c.end :]])
    if polygon:
        return shapely.Polygon(xy, shape.interiors) if len(xy) > 2 else shapely.Polygon()
    return shapely.LineString(xy) if len(xy) > 1 else shapely.LineString()


def clash(one: Change, other: Change) -> bool:
    """Whether two changes cannot both be made as they are written."""
    if (one.layer, one.row) != (other.layer, other.row) or one.row is None:
        return False
    kinds = {one.what, other.what}
    if kinds == {FIELDS}:
        return bool(set(one.fields) & set(other.fields))
    if FIELDS in kinds:
        return REMOVE in kinds
    if kinds == {SPLICE}:
        return one.start <= other.end and other.start <= one.end
    return True


def together(repairs: Iterable[Repair]) -> list[Repair]:
    """The repairs that can be made at once, the earlier before the later."""
    taken: list[Repair] = []
    at: dict[tuple[str, int | None], list[Change]] = {}
    for repair in repairs:
        if any(clash(c, o) for c in repair.changes for o in at.get((c.layer, c.row), ())):
            continue
        taken.append(repair)
        for c in repair.changes:
            at.setdefault((c.layer, c.row), []).append(c)
    return taken


def applied(case: Case, repairs: Sequence[Repair]) -> Case:
    """The case as it would be with the repairs made; features keep their names and order, new ones stand at the end.

    Repairs that clash with earlier ones are left out (``together``).
    """
    changes = [c for r in together(repairs) for c in r.changes]
    lines, areas, stakes = (_changed(frame_of(case, name), [c for c in changes if c.layer == name]) for name in LAYERS)
    return dataclasses.replace(case, lines=case.lines if lines is None else lines, areas=areas, stakes=stakes)


def _changed(frame: gpd.GeoDataFrame | None, changes: list[Change]) -> gpd.GeoDataFrame | None:
    if frame is None or not changes:
        return frame
    out = frame.copy()
    shapes = out.geometry.to_numpy().copy()
    by_row: dict[int, list[Change]] = {}
    for c in changes:
        if c.row is not None:
            by_row.setdefault(c.row, []).append(c)
    gone = []
    for row, mine in by_row.items():
        cuts = [c for c in mine if c.what == SPLICE]
        shapes[row] = spliced(shapes[row], cuts) if cuts else shapes[row]
        for c in mine:
            shapes[row] = c.shape if c.what == SHAPE else shapes[row]
            gone += [row] if c.what == REMOVE else []
            for name, value in c.fields.items() if c.what == FIELDS else ():
                out.loc[out.index[row], name] = value
    moved = [row for row, mine in by_row.items() if any(c.what in (SPLICE, SHAPE) for c in mine)]
    out = out.set_geometry(gpd.GeoSeries(shapes, index=out.index, crs=out.crs))
    out = _as_in_file(out, moved).drop(index=out.index[gone])
    new = [c for c in changes if c.what == ADD]
    if new:
        rows = gpd.GeoDataFrame([dict(c.fields) for c in new], geometry=[c.shape for c in new], crs=out.crs)
        rows = rows.rename_geometry(out.geometry.name) if rows.geometry.name != out.geometry.name else rows
        old = len(out)
        out = gpd.GeoDataFrame(pd.concat([out, rows.reindex(columns=out.columns)], ignore_index=True), crs=out.crs)
        out = _as_in_file(out, list(range(old, len(out))))
    return out.reset_index(drop=True)


def _as_in_file(frame: gpd.GeoDataFrame, rows: list[int]) -> gpd.GeoDataFrame:
    """The columns ``given`` and ``given_crs`` of features with a new shape say what a file with it would."""
    if "given" not in frame or not rows:
        return frame
    given, systems = frame["given"].to_numpy(dtype=object).copy(), frame["given_crs"].to_numpy(dtype=object).copy()
    usual = next((s for s in systems if not pd.isna(s)), None)
    shapes = frame.geometry.to_numpy()
    systems[rows] = [usual if pd.isna(systems[row]) else systems[row] for row in rows]
    for system in set(systems[rows]):
        way = Transformer.from_crs(frame.crs, system, always_xy=True)
        mine = [row for row in rows if systems[row] == system]
        given[mine] = shapely.transform(
            shapes[mine], lambda xy, way=way: np.column_stack(way.transform(xy[:, 0], xy[:, 1]))
        )
    return frame.assign(given=given, given_crs=systems)
