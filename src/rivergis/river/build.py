"""From raw centre lines to a river network (河网): one pure function that runs every step and says what each one did.

Lines, water areas and outlets come in as frames in EPSG:4490, a DEM as a function that tells heights. Nothing is changed
in silence: every repair, guess and oddity is a row of ``defects`` with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError
from rivergis.river import direction, measures, noding, waters
from rivergis.river.drawn import Drawn, Floats, Ints, NetworkDefect

DRAWN_COLUMNS = ("source_fid", "kind", "covered", "level", "name", "flow")
REACH_COLUMNS = (
    "reach_id from_node to_node next_reach_id river_id river_name name kind covered channel length_m from_m to_m strahler "
    "stem_order upstream_length_m to_outlet_m upstream_area_km2 half_width_m direction_basis direction_confidence repair "
    "source_fid source_id"
).split()
OUTLET_REACH = 5.0  # an outlet is looked for within this many gap tolerances


@dataclass(frozen=True)
class Method:
    """Tolerances of a build, as the rules of the place give them."""

    snap_m: float
    gap_m: float
    min_confidence: float
    max_half_width_m: float
    dem_drop_m: float


@dataclass(frozen=True)
class Terrain:
    """What a DEM tells of lines in EPSG:4490: heights at their two ends, and the area that drains to each (km2); NaN = nothing."""

    ends: Callable[[gpd.GeoSeries], tuple[Floats, Floats]]
    upstream_area_km2: Callable[[gpd.GeoSeries], Floats]


@dataclass(frozen=True)
class Built:
    """A network: ``reaches``, ``nodes``, ``defects`` in EPSG:4490 (columns in docs/river_network.md), and what was done in figures."""

    reaches: gpd.GeoDataFrame
    nodes: gpd.GeoDataFrame
    defects: gpd.GeoDataFrame
    figures: dict[str, Any] = field(default_factory=dict)


def build(
    lines: gpd.GeoDataFrame,
    method: Method,
    *,
    source_id: pd.Series | None = None,
    areas: gpd.GeoDataFrame | None = None,
    outlets: gpd.GeoDataFrame | None = None,
    terrain: Terrain | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Built:
    """Make a network of lines (LineString or MultiLineString, EPSG:4490).

    ``lines`` has ``DRAWN_COLUMNS`` (see ``attributes``), and the source's own attributes as ``src_*``. ``source_id``: the
    source's own code of each line. ``areas``: water surfaces with ``area_fid``, ``kind``, ``name``. ``outlets``: points
    where water leaves. Raises ``InputError`` when no line can be used.
    """
    progress("nodes")
    metric = crs.to_metric(lines)
    drawn = noding.node(metric[[*DRAWN_COLUMNS, metric.geometry.name]], snap_m=method.snap_m, gap_m=method.gap_m)
    if drawn.pieces.empty:
        raise InputError("None of the lines can be used: look at the geometry of the layer.")
    basin = _areas(areas, metric)
    if basin is not None:
        progress("waters")
        drawn = waters.cross(drawn, basin, snap_m=method.snap_m, max_half_width_m=method.max_half_width_m)
    back = _Back(metric, lines)
    degrees = back.lines(drawn)
    progress("direction")
    mouths, lost = _outlet_nodes(drawn, outlets, method)
    directed = direction.orient(
        drawn,
        fall_m=None if terrain is None else np.subtract(*terrain.ends(degrees)),
        dem_drop_m=method.dem_drop_m,
        outlets=mouths,
        min_confidence=method.min_confidence,
    )
    degrees = degrees.where(~directed.turned, degrees.reverse())
    progress("measures")
    half_width = _half_width(drawn, basin, method)
    area = np.full(len(degrees), np.nan) if terrain is None else terrain.upstream_area_km2(degrees)
    length = crs.length_m(degrees.to_numpy())
    measured = measures.measure(_as_reaches(drawn, directed, length, half_width, area))
    progress("frames")
    labels = _Labels(drawn, lines, source_id)
    reaches = _reach_frame(drawn, directed, measured, labels, degrees, length, half_width, area)
    shore = waters.shoreline(basin, drawn) if basin is not None else None
    whole = _with_shoreline(reaches, shore, lines.geometry.name)
    nodes = _node_frame(drawn, directed, labels, degrees)
    noticed = [*drawn.defects, *lost, *directed.defects, *labels.defects]
    defects = _defect_frame(noticed, drawn, labels, metric)
    return Built(whole, nodes, defects, _figures(whole, nodes, defects, directed, lines))


def _areas(areas: gpd.GeoDataFrame | None, metric: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    return None if areas is None or areas.empty else areas.to_crs(metric.crs)


class _Back:
    """The way from the metric zone back to degrees that returns the source's own vertices to the last digit."""

    def __init__(self, metric: gpd.GeoDataFrame, lines: gpd.GeoDataFrame) -> None:
        self.crs = metric.crs
        to, own = metric.geometry.to_numpy(), lines.geometry.to_numpy()
        usable = ~(shapely.is_missing(to) | shapely.is_empty(to))
        there, here = shapely.get_coordinates(to[usable]), shapely.get_coordinates(own[usable])
        table = pd.DataFrame({"x": there[:, 0], "y": there[:, 1], "lon": here[:, 0], "lat": here[:, 1]})
        self.known = table.drop_duplicates(["x", "y"])

    def points(self, xy: Floats) -> Floats:
        """(n, 2) metres to (n, 2) degrees."""
        found = pd.DataFrame(xy, columns=["x", "y"]).merge(self.known, on=["x", "y"], how="left")[["lon", "lat"]]
        out = found.to_numpy(copy=True)
        new = np.isnan(out[:, 0])
        if new.any():
            moved = crs.to_storage(gpd.GeoSeries(shapely.points(xy[new]), crs=self.crs))
            out[new] = shapely.get_coordinates(moved.to_numpy())
        return out

    def lines(self, drawn: Drawn) -> gpd.GeoSeries:
        """The pieces in EPSG:4490."""
        moved = shapely.transform(drawn.pieces.geometry.to_numpy(), self.points)
        return gpd.GeoSeries(moved, crs=crs.STORAGE)


def _outlet_nodes(
    drawn: Drawn, outlets: gpd.GeoDataFrame | None, method: Method
) -> tuple[Ints | None, list[NetworkDefect]]:
    """Nodes of the network at the named outlets: the nearest open end, else the nearest node."""
    if outlets is None or outlets.empty:
        return None, []
    points = shapely.centroid(outlets.to_crs(drawn.pieces.crs).geometry.to_numpy())
    nodes = shapely.points(drawn.nodes)
    degree = drawn.degree()
    reach = OUTLET_REACH * max(method.gap_m, method.snap_m)
    pair = shapely.STRtree(nodes).query(points, predicate="dwithin", distance=reach)
    found, lost = [], []
    for i, point in enumerate(points):
        near = pair[1][pair[0] == i]
        if len(near):
            away = shapely.distance(nodes[near], point) + reach * (degree[near] > 1)
            found.append(int(near[np.argmin(away)]))
        else:
            said = f"No end of a river line lies within {reach:g} m of this outlet: move it onto the network."
            lost.append(NetworkDefect("outlet_off_network", "error", point, said, reach, "m"))
    return np.array(found, dtype=np.int64), lost


def _half_width(drawn: Drawn, areas: gpd.GeoDataFrame | None, method: Method) -> Floats:
    if areas is None:
        return np.full(len(drawn.pieces), np.nan)
    return np.asarray(waters.half_width(drawn.pieces, areas, max_half_width_m=method.max_half_width_m), dtype=float)


def _as_reaches(
    drawn: Drawn, directed: direction.Directed, length: Floats, half_width: Floats, area: Floats
) -> measures.Reaches:
    fits = direction.confluence_fits(drawn)
    return measures.Reaches(
        directed.start,
        directed.end,
        length,
        drawn.pieces["kind"].to_numpy(dtype=object),
        _texts(drawn.pieces["name"]),
        np.where(directed.turned, fits[:, 1], fits[:, 0]),
        half_width,
        area,
    )


def _texts(column: pd.Series) -> Any:
    """Text or None."""
    return np.array([None if pd.isna(v) or v == "" else str(v) for v in column], dtype=object)


class _Labels:
    """Codes of reaches that stay the same when the same lines are built again: the source's own, with .1, .2 for pieces."""

    def __init__(self, drawn: Drawn, lines: gpd.GeoDataFrame, source_id: pd.Series | None) -> None:
        self.defects: list[NetworkDefect] = []
        fids = drawn.pieces["source_fid"].to_numpy()
        self.row = pd.Series(np.arange(len(lines)), index=lines["source_fid"].to_numpy()).reindex(fids).to_numpy()
        given = [None if np.isnan(r) or source_id is None else source_id.iloc[int(r)] for r in self.row]
        self.source_id = [None if pd.isna(v) else _plain(v) for v in given]
        stems = [
            f"made{i}" if fid < 0 else (own if own is not None else f"f{fid}")
            for i, (fid, own) in enumerate(zip(fids, self.source_id, strict=True))
        ]
        self._doubles(drawn, source_id, lines)
        self.reach = self._numbered(stems, drawn)
        self.node = self._node_names(drawn)

    def _doubles(self, drawn: Drawn, source_id: pd.Series | None, lines: gpd.GeoDataFrame) -> None:
        if source_id is None:
            return
        double = source_id.notna() & source_id.duplicated(keep=False)
        first = pd.Series(np.arange(len(drawn.pieces)), index=drawn.pieces["source_fid"]).groupby(level=0).first()
        for fid, own in zip(lines["source_fid"][double.to_numpy()], source_id[double], strict=True):
            if fid in first.index:
                at = shapely.Point(drawn.nodes[drawn.start[first[fid]]])
                said = (
                    f"The code {_plain(own)} stands on several lines: its reaches are numbered on, correct the source."
                )
                self.defects.append(
                    NetworkDefect("source_id_repeated", "warning", at, said, source_fid=int(fid), done=True)
                )

    @staticmethod
    def _numbered(stems: list[str], drawn: Drawn) -> list[str]:
        total = Counter(stems)
        order = np.lexsort((drawn.pieces["piece"].to_numpy(), drawn.pieces["source_fid"].to_numpy()))
        seen: Counter[str] = Counter()
        out = [""] * len(stems)
        for i in order.tolist():
            seen[stems[i]] += 1
            out[i] = stems[i] if total[stems[i]] == 1 else f"{stems[i]}.{seen[stems[i]]}"
        return out

    @staticmethod
    def _node_names(drawn: Drawn) -> list[str | None]:
        """n1, n2 ... from west to east, of the nodes that carry a line."""
        used = np.unique(np.concatenate([drawn.start, drawn.end]))
        order = used[np.lexsort((drawn.nodes[used, 1], drawn.nodes[used, 0]))]
        names: list[str | None] = [None] * len(drawn.nodes)
        for number, node in enumerate(order.tolist(), 1):
            names[node] = f"n{number}"
        return names


def _plain(value: Any) -> str:
    """A code as people write it: 12, not 12.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _reach_frame(
    drawn: Drawn,
    directed: direction.Directed,
    measured: measures.Measures,
    labels: _Labels,
    degrees: gpd.GeoSeries,
    length: Floats,
    half_width: Floats,
    area: Floats,
) -> gpd.GeoDataFrame:
    pieces = drawn.pieces
    reach, node = np.array(labels.reach, dtype=object), np.array(labels.node, dtype=object)
    name = _texts(pieces["name"])
    river_id, river_name = _rivers(measured, reach, name, length)
    kind = np.where(
        measured.side & np.isin(pieces["kind"], ["river", "stream"]) & _returns(measured), "braid", pieces["kind"]
    )
    return gpd.GeoDataFrame(
        {
            "reach_id": reach,
            "from_node": node[directed.start],
            "to_node": node[directed.end],
            "next_reach_id": np.where(measured.next >= 0, reach[measured.next], None),
            "river_id": river_id,
            "river_name": river_name,
            "name": name,
            "kind": kind,
            "covered": pieces["covered"].to_numpy(dtype=bool),
            "channel": np.where(measured.side, "side", "main"),
            "length_m": length,
            "from_m": measured.from_m,
            "to_m": measured.to_m,
            "strahler": measured.strahler,
            "stem_order": measured.stem_order,
            "upstream_length_m": measured.upstream_length_m,
            "to_outlet_m": measured.to_outlet_m,
            "upstream_area_km2": area,
            "half_width_m": half_width,
            "direction_basis": directed.basis,
            "direction_confidence": directed.confidence,
            "repair": pieces["repair"].to_numpy(dtype=object),
            "source_fid": pd.array(pieces["source_fid"].where(pieces["source_fid"] >= 0).to_numpy(), dtype="Int64"),
            "source_id": labels.source_id,
            "row": labels.row,
        },
        geometry=degrees.to_numpy(),
        crs=crs.STORAGE,
    )


def _returns(measured: measures.Measures) -> Any:
    """Side reaches that share the river of a main reach: arms that return to it."""
    return np.isin(measured.river, np.unique(measured.river[~measured.side]))


def _rivers(measured: measures.Measures, reach: Any, name: Any, length: Floats) -> tuple[Any, Any]:
    """Code and name of each reach's river: the code is that of its lowest main reach, the name the longest borne."""
    frame = pd.DataFrame(
        {
            "river": measured.river,
            "reach": reach,
            "name": name,
            "length": length,
            "to": measured.to_m,
            "s": measured.side,
        }
    )
    lowest = frame.sort_values(["s", "to"], ascending=[True, False]).groupby("river")["reach"].first()
    code = ("R" + lowest).loc[measured.river].to_numpy()
    named = frame[frame["name"].notna()].groupby(["river", "name"])["length"].sum().reset_index()
    longest = named.sort_values("length", ascending=False).drop_duplicates("river").set_index("river")["name"]
    return code, longest.reindex(measured.river).where(lambda n: n.notna(), None).to_numpy(dtype=object)


def _with_shoreline(reaches: gpd.GeoDataFrame, shore: gpd.GeoDataFrame | None, _geometry: str) -> gpd.GeoDataFrame:
    """The reaches, and below them the shores of lakes and reservoirs, which stand outside of the topology."""
    if shore is None or shore.empty:
        return reaches
    shore = crs.to_storage(shore)
    rows = gpd.GeoDataFrame(
        {
            "reach_id": [
                f"shore{int(a)}.{k}" for a, k in zip(shore["area_fid"], _count_up(shore["area_fid"]), strict=True)
            ],
            "river_id": [f"L{int(a)}" for a in shore["area_fid"]],
            "river_name": _texts(shore["name"]),
            "name": _texts(shore["name"]),
            "kind": "shoreline",
            "covered": False,
            "channel": "main",
            "length_m": crs.length_m(shore.geometry.to_numpy()),
            "direction_basis": "unknown",
        },
        geometry=shore.geometry.to_numpy(),
        crs=crs.STORAGE,
    )
    return gpd.GeoDataFrame(pd.concat([reaches, rows], ignore_index=True), crs=crs.STORAGE)


def _count_up(keys: pd.Series) -> list[int]:
    return (keys.groupby(keys).cumcount() + 1).tolist()


def _node_frame(
    drawn: Drawn, directed: direction.Directed, labels: _Labels, degrees: gpd.GeoSeries
) -> gpd.GeoDataFrame:
    total = len(drawn.nodes)
    into, out = np.bincount(directed.end, minlength=total), np.bincount(directed.start, minlength=total)
    kind = np.select(
        [into == 0, out == 0, out > 1, into > 1], ["source", "outlet", "bifurcation", "confluence"], "pseudo"
    )
    place = np.full((total, 2), np.nan)
    lines = degrees.to_numpy()
    place[directed.start] = shapely.get_coordinates(shapely.get_point(lines, 0))
    place[directed.end] = shapely.get_coordinates(shapely.get_point(lines, -1))
    used = (into + out) > 0
    frame = {"node_id": np.array(labels.node, dtype=object)[used], "kind": kind[used]}
    points = shapely.points(place[used])
    return gpd.GeoDataFrame(frame, geometry=points, crs=crs.STORAGE).sort_values(
        "node_id", key=lambda c: c.str[1:].astype(int), ignore_index=True
    )


def _defect_frame(
    noticed: list[NetworkDefect], drawn: Drawn, labels: _Labels, metric: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Defects with the reach each one lies on: a piece of the line it names, else the nearest."""
    at = np.array([d.at for d in noticed], dtype=object)
    columns = ("code", "severity", "measure", "unit", "proposal", "done", "source_fid")
    frame = pd.DataFrame([[getattr(d, c) for c in columns] for d in noticed], columns=list(columns))
    frame["source_fid"] = pd.array(frame["source_fid"], dtype="Int64")
    frame["measure"] = frame["measure"].astype(float)
    frame.insert(2, "reach_id", _reaches_of(noticed, at, drawn, labels))
    points = crs.to_storage(gpd.GeoSeries(at, crs=metric.crs)) if len(at) else gpd.GeoSeries([], crs=crs.STORAGE)
    return gpd.GeoDataFrame(frame, geometry=points.to_numpy(), crs=crs.STORAGE)


def _reaches_of(noticed: list[NetworkDefect], at: Any, drawn: Drawn, labels: _Labels) -> list[str | None]:
    lines = drawn.pieces.geometry.to_numpy()
    own = pd.Series(np.arange(len(lines))).groupby(drawn.pieces["source_fid"].to_numpy()).indices
    usable = np.flatnonzero(~shapely.is_missing(at) & ~shapely.is_empty(at)) if len(at) else []
    nearest = dict(zip(usable, shapely.STRtree(lines).nearest(at[usable]), strict=True)) if len(usable) else {}
    out: list[str | None] = []
    for k, defect in enumerate(noticed):
        among = own.get(defect.source_fid) if defect.source_fid is not None else None
        if among is not None and k in nearest:
            chosen = int(among[np.argmin(shapely.distance(lines[among], at[k]))])
        elif among is not None:
            chosen = int(among[0])
        else:
            chosen = int(nearest.get(k, -1))
        out.append(labels.reach[chosen] if chosen >= 0 else None)
    return out


def _figures(
    reaches: gpd.GeoDataFrame,
    nodes: gpd.GeoDataFrame,
    defects: gpd.GeoDataFrame,
    directed: direction.Directed,
    lines: gpd.GeoDataFrame,
) -> dict[str, Any]:
    inner = reaches[reaches["kind"] != "shoreline"]
    return {
        "lines": len(lines),
        "reaches": len(inner),
        "shoreline_reaches": len(reaches) - len(inner),
        "nodes": len(nodes),
        "node_kinds": {str(k): int(v) for k, v in nodes["kind"].value_counts().items()},
        "rivers": int(inner["river_id"].nunique()),
        "length_m": round(float(inner["length_m"].sum()), 1),
        "drawn_downstream": round(directed.drawn_downstream, 3),
        "turned": int(directed.turned.sum()),
        "direction_basis": {str(k): int(v) for k, v in inner["direction_basis"].value_counts().items()},
        "direction_guessed": int((defects["code"] == "direction_guessed").sum()),
        "defects": {str(k): int(v) for k, v in defects["code"].value_counts().items()},
    }
