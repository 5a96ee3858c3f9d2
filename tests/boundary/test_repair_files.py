"""Proposed repairs as layers: before, after, a copy; and never over a file of somebody's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyogrio
import pytest

from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.repair import files as repair_files
from rivergis.boundary.repair import propose as repair
from rivergis.errors import UsageError
from tests.boundary.test_repair_proposals import BREAKS, WHOLE


def test_layers_hold_the_proposal_and_a_copy_and_can_be_written_again(tmp_path: Path) -> None:
    broken = BREAKS["spike"](WHOLE)
    defects = doctor.examine(broken)
    proposals = repair.propose(broken, defects, doctor.examine)
    out = tmp_path / "repairs.gpkg"
    for _ in range(2):
        repair_files.write(out, broken, defects, proposals)
    layers = {str(n) for n in pyogrio.list_layers(out)[:, 0]}
    assert layers == {"proposals", "proposals_before", "lines_repaired", "areas_repaired", "stakes_repaired"}
    told, copy = (pyogrio.read_dataframe(out, layer=n) for n in ("proposals", "lines_repaired"))
    assert told["code"].tolist() == ["spike"] and told["sentence_zh"].str.len().min() > 0
    assert told.crs == copy.crs == "EPSG:4490"
    assert len(copy) == len(broken.lines)
    before = pyogrio.read_dataframe(out, layer="proposals_before")
    assert len(told.get_coordinates()) < len(before.get_coordinates())
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("layer", ["lines", "areas", "proposals_of_mine"])
def test_a_file_with_other_layers_is_left_alone(tmp_path: Path, layer: str) -> None:
    mine = tmp_path / "boundaries.gpkg"
    WHOLE.reaches.to_file(mine, layer=layer, driver="GPKG", engine="pyogrio")
    before = hashlib.sha256(mine.read_bytes()).hexdigest()
    with pytest.raises(UsageError, match="new name"):
        repair_files.write(mine, WHOLE, [], [])
    with pytest.raises(UsageError, match="gpkg"):
        repair_files.write(tmp_path / "a.shp", WHOLE, [], [])
    assert hashlib.sha256(mine.read_bytes()).hexdigest() == before
