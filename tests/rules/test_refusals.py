"""Every malformed rule file is refused at load with one sentence that names file, key and what to do."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rivergis import rules
from rivergis.errors import RuleError
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path / "rules"


def edit(folder: Path, change: dict[str, Any], file: str = "chongqing/boundary.yaml", drop: str | None = None) -> None:
    path = folder / file
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    row = {**body["rules"][0], **change}
    if drop:
        row.pop(drop)
    body["rules"].append(row)
    path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize(
    ("label", "change", "drop", "sentence"),
    [
        (
            "unknown key",
            {"key": "boundary.berm"},
            None,
            r"chongqing/boundary\.yaml: the key 'boundary\.berm' is not known",
        ),
        ("wrong unit", {"unit": "day"}, None, "has the unit 'day', but 'year' is registered"),
        ("out of range", {"value": 5000}, None, "lies outside 1 to 1000 year"),
        ("text for a number", {"value": "twenty"}, None, "must be of type number"),
        (
            "min above max",
            {"key": "boundary.stake.spacing.base", "unit": "m", "value": {"min": 200, "max": 100}},
            None,
            "has min 200 above max 100",
        ),
        ("no basis", {}, "basis", "'basis' is a required property"),
        ("no authority", {}, "competent_authority", "'competent_authority' is a required property"),
        ("an action that is not ours", {"our_action": "罚款"}, None, "'罚款' is not one of"),
        ("no status", {}, "status", "'status' is a required property"),
        ("unknown status", {"status": "sure"}, None, "'sure' is not one of"),
        ("stray field", {"threshold": 1}, None, "Additional properties are not allowed"),
        (
            "dates the wrong way round",
            {"valid_from": date(2026, 1, 1), "valid_to": date(2025, 1, 1)},
            None,
            "correct the dates",
        ),
        ("two rows for one case", {}, None, "has two rows in force at the same time for 500000"),
        (
            "not for a lower layer to say",
            {"key": "publish.require_review_number", "unit": None, "value": False},
            None,
            "may not be overridden below the national layer",
        ),
        ("a fact nobody knows", {"applies_to": {"plan": "other"}}, None, "applies to the unknown fact 'plan'"),
        (
            "a value the fact never has",
            {"applies_to": {"plan_area": "main-city"}},
            None,
            "applies to plan_area 'main-city', which is none of",
        ),
        (
            "two rows that one case meets equally well",
            {"applies_to": {"plan_area": ["main_city", "other"]}},
            None,
            "has two rows in force at the same time for 500000 and one case",
        ),
        (
            "two conditions that one levee can meet both",
            {"applies_to": {"levee_name": "洪泽湖"}},
            None,
            "or one of them a further condition",
        ),
        (
            "a word that is none of the choices",
            {"key": "publish.mode", "unit": None, "value": "open"},
            None,
            r"none of \['internal', 'public'\]",
        ),
        (
            "min and max that are not numbers",
            {"key": "boundary.stake.spacing.base", "unit": "m", "value": {"min": "a", "max": 100}},
            None,
            "not both numbers",
        ),
        ("a broken pattern", {"key": "code.reach_pattern", "unit": None, "value": "("}, None, "is not a valid pattern"),
    ],
)
def test_malformed_rows(folder: Path, label: str, change: dict[str, Any], drop: str | None, sentence: str) -> None:
    if change.get("unit", "") is None:
        change, drop = {k: v for k, v in change.items() if k != "unit"}, "unit"
    edit(folder, change, drop=drop)
    with pytest.raises(RuleError, match=sentence):
        rules.load(folder)


@pytest.mark.parametrize(
    ("label", "file", "old", "new", "sentence"),
    [
        ("not YAML", "tibet/boundary.yaml", "rules:", "rules: [", r"tibet/boundary\.yaml: not valid YAML at line"),
        ("a value given twice", "guangzhou/patrol.yaml", "value: 10", "value: 10\n    value: 20", "'value' stands twice"),
        ("a month 13", "guangzhou/patrol.yaml", "2021-07-01", "2021-13-01", "month must be in 1..12"),
        ("a date in words", "guangzhou/patrol.yaml", "2021-07-01", "'summer'", "valid_from .* is wrong: 'summer'"),
        ("a day with an hour", "guangzhou/patrol.yaml", "2021-07-01", "2021-07-01 10:00:00", "valid_from .* is wrong"),
        ("an hour on a date", "national/encroachment.yaml", "1988-06-10", "1988-06-10 10:00:00", "cut_1 must be of type date"),
        ("yes for a number", "national/personal_data.yaml", "value: 730", "value: true", "must be of type integer"),
        ("a row that is a word", "guangzhou/patrol.yaml", "rules:", "rules:\n  - x", r"rules\.0 is wrong"),
        ("an unquoted adcode", "jurisdictions.yaml", "'000000'", "000000", "jurisdictions.yaml: the file is wrong: '0'"),
        ("a place without a folder", "jurisdictions.yaml", "folder: tibet, ", "", "'folder' is a required property"),
        ("a folder nobody claims", "jurisdictions.yaml", "folder: tibet", "folder: tibett", "tibet/boundary.yaml: no jur"),
        ("a place without files", "jurisdictions.yaml", "'540000'", "'630000': {folder: qinghai, zh: 青海省, en: Qinghai}\n'540000'", "'qinghai' for 630000, but it holds no rule file"),
        ("an unknown type", "schema.yaml", 'type: "regex", zh: "河段', 'type: "re", zh: "河段', "code.reach_pattern.type is wrong"),
        ("no shapes", "schema.yaml", "shapes:", "shape:", "'shapes' is a required property"),
        ("a class without clause", "taxonomy.yaml", "clause: 《防洪法》第二十三条, ", "", "'clause' is a required property"),
        ("a class nobody defined", "taxonomy.yaml", "quarry: extraction.no_permit", "quarry: extraction", "the unknown class 'extraction'"),
        ("no unknown kind", "taxonomy.yaml", "  unknown: other.unknown\n", "", "'unknown' is a required property"),
        ("a question without class", "taxonomy.yaml", "  outfall.position: outfall.position\n", "", "'outfall.position' is a required property"),
    ],
)  # fmt: skip
def test_malformed_files(folder: Path, label: str, file: str, old: str, new: str, sentence: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RuleError, match=sentence):
        rules.load(folder)


@pytest.mark.parametrize(
    ("label", "file", "body", "sentence"),
    [
        ("empty", "guangzhou/patrol.yaml", b"", r"guangzhou/patrol\.yaml is missing or holds no mapping"),
        ("GBK", "guangzhou/patrol.yaml", "ruleset: 广州".encode("gbk"), "is not UTF-8: save it as UTF-8"),
        ("a folder that was never registered", "hubei/patrol.yaml", b"rules: []", "add a line to jurisdictions.yaml"),
        ("another ending", "tibet/patrol.yml", b"rules: []", "rule files end in .yaml"),
        ("no registry", "schema.yaml", b"", r"schema\.yaml is missing"),
        ("no taxonomy", "taxonomy.yaml", b"", r"taxonomy\.yaml is missing"),
    ],
)
def test_files_that_are_no_rule_files(folder: Path, label: str, file: str, body: bytes, sentence: str) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(body)
    with pytest.raises(RuleError, match=sentence):
        rules.load(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="There is no folder of rules at"):
        rules.load(tmp_path / "rules")


def test_a_quoted_date_is_a_date(folder: Path) -> None:
    path = folder / "guangzhou" / "patrol.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("2021-07-01", '"2021-07-01"'), encoding="utf-8")
    assert rules.load(folder).rows() == rules.load(RULES).rows()


def test_an_older_row_with_its_end_may_stand_beside_the_newer(folder: Path) -> None:
    edit(folder, {"value": 50, "valid_from": date(2000, 1, 1), "valid_to": date(2011, 12, 31)})
    book, path = rules.load(folder), rules.path_of("500199")
    for day, years in ((date(2011, 12, 31), 50), (date(2012, 1, 1), 100)):
        assert book.at(path, day).number("boundary.unleveed.return_period", plan_area="main_city") == years


def test_any_edit_changes_the_version(folder: Path) -> None:
    path = folder / "tibet" / "boundary.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("value: 50", "value: 51", 1), encoding="utf-8")
    assert rules.load(folder).version != rules.load(RULES).version
