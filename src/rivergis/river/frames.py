"""The frames of a built network: reaches, nodes and defects in EPSG:4490, with codes that stay the same in the next build."""

from __future__ import annotations

from collections import Counter
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.river import direction, measures
from rivergis.river.drawn import Drawn, Floats, NetworkDefect

REACH_COLUMNS = (
    "reach_id",
    "from_node",
    "to_node",
    "next_reach_id",
    "river_id",
    "river_name",
    "name",
    "kind",
    "covered",
    "channel",
    "length_m",
    "from_m",
    "to_m",
    "strahler",
    "stem_order",
    "upstream_length_m",
    "to_outlet_m",
    "upstream_area_km2",
    "half_width_m",
    "direction_basis",
    "direction_confidence",
    "repair",
    "source_fid",
    "source_id",
)


def texts(column: pd.Series) -> Any:
    """Text or None."""
    return np.array([None if pd.isna(v) or v == "" else str(v) for v in column], dtype=object)


class Labels:
    """Codes that stay the same when the lines, or most of them, are built again.

    Reaches: the source's own code, with .1, .2 for the pieces of a cut line. Nodes: their position, so that a line more in the
    file renames nothing elsewhere. ``lonlat``: (n, 2) positions of the nodes in degrees.
    """

    def __init__(self, drawn: Drawn, lines: gpd.GeoDataFrame, source_id: pd.Series | None, lonlat: Floats) -> None:
        self.node = _positions(lonlat)
        self.defects: list[NetworkDefect] = []
        fids = drawn.pieces["source_fid"].to_numpy()
        self.row = pd.Series(np.arange(len(lines)), index=lines["source_fid"].to_numpy()).reindex(fids).to_numpy()
        given = [None if np.isnan(r) or source_id is None else source_id.iloc[int(r)] for r in self.row]
        self.source_id = [None if pd.isna(v) else _plain(v) for v in given]
        stems = [
            f"made_{self.node[node]}" if fid < 0 else (own if own is not None else f"f{fid}")
            for fid, own, node in zip(fids, self.source_id, drawn.start, strict=True)
        ]
        self._doubles(drawn, source_id, lines)
        self.reach = self._numbered(stems, drawn)

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
            out[i] = stem = stems[i]
            while out[i] in total and total[stem] > 1:  # a code of the source may itself end in .1
                seen[stem] += 1
                out[i] = f"{stem}.{seen[stem]}"
        return out


def _positions(lonlat: Floats) -> list[str]:
    """Positions as codes, E106.020000N29.410000; a second node within the last digit gets .2."""
    seen: Counter[str] = Counter()
    out = [""] * len(lonlat)
    for i in np.lexsort((lonlat[:, 1], lonlat[:, 0])).tolist():
        lon, lat = lonlat[i]
        code = f"{'E' if lon >= 0 else 'W'}{abs(lon):.6f}{'N' if lat >= 0 else 'S'}{abs(lat):.6f}"
        seen[code] += 1
        out[i] = code if seen[code] == 1 else f"{code}.{seen[code]}"
    return out


def _plain(value: Any) -> str:
    """A code as people write it: 12, not 12.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def reach_frame(
    lines: gpd.GeoDataFrame,
    drawn: Drawn,
    directed: direction.Directed,
    measured: measures.Measures,
    labels: Labels,
    degrees: gpd.GeoSeries,
    length: Floats,
    half_width: Floats,
    area: Floats,
) -> gpd.GeoDataFrame:
    pieces = drawn.pieces
    reach, node = np.array(labels.reach, dtype=object), np.array(labels.node, dtype=object)
    name = texts(pieces["name"])
    river_id, river_name = _rivers(measured, reach, name, length)
    kind = np.where(
        measured.side & np.isin(pieces["kind"], ["river", "stream"]) & _returns(measured), "braid", pieces["kind"]
    )
    return gpd.GeoDataFrame(
        {
            "reach_id": reach,
            "from_node": node[directed.start],
            "to_node": node[directed.end],
            "next_reach_id": _or_none(reach[measured.next], measured.next >= 0),
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
            # rounded down: a line far away changes the last digits of all, and no figure may claim more than is known
            "direction_confidence": np.floor(directed.confidence * 100 + 1e-9) / 100,
            "repair": pieces["repair"].to_numpy(dtype=object),
            "source_fid": pd.array(pieces["source_fid"].where(pieces["source_fid"] >= 0).to_numpy(), dtype="Int64"),
            "source_id": labels.source_id,
            **_source_columns(lines, labels),
        },
        geometry=degrees.to_numpy(),
        crs=crs.STORAGE,
    )


def _source_columns(lines: gpd.GeoDataFrame, labels: Labels) -> dict[str, Any]:
    """The source's attributes of each piece; nothing for what the build made."""
    own = lines[[c for c in lines.columns if str(c).startswith("src_")]].reset_index(drop=True)
    return {str(c): own[c].reindex(labels.row).array for c in own}


def _or_none(values: Any, there: Any) -> Any:
    out = values.copy()
    out[~there] = None
    return out


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


def with_shoreline(reaches: gpd.GeoDataFrame, shore: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
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
            "river_name": texts(shore["name"]),
            "name": texts(shore["name"]),
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


def node_frame(drawn: Drawn, directed: direction.Directed, labels: Labels, degrees: gpd.GeoSeries) -> gpd.GeoDataFrame:
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
    return gpd.GeoDataFrame(frame, geometry=points, crs=crs.STORAGE).sort_values("node_id", ignore_index=True)


def defect_frame(
    noticed: list[NetworkDefect], drawn: Drawn, labels: Labels, metric: gpd.GeoDataFrame
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


def _reaches_of(noticed: list[NetworkDefect], at: Any, drawn: Drawn, labels: Labels) -> list[str | None]:
    lines = drawn.pieces.geometry.to_numpy()
    own = pd.Series(np.arange(len(lines))).groupby(drawn.pieces["source_fid"].to_numpy()).indices
    usable = np.flatnonzero(~shapely.is_missing(at) & ~shapely.is_empty(at))
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


def figures(
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
        "turned": int((defects["code"] == "direction_turned").sum()),
        "direction_basis": {str(k): int(v) for k, v in inner["direction_basis"].value_counts().items()},
        "direction_guessed": int((defects["code"] == "direction_guessed").sum()),
        "defects": {str(k): int(v) for k, v in defects["code"].value_counts().items()},
    }
