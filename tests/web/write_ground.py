r"""Two counties side by side, a river through both, a draft on its lines in the western one, and a service that takes writes.

         county 500199          |        county 500198
left line   ------------------  |
river    ~~~~~~~~~~~~~~~~~~~~~~~|~~~~~~~~~~~~~~~~~~~~~>
right line  ------------------  |
       106.0               106.01                 106.02
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from fastapi.testclient import TestClient

from rivergis import rules, settings
from rivergis.boundary import store as boundary_store
from rivergis.boundary.law import draft_workflow
from rivergis.db import access, people, system
from rivergis.db.connect import Database
from rivergis.river import store as river_store
from rivergis.web.app import create_app
from tests.web.conftest import degrees

WEST, BORDER, EAST, LAT = 106.0, 106.01, 106.02, 29.4
PEOPLE = {
    "planner": ("planner", ""),
    "colleague": ("planner", ""),
    "west": ("planner", "500199"),
    "east": ("planner", "500198"),
    "inspector": ("inspector", ""),
    "inspector-west": ("inspector", "500199"),
    "viewer": ("viewer", ""),
    "reviewer": ("reviewer", ""),
}
BOOK = rules.load(settings.gis_dir() / "rules")


@dataclass
class Api:
    """Programs with keys at the service."""

    client: TestClient
    db: Database
    keys: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str = "planner", said: Any = None, **headers: str) -> Any:
        head = {"Authorization": f"Bearer {self.keys[who]}", "Accept": "application/json"}
        head |= {k.replace("_", "-"): v for k, v in headers.items()}
        return self.client.request(method, f"/ogc/collections/{path}", headers=head, json=said)

    def make(self, name: str, said: Any, who: str = "planner", **headers: str) -> Any:
        return self.ask("POST", f"{name}/items", who, said, **headers)


def ground(db: Database) -> None:
    """The two counties and what lies in them."""
    with db.write("local:test") as conn:
        boxes = [shapely.box(105.9, 29.3, BORDER, 29.5), shapely.box(BORDER, 29.3, 106.1, 29.5)]
        units = degrees(*(shapely.MultiPolygon([b]) for b in boxes), code=["500199", "500198"], name=["西县", "东县"])
        river_store.save(
            conn, "admin_unit", units.assign(level="county", parent_code="500100"), namespace="local", import_id=None
        )
        rivers = pd.DataFrame({"code": ["R1"], "name": ["清溪"], "kind": ["river"], "name_en": [None], "grade": [None]})
        river_store.save(conn, "river", rivers, namespace="local", import_id=None)
        halves = [shapely.LineString([(a, LAT), (b, LAT)]) for a, b in ((WEST, BORDER), (BORDER, EAST))]
        reaches = degrees(*halves, code=["R1-1", "R1-2"], from_m=[0.0, 970.0], to_m=[970.0, 1940.0])
        more = {"river_code": "R1", "name": None, "kind": "river", "half_width_m": 10.0}
        river_store.save(conn, "reach", reaches.assign(**more), namespace="local", import_id=None)
        lines = degrees(*(shapely.LineString([(WEST, y), (BORDER - 0.001, y)]) for y in (29.401, 29.399)))
        act = {
            "code": ["L", "R"], "bank": ["left", "right"], "version_code": "A1", "river_code": "R1", "line_type": "management",
            "basis": "announced", "announce_gov": "西县人民政府", "announce_doc_no": "西府发〔2024〕1号", "announced_on": date(2024, 1, 1),
            "source_feature": ["1", "2"], "survey_scale": 2000, "xy_error_m": 1.0, "from_m": 0.0, "to_m": 873.0,
        }  # fmt: skip
        boundary_store.save(conn, "boundary_line", lines.assign(**act), namespace="local", import_id=None)
        system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())


def draft(db: Database, code: str, adcode: str = "500199") -> None:
    """A draft of a county on the lines in force."""
    draft_workflow.open_draft(
        db,
        code=code,
        title="清溪划界调整",
        actor="planner",
        namespace="local",
        on=date.today(),
        adcode=adcode,
        rivers=["R1"],
    )


def keys(db: Database) -> dict[str, str]:
    """A key for each person."""
    out = {}
    with db.write("local:test") as conn:
        for name, (role, area) in PEOPLE.items():
            people.add_user(conn, name, name, area=area)
            people.grant(conn, name, role)
            out[name] = access.make_key(conn, name, "test")
    return out


def person_with_password(db: Database, name: str, role: str) -> str:
    """Somebody who signs in with a browser, and the password."""
    with db.write("local:test") as conn:
        people.add_user(conn, name, name, password="a long enough password")
        people.grant(conn, name, role)
    return "a long enough password"


def service(db: Database, folder: Path, **env: str) -> TestClient:
    """The service over the database; writes are on unless said otherwise."""
    said = {"RIVERGIS_DATA_DIR": str(folder), "RIVERGIS_DATABASE": "web", "RIVERGIS_WRITES": "on"} | env
    return TestClient(create_app(db, settings.load(said)), follow_redirects=False)
