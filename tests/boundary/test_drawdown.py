"""The drawdown belt of a reservoir in a valley whose answer is known, from files to a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import rasterio
from affine import Affine

from rivergis import crs
from rivergis.cli import _run
from tests import tiny


@pytest.fixture
def valley(tmp_path: Path) -> Path:
    """Bed at 140 m, sides 1 in 2: at 145 m the water is 20 m wide, at 175 m 140 m; 1 km long."""
    y = (np.arange(200) + 0.5) * 2.0
    z = (140 + np.abs(y - 200) / 2)[:, None] + np.zeros((200, 500))
    grid = Affine(2, 0, tiny.EAST, 0, -2, tiny.NORTH + 200)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": 200, "width": 500, "crs": tiny.ZONE}
    with rasterio.open(tmp_path / "dem.tif", "w", transform=grid, **profile) as image:
        image.write(z.astype(np.float32), 1)
    tiny.metric([tiny.box(100, -5, 200, 10)]).to_file(tmp_path / "water.gpkg", layer="water")
    ponds = [tiny.box(100, 20, 20, 20), tiny.box(100, 100, 20, 20), tiny.box(100, 60, 20, 20)]
    tiny.metric(ponds, code=["in", "out", "half"]).to_file(tmp_path / "ponds.gpkg", layer="ponds")
    return tmp_path


def run(valley: Path, *more: str) -> int:
    words = [str(valley / "dem.tif"), "--water", str(valley / "water.gpkg"), "--low", "145", "--high", "175", *more]
    return _run(["boundary", "drawdown", *words, "--out", str(valley / "belt.gpkg")])


def test_the_belt_and_what_lies_in_it(valley: Path) -> None:
    assert run(valley, "--vertical-datum", "吴淞", "--objects", str(valley / "ponds.gpkg")) == 0
    belt = pyogrio.read_dataframe(valley / "belt.gpkg", layer="belt")
    assert crs.area_m2(belt.geometry.iloc[0]) == pytest.approx(1000 * (140 - 20), rel=0.03)
    found = pyogrio.read_dataframe(valley / "belt.gpkg", layer="objects").set_index("code")
    assert list(found.index) == ["in", "half"]
    assert found.loc["in", "inside_share"] == pytest.approx(1.0) and found.loc["half", "inside_m2"] == pytest.approx(
        200, abs=50
    )


def test_levels_of_no_known_datum_are_refused(valley: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(valley) == 3 and "vertical datum" in capsys.readouterr().err
