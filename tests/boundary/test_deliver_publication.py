"""Publication bundles: whole or void; without a number no map, no shape, no coordinate; only attributes that may go out."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.boundary.delivery import publication
from rivergis.boundary.delivery.publication import Limits
from rivergis.boundary.delivery.publication_workflow import Held
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.reports import boundary_publication
from rivergis.reports.boundary_map import Sheet
from rivergis.reports.boundary_publication import Said
from tests.boundary.deliver_ground import TERMS, VIEW, areas, asked, delivery, lines

LIMITS = Limits(25.0, 5000.0, True)
DAY = date(2026, 6, 1)
PUBLIC = frozenset(VIEW.value("publish.attributes").value)


def held(standing: str = "in_force", **more: Any) -> Held:
    act = {
        "boundary_id": "1", "boundary_version": 1, "code": "V1", "river_code": "R1", "river": "甲河", "line_type": "management",
        "basis": "announced", "standing": standing, "announce_gov": "试验县", "announce_doc_no": "1号", "announced_on": DAY, "lines_sha256": "0" * 64,
    }  # fmt: skip
    return Held(pd.DataFrame([act]), delivery(**more), DAY, datetime(2026, 6, 1, tzinfo=UTC))


def said(review_no: str | None = "渝S(2026)001号", **more: Any) -> Said:
    return Said("GG-1", "甲河管理范围公告图", DAY, review_no, **more)


def made(
    folder: Path, of: Held | None = None, what: Said | None = None, formats: tuple[str, ...] = ("gpkg", "xlsx", "txt")
) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    how = asked(formats=formats, columns=PUBLIC, made_at=datetime(2026, 6, 1, tzinfo=UTC))
    return boundary_publication.make(of or held(), what or said(), TERMS, how, Sheet(), LIMITS, folder)


@pytest.fixture(scope="module")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p") / "bundle"
    made(folder)
    return folder


def test_a_bundle_says_what_it_is_and_stands(bundle_folder: Path) -> None:
    manifest, faults = boundary_publication.verify(bundle_folder)
    assert faults == [] and manifest["kind"] == "map" and manifest["review_no"] == "渝S(2026)001号"
    assert {f["path"] for f in manifest["files"]} == {
        "SHA256SUMS",
        "announcement.xlsx",
        "coordinates.xlsx",
        "map.pdf",
        "metadata.txt",
        "result.gpkg",
    }
    west, south, east, north = manifest["extent"]
    assert 105.9 < west < east < 106.1 and 29.3 < south < north < 29.5
    assert manifest["contiguous_km2"] == pytest.approx(0.084, rel=0.01) and manifest["scale_denominator"] == 2000


def test_a_zip_is_the_same_and_its_bytes_are_fixed(bundle_folder: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        boundary_publication.pack(bundle_folder, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert boundary_publication.verify(tmp_path / "a.zip") == boundary_publication.verify(bundle_folder)


FILES = [
    "SHA256SUMS",
    "announcement.xlsx",
    "coordinates.xlsx",
    "manifest.json",
    "map.pdf",
    "metadata.txt",
    "result.gpkg",
]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_any_byte_that_changes_makes_it_void(bundle_folder: Path, name: str, at: float, by: int) -> None:
    path = bundle_folder / name
    whole = path.read_bytes()
    place = int(at * len(whole))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ by]) + whole[place + 1 :])
    try:
        manifest, faults = boundary_publication.verify(bundle_folder)
        # white space between the parts of the manifest says nothing
        assert faults or (name == "manifest.json" and manifest == json.loads(whole))
    finally:
        path.write_bytes(whole)


def test_a_file_more_or_less_and_a_number_that_was_rewritten_are_told(bundle_folder: Path) -> None:
    extra, table, manifest = (bundle_folder / n for n in ("more.txt", "announcement.xlsx", "manifest.json"))
    extra.write_text("x")
    kept = table.read_bytes()
    table.unlink()
    told = boundary_publication.sentences(boundary_publication.verify(bundle_folder)[1])
    assert any("announcement.xlsx 缺失" in t for t in told) and any("more.txt 不属于" in t for t in told)
    extra.unlink()
    table.write_bytes(kept)
    before = manifest.read_text(encoding="utf-8")
    manifest.write_text(before.replace("001号", "002号"), encoding="utf-8")
    assert [f.code for f in boundary_publication.verify(bundle_folder)[1]] == ["manifest_changed"]
    manifest.write_text(before, encoding="utf-8")
    assert boundary_publication.verify(bundle_folder)[1] == []


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError, match="no publication"):
        boundary_publication.verify(tmp_path / "x.txt")
    assert [f.code for f in boundary_publication.verify(tmp_path)[1]] == ["no_manifest"]
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../evil.txt", "x")
    with pytest.raises(InputError, match="evil"):
        boundary_publication.verify(tmp_path / "bad.zip")


def test_without_a_number_there_are_tables_only(tmp_path: Path) -> None:
    manifest = made(tmp_path / "b", what=said(None))
    assert manifest["kind"] == "tables" and manifest["extent"] is None
    assert sorted(p.name for p in (tmp_path / "b").iterdir()) == ["SHA256SUMS", "announcement.xlsx", "manifest.json"]
    book = openpyxl.load_workbook(tmp_path / "b/announcement.xlsx")
    cells = [str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert any("试府发〔2026〕1号" in c for c in cells) and "0+000" in cells and "2+100" in cells
    assert not any(re.search(r"\b(10[56]\.\d+|29\.3\d+|325\d{4}|59[79]\d{3})", c) for c in cells)
    with pytest.raises(UsageError, match="--review-no is empty"):
        made(tmp_path / "c", what=said(" "))
    with pytest.raises(UsageError, match="is no code"):
        made(tmp_path / "d", what=replace(said(), code="a b"))


def test_only_attributes_that_may_go_out_do(tmp_path: Path) -> None:
    told = held()
    secret = lines(
        flood_level_m=187.65, vertical_datum="1985国家高程基准", xy_error_m=0.123, reservoir_capacity="5000万"
    )
    told = replace(told, delivery=replace(told.delivery, lines=secret))
    made(tmp_path / "b", told, formats=("gpkg", "shp", "xlsx", "txt", "dxf"))
    for layer in ("JZX", "GLFWM", "JZD"):
        assert set(gpd.read_file(tmp_path / "b/result.gpkg", layer=layer).columns) - {"geometry"} <= PUBLIC
    assert not (tmp_path / "b/shp/JZ.shp").exists()
    for path in (tmp_path / "b").rglob("*"):
        if path.suffix in (".txt", ".dbf", ".dxf", ".json"):
            body = path.read_bytes()
            assert b"187.65" not in body and "1985国家高程基准".encode() not in body and b"0.123" not in body, path.name


def test_lines_that_are_not_announced_and_in_force_are_not_published(tmp_path: Path) -> None:
    for standing in ("draft", "announced", "superseded", "revoked"):
        with pytest.raises(NotPermitted, match="V1 is"):
            made(tmp_path / standing, held(standing))


def test_wide_ground_at_a_large_scale_needs_somebody_to_answer() -> None:
    assert publication.check_secrecy(24.9, 2000, LIMITS, None) is None
    assert publication.check_secrecy(900.0, 5000, LIMITS, None) is None
    assert publication.check_secrecy(900.0, None, LIMITS, None) is None
    for confirmed in (None, "  "):
        with pytest.raises(NotPermitted, match=r"30\.0 km2 of contiguous ground at 1:2000"):
            publication.check_secrecy(30.0, 2000, LIMITS, confirmed)
    assert "confirmed by 市局, 1号" in str(publication.check_secrecy(30.0, 2000, LIMITS, "市局, 1号"))


def test_contiguous_ground_is_that_of_the_largest_piece() -> None:
    two = pd.concat([areas(), areas().translate(0.5, 0).to_frame("geometry")], ignore_index=True)
    one = publication.contiguous_km2(areas())
    assert publication.contiguous_km2(gpd.GeoDataFrame(two, crs=4490)) == pytest.approx(one)
    touching = gpd.GeoDataFrame(
        geometry=[shapely.box(106, 29, 106.1, 29.1), shapely.box(106.1, 29, 106.2, 29.1)], crs=4490
    )
    assert publication.contiguous_km2(touching) == pytest.approx(
        2 * publication.contiguous_km2(touching.iloc[:1]), rel=1e-6
    )


@given(st.permutations([0, 1, 2]))
def test_the_hash_of_lines_knows_no_order_and_sees_every_change(order: list[int]) -> None:
    act = {"code": "V1", "basis": "announced", "announced_on": DAY}
    one = publication.lines_sha256(act, lines(), areas())
    assert publication.lines_sha256(act, lines().iloc[order], areas()) == one
    moved = lines()
    moved.loc[1, "geometry"] = shapely.transform(moved.geometry.iloc[1], lambda xy: xy + 1e-9)
    assert publication.lines_sha256(act, moved, areas()) != one
    assert publication.lines_sha256(act, lines(bank=["left", "left", "left"]), areas()) != one
    assert publication.lines_sha256({**act, "announced_on": date(2026, 6, 2)}, lines(), areas()) != one
