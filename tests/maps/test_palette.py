"""The palette: shipped file complete and in the words of the catalogue, a bad one refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rivergis import layers, words
from rivergis.errors import NotFound, RuleError
from rivergis.maps import palette
from rivergis.settings import gis_dir

HEAD = "layer,code,zh,en,stroke,fill,dash,width,marker\n"
SAID_ELSEWHERE = {
    "finding": "class", "not_finding": "reason", "uncovered": "unseen", "boundary_line": "basis", "candidate": "kind",
    "admin_unit": "level", "source_zone": "zone_class",
}  # fmt: skip


def test_every_class_of_lead_has_a_colour() -> None:
    taxonomy = yaml.safe_load((gis_dir() / "rules" / "taxonomy.yaml").read_text(encoding="utf-8"))
    assert {("finding", code) for code in taxonomy["classes"]} <= set(palette.load().styles)


@pytest.mark.parametrize(("layer", "group"), SAID_ELSEWHERE.items())
def test_classes_are_called_what_the_catalogue_calls_them(layer: str, group: str) -> None:
    for (name, code), style in palette.load().styles.items():
        known = words.catalogue().get(f"{group}.{code}")
        if name == layer and code and known:
            assert (style.zh, style.en) == known


def test_every_reason_not_to_tell_or_not_to_see_has_a_style() -> None:
    wanted = {(layer, key.split(".")[1]) for layer in ("not_finding", "uncovered") for key in words.catalogue()
              if key.startswith(SAID_ELSEWHERE[layer] + ".")}  # fmt: skip
    assert wanted <= set(palette.load().styles)


def test_layers_with_geometry_can_be_drawn() -> None:
    drawn = set(palette.load().layers)
    assert {name for name, layer in layers.LAYERS.items() if layer.geometry} - {"axis"} <= drawn


def test_leads_lie_above_lines_and_lines_above_areas() -> None:
    order = palette.load().layers
    assert order.index("admin_unit") < order.index("water_area") < order.index("boundary_line") < order.index("finding")


def test_a_class_without_a_row_takes_the_style_of_its_layer() -> None:
    book = palette.load()
    assert book.of("finding", "brand.new_subtype") == book.of("finding")


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(NotFound, match="volcano"):
        palette.load().of("volcano")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("reach,,河段,reaches,blue,,,2,", "'blue' is not a colour"),
        ("reach,,河段,reaches,#2e86b5,,dashed,2,", "'dashed' must be whole pixels"),
        ("reach,,河段,reaches,#2e86b5,,,thick,", "the width a number"),
        ("reach,,河段,reaches,#2e86b5,,,2,star", "'star' is not one of"),
        ("reach,,,reaches,#2e86b5,,,2,", "must be filled"),
        ("reach,river,河流,river,#2e86b5,,,2,", "no row of its own"),
        ("reach,,河段,reaches,#2e86b5,,,2,\nreach,,河段,reaches,#2e86b5,,,2,", "line 3: reach  stands there twice"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, row: str, said: str) -> None:
    file = tmp_path / "classes.csv"
    file.write_text(HEAD + row + "\n", encoding="utf-8")
    with pytest.raises(RuleError, match=said):
        palette.load(file)
