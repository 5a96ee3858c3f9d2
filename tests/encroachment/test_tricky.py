"""Two hundred small cases with answers worked out by hand (``benchmarks/tricky``): every outcome right, every reason and guess said."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from rivergis import rules
from rivergis.encroachment.case_files import check_cases
from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

from encroachment_cases import judged  # type: ignore[import-not-found]
from tricky import CASES  # type: ignore[import-not-found]

GROUPS = 8  # so that processes share them


@pytest.mark.parametrize("group", range(GROUPS))
def test_cases_worked_out_by_hand(tmp_path: Path, group: int) -> None:
    mine = dict(list(CASES.items())[group::GROUPS])
    for name, case in mine.items():
        (tmp_path / name).mkdir()
        for layer, content in case.files().items():
            (tmp_path / name / f"{layer}.geojson").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    view = rules.load(ROOT / "gis" / "rules").at((rules.NATIONAL,), date(2026, 6, 1))
    results = check_cases(tmp_path, view, date(2026, 6, 1))
    faults = {n: judged(c.expected(n, "2026-06-01"), results[n]) for n, c in mine.items()}
    assert {n: f for n, f in faults.items() if f != ([], [])} == {}
