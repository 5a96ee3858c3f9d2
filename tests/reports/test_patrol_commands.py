"""``rivergis patrol bulletin | page | coverage | sweep``: files by their ending, refusals with one sentence, replay by the moment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyogrio
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from rivergis.cli import rivergis
from rivergis.db.connect import Database
from rivergis.errors import RivergisError
from tests.reports import patrol_county as county

SPAN = ("--from", "2026-05-01", "--to", "2026-05-31")


def run(env: dict[str, str], *args: str | Path) -> Result:
    return CliRunner().invoke(rivergis, ["patrol", *map(str, args)], env=env, standalone_mode=False)


@pytest.fixture(scope="module")
def env(module_db: Database, data_dir: Path) -> dict[str, str]:
    with module_db.write("t") as conn:
        county.month(conn)
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    return env | {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": module_db.name}


def test_every_form_is_written_and_nothing_half(env: dict[str, str], tmp_path: Path) -> None:
    for args in (("bulletin", "--month", "2026-05"), ("coverage", *SPAN), ("sweep", *SPAN, "--river", "清溪")):
        endings = ("html", "xlsx", "json") if args[0] == "bulletin" else ("html", "xlsx", "json", "gpkg")
        for ending in endings:
            out = tmp_path / f"{args[0]}.{ending}"
            told = run(env, *args, "--out", out)
            assert told.exit_code == 0, told.output
            assert out.stat().st_size > 1000 and str(out) in told.output
    assert not list(tmp_path.glob("*.part*"))
    layers = pyogrio.read_dataframe(tmp_path / "coverage.gpkg")
    assert layers["length_m"].sum() == pytest.approx(8000, abs=0.5) and layers.crs.to_epsg() == 4490
    assert not {"chief", "track_id", "last_by"} & set(layers.columns), "no names of people in layers"
    swept = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert swept["figures"]["seen_m"] + swept["figures"]["never_m"] == pytest.approx(swept["figures"]["bank_m"])


def test_the_moment_that_stands_on_a_paper_replays_it(env: dict[str, str], module_db: Database, tmp_path: Path) -> None:
    first, again = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    told = run(env, "bulletin", "--month", "2026-05", "--out", first).output
    moment = told.splitlines()[0].rpartition(" · ")[2]
    with module_db.write("t") as conn:  # what comes later is not known then
        conn.execute(text("SELECT pg_sleep(1.1)"))
    with module_db.write("t") as conn:
        county.track(conn, "later001", county.BING, 28, [("left", 2000.0, 4000.0, "walk")])
    assert run(env, "bulletin", "--month", "2026-05", "--known-at", moment, "--out", again).exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    run(env, "bulletin", "--month", "2026-05", "--out", again)
    assert first.read_bytes() != again.read_bytes()


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("bulletin", "--month", "2026-05", "--out", "b.docx"), 2, ".pdf"),
        (("bulletin", "--month", "May"), 2, "2026-05"),
        (("bulletin",), 2, "--month"),
        (("bulletin", "--month", "2026-05", *SPAN), 2, "--month"),
        (("bulletin", "--month", "2026-05", "--unit", "500199"), 3, "500199"),
        (("coverage", "--from", "2026-05-31", "--to", "2026-05-01"), 2, "before it begins"),
        (("coverage", *SPAN, "--river", "长江"), 3, "长江"),
        (("sweep", *SPAN), 2, "--river"),
        (("sweep", *SPAN, "--river", "清溪", "--cell", "1"), 2, "50 m"),
        (("page", "zzzz", "--out", "p.html"), 3, "zzzz"),
    ],
)
def test_refusals_are_one_sentence(env: dict[str, str], args: tuple[str, ...], code: int, word: str) -> None:
    refused = run(env, *args).exception
    assert isinstance(refused, RivergisError)
    assert refused.exit_code == code and word in refused.sentence and "\n" not in refused.sentence


def test_a_page_is_recorded_with_who_saw_it(env: dict[str, str], module_db: Database, tmp_path: Path) -> None:
    with module_db.read() as conn:
        track = str(conn.execute(text("SELECT id FROM data.track WHERE file_name LIKE 'asked%'")).scalar_one())
    told = run(env, "page", track[:8], "--out", tmp_path / "p.html", "--json")
    assert told.exit_code == 0 and json.loads(told.output)["track"] == track
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "村级 丙" in page and county.QUESTION not in page, "the local operator is no duty person"
    with module_db.read() as conn:
        seen = conn.execute(text("SELECT actor, purpose FROM sys.track_access")).all()
    assert [s.purpose for s in seen] == ["patrol page"] and seen[0].actor.startswith("local:")
