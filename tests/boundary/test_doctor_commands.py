"""``rivergis boundary check`` as an office calls it, and the doctor on drafts and on the law of the database."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from click.testing import CliRunner

from rivergis import rules
from rivergis.boundary.doctor import workflow as doctor_workflow
from rivergis.boundary.doctor.examine import examine
from rivergis.boundary.law.edit import Edit
from rivergis.cli import boundary_check
from rivergis.db.connect import Database
from rivergis.errors import NotFound, UsageError
from rivergis.settings import gis_dir
from tests.boundary.doctor_ground import changed, path, rows, world
from tests.boundary.draft_ground import DAY, ground, line, of, opened, put
from tests.boundary.test_doctor_others import write

NARROW = ((0.0, 100.0), (900.0, 100.0), (1000.0, 60.0), (1100.0, 100.0), (2000.0, 100.0))


def asked(folder: Path, *more: str) -> list[str]:
    files = [
        a for n in ("reaches", "levees", "water", "stakes", "counties") for a in (f"--{n}", str(folder / f"{n}.gpkg"))
    ]
    return [str(folder / "lines.gpkg"), *files, "--params", str(folder / "params.json"), *more]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(boundary_check.check, list(arguments), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return int(done.return_value or 0), done.output


def test_a_delivery_is_checked_and_the_report_written(tmp_path: Path) -> None:
    write(tmp_path, world(changed("r1l", geometry=rows()["r1l"]["geometry"].reverse())), "EPSG:4547", {})
    code, said = run(
        *asked(
            tmp_path, "--fail-on", "blocks", "--out", str(tmp_path / "r.json"), "--repairs", str(tmp_path / "fix.gpkg")
        )
    )
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert code == 1 and "走向相反" in said and "未给前一版本" in said
    assert [d["code"] for d in told["defects"]] == ["order_reversed"] and told["defects"][0]["repair"]["sentence"]
    assert "proposals" in set(gpd.list_layers(tmp_path / "fix.gpkg")["name"])
    page = tmp_path / "r.html"
    assert run(*asked(tmp_path, "--out", str(page)))[0] == 0
    assert "走向相反" in page.read_text(encoding="utf-8")


def test_nothing_to_tell_is_no_failure(tmp_path: Path) -> None:
    write(tmp_path, world(), "EPSG:4490", {})
    assert run(*asked(tmp_path, "--fail-on", "advises"))[0] == 0


def test_lines_without_reaches_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--reaches"):
        run(str(tmp_path / "lines.gpkg"))
    with pytest.raises(UsageError, match="INPUT=LAYER"):
        run(str(tmp_path / "lines.gpkg"), "--reaches", "r.gpkg", "--layer", "river=x")


def test_lines_that_name_only_a_river_are_judged_along_all_its_reaches(tmp_path: Path) -> None:
    """R1 and R2 as one river with one line a bank: no reach is missing, and the fault is told along the river."""
    from rivergis.boundary.doctor import files as doctor_files
    from tests.boundary.doctor_ground import _view, levee_side
    from tests.boundary.doctor_ground import line as row

    named = [
        row(
            "left", "", "L", path((0, 35), (3200, 35), (3240, 5), (3300, 5), (3340, 35), (4000, 35)), river_code="MAIN"
        ),
        row(
            "right",
            "",
            "R",
            path(*[(x - 500_000, y - 3_370_000) for x, y in levee_side().coords], (4000, -35)),
            river_code="MAIN",
        ),
    ]
    case = world([{**r, "reach_id": None} for r in named], areas=None)
    case.lines.drop(columns=["given", "given_crs", "file", "row", "rule_m", "drawn_by", "from_m", "to_m"]).to_file(
        tmp_path / "lines.gpkg", layer="lines"
    )
    case.reaches.assign(river_code=["MAIN", "MAIN", "SIDE"]).to_file(tmp_path / "reaches.gpkg", layer="reaches")
    case.water.assign(river_code=["MAIN", "MAIN", "SIDE"]).to_file(tmp_path / "water.gpkg", layer="water")
    read = doctor_files.read(
        doctor_files.Files([tmp_path / "lines.gpkg"], tmp_path / "reaches.gpkg", water=tmp_path / "water.gpkg"), _view()
    )
    found = {(d.code, d.reach, d.severity) for d in examine(read)}
    assert found == {("water_not_inside", "MAIN", "blocks"), ("reach_without_line", "SIDE", "advises")}


def test_a_draft_is_compared_with_the_law_it_would_replace(db: Database) -> None:
    ground(db)
    opened(db)
    book = rules.load(gis_dir() / "rules")
    with db.read() as conn:
        assert [d.code for d in doctor_workflow.examine_draft(conn, "D1", book)] == []
    put(db, 1, Edit("put", of(db, "left")["segment_id"].iloc[0], geom=line(*NARROW)))
    with db.read() as conn:
        found = doctor_workflow.examine_draft(conn, "D1", book)
        with pytest.raises(NotFound):
            doctor_workflow.examine_draft(conn, "D9", book)
    assert [(d.code, d.side) for d in found] == [("shrunk_against_former", "left")]
    assert found[0].measure == pytest.approx(40, abs=1)


def test_what_is_in_force_is_checked_in_the_database(db: Database) -> None:
    view = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), DAY)
    with db.read() as conn:
        assert doctor_workflow.case_in_force(conn, view, (), None) is None
    ground(db)
    with db.read() as conn:
        case = doctor_workflow.case_in_force(conn, view, (), None)
        assert case is not None and examine(case) == []
        assert doctor_workflow.case_in_force(conn, view, ("nowhere",), None) is None
    reversed_ = replace(case, lines=case.lines.assign(bank=case.lines["bank"].map({"left": "right", "right": "left"})))
    assert [d.code for d in examine(reversed_)] == ["bank_swapped"]
