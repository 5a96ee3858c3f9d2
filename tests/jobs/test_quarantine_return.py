"""What was set aside goes out whole, comes back corrected, is matched by its number, and is marked, never deleted."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from sqlalchemy import text

from rivergis.db import aside
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound, UsageError
from rivergis.intake import profile
from rivergis.jobs import aside_files, receive, returned
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
HERE = shapely.Point(587_399.8, 3_248_399.3)  # 105.9 E, 29.35 N in EPSG:4544


def bring(db: Database, path: Path, layer: str = "outfall", **more: Any) -> receive.ImportResult:
    options = receive.Options(namespace="n", **more)
    [result] = receive.import_file(db, layer, path, actor="t", profile=profile.plain(), options=options)
    assert result.count_in == result.imported + result.unchanged + result.quarantined + result.skipped
    return result


def back(db: Database, path: Path, **more: Any) -> receive.ImportResult:
    [result] = returned.take_back(db, path, actor="u", rules_dir=RULES, **more)
    assert result.count_in == result.imported + result.unchanged + result.quarantined + result.skipped
    return result


def traces(db: Database) -> list[int]:
    tables = ("data.outfall", "data.identity", "sys.import_record", "sys.quarantine", "sys.quarantine_event")
    with db.read() as conn:
        return [conn.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables]


def open_rows(db: Database, **more: Any) -> list[dict[str, Any]]:
    with db.read() as conn:
        return returned.listed(conn, **more)


@pytest.fixture
def three(db: Database, tmp_path: Path) -> Database:
    """One good outfall and three that were set aside: a wrong word, a wrong day, a place far off; all in EPSG:4544."""
    rows = [
        {"code": "a", "name": "甲", "status": "在用", "approved_on": "2024-01-02", "n": 1, "x": 0.1},
        {"code": "b", "name": "乙", "status": "half open", "approved_on": None, "n": 2, "x": None},
        {"code": "c", "name": "=丙", "status": "open", "approved_on": "next spring", "n": None, "x": 2.5},
        {"code": "d", "name": "丁", "status": "open", "approved_on": None, "n": 4, "x": 1e-7},
    ]
    shapes = [shapely.affinity.translate(HERE, 10 * i, 0) for i in range(3)] + [shapely.Point(5_873_998, 3_248_399)]
    more = pd.DataFrame([{"code": f"g{i}", "name": "x", "status": "open"} for i in range(8)])
    frame = pd.concat([pd.DataFrame(rows), more], ignore_index=True)
    shapes += [shapely.affinity.translate(HERE, 100 + 10 * i, 50) for i in range(8)]
    gpd.GeoDataFrame(frame, geometry=shapes, crs=4544).to_file(tmp_path / "o.gpkg", layer="outfall", engine="pyogrio")
    result = bring(db, tmp_path / "o.gpkg")
    assert (result.imported, sorted(a.code for a in result.set_aside)) == (
        9,
        ["outlier_vertex", "value_unknown", "value_wrong"],
    )
    return db


def corrected(path: Path) -> None:
    """The three mistakes corrected in the exported file, as a person with a spreadsheet or a GIS would."""
    if path.suffix == ".json":
        body = json.loads(path.read_text())
        for row in body:
            row["attributes"] |= {"b": {"status": "closed"}, "c": {"approved_on": "2025-03-01"}}.get(
                row["attributes"]["code"], {}
            )
            if row["attributes"]["code"] == "d":
                row["geom_wkt"] = "POINT (587399.8 3248399)"
        path.write_text(json.dumps(body, ensure_ascii=False))
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle))
        for row in rows:
            row |= {"b": {"status": "closed"}, "c": {"approved_on": "2025-03-01"}}.get(row["code"], {})
            if row["code"] == "d":
                row["geom_wkt"] = "POINT (587399.8 3248399)"
        with path.open("w", encoding="gb18030", newline="") as handle:  # as Excel in China saves it
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        frame = gpd.read_file(path)
        frame.loc[frame["code"] == "b", "status"] = "closed"
        frame.loc[frame["code"] == "c", "approved_on"] = "2025-03-01"
        frame.loc[frame["code"] == "d", "geometry"] = shapely.Point(587399.8, 3248399)
        path.unlink()
        frame.to_file(path, engine="pyogrio", **({"layer": "outfall"} if path.suffix == ".gpkg" else {}))


@pytest.mark.parametrize("ending", aside_files.ENDINGS)
def test_out_corrected_and_in_again_by_every_format(three: Database, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"aside{ending}"
    rows = open_rows(three)
    aside_files.write(path, rows)
    before = traces(three)
    untouched = back(three, path)
    assert (untouched.imported, untouched.quarantined) == (0, 3)
    assert traces(three) == before, "nothing corrected: nothing is written"

    corrected(path)
    assert back(three, path, dry_run=True).imported == 3 and traces(three) == before, "a dry run keeps nothing"
    done = back(three, path)
    assert (done.imported, done.quarantined, done.count_in) == (3, 0, 3)
    assert open_rows(three) == [] and len(open_rows(three, whole=True)) == 3, "marked, not deleted"
    with three.read() as conn:
        sources = dict(conn.execute(text("SELECT code, source FROM data.outfall WHERE code IN ('b', 'c', 'd')")).all())
        lon = conn.execute(text("SELECT ST_X(geom) FROM app.outfall WHERE code = 'd'")).scalar_one()
        how = aside.row(conn, rows[0]["id"])
    assert abs(lon - 105.9) < 1e-6
    assert sources["c"]["attributes"]["name"] == "=丙" and sources["c"]["crs"] == "EPSG:4544"
    assert (sources["b"]["attributes"]["n"], sources["d"]["attributes"]["x"]) == (2, 1e-7), "numbers stay numbers"
    assert how["state"] == "resolved" and how["closed_by"] == "u" and how["resolved_by"] is not None

    after = traces(three)
    again = back(three, path)
    assert (again.imported, again.unchanged, again.quarantined) == (0, 3, 0)
    assert traces(three) == after, "the same file again changes nothing"
    assert bring(three, tmp_path / "o.gpkg").known and traces(three) == after


def test_what_still_fails_keeps_its_place_and_says_what_is_wrong_now(three: Database, tmp_path: Path) -> None:
    path = tmp_path / "aside.json"
    aside_files.write(path, open_rows(three))
    body = json.loads(path.read_text())
    for row in body:
        if row["attributes"]["code"] == "b":
            row["attributes"] |= {"status": "open", "name": None}
    path.write_text(json.dumps(body))
    result = back(three, path)
    assert (result.imported, result.quarantined) == (0, 3)
    [b] = [r for r in open_rows(three) if r["attributes"]["code"] == "b"]
    assert (b["code"], b["state"]) == ("value_missing", "open") and b["attributes"]["name"] == "乙"
    before = traces(three)
    back(three, path)
    assert traces(three) == before


def test_a_part_may_come_back_and_the_rest_later(three: Database, tmp_path: Path) -> None:
    path = tmp_path / "aside.json"
    aside_files.write(path, open_rows(three))
    corrected(path)
    body = json.loads(path.read_text())
    path.write_text(json.dumps(body[:1]))
    assert back(three, path).imported == 1
    path.write_text(json.dumps(body))
    result = back(three, path)
    assert (result.count_in, result.imported, result.unchanged) == (3, 2, 1)
    with three.read() as conn:
        records = conn.execute(text("SELECT count(*) FROM sys.import_record WHERE options ? 'returned_from'")).scalar()
    assert records == 2


def test_numbers_that_are_not_of_this_quarantine_are_left_out_and_said(three: Database, tmp_path: Path) -> None:
    path = tmp_path / "aside.json"
    aside_files.write(path, open_rows(three))
    body = json.loads(path.read_text())
    wrong = [body[0] | {"id": i} for i in (999_999, "x", -1, body[0]["id"])]
    path.write_text(json.dumps([body[0], *wrong]))
    *_, left_out = returned.take_back(three, path, actor="u", rules_dir=RULES)
    assert [a.code for a in left_out.set_aside] == ["not_from_quarantine"] * 4 and left_out.quarantined == 4


@pytest.mark.parametrize(
    "body", ["", "{", "[1]", "{}", '[{"id": 1}]', '[{"id": 1, "attributes": {}, "geom_wkt": "POINT"}]']
)
def test_files_that_are_no_quarantine_are_one_sentence(three: Database, tmp_path: Path, body: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(body)
    try:
        assert returned.take_back(three, path, actor="u", rules_dir=RULES) == [] and body == "{}"
    except InputError as error:
        assert "\n" not in error.sentence
    with pytest.raises(InputError, match="has no field quarantine_id"):
        returned.take_back(three, tmp_path / "o.gpkg", actor="u", rules_dir=RULES)


def test_another_system_is_noticed(three: Database, tmp_path: Path) -> None:
    path = tmp_path / "aside.gpkg"
    aside_files.write(path, open_rows(three))
    frame = gpd.read_file(path).to_crs(4490)
    path.unlink()
    frame.to_file(path, layer="outfall", engine="pyogrio")
    assert {a.code for a in back(three, path).set_aside} == {"crs_changed"}


def test_dismissed_once_with_a_reason(three: Database) -> None:
    number = open_rows(three)[0]["id"]
    with pytest.raises(UsageError, match="--reason"):
        returned.dismiss(three, number, " ", "u")
    assert returned.dismiss(three, number, "delivered twice", "u") is True
    assert returned.dismiss(three, number, "again", "u") is False
    with three.read() as conn:
        row = aside.row(conn, number)
    assert (row["state"], row["closed_reason"], len(row["events"])) == ("dismissed", "delivered twice", 1)
    assert number not in [r["id"] for r in open_rows(three)]
    with pytest.raises(NotFound, match="There is no feature 999"):
        returned.dismiss(three, 999, "x", "u")


def test_a_table_is_corrected_in_its_own_columns(db: Database, tmp_path: Path) -> None:
    """A station list: the position is corrected where it was written, in the columns of longitude and latitude."""
    rows = ["code,name,lon,lat", *(f"s{i},x,{106 + i / 1000},29.4" for i in range(8)), "bad,x,1061.0,29.4"]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    result = bring(db, tmp_path / "t.csv", crs="EPSG:4490")
    assert (result.imported, result.quarantined) == (8, 1)
    path = tmp_path / "aside.csv"
    aside_files.write(path, open_rows(db))
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",1061.0,", ",106.1,"), encoding="utf-8")
    assert back(db, path).imported == 1
    with db.read() as conn:
        assert conn.execute(text("SELECT ST_X(geom) FROM app.outfall WHERE code = 'bad'")).scalar_one() == 106.1


def test_a_candidate_joins_the_delivery_it_was_missing_from(db: Database, tmp_path: Path) -> None:
    boxes = [shapely.box(106 + i / 100, 29.4, 106.001 + i / 100, 29.401) for i in range(3)]
    frame = gpd.GeoDataFrame(
        {"code": list("abc"), "kind": ["building", "building", "castle"], "source_kind": "x"}, geometry=boxes, crs=4490
    )
    frame.to_file(tmp_path / "c.gpkg", layer="candidate", engine="pyogrio")
    assert bring(db, tmp_path / "c.gpkg", "candidate", feed="province").quarantined == 1
    path = tmp_path / "aside.json"
    aside_files.write(path, open_rows(db))
    path.write_text(path.read_text().replace("castle", "dump"))
    assert back(db, path).imported == 1
    from datetime import date

    from rivergis.encroachment import night_store

    with db.read() as conn:
        today = conn.execute(text("SELECT app.today()")).scalar_one()
        assert isinstance(today, date)
        assert night_store.count_standing(conn, today, now_of(conn)) == 3


def test_events_only_grow(three: Database) -> None:
    returned.dismiss(three, open_rows(three)[0]["id"], "x", "u")
    with pytest.raises(Exception, match="append only"), three.write("u") as conn:
        conn.execute(text("DELETE FROM sys.quarantine_event"))
