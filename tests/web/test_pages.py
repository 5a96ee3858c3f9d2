"""What pages say: the night, the leads and why, in both languages, dirty names as text, no outside address."""

from __future__ import annotations

import html
import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from rivergis import words
from rivergis.db.connect import Database
from rivergis.encroachment import case_store
from rivergis.web import page
from tests.web.conftest import DIRTY, MAKER, NIGHT, Service, client_of, night, person

PAGES = (
    "/",
    "/maps/county",
    "/maps/river/R1",
    "/maps/night/2026-05-20",
    "/maps/patrol/{track}",
    "/reports/night/2026-05-20",
    "/findings/{finding}",
    "/findings/{hint}",
    "/docs",
    "/nowhere",
)
# words of judgement that no page may use of anybody
JUDGEMENT = re.compile(
    r"违法|违规|非法|作弊|造假|犯罪|处罚决定|illegal|violation|breach|cheat|offen[cd]e", re.IGNORECASE
)


def address(service: Service, path: str) -> str:
    return path.format(track=service.track, finding=service.finding, hint=service.hint)


def seen(page: str) -> str:
    """Words of a page as a reader sees them."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize("path", PAGES)
def test_no_page_judges_names_a_script_or_asks_elsewhere(service: Service, path: str) -> None:
    answer = service.get(address(service, path), "auditor", "text/html")
    page = answer.text
    # what the data itself says is not ours to word
    assert not JUDGEMENT.search(page.replace(words.say("page.disclaimer"), "").replace("onerror", ""))
    assert "<img src=x" not in page and "49</script>" not in page
    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", page)
    assert words.say("page.disclaimer") in page


@pytest.mark.parametrize("path", [*PAGES, "/health", "/assets/style.css", "/assets/leaflet/leaflet.js"])
def test_every_answer_tells_the_browser_to_be_strict(service: Service, path: str) -> None:
    headers = service.get(address(service, path), "auditor", "text/html").headers
    policy = dict(p.strip().split(" ", 1) for p in headers["content-security-policy"].split(";"))
    assert (
        policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
    )
    assert "unsafe-inline" not in policy.get("script-src", "") and "unsafe-eval" not in str(policy)
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers and "server" not in headers
    assert headers["cache-control"] == "no-store"


def test_files_named_with_their_hash_are_kept_by_the_browser(service: Service) -> None:
    page = service.page("/maps/county")
    for url in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page):
        answer = service.client.get(url)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]


def test_the_portal_tells_the_night_the_leads_and_the_way_on(service: Service) -> None:
    page = service.page("/", "inspector")
    told = seen(page)
    assert "2026-05-20" in told and "完成 done" in told and words.say("run.late") not in told
    assert "河道管理范围内的建筑物" in told and f"清溪{DIRTY}" in told and "1.0 km" in told
    assert "入河排污口 outfall 1" in told and "管理范围线 boundary line 2" in told
    for link in (
        "/maps/county",
        "/maps/night/2026-05-20",
        "/maps/river/R1",
        f"/findings/{service.finding}",
        f"/maps/patrol/{service.track}",
    ):
        assert f'href="{link}"' in page
    assert "轨迹待核实" not in told and "是否乘车请说明" not in told  # for the duty person and the chief concerned
    assert "轨迹待核实 track to be verified" in service.page("/", "reviewer")


def test_what_lies_inside_an_unannounced_line_is_counted_apart(service: Service) -> None:
    page = service.page("/")
    assert f"/findings/{service.finding}" in page and f"/findings/{service.hint}" not in page
    assert words.say("page.hints", n=1) in page


def fresh(db: Database, tmp_path, finished_at: datetime | None):  # type: ignore[no-untyped-def]
    """The portal of a database with one finished night, or none."""
    with db.write(MAKER) as conn:
        key = person(conn, "viewer")
        if finished_at:
            night(conn, finished_at)
    with client_of(db, tmp_path) as client:
        return client.get("/", headers={"Authorization": f"Bearer {key}", "Accept": "text/html"}).text


@pytest.mark.parametrize(("hours", "late"), [(1, False), (23, False), (25, True)])
def test_the_portal_says_by_itself_that_last_night_did_not_run(db: Database, tmp_path, hours: int, late: bool) -> None:  # type: ignore[no-untyped-def]
    page = fresh(db, tmp_path, datetime.now(UTC) - timedelta(hours=hours))
    assert ("昨夜未运行" in page) == late and ("did not run last night" in page) == late


def test_an_empty_database_has_a_portal(db: Database, tmp_path) -> None:  # type: ignore[no-untyped-def]
    page = fresh(db, tmp_path, None)
    assert words.say("run.never") in page and "虚构演示数据" not in page


def test_the_page_of_a_lead_explains_all_of_it(service: Service) -> None:
    told = seen(service.page(f"/findings/{service.finding}"))
    wanted = (
        "疑似问题线索",
        "清溪 左岸 0+388",
        "试验村",
        "430 m² ± 12 m²",
        "界内 inside",
        "已公告界线",
        "试府发〔2024〕1号",
        "《防洪法》第二十二条",
        "水行政主管部门",
        "可由本部门核实后决定是否立案",
        "村级 王某",
        "± 1.4 m",
        "未确认 unconfirmed",
        "10 m²",
        "存量待核 stock to be verified",
        "尚无处置记录",
        "106.004100, 29.400300",
    )
    assert [w for w in wanted if w not in told] == []
    assert f'src="/evidence/{service.evidence}"' in service.page(f"/findings/{service.finding}")


def test_a_surrogate_line_points_at_nobody(service: Service) -> None:
    told = seen(service.page(f"/findings/{service.hint}"))
    assert "仅供参考,不作提示" in told and "orientation only" in told
    assert "由水行政主管部门核实" not in told and "疑似问题线索" not in told
    assert "替代边界内·仅供参考 · 存量待核" in service.page("/maps/night/2026-05-20")


def test_a_lead_as_data(service: Service) -> None:
    record = service.get(f"/findings/{service.finding}.json").json()
    assert record["finding"]["id"] == service.finding and record["now"]["status"] == "new"
    assert record["now"]["figures"]["name"] == DIRTY and record["why"]["zh"].startswith(DIRTY)
    assert [e["kind"] for e in record["evidence"]] == ["chip_before"] and record["now"]["state"] == "found"


def test_events_are_shown_in_beijing_time_and_words(service: Service) -> None:
    told = seen(service.page(f"/findings/{service.handled}"))
    with service.db.read() as conn:
        [event] = case_store.events(conn, uuid.UUID(service.handled))
    at = event["recorded_at"].astimezone(page.SHANGHAI)
    assert f"认定问题 judge a problem → 问题 problem {at:%Y-%m-%d %H:%M} the-inspector 现场核实" in told
    assert "处置状态 state 问题 problem" in told


def test_a_map_carries_dirty_names_as_data_only(service: Service) -> None:
    page = service.page("/maps/night/2026-05-20")
    [block] = re.findall(r'<script type="application/json" id="rg-data">(.*?)</script>', page, re.DOTALL)
    layers = {layer["id"]: layer for layer in json.loads(block)["layers"]}
    [lead] = [f for f in layers["finding"]["features"] if f["id"] == service.finding]
    assert lead["href"] == f"/findings/{service.finding}" and lead["chips"][0][2] == f"/evidence/{service.evidence}"
    assert "<" not in block
    names = [f.get("text") for f in layers["reach"]["features"]]
    assert names == [f"清溪{DIRTY}"]


def test_a_map_is_drawn_as_of_a_day(service: Service) -> None:
    later, before = service.page("/maps/county?on=2026-05-21"), service.page("/maps/county?on=2026-05-19")
    assert service.finding in later and service.finding not in before and "2026-05-19" in before


def test_a_patrol_map_shows_both_kinds_of_bank_and_the_track(service: Service) -> None:
    page = service.page(f"/maps/patrol/{service.track}", "inspector")
    [block] = re.findall(r'id="rg-data">(.*?)</script>', page, re.DOTALL)
    layers = {layer["id"]: layer for layer in json.loads(block)["layers"]}
    assert [f["label"] for f in layers["leg"]["features"]] == [f"已看到的岸 · 清溪{DIRTY} 左岸 0+000 – 0+485"]
    assert [f["label"] for f in layers["uncovered"]["features"]] == [f"未到过 · 清溪{DIRTY} 左岸 0+485 – 0+970"]
    assert len(layers["track"]["features"]) == 1 and "09:00" in page  # 01:00 UTC


def test_a_purged_track_leaves_its_stretches(db: Database, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from rivergis.patrol import store as patrol_store
    from tests.web.conftest import ground, patrol

    with db.write(MAKER) as conn:
        ground(conn)
        track, key = patrol(conn), person(conn, "inspector")
        patrol_store.purge(conn, NIGHT + timedelta(days=1))
    with client_of(db, tmp_path) as client:
        page = client.get(f"/maps/patrol/{track}", headers={"Authorization": f"Bearer {key}"}).text
    assert "0+485" in page and words.say("patrol.purged") in page


def test_a_picture_is_served_to_who_may_see_leads(service: Service) -> None:
    answer = service.get(f"/evidence/{service.evidence}")
    assert answer.headers["content-type"] == "image/png" and answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    ("file", "status", "disposition"),
    [("../../secret.txt", 404, None), ("evidence/gone.png", 404, None), ("evidence/page.html", 200, "attachment")],
)
def test_evidence_never_leaves_its_store_nor_runs_in_our_name(
    service: Service, file: str, status: int, disposition: str | None
) -> None:
    (service.store.parents[1] / "secret.txt").write_text("secret")
    (service.store / "evidence" / "page.html").write_text("<script>alert(1)</script>")
    with service.db.write(MAKER) as conn:
        row = conn.execute(
            text("""INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path)
            VALUES (CAST(:f AS uuid), 'document', :h, :p) RETURNING id"""),
            {"f": service.hint, "h": file, "p": file},
        ).scalar_one()
    answer = service.get(f"/evidence/{row}")
    assert answer.status_code == status and "secret" not in answer.text
    if disposition:
        assert answer.headers["content-disposition"].startswith(disposition)


def test_the_report_links_into_the_service(service: Service) -> None:
    page = service.page("/reports/night/2026-05-20", "inspector")
    assert f"/findings/{service.finding}" in page and "/maps/night/2026-05-20" in page


def test_how_many_tracks_are_to_be_verified_is_for_who_reviews(service: Service) -> None:
    pages = {
        r: seen(service.page("/reports/night/2026-05-20", r)) for r in ("viewer", "inspector", "auditor", "reviewer")
    }
    assert {r: "轨迹待核实" in p for r, p in pages.items()} == dict.fromkeys(pages, False) | {"reviewer": True}


def test_the_api_is_described_from_own_files(service: Service) -> None:
    description = service.get("/openapi.json").json()
    assert {"/maps/county", "/findings/{finding_id}.json", "/health"} <= set(description["paths"])
    assert "HTTPBearer" in description["components"]["securitySchemes"]
    assert "/assets/swagger-ui/swagger-ui-bundle.js" in service.page("/docs")
