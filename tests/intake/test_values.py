"""Numbers, days and words as survey offices write them: one meaning or none, never a guess."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import layers
from rivergis.intake import values

METRES = st.decimals(0, 99_999, places=3, allow_nan=False).map(float)


@given(METRES)
def test_law_one_length_however_its_unit_is_written(metres: float) -> None:
    written = [
        f"{metres:.3f}",
        f"{metres:.3f}米",
        f"{metres:.3f} m",
        f"{metres:,.3f}",
        f"{metres / 1000:.6f}km",
        f"{metres / 1000:.6f} 公里",
        f"{metres * 100:.1f}厘米",
        f"K{int(metres // 1000)}+{metres % 1000:07.3f}",
    ]
    for text in written:
        assert values.number(text, "at_m") == pytest.approx(metres, abs=1e-6), text


@pytest.mark.parametrize(
    ("text", "column", "meant"),
    [
        ("１２．５米", "at_m", 12.5),
        ("桩号 12+345.6", "at_m", 12_345.6),
        ("ZK12+345", "to_m", 12_345.0),
        ("20年一遇", "design_return_period_a", 20.0),
        ("P=2%", "design_return_period_a", 50.0),
        ("5%", "share", 0.05),
        ("1,200", "n", 1200.0),
        ("1,5", "n", None),  # a comma for a point, or for thousands?
        ("1,20,000", "n", None),
        ("5 m", "n", None),  # the column says no unit
        ("5 a", "at_m", None),  # years are no metres
        ("12+1345", "at_m", None),
        ("12+345", "n", None),
        ("约50米", "at_m", None),
        ("50~60米", "at_m", None),
        ("0%", "design_return_period_a", None),
        ("inf", "at_m", None),
        ("nan", "at_m", None),
        ("", "at_m", None),
        ("米", "at_m", None),
    ],
)
def test_numbers(text: str, column: str, meant: float | None) -> None:
    assert values.number(text, column) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("一级", 1),
        ("2级堤防", 2),
        ("Ⅲ级", 3),
        ("十二级", 12),
        ("准保护区", 3),
        ("二级保护区", 2),
        ("1:2000", 2000),
        ("1：1万", 10_000),
        ("1:50,000", 50_000),
        ("一二级", None),
        ("级", None),
        ("half", None),
    ],
)
def test_whole_numbers_in_words(text: str, meant: int | None) -> None:
    assert values.integer(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("二〇二四年十月五日", "2024-10-05"),
        ("二○二○年十二月三十一日", "2020-12-31"),
        ("2024年1月2号", "2024-01-02"),
        ("二〇二四年十月", None),
        ("五月三日", None),
    ],
)
def test_days(text: str, meant: str | None) -> None:
    assert values.day(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("175.0m(1985国家高程基准)", (175.0, "1985国家高程基准")),
        ("85高程 12.3", (12.3, "1985国家高程基准")),
        ("172 吴淞", (172.0, "吴淞高程")),
        ("356.21(黄海)", (356.21, "黄海高程")),
        ("1956年黄海高程系 33.2", (33.2, "1956黄海高程系")),
        ("33.2", None),
        ("高(吴淞)", None),
    ],
)
def test_heights_with_the_words_for_what_they_count_from(text: str, meant: tuple[float, str] | None) -> None:
    assert values.level(text) == meant


@pytest.mark.parametrize(
    ("name", "base", "factor"),
    [
        ("起点桩号(km)", "起点桩号", 1000.0),
        ("起点桩号（米）", "起点桩号", 1.0),
        ("起点桩号 m", "起点桩号", 1.0),
        ("from_km", "from", 1000.0),
        ("area", "area", None),
        ("team", "team", None),
        ("m", "m", None),
        ("公告日期", "公告日期", None),
    ],
)
def test_headings(name: str, base: str, factor: float | None) -> None:
    assert values.heading(name) == (base, factor)


CHOICES = [(layer, c) for layer in layers.LAYERS.values() for c in layer.columns if c.choices]


@pytest.mark.parametrize(("layer", "column"), CHOICES, ids=[f"{la.name}.{c.name}" for la, c in CHOICES])
def test_law_a_word_means_one_code(layer: layers.Layer, column: layers.Column) -> None:
    """Codes and their labels are understood, and no word of the list stands for two codes of a column."""
    for code in column.choices:
        assert values.choice(layer.name, column, code) == code
        assert values.choice(layer.name, column, f" {code.upper()} ") == code
    table = values._import_words()["choices"]
    more = {**table.get(column.name, {}), **table.get(f"{layer.name}.{column.name}", {})}
    said = Counter(
        word
        for code, ws in more.items()
        if code in column.choices
        for word in {values.plain(w).lower() for w in (*ws, code)}
    )
    assert [w for w, n in said.items() if n > 1] == []


def test_every_word_stands_under_a_column_and_code_that_exist() -> None:
    columns = {c.name: c for layer in layers.LAYERS.values() for c in layer.columns if c.choices}
    for name, codes in values._import_words()["choices"].items():
        layer, _, column = name.rpartition(".")
        known = layers.layer(layer).column(column) if layer else columns[column]
        choices = {x for la in layers.LAYERS.values() for c in la.columns if c.name == column for x in c.choices}
        assert set(codes) <= (set(known.choices) if layer else choices), name
