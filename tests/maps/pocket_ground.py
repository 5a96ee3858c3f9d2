"""A county with two villages, a river, its lines, a zone and its intake, outfalls, stakes and leads of a night.

y +5000 +------------------------+-------------------------+
        |  河湾村 …201           |  石桥村 …202            |
        |   zone [  intake  ]    |                         |
   +100 |-- line, left ----------|-------------------------|   stakes on it: good, lost
      0 |== 试验河 0+000 ========|=============== 2+000 ==>|   outfalls on either side of the border
   -100 |-- line, right ---------|-------------------------|
        +------------------------+-------------------------+
        x -5000                1000                      7000
"""

from __future__ import annotations

from pathlib import Path

import shapely

from rivergis.db import people
from rivergis.db.connect import Database
from tests.encroachment import night_ground as ground

DAY = ground.day(0)
INTAKE, CHIEF = "甲水厂取水口", "巡河人甲"


def lay(db: Database, folder: Path) -> None:
    west, east = ground.box(-5000, -5000, 6000, 10000), ground.box(1000, -5000, 6000, 10000)
    county, left, right = (
        shapely.MultiPolygon([shapely.union_all([west, east])]),
        shapely.MultiPolygon([west]),
        shapely.MultiPolygon([east]),
    )
    units = [
        ("500199", "试验县", "county"),
        ("500199001201", "河湾村", "village"),
        ("500199001202", "石桥村", "village"),
    ]
    ground.put(db, "admin_unit", [{"code": c, "name": n, "level": k} for c, n, k in units], [county, left, right])
    axis = shapely.LineString([(ground.X, ground.Y), (ground.X + 2000, ground.Y)])
    ground.put(db, "river", [{"code": "R1", "name": "试验河", "kind": "river"}])
    ground.put(db, "axis", [{"code": "R1", "river_code": "R1"}], [axis])
    ground.put(db, "reach", [{"code": "R1-1", "river_code": "R1", "kind": "river", "from_m": 0, "to_m": 2000}], [axis])
    ground.area(db, "A1", (0, -100, 2000, 200))
    _points(db)
    _people(db)
    objects = {"heap": ("dump", (300, 20, 30, 30)), "shed": ("building", (1500, 20, 30, 30))}
    ground.deliver(db, DAY, "province", objects)
    ground.night(db, folder)


def _points(db: Database) -> None:
    spots = [
        shapely.Point(ground.X + x, ground.Y + y)
        for x, y in ((200, 100), (1800, 100), (500, 150), (200, 30), (1800, 30))
    ]
    stakes = [{"code": f"R1-L-{n}", "river_code": "R1", "bank": "left", "kind": "base", "at_m": at, "status": s}
              for n, (at, s) in enumerate(((200.0, "good"), (1800.0, "lost")))]  # fmt: skip
    ground.put(db, "stake", stakes, spots[:2])
    ground.put(db, "intake", [{"code": "I1", "name": INTAKE, "river_code": "R1", "kind": "river"}], [spots[2]])
    ground.put(db, "source_zone", [{"code": "Z1", "name": "甲保护区", "intake_code": "I1", "zone_class": 1, "basis": "announced"}],
               [shapely.MultiPolygon([ground.box(300, 100, 400, 400)])])  # fmt: skip
    outfalls = [
        {"code": f"O{n}", "name": name, "status": "open", "river_code": "R1"}
        for n, name in enumerate(("湾口排口", "桥下排口"))
    ]
    ground.put(db, "outfall", outfalls, spots[3:])


def _people(db: Database) -> None:
    ground.put(db, "chief", [{"code": "C1", "name": CHIEF, "level": "village", "unit_code": "500199001201"}])
    duty = {
        "code": "D1",
        "chief_code": "C1",
        "river_code": "R1",
        "level": "village",
        "bank": "both",
        "from_m": 0,
        "to_m": 2000,
    }
    ground.put(db, "duty", [duty])
    with db.write("test") as conn:
        for name, role, area in (
            ("inspector", "inspector", ""),
            ("clerk", "planner", ""),
            ("bridge", "inspector", "500199001202"),
            ("viewer", "viewer", ""),
        ):
            people.add_user(conn, name, name, area=area)
            people.grant(conn, name, role)
