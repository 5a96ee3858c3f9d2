"""The made-up district of ``benchmarks/nights_world.py`` for tests: the same world, seconds small."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from rivergis import rules
from rivergis.db.connect import Database
from rivergis.encroachment import canonical_files
from rivergis.jobs import nightly
from rivergis.settings import gis_dir
from tests.conftest import ROOT

BOOK = rules.load(gis_dir() / "rules")


def benchmark(name: str) -> Any:
    """A module of the folder ``benchmarks``, which is no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


world = benchmark("nights_world")


def night(db: Database, of: Any, n: int, folder: Path, **more: Any) -> nightly.NightResult:
    """The n-th night of a world, in this process and without its morning page."""
    where: dict[str, Any] = {"store_dir": folder / "store", "report_dir": None}
    return nightly.run(db, BOOK, of.day(n), world.ACTOR, **where, **more)


def canonical(db: Database) -> list[str]:
    """The ledger as lines, so that what differs can be read."""
    with db.read() as conn:
        return [line.decode() for _, line in canonical_files.lines(conn)]
