"""What fields of river lines say: known names and values are understood, look-alikes are passed over, all of it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import UsageError
from rivergis.river.attributes import links, read, read_areas

ROOT = Path(__file__).resolve().parents[2]
WORDS: dict[str, Any] = yaml.safe_load((ROOT / "gis" / "text" / "river_words.yaml").read_text(encoding="utf-8"))


def frame(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_openstreetmap() -> None:
    lines = frame(
        osm_id=[7, 8, 9, 10],
        waterway=["river", "stream", "drain", "weir"],
        tunnel=[None, "culvert", "no", None],
        covered=[None, None, "yes", None],
        layer=[None, "-1", "-1", "0"],
        name=["Main", "Bach", None, None],
        width=["12", "1,5", "3 m", "0"],
        **{"name:zh": ["美因河", None, None, None]},
    )
    got, said = read(lines, WORDS)
    assert got["kind"].tolist() == ["river", "stream", "ditch", "other"]
    assert got["covered"].tolist() == [False, True, True, False]
    assert got["level"].tolist() == [0, -1, -1, 0]
    assert got["name"].tolist() == ["美因河", "Bach", None, None]
    assert got["flow"].tolist() == [0, 0, 0, 0]
    assert said.field_of("kind") == "waterway"
    assert {t.field for t in said.taken if t.role == "covered"} == {"tunnel", "covered"}


def test_width_is_metres_or_nothing() -> None:
    got, _ = read(frame(width=["12", "3 m", "4.5米", "0", "-9999", None]), WORDS)
    assert np.array_equal(got["width_m"], [12, 3, 4.5, np.nan, np.nan, np.nan], equal_nan=True)


def test_chinese_survey() -> None:
    lines = frame(
        河名=["沙河", "东门暗渠", "无名", " 渠一 "],
        类型=["河流", "渠道", "箱涵", "干渠"],
        流向=["顺向", "逆向", "反向", None],
        起点高程=[50.2, 48.0, -9999, 47.1],
        终点高程=[48.0, 49.5, 44.0, 46.0],
        河道等级=["一级", "二级", "三级", None],
        河宽=[30, 4, 2.5, 6],
    )
    got, said = read(lines, WORDS)
    assert got["name"].tolist() == ["沙河", "东门暗渠", None, "渠一"]
    assert got["kind"].tolist() == ["river", "ditch", "ditch", "canal"]
    assert got["covered"].tolist() == [False, True, True, False]
    assert got["flow"].tolist() == [1, -1, -1, 0]
    assert got["rank"].dropna().tolist() == [-1, -2, -3]
    assert got["upstream_level_m"][:2].tolist() == [50.2, 49.5]
    assert (got["upstream_level_m"] >= got["downstream_level_m"])[[0, 1, 3]].all()
    assert {t.role for t in said.taken} >= {"name", "kind", "flow", "rank", "upstream_level", "width"}


@pytest.mark.parametrize(
    ("code", "kind", "covered"),
    [
        (210101, "river", False),
        (210102, "river", True),
        ("210200", "river", False),
        (220100.0, "canal", False),
        (220300, "ditch", False),
        (21011, "river", False),
        (22011, "canal", False),
        (230101, "shoreline", False),
        (23010, "shoreline", False),
    ],
)
def test_codes_of_gb_13923(code: Any, kind: str, covered: bool) -> None:
    got, _ = read(frame(GB=[code, code]), WORDS)
    assert (got["kind"][0], got["covered"][0]) == (kind, covered)


def test_nhd() -> None:
    lines = frame(FTYPE=[336, 428, 558, 460], FlowDir=[1, 1, 0, 1], GNIS_NAME=["A Canal", None, None, "B River"])
    got, _ = read(lines, WORDS)
    assert got["kind"].tolist() == ["canal", "canal", "river", "river"]
    assert got["covered"].tolist() == [False, True, False, False]
    assert got["flow"].tolist() == [1, 1, 0, 1]
    text, _ = read(frame(fcode=[46006, 42801, 33600]), WORDS)
    assert text["kind"].tolist() == ["river", "canal", "canal"]


@pytest.mark.parametrize(
    ("field", "with_line", "against"),
    [
        ("FLOWDIR", "With Digitized", "Against Digitized"),
        ("flow", "in direction", "in opposite direction"),
        ("SENS_ECOUL", "Sens direct", "Sens inverse"),
        ("流向", "正向", "反向"),
        ("流向", "与数字化方向一致", "与数字化方向相反"),
    ],
)
def test_flow_in_the_words_of_several_countries(field: str, with_line: str, against: str) -> None:
    got, said = read(frame(**{field: [with_line, against, None]}), WORDS)
    assert got["flow"].tolist() == [1, -1, 0] and said.field_of("flow") == field


def test_lines_of_a_ring_in_a_large_field_are_left_out_and_told() -> None:
    n = 300
    to = [*range(2, n + 1), 0]
    to[200] = 200  # 201 → 200 → 201
    got, said = read(frame(id=list(range(1, n + 1)), to_id=to), WORDS)
    assert got["next_source_id"].isna().sum() == 3 and len(links(got)) == n - 3
    assert "ring" in str(next(t for t in said.taken if t.role == "next").note)


# lookalikes ---------------------------------------------------------------------------------------------------------


def test_a_raster_code_of_eight_directions_is_no_flow() -> None:
    got, said = read(frame(flowdir=[1, 2, 4, 8, 16, 32]), WORDS)
    assert (got["flow"] == 0).all()
    assert said.passed_over[0].field == "flowdir"


def test_arc_nodes_cad_layers_and_numbers_as_names_are_passed_over() -> None:
    lines = frame(FNODE_=[1, 2, 3], TNODE_=[2, 3, 4], layer=["WATER", "HD-01", "0"], NAME=["101", "102", "103"])
    got, said = read(lines, WORDS)
    assert (got["flow"] == 0).all() and got["next_source_id"].isna().all()
    assert (got["level"] == 0).all() and got["name"].isna().all()
    assert {p.field for p in said.passed_over} == {"layer", "NAME"} and not said.taken


def test_a_to_field_of_other_things_is_no_next_line() -> None:
    lines = frame(id=list(range(1, 21)), to_id=[90 + i for i in range(19)] + [3])
    got, said = read(lines, WORDS)
    assert got["next_source_id"].isna().all()
    assert "1 of 20" in said.passed_over[0].reason


def test_a_field_of_neighbours_runs_in_rings_and_is_passed_over() -> None:
    lines = frame(id=[1, 2, 3, 4], to_id=[2, 1, 4, 3])
    _, said = read(lines, WORDS)
    assert "ring" in said.passed_over[0].reason


def test_compass_words_of_a_flow_field_are_not_guessed() -> None:
    got, said = read(frame(流向=["自西向东", "由北向南"]), WORDS)
    assert (got["flow"] == 0).all() and said.passed_over[0].role == "flow"


# next line ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "to"), [("HYRIV_ID", "NEXT_DOWN"), ("LINKNO", "DSLINKNO"), ("HydroID", "NextDownID"), ("GridID", "ToLink")]
)
@pytest.mark.parametrize("none", [0, -1, None, 999_999, "self"])
def test_no_next_in_all_its_ways(own: str, to: str, none: Any) -> None:
    #  5 → 6 ↘
    #           7 → nothing
    #      8 ↗
    last = 7 if none == "self" else none
    got, _ = read(frame(**{own: [5, 6, 7, 8], to: [6, 7, last, 7]}), WORDS)
    assert got["next_source_id"].tolist() == ["6", "7", None, "7"]
    assert links(got).tolist() == [[0, 1], [1, 2], [3, 2]]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.randoms(use_true_random=False), st.sampled_from([int, float, str]))
def test_links_give_back_any_tree(n: int, random: Any, kind: Any) -> None:
    parent = [random.randrange(i) if i else None for i in range(n)]
    ids = random.sample(range(1_000, 9_000), n)
    order = random.sample(range(n), n)
    lines = frame(id=[kind(ids[i]) for i in order], to_id=[0 if parent[i] is None else ids[parent[i]] for i in order])
    lines.index = pd.Index(random.sample(range(500), n))
    got, _ = read(lines, WORDS)
    row_of = {i: row for row, i in enumerate(order)}
    true = sorted([row_of[i], row_of[p]] for i, p in enumerate(parent) if p is not None)
    assert links(got).tolist() == true
    assert got.index.equals(lines.index)


def test_parts_of_one_line_give_every_pair() -> None:
    got, _ = read(frame(id=["a", "a", "b"], to_id=["b", "b", None]), WORDS)
    assert links(got).tolist() == [[0, 2], [1, 2]]


# choosing fields ----------------------------------------------------------------------------------------------------


def test_a_person_may_choose_fields() -> None:
    lines = frame(objectid=[1, 2, 3], down=[2, 3, 0], dirn=["逆向", "顺向", "?"], art=["canal", "river", "zz"])
    got, said = read(lines, WORDS, {"id": "OBJECTID", "next": "down", "flow": "dirn", "kind": "art"})
    assert got["flow"].tolist() == [-1, 1, 0] and got["kind"].tolist() == ["canal", "river", "river"]
    assert links(got).tolist() == [[0, 1], [1, 2]]
    assert next(t for t in said.taken if t.role == "flow").unread == (("?", 1),)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"flow": "nowhere"}, "fields are"),
        ({"colour": "down"}, "kind, covered"),
        ({"next": "down"}, "name it as id"),
        ({"next": "far", "id": "objectid"}, "0 of 3"),
        ({"upstream_level": "down"}, "both ends"),
        ({"flow": "far"}, "is understood as flow"),
    ],
)
def test_a_wrong_choice_is_told(fields: dict[str, str], words: str) -> None:
    lines = frame(objectid=[1, 2, 3], down=[2, 3, 0], far=[77, 78, 79])
    with pytest.raises(UsageError, match=words):
        read(lines, WORDS, fields)


def test_no_fields_and_no_lines() -> None:
    got, said = read(pd.DataFrame(index=[4, 5]), WORDS)
    assert got["kind"].tolist() == ["river", "river"] and not said.taken
    none, _ = read(frame(waterway=[], id=[], to_id=[]), WORDS)
    assert len(none) == 0 and links(none).shape == (0, 2)


def test_words_mean_one_thing_within_a_group() -> None:
    for role in ("kind", "covered", "flow", "area_kind"):
        for group in WORDS[role]:
            for table in (group.get("values", {}), group.get("prefixes", {})):
                listed = [str(w).lower() for words in table.values() for w in words]
                assert len(listed) == len(set(listed)), (role, group["fields"])


# areas and real files -----------------------------------------------------------------------------------------------


def test_areas() -> None:
    got, _ = read_areas(
        frame(natural=["water", "water", "wetland"], water=["river", None, None], name=["A", "", None]), WORDS
    )
    assert got["kind"].tolist() == ["river", "unknown", "other"] and got["name"].tolist() == ["A", None, None]
    coded, _ = read_areas(frame(GBCODE=[21012, 23010, 24010, 79200]), WORDS)
    assert coded["kind"].tolist() == ["river", "lake", "reservoir", "other"]


def test_methow_links(test_data: Path) -> None:
    lines = gpd.read_file(test_data / "river_network_methow" / "Methow_Network.shp")
    got, said = read(lines, WORDS)
    assert said.field_of("next") == "ToLink" and len(links(got)) == len(lines) - 1
    assert (got["upstream_level_m"] >= got["downstream_level_m"]).mean() > 0.99


def test_yangtze_lake_shores_are_no_rivers(test_data: Path) -> None:
    lines = gpd.read_file(test_data / "china_rivers" / "rivers_upper_lower_yangtze_1to4m.gpkg", layer="rivers_level1_2")
    got, said = read(lines, WORDS)
    assert (got["kind"] == "shoreline").sum() == (lines["GBCODE"] == 23010).sum()
    assert said.field_of("flow") is None and said.field_of("next") is None
    assert next(t for t in said.taken if t.role == "kind").unread == (("99300", 20),)
