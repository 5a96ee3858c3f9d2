"""Two counties side by side on one river network, each with everything that a service shows, and people in each.

county A (500199)            | county B (500198)
RA ~~~~~~~~~~~~~~~~~>        | RB ~~~~~~~~~~~~~~~~~>
   outfall, case, patrol ... |    the same, all called 乙秘
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Connection, text

from rivergis import rules, settings
from rivergis.boundary import store as boundary_store
from rivergis.boundary.law import draft_workflow
from rivergis.db import access, people, system
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import case_store, hand_workflow
from rivergis.encroachment import store as finding_store
from rivergis.lead import Lead
from rivergis.outfall import store as outfall_store
from rivergis.patrol import receive_store, review_workflow
from rivergis.patrol import store as patrol_store
from rivergis.river import store as river_store
from rivergis.sourcezone import store as zone_store
from rivergis.web.app import create_app

NIGHT = date(2026, 5, 20)
MAKER = "local:test"
PASSWORD = "a long enough password"
BOOK = rules.load(settings.gis_dir() / "rules")
ROLES = ("inspector", "planner", "reviewer", "duty_person", "auditor", "chief")
SECRET = "乙秘"
"""Every thing of county B is called so."""


@dataclass
class County:
    """What is known of one county, by the names that paths have for it."""

    adcode: str
    west: float
    word: str
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def letter(self) -> str:
        return "A" if self.adcode == "500199" else "B"

    def named(self, what: str) -> str:
        return f"{self.word}{what}"


@dataclass(frozen=True)
class World:
    """The service over both, with a key of somebody who is held to no area."""

    client: TestClient
    db: Database
    a: County
    b: County
    keys: dict[str, str]
    store: Path

    def ask(self, method: str, path: str, key: str | None, accept: str = "application/json", **more: Any) -> Any:
        headers = {"Accept": accept, **({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)


def degrees(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(columns, index=range(len(shapes)))
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs="EPSG:4490").rename_geometry("geom")


@contextmanager
def world(db: Database, folder: Path, env: dict[str, str] | None = None) -> Iterator[World]:
    store = folder / "store" / "web"
    (store / "evidence").mkdir(parents=True)
    a, b = County("500199", 106.0, "甲"), County("500198", 106.2, SECRET)
    with db.write(MAKER) as conn:
        system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())
        for county in (a, b):
            ground(conn, county)
            county.ids["case"] = str(case(conn, county, store))
            county.ids["track"] = patrol(conn, county)
        night(conn)
        keys = {role: person(conn, f"all-{role}", role, "") for role in (*ROLES, "security_officer", "system_admin")}
        for county in (a, b):
            county.keys = {role: person(conn, f"{county.letter}-{role}", role, county.adcode) for role in ROLES}
    for county in (a, b):
        at_work(db, county)
    options = {"RIVERGIS_DATA_DIR": str(folder), "RIVERGIS_DATABASE": "web", **(env or {})}
    app = create_app(db, settings.load(options))
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield World(client, db, a, b, keys, store)


def person(conn: Connection, name: str, role: str, area: str) -> str:
    people.add_user(conn, name, name, password=PASSWORD, area=area)
    people.grant(conn, name, role)
    return access.make_key(conn, name, "test")


def ground(conn: Connection, c: County) -> None:
    """A river flowing east between its lines, and one thing of every layer."""
    x, own = c.west, {"namespace": "local", "import_id": None}
    river = f"R{c.letter}"
    box = shapely.MultiPolygon([shapely.box(x - 0.05, 29.3, x + 0.05, 29.5)])
    unit = degrees(box, code=c.adcode, name=c.named("县"), level="county", parent_code="500100")
    river_store.save(conn, "admin_unit", unit, **own)
    rivers = pd.DataFrame(
        {"code": [river], "name": [c.named("河")], "kind": ["river"], "name_en": [None], "grade": [None]}
    )
    river_store.save(conn, "river", rivers, **own)
    course = shapely.LineString([(x, 29.4), (x + 0.01, 29.4)])
    on = {"river_code": river}
    river_store.save(conn, "axis", degrees(course, code=f"{river}-X", **on), **own)
    reach = degrees(course, code=f"{river}-1", name=None, kind="river", from_m=0.0, to_m=970.0, half_width_m=10.0, **on)
    river_store.save(conn, "reach", reach, **own)
    mark = degrees(
        shapely.Point(x + 0.002, 29.4001), code=f"{river}-M", name=c.named("桥"), kind="bridge", at_m=194.0, **on
    )
    river_store.save(conn, "landmark", mark, **own)
    act = {
        "version_code": f"A{c.letter}", "line_type": "management", "basis": "announced", "announce_gov": c.named("县人民政府"),
        "announce_doc_no": c.named("府发1号"), "announced_on": date(2024, 1, 1), **on,
    }  # fmt: skip
    lines = degrees(
        *(shapely.LineString([(x, y), (x + 0.01, y)]) for y in (29.401, 29.399)), code=[f"{river}-L", f"{river}-R"],
        bank=["left", "right"], source_feature=["1", "2"], survey_scale=2000, xy_error_m=1.0, from_m=0.0, to_m=970.0, **act,
    )  # fmt: skip
    boundary_store.save(conn, "boundary_line", lines, **own)
    drain = degrees(
        shapely.Point(x + 0.005, 29.4003),
        code=f"P{c.letter}",
        name=c.named("排污口"),
        approval_kind="unknown",
        status="open",
        **on,
    )
    outfall_store.save(conn, "outfall", drain, **own)
    intake = degrees(shapely.Point(x + 0.008, 29.4002), code=f"Q{c.letter}", name=c.named("取水口"), kind="river", **on)
    zone_store.save(conn, "intake", intake, **own)


def night(conn: Connection) -> None:
    topics = {t: {"leads": 1, "statuses": {"new": 1}, "verdicts": 1} for t in ("encroachment", "boundary_line")}
    end = now_of(conn)
    for district in ("", "500199", "500198"):
        system.record_job_run(
            conn, job="nightly", run_date=NIGHT, district=district, state="done", started_at=end, finished_at=end,
            input_hash=str(end) + district, rule_set=BOOK.version,
            counts={"topics": topics, "tracks": 1, "candidates": 2, "not_told": {}}, message=None, engine={},
        )  # fmt: skip


def case(conn: Connection, c: County, store: Path) -> uuid.UUID:
    """A case with a sighting, a verdict, a picture and an event that carries a paper."""
    place = shapely.box(c.west + 0.004, 29.4002, c.west + 0.0042, 29.4004)
    figures = {
        "area_m2": 430.0, "area_error_m2": 12.0, "sigma_m": 1.4, "name": c.named("棚房"), "kind": "building", "river": c.named("河"),
        "river_code": f"R{c.letter}", "bank": "left", "at_m": 388.0, "chainage": "0+388", "village": c.named("村"),
        "announce_doc_no": c.named("府发1号"), "chiefs": [{"level": "village", "chief": c.named("某"), "title": "村主任"}],
    }  # fmt: skip
    rule = {
        "key": "encroach.min_overlap_area",
        "value": 10,
        "unit": "m2",
        "basis": "own",
        "source": "project",
        "status": "unconfirmed",
    }
    told = Lead(
        topic="encroachment", key=c.letter, kind="building", class_code="building.obstacle", place=place.centroid, geom=place,
        position="inside", basis="announced", clause="《防洪法》第二十二条", competent_authority="水行政", our_action="立案",
        figures=figures, rules=[rule], inputs={}, sources=[], area_m2=430.0, district=c.adcode,
    )  # fmt: skip
    finding = uuid.uuid5(uuid.NAMESPACE_OID, c.adcode)
    finding_store.add_findings(conn, NIGHT, [(finding, told)])
    sources = [{"key": told.key, "kind": told.kind}]
    finding_store.add_sightings(
        conn, NIGHT, [finding_store.Sighting(finding, "new", sources, told.area_m2, None, told.geom)]
    )
    finding_store.add_verdicts(
        conn, NIGHT, [(finding, told)], finding_store.Given(BOOK.version, c.adcode, {"rivergis": "test"}, now_of(conn))
    )
    part = store / "evidence" / "part.png"
    Image.new("RGB", (40, 30), "green" if c.letter == "A" else "red").save(part)
    sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
    part.rename(store / "evidence" / f"{sha256}.png")
    finding_store.add_evidence(
        conn, finding, "chip_before", file_sha256=sha256, file_path=f"evidence/{sha256}.png", taken_on=date(2026, 4, 1),
        caption=c.named("影像"), position_grade="georeferenced",
    )  # fmt: skip
    c.ids["evidence"] = str(
        conn.execute(text("SELECT id FROM data.evidence WHERE finding_id = :f"), {"f": finding}).scalar()
    )
    c.ids["sha256"] = sha256
    return finding


def patrol(conn: Connection, c: County) -> str:
    """A walk of the county's chief along the left bank, scored, with a question."""
    chief = pd.DataFrame(
        {
            "code": [f"H{c.letter}"],
            "name": [c.named("河长")],
            "level": ["county"],
            "title": ["县长"],
            "unit_code": [c.adcode],
        }
    )
    saved = river_store.save(conn, "chief", chief, namespace="local", import_id=None)
    duty = pd.DataFrame({"code": [f"D{c.letter}"], "chief_code": [f"H{c.letter}"], "river_code": [f"R{c.letter}"], "level": ["county"],
                         "bank": ["both"], "from_m": [0.0], "to_m": [970.0]})  # fmt: skip
    river_store.save(conn, "duty", duty, namespace="local", import_id=None)
    track, start = uuid.uuid5(uuid.NAMESPACE_OID, f"track{c.letter}"), datetime(2026, 5, 20, 1, 0, tzinfo=UTC)
    at = [start + timedelta(seconds=30 * i) for i in range(11)]
    fixes = degrees(*(shapely.Point(c.west + 0.0005 * i, 29.4002) for i in range(11)), seq=range(11), at=at, acc_m=5.0)
    row = {
        "id": track, "raw_sha256": (c.letter.lower() * 64)[:64].replace("b", "d"), "raw_path": "tracks/x", "file_name": c.named("x.gpx"),
        "format": "gpx", "day": NIGHT, "chief_id": saved.versions[f"H{c.letter}"][0], "datum_used": "wgs84", "started_at": at[0],
        "ended_at": at[-1], "fix_count": 11,
    }  # fmt: skip
    receive_store.add(conn, row, fixes)
    reach = conn.execute(text("SELECT id, version FROM app.reach WHERE code = :c"), {"c": f"R{c.letter}-1"}).one()
    legs = pd.DataFrame(
        [(0.0, 485.0, True, None), (485.0, 970.0, False, "never_approached")],
        columns=["from_m", "to_m", "seen", "reason"],
    ).assign(reach_id=reach.id, reach_version=reach.version, bank="left", mode=["walk", None])
    review = [{"code": "fast", "zh": c.named("请说明"), "en": "fast", "value": 1.0}]
    scored = patrol_store.Scored(
        track, "test", "h", BOOK.version, {"minutes": 5.0, "metres": 485.0, "share": 0.5}, [], review, legs
    )
    review_workflow.ask(conn, track, patrol_store.add_scoring(conn, scored), ["fast"])
    c.ids["question"] = str(conn.execute(text("SELECT max(id) FROM data.review_event")).scalar())
    return str(track)


def at_work(db: Database, c: County) -> None:
    """What the people of a county did: a case judged with a paper, a draft, an object seen."""
    with db.write(f"{c.letter}-inspector") as conn:
        case_store.add_event(
            conn, uuid.UUID(c.ids["case"]), "judge_problem", "problem", reason=c.named("核实"), attachment_sha256=c.ids["sha256"], detail={}
        )  # fmt: skip
    maker = f"{c.letter}-planner"
    draft_workflow.open_draft(
        db,
        code=f"D{c.letter}",
        title=c.named("草案"),
        actor=maker,
        namespace="local",
        on=date.today(),
        adcode=c.adcode,
        rivers=[f"R{c.letter}"],
    )
    c.ids["draft"] = f"D{c.letter}"
    plot = shapely.box(c.west + 0.003, 29.4001, c.west + 0.0033, 29.4004)
    said = {
        "code": f"C{c.letter}",
        "kind": "building",
        "name": c.named("疑似物"),
        "feed": "hand",
        "source_kind": "hand",
        "evidence": {},
    }
    c.ids["candidate"] = str(hand_workflow.record(db, said, plot, f"{c.letter}-inspector").id)
