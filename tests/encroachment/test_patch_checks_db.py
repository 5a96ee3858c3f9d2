"""Forms of patches filled in by people: checks become moves of leads, reviews are another person's (see patch_ground)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment import patch_check_workflow, patch_files
from rivergis.intake import profile as profiles
from rivergis.intake.delivery import Asked
from tests.encroachment.patch_ground import (
    RULES,
    at,
    counts,
    delivery,
    export,
    listed,
    measure,
    night,
    office,
    river,
    take,
    values,
)
from tests.intake.test_photo import gps, picture

ALL = frozenset({"inspect", "review_findings"})


@pytest.fixture
def ground(db: Database) -> Database:
    river(db)
    office(db)
    return db


def give_back(
    db: Database, path: Path, folder: Path, who: str, may: frozenset[str] = ALL
) -> patch_check_workflow.TakenOver:
    asked = Asked(None, "EPSG:4490" if path.suffix in (".xlsx", ".csv") else None, None, None)
    read = patch_files.read(path, profiles.load("patches", RULES), asked)
    return patch_check_workflow.take_over(
        db, "2026-1", read, actor=who, may=may, photos=folder / "photos", store_dir=folder / "store", shown_m=100
    )


def test_a_form_filled_in_becomes_moves_by_who_fills_it(ground: Database, tmp_path: Path) -> None:
    store = tmp_path / "store"
    take(ground, delivery(tmp_path / "in", ".xlsx"), store)
    night(ground, tmp_path)
    told = listed(ground)["A"]
    assert told.state == "found" and told.filled["built_period"], "the night told it, and its verdict is in the form"
    export(ground, tmp_path / "form.xlsx", store)
    photos = tmp_path / "photos"
    photos.mkdir()
    lon, lat = gpd.GeoSeries([at(110, 60)], crs=4544).to_crs(4326).iloc[0].coords[0]
    picture(photos / "A1.jpg", gps(lon, lat))
    filled = fill(
        tmp_path / "form.xlsx",
        A={"核查结论": "③问题·历史碍洪（挂账监管）", "核查说明": "1995年建成", "佐证材料": "A1.jpg", "核查人": "张三"},
        B={"核查结论": "9", "核查说明": "？"},
        C={"核查结论": 1},
        D={"核查结论": "不是问题", "核查说明": "界外"},
    )
    there = counts(ground)
    refused = give_back(ground, filled, tmp_path, "zhang", frozenset({"review_findings"}))
    assert len(refused.refused) == 4 and counts(ground) == there, "to check takes the capability inspect"
    done = give_back(ground, filled, tmp_path, "zhang")
    assert (done.checked, done.moved, done.reviewed) == (2, 1, 0)
    assert {r.patch_no for r in done.refused} == {"B", "C"} and "9" in done.refused[0].why
    found = listed(ground)
    assert (found["A"].state, found["A"].outcome, found["D"].state) == ("historic_listed", 3, "not_a_problem")
    assert done.without_photo == ["D"]
    with ground.read() as conn:
        events = conn.execute(text("SELECT move, actor, attachment_sha256 FROM data.finding_event")).all()
        evidence = conn.execute(text("SELECT kind, file_path FROM data.evidence WHERE kind = 'photo'")).all()
    assert [(m, a) for m, a, _ in events] == [("judge_historic_listed", "zhang")] and events[0][2]
    assert len(evidence) == 1 and (store / evidence[0][1]).exists()
    there = counts(ground)
    again = give_back(ground, filled, tmp_path, "li")
    assert (again.checked, again.unchanged) == (0, 2) and counts(ground) == there
    export(ground, tmp_path / "back.xlsx", store)
    back = {r["图斑编号"]: r for r in values(tmp_path / "back.xlsx")}
    assert (back["A"]["核查结论"], back["A"]["核查人"], back["A"]["佐证材料"]) == (3, "张三", "A1.jpg")
    assert take(ground, tmp_path / "back.xlsx", store).known, "decisions of people are no correction of the batch"
    assert give_back(ground, tmp_path / "back.xlsx", tmp_path, "wang").checked == 0


def test_a_review_is_another_persons(ground: Database, tmp_path: Path) -> None:
    take(ground, delivery(tmp_path / "in", ".xlsx"), tmp_path / "store")
    measure(ground)
    export(ground, tmp_path / "form.xlsx", tmp_path / "store")
    checked = {"核查结论": "1", "核查说明": "界外", "核查人": "张三"}
    form = fill(tmp_path / "form.xlsx", D=checked | {"复核人": "李四"})
    own = give_back(ground, form, tmp_path, "zhang")
    assert (own.checked, own.reviewed) == (1, 0) and len(own.refused) == 1
    other = give_back(ground, form, tmp_path, "li")
    assert (other.checked, other.reviewed, other.refused) == (0, 1, [])
    assert give_back(ground, form, tmp_path, "li").unchanged == 1
    same_name = fill(tmp_path / "form.xlsx", C=checked | {"复核人": "张三"})
    give_back(ground, same_name, tmp_path, "zhang")
    assert give_back(ground, same_name, tmp_path, "li").reviewed == 0, "the form itself names one person for both"


@pytest.mark.parametrize("reviewer", [" 张　三", "张 三", "ZHANG", "zhang"])
def test_a_person_is_one_however_the_name_is_typed(ground: Database, tmp_path: Path, reviewer: str) -> None:
    """Blanks and full-width letters make no other person; nor does the name of who filled in the check."""
    take(ground, delivery(tmp_path / "in", ".xlsx"), tmp_path / "store")
    measure(ground)
    export(ground, tmp_path / "form.xlsx", tmp_path / "store")
    said = {"核查结论": "1", "核查说明": "界外", "核查人": "张三", "复核人": reviewer}
    form = fill(tmp_path / "form.xlsx", D=said)
    assert give_back(ground, form, tmp_path, "zhang").checked == 1
    other = give_back(ground, form, tmp_path, "li")
    assert other.reviewed == 0 and len(other.refused) == 1


def fill(path: Path, **by_patch: dict[str, Any]) -> Path:
    """A copy of a form with cells filled in by hand; columns that are not there yet are added."""
    out = path.with_name(f"filled-{'-'.join(by_patch)}{path.suffix}")
    shutil.copyfile(path, out)
    book = openpyxl.load_workbook(out)
    sheet = book.worksheets[0]
    for number, said in by_patch.items():
        for name, value in said.items():
            heads = {c.value: c.column for c in sheet[2]}
            column = heads.get(name) or sheet.max_column + 1
            sheet.cell(2, column, name)
            row = next(r for r in range(3, sheet.max_row + 1) if sheet.cell(r, heads["图斑编号"]).value == number)
            sheet.cell(row, column, value)
    book.save(out)
    return out
