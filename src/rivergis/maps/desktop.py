"""The QGIS project of a planner (划界工作台): the shipped one, with this database's service, and the files that lie beside it."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis import crs, words
from rivergis.maps import collections
from rivergis.settings import gis_dir

SERVICE = "rivergis"
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
Extent = tuple[float, float, float, float]
_TYPENAME = re.compile(r"typename='([a-z_]+)'")
_TILES = re.compile(r"/tiles/([a-z_,]+)/")
_SERVICE = re.compile(r"https?://[^/'&]+")
_DEFECT = ("code", "code_zh", "severity", "sentence", "reach", "bank", "from_m", "to_m", "measure", "unit", "features")


def project(files: Mapping[str, Sequence[str]], draft: str | None, extent: Extent | None, folder: Path) -> str:
    """The shipped project for one desk.

    ``files``: path of a file -> its layers; it takes the place of the file of that layer in the shipped project, written relative
    to ``folder``, and layers of files that are not there are left out. ``draft``: code that a new line belongs to at first.
    ``extent``: west, south, east, north in degrees that the project opens on.
    """
    root = ET.parse(gis_dir() / "qgis" / "rivergis.qgs").getroot()
    there = {
        layer: os.path.relpath(path, folder).replace(os.sep, "/") for path, held in files.items() for layer in held
    }
    gone = {layer_id: layer for layer_id, layer in _layers(root) if _served(layer)}
    for _, layer in _layers(root):
        source = layer.find("datasource")
        if source is None or layer.findtext("provider") != "ogr":
            continue
        _, _, name = str(source.text).partition("|layername=")
        if name in there:
            source.text = f"./{there[name]}|layername={name}"
        else:
            gone[str(layer.findtext("id"))] = layer
    _leave_out(root, gone)
    _in_tree(root)
    value = root.find("properties/Variables/variableValues/value")
    if value is not None:
        value.text = draft or ""
    if extent is not None:
        _opens_on(root, extent)
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def web_project(address: str, capabilities: frozenset[str], extent: Extent | None = None) -> str:
    """The shipped project for people without a login of the database: every collection they may see, over the service at ``address``.

    The login (``authcfg`` of the shipped project) is made once in QGIS; nothing of it stands in the file.
    """
    root = ET.parse(gis_dir() / "qgis" / "rivergis.qgs").getroot()
    seen = {name for name, found in collections.COLLECTIONS.items() if found.seen_by(capabilities)}
    gone = {i: layer for i, layer in _layers(root) if not _served(layer) or not _collections(layer) & seen}
    _leave_out(root, gone)
    for _, layer in _layers(root):
        source = layer.find("datasource")
        if source is not None:
            source.text = _narrowed(str(source.text), seen).replace(_address(str(source.text)), address.rstrip("/"))
    _in_tree(root)
    root.set("projectname", words.both("product.name"))
    title = root.find("title")
    if title is not None:
        title.text = words.both("product.name")
    for group in root.findall("layer-tree-group/layer-tree-group"):
        group.attrib.update(checked="Qt::Checked", expanded="1")
    if extent is not None:
        _opens_on(root, extent)
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def field_project(held: Mapping[str, Collection[str]], notice: str, extent: Extent | None) -> str:
    """The shipped project of a field folder, with the layers that its files hold (file -> layers); ``notice`` stands on the map."""
    root = ET.parse(gis_dir() / "qgis" / "field.qgs").getroot()
    gone = {}
    for layer_id, layer in _layers(root):
        file, _, rest = str(layer.findtext("datasource")).removeprefix("./").partition("|layername=")
        if rest not in held.get(file, ()):
            gone[layer_id] = layer
    _leave_out(root, gone)
    label = root.find("properties/TitleLabel/Label")
    if label is not None:
        label.text = notice
    if extent is not None:
        _opens_on(root, extent)
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _layers(root: ET.Element) -> list[tuple[str, ET.Element]]:
    return [(str(layer.findtext("id")), layer) for layer in root.findall("projectlayers/maplayer")]


def _served(layer: ET.Element) -> bool:
    """Whether a layer comes over the service and not out of the database or a file."""
    return layer.get("type") == "vector-tile" or layer.findtext("provider") == "OAPIF"


def _collections(layer: ET.Element) -> set[str]:
    """Collections that a layer over the service draws."""
    source = str(layer.findtext("datasource"))
    found = _TYPENAME.search(source) or _TILES.search(source)
    return set(found[1].split(",")) if found else set()


def _narrowed(source: str, seen: set[str]) -> str:
    """The address of tiles with the collections that may be seen."""
    return _TILES.sub(lambda m: f"/tiles/{','.join(c for c in m[1].split(',') if c in seen)}/", source)


def _address(source: str) -> str:
    """The service that a source names."""
    found = _SERVICE.search(source)
    return found[0] if found else ""


def _in_tree(root: ET.Element) -> None:
    """The tree of layers says what the layers say, and has no empty group."""
    for row in root.iter("layer-tree-layer"):
        row.set("source", root.findtext(f"projectlayers/maplayer[id='{row.get('id')}']/datasource") or "")
    top = root.find("layer-tree-group")
    for group in list(top) if top is not None else ():
        if group.tag == "layer-tree-group" and not group.findall("layer-tree-layer"):
            top.remove(group)  # type: ignore[union-attr]


def _leave_out(root: ET.Element, gone: Mapping[str, ET.Element]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("id") in gone or child in gone.values():
                parent.remove(child)


def _opens_on(root: ET.Element, extent: Extent) -> None:
    """The canvas and the full view, with a tenth of room round it."""
    west, south, east, north = extent
    room = 0.1 * max(east - west, north - south, 1e-3)
    sides = {"xmin": west - room, "ymin": south - room, "xmax": east + room, "ymax": north + room}
    system = root.find("projectCrs/spatialrefsys")
    view = ET.SubElement(ET.SubElement(root, "ProjectViewSettings", {"UseProjectScales": "0"}), "DefaultViewExtent")
    canvas = ET.SubElement(root, "mapcanvas", {"name": "theMapCanvas", "annotationsVisible": "1"})
    ET.SubElement(canvas, "units").text = "degrees"
    box = ET.SubElement(canvas, "extent")
    for side, degrees in sides.items():
        view.set(side, f"{degrees:.6f}")
        ET.SubElement(box, side).text = f"{degrees:.6f}"
    sheet = root.find("Layouts/Layout/LayoutItem[@id='map']")
    if sheet is not None:
        _fills(sheet, sides)
    for place in (view, ET.SubElement(canvas, "destinationsrs")):
        if system is not None:
            place.append(system)


def _fills(sheet: ET.Element, sides: Mapping[str, float]) -> None:
    """Let the map of the sheet show at least these sides, as wide as its frame is."""
    width, height = (float(n) for n in str(sheet.get("size")).split(",")[:2])
    half_x, half_y = ((sides[f"{axis}max"] - sides[f"{axis}min"]) / 2 for axis in "xy")
    half_x, half_y = max(half_x, half_y * width / height), max(half_y, half_x * height / width)
    for axis, half in (("x", half_x), ("y", half_y)):
        middle = (sides[f"{axis}max"] + sides[f"{axis}min"]) / 2
        for side, degrees in (("min", middle - half), ("max", middle + half)):
            sheet.find("Extent").set(f"{axis}{side}", f"{degrees:.6f}")  # type: ignore[union-attr]


def service(address: Any, private: bool, actor: str) -> str:
    """The libpq service file of a database by the address (URL) of its engine; without a password.

    On the private cluster it is the cluster's own login; on a shared server everybody has a login of the own name.
    """
    host = address.host or address.query.get("host")
    said = {
        "host": host if isinstance(host, str) else None,
        "port": address.port,
        "dbname": address.database,
        "user": address.username if private else actor,
        "options": f"-c rivergis.actor={actor} -c jit=off",
    }
    return f"[{SERVICE}]\n" + "".join(f"{key}={value}\n" for key, value in said.items() if value)


def starters() -> dict[str, str]:
    """Files that open the project with its service file: name -> what stands in it."""
    return {
        "open.sh": '#!/bin/sh\nhere=$(cd "$(dirname "$0")" && pwd)\nPGSERVICEFILE="$here/pg_service.conf" exec qgis "$here/rivergis.qgs"\n',
        "open.bat": '@echo off\r\nset "PGSERVICEFILE=%~dp0pg_service.conf"\r\nstart "" "%~dp0rivergis.qgs"\r\n',
    }


def defects(report: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """Defects of a report of the line doctor (界线体检) as points, EPSG:4490; those without a place are left out."""
    placed = [r for r in report.get("defects", []) if r.get("lon") is not None and r.get("lat") is not None]
    rows = pd.DataFrame([_defect(r) for r in placed], columns=_DEFECT).astype(
        {"from_m": float, "to_m": float, "measure": float}
    )
    points = gpd.points_from_xy([r["lon"] for r in placed], [r["lat"] for r in placed])
    return gpd.GeoDataFrame(rows, geometry=points, crs=crs.STORAGE)


def _defect(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row of a report, with the name of its code and both sentences."""
    return {
        **{c: row.get(c) for c in _DEFECT},
        "code_zh": words.say(f"boundary_check.code.{row['code']}").removeprefix("code."),
        "reach": row.get("reach_id"),
        "sentence": " ".join(filter(None, (row.get("zh"), row.get("sentence")))),
        "features": ",".join(map(str, row.get("features") or ())),
    }
