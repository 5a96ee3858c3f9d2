"""A small piece of country to draw: one river with banks, a line, a zone, two leads, in degrees near 106 E 29.4 N.

  north
+--------------------------------------------+  unit 栖云镇
|   . . . . . . line, left (announced) . . . |
|        [lead A]                            |
|  ~~~~~~~~~~~~ 云溪河, 2+000 to 5+000 ~~~~>~ |
|                     [lead B]               |
|   - - - - - line, right (draft) - - - - -  |
+--------------------------------------------+
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
from PIL import Image
from shapely import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from rivergis.maps.atlas import Layers, LocalMap
from rivergis.maps.marks import Picture

STAMP = "虚构演示数据 · Fictional demo data"
TITLE = {"title_zh": "栖云县河湖一张图", "title_en": "Qiyun County on one map"}
BOUNDS = (105.99, 29.39, 106.03, 29.41)


def frame(*geometries: BaseGeometry, **columns: list) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(geometries), crs="EPSG:4490")


def layers() -> dict[str, gpd.GeoDataFrame]:
    return {
        "outfall": frame(Point(106.004, 29.3992), Point(106.02, 29.4008), label=["城南排污口", "东桥排污口"]),
        "admin_unit": frame(box(*BOUNDS), cls=["town"], label=["栖云镇"], text=["栖云镇"]),
        "boundary_line": frame(
            LineString([(105.992, 29.403), (106.028, 29.403)]),
            LineString([(105.992, 29.397), (106.028, 29.397)]),
            cls=["announced", "draft"],
            label=["左岸管理范围线", "右岸管理范围线"],
        ),
        "reach": river(),
        "water_area": frame(box(105.992, 29.3995, 106.028, 29.4005), label=["云溪河"]),
    }


def river() -> gpd.GeoDataFrame:
    return frame(
        LineString([(105.99, 29.4), (106.01, 29.4)]),
        LineString([(106.01, 29.4), (106.03, 29.4)]),
        cls=["river", "ditch"],
        label=["云溪河上段", "云溪河下段"],
        river=["云溪河", "云溪河"],
        text=["云溪河", None],
        from_m=[2000.0, 3500.0],
        to_m=[3500.0, 5000.0],
        popup=[[("半宽 m", "half width, m", 25.5)], {"暗渠": False}],
    )


def findings(label: str = "新增 堆放物") -> gpd.GeoDataFrame:
    return frame(
        box(106.0, 29.4012, 106.0006, 29.4016),
        box(106.015, 29.3984, 106.0156, 29.3988),
        cls=["dumping.solid_waste", "building.obstacle"],
        id=["lead-a", "lead-b"],
        label=[label, "持续 建筑物"],
        popup=[
            [
                ("线内面积 m²", "area inside the line, m²", 412.5),
                ("条款", "clause", "《防洪法》第二十二条"),
                ("备注", "note", label),
            ],
            {"线内面积 m²": 80.0},
        ],
    )


def picture(red: int) -> str:
    """A flat image as a data: address."""
    out = io.BytesIO()
    Image.new("RGB", (32, 32), (red, 120, 90)).save(out, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def night(
    leads: gpd.GeoDataFrame, ground: Layers | None = None, *, pictures: Sequence[Picture] = (), **said: Any
) -> str:
    """The page of a night: leads on their ground, listed beside the map."""
    map_ = LocalMap(**said).list_layer("finding").add_pictures(pictures)
    return map_.add_layers({**(ground or layers()), "finding": leads}).look_at(BOUNDS).html()
