"""Scenes and chips: images made in the test, with every way to be wrong about where they lie."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image
from rasterio.transform import from_origin

from rivergis import crs
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import raster
from tests.tiny import EAST, NORTH


def image(
    path: Path,
    *,
    size: int = 60,
    pixel: float = 10.0,
    system: str | None = "EPSG:4544",
    origin: tuple[float, float] = (EAST, NORTH),
    bands: int = 4,
    nodata: float | None = None,
    names: tuple[str, ...] = (),
    values: np.ndarray | None = None,
) -> Path:
    """A GeoTIFF whose upper left corner lies at ``origin``: a ramp in every band unless ``values`` are given."""
    ramp = np.tile(np.linspace(100, 3000, size * size).reshape(size, size), (bands, 1, 1)).astype("uint16")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=size,
        height=size,
        count=bands,
        dtype="uint16",
        crs=system,
        nodata=nodata,
        transform=from_origin(*origin, pixel, pixel),
    ) as out:
        out.write(ramp if values is None else values.astype("uint16"))
        for i, name in enumerate(names):
            out.set_band_description(i + 1, name)
    return path


def place(east: float, north: float, metres: float = 40) -> shapely.Geometry:
    """A square in EPSG:4490 whose lower left corner lies at metres from the images' corner."""
    box = shapely.box(EAST + east, NORTH + north, EAST + east + metres, NORTH + north + metres)
    return gpd.GeoSeries([box], crs="EPSG:4544").to_crs(crs.STORAGE).iloc[0]


def test_a_scene_says_where_and_how_fine_it_is(tmp_path: Path) -> None:
    scene = raster.read_scene(image(tmp_path / "a.tif", names=("blue", "green", "red", "nir"), nodata=0))
    assert (scene.source_crs, scene.gsd_m, scene.bands, scene.nodata) == ("EPSG:4544", 10.0, "blue,green,red,nir", 0)
    assert abs(crs.area_m2(scene.footprint) - 600 * 600) < 200
    assert scene.footprint.contains(place(200, -300))


@pytest.mark.parametrize(
    ("system", "pixel", "origin"),
    [("EPSG:4490", 1e-4, (106.0, 29.4)), ("EPSG:3857", 11.5, (11_800_000.0, 3_420_000.0))],
)
def test_fineness_is_measured_on_the_ground_whatever_the_system(
    tmp_path: Path, system: str, pixel: float, origin: tuple[float, float]
) -> None:
    assert 9.5 < raster.read_scene(image(tmp_path / "a.tif", system=system, pixel=pixel, origin=origin)).gsd_m < 10.5


@pytest.mark.parametrize(
    ("label", "make", "sentence"),
    [
        ("no system", lambda p: image(p, system=None), "names no coordinate system"),
        ("Xian 1980", lambda p: image(p, system="EPSG:2379"), "Xian 1980"),
        ("no position", lambda p: image(p, pixel=1, origin=(0, 0)) and _plain(p), "does not say where on earth"),
        ("metres as degrees", lambda p: image(p, system="EPSG:4490"), "does not lie on earth"),
        ("not an image", lambda p: p.write_bytes(b"hello"), "does not begin like one"),
        ("a damaged image", lambda p: p.write_bytes(b"II*\0" + b"\xff" * 200), "cannot be read as an image"),
        ("empty", lambda p: p.write_bytes(b""), "is empty"),
        ("cut off", lambda p: p.write_bytes(image(p, size=300).read_bytes()[:200_000]), "cannot be read as an image"),
    ],
)
def test_refusals_are_one_sentence(tmp_path: Path, label: str, make: object, sentence: str) -> None:
    path = tmp_path / "bad.tif"
    make(path)  # type: ignore[operator]
    with pytest.raises((InputError, CrsRefused), match=sentence) as caught:
        raster.read_scene(path)
    assert caught.value.exit_code == 3 and "\n" not in caught.value.sentence


def _plain(path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), "uint8")).save(path)


def test_a_declared_system_is_used_where_the_image_has_none(tmp_path: Path) -> None:
    assert raster.read_scene(image(tmp_path / "a.tif", system=None), "EPSG:4544").gsd_m == 10.0


@pytest.mark.parametrize(("system", "pixel"), [("EPSG:4544", 10.0), ("EPSG:4490", 1e-4)])
def test_a_chip_shows_the_place_with_its_margin(tmp_path: Path, system: str, pixel: float) -> None:
    corner = gpd.GeoSeries([shapely.Point(EAST, NORTH)], crs="EPSG:4544").to_crs(system).iloc[0]
    scene = image(tmp_path / "a.tif", system=system, pixel=pixel, origin=(corner.x, corner.y))
    raster.write_chip(scene, place(300, -300), 50, tmp_path / "c.png")
    chip = Image.open(tmp_path / "c.png")
    assert chip.format == "PNG" and chip.mode == "RGB"
    # 40 m and twice 50 m round it, in pixels of 10 m, enlarged to at least 360 pixels
    assert 360 <= max(chip.size) <= 480 and min(chip.size) >= 300
    assert raster._OUTLINE in {chip.getpixel((x, y)) for x in range(chip.width) for y in range(chip.height)}


def test_true_colour_follows_the_names_of_the_bands(tmp_path: Path) -> None:
    values = np.zeros((3, 60, 60))
    values[0], values[1], values[2] = 1000, 50, 50
    values[:, :5] = 50
    for name, names, brightest in (("rgb", ("red", "green", "blue"), 0), ("bgr", (), 2)):
        scene = image(tmp_path / f"{name}.tif", bands=3, values=values, names=names)
        raster.write_chip(scene, place(300, -300), 50, tmp_path / "c.png")
        pixel = Image.open(tmp_path / "c.png").getpixel((5, 5))
        assert np.argmax(pixel) == brightest


def test_nodata_does_not_darken_a_chip(tmp_path: Path) -> None:
    values = np.tile(np.linspace(1000, 1100, 3600).reshape(60, 60), (3, 1, 1))
    values[:, :30] = 0
    for nodata in (None, 0):
        scene = image(tmp_path / f"{nodata}.tif", bands=3, values=values, nodata=nodata)
        raster.write_chip(scene, place(300, -560), 150, tmp_path / f"{nodata}.png")
    range_ = {n: np.ptp(np.asarray(Image.open(tmp_path / f"{n}.png"))[-3:]) for n in (None, 0)}
    assert range_[0] > 3 * range_[None], "the stretch is that of the ground, not of the emptiness beside it"


def test_a_place_the_image_does_not_show_is_said(tmp_path: Path) -> None:
    scene = image(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif does not show this place"):
        raster.write_chip(scene, place(90_000, 0), 50, tmp_path / "c.png")


@pytest.mark.realdata
def test_real_scenes(test_data: Path, tmp_path: Path) -> None:
    scenes = sorted((test_data / "imagery_nanjing_landsat").glob("nanjing_tm_*.tif"))
    if not scenes:
        pytest.skip("the Nanjing scenes are not there")
    for path in scenes:
        scene = raster.read_scene(path)
        assert 25 < scene.gsd_m < 35
        raster.write_chip(path, scene.footprint.centroid, 600, tmp_path / "c.png")
        assert Image.open(tmp_path / "c.png").size[0] >= 360
