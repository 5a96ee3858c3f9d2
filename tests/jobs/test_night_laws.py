"""How a night is worked out does not matter: by what changed or whole, in parts of any size, county by county in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rivergis.db.cluster import Cluster
from tests.conftest import new_database
from tests.night_world import BOOK, benchmark, world

bed_, laws = benchmark("night_bed"), benchmark("night_laws")
SMALL = world.World(seed=7, counties=3, rivers=2, reaches=1, candidates=70, nights=8, vertices=12, changed=0.3)
RUN = (0, 3, 7)  # of the nights; the others are missed, what was delivered for them is there
Bed, Ledgers = Any, dict[int, list[str]]


@pytest.fixture(scope="module")
def bed(data_dir: Path) -> Bed:
    return bed_.Bed(data_dir, Cluster(data_dir, durable=False))


@pytest.fixture(scope="module")
def base(data_dir: Path) -> str:
    db = new_database(data_dir)
    world.load(db, SMALL)
    db.close()
    return db.name


def nights(bed: Bed, base: str, way: str, folder: Path) -> Iterator[tuple[int, list[str]]]:
    """The nights in one way on a copy of the district: after each the lines of the ledger."""
    name = f"{base}_{way}"
    bed.copy(name, base)
    at = laws.Place(bed.database(name), SMALL, folder, BOOK)
    try:
        for n in range(SMALL.nights):
            world.bring(at.db, SMALL, n)
            if n in RUN:
                laws.WAYS[way](at, n)
                yield n, at.canonical()
    finally:
        at.db.close()
        bed.admin(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def plain(bed: Bed, base: str, tmp_path_factory: pytest.TempPathFactory) -> Ledgers:
    return dict(nights(bed, base, "by_change", tmp_path_factory.mktemp("plain")))


def test_the_nights_have_something_to_tell(plain: Ledgers) -> None:
    statuses = {s for s in laws.STATUSES if any(f'"status":"{s}"' in line for line in plain[RUN[-1]])}
    assert {"new", "persisting", "missed", "left_by_redraw"} <= statuses


@pytest.mark.parametrize("way", ["full", "districts", "twice"])
def test_a_night_says_the_same_however_it_is_worked_out(
    bed: Bed, base: str, plain: Ledgers, way: str, tmp_path: Path
) -> None:
    for n, got in nights(bed, base, way, tmp_path):
        assert not laws.differs(plain[n], got), (way, n)
