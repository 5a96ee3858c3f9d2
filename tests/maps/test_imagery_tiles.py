"""Tiles of scenes: transparent where nothing is seen, the same colours on both sides of a seam, on their place in both grids."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio import Affine
from rasterio.transform import from_origin
from rasterio.warp import transform
from rio_tiler.colormap import cmap

from rivergis.errors import InputError, UsageError
from rivergis.intake import cog
from rivergis.maps.imagery import look as imagery_look
from rivergis.maps.imagery import tiles as imagery_tiles
from tests.intake.test_cog import GK, written

WIDE, HIGH = 900, 700
MIDDLE = (595_900 + 2 * WIDE, 3_255_000 - 2 * HIGH)


def scene(folder: Path, data: np.ndarray, system: str = "EPSG:4544", place: Affine = GK, **more: Any) -> Path:
    source = written(folder / f"{len(list(folder.iterdir()))}.tif", data, system, place, **more)
    cog.make(source, cog.beside(source), system)
    return cog.beside(source)


def flat(*values: float, dtype: str = "uint8") -> np.ndarray:
    return np.stack([np.full((HIGH, WIDE), v, dtype=dtype) for v in values])


def at(
    z: int, x: float = MIDDLE[0], y: float = MIDDLE[1], system: str = "EPSG:4544", grid: str = "3857"
) -> morecantile.Tile:
    (lon,), (lat,) = transform(system, "EPSG:4326", [x], [y])
    return imagery_tiles.GRIDS[grid].tile(lon, lat, z)


def drawn(path: Path, tile: morecantile.Tile, grid: str = "3857", kind: str = "png", **asked: str) -> np.ndarray:
    body = imagery_tiles.tile(path, imagery_look.read(asked), tile.z, tile.x, tile.y, kind=kind, grid=grid)
    assert body is not None
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGBA"))


NODATA = [
    ("uint8", 0), ("uint8", 255), ("uint16", 0), ("uint16", 65535), ("int16", -32768), ("int16", -9999), ("int8", -128),
    ("float32", -9999), ("float32", -3.4028234663852886e38), ("float32", math.nan), ("float64", math.nan), ("float32", 1e20),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "nodata"), NODATA)
@pytest.mark.parametrize("zoom", [14, 16])
def test_nodata_is_transparent_and_the_rest_is_not(tmp_path: Path, dtype: str, nodata: float, zoom: int) -> None:
    data = flat(100, dtype=dtype)
    data[0, :, : WIDE // 2] = nodata
    picture = drawn(scene(tmp_path, data, nodata=nodata), at(zoom))
    opaque = picture[..., 3] == 255
    assert set(np.unique(picture[..., 3])) <= {0, 255}
    columns = opaque.mean(axis=0)
    assert opaque.any() and not opaque.all() and (np.diff(columns) > -0.2).all(), "empty in the west, full in the east"


def test_alpha_and_mask_are_transparent_too(tmp_path: Path) -> None:
    seen = np.zeros((HIGH, WIDE), dtype="uint8")
    seen[:, WIDE // 2 :] = 255
    masked = scene(tmp_path, flat(50, 100, 150), mask=seen)
    alpha = scene(tmp_path, np.concatenate([flat(50, 100, 150), seen[None]]), photometric="RGB", ALPHA="YES")
    wide = np.where(seen, np.uint16(65535), np.uint16(0))[None]
    sixteen = scene(
        tmp_path, np.concatenate([flat(50, 100, 150, dtype="uint16"), wide]), photometric="RGB", ALPHA="YES"
    )
    for path in (masked, alpha, sixteen):
        picture = drawn(path, at(15), stretch="range:0,255")
        assert 0.01 < (picture[..., 3] == 255).mean() < 0.99
        assert (np.diff((picture[..., 3] == 255).mean(axis=0)) > -0.2).all(), "empty in the west, full in the east"


def test_a_value_that_means_nothing_can_be_named(tmp_path: Path) -> None:
    """The sea of a national grid of heights is -999, and the file does not say so."""
    data = flat(40, dtype="int16")
    data[0, :350] = -999
    path = scene(tmp_path, data, nodata=-32767)
    tile = at(14)
    assert (drawn(path, tile, nodata="-999")[..., 3] > 0).sum() < (drawn(path, tile)[..., 3] > 0).sum()


@pytest.mark.parametrize(("system", "place"), [
    ("EPSG:4544", GK), ("EPSG:4490", from_origin(106, 29.5, 4e-5, 4e-5)), ("EPSG:3857", from_origin(11_800_000, 3_430_000, 5, 5)),
    ("EPSG:32648", GK), ("EPSG:4326", from_origin(106, 29.5, 4e-5, 4e-5)), ("EPSG:4524", from_origin(36_595_900, 3_255_000, 4, 4)),
])  # fmt: skip
@pytest.mark.parametrize("grid", ["3857", "4490"])
def test_a_scene_of_any_system_lies_where_it_lies(tmp_path: Path, system: str, place: Affine, grid: str) -> None:
    """A bright square in the middle of the scene is bright where a tile shows its middle."""
    data = flat(10)
    data[0, HIGH // 2 - 40 : HIGH // 2 + 40, WIDE // 2 - 40 : WIDE // 2 + 40] = 250
    path = scene(tmp_path, data, system, place)
    x, y = place @ (WIDE / 2, HIGH / 2)
    tile = at(16, x, y, system, grid)
    (px,), (py,) = transform(system, imagery_tiles.GRIDS[grid].rasterio_crs, [x], [y])
    box = imagery_tiles.GRIDS[grid].xy_bounds(tile)
    column = int((px - box.left) / (box.right - box.left) * 256)
    row = int((box.top - py) / (box.top - box.bottom) * 256)
    picture = drawn(path, tile, grid, stretch="minmax")
    assert picture[row, column, 0] > 250
    whole = drawn(path, at(12, x, y, system, grid), grid, stretch="minmax")
    lit = np.argwhere((whole[..., 0] > 128) & (whole[..., 3] > 0))
    assert 2 <= len(lit) <= 4000


def test_neighbours_meet_without_a_seam(tmp_path: Path) -> None:
    """One stretch for the whole scene: the colour of a slope goes on over the border of two tiles."""
    ramp = np.broadcast_to(np.linspace(0, 4000, WIDE), (1, HIGH, WIDE)).astype("uint16")
    path, left = scene(tmp_path, ramp), at(16)
    right = morecantile.Tile(left.x + 1, left.y, left.z)
    a, b = drawn(path, left)[..., 0].astype(int), drawn(path, right)[..., 0].astype(int)
    assert abs(a[:, -1] - b[:, 0]).max() <= 2 and abs(np.diff(a, axis=1)).max() <= 2


def test_outside_of_the_scene_there_is_no_tile(tmp_path: Path) -> None:
    path, tile = scene(tmp_path, flat(9)), at(14)
    look = imagery_look.read({})
    assert imagery_tiles.tile(path, look, 14, tile.x + 5, tile.y) is None
    assert imagery_tiles.tile(path, look, 0, 0, 0) is not None
    assert imagery_tiles.tile(path, look, 14, tile.x, tile.y) is not None


def test_bands_by_number_by_name_and_by_what_they_are(tmp_path: Path) -> None:
    said = ("blue B2", "green B3", "red B4", "nir B8")
    path, tile = scene(tmp_path, flat(10, 60, 120, 240), names=said), at(15)
    look = {"stretch": "none"}
    assert tuple(drawn(path, tile, **look)[128, 128]) == (120, 60, 10, 255)
    for asked in ("4,3,2", "nir,red,green", "b8,b4,b3"):
        assert tuple(drawn(path, tile, bands=asked, **look)[128, 128, :3]) == (240, 120, 60), asked
    assert tuple(drawn(path, tile, bands="nir", **look)[128, 128, :3]) == (240,) * 3
    # a name of the file goes before a place: B3 is green here, the second band
    assert drawn(path, tile, bands="b3", **look)[128, 128, 0] == 60
    for wrong in ("5,4,3", "swir1"):
        with pytest.raises(UsageError, match="has no band"):
            drawn(path, tile, bands=wrong)


def test_a_palette_of_the_file_is_kept(tmp_path: Path) -> None:
    source = written(tmp_path / "a.tif", flat(3), photometric="palette")
    with rasterio.open(source, "r+") as image:
        image.write_colormap(1, {3: (12, 34, 56, 255)})
    cog.make(source, cog.beside(source), "EPSG:4544")
    assert tuple(drawn(cog.beside(source), at(15))[128, 128]) == (12, 34, 56, 255)


def test_stretch_and_gamma(tmp_path: Path) -> None:
    data = flat(1000, dtype="uint16")
    data[0, :350] = 3000
    path = scene(tmp_path, data)
    south, north = at(17, MIDDLE[0], 3_255_000 - 4 * 600), at(17, MIDDLE[0], 3_255_000 - 4 * 100)

    def grey(tile: morecantile.Tile, **asked: str) -> int:
        return int(drawn(path, tile, **asked)[128, 128, 0])

    assert (grey(south), grey(north)) == (0, 255) == (grey(south, stretch="minmax"), grey(north, stretch="minmax"))
    assert grey(south, stretch="range:0,2000") == 128 and grey(north, stretch="range:0,2000") == 255
    bright = grey(south, stretch="range:0,4000", gamma="2")
    assert bright == round(255 * math.sqrt(0.25)) and grey(south, stretch="range:0,4000") == 64


def test_a_sum_has_its_value_and_nothing_where_there_is_none(tmp_path: Path) -> None:
    data = flat(0, 90, 10, 30, dtype="float32")
    data[1, :, :450] = data[3, :, :450] = 0  # nothing divided by nothing
    path = scene(tmp_path, data, names=("blue", "green", "red", "nir"))
    east = at(17, 595_900 + 4 * 700)
    picture = drawn(path, east, expression="ndwi", colormap="greys_r", stretch="range:-1,1")
    grey = 255 - np.array(cmap.get("greys")[round(255 * 0.25)][:3])
    assert picture[128, 128, 3] == 255 and abs(picture[128, 128, :3].astype(int) - (255 - grey)).max() <= 3
    assert drawn(path, at(17, 595_900 + 4 * 200), expression="ndwi")[128, 128, 3] == 0


@pytest.mark.parametrize("grid", ["3857", "4490"])
def test_hillshade_is_level_on_a_plain_and_bright_towards_the_sun(tmp_path: Path, grid: str) -> None:
    rows, columns = np.indices((HIGH, WIDE))
    place, look = from_origin(106, 29.5, 4e-5, 4e-5), {"look": "hillshade"}

    def shade(height: np.ndarray, **more: str) -> int:
        path = scene(tmp_path, height[None].astype("float32"), "EPSG:4490", place)
        return int(drawn(path, at(16, 106.018, 29.486, "EPSG:4490", grid), grid, **look, **more)[128, 128, 0])

    assert shade(rows * 0.0 + 700) == pytest.approx(255 * math.sin(math.radians(45)), abs=1)
    metre = 4e-5 * math.radians(1) * 6_378_137
    # a slope of 45 degrees to the south: the sun of the south stands on it, that of the north leaves it dark
    south = rows * -1.0 * metre
    assert shade(south, azimuth="180") > 250 and shade(south, azimuth="0") < 5
    west = columns * 1.0 * metre * math.cos(math.radians(29.486))
    assert shade(west, azimuth="270") > 250 and shade(west, azimuth="90") < 5


def test_relief_shows_heights_without_the_colour_of_water(tmp_path: Path) -> None:
    height = np.broadcast_to(np.linspace(0, 900, HIGH)[:, None], (1, HIGH, WIDE)).astype("float32")
    picture = drawn(scene(tmp_path, height), at(14), look="relief")
    seen = picture[picture[..., 3] > 0].astype(int)
    assert len(seen) and (seen[:, 2] <= seen[:, :2].max(axis=1)).all()
    with pytest.raises(UsageError, match="one band"):
        drawn(scene(tmp_path, flat(1, 2, 3)), at(14), look="relief")


def test_webp_is_as_transparent_as_png(tmp_path: Path) -> None:
    data = flat(100)
    data[0, :, :450] = 0
    path = scene(tmp_path, data, nodata=0)
    assert np.array_equal(drawn(path, at(15))[..., 3], drawn(path, at(15), kind="webp")[..., 3])


def test_a_damaged_copy_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.cog.tif"
    path.write_bytes(b"II*\0 not a picture")
    with pytest.raises(InputError, match="damaged"):
        drawn(path, at(14))


def test_tiles_are_drawn_without_the_drivers_that_the_service_leaves_out(tmp_path: Path) -> None:
    path, tile = scene(tmp_path, flat(9)), at(15)
    code = f"""
from pathlib import Path
from rivergis.maps.imagery import look, tiles
for grid, z, x, y in (("3857", {tile.z}, {tile.x}, {tile.y}), ("4490", 1, 3, 0)):
    assert tiles.tile(Path({str(path)!r}), look.read({{}}), z, x, y, grid=grid)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"GDAL_SKIP": "VRT,WMS,HTTP", "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
