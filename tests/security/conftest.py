"""The service over two counties, built once for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rivergis.db.connect import Database
from tests.security.counties import World, world


@pytest.fixture(scope="module")
def two(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(module_db, tmp_path_factory.mktemp("two")) as service:
        yield service


@pytest.fixture(autouse=True)
def stranger(request: pytest.FixtureRequest) -> None:
    """Every test begins without a cookie."""
    if "two" in request.fixturenames:
        request.getfixturevalue("two").client.cookies.clear()
