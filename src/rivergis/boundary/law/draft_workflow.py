"""Drafts of boundary lines (划界草案) in the database: opening them, and saving under an optimistic lock."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, lifecycle
from rivergis.boundary.law import draft_store
from rivergis.boundary.law import edit as draft_edit
from rivergis.boundary.law import rows as draft_rows
from rivergis.boundary.law.edit import Clash, Edit, Segment
from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.errors import Conflict, InputError, NotFound, UsageError

TOUCH_M = 0.01
"""Ends nearer than a centimetre are one point; survey files are written to millimetres."""
BASES = ("draft", "announced", "surrogate", "computed")
DRAWN_BY = (
    "levee_toe", "levee_gap", "flood_wall", "flood_level", "bank_offset", "lake", "reservoir", "spoil", "land_acquisition",
    "surrogate", "county_border", "confluence", "road", "announced", "hand",
)  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """A draft that was opened."""

    id: uuid.UUID
    code: str
    revision: int
    segments: int


@dataclass(frozen=True)
class SavedDraft:
    """What a save came to."""

    code: str
    revision: int
    merged: bool
    """Others saved meanwhile; nothing touched, so both stand."""
    put: int
    removed: int


def get(conn: Connection, code: str) -> dict[str, Any]:
    """A draft by code or id, with state and revision; ``NotFound`` names what there is."""
    found = draft_store.find(conn, code)
    if found is None:
        some = ", ".join(draft_store.listed(conn)["code"].head(8)) or "none yet"
        raise NotFound(f"There is no draft {code!r}; drafts: {some}.")
    return found


def open_draft(
    db: Database,
    *,
    code: str,
    title: str,
    actor: str,
    namespace: str,
    on: date,
    line_type: str = "management",
    adcode: str = "000000",
    rivers: Sequence[str] = (),
    lines: gpd.GeoDataFrame | None = None,
    sketch: bool = False,
    reason: str = "",
    tool: str = "cli",
) -> Opened:
    """Open a draft (划界草案) on the announced lines of ``rivers`` in force on a day, or with the ``lines`` of a file.

    ``lines``: LineString with river_code, bank, and optionally the columns of a drafted line; any accepted CRS. One transaction.
    Raises ``UsageError`` (code taken, nothing to start from), ``NotFound`` (river not known), ``InputError`` (a line without bank).
    """
    with db.write(actor) as conn:
        people.require(conn, actor, "draft_boundary")
        if not title.strip() or re.fullmatch(r"[^/\s]{1,64}", code) is None:
            raise UsageError(
                f"A draft has a title, and a code of up to 64 characters without blank or slash, not {code[:80]!r}."
            )
        if draft_store.find(conn, code) is not None:
            raise UsageError(f"There is a draft {code!r} already: choose another code, or go on with that one.")
        known = now_of(conn)
        draft_id = draft_store.add_draft(
            conn,
            {
                "code": code, "title": title, "line_type": line_type, "adcode": adcode, "code_namespace": namespace, "based_on": on,
                "based_known_at": known, "sketch": sketch,
            },
        )  # fmt: skip
        rows = _of_law(conn, rivers, line_type, on, known) if lines is None else _of_file(conn, lines, on, known)
        if len(rows):
            draft_store.add_change(conn, draft_id, 1, 0, reason or title, tool, rows)
        return Opened(draft_id, code, 1 if len(rows) else 0, len(rows))


def _of_law(conn: Connection, codes: Sequence[str], line_type: str, on: date, known: datetime) -> gpd.GeoDataFrame:
    """Announced lines in force as segments to start from, each naming the line it was taken over from."""
    rivers = _rivers(conn, codes, on, known)
    law = draft_store.law_segments(conn, list(rivers["id"]), line_type, on, known)
    rows = [_taken_over(row, row.source if isinstance(row.source, dict) else {}) for row in law.itertuples()]
    return gpd.GeoDataFrame(rows, geometry=law.geometry.values, crs=crs.STORAGE).rename_geometry("geom")


def _taken_over(line: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """An announced line as a segment: what it was drawn by outlives its announcements."""
    own = ("segment_id", "reach_code", "drawn_by", "boundary_code")
    return {
        "segment_id": uuid.uuid4(), "code": str(line.code).removeprefix(f"{line.boundary_code}:"), "river_id": line.river_id,
        "reach_code": said.get("reach_code"), "bank": line.bank, "from_m": line.from_m, "to_m": line.to_m, "basis": "announced",
        "drawn_by": said.get("drawn_by", "announced"), "hand_edited": False,
        "attributes": {k: v for k, v in said.items() if k not in own} | {"boundary_code": line.boundary_code},
        "base_segment_id": line.id, "base_segment_version": line.version,
    }  # fmt: skip


def _rivers(conn: Connection, codes: Sequence[str], on: date, known: datetime) -> pd.DataFrame:
    found = draft_store.rivers(conn, codes, on, known)
    missing = sorted(set(map(str, codes)) - set(found["code"]))
    if missing:
        raise NotFound(
            f"These rivers are not known: {', '.join(missing[:8])}; import them first ('rivergis river list')."
        )
    twice = found[found.duplicated("code")]
    if len(twice):
        raise InputError(
            f"Rivers of several namespaces have the code {twice['code'].iloc[0]} ({', '.join(found.loc[found['code'] == twice['code'].iloc[0], 'code_namespace'])}): "
            "which one is meant is not guessed; give one of them another code."
        )
    return found


def _of_file(conn: Connection, lines: gpd.GeoDataFrame, on: date, known: datetime) -> gpd.GeoDataFrame:
    """Lines of a file as segments."""
    for column in ("river_code", "bank"):
        if column not in lines or lines[column].isna().any():
            raise InputError(f"Every line of a draft names its {column}: fill the column {column} in.")
    wrong = sorted(set(map(str, lines["bank"])) - {"left", "right"})
    if wrong:
        raise InputError(f"A bank is left or right, looking downstream; the file says {', '.join(wrong[:5])}.")
    ids = _rivers(conn, sorted(set(map(str, lines["river_code"]))), on, known).set_index("code")["id"]
    lines = crs.to_storage(lines)
    rows = [
        draft_rows.row_of_file(row, ids[str(row["river_code"])], n)
        for n, (_, row) in enumerate(pd.DataFrame(lines).iterrows(), 1)
    ]
    return gpd.GeoDataFrame(
        draft_rows.parted(rows),
        geometry=[draft_rows.one_line(g, n) for n, g in enumerate(lines.geometry, 1)],
        crs=crs.STORAGE,
    ).rename_geometry("geom")


# ---- saving ------------------------------------------------------------------------------------------------------------


def segments(conn: Connection, draft: Mapping[str, Any], revision: int | None = None) -> gpd.GeoDataFrame:
    """Segments of a draft as a revision left them; LineString, EPSG:4490."""
    return draft_store.segments(conn, draft["id"], revision)


def save(
    db: Database,
    code: str,
    base_revision: int,
    edits: Sequence[Edit],
    actor: str,
    *,
    reason: str = "",
    tool: str = "cli",
) -> SavedDraft:
    """Save edits made on ``base_revision`` (乐观锁): merged with what others saved meanwhile where nothing touches.

    Edits with shapes in EPSG:4490. Saving what stands already writes nothing. Raises ``Conflict`` with both shapes of every
    segment where edits touch: nothing is written then; ``NotNow``/``NotPermitted`` when the draft is not being drafted.
    """
    with db.write(actor) as conn:
        people.require(conn, actor, "draft_boundary")
        draft = get(conn, code)
        life = lifecycle.load()["boundary_draft"]
        if draft["state"] != life.start:
            zh, en = life.states[draft["state"]]
            raise Conflict(
                f"The draft {draft['code']} is {en} ({zh}) and is not edited any more: have it sent back first."
            )
        revision = draft_store.lock(conn, draft["id"])
        if not 0 <= base_revision <= revision:
            raise UsageError(f"The draft {draft['code']} has no revision {base_revision}; its last one is {revision}.")
        _each_once(edits)
        now = _held(conn, draft["id"], revision)
        base = now if base_revision == revision else _held(conn, draft["id"], base_revision)
        wanted = [_resolved(conn, e, draft, base) for e in edits]
        merged = draft_edit.merge(
            base, now, wanted, revision=revision + 1, touch_m=TOUCH_M, metric=_to_metres([*now, *base], wanted)
        )
        if merged.clashes:
            raise Conflict(
                _clash_sentence(draft["code"], merged.clashes, base_revision, revision),
                revision=revision,
                segments=[_clash(c) for c in merged.clashes],
            )
        if not merged.write:
            return SavedDraft(draft["code"], revision, False, 0, 0)
        draft_store.add_change(conn, draft["id"], revision + 1, base_revision, reason, tool, _rows(merged.write))
        gone = sum(s.removed for s in merged.write)
        return SavedDraft(draft["code"], revision + 1, merged.merged, len(merged.write) - gone, gone)


def _each_once(edits: Sequence[Edit]) -> None:
    """``InputError`` where one save would change a segment twice: which of both counts is not guessed."""
    seen: set[uuid.UUID] = set()
    for edit in edits:
        if edit.op not in ("put", "remove"):
            raise InputError(f"An edit puts or removes a segment; it does not {edit.op!r}.")
        if edit.segment_id in seen:
            raise InputError(f"The segment {edit.segment_id} is changed twice in one save: send each segment once.")
        if edit.segment_id is not None:
            seen.add(edit.segment_id)


def _held(conn: Connection, draft_id: uuid.UUID, revision: int) -> list[Segment]:
    """Segments of a revision, those taken out, too, as the merge wants them."""
    return as_segments(draft_store.segments(conn, draft_id, revision, removed=True))


def as_segments(frame: gpd.GeoDataFrame) -> list[Segment]:
    """Rows of ``segments`` as the merge wants them."""
    cells = {name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in draft_edit.FIELDS}
    said = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    return [
        Segment(i, int(r), g, _plain(s), bool(gone))
        for i, r, g, s, gone in zip(
            frame["segment_id"], frame["revision"], frame.geometry, said, frame["removed"], strict=True
        )
    ]


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """Fields as they are compared: numbers as float, versions as int."""
    for name in ("from_m", "to_m"):
        said[name] = None if said[name] is None else float(said[name])
    version = said["base_segment_version"]
    said["base_segment_version"] = None if version is None else int(version)
    return said


def _rows(written: Sequence[Segment]) -> gpd.GeoDataFrame:
    """Segments as rows of the table."""
    rows = gpd.GeoDataFrame(
        [{"segment_id": s.segment_id, "removed": s.removed, **s.said} for s in written],
        geometry=[s.geom for s in written],
        crs=crs.STORAGE,
    ).rename_geometry("geom")
    return rows.assign(base_segment_version=rows["base_segment_version"].astype("Int64"))


_NEW: dict[str, Any] = {
    "code": "", "reach_code": None, "from_m": None, "to_m": None, "basis": "draft", "drawn_by": "hand", "hand_edited": True,
    "attributes": {}, "base_segment_id": None, "base_segment_version": None,
}  # fmt: skip


def _resolved(conn: Connection, edit: Edit, draft: Mapping[str, Any], base: Sequence[Segment]) -> Edit:
    """An edit with the river by id; what is changed by hand is no longer announced, and a partial redrafting leaves it alone."""
    said = dict(edit.said)
    if "river_code" in said:
        code = str(said.pop("river_code"))
        said["river_id"] = _rivers(conn, [code], draft["based_on"], draft["based_known_at"])["id"].iloc[0]
    unknown = sorted(set(said) - set(draft_edit.FIELDS))
    if unknown:
        raise UsageError(
            f"A segment has no field {', '.join(unknown)}; fields: river_code, {', '.join(draft_edit.FIELDS)}."
        )
    if said.get("bank", "left") not in ("left", "right"):
        raise InputError(f"A bank is left or right, looking downstream, not {said['bank']!r}.")
    if said.get("drawn_by", "hand") not in DRAWN_BY:
        raise InputError(f"A line is drawn by one of {', '.join(DRAWN_BY)}, not {said['drawn_by']!r}.")
    geom = None if edit.geom is None else draft_rows.one_line(edit.geom, 1)
    old = next((s for s in base if s.segment_id == edit.segment_id), None)
    if old is None and edit.op == "put":
        if {"river_id", "bank"} - set(said):
            raise InputError("A new segment names its river (river_code) and its bank.")
        said = {**_NEW, **said}
    elif geom is not None and old is not None and not geom.equals_exact(old.geom, 0.0):
        said = {
            "hand_edited": True,
            "basis": "draft" if old.said["basis"] == "announced" else old.said["basis"],
            **said,
        }
    for name in ("from_m", "to_m"):
        if said.get(name) is not None:
            said[name] = float(said[name])
    whole = {**(old.said if old else {}), **said}
    if None not in (whole.get("from_m"), whole.get("to_m")) and not whole["from_m"] <= whole["to_m"]:
        raise InputError(
            f"A stretch runs from the smaller chainage to the larger, not from {whole['from_m']:g} m to {whole['to_m']:g} m."
        )
    if whole.get("basis", "draft") not in BASES:
        raise InputError(f"The basis of a segment is one of {', '.join(BASES)}, not {whole['basis']!r}.")
    return Edit(edit.op, edit.segment_id, said, geom)


def _to_metres(held: Sequence[Segment], edits: Sequence[Edit]) -> Any:
    """Brings shapes to the metric system round the middle of all."""
    shapes = [s.geom for s in held] + [e.geom for e in edits if e.geom is not None]
    zone = (
        crs.metric_crs(*crs.centre(gpd.GeoSeries(shapes, crs=crs.STORAGE))) if shapes else crs.metric_crs(105.0, 30.0)
    )
    move = crs.out_of_storage(zone)
    return lambda shape: shapely.transform(shape, move)


_WHY = {
    "both_changed": "both changed it",
    "removed_there": "they took it out",
    "removed_here": "they changed what is taken out here",
    "crosses": "it now crosses what they changed",
    "shared_end": "its end is shared with one they changed",
    "same_stretch": "both drew the same stretch",
    "unknown_segment": "it is not in the revision the edit began with",
}


def _clash_sentence(code: str, clashes: Sequence[Clash], base: int, revision: int) -> str:
    told = "; ".join(f"{str(c.segment_id)[:8]}: {_WHY[c.because]}" for c in clashes[:5])
    more = f" and {len(clashes) - 5} more" if len(clashes) > 5 else ""
    return (
        f"The draft {code} went from revision {base} to {revision} meanwhile and {len(clashes)} edits touch what others saved "
        f"({told}{more}): nothing was saved; look at both shapes, decide, and save on revision {revision}."
    )


def _clash(c: Clash) -> dict[str, Any]:
    """A conflict as JSON: the segment as it was, mine and theirs (shape, fields, whether it was taken out)."""

    def told(s: Segment | None) -> Any:
        if s is None:
            return None
        said = {k: str(v) if isinstance(v, uuid.UUID) else v for k, v in s.said.items()}
        shape = json.loads(shapely.to_geojson(s.geom))
        return {
            "segment_id": str(s.segment_id),
            "revision": s.revision,
            "removed": s.removed,
            "said": said,
            "geometry": shape,
        }

    return {
        "segment_id": c.segment_id and str(c.segment_id), "because": c.because, "sentence": _WHY[c.because], "base": told(c.base),
        "mine": told(c.mine), "theirs": told(c.theirs),
    }  # fmt: skip


def save_file(
    db: Database, code: str, base_revision: int, lines: gpd.GeoDataFrame, actor: str, *, reason: str = ""
) -> SavedDraft:
    """Save what a file holds now: its segments by segment_id; what is missing there was taken out, what is new was drawn.

    ``lines``: as ``segments`` gave them out, in any accepted CRS. Raises as ``save`` does.
    """
    with db.read() as conn:
        draft = get(conn, code)
        other = (
            sorted(set(map(str, lines["draft"].dropna())) - {draft["code"], str(draft["id"])})
            if "mark" in lines
            else []
        )
        if other:
            raise UsageError(
                f"The file holds lines of the draft {other[0]}, not of {draft['code']}: save it there, or open a new draft with it (--lines)."
            )
        wanted = as_segments(
            _of_file(conn, lines, draft["based_on"], draft["based_known_at"]).assign(
                removed=False, revision=base_revision
            )
        )
        held = {s.segment_id: s for s in _held(conn, draft["id"], base_revision)}
    edits = draft_edit.edits_between([held[i] for i in held], [_taken_back(s, held.get(s.segment_id)) for s in wanted])
    return save(db, code, base_revision, edits, actor, reason=reason)


_SAME_M = 1e-9  # degrees: 0.1 mm, what a file of millimetres gives back


def _taken_back(wanted: Segment, held: Segment | None) -> Segment:
    """A row of a file as it was given out, where it says the same: columns that a file lost or rounded are not edits."""
    if held is None:
        return wanted
    geom = held.geom if wanted.geom.equals_exact(held.geom, _SAME_M) else wanted.geom
    keep = ("attributes", "base_segment_id", "base_segment_version", "hand_edited", "basis")
    said = {**wanted.said, **{k: held.said[k] for k in keep}}
    return Segment(wanted.segment_id, wanted.revision, geom, said)
