"""CQL2 filters: the same rows as plain Python finds, values never part of a statement, and a sentence for what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.db.connect import Database
from rivergis.errors import UsageError
from rivergis.maps.export_filter import Property, where
from tests.export.conftest import points, send

ROWS = points().to_crs(4490).to_dict("records")
FILTERS: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
    ("status = 'open'", lambda r: r["status"] == "open"),
    ("status <> 'open' AND depth_mm > 4", lambda r: r["status"] != "open" and r["depth_mm"] > 4),
    ("depth_mm BETWEEN 1 AND 10 OR code = 'P0009'", lambda r: 1 <= r["depth_mm"] <= 10 or r["code"] == "P0009"),
    ("name LIKE '云溪河_号口' AND NOT code IN ('P0001','P0002')", lambda r: r["code"] not in ("P0001", "P0002")),
    ("CASEI(code) = CASEI('p0003')", lambda r: r["code"] == "P0003"),
    ("river_code IS NULL", lambda r: True),
    ("class_1 IS NOT NULL", lambda r: False),
    ("covered = TRUE", lambda r: r["covered"]),
    ("NOT covered", lambda r: not r["covered"]),
    ("depth_mm + 2 = 3 * 3", lambda r: r["depth_mm"] + 2 == 9),
    ("depth_mm % 2 = 0", lambda r: r["depth_mm"] % 2 == 0),
    ("\"设计流量立方米每秒\" < 0", lambda r: r["设计流量立方米每秒"] < 0),
    ("备注 = '''quoted'", lambda r: r["备注"] == "'quoted"),
    ("approved_on >= DATE('2024-01-05')", lambda r: r["approved_on"].day >= 5),
    ("approved_on IN ('2024-01-02', '2024-01-03')", lambda r: r["approved_on"].day in (2, 3)),
    ("T_AFTER(approved_on, DATE('2024-01-05'))", lambda r: r["approved_on"].day > 5),
    ("T_DURING(approved_on, INTERVAL('2024-01-02','2024-01-08'))", lambda r: 2 < r["approved_on"].day < 8),
    ("T_INTERSECTS(approved_on, INTERVAL('..','2024-01-04'))", lambda r: r["approved_on"].day <= 4),
    ("T_EQUALS(approved_on, DATE('2024-01-04'))", lambda r: r["approved_on"].day == 4),
    ("S_INTERSECTS(geom, BBOX(106.0, 29.39, 106.03, 29.42))", lambda r: r["geometry"].within(shapely.box(106, 29.39, 106.03, 29.42))),
    ("S_WITHIN(geom, POLYGON((106 29.39, 106.03 29.39, 106.03 29.42, 106 29.39)))",
     lambda r: r["geometry"].within(shapely.Polygon([(106, 29.39), (106.03, 29.39), (106.03, 29.42)]))),
    ("S_DISJOINT(geom, BBOX(0, 0, 1, 1))", lambda r: True),
    ("true", lambda r: True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "holds"), FILTERS, ids=[t for t, _ in FILTERS])
def test_a_filter_finds_what_plain_python_finds(filled: Database, tmp_path: Path, text: str, holds: Any) -> None:
    out = tmp_path / "x.geojsonl"
    send(filled, "outfall", out, filter=text)
    found = [json.loads(line)["properties"]["code"] for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(found) == [r["code"] for r in ROWS if holds(r)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nobody = 3", "There is no property 'nobody' to filter by; there are code, name"),
        ("name = 3", "cannot be compared"),
        ("depth_mm LIKE '1%'", "cannot be compared"),
        ("name = NULL", "IS NULL"),
        ("name is null and", "cannot be read at character 17"),
        ("name = 'x'; DROP TABLE data.outfall", "cannot be read"),
        ("pg_sleep(9) = 1", "not supported"),
        ("S_DWITHIN(geom, POINT(0 0), 5, meters)", "not supported"),
        ("S_INTERSECTS(name, POINT(1 2))", "no shape"),
        ("S_INTERSECTS(geom, BBOX(500000, 3000000, 600000, 3100000))", "degrees"),
        ("approved_on = 'soon'", "no date or time"),
        ("approved_on > 5", "cannot be compared"),
        ("depth_mm = 1e400", "too large"),
        ("name", "not true or false"),
        ("3", "no condition"),
        ("(" * 3000 + "code = 'a'" + ")" * 3000, "too deep"),
        ("NOT " * 3000 + "covered", "too deep"),
        ("code = '" + "x" * 30_000 + "'", "too long"),
        ("", "cannot be read"),
    ],
    ids=lambda t: t[:40],
)
def test_a_wrong_filter_is_one_sentence(filled: Database, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        send(filled, "outfall", tmp_path / "x.csv", filter=text)
    assert said in caught.value.sentence
    assert "\n" not in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


PROPERTIES = {
    "name": Property("t.name", "text"),
    "at_m": Property("t.at_m", "number"),
    "geom": Property("t.geom", "geometry"),
}


@given(st.text(min_size=1).filter(lambda t: "\0" not in t), st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_values_are_bound_and_never_part_of_the_statement(text: str, number: float) -> None:
    quoted = text.replace("'", "''")
    made = where(f"name = '{quoted}' OR at_m < {number:.6f}", PROPERTIES)
    assert made.sql == "((t.name = CAST(:f0 AS text)) OR (t.at_m < CAST(:f1 AS double precision)))"
    assert made.params["f0"] == text


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="()'\"=<>andornt name_m%_.,1-+*/ SINTERCBOXPOLYGDA:", max_size=60))
def test_any_text_is_a_condition_or_a_sentence(text: str) -> None:
    try:
        made = where(text, PROPERTIES)
    except UsageError as error:
        assert "\n" not in error.sentence
    else:
        assert made.sql
