"""The distribution map: what colours it, and what is left out is said."""

from __future__ import annotations

import json
import re
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from rivergis.maps import marks, register_map
from rivergis.river.inventory import Inventory
from tests.river.small_county import UNITS, listed


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="rg-data">(.*?)</script>', html, re.S)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return {layer["id"]: layer for layer in data["layers"]}


KNOWN = pd.DataFrame({"river_id": ["A"], "code": ["JH"], "name": ["甲河"], "kind": ["river"], "grade": ["4"]})


@pytest.mark.parametrize(
    ("more", "said", "classes"),
    [
        ({}, "按长度着色", {"long", "ditch"}),
        ({"known": KNOWN}, "按河道等级着色", {"grade_4", "ditch"}),
        ({"facts": pd.DataFrame({"river_id": ["A"], "basin_area_1e4_km2": [0.003]}), "known": KNOWN}, "按流域面积级别着色", {"10-50", "ditch"}),
    ],
)  # fmt: skip
def test_rivers_are_coloured_by_what_is_known(more: dict[str, Any], said: str, classes: set[str]) -> None:
    html = register_map.draw(listed(**more), UNITS)
    assert said in html
    assert {c["code"] for c in data_of(html)["listed_river"]["classes"]} == classes


def test_a_map_without_units_or_lakes_is_drawn() -> None:
    layers = data_of(register_map.draw(listed(areas=None, units=None), None))
    assert set(layers) == {"listed_river"} and len(layers["listed_river"]["features"]) == 2


def test_a_list_too_long_for_a_page_is_cut_to_the_longest_and_said() -> None:
    whole = listed(areas=None, units=None)
    many = marks.MAX_FEATURES + 100
    rivers = pd.concat([whole.rivers.iloc[[0]]] * many, ignore_index=True).assign(
        river_id=[f"r{i}" for i in range(many)]
    )
    course = pd.concat([whole.course.iloc[[0]]] * many, ignore_index=True).assign(river_id=rivers["river_id"])
    html = register_map.draw(Inventory(rivers, whole.sections, gpd.GeoDataFrame(course), whole.waters), None)
    assert f"图面仅绘 河流 {marks.MAX_FEATURES}/{many}" in html
