"""A layer with every kind of attribute, brought in from a survey file in the Gauss-Krüger zone of its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from rivergis.db.connect import Database
from rivergis.intake import profile
from rivergis.jobs import receive
from rivergis.maps import export

ZONE = 4544
EAST, NORTH = 597_000.0, 3_253_000.0
LONG = "云溪河左岸第三十二号污水处理厂入河排污口" * 12
NASTY = ['=HYPERLINK("http://x")', "+1+2", "-云", "@sum", "\tx", "'quoted", "-5", "普通", 'a,b"c\n第二行', "𠮷野家"]


def points(n: int = 10) -> gpd.GeoDataFrame:
    """Outfalls in metres, with attributes of every kind beyond the contract's."""
    rng = np.random.default_rng(4490)
    frame = pd.DataFrame(
        {
            "code": [f"P{i:04d}" for i in range(n)],
            "name": [f"云溪河{i}号口" for i in range(n)],
            "status": ["open", "closed"] * (n // 2) + ["open"] * (n % 2),
            "approved_on": pd.to_datetime([f"2024-01-{1 + i % 28:02d}" for i in range(n)]),
            "备注": [NASTY[i % len(NASTY)] for i in range(n)],
            "设计流量立方米每秒": rng.uniform(-1e6, 1e6, n),
            "Status_1": ["x"] * n,
            "depth_mm": np.arange(n, dtype="int64") * 3 - 2,
            "big": np.full(n, 2**53 + 1, dtype="int64"),
            "covered": [True, False] * (n // 2) + [True] * (n % 2),
            "seen": pd.to_datetime(["2024-05-06 07:08:09"] * n),
            "长文本": [LONG] * n,
        }
    )
    xy = np.column_stack([EAST + rng.uniform(0, 5000, n), NORTH + rng.uniform(0, 5000, n)])
    return gpd.GeoDataFrame(frame, geometry=shapely.points(xy), crs=ZONE)


def take(db: Database, layer: str, frame: Any, folder: Path, **more: Any) -> receive.ImportResult:
    """Import a frame by way of a GeoPackage; every row must come in."""
    path = folder / f"{layer}.gpkg"
    path.unlink(missing_ok=True)
    frame.to_file(path, layer=layer, engine="pyogrio")
    [result] = receive.import_file(db, layer, path, actor="t", profile=profile.plain(), options=receive.Options(**more))
    assert result.imported == result.count_in, result
    return result


def rivers(db: Database, folder: Path, *codes: str, **more: Any) -> None:
    frame = gpd.GeoDataFrame(
        {"code": codes, "name": codes, "kind": ["river"] * len(codes)}, geometry=[None] * len(codes), crs=4490
    )
    take(db, "river", frame, folder, **more)


@contextmanager
def opened(db: Database, layer: str, out: Path, **wanted: Any) -> Iterator[export.Staged]:
    with db.read() as conn, export.stage(conn, export.Wanted(layer, **wanted), out) as staged:
        yield staged


def send(db: Database, layer: str, out: Path, **wanted: Any) -> export.Exported:
    """Export and put in place."""
    with opened(db, layer, out, **wanted) as staged:
        staged.release()
        return staged.done


@pytest.fixture(scope="module")
def filled(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Outfalls of ``points``; reaches and areas of random shape, with holes and several parts."""
    folder = tmp_path_factory.mktemp("filled")
    take(module_db, "outfall", points(), folder)
    rivers(module_db, folder, "YXH")
    reach = {"code": list("abcde"), "river_code": "YXH", "kind": "river", "half_width_m": 10.5}
    take(module_db, "reach", gpd.GeoDataFrame(reach, geometry=lines_drawn(), crs=ZONE), folder)
    take(
        module_db,
        "water_area",
        gpd.GeoDataFrame({"code": ["w1", "w2"], "kind": "lake"}, geometry=waters(), crs=ZONE),
        folder,
    )
    return module_db


def lines_drawn() -> list[shapely.Geometry]:
    rng = np.random.default_rng(7)
    return [shapely.LineString(np.cumsum(rng.uniform(0, 30, (40, 2)), 0) + np.array([EAST, NORTH])) for _ in range(5)]


def waters() -> list[shapely.Geometry]:
    """An area with two holes, and one of two parts."""
    whole = shapely.Point(EAST, NORTH).buffer(500)
    holed = whole.difference(shapely.Point(EAST - 200, NORTH).buffer(90)).difference(
        shapely.Point(EAST + 200, NORTH + 10).buffer(70)
    )
    parted = shapely.MultiPolygon(
        [
            shapely.box(EAST, NORTH + 2000, EAST + 100, NORTH + 2100),
            shapely.box(EAST + 200, NORTH + 2000, EAST + 333.333, NORTH + 2100),
        ]
    )
    return [shapely.MultiPolygon([holed]), parted]
