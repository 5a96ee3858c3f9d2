"""Values as suppliers write them: read as meant, or set aside; never guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import layers
from rivergis.intake import cells, contract, fields, times
from rivergis.intake.batch import Batch
from rivergis.intake.profile import Mapped


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-01-02", "2024-01-02"),
        ("2024/1/2", "2024-01-02"),
        ("2024.1.2", "2024-01-02"),
        ("2024年1月2日", "2024-01-02"),
        ("20240102", "2024-01-02"),
        (20240102, "2024-01-02"),
        (20240102.0, "2024-01-02"),
        ("2024-01-02 23:59:59", "2024-01-02"),
        ("2024-01-01T16:30:00Z", "2024-01-02"),  # half past midnight in China
        (pd.Timestamp("2024-01-01T16:30:00Z"), "2024-01-02"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        ("1/2/2024", None),
        ("24-01-02", None),
        ("2024-02-30", None),
        ("spring", None),
        (pd.NaT, None),
    ],
)
def test_days(written: Any, meant: str | None) -> None:
    got = times.day(written)
    assert (got.isoformat() if got else None) == meant


@pytest.mark.parametrize(
    ("written", "utc", "assumed"),
    [
        ("2026-05-20T01:00:00Z", "2026-05-20T01:00:00", 0),
        ("2026-05-20T09:00:00+08:00", "2026-05-20T01:00:00", 0),
        ("2026-05-20 09:00:00", "2026-05-20T01:00:00", 1),
        ("2026/5/20 9:00", "2026-05-20T01:00:00", 1),
        ("2026年5月20日 9时0分0秒", "2026-05-20T01:00:00", 1),
        ("20260520090000", "2026-05-20T01:00:00", 1),
        ("2026-05-20", "2026-05-19T16:00:00", 0),
        (1779238800, "2026-05-20T01:00:00", 0),
        ("1779238800000", "2026-05-20T01:00:00", 0),
        ("09:00:00", None, 0),
        ("05/06/2026 09:00", None, 0),
        ("1986-05-04 02:30", None, 0),  # left out by summer time
        (None, None, 0),
        ("x", None, 0),
    ],
)
def test_instants(written: Any, utc: str | None, assumed: int) -> None:
    at, said = times.instants(pd.Series([written], dtype=object))
    assert (None if pd.isna(at.iloc[0]) else at.iloc[0].strftime("%Y-%m-%dT%H:%M:%S"), said) == (utc, assumed)


@given(st.datetimes(dt.datetime(1995, 1, 1), dt.datetime(2099, 1, 1)).map(lambda d: d.replace(microsecond=0)))
def test_law_one_instant_however_it_is_written(at: dt.datetime) -> None:
    """UTC, with an offset, and local time without one name the same instant."""
    stamp = pd.Timestamp(at, tz="UTC")
    local = stamp.tz_convert("Asia/Shanghai")
    written = [
        stamp.isoformat(),
        local.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        local.strftime("%Y%m%d%H%M%S"),
    ]
    got, assumed = times.instants(pd.Series(written, dtype=object))
    assert set(got) == {stamp} and assumed == 2
    assert times.day(stamp) == times.day(local.strftime("%Y-%m-%d %H:%M:%S"))


def test_datetime_columns_with_and_without_zone() -> None:
    naive = pd.Series(pd.to_datetime(["2026-05-20 09:00", "2026-05-20 00:00"]))
    at, assumed = times.instants(naive)
    assert list(at) == [pd.Timestamp("2026-05-20T01:00Z"), pd.Timestamp("2026-05-19T16:00Z")] and assumed == 1
    assert times.instants(naive.dt.tz_localize("Asia/Shanghai"))[1] == 0


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", {"5": 5.0, " 5.5 ": 5.5, 5: 5.0, "1e3": 1000.0}, ["5 m", "1,5", "inf", np.inf, "nan m"]),
        ("integer", {"5": 5, 5.0: 5, "5.0": 5}, [5.5, "x", np.inf, 2**31, "-9999999999", 1e300]),
        (
            "boolean",
            {"是": True, "否": False, "TRUE": True, "0": False, 1.0: True, "yes": True, "N": False},
            ["maybe", 2, "-1"],
        ),
        ("date", {"2024年1月2日": dt.date(2024, 1, 2)}, ["1/2/2024", 7]),
        ("time", {"2024-01-02T00:00:00Z": pd.Timestamp("2024-01-02T00:00:00Z")}, ["09:00", 7]),
    ],
)
def test_kinds(kind: str, good: dict[Any, Any], bad: list[Any]) -> None:
    for written, meant in good.items():
        values, wrong, _ = contract._typed(pd.Series([written], dtype=object), kind)
        assert (values.iloc[0], wrong[0]) == (meant, False), written
    for written in bad:
        assert contract._typed(pd.Series([written], dtype=object), kind)[1][0], written
    for empty in (None, "", "  ", np.nan, pd.NA):
        values, wrong, _ = contract._typed(pd.Series([empty], dtype=object), kind)
        assert pd.isna(values.iloc[0]) and not wrong[0]


def test_json_values() -> None:
    given_ = ['{"a": NaN}', "[1]", "free text", {"a": np.float64("inf")}, "[" * 100_000, None]
    values, wrong, _ = contract._typed(pd.Series(given_, dtype=object), "json")
    assert not wrong.any()
    assert list(values)[:4] == [{"a": "NaN"}, {}, {"text": "free text"}, {"a": "inf"}]


@pytest.mark.parametrize("codes", [[1.0, 2.0], [1, 2], ["1", " 2 "], ["1\0", "2\ud800"]])
def test_a_code_is_the_same_however_its_column_was_typed(codes: list[Any]) -> None:
    assert list(cells.text(pd.Series(codes, dtype=object))) == ["1", "2"]


def mapped(rows: list[dict[str, Any]], layer: str = "candidate", **how: Any) -> Batch:
    frame = pd.DataFrame(rows)
    batch = Batch(layer, frame, "s", None, "", len(frame))
    mapping = Mapped(layer, ("s",), **how)
    fields.select(batch, mapping)
    fields.map_fields(batch, layers.layer(layer), mapping, {"file": "f.gpkg"})
    return batch


def test_the_first_field_that_is_not_empty_is_taken() -> None:
    rows = [{"a": "", "b": "x"}, {"a": "y", "b": "z"}, {"a": None, "b": None}]
    for named in ("a|b", ["a", "b"]):
        names = mapped(rows, fields={"name": named}).frame["name"]
        assert list(names[:2]) == ["x", "y"] and pd.isna(names[2])


def test_codes_of_several_fields_leave_out_what_is_empty() -> None:
    rows = [{"t": "way", "i": 5.0, "j": None}, {"t": None, "i": None, "j": 6.0}, {"t": None, "i": None, "j": None}]
    assert list(mapped(rows, code=("t", "i|j")).frame["code"]) == ["way/5", "6", ""]


def test_filters_values_constants_and_evidence() -> None:
    rows = [
        {"code": "a", "k": "quarry", "p": "1.png"},
        {"code": "b", "k": "forest", "p": None},
        {"code": "c", "k": None, "p": ""},
    ]
    batch = mapped(
        rows,
        where={"k": ("*",)},
        fields={"kind": "k", "evidence": {"before": "p"}},
        values={"kind": {"quarry": "quarry", "*": "unknown"}},
        constants={"source_kind": "landuse"},
    )
    assert batch.skipped == 1 and batch.diagnostics[0]["code"] == "filtered"
    assert list(batch.frame["kind"]) == ["quarry", "unknown"]
    assert list(batch.frame["evidence"]) == [{"before": "1.png"}, {}]
    assert set(batch.frame["source_kind"]) == {"landuse"}


def test_one_thing_of_several_features_is_taken_once_and_said() -> None:
    batch = mapped([{"code": "r"}, {"code": "r"}, {"code": "q"}], "river", once_per_code=True)
    assert (list(batch.frame["code"]), batch.skipped) == (["r", "q"], 1)
    assert [d["code"] for d in batch.diagnostics] == ["same_thing"]


@given(
    st.lists(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_law_attributes_always_fit_into_json(values: list[Any]) -> None:
    import json

    text = json.dumps(cells.as_delivered(values), allow_nan=False)
    assert "\\u0000" not in text
    text.encode()


@pytest.mark.parametrize(
    "row",
    [
        {"code": "a", "name": "x", "approval_no": "7"},
        {"CODE": "a", "Name": "x", "APPROVAL_NO": "7"},
        {"编码": "a", "名称": "x", "批复或登记号": "7"},
        {"CODE": "a", "NAME": "x", "APPROVAL_N": "7"},  # as a Shapefile cuts it
    ],
)
def test_our_columns_under_the_names_files_can_carry(row: dict[str, str]) -> None:
    batch = mapped([row], "outfall")
    got = batch.frame.iloc[0]
    assert (got["code"], got["name"], got["approval_no"], batch.diagnostics) == ("a", "x", "7", [])


def test_a_misspelt_field_is_noticed() -> None:
    [said] = mapped([{"code": "a", "nmae": "x"}], "outfall").diagnostics
    assert said["code"] == "fields_unused" and "nmae" in said["sentence"]


@pytest.mark.parametrize("layer", list(layers.LAYERS.values()), ids=lambda layer: layer.name)
def test_law_no_name_means_two_columns(layer: layers.Layer) -> None:
    names = [n.lower() for names in fields.own_names(layer).values() for n in set(names)]
    assert len(names) == len(set(names))


# ---- as survey offices write it ----------------------------------------------------------------------------------------


def checked(rows: list[dict[str, Any]], layer: str, **how: Any) -> Batch:
    batch = mapped(rows, layer, **how)
    contract.check(batch, layers.layer(layer))
    return batch


STAKE = {"code": "a", "river_code": "r", "bank": "left"}


def test_words_and_units_are_understood_and_said() -> None:
    rows = [
        STAKE | {"bank": "左岸", "kind": "基本桩", "at_m": "K1+200", "height_m": "231.5m(1985国家高程基准)"},
        STAKE | {"code": "b", "bank": "R", "at_m": "0.48km", "height_m": 230.0},
        STAKE | {"code": "c", "bank": "中", "at_m": "1,200"},
        STAKE | {"code": "d", "at_m": "about 5"},
    ]
    batch = checked(rows, "stake")
    got = batch.frame.set_index("code")
    assert list(got["bank"]) == ["left", "right"] and list(got["at_m"]) == [1200.0, 480.0]
    assert list(got["height_m"]) == [231.5, 230.0] and got.loc["a", "vertical_datum"] == "1985国家高程基准"
    assert sorted((a.code) for a in batch.set_aside) == ["value_unknown", "value_wrong"]
    told = {(d["code"], d.get("about")) for d in batch.diagnostics}
    assert {("value_understood", c) for c in ("bank", "kind", "at_m", "height_m")} <= told
    assert ("vertical_datum_unknown", "vertical_datum") in told
    assert batch.frame["source"][0]["attributes"]["at_m"] == "K1+200", "as delivered"


def test_what_is_written_plainly_is_not_talked_about() -> None:
    rows = [STAKE | {"at_m": 1.5, "height_m": 2.0, "vertical_datum": "1985国家高程基准", "kind": "base"}]
    assert checked(rows, "stake").diagnostics == []


@pytest.mark.parametrize(
    ("name", "values_", "metres"),
    [
        ("起点桩号(km)", [1.2, "3"], [1200.0, 3000.0]),
        ("from_km", [1.2, "500m"], [1200.0, 500.0]),
        ("起点桩号", [1.2, "3"], [1.2, 3.0]),
        ("起点桩号（米）", ["K0+001", None], [1.0, np.nan]),
    ],
)
def test_a_unit_in_the_name_of_a_field_counts(name: str, values_: list[Any], metres: list[float]) -> None:
    rows = [{"code": str(i), "river_code": "r", "kind": "river", name: v} for i, v in enumerate(values_)]
    batch = checked(rows, "reach")
    assert np.allclose(batch.frame["from_m"].astype(float), metres, equal_nan=True)
    assert ("unit_converted" in [d["code"] for d in batch.diagnostics]) == ("km" in name)
    assert not any(d["code"] == "fields_unused" for d in batch.diagnostics)


def test_days_in_chinese_figures() -> None:
    rows = [{"code": "a", "name": "x", "approved_on": "二〇二四年十月五日", "valid_from": "二〇二四年一月一日"}]
    got = checked(rows, "outfall").frame.iloc[0]
    assert (got["approved_on"], got["valid_from"]) == (dt.date(2024, 10, 5), dt.date(2024, 1, 1))


def test_fields_of_programs_are_dropped_and_said() -> None:
    batch = mapped([{"code": "a", "name": "x", "SmID": 7, "smuserid": 0}], "outfall", drop=("Sm*",))
    assert batch.frame["source"][0]["attributes"] == {"code": "a", "name": "x"}
    assert [(d["code"], d["count"]) for d in batch.diagnostics] == [("fields_dropped", 2)]


def test_a_prefix_tells_two_layers_apart() -> None:
    rows = [{"r": "河", "n": 1}, {"r": None, "n": 2}, {"r": None, "n": None}]
    batch = mapped(
        rows, "levee", code=("r", "n"), fields={"river_code": "r"}, prefix={"code": "T/", "river_code": "R/"}
    )
    assert list(batch.frame["code"]) == ["T/河/1", "T/2", None]
    assert list(batch.frame["river_code"]) == ["R/河", None, None]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (b"\x00\xff", "hex:00ff"),
        (dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC), "2024-01-02T03:04:00+00:00"),
        (dt.time(3, 4), "03:04:00"),
        (2**60, 2**60),
        (np.int64(7), 7),
        ([1, None, "甲"], [1, None, "甲"]),
    ],
)
def test_attributes_of_kinds_json_does_not_know(value: Any, meant: Any) -> None:
    assert cells.as_delivered(value) == meant
