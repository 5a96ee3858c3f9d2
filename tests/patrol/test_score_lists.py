"""Lists of tracks as machines and people write them, and results that never take the place of what they were made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rivergis.cli import common, rivergis
from rivergis.errors import EnvironmentFault, InputError, UsageError
from rivergis.patrol import files
from tests.patrol.test_score_files import Make, folder
from tests.patrol.walks import VIEW

__all__ = ["folder"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '[{"track_id": "\\ud800", "file": "tracks/a.csv"}]',
        '[{"track_id": null, "file": "tracks/a.csv"}]',
        '[{"track_id": ["a"], "file": "tracks/a.csv"}]',
        '[{"track_id": "a", "file": null}]',
        '[{"track_id": "a", "file": "tracks/\\u0000.csv"}]',
    ],
)
def test_a_list_that_names_no_tracks_is_one_sentence(folder: Make, text: str) -> None:
    where = folder()
    (where / "tracks.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"tracks\.json"):
        files.score_dir(where, VIEW)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"rule": {"min_coverage": 80}}, "from 0 to 1"),
        ({"rule": {"min_km": 10**400}}, "min_km"),
        ({"uploaded_at": "0001-01-01T00:00:00+08:00"}, "uploaded"),
    ],
)
def test_numbers_out_of_any_range_set_their_track_aside(folder: Make, changes: dict[str, Any], word: str) -> None:
    done = files.score_dir(folder(**changes), VIEW)
    assert not done.tracks and all(word in a["reason"] for a in done.aside)


def test_where_no_speed_is_allowed_every_way_is_too_fast(folder: Make) -> None:
    done = files.score_dir(folder(rule={"max_speed_kmh": 0}), VIEW)
    assert [t.effective for t in done.tracks] == [False, False]
    assert [t.figures["fast_share"] for t in done.tracks] == [1.0, 1.0]


@pytest.mark.parametrize("name", ["tracks.json", "tracks/no/such.json", "tracks"])
def test_a_result_is_refused_before_the_work(folder: Make, name: str) -> None:
    where = folder()
    before = (where / "tracks.json").read_bytes()
    out = where / name if name != "tracks" else (where / "d.json")
    if name == "tracks":
        out.mkdir()
    done = CliRunner().invoke(rivergis, ["patrol", "score", str(where), "--out", str(out)])
    assert isinstance(done.exception, UsageError)
    assert (where / "tracks.json").read_bytes() == before


def test_results_are_strict_json_and_places_that_refuse_are_told(tmp_path: Path) -> None:
    common.write_json(tmp_path / "a.json", {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": [None, 1.5]}
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        common.write_json(tmp_path / "no" / "a.json", {})
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
