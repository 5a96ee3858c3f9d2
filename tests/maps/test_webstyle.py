"""Styles for the web: every class of the palette is drawn, once, as the palette says; nothing in them names another machine."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import NotFound
from rivergis.maps import collections, palette, webstyle
from rivergis.maps.palette import Style

NAMES = list(collections.COLLECTIONS)
KINDS = {"Point": ["Point"], "Geometry": ["Point", "Polygon"], "MultiPolygon": ["MultiPolygon"]}


def said(expression: Any, feature: dict[str, Any]) -> Any:
    """What an expression of a style says of a feature: the few operators that our styles use."""
    if not isinstance(expression, list):
        return expression
    name, *parts = expression
    match name:
        case "literal":
            return parts[0]
        case "get":
            return feature.get(parts[0])
        case "has":
            return parts[0] in feature
        case "geometry-type":
            return feature["@shape"]
        case "to-string":
            value = said(parts[0], feature)
            return "" if value is None else str(value)
        case "to-number":
            return float(said(parts[0], feature) or 0)
        case ">":
            return said(parts[0], feature) > said(parts[1], feature)
        case "!":
            return not said(parts[0], feature)
        case "all":
            return all(said(p, feature) for p in parts)
        case "any":
            return any(said(p, feature) for p in parts)
        case "in":
            return said(parts[0], feature) in said(parts[1], feature)
        case "match":
            value, *cases, rest = parts
            for label, found in zip(cases[::2], cases[1::2], strict=True):
                if said(value, feature) in (label if isinstance(label, list) else [label]):
                    return said(found, feature)
            return said(rest, feature)
    raise AssertionError(f"styles of ours do not use {name}")


def drawn(name: str, feature: dict[str, Any], kind: str, signs: bool = True) -> list[dict[str, Any]]:
    layers = webstyle.style([name], signs=signs)["layers"]
    return [one for one in layers if one["type"] == kind and said(one["filter"], feature)]


def classes_of_lines() -> list[tuple[str, Style]]:
    found = [(n, s) for n in NAMES for s in webstyle.classes(n)]
    return [(n, s) for n, s in found if collections.collection(n).geometry != "Point"]


@pytest.mark.parametrize(("name", "style"), classes_of_lines(), ids=lambda v: v if isinstance(v, str) else v.code)
def test_each_class_is_one_line_in_its_colour(name: str, style: Style) -> None:
    feature = {"cls": style.code, "@shape": "LineString"}
    lines = drawn(name, feature, "line")
    assert len(lines) == (1 if style.width else 0)
    for line in lines:
        assert said(line["paint"]["line-color"], feature) == webstyle.rgba(style.stroke)
        assert ("line-dasharray" in line["paint"]) == bool(style.dash)


@given(st.text(max_size=20))
def test_a_class_that_nobody_knows_is_drawn_like_its_collection(code: str) -> None:
    for name in ("boundary_line", "reach", "source_zone", "finding"):
        known = {s.code for s in webstyle.classes(name)}
        feature = {"cls": code, "@shape": "Polygon"}
        if code not in known:
            (line,) = drawn(name, feature, "line")
            assert said(line["paint"]["line-color"], feature) == webstyle.rgba(palette.load().of(name).stroke)


@pytest.mark.parametrize("name", [n for n in NAMES if collections.collection(n).geometry in KINDS])
def test_what_stands_for_several_is_a_disc_with_its_number_and_nothing_else(name: str) -> None:
    heap = {"cls": webstyle.classes(name)[0].code, "n": 12, "@shape": "Point"}
    layers = [one for one in webstyle.style([name], signs=True)["layers"] if said(one["filter"], heap)]
    assert [one["id"] for one in layers if not one["id"].endswith("/name")] == [f"{name}/heap", f"{name}/heap-number"]
    single = {**heap, "n": 1}
    assert not any(one["id"].startswith(f"{name}/heap") for one in drawn(name, single, "circle"))


@pytest.mark.parametrize("name", [n for n in NAMES if collections.collection(n).geometry in ("Point", "Geometry")])
@pytest.mark.parametrize("signs", [True, False])
def test_a_point_has_one_sign(name: str, signs: bool) -> None:
    for style in webstyle.classes(name):
        feature = {"cls": style.code, "@shape": "Point"}
        found = [
            one for one in drawn(name, feature, "symbol" if signs else "circle", signs) if one["id"].endswith("/sign")
        ]
        assert len(found) == 1
        if signs:
            assert said(found[0]["layout"]["icon-image"], feature) == webstyle.sign_name(name, style)


def test_many_lines_in_one_are_lines() -> None:
    for line in drawn("reach", {"cls": "river", "n": 40, "@shape": "LineString"}, "line"):
        assert line["id"].startswith("reach/line")


def test_styles_name_no_machine_and_no_glyphs() -> None:
    style = webstyle.style(NAMES)
    text = json.dumps(style)
    assert not re.search(r"https?://|//\w", text)
    assert "glyphs" not in style and "sprite" not in style
    assert all(source["tiles"][0].startswith("/tiles/") for source in style["sources"].values())


def test_names_lie_on_top_and_the_rest_in_the_order_of_the_palette() -> None:
    layers = webstyle.style(list(reversed(NAMES)))["layers"]
    texts = [one["id"].endswith("/name") for one in layers]
    assert texts == sorted(texts)
    sources = list(dict.fromkeys(one["source"] for one in layers))
    assert sources == sorted(sources, key=palette.load().layers.index)


def test_hidden_collections_start_invisible_and_the_query_goes_with_each_tile() -> None:
    style = webstyle.style(["reach", "outfall"], hidden=("outfall",), query="day=2026-05-20")
    invisible = {one["source"] for one in style["layers"] if one.get("layout", {}).get("visibility") == "none"}
    assert invisible == {"outfall"}
    assert style["sources"]["reach"]["tiles"] == ["/tiles/reach/{z}/{x}/{y}.mvt?day=2026-05-20"]


def test_a_collection_that_is_not_served_is_refused() -> None:
    with pytest.raises(NotFound, match="volcano"):
        webstyle.style(["volcano"])


@given(st.integers(0, 255), st.integers(0, 255))
def test_colours_keep_what_they_are(red: int, alpha: int) -> None:
    told = webstyle.rgba(f"#{red:02x}0a0b{alpha:02x}")
    found = re.fullmatch(r"rgba\((\d+),10,11,([\d.e-]+)\)", told)
    assert found and int(found[1]) == red and abs(float(found[2]) * 255 - alpha) < 0.5
