"""What maps get to draw: every layer of the contract, stretches of the right length, nothing cut in silence."""

from __future__ import annotations

from datetime import UTC, date, datetime

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis import crs
from rivergis.layers import LAYERS
from rivergis.maps import features, leads, lists, marks, patrols, thinning
from rivergis.maps.features import Scope, When
from tests.web.conftest import DIRTY, NIGHT, Service

DRAWN = [name for name, layer in LAYERS.items() if layer.geometry and name != "axis"]
AT = When(NIGHT, datetime(9999, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("noun", DRAWN)
def test_every_layer_of_the_contract_can_be_drawn(service: Service, noun: str) -> None:
    box = (105.9, 29.3, 106.1, 29.5)
    with service.db.read() as conn:
        whole = features.layer(conn, noun, AT)
        near = features.layer(conn, noun, AT, Scope(features.river(conn, "R1", AT).id, box))
    expected = {"admin_unit": 1, "reach": 1, "boundary_line": 2, "outfall": 1}.get(noun, 0)
    assert len(whole) == len(near) == expected
    assert {"id", "label", "popup"} <= set(whole.columns) and whole.crs == crs.STORAGE


def test_a_line_says_what_act_it_rests_on_in_words(service: Service) -> None:
    with service.db.read() as conn:
        frame = features.layer(conn, "boundary_line", AT)
    said = {zh: value for zh, _, value in frame["popup"].iloc[0]}
    assert (
        said["公告文号"] == "试府发〔2024〕1号"
        and said["依据"] == "已公告界线 announced line"
        and said["岸别"] == "左岸 left bank"
    )
    assert said["终点桩号 m"] == "0+970" and said["测图比例尺分母"] == 2000
    assert frame["cls"].tolist() == ["announced", "announced"]


def test_what_was_not_yet_in_force_or_known_is_not_drawn(service: Service) -> None:
    before_known = When(NIGHT, datetime(2000, 1, 1, tzinfo=UTC))
    with service.db.read() as conn:
        assert features.layer(conn, "reach", before_known).empty and leads.standing(conn, before_known).empty
        assert leads.standing(conn, When(date(2026, 5, 19), AT.known_at)).empty
        assert len(leads.standing(conn, AT)) == len(leads.of_night(conn, AT)) == 3


def test_stretches_of_bank_have_the_length_they_were_measured_with(service: Service) -> None:
    with service.db.read() as conn:
        legs = patrols.leg_lines(*patrols.legs(conn, service.track))
    assert crs.length_m(legs.geometry.values) == pytest.approx([485.0, 485.0], abs=1.0)
    assert legs[["bank", "why"]].values.tolist() == [["left", "seen"], ["left", "never_approached"]]
    assert legs.geometry.iloc[0].coords[-1] == pytest.approx(legs.geometry.iloc[1].coords[0])


def test_a_river_is_drawn_with_its_own_ground(service: Service) -> None:
    with service.db.read() as conn:
        river = features.river(conn, "R1", AT)
        far = Scope(river.id, (100.0, 20.0, 100.1, 20.1))
        assert len(features.layer(conn, "boundary_line", AT, far)) == 2  # its own, wherever they are
        assert features.layer(conn, "admin_unit", AT, far).empty and leads.standing(conn, AT, scope=far).empty
    assert river.name == f"清溪{DIRTY}" and river.scope.box is not None


def test_the_reason_names_everything_a_person_would_ask(service: Service) -> None:
    with service.db.read() as conn:
        zh, en = lists.lead(conn, service.handled, AT)["why"]
    for part in (
        "堆放物",
        "清溪左岸桩号 0+388",
        "试验村",
        "430 m² ± 12 m²",
        "界内",
        "试府发〔2024〕1号",
        "《防洪法》第二十二条",
        "水行政主管部门核实",
    ):
        assert part in zh
    assert "left bank, chainage 0+388" in en and "{" not in zh + en


@given(st.dictionaries(st.sampled_from(["finding", "reach", "stake", "outfall"]), st.integers(0, 1500), min_size=1))
def test_a_map_within_bounds_says_how_much_it_left_out(counts: dict[str, int]) -> None:
    drawn, note = thinning.fit({noun: lines(n) for noun, n in counts.items()})
    assert sum(map(len, drawn.values())) == min(sum(counts.values()), marks.MAX_FEATURES)
    for noun, n in counts.items():
        assert (len(drawn[noun]) < n) == (f"{len(drawn[noun])}/{n}" in note)
    assert len(drawn.get("finding", ())) == counts.get("finding", 0)


def lines(n: int) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"label": range(n)}, geometry=[LINE] * n, crs="EPSG:4490")


LINE = shapely.LineString([(106.0, 29.4), (106.01, 29.4)])


def test_of_too_many_reaches_the_longest_are_drawn() -> None:
    long, short = lines(10), lines(marks.MAX_FEATURES)
    short = short.set_geometry(short.geometry.scale(0.1, 0.1))
    many = gpd.GeoDataFrame(
        {"label": range(len(long) + len(short))}, geometry=[*short.geometry, *long.geometry], crs=long.crs
    )
    drawn, _ = thinning.fit({"reach": many})
    assert set(many["label"].iloc[-10:]) <= set(drawn["reach"]["label"])
