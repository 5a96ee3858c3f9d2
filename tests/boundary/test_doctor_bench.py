"""The line doctor on the planted defects of the shared benchmark, where it is there: all found, nothing on clean lines.

Without it the laws and hand-made rivers of the other files stand alone, and this file says that it was left out.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rivergis.boundary.doctor import files as doctor_files
from rivergis.boundary.doctor import report as doctor_report
from rivergis.boundary.doctor.examine import check
from tests.boundary.doctor_ground import _view

BENCH = Path(__file__).resolve().parents[3] / "shared" / "bench" / "boundary"
pytestmark = pytest.mark.skipif(not (BENCH / "generate.py").exists(), reason=f"the benchmark is not at {BENCH}")
FLAVOUR = {
    "centre": [118.9, 32.2], "rotate_deg": 143, "crs": {"A": "EPSG:4526", "B": "EPSG:4548"}, "rule_tolerance_m": 0.8,
    "stake_tolerance_m": 0.3, "strength": [4, 9], "date_formats": ["%Y年%m月%d日"], "leveed_share": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the generator with a flavour of its own: another place, turn, systems, tolerances and dates."""
    out: Path = tmp_path_factory.mktemp("bench")
    for name in ("generate.py", "score.py"):
        (out / name).write_text((BENCH / name).read_text(encoding="utf-8"), encoding="utf-8")
    dev = json.loads((BENCH / "flavours.json").read_text(encoding="utf-8"))["dev"]
    (out / "flavours.json").write_text(json.dumps({"other": {**dev, **FLAVOUR}}), encoding="utf-8")
    return out


def made(folder: Path, *more: str) -> Path:
    out = folder / ("clean" if more else "dirty")
    asked = [
        sys.executable,
        str(folder / "generate.py"),
        str(out),
        "--flavour",
        "other",
        "--seed",
        "5",
        "--scale",
        "0.4",
        *more,
    ]
    subprocess.run(asked, check=True, capture_output=True)
    return out


def reported(place: Path) -> dict[str, Any]:
    lines = [p for p in (place / "boundaries.gpkg", place / "boundaries_B.gpkg") if p.exists()]
    layers = (place / f"{n}.gpkg" for n in ("reaches", "levees", "water", "former", "stakes", "counties"))
    case = doctor_files.read(doctor_files.Files(lines, *layers, place / "params.json"), _view())
    return doctor_report.report(case, check(case), [])


def scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("boundary_score", folder / "score.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_planted_defects_are_found_once_and_nothing_else(folder: Path) -> None:
    place = made(folder)
    truth = json.loads((place / "truth.json").read_text(encoding="utf-8"))
    hit, false, repeats, _ = scorer(folder).score(truth, reported(place)["defects"])
    assert len(hit) == len(truth["defects"]) > 200
    assert false == [] and repeats == 0


def test_nothing_is_told_of_clean_lines(folder: Path) -> None:
    told = reported(made(folder, "--clean"))
    assert told["defects"] == [] and told["counts"]["reach_banks"] > 300
