"""Score tracks that are files against reaches that are files: one track without rule or assignment, or a folder with a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rivergis.errors import InputError, RivergisError
from rivergis.intake import track as track_intake
from rivergis.patrol import authenticity, compliance, questions
from rivergis.patrol.reach_files import River, read_river
from rivergis.patrol.results import TrackScore, told, with_questions
from rivergis.patrol.score import Score, score
from rivergis.rules import RuleView

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
OLDEST_YEAR, NEWEST_YEAR = 1980, 2200  # of uploads: satellites tell the time since 1980
NO_DUTY = pd.DataFrame({"reach": np.zeros(0, dtype=np.int64), "bank": [], "from_m": np.zeros(0), "to_m": np.zeros(0)})


def score_file(track: Path, river: River, view: RuleView, *, datum: str | None = None) -> tuple[TrackScore, Score]:
    """Score one track file with no rule and no assignment. Raises ``InputError`` for an unusable file."""
    read = track_intake.read_track(track, "wgs84")
    done = score(read.fixes, river.waters, NO_DUTY, river.method, declared=datum)
    limits = authenticity.limits_of(view.number)
    found = questions.of_track(done, questions.course(done, track.name, None), (), limits, declared=datum)
    return with_questions(told(track.name, done, river.codes, notes=read.diagnostics), found), done


@dataclass(frozen=True)
class FolderScore:
    """A folder scored: one result a track, in the order of its list, and the tracks that could not be read, with the reason."""

    tracks: list[TrackScore]
    aside: list[dict[str, str]]


def score_dir(
    folder: Path, view: RuleView, *, progress: Callable[[int, int], None] = lambda done, all_: None
) -> FolderScore:
    """Score the tracks that ``tracks.json`` of a folder lists against its ``reaches.geojson``: each with its assigned reaches and rule.

    Raises ``InputError`` for a missing or senseless list or reaches; a track that cannot be read is set aside and told.
    """
    listed = read_list(folder)
    river = read_river(folder / "reaches.geojson", view)
    at = {code: i for i, code in enumerate(river.codes)}
    done: list[_Done] = []
    aside = []
    reads = track_intake.read_tracks([folder / str(e["file"]) for e in listed], "wgs84")
    for n, (entry, read) in enumerate(zip(listed, reads, strict=True)):
        try:
            if isinstance(read, RivergisError):
                raise read
            done.append(_scored(entry, read, river, at, view))
        except RivergisError as error:
            aside.append({"track_id": str(entry["track_id"]), "file": str(entry["file"]), "reason": error.sentence})
        progress(n + 1, len(listed))
    archive, limits = authenticity.Archive([d.course for d in done]), authenticity.limits_of(view.number)
    return FolderScore([_asked(d, archive, limits) for d in done], aside)


@dataclass(frozen=True, eq=False)
class _Done:
    """A track scored, before it is compared with the others."""

    result: TrackScore
    score: Score
    course: authenticity.Course
    declared: str | None


def _asked(done: _Done, archive: authenticity.Archive, limits: authenticity.Limits) -> TrackScore:
    return with_questions(
        done.result, questions.of_track(done.score, done.course, archive, limits, declared=done.declared)
    )


def read_list(folder: Path) -> list[dict[str, Any]]:
    """The tracks of ``tracks.json`` of a folder. Raises ``InputError`` when it is missing or no list of objects."""
    path = folder / "tracks.json"
    try:
        listed = json.loads(path.read_text(encoding="utf-8-sig"))
        json.dumps(listed, ensure_ascii=False).encode("utf-8")  # halves of characters can be read but never written
    except OSError:
        raise InputError(
            f"{folder.name} has no tracks.json: name a folder with tracks.json, reaches.geojson and tracks.",
            file=str(path),
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path.name} is not JSON in UTF-8: write it again.", file=str(path)) from None
    bad = next((n for n, e in enumerate(listed) if not _names_a_track(e)), None) if isinstance(listed, list) else 0
    if bad is not None:
        raise InputError(
            f"{path.name} is no list of objects with track_id and file (entry {bad + 1}): see docs/patrol.md.",
            file=str(path),
        )
    twice = pd.Index([str(e["track_id"]) for e in listed])
    if twice.has_duplicates:
        raise InputError(
            f"{path.name} names the track {twice[twice.duplicated()][0]!r} twice: give each its own track_id.",
            file=str(path),
        )
    for entry in listed:
        if not (folder / str(entry["file"])).resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"tracks.json names {entry['file']}, which lies outside its folder: put it inside.", file=str(path)
            )
    return listed


def _names_a_track(entry: Any) -> bool:
    """Whether an entry has an id (text or a whole number) and the name of a file."""
    if not isinstance(entry, dict):
        return False
    name, file = entry.get("track_id"), entry.get("file")
    return isinstance(name, (str, int)) and not isinstance(name, bool) and isinstance(file, str) and "\0" not in file


def inputs(folder: Path) -> set[Path]:
    """The files that scoring a folder reads. Raises as ``read_list``."""
    tracks = (folder / e["file"] for e in read_list(folder))
    return {p.resolve() for p in (folder / "tracks.json", folder / "reaches.geojson", *tracks)}


def _scored(
    entry: dict[str, Any], read: track_intake.TrackFile, river: River, at: dict[str, int], view: RuleView
) -> _Done:
    rule, declared, uploaded_s = entry.get("rule"), _datum(entry), _seconds(entry)
    rule = {} if rule is None else rule
    compliance.check_rule(rule)
    done = score(
        read.fixes, river.waters, _duty(entry, river, at), river.method, declared=declared, uploaded_s=uploaded_s,
        fast_kmh=np.inf if rule.get(compliance.FAST_FIELD) is None else float(rule[compliance.FAST_FIELD]),
    )  # fmt: skip
    near, fast = view.number(compliance.NEAR_KEY), view.number(compliance.FAST_KEY)
    tests = compliance.effective(done.figures, rule, fast_share=fast, near=near) if rule else []
    track_id, chief = str(entry["track_id"]), entry.get("chief_id")
    result = told(track_id, done, river.codes, tests=tests, ruled=bool(rule), notes=read.diagnostics)
    return _Done(result, done, questions.course(done, track_id, chief, received_s=uploaded_s), declared)


def _duty(entry: dict[str, Any], river: River, at: dict[str, int]) -> pd.DataFrame:
    said = entry.get("assigned") or []
    if not isinstance(said, list):
        raise InputError(
            f'tracks.json assigns {str(said)[:40]!r} to {entry["track_id"]}: write a list of reaches, such as ["R1"].',
            feature=str(entry["track_id"]),
        )
    assigned = [str(a) for a in said]
    if missing := [a for a in assigned if a not in at]:
        raise InputError(
            f"tracks.json assigns {missing[0]!r} to {entry['track_id']}, which is no reach of reaches.geojson: correct it.",
            feature=str(entry["track_id"]),
        )
    length = river.waters.length_m
    rows = [(at[a], bank, 0.0, float(length[at[a]])) for a in dict.fromkeys(assigned) for bank in ("left", "right")]
    return pd.DataFrame(rows, columns=list(NO_DUTY.columns)) if rows else NO_DUTY


def _datum(entry: dict[str, Any]) -> str | None:
    declared = entry.get("datum_declared")
    if declared is not None and declared not in DATUMS:
        raise InputError(
            f"tracks.json declares datum {declared!r} for {entry['track_id']}: write {', '.join(DATUMS)} or null.",
            feature=str(entry["track_id"]),
        )
    return declared


def _seconds(entry: dict[str, Any]) -> float:
    """When the file was uploaded, s since 1970; NaN where nobody says."""
    said = entry.get("uploaded_at")
    if said is None:
        return np.nan
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not OLDEST_YEAR <= at.year <= NEWEST_YEAR:
        raise InputError(
            f"tracks.json says {entry['track_id']} was uploaded at {said!r}: write the time with its zone, such as 2026-05-20T01:00:00Z.",
            feature=str(entry["track_id"]),
        )
    return at.timestamp()
