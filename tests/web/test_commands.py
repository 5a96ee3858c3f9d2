"""The commands round the service: users made and keyed, maps written, the service started and stopped."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from rivergis.cli import rivergis
from rivergis.db import access
from rivergis.db.connect import Database
from rivergis.errors import NotPermitted, RivergisError
from tests.serving import serving
from tests.web.conftest import MAKER, ground, lead, night, patrol, picture

Env = dict[str, str]


def run(env: Env, *args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(rivergis, list(args), env=env, input=stdin, standalone_mode=False)


def told(env: Env, *args: str, stdin: str | None = None):  # type: ignore[no-untyped-def]
    """JSON result of a command that must succeed."""
    result = run(env, *args, "--json", stdin=stdin)
    assert result.exception is None, result.exception
    return json.loads(result.output)


def refusal(result: Result) -> RivergisError:
    assert isinstance(result.exception, RivergisError)
    return result.exception


def test_a_user_is_made_with_a_password_shown_once_that_signs_in(cli_env: Env, db: Database) -> None:
    made = told(cli_env, "user", "add", "lihua", "--display", "李华", "--role", "inspector", "--role", "viewer")
    assert access.sign_in(db, "lihua", made["password"])
    listed = {u["name"]: u for u in told(cli_env, "user", "list")}
    assert listed["lihua"]["roles"] == ["inspector", "viewer"] and made["password"] not in json.dumps(listed)


def test_a_password_comes_from_standard_input_and_is_not_printed(cli_env: Env, db: Database) -> None:
    result = run(cli_env, "user", "add", "chen", "--display", "陈", "--password-stdin", stdin="correct horse battery\n")
    assert result.exception is None and "battery" not in result.output
    assert access.sign_in(db, "chen", "correct horse battery")


def test_a_user_with_a_wrong_role_is_not_made_at_all(cli_env: Env) -> None:
    assert refusal(run(cli_env, "user", "add", "chen", "--display", "陈", "--role", "king")).exit_code == 2
    assert "chen" not in {u["name"] for u in told(cli_env, "user", "list")}


def test_granting_revoking_keys_and_disabling(cli_env: Env, db: Database) -> None:
    told(cli_env, "user", "add", "chen", "--display", "陈")
    told(cli_env, "user", "grant", "chen", "security_officer")
    assert isinstance(refusal(run(cli_env, "user", "grant", "chen", "auditor")), NotPermitted)
    key = told(cli_env, "user", "key", "chen", "--name", "ops", "--role", "security_officer", "--days", "30")["key"]
    with db.read() as conn:
        assert access.of_key(conn, key).capabilities == {"manage_users", "manage_keys"}  # type: ignore[union-attr]
    # the officer makes users; nobody grants to themselves
    told(cli_env, "user", "add", "zhou", "--display", "周", "--as", "chen")
    assert refusal(run(cli_env, "user", "grant", "chen", "viewer", "--as", "chen")).exit_code == 7
    told(cli_env, "user", "disable", "chen")
    with db.read() as conn:
        assert access.of_key(conn, key) is None
    assert refusal(run(cli_env, "user", "list", "--as", "chen")).exit_code == 7


def test_a_viewer_makes_no_users(cli_env: Env) -> None:
    told(cli_env, "user", "add", "viewer1", "--display", "v", "--role", "viewer")
    problem = refusal(run(cli_env, "user", "add", "x2", "--display", "x", "--as", "viewer1"))
    assert problem.exit_code == 7 and "manage_users" in problem.sentence


@pytest.fixture
def county(db: Database, tmp_path: Path) -> str:
    """The small county in this test's database; the track's id."""
    with db.write(MAKER) as conn:
        ground(conn)
        night(conn)
        picture(conn, lead(conn, "building", "announced", "某房屋"), tmp_path / "store")
        return patrol(conn)


def test_maps_are_single_files(cli_env: Env, county: str, tmp_path: Path) -> None:
    maps = (
        ["county"],
        ["river", "R1"],
        ["night", "2026-05-20"],
        ["patrol", county],
        ["zones"],
        ["versions"],
        ["card", "river", "R1"],
    )
    for args in maps:
        out = tmp_path / f"{args[0]}.html"
        assert told(cli_env, "map", *args, "--out", str(out))["bytes"] == out.stat().st_size
        page = out.read_text(encoding="utf-8")
        assert "仅供核查" in page and 'src="/' not in page and "<script src" not in page and '"/findings/' not in page
    assert not list(tmp_path.glob("*.part"))


def test_a_map_that_cannot_be_drawn_or_written_leaves_no_file(cli_env: Env, county: str, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    assert refusal(run(cli_env, "map", "river", "NO-SUCH", "--out", str(out))).exit_code == 3
    assert refusal(run(cli_env, "map", "responsibility", "--out", str(out))).exit_code == 3  # nobody is named yet
    assert refusal(run(cli_env, "map", "county", "--out", str(tmp_path / "no" / "x.html"))).exit_code == 6
    assert not out.exists()


def test_a_map_of_a_patrol_needs_the_right_and_is_in_the_audit(
    cli_env: Env, county: str, db: Database, tmp_path: Path
) -> None:
    told(cli_env, "user", "add", "viewer1", "--display", "v", "--role", "viewer")
    told(cli_env, "user", "add", "li", "--display", "李", "--role", "inspector")
    out = str(tmp_path / "p.html")
    assert refusal(run(cli_env, "map", "patrol", county, "--out", out, "--as", "viewer1")).exit_code == 7
    told(cli_env, "map", "patrol", county, "--out", out, "--as", "li")
    with db.read() as conn:
        rows = conn.execute(text("SELECT actor, target FROM sys.audit WHERE action = 'export'"))
        assert [tuple(r) for r in rows] == [("li", f"track:{county}")]


@pytest.mark.parametrize("empty", [True, False])
def test_the_service_starts_says_where_and_stops_when_told(cli_env: Env, data_dir: Path, empty: bool) -> None:
    """Also on a database that was never upgraded, as on the first day."""
    env = cli_env | {"RIVERGIS_DATABASE": f"{cli_env['RIVERGIS_DATABASE']}_first"} if empty else cli_env
    with serving(env) as (address, process):
        with urllib.request.urlopen(address + "health", timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0 and "stopped" in output and "Traceback" not in output


def test_a_taken_port_is_said_in_one_sentence(cli_env: Env) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        problem = refusal(run(cli_env, "serve", "--port", str(taken.getsockname()[1])))
    assert problem.exit_code == 6 and "--port" in problem.sentence


def test_a_shared_database_that_was_not_upgraded_is_not_touched(empty_database: Database, cli_env: Env) -> None:
    url = empty_database.engine.url.render_as_string(hide_password=False)
    env = {k: v for k, v in cli_env.items() if k != "RIVERGIS_DATABASE"} | {"RIVERGIS_DATABASE_URL": url}
    problem = refusal(run(env, "serve", "--port", "0"))
    assert problem.exit_code == 6 and "rivergis db upgrade" in problem.sentence
    with empty_database.read() as conn:
        assert conn.execute(text("SELECT to_regnamespace('data')")).scalar() is None
