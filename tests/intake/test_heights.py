"""From what heights count: named by a heading, by a field, or asked for."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

from rivergis.intake import heights
from rivergis.intake.delivery import Declared, Delivered


def layer(text: str = "", z: float | None = None, **fields: object) -> Delivered:
    shapes = [shapely.Point(105.9, 29.3) if z is None else shapely.Point(105.9, 29.3, z)] * 3
    frame = pd.DataFrame(fields, index=range(3))
    return Delivered("stakes", "vector", 3, frame, pd.Series(shapes).to_numpy(), declared=Declared(text=text))


@pytest.mark.parametrize(
    ("given", "datum", "codes"),
    [
        (layer(桩号=["a", "b", "c"]), None, []),
        (layer(高程=[201.2, 202.1, 203.3]), "unknown", ["vertical_datum_unknown"]),
        (layer(z=201.2), "unknown", ["vertical_datum_unknown"]),
        (layer(z=0.0), None, []),
        (layer("高程采用1985国家高程基准", 高程=[201.2, 202.1, 203.3]), "1985", []),
        (layer(**{"高程(吴淞)": ["17.2", "17.3", "17.5"]}), "吴淞", []),
        (
            layer(高程=[1, 2, 3], 高程基准=["1985国家高程基准", "吴淞高程", "吴淞高程"]),
            "mixed",
            ["vertical_datum_mixed"],
        ),
        (layer(水位说明=["高", "中", "低"]), None, []),
    ],
)
def test_heights_and_their_datum(given: Delivered, datum: str | None, codes: list[str]) -> None:
    found, defects = heights.look(given)
    assert (found, [d.code for d in defects]) == (datum, codes)
