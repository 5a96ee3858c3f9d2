"""Many planners at once over the OGC API: of edits on one edition one stands, the others are told; nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from rivergis.boundary.law import draft_workflow
from rivergis.db.connect import Database
from tests.web import write_ground
from tests.web.write_ground import Api

LINES, DATA = "boundary_draft_line", "candidate"
AT_ONCE = 6


@pytest.fixture(scope="module")
def api(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    write_ground.ground(module_db)
    keys = write_ground.keys(module_db)
    write_ground.draft(module_db, "D1")
    with write_ground.service(module_db, tmp_path_factory.mktemp("data")) as client:
        yield Api(client, module_db, keys)


def together(act: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(act, range(AT_ONCE)))


def line(n: int) -> dict[str, Any]:
    lat = 29.4011 + 0.0001 * n
    return {"type": "LineString", "coordinates": [[106.002, lat], [106.004, lat]]}


def drawn(n: int) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"draft_code": "D1", "river_code": "R1", "from_m": 10.0 * n, "to_m": 10.0 * n + 5},
        "geometry": line(n),
    }


def spot(n: int, **more: Any) -> dict[str, Any]:
    said = {"kind": "dump", "source_kind": "drone", **more}
    return {
        "type": "Feature",
        "properties": said,
        "geometry": {"type": "Point", "coordinates": [106.003 + 0.0001 * n, 29.42]},
    }


def test_lines_drawn_at_once_are_all_there(api: Api) -> None:
    made = together(lambda n: api.make(LINES, drawn(n), "planner" if n % 2 else "colleague"))
    assert Counter(a.status_code for a in made) == {201: AT_ONCE}, [a.text for a in made]
    assert len({a.json()["id"] for a in made}) == AT_ONCE
    with api.db.read() as conn:
        held = draft_workflow.segments(conn, draft_workflow.get(conn, "D1"))
        saves = conn.execute(
            text("SELECT array_agg(revision ORDER BY revision) FROM data.boundary_draft_change")
        ).scalar_one()
    assert len(held) == AT_ONCE + 2 and saves == list(range(1, AT_ONCE + 2))


@pytest.mark.parametrize(("name", "feature"), [(LINES, drawn(9)), (DATA, spot(0))])
def test_of_edits_on_one_edition_one_stands(api: Api, name: str, feature: dict[str, Any]) -> None:
    one = api.make(name, feature)
    assert one.status_code == 201, one.text
    path, tag = f"{name}/items/{one.json()['id']}", one.headers["etag"]
    field = "note" if name == LINES else "name"
    done = together(
        lambda n: api.ask(
            "PATCH", path, "planner" if n % 2 else "colleague", {"properties": {field: f"第{n}人"}}, If_Match=tag
        )
    )
    assert Counter(a.status_code for a in done) == {200: 1, 412: AT_ONCE - 1}, [a.text for a in done]
    gone = together(
        lambda n: api.ask(
            "DELETE", path, "planner", If_Match=next(a for a in done if a.status_code == 200).headers["etag"]
        )
    )
    # who wants gone what is gone by now has what he wants; it is written once
    assert {a.status_code for a in gone} <= {204, 404, 412} and any(a.status_code == 204 for a in gone)
    assert editions(api, name, one.json()["id"]) == 3


def editions(api: Api, name: str, key: str) -> int:
    table, column = {LINES: ("boundary_draft_segment", "segment_id"), DATA: ("candidate", "id")}[name]
    with api.db.read() as conn:
        return int(
            conn.execute(
                text(f"SELECT count(*) FROM data.{table} WHERE {column} = CAST(:k AS uuid)"), {"k": key}
            ).scalar_one()
        )


def test_one_candidate_sent_by_many_is_one(api: Api) -> None:
    made = together(lambda n: api.make(DATA, spot(5, code="ONE")))
    assert Counter(a.status_code for a in made) == {201: 1, 200: AT_ONCE - 1}, [a.text for a in made]
    with api.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.candidate WHERE code = 'ONE'")).scalar_one() == 1
