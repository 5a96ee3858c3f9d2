"""Left and right bank lines (左岸线, 右岸线) of reaches: given ones attached, missing ones taken from water areas.

A bank line comes drawn in any direction, in pieces, with both banks in one line, and its bank attribute may be wrong. The
bank is told from the directed reach, looking downstream; where that direction is a guess, ``bank_certain`` is False.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, geometry
from rivergis.errors import InputError
from rivergis.river.alongside import Beside, Run
from rivergis.river.chainage import Axis

_TOLD = {
    **dict.fromkeys(("left", "l", "左", "左岸"), "left"),
    **dict.fromkeys(("right", "r", "右", "右岸"), "right"),
}
_BANKS = {1: "left", -1: "right", 0: None}
COLUMNS = (
    "line",
    "part",
    "piece",
    "reach_id",
    "river_id",
    "bank",
    "bank_certain",
    "from_m",
    "to_m",
    "mean_offset_m",
    "largest_offset_m",
    "length_m",
    "declared",
)
DEFECTS = ("code", "severity", "line", "reach_id", "measure", "unit", "proposal", "done")


def attach(
    lines: gpd.GeoDataFrame,
    reaches: gpd.GeoDataFrame,
    *,
    max_offset_m: float,
    step_m: float,
    min_confidence: float,
    bank_column: str | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Which reach and which bank each metre of the given bank lines belongs to, and what is wrong with them.

    ``lines``: (Multi)LineString, ``reaches``: LineString with ``reach_id``, first vertex upstream, both in degrees
    (EPSG:4490); optional columns of reaches: ``river_id``, ``half_width_m``, ``from_m``, ``to_m`` (chainage along the river,
    else counted from 0 on the reach), ``kind`` ('shoreline' is no axis), ``direction_confidence`` (1). Looked at every
    ``step_m``; a piece farther than ``max_offset_m`` beyond the half width is kept without reach.

    First frame: the pieces, digitised downstream, columns ``COLUMNS``: ``line`` (index label of the line), ``part`` 'bank',
    ``piece`` (1, 2, ... along the line as drawn), ``bank`` null on the axis itself, ``declared`` what ``bank_column``
    says ('left', 'right' or null). Second frame: ``DEFECTS`` with Point: ``bank_disagrees`` (measure: metres), ``bank_unread``,
    ``bank_crosses_axis``, ``bank_crosses_tributary``, ``bank_far``, ``bank_on_axis``.
    """
    beside = Beside(_axes(reaches), max_offset_m=max_offset_m, step_m=step_m)
    rows: list[dict[str, Any]] = []
    defects: list[dict[str, Any]] = []
    said = lines[bank_column] if bank_column else pd.Series(None, index=lines.index, dtype=object)
    for name, shape, told in zip(lines.index, lines.geometry, said, strict=True):
        declared = _declared(told)
        mine: list[dict[str, Any]] = []
        for line in geometry.lines_of(shape):
            parts = [("bank", run) for run in beside.runs(line)]
            pieces = _pieces(beside, parts, name, min_confidence, len(mine) + 1)
            defects += _crossings(beside, line, pieces)
            mine += pieces
        for row in mine:
            row["declared"] = declared
            defects += _doubts(row, told)
        rows += mine
    return _pieces_frame(rows), _defects_frame(defects)


def from_water(
    areas: gpd.GeoDataFrame, reaches: gpd.GeoDataFrame, *, max_offset_m: float, step_m: float, min_confidence: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Bank lines where none are given: the rim of the water areas, cut into left and right by the reaches in them.

    ``areas``: (Multi)Polygon in degrees; areas that touch are taken as one water. Frames as ``attach`` gives them, with
    ``part``: 'bank', 'island' (the rim of an island) or 'end' (where the area is cut off across the river, or reaches beyond
    the end of its axis); these are no banks of the river: ``bank`` is null. ``line`` counts the waters. Defects:
    ``water_without_axis``, ``bank_far``.
    """
    axes = _axes(reaches)
    rows: list[dict[str, Any]] = []
    defects: list[dict[str, Any]] = []
    waters = shapely.get_parts(geometry.polygons_of(shapely.union_all(shapely.make_valid(areas.geometry.to_numpy()))))
    reach, water = shapely.STRtree(waters).query(axes.geometry.to_numpy(), predicate="intersects")
    for number, shape in enumerate(waters):
        inside = axes.iloc[np.unique(reach[water == number])]
        if inside.empty:
            defects.append(_without_axis(number, shape))
            continue
        # what runs outside this water has no bank on its rim
        beside = Beside(inside.reset_index(drop=True), max_offset_m=max_offset_m, step_m=step_m)
        mine = _rim(beside, shape, number, min_confidence)
        defects += [d for row in mine if row["part"] == "bank" for d in _doubts(row, None)]
        rows += mine
    return _pieces_frame(rows), _defects_frame(defects)


def _rim(beside: Beside, water: shapely.Polygon, number: int, min_confidence: float) -> list[dict[str, Any]]:
    """Rows of the rim of one water: banks, ends, islands."""
    runs = beside.runs(shapely.LineString(water.exterior.coords))
    parts = [
        part
        for before, run, after in zip(runs[-1:] + runs[:-1], runs, runs[1:] + runs[:1], strict=True)
        for part in _ends_apart(beside, before, run, after)
    ]
    for ring in water.interiors:
        parts += [("island", run) for run in beside.runs(shapely.LineString(ring.coords))]
    rows = _pieces(beside, parts, number, min_confidence, 1)
    return [row if row["part"] == "bank" else {**row, "bank": None, "bank_certain": False} for row in rows]


def _axes(reaches: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The reaches that have a left and a right."""
    if "reach_id" not in reaches:
        raise InputError("The reaches have no reach_id: give the layer reaches of a built network.")
    axes = reaches[reaches["kind"] != "shoreline"] if "kind" in reaches else reaches
    return axes.reset_index(drop=True)


def _declared(told: Any) -> str | None:
    return _TOLD.get(str(told).strip().lower())


def _pieces(
    beside: Beside, parts: Iterable[tuple[str, Run]], name: Any, min_confidence: float, first: int
) -> list[dict[str, Any]]:
    """Rows of runs, measured on their own reach."""
    rows = []
    for piece, (part, run) in enumerate(parts, first):
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {"line": name, "part": part, "piece": piece, "length_m": crs.length_m(run.line), "bank_certain": False}
        row |= {"geometry": run.line, "drawn": run.line}
        if run.reach >= 0:
            row |= _measured(beside, run, min_confidence)
        rows.append(row)
    return rows


def _measured(beside: Beside, run: Run, min_confidence: float) -> dict[str, Any]:
    reach = beside.reaches.iloc[run.reach]
    at, along, offset = _course(beside, run)
    axis = beside.axis(run.reach)
    start, scale = _chainage_of(reach, axis.length_m)
    weight = np.gradient(at) if len(at) > 1 else np.ones(len(at))
    sure = reach.get("direction_confidence", 1.0)
    return {
        "reach_id": reach["reach_id"],
        "river_id": reach.get("river_id"),
        "bank": _BANKS[run.side],
        "bank_certain": bool(run.side != 0 and pd.notna(sure) and sure >= min_confidence),
        "from_m": start + scale * float(along.min()),
        "to_m": start + scale * float(along.max()),
        "mean_offset_m": float(np.average(np.abs(offset), weights=weight)),
        "largest_offset_m": float(np.abs(offset).max()),
        "geometry": run.line.reverse() if along[-1] < along[0] else run.line,
    }


def _course(beside: Beside, run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along a run every few metres: its own length so far, place on the reach, offset."""
    own = Axis(run.line)
    at = np.unique(np.r_[np.linspace(0, own.length_m, int(np.ceil(own.length_m / beside.step_m)) + 1), own.vertices_m])
    along, offset = beside.axis(run.reach).locate_arrays(own.points_at(at))
    return at, along, offset


def _chainage_of(reach: pd.Series, length_m: float) -> tuple[float, float]:
    """Chainage of the upstream end along the river, and metres of it per metre of reach."""
    start, end = reach.get("from_m"), reach.get("to_m")
    if pd.isna(start) or pd.isna(end):
        return 0.0, 1.0
    return float(start), (float(end) - float(start)) / length_m


def _ends_apart(beside: Beside, before: Run, run: Run, after: Run) -> list[tuple[str, Run]]:
    """A run of a rim without the parts that lead across the river to the other bank, and those parts."""
    if run.reach < 0:
        return [("bank", run)]
    at, along, offset = _course(beside, run)
    across = np.abs(np.diff(np.abs(offset))) > np.abs(np.diff(along))
    first = int(np.argmin(across)) if _other_bank(beside, before, run) else 0
    last = len(across) - (int(np.argmin(across[::-1])) if _other_bank(beside, run, after) else 0)
    if across.all() and (_other_bank(beside, before, run) or _other_bank(beside, run, after)):
        return [("end", run)]
    stops = [(0, first, "end"), (first, last, "bank"), (last, len(at) - 1, "end")]
    whole = Axis(run.line)
    pieces = [(what, float(at[a]), float(at[b])) for a, b, what in stops]
    return [(what, Run(run.reach, run.side, whole.stretch(a, b))) for what, a, b in pieces if b - a > 0.01]


def _other_bank(beside: Beside, one: Run, two: Run) -> bool:
    """Whether the rim changes from one bank of a river to the other between two runs."""
    return (
        min(one.reach, two.reach) >= 0 and one.side == -two.side and beside.river[one.reach] == beside.river[two.reach]
    )


def _doubts(row: dict[str, Any], told: Any) -> list[dict[str, Any]]:
    """What is wrong with one piece on its own."""
    middle = row["drawn"].interpolate(0.5, normalized=True)
    length = round(row["length_m"], 1)
    if row["reach_id"] is None:
        return [
            _defect(
                "bank_far", "warning", row, middle, length, "No reach is near: draw the axis, or leave the piece out."
            )
        ]
    found = []
    if row["bank"] is None:
        found.append(
            _defect("bank_on_axis", "warning", row, middle, length, "The line runs on the axis: it is no bank line.")
        )
    if row["declared"] and row["bank"] and row["declared"] != row["bank"]:
        also = "" if row["bank_certain"] else ", or turn the reach: its direction is a guess"
        sentence = f"Told {row['declared']}, lies on the {row['bank']} bank: correct the attribute{also}."
        found.append(_defect("bank_disagrees", "warning", row, middle, length, sentence))
    elif row["declared"] is None and pd.notna(told) and str(told).strip():
        sentence = f"The attribute {str(told)[:40]!r} is neither left nor right; the bank was told from the reach."
        found.append(_defect("bank_unread", "info", row, middle, length, sentence, done=True))
    return found


def _crossings(beside: Beside, line: shapely.LineString, pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where a bank line crosses a reach: its own, or a tributary whose mouth it bridges."""
    found = []
    for point, reach in beside.crossings(line):
        at = line.project(point)
        around = [p for p in pieces if abs(p["drawn"].distance(point)) < 1e-7]
        row = {"line": pieces[0]["line"] if pieces else None, "reach_id": beside.reaches["reach_id"].iloc[reach]}
        inner = 0 < at < line.length
        if inner and len({p["bank"] for p in around}) > 1:
            sentence = "The bank line crosses the axis: correct line or axis; it was cut here into left and right."
            found.append(_defect("bank_crosses_axis", "warning", row, point, None, sentence, done=True))
        elif inner:
            sentence = (
                "The bank line goes on across this reach, as over the mouth of a tributary; it was left with its river."
            )
            found.append(_defect("bank_crosses_tributary", "info", row, point, None, sentence, done=True))
    return found


def _without_axis(number: int, water: shapely.Polygon) -> dict[str, Any]:
    row = {"line": number, "reach_id": None}
    sentence = "No reach runs through this water: it has no left and right; draw an axis if it is part of a river."
    area = round(crs.area_m2(water))
    return {**_defect("water_without_axis", "info", row, water.representative_point(), area, sentence), "unit": "m2"}


def _defect(
    code: str,
    severity: str,
    row: dict[str, Any],
    at: shapely.Point,
    metres: float | None,
    proposal: str,
    done: bool = False,
) -> dict[str, Any]:
    unit = None if metres is None else "m"
    out = {"code": code, "severity": severity, "line": row["line"], "reach_id": row["reach_id"], "measure": metres}
    return {**out, "unit": unit, "proposal": proposal, "done": done, "geometry": at}


def _pieces_frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows, columns=[*COLUMNS, "geometry"])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=crs.STORAGE)


def _defects_frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=[*DEFECTS, "geometry"]), geometry="geometry", crs=crs.STORAGE)
