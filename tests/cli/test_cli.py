"""The command line as people and timers use it: exit codes, one sentence, JSON, nothing half done."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import text

from rivergis.cli import NOUNS, _run
from rivergis.db.connect import Database, open_database
from tests.intake.test_photo import picture

BIN = [sys.executable, "-c", "from rivergis.cli import main; main()"]


def run(env: dict[str, str], *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*BIN, *args], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, (args, done.returncode, done.stdout[-500:], done.stderr[-1500:])
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("noun", list(NOUNS))
def test_every_noun_has_help_with_an_example(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    def page(*args: str) -> str:
        assert _run([*args, "--help"]) == 0
        return capsys.readouterr().out

    out = page(noun)
    verbs = re.findall(r"^  ([a-z][a-z-]*)  ", out.split("Commands:")[1], re.M) if "Commands:" in out else []
    for verb in verbs:
        assert f"rivergis {noun} {verb}" in page(noun, verb), f"{noun} {verb} shows no example"
    if not verbs:
        assert f"rivergis {noun}" in out.split("Usage")[1]


def outfalls(path: Path, *codes: str) -> Path:
    frame = gpd.GeoDataFrame(
        {"code": codes, "name": list(codes)},
        geometry=[shapely.Point(106 + i / 100, 29.4) for i in range(len(codes))],
        crs=4490,
    )
    frame.to_file(path, engine="pyogrio")
    return path


def test_import_list_and_the_same_file_again(cli_env: dict[str, str], tmp_path: Path) -> None:
    file = outfalls(tmp_path / "a.gpkg", "a", "b")
    [first] = json.loads(run(cli_env, "import", "outfall", str(file), "--json").stdout)
    assert (first["count_in"], first["imported"], first["known"]) == (2, 2, False)
    [again] = json.loads(run(cli_env, "import", "outfall", str(file), "--json").stdout)
    assert again["known"]


def test_rows_set_aside_end_with_4_and_can_be_listed_and_exported(cli_env: dict[str, str], tmp_path: Path) -> None:
    file = outfalls(tmp_path / "a.gpkg", "a", "", "a")
    run(cli_env, "import", "outfall", str(file), code=4)
    rows = json.loads(run(cli_env, "quarantine", "list", "--json").stdout)
    assert sorted(r["code"] for r in rows) == ["code_missing", "duplicate_code"]
    run(cli_env, "quarantine", "export", str(tmp_path / "aside.json"))
    assert {r["geom_wkt"][:5] for r in json.loads((tmp_path / "aside.json").read_text())} == {"POINT"}


def test_a_dry_run_writes_nothing(cli_env: dict[str, str], db: Database, tmp_path: Path) -> None:
    run(cli_env, "import", "outfall", str(outfalls(tmp_path / "a.gpkg", "a")), "--dry-run")
    with db.read() as conn:
        assert (
            conn.execute(
                text("SELECT (SELECT count(*) FROM data.outfall) + (SELECT count(*) FROM sys.import_record)")
            ).scalar()
            == 0
        )


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("import", "outfall", "/no/such.gpkg"), 3, "There is no file"),
        (("import", "outfalls", "/no/such.gpkg"), 3, "There is no layer 'outfalls'; the layers are"),
        (("import", "outfall"), 2, "Missing argument"),
        (("nightly", "show", "--date", "yesterday"), 2, "Invalid value"),
        (("nightly", "explain", "zzz"), 3, "No lead has an id"),
        (("rules", "show", "no.such.key"), 3, "There is no rule key"),
        (("rules", "show", "encroach.snap", "--at", "Atlantis"), 3, "No administrative unit"),
        (("map", "river", "nowhere", "--out", "/tmp/x.html"), 3, "nowhere"),
        (("river", "locate", "--at", "here"), 2, "is not a position"),
        (("nothing",), 2, "No such command"),
        (("import", "outfall", "/no/such.gpkg", "--as", "stranger"), 7, "stranger"),
    ],
)
def test_errors_are_one_sentence_with_a_stable_code(
    cli_env: dict[str, str], args: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run(cli_env, *args, code=code)
    assert sentence in done.stderr


def test_json_errors_are_machine_readable(cli_env: dict[str, str]) -> None:
    body = json.loads(run(cli_env, "import", "outfall", "/no/such.gpkg", "--json", code=3).stdout)
    assert body["error"] == "unusable_input" and body["file"] == "/no/such.gpkg"


def test_no_database_is_an_environment_fault(cli_env: dict[str, str], tmp_path: Path) -> None:
    env = cli_env | {"RIVERGIS_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    assert "cannot be reached" in run(env, "nightly", "show", code=6).stderr
    env = cli_env | {"RIVERGIS_PG_BIN": str(tmp_path), "RIVERGIS_DATA_DIR": str(tmp_path / "data")}
    assert "No PostgreSQL 15 server programs" in run(env, "db", "start", code=6).stderr


def test_a_shared_database_wants_a_name(cli_env: dict[str, str], db: Database, tmp_path: Path) -> None:
    env = cli_env | {
        "RIVERGIS_DATABASE_URL": db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    }
    assert "--as" in run(env, "import", "outfall", str(outfalls(tmp_path / "a.gpkg", "a")), code=7).stderr


def test_a_night_killed_half_way_and_run_again_gives_the_same_result(
    cli_env: dict[str, str], db: Database, demo_folder: Path, data_dir: Path
) -> None:
    """Kill -9 at several moments of a night; afterwards the records equal those of an undisturbed run."""
    run(
        cli_env,
        "import",
        "all",
        str(demo_folder / "county.gpkg"),
        "--profile",
        "demo_county",
        "--namespace",
        "demo",
        "--delivered-on",
        "2026-05-18",
    )

    def records() -> list[tuple[object, ...]]:
        with db.read() as conn:
            return [
                tuple(r)
                for r in conn.execute(
                    text("""SELECT s.finding_id, s.night, s.status, s.area_m2, v.content_hash FROM data.sighting s
                JOIN data.verdict v ON v.finding_id = s.finding_id ORDER BY 1, 2, 5""")
                )
            ]

    for wait in (1.5, 2.2, 2.8):
        job = subprocess.Popen(
            [*BIN, "nightly", "run", "--date", "2026-05-18"],
            env=cli_env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(wait)
        job.send_signal(signal.SIGKILL)
        job.wait()
        with db.read() as conn:
            told = conn.execute(text("SELECT count(*) FROM data.sighting")).scalar()
            done = conn.execute(
                text("SELECT count(*) FROM sys.job_run WHERE job = 'nightly' AND district NOT IN ('', 'none')")
            ).scalar()
        assert (told == 0) == (done == 0), "a district's leads are recorded with the district or not at all"
    run(cli_env, "nightly", "run", "--date", "2026-05-18")
    killed = records()
    assert killed
    other = dict(cli_env)
    other["RIVERGIS_DATABASE"] = db.name + "b"
    run(
        other,
        "import",
        "all",
        str(demo_folder / "county.gpkg"),
        "--profile",
        "demo_county",
        "--namespace",
        "demo",
        "--delivered-on",
        "2026-05-18",
    )
    run(other, "nightly", "run", "--date", "2026-05-18")
    second = open_database(None, data_dir, db.name + "b")
    with second.read() as conn:
        undisturbed = [
            tuple(r)
            for r in conn.execute(
                text("""SELECT s.finding_id, s.night, s.status, s.area_m2, v.content_hash FROM data.sighting s
            JOIN data.verdict v ON v.finding_id = s.finding_id ORDER BY 1, 2, 5""")
            )
        ]
    second.close()
    assert undisturbed == killed, "ids and verdicts derive from night, place and input only"


def test_the_lifecycle_of_a_lead(cli_env: dict[str, str], db: Database, demo_folder: Path, tmp_path: Path) -> None:
    run(
        cli_env,
        "import",
        "all",
        str(demo_folder / "county.gpkg"),
        "--profile",
        "demo_county",
        "--namespace",
        "demo",
        "--delivered-on",
        "2026-05-18",
    )
    run(cli_env, "nightly", "run", "--date", "2026-05-18")
    for name, role in (("li.ming", "inspector"), ("wang.fang", "reviewer")):
        run(cli_env, "user", "add", name, "--display", name, "--role", role)
    rows = json.loads(run(cli_env, "nightly", "show", "--date", "2026-05-18", "--json").stdout)
    lead = next(r["id"] for r in rows if r["topic"] == "encroachment")
    photo = picture(tmp_path / "after.jpg")
    said = ("--at", "106.02,29.41", "--taken-at", "2026-05-20T09:30")
    handed = ("--deadline", "2026-12-31", "--measure", "拆除", "--unit", "水利局")
    run(cli_env, "encroachment", "move", lead, "judge_problem", "--reason", "现场核实", code=7)
    run(cli_env, "encroachment", "move", lead, "judge_problem", "--reason", "现场核实", "--as", "li.ming")
    run(cli_env, "encroachment", "move", lead, "assign", *handed, "--as", "li.ming")
    assert "needs evidence" in run(cli_env, "encroachment", "move", lead, "rectify", "--as", "li.ming", code=2).stderr
    told = run(cli_env, "encroachment", "move", lead, "rectify", "--evidence", str(photo), *said, "--as", "li.ming")
    assert "拍摄于交办之前" in told.stdout, "what differs is told"
    accept = ("encroachment", "move", lead, "accept", "--reason", "已恢复", "--doubts-seen", "--as")
    run(cli_env, *accept, "li.ming", code=7)
    run(cli_env, *accept, "wang.fang")
    events = json.loads(run(cli_env, "nightly", "explain", lead, "--json").stdout)["events"]
    assert [(e["move"], e["actor"]) for e in events] == [
        ("judge_problem", "li.ming"),
        ("assign", "li.ming"),
        ("rectify", "li.ming"),
        ("accept", "wang.fang"),
    ]
    told = run(cli_env, "nightly", "explain", lead).stdout
    assert all(
        word in told
        for word in ("结论用语 wording", "依据 basis", "新增 new", "现场核实", "wang.fang", "不作为行政处罚依据")
    )
    assert "UUID(" not in told and "{" not in told
    others = [r["id"] for r in rows if r["topic"] != "encroachment"]
    assert others and "认定 verdict" in run(cli_env, "nightly", "explain", others[0]).stdout


def test_default_night_is_yesterday_in_china() -> None:
    from datetime import UTC, datetime

    from rivergis.jobs.nightly import yesterday

    assert yesterday(datetime(2026, 5, 20, 15, 59, tzinfo=UTC)) == date(2026, 5, 19)
    assert yesterday(datetime(2026, 5, 20, 16, 1, tzinfo=UTC)) == date(2026, 5, 20)


def test_a_database_made_by_an_older_version_is_brought_up_or_asked_about(
    cli_env: dict[str, str], db: Database
) -> None:
    with db.engine.begin() as conn:  # as if a view had been added since
        conn.execute(text("DROP SCHEMA app CASCADE"))
        conn.execute(text("UPDATE sys.migration SET sha256 = 'old' WHERE name = 'app'"))
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    shared = cli_env | {"RIVERGIS_DATABASE_URL": url}
    assert "run 'rivergis db upgrade'" in run(shared, "quarantine", "list", code=6).stderr
    run(cli_env, "quarantine", "list")
    run(shared, "quarantine", "list")
