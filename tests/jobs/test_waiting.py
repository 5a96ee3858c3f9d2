"""Rows that name what is not there yet wait in the quarantine, and come in when the same file is imported again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.intake import profile
from rivergis.jobs import receive
from tests import tiny

OPTIONS = receive.Options(namespace="n")


def test_what_waited_for_its_river_comes_in_with_the_same_file(db: Database, tmp_path: Path) -> None:
    points = tiny.degrees(
        tiny.metric([tiny.point(0, 0), tiny.point(10, 0)], code=["a", "b"], name="排口", river_code=["r", None])
    )
    outfalls, rivers = tmp_path / "outfall.gpkg", tmp_path / "river.csv"
    points.to_file(outfalls, layer="outfall", engine="pyogrio")

    def bring(layer: str, path: Path) -> receive.ImportResult:
        [result] = receive.import_file(db, layer, path, actor="t", profile=profile.plain(), options=OPTIONS)
        return result

    def records() -> int:
        with db.read() as conn:
            return conn.execute(
                text("SELECT (SELECT count(*) FROM sys.import_record) + (SELECT count(*) FROM sys.quarantine)")
            ).scalar_one()

    first = bring("outfall", outfalls)
    assert (first.imported, first.quarantined) == (1, 1)
    before = records()
    still = bring("outfall", outfalls)
    assert still.known and records() == before, "nothing new: nothing is written"
    pd.DataFrame({"code": ["r"], "name": ["河"], "kind": ["river"]}).to_csv(rivers, index=False)
    bring("river", rivers)
    second = bring("outfall", outfalls)
    assert (second.known, second.imported, second.unchanged, second.quarantined) == (False, 1, 1, 0)
    assert bring("outfall", outfalls).known
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM app.outfall")).scalar() == 2
