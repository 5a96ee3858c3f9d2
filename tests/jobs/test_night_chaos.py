"""Nights that are stopped in the middle and taken up again say the same as if nothing had happened."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database
from tests.conftest import new_database
from tests.night_world import benchmark, canonical, night, world

bed_ = benchmark("night_bed")
SMALL = world.World(seed=7, counties=2, rivers=1, reaches=1, candidates=50, nights=4, vertices=12)


@pytest.fixture(scope="module")
def ground(data_dir: Path) -> Iterator[Database]:
    """The district before its first night."""
    db = new_database(data_dir)
    world.load(db, SMALL)
    yield db
    db.close()


@pytest.fixture(scope="module")
def bed(data_dir: Path, ground: Database) -> Any:
    ground.engine.dispose()  # nobody may be connected to what is copied
    return bed_.Bed(data_dir, Cluster(data_dir, durable=False))


def test_nights_killed_anywhere_and_resumed_give_the_bytes_of_undisturbed_ones(
    bed: Any, ground: Database, tmp_path: Path
) -> None:
    for name in ("calm", "wild"):
        bed.copy(f"{ground.name}_{name}", ground.name)
    wild, calm = f"{ground.name}_wild", bed.database(f"{ground.name}_calm")
    rng = random.Random(3)
    stops = {0: ("kill", "terminated"), 3: ("kill", "int")}
    try:
        for n, ways in stops.items():
            world.bring(calm, SMALL, n)
            bed.bring(wild, SMALL, n)
            night(calm, SMALL, n, tmp_path)
            for way in ways:
                ended = bed.stopped(wild, SMALL.day(n), way, rng.uniform(0.0, 0.5))
                assert len(ended.sentences) <= 1, ended
            bed.run(wild, None)  # --resume; a night that had not begun yet is begun by the next line
            ended = bed.run(wild, SMALL.day(n))
            assert ended.code == 0, ended
        disturbed = bed.database(wild)
        assert canonical(disturbed) == canonical(calm)
        disturbed.close()
    finally:
        calm.close()
        for name in ("calm", "wild"):
            bed.admin(f'DROP DATABASE "{ground.name}_{name}" WITH (FORCE)')


def test_a_second_run_beside_the_first_says_so_in_one_sentence(bed: Any, ground: Database) -> None:
    name = f"{ground.name}_two"
    bed.copy(name, ground.name)
    first = bed.begin(name, SMALL.day(0))
    with first.held():
        second = bed.begin(name, SMALL.day(0)).ended()
    assert (second.code, len(second.sentences)) == (5, 1), second
    assert first.ended().code == 0
    bed.admin(f'DROP DATABASE "{name}" WITH (FORCE)')
