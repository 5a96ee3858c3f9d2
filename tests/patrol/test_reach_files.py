r"""Files of reaches as people have them: names, widths and nodes half filled, lines in parts, networks of any size.

a ====> n1 ====> b        the first runs east, the second north: a degree of longitude is shorter than one of latitude
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from rivergis import crs
from rivergis.errors import InputError
from rivergis.patrol import files, reach_files
from rivergis.patrol.score import score, waters_of
from rivergis.patrol.unseen import Duty
from rivergis.patrol.water import names_of
from tests.patrol.test_score_files import csv
from tests.patrol.walks import METHOD, VIEW, Points, duty_of, river, scored, walk

LINES: dict[str, Points] = {"a": [(0, 0), (1000, 0)], "b": [(1000, 0), (1000, 1000)]}


def on_disk(folder: Path, **columns: Any) -> Path:
    out = folder / "reaches.geojson"
    river(LINES).to_crs("EPSG:4326").drop(columns="length_m").assign(**columns).to_file(out, driver="GeoJSON")
    return out


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"width_m": ["12", "wide"]}, ("'b'", "width_m", "wide")),
        ({"width_m": [-300, 20]}, ("'a'", "-300")),
        ({"half_width_m": [5, 1e9]}, ("'b'", "half_width_m")),
        ({"visible_m": [-150, 20]}, ("'a'", "visible_m")),
        ({"reach_id": ["a", None]}, ("row 2", "reach_id")),
        ({"reach_id": ["a", " "]}, ("row 2", "reach_id")),
        ({"reach_id": [7, 7]}, ("'7'", "twice")),
    ],
)
def test_what_is_no_width_and_no_name_is_told_with_its_reach(
    tmp_path: Path, columns: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as told:
        reach_files.read_river(on_disk(tmp_path, **columns), VIEW)
    assert all(w in told.value.sentence for w in words)


def test_a_row_without_a_line_is_told(tmp_path: Path) -> None:
    out = on_disk(tmp_path)
    holed = json.loads(out.read_text())
    holed["features"][1]["geometry"] = None
    out.write_text(json.dumps(holed))
    with pytest.raises(InputError, match="row 2 has no line"):
        reach_files.read_river(out, VIEW)


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    found = reach_files.read_river(on_disk(tmp_path, half_width_m=None, width_m=["12", ""]), VIEW)
    assert found.reaches["half_width_m"].tolist()[0] == 6.0 and np.isnan(found.reaches["half_width_m"].iloc[1])


def test_parts_that_join_are_one_reach_and_others_are_told(tmp_path: Path) -> None:
    frame = river(LINES)
    start, end = shapely.get_coordinates(frame.geometry.iloc[0])
    middle = (start + end) / 2
    for gap, whole in ((0.0, True), (1e-4, False)):
        parts = shapely.MultiLineString([[start, middle], [middle + np.array([gap, 0.0]), end]])
        out = tmp_path / "parts.gpkg"
        frame.set_geometry([parts, frame.geometry.iloc[1]], crs=frame.crs).to_file(out)
        if whole:
            line = reach_files.read_river(out, VIEW).reaches.geometry.iloc[0]
            assert line.geom_type == "LineString" and np.allclose(line.coords[0], start)
        else:
            with pytest.raises(InputError, match="parts do not join"):
                reach_files.read_river(out, VIEW)


@pytest.mark.parametrize(
    "nodes",
    [
        {"from_node": ["n0", None], "to_node": ["n1", "n2"]},  # the start of b is where a ends
        {"from_node": [0, 1], "to_node": [1, None]},  # a hole makes 1.0 of 1
        {"from_node": [None, "n1"], "to_node": [None, None]},
    ],
)
def test_nodes_named_here_and_there_still_meet(tmp_path: Path, nodes: dict[str, list[Any]]) -> None:
    (_, end), (start, _) = reach_files.read_river(on_disk(tmp_path, **nodes), VIEW).waters.node
    assert end == start


def test_whole_numbers_keep_their_names() -> None:
    assert list(names_of(pd.Series([1.0, None, 3.0]))) == ["1", None, "3"]
    assert list(names_of(pd.Series([1.5, 2.0]))) == ["1.5", "2.0"]


def test_stretches_drawn_have_the_metres_they_are_told_to_have(tmp_path: Path) -> None:
    """One reach east and then north: halves of its degrees are not halves of its metres."""
    line: dict[str, Points] = {"bent": [(0, 0), (1000, 0), (1000, 1000)]}
    bent = river(line)
    bent.drop(columns="length_m").to_file(tmp_path / "bent.gpkg")
    csv(tmp_path / "t.csv", walk([(0, 30), (970, 30), (970, 500)]))
    found = reach_files.read_river(tmp_path / "bent.gpkg", VIEW)
    drawn = reach_files.lines(files.score_file(tmp_path / "t.csv", found, VIEW, datum="wgs84")[1], found)
    assert len(drawn) > 0
    assert np.allclose(crs.length_m(drawn.geometry.values), drawn["to_m"] - drawn["from_m"], atol=0.01)


def test_a_long_drive_or_a_fix_elsewhere_draws_in_no_waters_between() -> None:
    """A pond every 10 km over 200 km: a first fix at the far end brings only what lies at both ends."""
    ponds: dict[str, Points] = {f"p{k}": [(10_000 * k, 0), (10_000 * k + 500, 0)] for k in range(20)}
    frame = river(ponds)
    ends = shapely.get_coordinates(shapely.get_point(frame.geometry.values[[0, -1]], 0))
    near = waters_of(frame, METHOD).around(np.repeat(ends[:, 0], [1, 50]), np.repeat(ends[:, 1], [1, 50]), 1.0, 50.0)
    assert near.tolist() == [0, 19]


def test_a_duty_said_twice_or_beyond_its_reach_is_asked_once() -> None:
    frame = river(LINES)
    once = duty_of(frame, "a")
    more = pd.concat([once, once.assign(from_m=400.0, to_m=5000.0), once.assign(from_m=600.0, to_m=500.0)])
    asked, plain = (Duty.of(rows, frame["length_m"].to_numpy()) for rows in (more, once))
    assert list(asked.rows()) == list(plain.rows())


def test_figures_of_a_duty_said_twice_are_those_of_one() -> None:
    frame = river(LINES)
    track = walk([(200, 30), (700, 30)])
    assert scored(track, frame, "a", "a").figures == scored(track, frame, "a").figures


def test_a_duty_that_is_nowhere_puts_nothing_else_on_duty() -> None:
    frame = river(LINES)
    beyond = duty_of(frame, "a").assign(from_m=5000.0, to_m=6000.0)
    done = score(walk([(200, 30), (700, 30)]), waters_of(frame, METHOD), beyond, METHOD, declared="wgs84")
    assert (done.figures["metres"], done.figures["share"], done.figures["bank_metres"]) == (0.0, None, 0)
