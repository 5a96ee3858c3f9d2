"""``rivergis terrain``: a DEM in, rasters and streams out, and one sentence where that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from rivergis.cli import _run

GRID = Affine(10, 0, 500_000, 0, -10, 3_300_000)


@pytest.fixture
def valley(tmp_path: Path) -> Path:
    """A valley that falls to the south, 120 x 90 cells, with one undeclared void."""
    rows, columns = np.indices((120, 90))
    z = 200 + 0.5 * np.abs(columns - 45) - 0.4 * rows + 3 * np.sin(rows / 9) * np.cos(columns / 7)
    z[60, 20] = -9999
    return written(tmp_path / "valley.tif", z)


def written(path: Path, z: np.ndarray, **more: object) -> Path:
    profile = {
        "driver": "GTiff",
        "height": z.shape[0],
        "width": z.shape[1],
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:4544",
        "transform": GRID,
    }
    with rasterio.open(path, "w", **(profile | more)) as out:
        out.write(z.astype(np.float32), 1)
    return path


def told(capsys: pytest.CaptureFixture[str], *args: object, code: int = 0) -> dict:
    assert _run([str(a) for a in ("terrain", "flow", *args, "--json")]) == code
    return json.loads(capsys.readouterr().out)


def test_flow_writes_what_gis_programs_read(valley: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    result = told(capsys, valley, "--out", out, "--threshold", "0.1", "--vertical-datum", "1985", "--coding", "taudem")
    assert result["method"] == "exact"
    assert result["vertical_datum"] == "1985国家高程基准"
    assert result["streams"] > 0
    assert any("1 cells hold heights that no ground has" in s for s in result["said"])
    assert json.loads((out / "result.json").read_text(encoding="utf-8")) == result
    with rasterio.open(valley) as dem:
        for name in (
            "filled",
            "flow_direction",
            "upstream_area",
            "edge",
            "catchments",
            "basins",
            "upstream_cells",
            "height_above_drainage",
        ):
            with rasterio.open(out / f"{name}.tif") as image:
                assert (image.shape, image.transform) == (dem.shape, dem.transform)
                assert image.tags()["VERTICAL_DATUM"] == "1985国家高程基准"
                assert image.tags()["RIVERGIS_METHOD"] == "exact"
    with rasterio.open(out / "flow_direction.tif") as image:
        assert set(np.unique(image.read(1))) <= {0, *range(1, 9), 247}
        assert image.tags()["D8_CODING"] == "taudem"
    streams = gpd.read_file(out / "streams.gpkg", layer="streams")
    assert streams.crs.to_epsg() == 4490
    assert not list(out.glob("*.part*"))


def test_a_dem_above_the_limit_is_done_in_parts_and_that_is_said(
    valley: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    result = told(capsys, valley, "--out", out, "--threshold", "0.1", "--max-cells", "3000")
    assert result["method"] == "coarse:2+windows"
    assert any("full resolution" in s for s in result["said"])
    with rasterio.open(out / "height_above_drainage.tif") as image:
        assert image.shape == (120, 90)
        assert image.tags()["RIVERGIS_METHOD"] == "coarse:2+windows"
    with rasterio.open(out / "stream_area.tif") as fine, rasterio.open(out / "upstream_area.tif") as coarse:
        assert coarse.shape == (60, 45)
        assert np.nanmax(fine.read(1)) == pytest.approx(np.nanmax(coarse.read(1)), rel=0.05)


def test_lines_are_burned_in_and_said(valley: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "lines.gpkg"
    river = shapely.LineString([GRID @ (70, 0), GRID @ (70, 120)])
    gpd.GeoDataFrame({"name": ["r"]}, geometry=[river], crs=4544).to_file(lines, engine="pyogrio")
    result = told(capsys, valley, "--out", tmp_path / "out", "--threshold", "0.1", "--burn", lines)
    assert any("lowered by 10 m along 1 given lines" in s for s in result["said"])


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("a.tif", b"no raster", 3, "does not begin like one"),
        ("a.txt", b"no raster", 3, "not a DEM"),
        (None, b"", 3, "there is no"),
    ],
)
def test_what_is_no_dem_is_refused_in_a_sentence(
    tmp_path: Path, name: str | None, content: bytes, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / (name or "missing.tif")
    if name:
        path.write_bytes(content)
    assert _run(["terrain", "flow", str(path), "--out", str(tmp_path / "out")]) == code
    assert words.lower() in capsys.readouterr().err.lower()


def test_a_dem_without_coordinate_system_asks_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.tif", np.ones((5, 5)), crs=None)
    assert _run(["terrain", "flow", str(path), "--out", str(tmp_path / "out")]) == 3
    assert "--crs" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_no_fault_of_ours(
    valley: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    assert _run(["terrain", "flow", str(valley), "--out", str(tmp_path / "file" / "out")]) == 6
    (tmp_path / "out" / "filled.tif.part").mkdir(parents=True)
    assert _run(["terrain", "flow", str(valley), "--out", str(tmp_path / "out")]) == 6
    assert "cannot be written" in capsys.readouterr().err
    assert _run(["terrain", "flow", str(valley), "--out", str(tmp_path / "out"), "--threshold", "-1"]) == 2
