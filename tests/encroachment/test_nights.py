"""Nights kept as files, replayed one at a time: the same table however often, from wherever, in whatever format.

y=100 +-----------------------------------------------+ line
      |   H heap      S shed        Y yard, h on it   |       O outside
y=0   +-----------------------------------------------+
      x=0                                           x=400
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from rivergis import rules
from rivergis.encroachment import night_files
from rivergis.errors import EnvironmentFault, InputError, RivergisError
from rivergis.rules import RuleView
from rivergis.settings import gis_dir
from tests import tiny

LINE = tiny.box(0, 0, 400, 100)
NARROW = tiny.box(0, 0, 100, 100)
WORLD = tiny.box(-100, -100, 700, 400)
THINGS = {
    "H": ("dump", tiny.box(20, 40, 20, 20)),
    "S": ("building", tiny.box(120, 40, 20, 16)),
    "Y": ("occupation", tiny.box(250, 20, 60, 50)),
    "h": ("dump", tiny.box(260, 30, 16, 14)),
    "O": ("dump", tiny.box(200, 150, 20, 20)),
}
ALWAYS = ["HSYhO"] * 8


@pytest.fixture(scope="module")
def view() -> RuleView:
    return rules.load(gis_dir() / "rules").at((rules.NATIONAL,), date(2026, 3, 1))


def frame(rows: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame([{k: v for k, v in r.items() if k != "shape"} for r in rows])
    return gpd.GeoDataFrame(table, geometry=[r["shape"] for r in rows], crs=tiny.ZONE)


def put(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if rows:
        frame(rows).to_file(path)
    else:
        member = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{tiny.ZONE.replace(':', '::')}"}}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": member, "features": []}), encoding="utf-8")


def write(
    home: Path, nights: Sequence[str], *, hidden: Mapping[int, shapely.Geometry] | None = None, ending: str = "geojson"
) -> Path:
    """A folder of nights; each names the things seen. ``hidden``: what nobody looked at that night."""
    put(home / f"boundaries.{ending}", [{"reach": "R1", "shape": LINE}])
    (home / "params.json").write_text(json.dumps({"start": "2026-03-01", "nights": len(nights)}), encoding="utf-8")
    for n, names in enumerate(nights):
        night(home, n, names, (hidden or {}).get(n), ending)
    return home


def night(home: Path, n: int, names: str, hidden: shapely.Geometry | None = None, ending: str = "geojson") -> None:
    here = home / "nights" / f"{n:03d}"
    things = [{"id": f"d{n}{k}", "kind": THINGS[k][0], "source": "feed", "shape": THINGS[k][1]} for k in names]
    put(here / f"candidates.{ending if things else 'geojson'}", things)
    put(here / f"coverage.{ending}", [{"source": "all", "shape": WORLD.difference(hidden) if hidden else WORLD}])


def table(out: Path) -> dict[str, list[str]]:
    """Thing (by its letter) -> what each night says of it; - for a night without a line."""
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    last = max((int(r["night"]) for r in rows), default=-1)
    letters = {r["finding_id"]: r["detections"][-1] for r in reversed(rows) if r["detections"]}
    told: dict[str, list[str]] = {}
    for r in rows:
        told.setdefault(letters[r["finding_id"]], ["-"] * (last + 1))[int(r["night"])] = r["status"]
    return told


def test_each_thing_inside_is_one_lead_over_all_nights(tmp_path: Path, view: RuleView) -> None:
    done = night_files.replay(write(tmp_path / "in", ALWAYS), tmp_path / "t.csv", view)
    assert table(tmp_path / "t.csv") == {k: ["new", *["persisting"] * 7] for k in "HSYh"}
    assert (done.nights, done.detections, done.leads) == (8, 32, 4)


def test_missed_gone_rebound_and_not_looked_at(tmp_path: Path, view: RuleView) -> None:
    nights = ["HS", "HS", "H", "H", "H", "HS", "S", "S"]
    home = write(tmp_path / "in", nights, hidden={6: NARROW, 7: NARROW})
    night_files.replay(home, tmp_path / "t.csv", view)
    assert table(tmp_path / "t.csv") == {
        "H": ["new", *["persisting"] * 5, "unobserved", "unobserved"],
        "S": ["new", "persisting", "-", "-", "gone", "rebound", "persisting", "persisting"],
    }


def test_params_go_over_the_rules(tmp_path: Path, view: RuleView) -> None:
    home = write(tmp_path / "in", ["H", "", ""])
    (home / "params.json").write_text('{"start": "2026-03-01", "gone_after_observed_nights": 1}', encoding="utf-8")
    night_files.replay(home, tmp_path / "t.csv", view)
    assert table(tmp_path / "t.csv")["H"] == ["new", "gone"]


def test_permits_of_the_day_close_and_open(tmp_path: Path, view: RuleView) -> None:
    home = write(tmp_path / "in", ["H"] * 6)
    permit = {"id": "P1", "allows": "dump", "valid_from": "2026-03-03", "valid_to": "2026-03-04"}
    put(home / "permits.geojson", [{**permit, "shape": THINGS["H"][1].buffer(5)}])
    night_files.replay(home, tmp_path / "t.csv", view)
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [(r["night"], r["status"]) for r in rows] == [
        ("0", "new"), ("1", "persisting"), ("2", "gone"), ("4", "new"), ("5", "persisting"),
    ]  # fmt: skip
    assert len({r["finding_id"] for r in rows}) == 2


def test_a_redrawn_line_loses_nothing(tmp_path: Path, view: RuleView) -> None:
    home = write(tmp_path / "in", ["HS"] * 7)
    put(home / "nights" / "002" / "boundaries.geojson", [{"reach": "R1", "shape": NARROW}])
    put(home / "nights" / "005" / "boundaries.geojson", [{"reach": "R1", "shape": LINE}])
    night_files.replay(home, tmp_path / "t.csv", view)
    assert table(tmp_path / "t.csv") == {
        "H": ["new", *["persisting"] * 6],
        "S": ["new", "persisting", *["left_by_redraw"] * 3, "persisting", "persisting"],
    }


class TestRunAgain:
    NIGHTS = ("HSYh", "HSY", "HYh", "SYh", "", "", "", "HS")

    def test_a_second_run_changes_nothing(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        first = out.read_bytes()
        assert night_files.replay(home, out, view).nights == 0
        assert out.read_bytes() == first

    def test_rows_of_a_night_that_was_ended_half_way_are_taken_off(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        first = out.read_bytes()
        out.write_bytes(first + b"99,F0000")
        night_files.replay(home, out, view)
        assert out.read_bytes() == first

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        (tmp_path / "t.csv.part").mkdir()
        with pytest.raises(EnvironmentFault, match="cannot be written"):
            night_files.replay(home, out, view)

    @pytest.mark.parametrize("at", [0, 3, 7])
    def test_a_run_that_was_ended_goes_on(self, at: int, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        put(home / "nights" / "002" / "boundaries.geojson", [{"reach": "R1", "shape": NARROW}])
        night_files.replay(home, tmp_path / "whole.csv", view)

        def end(line: str) -> None:
            if line == f"night {at}":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            night_files.replay(home, out, view, progress=end)
        with out.open("a", encoding="utf-8") as file:
            file.write("5,F0000")  # the end came in the middle of a line
        night_files.replay(home, out, view)
        assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()

    def test_nights_that_come_in_later_are_added(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS[:5]), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        write(home, self.NIGHTS)
        assert night_files.replay(home, out, view).nights == 3
        night_files.replay(home, tmp_path / "whole.csv", view)
        assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()

    def test_a_night_that_was_changed_is_refused(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        before = out.read_bytes()
        night(home, 3, "H")
        with pytest.raises(InputError, match=r"^Night 3 has changed, and t\.csv rests on it"):
            night_files.replay(home, out, view)
        assert out.read_bytes() == before

    def test_a_line_or_limit_that_was_changed_is_refused(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        put(home / "boundaries.geojson", [{"reach": "R1", "shape": NARROW}])
        with pytest.raises(InputError, match="have changed since"):
            night_files.replay(home, out, view)

    def test_a_table_that_was_changed_by_hand_is_refused(self, tmp_path: Path, view: RuleView) -> None:
        home, out = write(tmp_path / "in", self.NIGHTS), tmp_path / "t.csv"
        night_files.replay(home, out, view)
        out.write_text(out.read_text(encoding="utf-8").replace("gone", "Gone"), encoding="utf-8")
        with pytest.raises(InputError, match="not as the last run left it"):
            night_files.replay(home, out, view)

    def test_another_folder_or_other_nights_altogether_begin_anew(self, tmp_path: Path, view: RuleView) -> None:
        out = tmp_path / "t.csv"
        night_files.replay(write(tmp_path / "in", self.NIGHTS[:3]), out, view)
        write(tmp_path / "in", ["S", "S", "S"])
        night_files.replay(tmp_path / "in", out, view)
        assert table(out) == {"S": ["new", "persisting", "persisting"]}
        night_files.replay(write(tmp_path / "other", ["H"]), out, view)
        assert table(out) == {"H": ["new"]}


@pytest.mark.parametrize("ending", ["gpkg", "shp"])
def test_the_format_changes_nothing(ending: str, tmp_path: Path, view: RuleView) -> None:
    nights = ["HSYh", "HS", "HYh", "SYh"]
    night_files.replay(write(tmp_path / "a", nights), tmp_path / "a.csv", view)
    night_files.replay(write(tmp_path / "b", nights, ending=ending), tmp_path / "b.csv", view)
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def _no_start(home: Path) -> None:
    (home / "params.json").write_text("{}", encoding="utf-8")


def _bad_number(home: Path) -> None:
    (home / "params.json").write_text('{"start": "2026-03-01", "tol_m": "wide"}', encoding="utf-8")


def _two_files(home: Path) -> None:
    put(home / "nights" / "000" / "candidates.gpkg", [{"id": "x", "kind": "dump", "shape": THINGS["H"][1]}])


def _same_id(home: Path) -> None:
    row = {"id": "x", "kind": "dump", "shape": THINGS["H"][1]}
    put(home / "nights" / "000" / "candidates.geojson", [row, row])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda home: (home / "params.json").unlink(), "holds no params.json"),
        (_no_start, "start day such as 2026-03-01"),
        (_bad_number, "tol_m is 'wide'"),
        (lambda home: (home / "boundaries.geojson").unlink(), "holds no boundaries"),
        (lambda home: (home / "nights/001/coverage.geojson").unlink(), "holds no coverage"),
        (lambda home: (home / "nights/001/candidates.geojson").write_text("{"), "candidates.geojson"),
        (_two_files, "leave the one that counts"),
        (_same_id, "id x twice"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(spoil: Any, sentence: str, tmp_path: Path, view: RuleView) -> None:
    home = write(tmp_path / "in", ["H", "H"])
    spoil(home)
    with pytest.raises(RivergisError, match=sentence) as caught:
        night_files.replay(home, tmp_path / "t.csv", view)
    assert "\n" not in str(caught.value)


def test_an_inspectors_point_without_accuracy_has_that_of_the_rules(tmp_path: Path, view: RuleView) -> None:
    home = write(tmp_path / "in", ["H", "H"])
    point = {"id": "p", "kind": "dump", "source": "inspector", "shape": tiny.point(46, 50)}
    put(home / "nights" / "001" / "candidates.geojson", [point])
    night_files.replay(home, tmp_path / "t.csv", view)
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [(r["status"], r["detections"]) for r in rows] == [("new", "d0H"), ("persisting", "p")]
