"""The strip to the first ridge: a valley between two crests whose place is known, and one that rises without end."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS

from rivergis.boundary.drafting.flood import Heights
from rivergis.boundary.drafting.ridge import strip
from rivergis.river.terrain import Dem
from tests import tiny

SYSTEM = CRS.from_user_input(tiny.ZONE)


def ground(crest_m: float) -> Heights:
    """Sides rise 1 in 2 to a crest and fall behind it; 2 km long, cells of 10 m."""
    y = np.abs((np.arange(300) + 0.5) * 10 - 1500)
    z = 100 + np.where(y < crest_m, y / 2, crest_m - y / 2)[:, None] + np.zeros((300, 200))
    dem = Dem(z.astype(np.float32), Affine(10, 0, tiny.EAST, 0, -10, tiny.NORTH + 1500), SYSTEM, "local", "hills.tif")
    return Heights(dem.name, dem.cell_m, "local", lambda lonlat, margin: (dem, True))


def test_the_strip_reaches_to_the_crests() -> None:
    axis = tiny.line((10, 0), (1990, 0))
    found = strip(ground(600), axis, SYSTEM, step_m=50, farthest_m=1400, drop_m=20)
    assert found.shape.area == pytest.approx(1980 * 1200, rel=0.03) and not found.open_m
    for bank, line in found.ridges:
        y = shapely.get_coordinates(line)[:, 1] - tiny.NORTH
        assert np.allclose(y, 600 if bank == "left" else -600, atol=10)


def test_ground_that_does_not_fall_again_has_no_ridge_and_that_is_told() -> None:
    found = strip(ground(5000), tiny.line((10, 0), (1990, 0)), SYSTEM, step_m=50, farthest_m=1400, drop_m=20)
    assert found.shape.is_empty and {bank for bank, _, _ in found.open_m} == {"left", "right"}
