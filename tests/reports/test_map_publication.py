"""What goes out to the public: whitelisted attributes of announced things, under a review number, and nothing else."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyogrio
import pytest

from rivergis import rules, settings
from rivergis.boundary.delivery import publication, publication_store
from rivergis.boundary.delivery.publication import MANIFEST, Limits
from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from rivergis.maps import features, public_rows
from rivergis.maps.collections import COLLECTIONS
from rivergis.maps.public_rows import Wanted
from rivergis.reports import boundary_publication, map_publication
from rivergis.reports.map_publication import Said
from tests.web import conftest, meeting
from tests.web.conftest import DIRTY, MAKER

VIEW = rules.load(settings.gis_dir() / "rules").at(("000000",), date(2026, 5, 20))
LIMITS = Limits(25.0, 5000.0, True)
NUMBER = "渝S(2026)009号"
ON = date(2026, 5, 20)


@pytest.fixture(scope="module")
def county(module_db: Database) -> Iterator[Database]:
    with module_db.write(MAKER) as conn:
        conftest.ground(conn)
        conftest.patrol(conn)
        meeting.add(conn)
        people.add_user(conn, "issuer", "签发人")
        people.grant(conn, "issuer", "reviewer")
    yield module_db


def make(
    db: Database,
    folder: Path,
    names: tuple[str, ...] = (),
    *,
    chiefs: bool = False,
    number: str | None = NUMBER,
    **wanted,
):  # type: ignore[no-untyped-def]
    folder.mkdir(exist_ok=True)
    with db.read() as conn:
        at = features.when(conn, ON)
        said = Said("GG", "公开图", ON, number)
        return map_publication.make(conn, said, names, chiefs, Wanted(**wanted), at, LIMITS, folder)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


ALL = tuple(c.id for c in COLLECTIONS.values() if c.public)


def test_nothing_but_the_attribute_list_goes_out(county: Database, tmp_path: Path) -> None:
    manifest, _ = make(county, tmp_path / "b", ALL)
    for name in ALL:
        wanted = list(COLLECTIONS[name].public)
        assert manifest["attributes"][name] == wanted
        with (tmp_path / "b" / f"{name}.csv").open(encoding="utf-8-sig") as file:
            assert next(csv.reader(file)) == wanted
        if manifest["rows"][name]:
            assert list(pyogrio.read_info(tmp_path / "b" / f"{name}.geojson")["fields"]) == wanted
    listed = {(r["file"], r["column"]) for r in table(tmp_path / "b" / "attributes.csv")}
    assert listed == {(n, c) for n in ALL for c in COLLECTIONS[n].public}


def test_the_pages_hold_no_draft_no_intake_and_no_person(county: Database, tmp_path: Path) -> None:
    make(county, tmp_path / "b", ALL)
    told = "".join(p.read_text(encoding="utf-8", errors="ignore") for p in (tmp_path / "b").iterdir())
    assert "试验取水口" not in told and "B2L" not in told and "王某" not in told and "丙" not in told
    assert "<img src=x" not in (tmp_path / "b" / "index.html").read_text(encoding="utf-8")
    assert {r["code"] for r in table(tmp_path / "b" / "boundary_line.csv")} == {"L", "R", "B1L", "B1R"}


def test_a_number_stands_on_every_page(county: Database, tmp_path: Path) -> None:
    make(county, tmp_path / "b", ("river",))
    index, page = ((tmp_path / "b" / name).read_text(encoding="utf-8") for name in ("index.html", "map.html"))
    assert NUMBER in index and NUMBER in page and "内部资料" not in index
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", index) and "connect-src" not in page


@pytest.mark.parametrize("number", [None, ""])
def test_without_a_number_there_is_no_map(county: Database, tmp_path: Path, number: str | None) -> None:
    with pytest.raises((NotPermitted, UsageError)):
        make(county, tmp_path / "b", ("river",), number=number)
    assert not list((tmp_path / "b").iterdir())


def test_the_list_of_chiefs_alone_says_nothing_of_where(county: Database, tmp_path: Path) -> None:
    manifest, _ = make(county, tmp_path / "b", chiefs=True, number=None)
    assert manifest["kind"] == "tables" and manifest["extent"] is None
    names = {p.name for p in (tmp_path / "b").iterdir()}
    assert names == {"chiefs.csv", "attributes.csv", "index.html", MANIFEST, "SHA256SUMS"}
    told = "".join((tmp_path / "b" / n).read_text(encoding="utf-8") for n in names)
    assert not re.search(r"10[56]\.\d|29\.[34]\d", told)


def test_chiefs_stand_by_unit_with_their_stretches(county: Database, tmp_path: Path) -> None:
    make(county, tmp_path / "b", chiefs=True)
    rows = table(tmp_path / "b" / "chiefs.csv")
    assert [(r["unit"], r["chief"], r["from_to"]) for r in rows] == [
        ("试验镇", "丙", "0+000 – 0+970"),
        ("试验村", "甲", "0+000 – 0+600"),
        ("试验村", f"乙{DIRTY}", "0+500 – 0+800"),
    ]
    shapes = pyogrio.read_dataframe(tmp_path / "b" / "chiefs.geojson")
    assert shapes.geometry.notna().all() and set(shapes["river_code"]) == {"R1"}
    make(county, tmp_path / "c", chiefs=True, unit="500199001201")
    assert {r["unit"] for r in table(tmp_path / "c" / "chiefs.csv")} == {"试验村"}


def test_blue_lines_alone(county: Database, tmp_path: Path) -> None:
    _, (row, acts) = make(county, tmp_path / "b", ("boundary_line",), line_type="blue_line")
    assert {r["code"] for r in table(tmp_path / "b" / "boundary_line.csv")} == {"B1L", "B1R"}
    assert len(acts) == 1 and row["review_no"] == NUMBER


def test_only_a_river_or_a_unit(county: Database, tmp_path: Path) -> None:
    make(county, tmp_path / "b", ("river", "reach", "boundary_line"), rivers=("R2",))
    assert {r["code"] for r in table(tmp_path / "b" / "river.csv")} == {"R2"}
    assert {r["river_code"] for n in ("reach", "boundary_line") for r in table(tmp_path / "b" / f"{n}.csv")} == {"R2"}
    with pytest.raises(NotFound):
        make(county, tmp_path / "c", ("river",), unit="110000")


@pytest.mark.parametrize("name", sorted(c.id for c in COLLECTIONS.values() if not c.public))
def test_what_is_not_public_is_refused_by_name(name: str) -> None:
    with pytest.raises(NotPermitted):
        public_rows.allowed(name)


def test_nothing_to_publish_is_said(county: Database, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        make(county, tmp_path / "b", ("function_zone",))


def test_the_bundle_vouches_for_itself_and_a_change_makes_it_void(county: Database, tmp_path: Path) -> None:
    manifest, _ = make(county, tmp_path / "b", ("river", "boundary_line"), chiefs=True)
    assert boundary_publication.verify(tmp_path / "b") == (manifest, [])
    assert publication.sealed(manifest) == manifest
    (tmp_path / "b" / "river.csv").write_text("code\nX\n", encoding="utf-8")
    assert [(f.code, f.path) for f in boundary_publication.verify(tmp_path / "b")[1]] == [("file_changed", "river.csv")]
    changed = json.loads((tmp_path / "b" / MANIFEST).read_text(encoding="utf-8")) | {"review_no": "X"}
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(changed), encoding="utf-8")
    assert "manifest_changed" in {f.code for f in boundary_publication.verify(tmp_path / "b")[1]}


def test_it_is_kept_and_judged_like_every_publication(county: Database, tmp_path: Path) -> None:
    manifest, (row, acts) = make(county, tmp_path / "b", ("boundary_line",))
    with county.write("issuer") as conn:
        publication_store.add(conn, row, acts)
        kept = publication_store.listed(conn, now_of(conn))
        assert kept["content_sha256"].tolist() == [manifest["content_sha256"]] and len(acts) == 2
