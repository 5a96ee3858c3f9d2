"""Base maps by configuration: what is refused before anything is fetched, and how an own vector file is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rivergis.errors import RuleError
from rivergis.maps import basemaps

GOOD: dict[str, Any] = {
    "id": "tianditu_vec", "zh": "天地图矢量", "en": "Tianditu", "kind": "tiles", "review": "GS(2024)0568号", "datum": "cgcs2000",
    "address": "https://t0.tianditu.gov.cn/vec_w/wmts?TILECOL={x}&TILEROW={y}&TILEMATRIX={z}&tk={key}", "zooms": [1, 18],
}  # fmt: skip


def put(folder: Path, *entries: Any) -> Path:
    file = folder / "basemaps.yaml"
    file.write_text(yaml.safe_dump(list(entries), allow_unicode=True), encoding="utf-8")
    return file


def test_there_are_none_by_default() -> None:
    assert basemaps.load(None) == ()


def test_a_base_map_keeps_what_was_written(tmp_path: Path) -> None:
    (base,) = basemaps.load(put(tmp_path, GOOD))
    assert (base.id, base.review, base.network, base.zooms, base.keyed) == (
        "tianditu_vec", "GS(2024)0568号", "internet", (1, 18), True,
    )  # fmt: skip
    assert base.key_name == "RIVERGIS_BASEMAP_KEY_TIANDITU_VEC"
    assert not base.shown and not base.public


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"datum": "gcj02"}, "GCJ-02"),
        ({"datum": ""}, "datum"),
        ({"review": ""}, "审图号"),
        ({"address": "https://{key}.example.cn/{z}/{x}/{y}.png"}, "fixed"),
        ({"address": "https://t{s}.example.cn/{z}/{x}/{y}.png"}, "fixed"),
        ({"address": "https://u:p@example.cn/{z}/{x}/{y}.png"}, "user name"),
        ({"address": "file:///etc/passwd?{z}{x}{y}"}, "http"),
        ({"address": "gopher://example.cn/{z}/{x}/{y}"}, "http"),
        ({"address": "https://example.cn/{z}/{x}.png"}, "{y}"),
        ({"address": "https://example.cn/{z}/{x}/{y}/{host}.png"}, "no other mark"),
        ({"id": "../x"}, "id"),
        ({"kind": "wms"}, "kind"),
        ({"network": "any"}, "network"),
        ({"zooms": [5, 2]}, "zooms"),
        ({"zooms": "1-18"}, "zooms"),
        ({"shown": "yes please"}, "shown"),
        ({"zh": ""}, "zh"),
        ({"tk": "secret"}, "not known"),
        ({"kind": "pmtiles", "file": "none.pmtiles"}, "PMTiles"),
        ({"kind": "imagery", "scene": "../x"}, "scene"),
    ],
)
def test_what_may_not_be_is_refused_with_its_entry(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(RuleError, match="entry 1") as refused:
        basemaps.load(put(tmp_path, {**GOOD, **change}))
    assert why in str(refused.value)


def test_ids_are_there_once(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="same id"):
        basemaps.load(put(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("text", ["a: 1", "- 1", "- [", "\x00"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "basemaps.yaml"
    file.write_text(text)
    with pytest.raises(RuleError, match=r"basemaps\.yaml"):
        basemaps.load(file)


def test_an_own_file_is_drawn_by_the_names_of_its_layers() -> None:
    drawn = basemaps.ground(["place", "roads", "water", "odd"], ["Noto Sans CJK SC"])
    assert [layer["type"] for layer in drawn] == ["fill", "line", "line", "line", "symbol"]
    assert drawn[0]["id"] == "water/area" and drawn[-1]["id"] == "place/name"
    assert len({layer["id"] for layer in drawn}) == len(drawn)
