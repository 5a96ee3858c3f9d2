"""Profiles are data that people write: every mistake in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rivergis import layers
from rivergis.errors import RuleError
from rivergis.intake import profile
from rivergis.settings import gis_dir

SOUND = {"target": "river", "source_layers": ["rivers"]}


def load(folder: Path, body: object) -> profile.Profile:
    (folder / "import_fields").mkdir(exist_ok=True)
    text = body if isinstance(body, str) else yaml.safe_dump(body, allow_unicode=True)
    (folder / "import_fields" / "x.yaml").write_text(text, encoding="utf-8")
    return profile.load("x", folder)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("a: [", "cannot be read as YAML"),
        ("just text", "a profile has 'about'"),
        ({"about": "x"}, "a profile has 'about'"),
        ({"about": "x", "mappings": [], "more": 1}, "a profile has 'about'"),
        ([{"target": "river"}], "needs target and source_layers"),
        ([{**SOUND, "wher": {}}], "not wher"),
        ([{**SOUND, "target": "rivers"}], "there is no layer 'rivers'"),
        ([{**SOUND, "fields": {"nmae": "NAME"}}], "river has no column 'nmae'"),
        ([{**SOUND, "fields": ["name"]}], "fields of river must be a dict"),
        ([{**SOUND, "code": "osm_id"}], "code of river must be a list"),
        ([{**SOUND, "constants": {"kind": "brook"}}], "river.kind = 'brook' is none of"),
        ([{**SOUND, "values": {"kind": {"1": "river", "2": "brook"}}}], "river.kind = 'brook' is none of"),
        ([{**SOUND, "values": {"kind": "river"}}], "must map source values"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, body: object, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence) as caught:
        load(tmp_path, {"about": "x", "mappings": body} if isinstance(body, list) else body)
    assert "x.yaml" in caught.value.sentence


def test_a_name_is_a_name_and_no_path(tmp_path: Path) -> None:
    (tmp_path / "import_fields").mkdir()
    (tmp_path / "y.yaml").write_text("about: x\nmappings: []\n")
    with pytest.raises(Exception, match="There is no import profile"):
        profile.load("../y", tmp_path)


def test_a_sound_profile(tmp_path: Path) -> None:
    body = {"about": "县水利局", "mappings": [{**SOUND, "where": {"KIND": "河流"}, "fields": {"name": "NAME|名称"}}]}
    [mapped] = load(tmp_path, body).mappings
    assert (mapped.where, mapped.fields) == ({"KIND": ("河流",)}, {"name": "NAME|名称"})


@pytest.mark.parametrize("name", sorted(p.stem for p in (gis_dir() / "rules" / "import_fields").glob("*.yaml")))
def test_those_that_come_with_the_project_are_sound_and_in_order(name: str) -> None:
    """What is referred to comes in before what refers to it."""
    mappings = profile.load(name, gis_dir() / "rules").mappings
    first = {}
    for i, m in enumerate(mappings):
        first.setdefault(m.target, i)
    for m in mappings:
        for column in layers.layer(m.target).columns:
            if column.refers in first:
                assert first[column.refers] <= first[m.target], f"{m.target} before {column.refers}"


def test_the_plain_profile_knows_every_layer_in_order() -> None:
    targets = [m.target for m in profile.plain().mappings]
    assert targets == list(layers.LAYERS)


def test_layers_are_taken_by_patterns_of_their_names() -> None:
    mapped = profile.Mapped("stake", ("JZD", "*界桩*"))
    assert mapped.takes("jzd") and mapped.takes("永川界桩成果") and not mapped.takes("JZX")


def test_a_profile_may_name_fields_to_drop(tmp_path: Path) -> None:
    [mapped] = load(tmp_path, {"about": "x", "mappings": [SOUND], "drop": ["Sm*"]}).mappings
    assert mapped.drop == ("Sm*",)
    with pytest.raises(RuleError, match="'drop'"):
        load(tmp_path, {"about": "x", "mappings": [SOUND], "drop": "Sm*"})


ALL = profile.load_all(gis_dir() / "rules")


@pytest.mark.parametrize(
    ("target", "layer", "columns", "name"),
    [
        ("stake", "Sheet1", ["界桩编号", "河流名称", "岸别", "X", "Y"], "gbk_survey"),
        ("stake", "JZD", ["JZH", "HLBM", "AB", "SmID"], "national"),
        ("boundary_line", "ATT_RVML_BASE", ["fid", "code", "RV_CODE"], "zhejiang"),
        ("outfall", "t", ["STCD", "STNM", "STTP", "LGTD", "LTTD"], "stations"),
        ("reach", "waterways", ["osm_id", "name", "waterway"], "osm"),
        ("stake", "t", ["a", "b"], None),
    ],
)
def test_the_profile_whose_fields_fit_is_named(target: str, layer: str, columns: list[str], name: str | None) -> None:
    assert profile.fitting(ALL[1:], target, layer, columns) == name


@pytest.mark.parametrize("of", ALL, ids=lambda p: p.name)
def test_every_required_column_has_a_source(of: profile.Profile) -> None:
    """A mapping that can never fill what its layer needs is no mapping."""
    for m in of.mappings:
        for column in layers.layer(m.target).columns:
            if column.required and of.name not in ("plain", "demo_county"):
                assert column.name in m.fields or column.name in m.constants, f"{m.target}.{column.name}"
