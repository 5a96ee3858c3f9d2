"""A county drawn small, to list its waters.

   x: 0      1000     2000     3000
y                 |
1000  source      |   t2 source
        \\  甲 A  |    |              units: west | east of x = 1500, both in one county
         \\       |    |  乙 B
 500      +-------|----+----------o mouth      甲 flows east across the border;
          | \\_s__|_/  |          |            s: side arm of 甲;  乙 joins 甲 at (2000, 500)
          |       |    |        (lake 3000..3400)
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import shapely

from rivergis import crs
from rivergis.river import inventory
from rivergis.river.inventory import Sizes
from tests import tiny

TABLE: dict[str, dict[int, Any]] = {
    "basin_area_1e4_km2": {1: [5, None], 2: [1, 5], 3: [0.1, 1], 4: [0.01, 0.1], 5: [0, 0.01]},
    "farmland_1e4_mu": {1: [500, None], 2: [100, 500], 3: [30, 100], 4: [0, 30]},
    "population_1e4": {1: [500, None], 2: [100, 500], 3: [30, 100], 4: [0, 30]},
    "city": {1: "特大", 2: "大", 3: "中等", 4: "小"},
    "traffic_and_industry": {1: "特别重要", 2: "重要", 3: "中等", 4: "一般"},
    "hydropower_1e4_kw": {1: [500, None], 2: [100, 500], 3: [10, 100], 4: [0, 10]},
}
SIZES = Sizes([10, 50, 200], [1, 10], 2500.0, (10.0, 50.0), TABLE)


def network(
    *rows: tuple[str, str, str, str | None, str, shapely.LineString], area: float | None = None
) -> gpd.GeoDataFrame:
    """Reaches as (id, river, channel, next, kind, line in metres), chained along their river in the order given."""
    frame = tiny.degrees(tiny.metric([r[5] for r in rows], kind=[r[4] for r in rows])).rename_geometry("geometry")
    frame["reach_id"], frame["river_id"] = [r[0] for r in rows], [r[1] for r in rows]
    frame["river_name"] = frame["river_id"].map({"A": "甲河", "B": "乙沟"})
    frame["channel"], frame["next_reach_id"] = [r[2] for r in rows], [r[3] for r in rows]
    frame["length_m"] = crs.length_m(frame.geometry.to_numpy())
    main = frame["length_m"].where(frame["channel"] == "main", 0.0)
    frame["to_m"] = main.groupby(frame["river_id"]).cumsum()
    frame["from_m"] = frame["to_m"] - main
    ends = [shapely.get_point(frame.geometry.to_numpy(), i) for i in (0, -1)]
    frame["from_node"], frame["to_node"] = ([shapely.to_wkt(p, rounding_precision=7) for p in e] for e in ends)
    return frame.assign(covered=False, upstream_area_km2=area)


A1, A2, A3 = (
    tiny.line((0, 1000), (500, 500), (1000, 500)),
    tiny.line((1000, 500), (2000, 500)),
    tiny.line((2000, 500), (3000, 500)),
)
SIDE, B = tiny.line((1000, 500), (1500, 400), (2000, 500)), tiny.line((2000, 1000), (2000, 500))
REACHES = network(
    ("a1", "A", "main", "a2", "river", A1), ("a2", "A", "main", "a3", "river", A2), ("a3", "A", "main", None, "river", A3),
    ("s", "A", "side", "a3", "braid", SIDE), ("b", "B", "main", "a3", "canal", B),
)  # fmt: skip
UNITS = (
    tiny.degrees(
        tiny.metric(
            [tiny.box(-500, 0, 4000, 2000), tiny.box(-500, 0, 2000, 2000), tiny.box(1500, 0, 2000, 2000)],
            code=["500199", "500199001", "500199002"], name=["云溪县", "西镇", "东镇"], level=["county", "town", "town"],
        )
    )
)  # fmt: skip
LAKE = tiny.degrees(tiny.metric([tiny.box(3000, 400, 400, 200)], kind="lake", name="东湖", river_id="L7"))


def listed(**more: Any) -> inventory.Inventory:
    given_: dict[str, Any] = {"reaches": REACHES, "areas": LAKE, "units": UNITS, "sizes": SIZES, **more}
    return inventory.rivers(
        given_.pop("reaches"), given_.pop("areas"), given_.pop("units"), given_.pop("sizes"), **given_
    )
