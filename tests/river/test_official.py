"""An official list as offices send it, against ours."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.river import official

OURS = pd.DataFrame(
    {
        "river_id": ["1", "2", "3", "4"],
        "code": ["YXH", "BAX", "XG1", "XG2"],
        "name": ["云溪河", "柏坳溪", "小沟", "小沟"],
        "length_m": [12_893.0, 5_711.0, 800.0, 900.0],
    }
)


@pytest.mark.parametrize("heading", ["河长(km)", "长度(公里)", "河流长度（km）", "length_km", "长度 km", "总河长/千米"])
def test_lengths_are_read_in_the_unit_of_their_heading(heading: str) -> None:
    got = official.read(pd.DataFrame({"河流名称": ["云溪河"], heading: ["12.9"]}), "list.xlsx")
    assert got.rivers["length_m"].tolist() == [12_900]


def test_metres_and_areas_are_read_too() -> None:
    got = official.read(
        pd.DataFrame({"河流编码": [101.0], "长度(m)": ["1,250"], "流域面积(km²)": [30]}), "list.xlsx"
    ).rivers
    assert got.loc[0, ["code", "length_m", "basin_area_km2"]].tolist() == ["101", 1250, 30]


def test_a_length_without_unit_is_not_guessed() -> None:
    table = pd.DataFrame({"名称": ["云溪河"], "长度": [13]})
    with pytest.raises(InputError, match="--length-unit"):
        official.read(table, "list.xlsx")
    assert official.read(table, "list.xlsx", "km").rivers["length_m"].tolist() == [13_000]


def test_what_is_no_list_of_rivers_is_refused() -> None:
    with pytest.raises(InputError, match="names or codes"):
        official.read(pd.DataFrame({"甲": [1]}), "list.xlsx")
    with pytest.raises(InputError, match="no number"):
        official.read(pd.DataFrame({"名称": ["云溪河"], "长度(km)": ["约十三"]}), "list.xlsx")


def compared(**columns: list[object]) -> pd.DataFrame:
    return official.compare(OURS, official.read(pd.DataFrame(columns), "list.xlsx"), 5.0)


def test_missing_extra_and_differing_rivers_are_told() -> None:
    got = compared(名称=["云溪河", "柏坳溪", "东沟"], **{"长度(km)": [13.8, 5.7, 2.0]})
    assert got["status"].tolist() == ["length_differs", "agrees", "missing", "extra", "extra"]
    assert got.loc[0, "difference_percent"] == pytest.approx((12_893 - 13_800) / 138)
    assert got["name"].tolist() == ["云溪河", "柏坳溪", None, "小沟", "小沟"]


def test_codes_go_before_names_and_a_shared_name_is_not_decided() -> None:
    got = compared(名称=["另名", "小沟"], 编码=["YXH", None])
    assert got.loc[0, ["name", "matched_by", "status"]].tolist() == ["云溪河", "code", "no_length"]
    assert got.loc[1, "status"] == "ambiguous"


def test_only_rivers_in_scope_count_as_extra() -> None:
    got = official.compare(OURS, official.read(pd.DataFrame({"名称": ["云溪河"]}), "l"), 5.0, scope={"2"})
    assert got["river_id"].tolist() == ["1", "2"]


def test_stated_basins_become_facts_of_our_rivers() -> None:
    got = official.facts(OURS, official.read(pd.DataFrame({"名称": ["柏坳溪", "东沟"], "流域面积(km2)": [22, 5]}), "l"))
    assert got.to_dict("records") == [{"river_id": "2", "basin_area_1e4_km2": pytest.approx(0.0022)}]


@given(st.permutations(range(4)), st.floats(0, 50))
def test_a_list_against_itself_agrees(order: list[int], tolerance: float) -> None:
    own = OURS.iloc[order]
    table = pd.DataFrame({"编码": own["code"], "名称": own["name"], "长度(m)": own["length_m"]})
    got = official.compare(OURS, official.read(table, "own"), tolerance)
    assert got["status"].tolist() == ["agrees"] * 4 and got["difference_m"].abs().max() == 0
