"""Rasters as the door sees them: every kind made in the test, with every way to be cut off, misplaced or hollow."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling

from rivergis.errors import InputError
from rivergis.intake import raster
from rivergis.intake.delivery import Asked, Delivered
from rivergis.intake.limits import Limits

EAST, NORTH = 587_000.0, 3_249_000.0


def heights(
    size: tuple[int, int] = (120, 150), low: float = 200, high: float = 480, dtype: str = "float32"
) -> np.ndarray:
    """A hill with a little noise, rows by columns."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    hill = np.exp(-((rows - size[0] / 2) ** 2 + (columns - size[1] / 2) ** 2) / (0.1 * size[0] * size[1]))
    noise = np.random.default_rng(7).random(size)
    return (low + (high - low - 5) * hill + 5 * noise).astype(dtype)


def grid(path: Path, values: np.ndarray | None = None, **options: Any) -> Path:
    """A raster of one band (or bands, rows, columns) whose upper left corner is EAST, NORTH, cells of 10 m."""
    data = heights() if values is None else values
    data = data[None] if data.ndim == 2 else data
    settings_ = {
        "driver": "GTiff",
        "crs": "EPSG:4544",
        "transform": rasterio.Affine(10, 0, EAST, 0, -10, NORTH),
        "nodata": None,
    }
    settings_ |= {
        "count": data.shape[0],
        "height": data.shape[1],
        "width": data.shape[2],
        "dtype": data.dtype.name,
    } | options
    tags = settings_.pop("tags", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **settings_) as out:
            out.write(data)
            out.update_tags(**tags)
    return path


def read(path: Path, limits: Limits | None = None) -> Delivered:
    reading = raster.read_raster(path, Asked(), limits or Limits())
    assert len(reading.layers) == 1 and reading.layers[0].kind == "raster" and reading.layers[0].count == 1
    return reading.layers[0]


def codes(layer: Delivered) -> set[str]:
    return {d.code for d in layer.defects} - {"vertical_datum_unknown"}


def alarms(layer: Delivered) -> set[str]:
    return {d.code for d in layer.defects if d.severity != "info"}


def footprint(rows: int = 120, columns: int = 150) -> shapely.Polygon:
    return shapely.box(EAST, NORTH - 10 * rows, EAST + 10 * columns, NORTH)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.tif", {}),
        ("a.tif", {"nodata": -9999}),
        ("a.tif", {"compress": "deflate", "tiled": True, "blockxsize": 64, "blockysize": 64}),
        ("a.tif", {"BIGTIFF": "YES"}),
        ("a.img", {"driver": "HFA"}),
        ("a.dat", {"driver": "ENVI"}),
        ("a.bil", {"driver": "EHdr"}),
    ],
)
def test_clean_rasters_raise_no_alarm(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    layer = read(grid(tmp_path / name, **options))
    assert not alarms(layer) and layer.readable
    assert layer.shapes is not None and shapely.equals_exact(layer.shapes[0].normalize(), footprint().normalize(), 1e-6)
    assert "105" in (layer.declared.wkt or "") and layer.facts["gsd_m"] == pytest.approx(10, rel=1e-3)
    assert (layer.facts["width"], layer.facts["height"], layer.facts["dtype"]) == (150, 120, "float32")
    assert {d.code for d in layer.defects} == {"vertical_datum_unknown"}, "heights of no known datum are no alarm"


@pytest.mark.parametrize("value", [-999, -9999, -32768, -3.4028234663852886e38, 3.4028234663852886e38, 9999, 0])
@pytest.mark.parametrize("declared", [None, -32767])
def test_undeclared_nodata_is_suspected(tmp_path: Path, value: float, declared: float | None) -> None:
    data = heights()
    data[:, :20] = value
    data[40:44, 60:70] = value
    layer = read(grid(tmp_path / "a.tif", data, nodata=declared))
    assert alarms(layer) == {"nodata_suspect"}
    assert f"{np.float32(value):g}" in next(d for d in layer.defects if d.code == "nodata_suspect").message


@settings(max_examples=30, deadline=None)
@given(st.floats(-400, 3000), st.floats(20, 5000), st.booleans(), st.sampled_from(["float32", "int16"]))
def test_real_heights_are_never_suspected(
    tmp_path_factory: pytest.TempPathFactory, low: float, relief: float, sea: bool, dtype: str
) -> None:
    data = heights(low=low, high=min(low + relief, 8849), dtype=dtype)
    if sea:  # a plain at nought into which the hill sinks
        data = np.maximum(data - np.dtype(dtype).type(np.median(data)), 0)
    assert not alarms(read(grid(tmp_path_factory.mktemp("h") / "a.tif", data)))


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("mask", (heights() > 300).astype("uint8")),
        ("mask of noughts", np.zeros((50, 50), "uint8")),
        ("classes", (heights() // 40).astype("int16")),
        ("flow directions", (heights() * 7 % 8 + 1).astype("uint8")),
        ("flow accumulation", (heights() - 199).astype("float32") ** 3),
        ("picture", np.stack([heights(dtype="uint16")] * 3)),
        ("picture of bytes", np.stack([(heights() / 2).astype("uint8")] * 3)),
        ("reflectance", (heights() / 1000).astype("float32")),
        ("water index", (heights() / 500 - 0.7).astype("float32")),
        ("drop to the stream", np.maximum(heights() - 260, 0)),
    ],
)
def test_other_grids_raise_no_alarm(tmp_path: Path, label: str, values: np.ndarray) -> None:
    assert not alarms(read(grid(tmp_path / "a.tif", values)))


def test_black_round_a_picture_is_told_without_alarm(tmp_path: Path) -> None:
    data = np.stack([heights(low=60, high=220).astype("uint8")] * 3)
    data[:, :, :30] = 0
    layer = read(grid(tmp_path / "a.tif", data))
    assert codes(layer) == {"nodata_suspect"} and not alarms(layer)


@pytest.mark.parametrize(
    ("values", "options", "code"),
    [
        (np.full((40, 40), -9999, "float32"), {"nodata": -9999}, "raster_empty"),
        (np.full((40, 40), np.nan, "float32"), {}, "raster_empty"),
        (np.full((40, 40), 217, "float32"), {}, "raster_constant"),
        (None, {"crs": "EPSG:4490"}, "pixel_size_suspect"),
        (None, {"transform": rasterio.Affine(1e-4, 0, 105.9, 0, -1e-4, 29.3)}, "pixel_size_suspect"),
    ],
)
def test_hollow_and_misdeclared_rasters_are_said(tmp_path: Path, values: Any, options: Any, code: str) -> None:
    assert alarms(read(grid(tmp_path / "a.tif", values, **options))) == {code}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"transform": rasterio.Affine(10, 0, EAST, 0, 10, NORTH - 1200)}, "grid_flipped"),
        ({"transform": rasterio.Affine(9, 2, EAST, 2, -9, NORTH)}, "grid_rotated"),
        ({"transform": rasterio.Affine(10, 0, EAST, 0, -12, NORTH)}, "pixels_not_square"),
        ({"tags": {"AREA_OR_POINT": "Point"}}, "pixel_is_point"),
    ],
)
def test_the_unusual_is_told_without_alarm(tmp_path: Path, options: Any, code: str) -> None:
    layer = read(grid(tmp_path / "a.tif", **options))
    assert codes(layer) == {code} and not alarms(layer)


def test_a_vertical_datum_and_a_date_that_are_told_are_kept(tmp_path: Path) -> None:
    tags = {"VERTICAL_DATUM": "1985 National Height Datum", "ACQUISITION_DATE": "2026-05-20T03:00:00Z"}
    layer = read(grid(tmp_path / "a.tif", tags=tags))
    assert layer.facts["vertical_datum"] == "1985 National Height Datum" and layer.facts["acquired_on"] == "2026-05-20"
    assert layer.defects == []
    compound = read(grid(tmp_path / "b.tif", crs="EPSG:4544+5737"))
    assert "Yellow Sea 1985" in compound.facts["vertical_datum"] and compound.defects == []


# --- where it lies


def test_a_raster_without_a_place_is_an_error(tmp_path: Path) -> None:
    layer = read(grid(tmp_path / "a.tif", crs=None, transform=rasterio.Affine.identity()))
    assert alarms(layer) == {"georeference_missing"} and layer.shapes is not None and layer.shapes[0] is None


def test_a_raster_without_a_system_keeps_its_place(tmp_path: Path) -> None:
    layer = read(grid(tmp_path / "a.tif", crs=None))
    assert layer.declared.wkt is None and layer.declared.where == "none" and not alarms(layer)
    assert layer.shapes is not None and layer.shapes[0].bounds == footprint().bounds and layer.facts["gsd_m"] is None


@pytest.mark.parametrize("ending", ["jgw", "JGW", "wld", "jpgw"])
@pytest.mark.parametrize("comma", [False, True])
def test_world_files_place_pictures(tmp_path: Path, ending: str, comma: bool) -> None:
    Image.fromarray((heights() / 2).astype("uint8")).save(tmp_path / "正射.jpg")
    lines = f"10.0\n0.0\n0.0\n-10.0\n{EAST + 5}\n{NORTH - 5}\n"
    (tmp_path / f"正射.{ending}").write_text(lines.replace(".", ",") if comma else lines)
    shutil.copyfile(__file__, tmp_path / "other.jgw")
    layer = read(tmp_path / "正射.jpg")
    assert raster.has_world_file(tmp_path / "正射.jpg") and not alarms(layer)
    assert layer.shapes is not None and layer.shapes[0].bounds == footprint().bounds


def test_a_projection_beside_a_picture_is_what_it_declares(tmp_path: Path) -> None:
    grid(tmp_path / "a.tif", crs=None)
    (tmp_path / "a.prj").write_text("CGCS2000_3_Degree_GK_CM_105E, 中央子午线105")
    layer = read(tmp_path / "a.tif")
    assert (layer.declared.where, layer.declared.wkt) == ("prj", "CGCS2000_3_Degree_GK_CM_105E, 中央子午线105")


def test_an_aux_xml_places_a_picture_too(tmp_path: Path) -> None:
    Image.fromarray((heights() / 2).astype("uint8")).save(tmp_path / "a.png")
    assert not raster.has_world_file(tmp_path / "a.png")
    (tmp_path / "a.png.aux.xml").write_text(
        f"<PAMDataset><SRS>EPSG:4544</SRS><GeoTransform>{EAST}, 10, 0, {NORTH}, 0, -10</GeoTransform></PAMDataset>"
    )
    layer = read(tmp_path / "a.png")
    assert raster.has_world_file(tmp_path / "a.png") and not alarms(layer) and layer.declared.where == "file"
    assert layer.shapes is not None and layer.shapes[0].bounds == footprint().bounds


def test_a_broken_world_file_is_said(tmp_path: Path) -> None:
    Image.fromarray((heights() / 2).astype("uint8")).save(tmp_path / "a.png")
    (tmp_path / "a.pgw").write_text("10\n0\nnan\n-10\nx\n")
    assert alarms(read(tmp_path / "a.png")) == {"world_file_unreadable", "georeference_missing"}


def test_two_places_of_one_picture_are_said(tmp_path: Path) -> None:
    grid(tmp_path / "a.tif")
    (tmp_path / "a.tfw").write_text(f"10\n0\n0\n-10\n{EAST + 5005}\n{NORTH - 5}\n")
    assert alarms(read(tmp_path / "a.tif")) == {"world_file_conflict"}
    (tmp_path / "a.tfw").write_text(f"10\n0\n0\n-10\n{EAST + 5}\n{NORTH - 5}\n")
    assert not alarms(read(tmp_path / "a.tif"))


def test_control_points_are_told(tmp_path: Path) -> None:
    path = grid(tmp_path / "a.tif", crs=None, transform=rasterio.Affine.identity())
    with rasterio.open(path, "r+") as out:
        corners = [(0, 0), (0, 150), (120, 0), (120, 150)]
        out.gcps = (
            [GroundControlPoint(r, c, EAST + 10 * c, NORTH - 10 * r) for r, c in corners],
            rasterio.CRS.from_epsg(4544),
        )
    layer = read(path)
    assert codes(layer) == {"georeference_by_points"} and not alarms(layer) and layer.declared.wkt is not None
    assert layer.shapes is not None and layer.shapes[0].symmetric_difference(footprint()).area < 1


# --- COG


def test_only_a_valid_cog_is_called_one(tmp_path: Path) -> None:
    big = np.tile(heights(), (6, 6))
    plain = grid(tmp_path / "plain.tif", big)
    assert read(plain).facts["cog_reason"] == "not tiled"
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    assert read(grid(tmp_path / "tiled.tif", big, **tiled)).facts["cog_reason"] == "no overviews"
    late = grid(tmp_path / "late.tif", big, **tiled)
    with rasterio.open(late, "r+") as out:
        out.build_overviews([2, 4], Resampling.average)
    assert not read(late).facts["cog"]
    cog = grid(tmp_path / "cog.tif", big, driver="COG", blocksize=256)
    assert read(cog).facts["cog"] and raster.read_raster(cog, Asked(), Limits()).format == "COG"


# --- text grids and SRTM


def text_grid(path: Path, rows: list[str], **heading: Any) -> Path:
    keys = {
        "ncols": 3,
        "nrows": 2,
        "xllcorner": EAST,
        "yllcorner": NORTH,
        "cellsize": 10,
        "NODATA_value": -9999,
    } | heading
    lines = [f"{k} {v}" for k, v in keys.items() if v is not None]
    path.write_text("\n".join(lines + rows) + "\n")
    return path


@pytest.mark.parametrize("rows", [["1.5 2 3", "4 5 6"], ["1,5 2 3", "4 5 6,25"], ["1 2 3 4 5 -9999"], ["1\t2\t3", " 4 5 6 "], ["1e2 2 3", "4 5 nan"]])  # fmt: skip
def test_text_grids_are_read(tmp_path: Path, rows: list[str]) -> None:
    layer = read(text_grid(tmp_path / "a.asc", rows))
    assert layer.shapes is not None and layer.shapes[0].bounds == (EAST, NORTH, EAST + 30, NORTH + 20)
    assert not alarms(layer) and layer.readable and layer.declared.where == "none"


def test_a_text_grid_takes_its_system_from_the_prj(tmp_path: Path) -> None:
    text_grid(tmp_path / "a.asc", ["1 2 3", "4 5 6"])
    (tmp_path / "a.prj").write_text(rasterio.CRS.from_epsg(4544).to_wkt(morph_to_esri_dialect=True))
    layer = read(tmp_path / "a.asc")
    assert (
        layer.declared.where == "prj"
        and "105" in (layer.declared.wkt or "")
        and layer.facts["gsd_m"] == pytest.approx(10, rel=1e-3)
    )


@pytest.mark.parametrize(
    ("rows", "heading", "code"),
    [
        (["1 2 3", "4 5"], {}, "raster_cut_off"),
        (["1 2 3"], {}, "raster_cut_off"),
        (["1,2,3", "4,5,6"], {}, "raster_cut_off"),
        (["1 2 3", "4 abc 6"], {}, "cells_not_numeric"),
        (["1 2 3", "4 5 6", "7 8 9"], {}, "raster_size_wrong"),
        (["1 2 3", "4 5 6"], {"ncols": 4000, "nrows": 4000}, "raster_cut_off"),
    ],
)
def test_text_grids_that_gdal_would_fill_up_are_said(tmp_path: Path, rows: Any, heading: Any, code: str) -> None:
    layer = read(text_grid(tmp_path / "a.asc", rows, **heading))
    assert code in alarms(layer) and not layer.readable


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.asc", b"587000 3249000 210.5\n587010 3249000 211\n", "hand it in as .csv"),
        ("a.asc", b"", "no ASCII grid"),
        ("a.asc", "\ufeffncols 3\nnrows 2\n".encode(), "byte order mark"),
        (
            "a.asc",
            b"ncols 300000\nnrows 200000\nxllcorner 1\nyllcorner 1\ncellsize 1\n1 2 3\n",
            "claims 300000 x 200000",
        ),
        ("a.asc", b"ncols -3\nnrows 2\nxllcorner 1\nyllcorner 1\ncellsize 1\n1 2 3\n", "cannot be read"),
        ("a.asc", b"ncols x\n" * 3, "cannot be read"),
        ("a.asc", b"ncols 3\nnrows 2\nxllcorner 1\nyllcorner 1\ncellsize 1\n", "cannot be read"),
        ("a.vrt", b"<VRTDataset rasterXSize='9' rasterYSize='9'/>", "virtual raster"),
        ("a.tif", b"<VRTDataset rasterXSize='9' rasterYSize='9'/>", "virtual raster"),
        ("a.tif", b"hello", "does not begin like a GeoTIFF"),
        ("a.img", b"hello", "hdr"),
        ("a.bil", bytes(100), ".hdr file"),
        ("N29E105.hgt", bytes(1000), "1,000 bytes"),
        ("tile.hgt", bytes(2 * 1201 * 1201), "does not tell its place"),
        ("N99E105.hgt", bytes(2 * 1201 * 1201), "does not tell its place"),
        ("a.xyz", b"1 2 3", "does not begin like"),
    ],
)
def test_what_must_not_be_opened_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        read(tmp_path / name)
    assert "\n" not in caught.value.sentence and name in caught.value.sentence


@pytest.mark.parametrize("name", ["N29E105.hgt", "n29e105.hgt", "N29E105.SRTMGL3.hgt"])
def test_srtm_tiles_lie_where_their_name_says(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(heights((1201, 1201), dtype=">i2").tobytes())
    layer = read(tmp_path / name)
    assert layer.shapes is not None and layer.shapes[0].centroid.equals_exact(shapely.Point(105.5, 29.5), 1e-6)
    assert layer.facts["vertical_datum"] == "EGM96" and layer.defects == []


# --- hostile and damaged


@pytest.mark.parametrize(
    "options", [{}, {"tiled": True, "compress": "deflate"}, {"interleave": "band"}, {"compress": "lzw"}]
)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
def test_a_file_that_ends_early_is_never_taken_for_whole(tmp_path: Path, options: Any, kept: float) -> None:
    data = np.stack([np.random.default_rng(1).integers(1, 4000, (700, 800)).astype("uint16")] * 3)
    whole = grid(tmp_path / "whole.tif", data, **options).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: int(len(whole) * kept)])
    try:
        layer = read(tmp_path / "cut.tif")
    except InputError as error:
        assert "\n" not in error.sentence
    else:
        assert alarms(layer) == {"raster_cut_off"} and not layer.readable


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_picture_that_ends_early_is_never_taken_for_whole(tmp_path: Path, ending: str) -> None:
    whole = tmp_path / f"whole.{ending}"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 300)).astype("uint8")).save(whole)
    (tmp_path / f"a.{ending}").write_bytes(whole.read_bytes()[:-5000])
    (tmp_path / "a.wld").write_text("10\n0\n0\n-10\n500000\n3200000\n")
    assert "raster_cut_off" in alarms(read(tmp_path / f"a.{ending}"))


def test_a_claim_beyond_all_packing_is_refused(tmp_path: Path) -> None:
    options = {"driver": "GTiff", "width": 100_000, "height": 100_000, "count": 1, "dtype": "uint8", "crs": "EPSG:4544"}
    where = rasterio.Affine(10, 0, EAST, 0, -10, NORTH)
    with rasterio.open(
        tmp_path / "a.tif", "w", transform=where, SPARSE_OK=True, tiled=True, compress="deflate", **options
    ):
        pass
    with pytest.raises(InputError, match="claims 100000 x 100000"):
        read(tmp_path / "a.tif")


def test_one_huge_block_is_refused(tmp_path: Path) -> None:
    path = grid(tmp_path / "a.tif", np.ones((2000, 2000), "uint8"), blockysize=2000, compress="deflate")
    with pytest.raises(InputError, match="in one piece"):
        read(path, Limits(memory_bytes=64 << 20))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["a.tif", "a.img", "a.asc"]))
def test_damaged_rasters_are_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, name: str
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    if name == "a.asc":
        text_grid(folder / name, ["1 2 3", "4 5 6"])
    else:
        grid(folder / name, heights((20, 20)), driver="HFA" if name == "a.img" else "GTiff")
    whole = bytearray((folder / name).read_bytes())
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 1200) - 1), min_size=1, max_size=10)):
        whole[at] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(whole)
    try:
        layer = read(folder / name, Limits(memory_bytes=1 << 30))
    except InputError as error:
        assert "\n" not in error.sentence
    else:
        assert layer.shapes is not None and (layer.shapes[0] is None or np.isfinite(layer.shapes[0].bounds).all())


# --- real files


@pytest.mark.realdata
def test_real_rasters(test_data: Path) -> None:
    files = sorted(test_data.rglob("*.tif"))
    if not files:
        pytest.skip("there are no real rasters")
    for path in files:
        layer = read(path)
        expected = {"nodata_suspect"} if path.name == "nanjing_taizhou_dem_30s.tif" else set()
        assert alarms(layer) == expected, path
        assert layer.shapes is not None and layer.shapes[0].area > 0 and layer.facts["gsd_m"] > 0
