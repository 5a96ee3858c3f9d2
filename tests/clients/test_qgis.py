"""Debian's QGIS 3.22 on the service, without a screen: features and vector tiles loaded, filtered, paged, moved, drawn."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.clients.conftest import MANY, Served
from tests.pyqgis import PYTHON, why_not

WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
SESSION = Path(__file__).with_name("session.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("qgis")
    made.chmod(0o700)
    return made


@pytest.fixture(scope="module")
def day(served: Served, folder: Path) -> dict[str, dict[str, Any]]:
    """One start of QGIS for all: the planner with a key of his own."""
    steps = ("load", "narrow", "systems", "edit", "shut", "header", "picture")
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    asked = [PYTHON, str(SESSION), str(folder), served.url, "planner", served.keys["planner"], *steps]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=180)
    told = {d["step"]: d for d in map(json.loads, (r for r in done.stdout.splitlines() if r.startswith("{")))}
    assert done.returncode == 0 and set(told) == set(steps), done.stdout[-500:] + done.stderr[-1500:]
    return told


def test_it_loads_every_page_with_a_kept_key(day: dict[str, dict[str, Any]]) -> None:
    told = day["load"]
    assert told["valid"] and (told["count"], told["different"], told["first"]) == (MANY, MANY, "图斑 0")
    assert {"code", "kind", "name", "version"} <= set(told["fields"])
    assert told["wkb"] == 3, "polygons"


def test_it_filters_by_window_and_by_words(day: dict[str, dict[str, Any]]) -> None:
    assert (day["narrow"]["inside"], day["narrow"]["heaps"]) == (126, MANY // 5)


def test_places_are_right_in_another_system(day: dict[str, dict[str, Any]]) -> None:
    told = day["systems"]
    assert (told["west"], told["south"]) == pytest.approx((106.0, 29.39), abs=1e-9)
    assert told["area_m2"] == pytest.approx(430.5, rel=2e-3)


def test_this_version_reads_and_does_not_edit(day: dict[str, dict[str, Any]]) -> None:
    """Written in docs/clients.md: editing over the OGC API takes QGIS 3.30; 3.22 edits over the database (docs/qgis.md)."""
    assert day["edit"] == {"step": "edit", "lines": 2, "starts": False, "can": 0}


def test_nothing_is_there_without_a_key(day: dict[str, dict[str, Any]]) -> None:
    assert day["shut"]["valid"] is False
    assert day["header"] == {"step": "header", "valid": True, "count": 2}


def test_tiles_and_features_are_drawn_over_each_other(day: dict[str, dict[str, Any]], folder: Path) -> None:
    told = day["picture"]
    assert told["valid"] == [True, True] and told["tiles"]["errors"] == told["both"]["errors"] == []
    tiles, both = (np.asarray(Image.open(folder / f"{n}.png").convert("RGB")).astype(int) for n in ("tiles", "both"))
    # 50 x 25 squares, each half as wide and high as its cell, in the lower half of the window
    assert 0.07 < told["tiles"]["inked"] < 0.25
    lines = np.abs(tiles - both).max(axis=2) > 0
    rows = np.flatnonzero(lines.sum(axis=1) > 150)
    assert 1 <= len(rows) <= 8 and rows.max() - rows.min() > 40, (
        "two lines, as long as the western county, one on each bank"
    )
