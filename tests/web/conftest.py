"""A service over a small county: one river, one line, one outfall, one lead with a dirty name, one patrol."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Connection, text

from rivergis import rules, settings
from rivergis.boundary import store as boundary_store
from rivergis.db import access, people, system
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import case_store
from rivergis.encroachment import store as finding_store
from rivergis.lead import Lead
from rivergis.outfall import store as outfall_store
from rivergis.patrol import receive_store, review_workflow
from rivergis.patrol import store as patrol_store
from rivergis.river import store as river_store
from rivergis.web.app import create_app

NIGHT = date(2026, 5, 20)
DIRTY = "<img src=x onerror=alert(1)>{{7*7}}</script>"
ROLES = ("viewer", "inspector", "planner", "reviewer", "security_officer", "system_admin", "auditor")
PASSWORD = "a long enough password"
MAKER = "local:test"
BOOK = rules.load(settings.gis_dir() / "rules")


@dataclass(frozen=True)
class Service:
    """The service, its database, and a key for each role."""

    client: TestClient
    db: Database
    keys: dict[str, str]
    finding: str
    hint: str
    handled: str
    track: str
    evidence: str
    store: Path

    def get(self, path: str, role: str = "viewer", accept: str = "application/json"):  # type: ignore[no-untyped-def]
        return self.client.get(path, headers={"Authorization": f"Bearer {self.keys[role]}", "Accept": accept})

    def page(self, path: str, role: str = "viewer") -> str:
        answer = self.get(path, role, "text/html")
        assert answer.status_code == 200, answer.text
        return str(answer.text)


def degrees(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(columns, index=range(len(shapes)))
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs="EPSG:4490").rename_geometry("geom")


def client_of(db: Database, store: Path, **options: object) -> TestClient:
    env = {"RIVERGIS_DATA_DIR": str(store), "RIVERGIS_DATABASE": "web"}
    return TestClient(create_app(db, settings.load(env)), follow_redirects=False, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def service(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("data")
    store = folder / "store" / "web"
    with module_db.write(MAKER) as conn:
        ground(conn)
        track = patrol(conn)
        night(conn)
        finding = lead(conn, "building", "announced", DIRTY)
        hint = lead(conn, "quarry", "surrogate", "采石场")
        handled = lead(conn, "dump", "announced", "堆放物")
        evidence = picture(conn, finding, store)
        keys = {role: person(conn, role) for role in ROLES}
        people.add_user(conn, "lihua", "李华", password=PASSWORD)
        people.grant(conn, "lihua", "viewer")
    with module_db.write("the-inspector") as conn:
        case_store.add_event(
            conn, handled, "judge_problem", "problem", reason="现场核实", attachment_sha256=None, detail={}
        )
    with client_of(module_db, folder) as client:
        yield Service(client, module_db, keys, str(finding), str(hint), str(handled), track, evidence, store)


def person(conn: Connection, role: str) -> str:
    """A user of one role, and a key for it."""
    people.add_user(conn, f"the-{role}", role)
    people.grant(conn, f"the-{role}", role)
    return access.make_key(conn, f"the-{role}", "test")


def ground(conn: Connection) -> None:
    r"""One river flowing east between its lines, with an outfall on its left bank.

    left line   ----------------------
                      v outfall
    river       ~~~~~~~~~~~~~~~~~~~~~>
    right line  ----------------------
    """
    box = shapely.box(105.9, 29.3, 106.1, 29.5)
    unit = degrees(shapely.MultiPolygon([box]), code="500199", name="试验县", level="county", parent_code="500100")
    river_store.save(conn, "admin_unit", unit, namespace="local", import_id=None)
    rivers = pd.DataFrame(
        {"code": ["R1"], "name": [f"清溪{DIRTY}"], "kind": ["river"], "name_en": [None], "grade": [None]}
    )
    river_store.save(conn, "river", rivers, namespace="local", import_id=None)
    course = shapely.LineString([(106.0, 29.4), (106.01, 29.4)])
    reach = degrees(
        course, code="R1-1", river_code="R1", name=None, kind="river", from_m=0.0, to_m=970.0, half_width_m=10.0
    )
    river_store.save(conn, "reach", reach, namespace="local", import_id=None)
    act = {
        "version_code": "A1",
        "river_code": "R1",
        "line_type": "management",
        "basis": "announced",
        "announce_gov": "试验县人民政府",
        "announce_doc_no": "试府发〔2024〕1号",
        "announced_on": date(2024, 1, 1),
    }
    lines = degrees(
        *(shapely.LineString([(106.0, y), (106.01, y)]) for y in (29.401, 29.399)),
        code=["L", "R"],
        bank=["left", "right"],
        **act,
        source_feature=["1", "2"],
        survey_scale=2000,
        xy_error_m=1.0,
        from_m=0.0,
        to_m=970.0,
    )
    boundary_store.save(conn, "boundary_line", lines, namespace="local", import_id=None)
    outfall = degrees(
        shapely.Point(106.005, 29.4003),
        code="P1",
        name="一号排污口",
        river_code="R1",
        approval_kind="unknown",
        status="open",
    )
    outfall_store.save(conn, "outfall", outfall, namespace="local", import_id=None)


def night(conn: Connection, finished_at: datetime | None = None) -> None:
    system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())
    topics = {t: {"leads": 1, "statuses": {"new": 1}, "verdicts": 1} for t in ("encroachment", "boundary_line")}
    end = finished_at or now_of(conn)
    system.record_job_run(
        conn,
        job="nightly",
        run_date=NIGHT,
        district="",
        state="done",
        started_at=end,
        finished_at=end,
        input_hash=str(end),
        rule_set=BOOK.version,
        counts={"topics": topics, "tracks": 1, "candidates": 2, "not_told": {}},
        message=None,
        engine={},
    )


def lead(conn: Connection, kind: str, basis: str, name: str) -> uuid.UUID:
    """A lead of the night on the left bank, told by a line of that basis."""
    place = shapely.box(106.004, 29.4002, 106.0042, 29.4004)
    figures = {
        "area_m2": 430.0,
        "area_error_m2": 12.0,
        "sigma_m": 1.4,
        "name": name,
        "kind": kind,
        "river": "清溪",
        "river_code": "R1",
        "bank": "left",
        "at_m": 388.0,
        "chainage": "0+388",
        "village": "试验村",
        "announce_doc_no": "试府发〔2024〕1号",
        "chiefs": [{"level": "village", "chief": "王某", "title": "村主任"}],
    }
    rule = {
        "key": "encroach.min_overlap_area",
        "value": 10,
        "unit": "m2",
        "basis": "own choice",
        "source": "project",
        "status": "unconfirmed",
    }
    told = Lead(
        topic="encroachment",
        key=kind,
        kind=kind,
        class_code="building.obstacle",
        place=place.centroid,
        geom=place,
        position="inside",
        basis=basis,
        clause="《防洪法》第二十二条",
        competent_authority="水行政",
        our_action="立案",
        figures=figures,
        rules=[rule],
        inputs={},
        sources=[],
        area_m2=430.0,
    )
    finding = uuid.uuid5(uuid.NAMESPACE_OID, kind + basis)
    finding_store.add_findings(conn, NIGHT, [(finding, told)])
    sources = [{"key": told.key, "kind": told.kind}]
    finding_store.add_sightings(
        conn, NIGHT, [finding_store.Sighting(finding, "new", sources, told.area_m2, None, told.geom)]
    )
    given = finding_store.Given(BOOK.version, "500199", {"rivergis": "test"}, now_of(conn))
    finding_store.add_verdicts(conn, NIGHT, [(finding, told)], given)
    return finding


def picture(conn: Connection, finding: uuid.UUID, store: Path) -> str:
    """A before picture in the store, and its id."""
    (store / "evidence").mkdir(parents=True)
    Image.new("RGB", (40, 30), "green").save(store / "evidence" / "before.png")
    file = "evidence/before.png"
    finding_store.add_evidence(
        conn,
        finding,
        "chip_before",
        file_sha256="0" * 64,
        file_path=file,
        taken_on=date(2026, 4, 1),
        caption="影像",
        position_grade="georeferenced",
    )
    return str(conn.execute(text("SELECT id FROM data.evidence WHERE finding_id = :f"), {"f": finding}).scalar())


def patrol(conn: Connection) -> str:
    """A walk along the left bank, scored: half of it seen, half never approached."""
    chief = pd.DataFrame(
        {"code": ["C1"], "name": ["王某"], "level": ["village"], "title": ["村主任"], "unit_code": [None]}
    )
    saved = river_store.save(conn, "chief", chief, namespace="local", import_id=None)
    track = uuid.uuid5(uuid.NAMESPACE_OID, "track")
    start = datetime(2026, 5, 20, 1, 0, tzinfo=UTC)
    at = [start + timedelta(seconds=30 * i) for i in range(11)]
    fixes = degrees(*(shapely.Point(106.0 + 0.0005 * i, 29.4002) for i in range(11)), seq=range(11), at=at, acc_m=5.0)
    row = {
        "id": track,
        "raw_sha256": "1" * 64,
        "raw_path": "tracks/x",
        "file_name": "x.gpx",
        "format": "gpx",
        "day": NIGHT,
        "chief_id": saved.versions["C1"][0],
        "datum_used": "wgs84",
        "started_at": at[0],
        "ended_at": at[-1],
        "fix_count": 11,
    }
    receive_store.add(conn, row, fixes)
    system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())
    reach = conn.execute(text("SELECT id, version FROM app.reach")).one()
    legs = pd.DataFrame(
        [(0.0, 485.0, True, None), (485.0, 970.0, False, "never_approached")],
        columns=["from_m", "to_m", "seen", "reason"],
    ).assign(reach_id=reach.id, reach_version=reach.version, bank="left", mode=["walk", None])
    figures = {"minutes": 5.0, "metres": 485.0, "share": 0.5}
    review = [{"code": "fast", "zh": "是否乘车请说明", "en": "fast", "value": 1.0}]
    scored = patrol_store.Scored(track, "test", "h", BOOK.version, figures, [], review, legs)
    review_workflow.ask(conn, track, patrol_store.add_scoring(conn, scored), ["fast"])
    return str(track)
