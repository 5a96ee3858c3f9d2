"""The page of the line doctor (界线体检报告): map, every defect with place and proposed repair, what was not asked, the rules used.

One file that opens without network: Leaflet and the script stand in it and are named in its policy by hash; what the files said comes in
as data and as text only. Drawn on one canvas, listed in blocks that a browser lays out when they come into sight: thousands are no matter.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

import rivergis
from rivergis import crs, words
from rivergis.boundary.doctor.case import BLOCKS, Case, Defect
from rivergis.boundary.repair import files as repair_files
from rivergis.boundary.repair.case import Repair
from rivergis.maps import assets
from rivergis.maps.atlas import content_security_policy
from rivergis.reports import morning

LAYERS = (
    ("lines", "#16303a", True), ("reaches", "#1f6fb2", True), ("areas", "#7aa7b8", False), ("water", "#5b9bd5", True),
    ("levees", "#8a6d3b", True), ("counties", "#7a6a8a", True), ("former", "#9aa3a8", False),
)  # fmt: skip
_SIMPLER_M = 1.0  # vertices that a screen does not show are left out
_FAR_M = 20_000.0  # beyond the reaches: a vertex thrown away is told, not drawn
_DIGITS = 6
_SHOWN = 12  # features named in one row
_LONGEST = 160  # characters of a value of a rule


def page(told: Mapping[str, Any], case: Case, defects: Sequence[Defect], proposals: Sequence[Repair]) -> str:
    """HTML of a report: ``told`` as ``doctor_report.report`` gives it, with its case, defects and proposals in the same order.

    Frames in the metric system of the case; the page draws EPSG:4490 degrees.
    """
    order = sorted(range(len(defects)), key=lambda i: (defects[i].severity != BLOCKS, i))
    rows = [_row(no, told["defects"][i]) for no, i in enumerate(order, 1)]
    by_defect = {p.defect: p for p in proposals}
    drawing = _Drawing(case)
    shapes = [drawing.proposed(by_defect.get(i)) for i in order]
    present = [x for x in LAYERS if _frame(case, x[0]) is not None]
    rules = [{**r, "shown": _value(r)} for r in told["rules"]]
    html = morning.environment().get_template("boundary_check.html").render(
        made_at=datetime.now(UTC).astimezone(morning.SHANGHAI).strftime("%Y-%m-%d %H:%M"),
        version=rivergis.__version__,
        files=told["files"],
        tiles=_tiles(told, len(proposals)),
        rows=rows,
        codes=_codes(told["defects"]),
        layers=present,
        not_checked=told["not_checked"],
        rules=sorted(rules, key=lambda r: (r["status"] == "confirmed", r["key"])),
        unsure=sum(r["status"] != "confirmed" for r in rules),
        limits=[(k, _plain(v)) for k, v in told["params"].items()],
        icon=assets.data_uri(assets.ICON),
        leaflet_css=assets.inline_css("leaflet/leaflet.css"),
        leaflet_js=assets.inline_js("leaflet/leaflet.js"),
        own_js=assets.inline_js("page/boundary_check.js"),
    )  # fmt: skip
    data = {
        "box": drawing.box(),
        "layers": {n: drawing.layer(n) for n, _, _ in present},
        "defects": [_dot(r, s) for r, s in zip(rows, shapes, strict=True)],
    }
    # what the files say comes in last, so that no policy and no template is asked of it
    policed = html.replace("@policy@", content_security_policy(html), 1)
    head, _, tail = policed.rpartition("@data@")
    return head + _embedded(data) + tail


def _embedded(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _tiles(told: Mapping[str, Any], proposed: int) -> list[tuple[str, int, str]]:
    n = told["counts"]
    return [
        ("blocks", n["blocks"], "new"), ("advises", n["advises"], ""), ("proposed", proposed, ""), ("reaches", n["reaches"], ""),
        ("lines", n["lines"], ""), ("areas", n["areas"], ""), ("stakes", n["stakes"], ""),
    ]  # fmt: skip


def _codes(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int, int]]:
    """(code, severity, count, with a proposal), what blocks first."""
    severity = {r["code"]: r["severity"] for r in rows}
    count, fixed = Counter(r["code"] for r in rows), Counter(r["code"] for r in rows if "repair" in r)
    return [
        (c, severity[c], n, fixed[c])
        for c, n in sorted(count.items(), key=lambda x: (severity[x[0]] != BLOCKS, -x[1], x[0]))
    ]


def _row(no: int, d: Mapping[str, Any]) -> dict[str, Any]:
    names = [str(f) for f in d["features"]]
    more = [f"… +{len(names) - _SHOWN}"] if len(names) > _SHOWN else []
    placed = d["lon"] is not None and np.isfinite(d["lon"]) and abs(d["lat"]) <= 90
    return {
        **d,
        "no": no,
        "features": names[:_SHOWN] + more,
        "placed": placed,
        "where": f"{d['lon']:.6f}, {d['lat']:.6f}" if placed else "",
        "measured": "" if d["measure"] is None else f"{d['measure']:,.2f}".rstrip("0").rstrip("."),
        "also": "、".join(words.say(f"boundary_check.code.{c}") for c in d["consequences"]),
    }


def _dot(row: Mapping[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    """One defect as the map takes it."""
    repair = row.get("repair")
    out = {
        "code": row["code"], "severity": row["severity"], "blocks": row["severity"] == BLOCKS,
        "name": words.say(f"boundary_check.code.{row['code']}"), "zh": row["zh"], "en": row["sentence"],
        "at": [row["lon"], row["lat"]] if row["placed"] else None,
        "find": " ".join(str(v) for v in (row["reach_id"], row["bank"], *row["features"], row["zh"], row["sentence"])).lower(),
    }  # fmt: skip
    return out if repair is None else {**out, "repair": {"zh": repair["zh"], "en": repair["sentence"], **shapes}}


# ---- what is drawn --------------------------------------------------------------------------------------------------


def _frame(case: Case, layer: str) -> gpd.GeoDataFrame | None:
    frame: gpd.GeoDataFrame | None = getattr(case, layer)
    return frame if frame is not None and len(frame) else None


class _Drawing:
    """Shapes of a case in metres as the map takes them: in degrees, near the reaches, without what no screen shows."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.move = crs.into_storage(CRS(case.lines.crs))
        self.west, self.south, self.east, self.north = case.reaches.total_bounds + np.array(
            [-_FAR_M, -_FAR_M, _FAR_M, _FAR_M]
        )

    def layer(self, name: str) -> list[Any]:
        """Lines of a layer, areas by their outlines."""
        frame = _frame(self.case, name)
        return [] if frame is None else self.degrees(shapely.get_parts(frame.geometry.to_numpy()), _SIMPLER_M)

    def degrees(self, parts: Any, simpler_m: float) -> list[Any]:
        """Positions of lines and rings, rounded."""
        rings = [q for p in parts if p is not None for q in (shapely.get_rings(p) if p.geom_type == "Polygon" else [p])]
        lines = [line for q in rings if q.geom_type in ("LineString", "LinearRing") for line in self._near(q)]
        if not lines:
            return []
        thin = shapely.simplify(np.array(lines, dtype=object), simpler_m)
        moved = shapely.transform(thin, self.move)
        xy, of = shapely.get_coordinates(moved, return_index=True)
        cuts = np.flatnonzero(np.diff(of)) + 1
        return [line.tolist() for line in np.split(np.round(xy, _DIGITS), cuts)]

    def _near(self, line: Any) -> list[Any]:
        """A line without the vertices that are no positions or lie far from every reach, in the pieces that are left."""
        xy = shapely.get_coordinates(line)
        with np.errstate(invalid="ignore"):
            fine = (xy[:, 0] > self.west) & (xy[:, 0] < self.east) & (xy[:, 1] > self.south) & (xy[:, 1] < self.north)
        if fine.all():
            return [shapely.LineString(xy)]
        kept = np.flatnonzero(fine)
        return [shapely.LineString(xy[r]) for r in np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1) if len(r) > 1]

    def proposed(self, proposal: Repair | None) -> dict[str, Any]:
        """Shapes of a proposal before and after, cut to what changes."""
        if proposal is None or proposal.kind == "attributes":
            return {}
        before, after = repair_files.shapes(self.case, proposal)
        if after is not None and after.geom_type == "MultiPoint":
            return {"points": np.round(shapely.get_coordinates(shapely.transform(after, self.move)), 7).tolist()}
        return {
            "before": self.degrees(_changed(before, after), 0.0),
            "after": self.degrees(_changed(after, before), 0.0),
        }

    def box(self) -> list[float]:
        """First view: all reaches."""
        degrees = shapely.transform(self.case.reaches.geometry.to_numpy(), self.move)
        return [round(float(v), 6) for v in shapely.total_bounds(degrees)]


def _changed(shape: Any, other: Any) -> list[Any]:
    """The edges of lines that the other does not have."""
    if shape is None:
        return []
    if other is None:
        return list(shapely.get_parts(shape))
    known = {edge for line in shapely.get_parts(other) for edge in _edges(line)}
    out: list[Any] = []
    for line in shapely.get_parts(shape):
        xy, fresh = shapely.get_coordinates(line), [edge not in known for edge in _edges(line)]
        runs = np.split(np.flatnonzero(fresh), np.flatnonzero(np.diff(np.flatnonzero(fresh)) > 1) + 1)
        out += [shapely.LineString(xy[r[0] : r[-1] + 2]) for r in runs if len(r)]
    return out


def _edges(line: Any) -> list[tuple[tuple[float, ...], ...]]:
    """Edges of a line to the millimetre, in either direction the same."""
    xy = [tuple(p) for p in np.round(shapely.get_coordinates(line), 3).tolist()]
    return [tuple(sorted(pair)) for pair in itertools.pairwise(xy)]


# ---- rules and limits -----------------------------------------------------------------------------------------------


def _value(rule: Mapping[str, Any]) -> str:
    """What a rule says; a table of codes is read in the rule file, not here."""
    unit = rule.get("unit")
    text = f"{_plain(rule.get('value'))} {unit if unit and unit != 'none' else ''}".strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "、".join(_plain(v) for v in value)
    return "—" if value is None else str(value)
