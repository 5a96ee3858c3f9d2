"""The copy of a scene for tiles: the same cells, tiled, with overviews, north up; made whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio import Affine
from rasterio.transform import from_origin

from rivergis.errors import EnvironmentFault, InputError
from rivergis.intake import cog, raster_header

GK = from_origin(595_900, 3_255_000, 4, 4)
WIDE, HIGH = 520, 300


def cells(count: int = 1, dtype: str = "uint8", most: int = 200) -> np.ndarray:
    return np.random.default_rng(7).integers(1, most, (count, HIGH, WIDE)).astype(dtype)


def written(
    path: Path, data: np.ndarray, system: str | None = "EPSG:4544", place: Affine = GK, mask: Any = None, **more: Any
) -> Path:
    profile = {
        "driver": "GTiff",
        "width": data.shape[2],
        "height": data.shape[1],
        "count": len(data),
        "dtype": data.dtype,
    }
    names = more.pop("names", ())
    with rasterio.open(path, "w", **profile, crs=system, transform=place, **more) as out:
        out.write(data)
        for n, name in enumerate(names, 1):
            out.set_band_description(n, name)
        if mask is not None:
            out.write_mask(mask)
    return path


def copied(source: Path, system: str = "EPSG:4544") -> Path:
    target = cog.beside(source)
    cog.make(source, target, system)
    return target


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "float32", "float64"])
def test_cells_names_and_nodata_stay_and_it_is_a_cog(tmp_path: Path, dtype: str) -> None:
    data = cells(3, dtype, 100)
    nodata = -9999 if dtype.startswith("f") else 0
    source = written(tmp_path / "a.tif", data, nodata=nodata, names=("blue", "green", "red"))
    with rasterio.open(copied(source)) as image:
        assert np.array_equal(image.read(), data) and image.nodata == nodata
        assert image.descriptions == ("blue", "green", "red") and image.crs.to_epsg() == 4544
        assert image.transform == GK and image.overviews(1)
        assert raster_header.cog(image) == (True, "")


@pytest.mark.parametrize(("system", "place"), [
    ("EPSG:4490", from_origin(106, 29.5, 4e-5, 4e-5)), ("EPSG:3857", from_origin(11_800_000, 3_430_000, 5, 5)),
    ("EPSG:32648", GK), ("EPSG:4524", from_origin(36_595_900, 3_255_000, 4, 4)),
])  # fmt: skip
def test_every_system_stays_as_it_is(tmp_path: Path, system: str, place: Affine) -> None:
    data = cells()
    with rasterio.open(copied(written(tmp_path / "a.tif", data, system, place), system)) as image:
        assert image.crs == rasterio.crs.CRS.from_string(system) and image.transform == place
        assert np.array_equal(image.read(), data)


def test_the_accepted_system_is_the_one_of_the_copy(tmp_path: Path) -> None:
    """A file that says nothing of its system was imported with --crs: its cells lie where they lay."""
    data = cells(3, "uint16", 3000)
    with rasterio.open(copied(written(tmp_path / "a.tif", data, None))) as image:
        assert image.crs.to_epsg() == 4544 and image.transform == GK and np.array_equal(image.read(), data)


def test_a_rotated_grid_is_laid_north_up_and_its_corners_are_empty(tmp_path: Path) -> None:
    data = np.full((3, HIGH, WIDE), 150, dtype="uint8")
    source = written(tmp_path / "a.tif", data, place=GK @ Affine.rotation(20), names=("blue", "green", "red"))
    with rasterio.open(copied(source)) as image:
        grid = image.transform
        assert grid.b == grid.d == 0 and grid.e < 0 and image.descriptions[:3] == ("blue", "green", "red")
        seen = image.dataset_mask() > 0
        assert not seen[0, 0] and not seen[-1, -1] and set(image.read(1)[seen]) == {150}
        ground = seen.sum() * abs(grid.a * grid.e)
        assert ground == pytest.approx(WIDE * HIGH * 16, rel=0.01)


def test_a_flipped_grid_is_laid_north_up(tmp_path: Path) -> None:
    data = cells(1, "float32")
    place = Affine(4, 0, 595_900, 0, 4, 3_255_000 - 4 * HIGH)
    with rasterio.open(copied(written(tmp_path / "a.tif", data, place=place, nodata=-1))) as image:
        assert image.transform.e < 0 and np.array_equal(image.read(1), data[0, ::-1])


def test_masks_and_alpha_stay(tmp_path: Path) -> None:
    seen = np.zeros((HIGH, WIDE), dtype="uint8")
    seen[:, 200:] = 255
    with rasterio.open(copied(written(tmp_path / "a.tif", cells(3), mask=seen))) as image:
        assert np.array_equal(image.dataset_mask(), seen)
    rgba = np.concatenate([cells(3), seen[None]])
    with rasterio.open(copied(written(tmp_path / "b.tif", rgba, photometric="RGB", ALPHA="YES"))) as image:
        assert np.array_equal(image.dataset_mask(), seen)


def test_overviews_of_classes_hold_only_classes(tmp_path: Path) -> None:
    """An average of forest (1) and water (9) is not town (5)."""
    data = np.random.default_rng(1).choice(np.array([1, 9], "uint8"), (1, 600, 700))
    with rasterio.open(copied(written(tmp_path / "a.tif", data)), OVERVIEW_LEVEL=0) as image:
        assert image.width < 700 and set(np.unique(image.read())) == {1, 9}
    with rasterio.open(copied(written(tmp_path / "b.tif", cells(1, "uint8"))), OVERVIEW_LEVEL=0) as image:
        assert 90 < np.median(image.read()) < 110 and image.read().std() < cells(1).std() * 0.7


def test_raw_radar_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = written(tmp_path / "a.tif", cells().astype("complex64"))
    with pytest.raises(InputError, match="complex"):
        copied(source)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_a_file_cut_off_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    source = written(tmp_path / "a.tif", cells(3, "uint16", 3000), compress="deflate", tiled=True)
    source.write_bytes(source.read_bytes()[:200_000])
    with pytest.raises(InputError, match=r"a\.tif"):
        copied(source)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(tmp_path / "a.tif", cells())
    monkeypatch.setattr(cog.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(EnvironmentFault, match="free"):
        copied(source)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("names", [("blue", "green", "red", "nir"), ()])
def test_near_infrared_that_passes_for_transparency_hides_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Four bands of bytes, written without a word about them, come out as red, green, blue and alpha."""
    data = cells(4)
    source = written(tmp_path / "a.tif", data, names=names)
    with rasterio.open(source) as image:
        assert image.colorinterp[3].name == "alpha"
    with rasterio.open(copied(source)) as image:
        assert image.colorinterp[3].name != "alpha" and np.array_equal(image.read(), data)
        assert image.dataset_mask().all() and image.descriptions[:2] == (names[:2] or (None, None))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.cog.tif", "a.tif"]
