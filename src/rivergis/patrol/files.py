"""Score tracks that are files against reaches that are files: one track without rule or assignment, or a folder with a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError, RivergisError
from rivergis.intake import track as track_intake
from rivergis.intake import vector
from rivergis.patrol import authenticity, compliance, questions
from rivergis.patrol.coverage import BANKS, MODES, SEEN, Legs
from rivergis.patrol.fixes import Floats
from rivergis.patrol.score import ENGINE, Method, Score, method_of, score, waters_of
from rivergis.patrol.water import Waters, names_of
from rivergis.river.chainage import Axis
from rivergis.rules import RuleView

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
OLDEST_YEAR, NEWEST_YEAR = 1980, 2200  # of uploads: satellites tell the time since 1980
WIDEST_M = 100_000.0  # of a water: more is a number in other units
NO_DUTY = pd.DataFrame({"reach": np.zeros(0, dtype=np.int64), "bank": [], "from_m": np.zeros(0), "to_m": np.zeros(0)})


@dataclass(frozen=True)
class TrackScore:
    """What one track has seen, as it goes out: lengths in metres from the first vertex, ``bank`` by the digitised direction.

    ``covered``: merged by reach and bank; ``legs``: the same by passage with times, way of moving, speed and confidence;
    ``uncovered``: assigned stretches not seen, each with its reason; ``unobserved``: bridged over a silence. ``effective`` is None
    without a rule; ``tests`` are its figures against thresholds, ``near`` those within the share of rule ``patrol.near``.
    """

    track_id: str
    covered: list[dict[str, Any]]
    effective: bool | None
    flags: list[str]
    datum: str
    start_utc: str | None
    legs: list[dict[str, Any]] = field(default_factory=list)
    uncovered: list[dict[str, Any]] = field(default_factory=list)
    unobserved: list[dict[str, Any]] = field(default_factory=list)
    stops: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    tests: list[dict[str, Any]] = field(default_factory=list)
    near: list[str] = field(default_factory=list)
    review: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    engine: str = ENGINE


@dataclass(frozen=True, eq=False)
class River:
    """Reaches read from a file, ready for matching."""

    reaches: gpd.GeoDataFrame
    waters: Waters
    method: Method

    @property
    def codes(self) -> list[str]:
        """Names of the reaches in the order of the file."""
        return list(self.reaches["reach_id"])


def read_river(path: Path, view: RuleView, *, layer: str | None = None) -> River:
    """Read reaches (LineStrings; reach_id, kind, half_width_m or width_m, visible_m, from_node, to_node are used if present).

    Raises ``InputError`` for a layer that holds no lines, for reaches without a line or a name or of one name, and for
    widths that are no metres.
    """
    frame, name, _ = vector.read_frame(path, source_layer=layer)
    if isinstance(frame, gpd.GeoDataFrame) and (void := frame.geometry.isna() | frame.geometry.is_empty).any():
        raise InputError(
            f"{path.name}, layer {name}: row {int(np.flatnonzero(void)[0]) + 1} has no line: draw it, or take the row out.",
            file=str(path),
            layer=name,
        )
    if not isinstance(frame, gpd.GeoDataFrame) or not set(frame.geom_type) <= {"LineString", "MultiLineString"}:
        raise InputError(
            f"{path.name}, layer {name} does not hold lines: name the layer of the reaches with --layer.",
            file=str(path),
            layer=name,
        )
    if frame.empty:
        raise InputError(
            f"{path.name}, layer {name} holds no reach: put the lines of the waters into it.",
            file=str(path),
            layer=name,
        )
    frame, ids = _named_reaches(frame, f"{path.name}, layer {name}", path)
    half = _metres(frame, ids, "half_width_m", path)
    half = np.where(np.isfinite(half), half, _metres(frame, ids, "width_m", path) / 2)
    frame = frame.assign(
        reach_id=ids,
        kind=frame["kind"].fillna("river") if "kind" in frame else "river",
        half_width_m=half,
        visible_m=_metres(frame, ids, "visible_m", path),
        length_m=crs.length_m(frame.geometry.values),
    )
    method = method_of(view.number)
    return River(frame, waters_of(frame, method), method)


def _named_reaches(frame: gpd.GeoDataFrame, where: str, path: Path) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Reaches as one line each, and their names; parts that join end to end are one line, in the direction they are drawn."""
    code = next((c for c in ("reach_id", "code", "id") if c in frame), None)
    lines = np.array(frame.geometry.values, dtype=object)
    parted = shapely.get_type_id(lines) == shapely.GeometryType.MULTILINESTRING
    lines[parted] = shapely.line_merge(lines[parted], directed=True)
    frame = frame.set_geometry(lines, crs=frame.crs).explode(index_parts=False).reset_index(drop=True)
    ids = names_of(frame[code]) if code else frame.index.astype(str).to_series(index=frame.index)
    if len(at := np.flatnonzero(ids.isna() | ids.duplicated())):
        name = ids.iloc[at[0]]
        fault = (
            f"the reach {name[:40]!r} stands twice, or its parts do not join: give each line its own {code}."
            if isinstance(name, str)
            else f"row {at[0] + 1} has no {code}: give each reach its own."
        )
        raise InputError(f"{where}: {fault}", file=str(path))
    return frame, ids


def _metres(frame: gpd.GeoDataFrame, ids: pd.Series, column: str, path: Path) -> Floats:
    """A column of metres, NaN where nothing is said. Raises ``InputError`` for what is no length."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    said = frame[column].astype(object).where(frame[column].notna(), None)
    said = said.map(lambda v: None if isinstance(v, str) and not v.strip() else v)
    metres = pd.to_numeric(said, errors="coerce").to_numpy(dtype=float)
    wrong = said.notna().to_numpy() & ~((metres >= 0) & (metres <= WIDEST_M))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{path.name}: the reach {ids.iloc[at][:40]!r} has {column} = {str(said.iloc[at])[:40]!r}: write metres, 0 or more.",
            file=str(path),
            feature=ids.iloc[at],
        )
    return metres


def score_file(track: Path, river: River, view: RuleView, *, datum: str | None = None) -> tuple[TrackScore, Score]:
    """Score one track file with no rule and no assignment. Raises ``InputError`` for an unusable file."""
    read = track_intake.read_track(track, "wgs84")
    done = score(read.fixes, river.waters, NO_DUTY, river.method, declared=datum)
    limits = authenticity.limits_of(view.number)
    found = questions.of_track(done, questions.course(done, track.name, None), (), limits, declared=datum)
    return with_questions(told(track.name, done, river, notes=read.diagnostics), found), done


def told(
    track_id: str, done: Score, river: River, *, tests: Sequence[compliance.Tested] = (), ruled: bool = False,
    notes: Sequence[dict[str, Any]] = (),
) -> TrackScore:  # fmt: skip
    """A score in the words of a result file; ``ruled``: a rule was given and ``tests`` are its outcome."""
    codes = river.codes
    seen = done.seen.take(done.seen.why == SEEN)
    figures = dict(done.figures)
    return TrackScore(
        track_id,
        covered(seen, codes),
        compliance.met(tests) if ruled else None,
        [],
        done.datum,
        _when(done.start_s),
        legs=_legs(done.seen, codes),
        uncovered=[_stretch(codes[r], bank, a, b) | {"reason": why} for r, bank, a, b, why in done.rest],
        unobserved=[_named(r, codes) for r in figures.pop("unobserved")],
        stops=[_named(s, codes) for s in figures.pop("stops")],
        figures=figures,
        tests=[asdict(t) for t in tests],
        near=[t.key for t in tests if t.near],
        notes=list(notes),
    )


def covered(seen: Legs, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Legs joined where they meet on one reach and bank, in order."""
    out: list[dict[str, Any]] = []
    was = (-1, -1)
    for reach, bank, a, b in sorted(
        zip(*(x.tolist() for x in (seen.reach, seen.bank, seen.from_m, seen.to_m)), strict=True)
    ):
        if was == (reach, bank) and a <= out[-1]["to_m"] + 1.0:
            out[-1]["to_m"] = max(out[-1]["to_m"], round(b, 1))
        else:
            out.append(_stretch(codes[reach], bank, a, b))
        was = (reach, bank)
    return out


def _stretch(code: str, bank: int, from_m: float, to_m: float) -> dict[str, Any]:
    return {"reach_id": code, "from_m": round(from_m, 1), "to_m": round(to_m, 1), "bank": BANKS[bank]}


def _legs(seen: Legs, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Legs one by one; those that do not count have a ``reason``."""
    out = []
    for k in range(len(seen)):
        leg = _stretch(codes[seen.reach[k]], seen.bank[k], float(seen.from_m[k]), float(seen.to_m[k])) | {
            "passage": int(seen.passage[k]),
            "started_at": _when(seen.started_s[k]),
            "ended_at": _when(seen.ended_s[k]),
            "mode": MODES[seen.mode[k]] if seen.mode[k] >= 0 else None,
            "speed_kmh": round(float(seen.speed_ms[k]) * 3.6, 1) if np.isfinite(seen.speed_ms[k]) else None,
            "confidence": round(float(seen.confidence[k]), 3),
        }
        out.append(leg if seen.why[k] == SEEN else leg | {"reason": seen.why[k]})
    return out


def _named(record: dict[str, Any], codes: Sequence[str]) -> dict[str, Any]:
    """A record of the figures with the name of its reach, and times in words."""
    out = {k: v for k, v in record.items() if k not in ("reach", "at_s")}
    if "at_s" in record:
        out = {"at": _when(record["at_s"])} | out
    reach = record.get("reach")
    return {"reach_id": codes[reach] if reach is not None else None} | out


def _when(seconds: float | None) -> str | None:
    if seconds is None or not np.isfinite(seconds):
        return None
    at = np.datetime64(round(seconds * 1000), "ms")  # a clock repaired by years may leave the calendar of datetime
    return f"{at}Z"


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


def with_questions(result: TrackScore, found: Sequence[authenticity.Signal]) -> TrackScore:
    """A result with the reasons to look at its track; ``flags`` are their families."""
    flags = list(dict.fromkeys(s.family or s.code for s in found))
    return replace(result, flags=flags, review=[asdict(s) for s in found])


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
    rule, declared = entry.get("rule"), _datum(entry)
    rule = {} if rule is None else rule
    compliance.check_rule(rule)
    done = score(
        read.fixes, river.waters, _duty(entry, river, at), river.method, declared=declared, uploaded_s=_seconds(entry),
        fast_kmh=np.inf if rule.get(compliance.FAST_FIELD) is None else float(rule[compliance.FAST_FIELD]),
    )  # fmt: skip
    near, fast = view.number(compliance.NEAR_KEY), view.number(compliance.FAST_KEY)
    tests = compliance.effective(done.figures, rule, fast_share=fast, near=near) if rule else []
    track_id, chief = str(entry["track_id"]), entry.get("chief_id")
    result = told(track_id, done, river, tests=tests, ruled=bool(rule), notes=read.diagnostics)
    return _Done(result, done, questions.course(done, track_id, chief, received_s=_seconds(entry)), declared)


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


def lines(done: Score, river: River) -> gpd.GeoDataFrame:
    """Legs seen and not seen as lines along their reaches (LineString, EPSG:4490) with reach_id, bank, metres, times and why."""
    frame = done.legs
    at = frame["reach"].to_numpy(dtype=int)
    parts = [
        Axis(own).stretch(a, min(b, n))
        for own, a, b, n in zip(
            river.reaches.geometry.values[at], frame["from_m"], frame["to_m"], river.waters.length_m[at], strict=True
        )
    ]
    times = {
        c.replace("_s", "_at"): pd.to_datetime(frame[c].astype(float), unit="s", utc=True)
        for c in ("started_s", "ended_s")
    }
    named = frame.drop(columns=["reach", "started_s", "ended_s"]).assign(**times)
    named.insert(0, "reach_id", np.array(river.codes, dtype=object)[at])
    return gpd.GeoDataFrame(named, geometry=parts, crs=river.reaches.crs)
