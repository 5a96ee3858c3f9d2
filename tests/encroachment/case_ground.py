"""People of an office, cases opened by hand in one county, and pictures that say where and when they were taken."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import shapely
from PIL import Image

from rivergis import rules
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import case_workflow, life_workflow
from rivergis.encroachment.life_workflow import Evidence, Step
from rivergis.settings import gis_dir
from tests.encroachment.night_ground import river

BOOK = rules.load(gis_dir() / "rules")
VIEW = BOOK.at(("000000",), date(2026, 6, 1))
LON, LAT = 105.0, 29.366
FOUND = date(2026, 5, 20)
HANDED = {
    "deadline": "2026-12-31",
    "measure": "拆除并恢复原状",
    "units": [{"unit": "水利局", "lead": True}, {"unit": "城管局", "measure": "清运", "deadline": "2026-11-30"}],
}
ONE = {"deadline": "2026-12-31", "measure": "清理", "units": [{"unit": "水利局", "lead": True}]}


def office(db: Database) -> None:
    """li inspects, wang and zhao review, chen does both, ma only looks; one river in the county 500199."""
    with db.write("test") as conn:
        for name, held in {
            "li": ["inspector"],
            "zhou": ["inspector"],
            "wang": ["reviewer"],
            "zhao": ["reviewer"],
            "chen": ["inspector", "reviewer"],
            "ma": ["viewer"],
        }.items():
            people.add_user(conn, name, name)
            for role in held:
                people.grant(conn, name, role)
    river(db)


def opened(db: Database, n: float = 0, **more: Any) -> str:
    """A case reported by hand, ``n`` metres (about) east of the others' place; returns its id."""
    said = {"class_code": "dumping.solid_waste", "kind": "dump", "found_on": FOUND, "source": "巡河"} | more
    place = said.pop("place", shapely.Point(LON + n / 97_000, LAT))
    with db.write(said.pop("who", "li")) as conn:
        return str(case_workflow.open_reported(conn, place=place, **said))


def move(db: Database, folder: Path, case: str, name: str, who: str, **more: Any) -> Step:
    said = {"reason": "现场核实", "attachment": None, "store_dir": folder / "store"} | more
    return life_workflow.take_step(db, case, name, who, **said)


def photo(folder: Path, name: str, colour: int = 90) -> Path:
    """A picture that tells neither place nor time."""
    path = folder / name
    picture = Image.effect_noise((64, 48), 80).convert("RGB")
    picture.putpixel((0, 0), (colour, colour, colour))
    picture.save(path, "JPEG")
    return path


def proof(folder: Path, name: str = "after.jpg", **more: Any) -> Evidence:
    """A picture with place and time as a person says them: at the place of the case, just now."""
    said = {"lon": LON, "lat": LAT, "taken_at": datetime.now().astimezone()} | more
    return Evidence(photo(folder, name), **said)


def to_closed(db: Database, folder: Path, case: str, who: str = "li", by: str = "wang") -> None:
    """The whole way of a case to its closing in the county."""
    move(db, folder, case, "judge_problem", who)
    move(db, folder, case, "assign", who, detail=ONE)
    move(db, folder, case, "rectify", who, evidence=[proof(folder, f"{case[:8]}.jpg")])
    move(db, folder, case, "accept", by, detail={"doubts_seen": True})
    move(db, folder, case, "close", by)
