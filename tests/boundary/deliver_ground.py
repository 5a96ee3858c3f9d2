"""A river with lines on both banks, in two pieces on the left, with its area and stakes; and what the rules say of deliveries.

y +20  a ----------------- b ------------- left, met at 1+000
y   0  =================== flows east ====
y -20  c ------------------------------- right
"""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import rules
from rivergis.boundary.delivery.layers import Terms
from rivergis.boundary.delivery.tables import Delivery
from rivergis.cli import boundary_terms
from rivergis.reports.boundary_delivery import Asked
from rivergis.settings import gis_dir
from tests import tiny

VIEW = rules.load(gis_dir() / "rules").at(rules.path_of("000000"), date(2026, 6, 1))
TERMS: Terms = boundary_terms.terms_of(VIEW)
NAME = "甲河·〔试〕"


def asked(
    encoding: str = "GBK", formats: tuple[str, ...] = ("shp", "gpkg", "dxf", "xlsx", "txt"), **more: Any
) -> Asked:
    return Asked(encoding, formats, VIEW.value("boundary.deliver.fields").value, (), **more)


def lines(basis: str = "announced", **more: Any) -> gpd.GeoDataFrame:
    """Two pieces of the left line and one of the right, EPSG:4490."""
    shapes = [
        tiny.line((0, 20), (420.125, 31.5), (1000, 20)),
        tiny.line((1000, 20), (1500, 60.25), (2100, 60)),
        tiny.line((0, -20), (2100, -10)),
    ]
    said = {
        "code": ["a", "b", "c"], "river_code": "R1", "river": NAME, "bank": ["left", "left", "right"], "line_type": "management",
        "basis": basis, "from_m": [0.0, 1000.0, 0.0], "to_m": [1000.0, 2100.0, 2100.0], "announce_gov": "试验县人民政府",
        "announce_doc_no": "试府发〔2026〕1号", "announced_on": date(2026, 5, 20), "survey_scale": 2000, "xy_error_m": 0.1,
    } | more  # fmt: skip
    return tiny.degrees(tiny.metric(shapes, **said)).rename_geometry("geometry")


def areas(basis: str = "announced") -> gpd.GeoDataFrame:
    ground = shapely.MultiPolygon([tiny.box(0, -20, 2100, 40)])
    made = tiny.metric([ground], code="A", river_code="R1", river=NAME, line_type="management", basis=basis)
    return tiny.degrees(made).rename_geometry("geometry")


def stakes() -> gpd.GeoDataFrame:
    said = {
        "code": ["R1-L-001", "R1-L-002"],
        "river_code": "R1",
        "bank": "left",
        "kind": "base",
        "status": "good",
        "at_m": [0.0, 400.0],
    }
    return tiny.degrees(tiny.metric([tiny.point(0, 20), tiny.point(400, 31)], **said)).rename_geometry("geometry")


def delivery(standing: str = "in_force", **more: Any) -> Delivery:
    basis = "announced" if standing in ("announced", "in_force") else "draft"
    return Delivery("甲河管理范围", standing, lines(basis), areas(basis), **({"stakes": stakes()} | more))


def over_two_zones() -> Delivery:
    """A river that flows over the border of zones 35 and 36 (106.5 E): one piece in each, one over it."""
    xs = (106.40, 106.45, 106.49, 106.52, 106.60)
    shapes = [shapely.LineString([(a, 29.4), ((a + b) / 2, 29.401), (b, 29.4)]) for a, b in itertools.pairwise(xs)]
    ends = np.linspace(0, 20_000, 5)
    frame = gpd.GeoDataFrame(
        {"code": list("pqrs"), "river_code": "R2", "bank": "left", "line_type": "management", "basis": "draft", "from_m": ends[:-1], "to_m": ends[1:]},
        geometry=shapes, crs="EPSG:4490",
    )  # fmt: skip
    return Delivery("乙河", "draft", frame, frame.iloc[:0])


def folder(path: Path) -> Path:
    path.mkdir()
    return path
