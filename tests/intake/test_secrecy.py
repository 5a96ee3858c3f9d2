"""What asks for a confirmation of secrecy, and what does not."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

from rivergis.intake import secrecy
from rivergis.intake.crs_evidence import judge
from rivergis.intake.delivery import Declared, Delivered

LIMIT_KM2 = 25.0


def layer(name: str, side_degrees: float, **fields: object) -> Delivered:
    """A square of that side at 106 E 29 N; 0.01 degrees are about 1 km."""
    shapes = [shapely.box(106.0, 29.0, 106.0 + side_degrees, 29.0 + side_degrees)]
    return Delivered(
        name,
        "vector",
        1,
        pd.DataFrame(fields, index=range(1)),
        pd.Series(shapes).to_numpy(),
        declared=Declared("EPSG:4490", "file"),
    )


def asks(given: Delivered, file_name: str = "data.gpkg") -> bool:
    return bool(secrecy.look(given, judge(given), file_name, LIMIT_KM2))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (layer("管理范围线", 0.5), False),
        (layer("界桩", 0.5, 桩号=["a"]), False),
        (layer("GPS控制点", 0.01), True),
        (layer("KZD", 0.01), True),
        (layer("成果", 0.01, DLTB=["x"]), True),
        (layer("dxf", 0.2, layer=["DGX"]), True),
        (layer("等高线", 0.2), True),
        (layer("等高线", 0.02), False),
        (layer("等高线", 0.2, 比例尺=["1:10000"]), False),
        (layer("河道地形", 0.2, 比例尺=["1:2000"]), True),
        (layer("河道地形", 0.02, 比例尺=["1:2000"]), False),
        (layer("岸线", 0.2, survey_scale=[5000]), False),
    ],
)
def test_what_asks_for_a_confirmation(given: Delivered, asked: bool) -> None:
    assert asks(given) is asked


def test_the_name_of_the_file_counts() -> None:
    assert asks(layer("图层1", 0.01), "永川三调DLTB地类图斑.gpkg")
