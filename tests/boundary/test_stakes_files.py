"""Stakes from the files of a survey office: GBK Shapefiles and a DEM in; table, drawing, receiver and map out."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import ezdxf
import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from pyproj import CRS
from rasterio.transform import from_origin

from rivergis.boundary.stake import sight
from rivergis.cli import boundary_stakes
from rivergis.errors import InputError, UsageError
from rivergis.maps import stakes_field
from rivergis.river.terrain import Dem
from tests import tiny
from tests.boundary import stake_ground as sg

X, Y = tiny.EAST, tiny.NORTH


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 km of a river in two reaches: announced lines (the downstream half drawn upstream), a county border at 620 m, a bridge at 400 m,
    a landing, and a DEM with a hill of 8 m on the left line at 910 m."""
    folder = tmp_path_factory.mktemp("disk")
    axis = sg.winding([0.0] * 21)
    first, second = (shapely.LineString(axis.coords[a:b]) for a, b in ((0, 11), (10, 21)))
    tiny.metric([first, second], 河段编码=["H1", "H2"], 河流编码="QX01", 河流名称="清溪").to_file(
        folder / "reaches.shp", encoding="GBK"
    )
    lines = [
        (bank, reach, sg.offset(line, off) if reach == "H1" else sg.offset(line, off).reverse())
        for bank, off in (("左岸", 60.0), ("右岸", -60.0))
        for reach, line in (("H1", first), ("H2", second))
    ]
    columns = {
        "界线类型": "管理范围线",
        "依据": "公告",
        "公告机关": "云溪县人民政府",
        "公告文号": "云府发〔2024〕7号",
        "公告日期": "2024年3月1日",
    }
    tiny.metric([x for *_, x in lines], **columns).assign(
        岸别=[b for b, *_ in lines], 河段编码=[r for _, r, _ in lines]
    ).to_file(folder / "lines.shp", encoding="GBK")
    tiny.metric([tiny.box(-500, -500, 1120, 1000), tiny.box(620, -500, 1500, 1000)]).assign(
        XZQDM=["500101", "500102"], XZQMC=["甲县", "乙县"]
    ).to_file(folder / "counties.shp", encoding="GBK")
    marks = [tiny.line((400, -200), (400, 200)), tiny.point(800, -80), tiny.point(0, 0)]
    tiny.metric(marks).assign(名称=["清溪大桥", "王家码头", "老君庙"]).to_file(folder / "marks.gpkg")
    dem(folder / "dem.tif")
    return folder


def dem(path: Path) -> None:
    x, y = np.meshgrid(np.arange(-300, 1500, 5.0) + 2.5, np.arange(300, -300, -5.0) - 2.5)
    z = 200 + 8 * np.exp(-((x - 910) ** 2 + (y - 60) ** 2) / (2 * 40**2))
    with rasterio.open(path, "w", driver="GTiff", height=z.shape[0], width=z.shape[1], count=1, dtype="float32",
                       crs=tiny.ZONE, transform=from_origin(X - 300, Y + 300, 5, 5)) as out:  # fmt: skip
        out.write(z.astype(np.float32), 1)


def run(disk: Path, *more: str, out: Path) -> dict:
    """Place the stakes of the disk through the command line, to a file; what it tells as JSON."""
    args = ["place", str(disk / "lines.shp"), "--reaches", str(disk / "reaches.shp"), "--counties", str(disk / "counties.shp"), "--landmarks", str(disk / "marks.gpkg"), "--short", "清溪=QX", "--at", "500101", "--json", "--out", str(out), *more]  # fmt: skip
    done = CliRunner().invoke(boundary_stakes.stakes, args, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


@pytest.fixture(scope="module")
def placed(disk: Path) -> tuple[dict, gpd.GeoDataFrame]:
    told = run(disk, "--dem", str(disk / "dem.tif"), "--vertical-datum", "1985", out=disk / "stakes.gpkg")
    return told, gpd.read_file(disk / "stakes.gpkg", layer="stakes").to_crs(tiny.ZONE)


def test_what_a_line_must_have_gets_its_stake(placed: tuple[dict, gpd.GeoDataFrame]) -> None:
    told, stakes = placed
    assert (told["draft"], told["boards"], told["existing"]) == (False, 3, 0)
    left = stakes[stakes["bank"] == "left"]
    at = {
        r: left[left["reason"].str.contains(r)].geometry.x.round(3).tolist()
        for r in ("line_end", "county_border", "bridge")
    }
    assert at == {"line_end": [X, X + 1200], "county_border": [X + 620], "bridge": [X + 400]}
    assert stakes["code"].tolist() == [f"QX-{b}-{n + 1:04d}" for b, k in (("L", len(left)), ("R", len(stakes) - len(left))) for n in range(k)]  # fmt: skip
    assert set(stakes["county"]) == {"甲县", "乙县"}
    assert told["widest_m"] <= 200.001


def test_a_hill_between_two_stakes_is_seen_over_by_another(placed: tuple[dict, gpd.GeoDataFrame]) -> None:
    told, stakes = placed
    sight_ = stakes[stakes["reason"] == "sight"]
    assert set(sight_["bank"]) == {"left"}
    assert sight_["kind"].eq("dense").all()
    assert (told["hidden"], told["sight_unknown"]) == (0, 0)
    top = stakes.loc[stakes["height_m"].idxmax()]
    assert top["height_m"] > 207
    assert set(stakes["vertical_datum"]) == {"1985国家高程基准"}


def test_placed_again_on_its_own_file_nothing_changes(disk: Path, placed: tuple[dict, gpd.GeoDataFrame], tmp_path: Path) -> None:  # fmt: skip
    more = ("--dem", str(disk / "dem.tif"), "--existing", str(disk / "stakes.gpkg"))
    told = run(disk, *more, out=tmp_path / "again.gpkg")
    assert (told["placed"], told["existing"]) == (0, len(placed[1]))
    again = gpd.read_file(tmp_path / "again.gpkg", layer="stakes")
    first = gpd.read_file(disk / "stakes.gpkg", layer="stakes")
    assert again["code"].tolist() == first["code"].tolist()
    assert again["reason"].tolist() == first["reason"].tolist()
    assert again["kind"].tolist() == first["kind"].tolist()
    assert shapely.distance(again.geometry.to_numpy(), first.geometry.to_numpy()).max() < 1e-11


def test_existing_stakes_off_the_line_and_moved_ones_are_told(disk: Path, tmp_path: Path) -> None:
    points = [tiny.point(200, 60.05), tiny.point(300, 63.0), tiny.point(500, 64.0), tiny.point(500, 250)]
    kinds = ["基本桩", "基本桩", "移位桩", "基本桩"]
    tiny.metric(points).assign(界桩编号=["QX-L-0007", "QX-L-0008", "QX-L-0009", "QX-L-0090"], 界桩类型=kinds).to_file(tmp_path / "old.shp", encoding="GBK")  # fmt: skip
    told = run(disk, "--existing", str(tmp_path / "old.shp"), out=tmp_path / "new.xlsx")
    notes = {n["code"]: (n["stakes"], n["measure"]) for n in told["notes_list"]}
    assert notes["off_line"] == (["QX-L-0008"], pytest.approx(3.0, abs=0.001))
    assert notes["off_every_line"][0] == ["QX-L-0090"]
    rows = {s["code"]: s for s in told["stakes_list"]}
    moved = rows["QX-L-0009"]
    north = np.cos(np.radians(moved["moved_bearing_deg"])) * moved["moved_m"]
    assert (moved["moved_m"], north) == (pytest.approx(4.0, abs=0.001), pytest.approx(4.0, abs=0.001))
    codes = [s["code"] for s in told["stakes_list"] if s["bank"] == "left"]
    assert codes[0] == "QX-L-0000-1", "upstream of the first stake that has a number"
    book = openpyxl.load_workbook(tmp_path / "new.xlsx")
    sheet = list(book["左岸 left bank"].iter_rows(values_only=True))
    heads = {h: i for i, h in enumerate(sheet[0])}
    x, y, zone_y = (
        next(i for h, i in heads.items() if h.startswith(k)) for k in ("X 北", "Y 东坐标(m,不", "Y 东坐标(m,含")
    )
    own = next(r for r in sheet if r[0] == "QX-L-0007")
    assert (own[x], own[y], own[zone_y]) == (Y + 60.05, X + 200, 35_000_000 + X + 200)
    about = dict(r[:2] for r in book["说明 about"].iter_rows(values_only=True))
    assert "35" in about["坐标系 system"]
    assert "0.050" in f"{book['既有界桩 existing']['F2'].value:.3f}"


def test_drawing_receiver_and_map(disk: Path, placed: tuple[dict, gpd.GeoDataFrame], tmp_path: Path) -> None:
    run(disk, "--out", str(tmp_path / "s.gpx"), "--out", str(tmp_path / "s.html"), out=tmp_path / "s.dxf")
    doc = ezdxf.readfile(tmp_path / "s.dxf")
    points = {e.dxf.layer for e in doc.modelspace().query("POINT")}
    assert points == {"界桩_左岸", "界桩_右岸", "公告牌"}
    texts = {e.dxf.text for e in doc.modelspace().query("TEXT")}
    assert "QX-L-0001" in texts
    assert any("第35带" in t for t in texts)
    lines = doc.modelspace().query("LWPOLYLINE")
    assert {e.dxf.layer for e in lines} == {"界线_左岸", "界线_右岸"}
    root = ElementTree.parse(tmp_path / "s.gpx").getroot()
    assert root.tag == f"{{{stakes_field.GPX}}}gpx"
    assert root.attrib["version"] == "1.1"
    assert [c.tag.rpartition("}")[2] for c in root][:2] == ["metadata", "wpt"]
    assert "WGS 84" in root.findtext(f"{{{stakes_field.GPX}}}metadata/{{{stakes_field.GPX}}}desc")
    order = ["ele", "name", "desc", "sym"]
    for point in root.iter(f"{{{stakes_field.GPX}}}wpt"):
        tags = [c.tag.rpartition("}")[2] for c in point]
        assert tags == [t for t in order if t in tags]
    routes = gpd.read_file(tmp_path / "s.gpx", layer="routes")
    assert len(routes) == 2
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "QX-R-0001" in page
    assert "//unpkg" not in page


def test_what_cannot_be_used_is_said_in_a_sentence(disk: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ends in"):
        run(disk, out=tmp_path / "x.docx")
    with pytest.raises(InputError, match="does not cover"):
        far = tmp_path / "far.tif"
        with rasterio.open(far, "w", driver="GTiff", height=5, width=5, count=1, dtype="float32", crs=tiny.ZONE, transform=from_origin(X + 9e4, Y, 5, 5)) as out:  # fmt: skip
            out.write(np.ones((5, 5), np.float32), 1)
        run(disk, "--dem", str(far), out=tmp_path / "x.gpkg")
    with pytest.raises(UsageError, match="form of numbers"):
        run(disk, "--number-form", "{river}-{mile}", out=tmp_path / "x.gpkg")
    with pytest.raises(InputError, match="no line of type waterside"):
        run(disk, "--line-type", "waterside", out=tmp_path / "x.gpkg")
    assert list(tmp_path.glob("x.*")) == []


@pytest.mark.parametrize(("height", "seen"), [(0.0, True), (0.4, True), (1.5, False), (30.0, False)])
def test_a_wall_hides_what_is_behind_it_both_ways(height: float, seen: bool) -> None:
    z = np.full((40, 100), 100.0, np.float32)
    z[:, 50] += height
    dem_ = Dem(z, from_origin(X, Y, 2, 2), CRS.from_user_input(tiny.ZONE), "1985", "wall")
    look = sight.Sight(dem_, CRS.from_user_input(tiny.ZONE), eye_m=1.5, top_m=0.6)
    a, b = np.array([[X + 20.0, Y - 40.0]]), np.array([[X + 180.0, Y - 40.0]])
    clear, back = look.clearance_m(a, b)[0], look.clearance_m(b, a)[0]
    assert (clear >= 0, back >= 0) == (seen, seen)
    assert clear == pytest.approx(back, abs=0.1 + height / 8)


def test_a_coarse_or_void_dem_tells_nothing() -> None:
    z = np.full((10, 10), 100.0, np.float32)
    z[:, 5] = np.nan
    dem_ = Dem(z, from_origin(X, Y, 30, 30), CRS.from_user_input(tiny.ZONE), "1985", "coarse")
    look = sight.Sight(dem_, CRS.from_user_input(tiny.ZONE), eye_m=1.5, top_m=0.6)
    near = look.clearance_m(np.array([[X + 20.0, Y - 100]]), np.array([[X + 70.0, Y - 100]]))
    across = look.clearance_m(np.array([[X + 20.0, Y - 100]]), np.array([[X + 280.0, Y - 100]]))
    assert np.isnan([near[0], across[0]]).all()
