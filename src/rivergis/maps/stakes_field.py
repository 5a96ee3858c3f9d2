"""Stakes for the field (外业放样): a drawing for CAD and total stations, and waypoints for hand-held receivers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ezdxf
import geopandas as gpd
from ezdxf.lldxf.const import DXFError

from rivergis import crs, words
from rivergis.errors import EnvironmentFault, legible
from rivergis.lifecycle import DRAFT_MARK

GPX = "http://www.topografix.com/GPX/1/1"
DATUM_SAID = (
    "CGCS2000 经纬度按 WGS 84 写出,两者相差不足 1 米(板块运动),手持机可用,不可用于放样。 "
    "CGCS2000 degrees are written as WGS 84; they differ by less than a metre (plate motion): good for a hand-held receiver, not for setting out."
)
DRAFT_SAID = f"{DRAFT_MARK} draft, no survey result"
_APPLICATION = "RIVERGIS"
_TEXT_M = 2.0
_COLOURS = {"base": 1, "dense": 5, "virtual": 8, "moved": 6}  # AutoCAD colour index
_SYMBOLS = {"base": "Flag, Red", "dense": "Flag, Blue", "virtual": "Flag, Green", "moved": "Pin, Red"}


def write_gpx(stakes: gpd.GeoDataFrame, boards: gpd.GeoDataFrame, out: Path, *, draft: bool) -> None:
    """Waypoints (GPX 1.1, degrees WGS 84) of stakes and boards, and a route along the stakes of each bank."""
    ElementTree.register_namespace("", GPX)
    root = ElementTree.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "rivergis"})
    about = ElementTree.SubElement(root, f"{{{GPX}}}metadata")
    _child(about, "name", words.both("stake.title"))
    _child(about, "desc", f"{DRAFT_SAID} · {DATUM_SAID}" if draft else DATUM_SAID)
    places = crs.to_storage(stakes)
    for row in places.itertuples():
        desc = f"{words.both(f'bank.{row.bank}')} {row.chainage} {words.both(f'choice.kind.{row.kind}')}"
        _waypoint(root, "wpt", row.geom, row.code, desc, _SYMBOLS.get(row.kind, "Flag"), row.height_m)
    for row in crs.to_storage(boards).itertuples() if len(boards) else ():
        _waypoint(root, "wpt", row.geom, row.code, f"{row.title} {row.place_name or ''}".strip(), "Information", None)
    for (river, bank), some in places.groupby(["river", "bank"], sort=False):
        route = ElementTree.SubElement(root, f"{{{GPX}}}rte")
        _child(route, "name", f"{river} {words.both(f'bank.{bank}')}")
        for row in some.itertuples():
            _waypoint(route, "rtept", row.geom, row.code, None, None, row.height_m)
    ElementTree.indent(root, " ")
    _whole(out, ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _waypoint(
    root: Any, tag: str, point: Any, name: str, desc: str | None, symbol: str | None, height: float | None
) -> None:
    """A point with its parts in the order of the schema: ele, name, desc, sym."""
    made = ElementTree.SubElement(root, f"{{{GPX}}}{tag}", {"lat": f"{point.y:.8f}", "lon": f"{point.x:.8f}"})
    if height is not None and height == height:
        _child(made, "ele", f"{height:.2f}")
    _child(made, "name", name)
    if desc:
        _child(made, "desc", desc)
    if symbol:
        _child(made, "sym", symbol)


def _child(parent: Any, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{GPX}}}{tag}").text = legible(text)


def _whole(out: Path, content: bytes) -> None:
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(f"{out} cannot be written ({error.strerror}): choose another place.") from error


def write_dxf(
    stakes: gpd.GeoDataFrame, boards: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, out: Path, *, about: Sequence[str]
) -> None:
    """A drawing in metres (x = east, y = north): lines, stakes by bank with their numbers, boards, and what it is about below.

    Release 2000 with code page 936, which every Chinese CAD reads. Attributes stand as ``name=value`` under RIVERGIS.
    """
    doc = ezdxf.new("R2000", setup=False)
    doc.encoding = "gbk"
    doc.appids.add(_APPLICATION)
    doc.styles.add("HZ", font="simsun.ttf")
    doc.header["$INSUNITS"] = 6
    drawing = _Drawing(doc)
    for row in lines.itertuples():
        drawing.line(row.geom, f"界线_{_bank(row.bank)}", row.line_type)
    for row in stakes.itertuples():
        told = {
            k: getattr(row, k) for k in ("code", "kind", "bank", "chainage", "reason", "status", "county", "height_m")
        }
        drawing.point(row.geom, f"界桩_{_bank(row.bank)}", row.code, _COLOURS.get(row.kind, 7), told)
    for row in boards.itertuples():
        told = {k: getattr(row, k) for k in ("code", "bank", "chainage", "place", "place_name", "title")}
        drawing.point(row.geom, "公告牌", row.code, 3, told)
    west, south = lines.total_bounds[:2]
    for n, text in enumerate(about):
        drawing.text(text, west, south - (n + 3) * 1.6 * _TEXT_M, "说明")
    try:
        doc.saveas(out)
    except (DXFError, OSError) as error:
        raise EnvironmentFault(f"{out.name} cannot be written ({error}).") from error


def _bank(code: str) -> str:
    return words.say(f"bank.{code}")


class _Drawing:
    """A drawing while it is filled."""

    def __init__(self, doc: Any) -> None:
        self.doc, self.space = doc, doc.modelspace()

    def _look(self, layer: str, colour: int = 256) -> dict[str, Any]:
        if layer not in self.doc.layers:
            self.doc.layers.add(layer, color=7)
        return {"layer": layer, "color": colour}

    def line(self, shape: Any, layer: str, kind: str) -> None:
        entity = self.space.add_lwpolyline(list(shape.coords), dxfattribs=self._look(layer))
        entity.set_xdata(_APPLICATION, [(1000, f"line_type={kind}")])

    def point(self, shape: Any, layer: str, code: str, colour: int, told: dict[str, Any]) -> None:
        entity = self.space.add_point((shape.x, shape.y), dxfattribs=self._look(layer, colour))
        said = [(1000, f"{k}={legible(str(v))}"[:120]) for k, v in told.items() if v is not None and v == v]
        entity.set_xdata(_APPLICATION, said)
        self.space.add_circle((shape.x, shape.y), 0.5, dxfattribs=self._look(layer, colour))
        self.text(code, shape.x + 1.0, shape.y + 1.0, f"{layer}_编号")

    def text(self, text: str, x: float, y: float, layer: str) -> None:
        look = {**self._look(layer), "style": "HZ"}
        self.space.add_text(legible(text)[:250], height=_TEXT_M, dxfattribs=look).set_placement((x, y))
