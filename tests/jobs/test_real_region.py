"""The same chain on a real catchment (OpenStreetMap, Bayreuth): surrogate lines, candidates, a night."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis import rules
from rivergis.boundary import workflow as boundary_workflow
from rivergis.db.connect import Database
from rivergis.encroachment import store
from rivergis.intake import profile
from rivergis.jobs import nightly, receive
from rivergis.river import workflow as river_workflow
from rivergis.settings import gis_dir

NIGHT = date(2026, 5, 20)


@pytest.mark.realdata
def test_from_an_extract_to_leads_that_say_they_rest_on_a_surrogate(
    db: Database, test_data: Path, tmp_path: Path
) -> None:
    extract = test_data / "region_bayreuth" / "bayreuth_osm_2014.gpkg"
    if not extract.exists():
        pytest.skip(f"{extract} is not there")
    book, osm = rules.load(gis_dir() / "rules"), profile.load("osm", gis_dir() / "rules")
    options = receive.Options(namespace="osm", delivered_on=NIGHT)
    first = receive.import_all(db, extract, actor="t", profile=osm, options=options)
    assert all(r.count_in == r.imported + r.unchanged + r.quarantined + r.skipped for r in first)
    assert {r.layer: r.imported for r in first if r.layer in ("reach", "water_area")} == {
        "reach": 228,
        "water_area": 151,
    }
    assert all(r.known for r in receive.import_all(db, extract, actor="t", profile=osm, options=options))
    assert river_workflow.build_axes(db, "t").rivers > 100
    made = boundary_workflow.make_surrogates(db, book, NIGHT, "t")
    assert made.rivers > 100 and "boundary.surrogate.line_offset" in made.unconfirmed
    result = nightly.run(
        db, book, NIGHT, "t", adcode=None, store_dir=tmp_path / "store", report_dir=tmp_path / "reports"
    )
    with db.read() as conn:
        rows = store.findings_of_night(conn, NIGHT)
        outside = conn.execute(
            text("""SELECT count(*) FROM data.sighting s WHERE NOT EXISTS (
            SELECT FROM data.boundary_area a WHERE ST_Intersects(a.geom, s.geom))""")
        ).scalar()
    assert len(rows) == result.counts["topics"]["encroachment"]["leads"] > 10
    assert set(rows["basis"]) == {"surrogate"} and set(rows["our_action"]) == {"仅提示"}
    assert outside == 0, "an independent check in PostGIS: every lead meets an area"
    page = Path(result.report or "").read_text(encoding="utf-8")
    assert "替代边界" in page and "疑似问题线索 Suspected lead" not in page and "虚构演示数据" not in page
