"""Announced lines as law (划界成果公告): from a reviewed draft to a delimitation in force, what it replaces and takes away; revoking."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, lifecycle
from rivergis.boundary import store
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import move_workflow as draft_move_workflow
from rivergis.boundary.law import reduction_workflow as redraw_workflow
from rivergis.boundary.law.reduction_workflow import Limits, Reduced
from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, NotFound, NotNow, UsageError


@dataclass(frozen=True)
class Announcement:
    """The government's act (公告): who announced, under which number, when, from when it holds, and the file itself."""

    government: str
    document_no: str
    announced_on: date
    in_force_from: date
    publisher: str
    file: Path
    survey_scale: int | None = None
    xy_error_m: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "government": self.government, "document_no": self.document_no, "announced_on": self.announced_on.isoformat(),
            "in_force_from": self.in_force_from.isoformat(), "publisher": self.publisher,
        }  # fmt: skip


@dataclass(frozen=True)
class Announced:
    """What an announcement put in force and what it replaces."""

    draft: str
    delimitations: list[str]
    replaces: list[str]
    in_force_from: date
    reductions: list[Reduced] = field(default_factory=list)


def announce(
    db: Database,
    code: str,
    said: Announcement,
    actor: str,
    *,
    reason: str,
    store_dir: Path,
    limits: Limits,
    revision: int | None = None,
) -> Announced:
    """Record that a reviewed draft was announced: its lines become law on their day, what they replace ends the day before.

    One delimitation a river, its lines immutable, its areas derived. One transaction. Raises ``UsageError`` (something missing, the
    draft is not reviewed), ``NotNow`` (the lines in force changed since it was submitted), ``NotPermitted`` (own draft).
    """
    with db.write(actor) as conn:
        draft = draft_workflow.get(conn, code)
        life = lifecycle.load()["boundary_draft"]
        to_state = life.step(draft["state"], "announce")
        people.require(conn, actor, life.moves["announce"].capability)
        draft_move_workflow.at_revision(conn, draft, revision)
        _check(said)
        replaced = _replaced(conn, draft, said.in_force_from)
        table, noise = _as_submitted(conn, draft, said.in_force_from, limits)
        attachment = draft_move_workflow.keep_file(said.file, store_dir)
        draft_store.add_event(
            conn, draft_id=draft["id"], move="announce", to_state=to_state, revision=draft["revision"], reason=reason,
            attachment=attachment, detail={"announcement": said.as_dict()},
        )  # fmt: skip
        for act in replaced["boundary_id"].drop_duplicates():
            draft_store.end_validity(conn, act, said.in_force_from)
        made = _enact(conn, draft, said, reason, limits.snap_m)
        _note(conn, draft, made, replaced, [*table, *noise])
        return Announced(
            draft["code"], sorted(made["code"]), sorted(set(replaced["boundary_code"])), said.in_force_from, table
        )


def _check(said: Announcement) -> None:
    empty = [
        n
        for n, v in (
            ("government", said.government),
            ("document number", said.document_no),
            ("publisher", said.publisher),
        )
        if not v.strip()
    ]
    if empty:
        raise UsageError(f"An announcement names its {', '.join(empty)}.")
    if said.in_force_from < said.announced_on:
        raise UsageError(
            f"Lines are in force from the day they are announced ({said.announced_on}) or later, not from {said.in_force_from}."
        )


def _as_submitted(
    conn: Connection, draft: Mapping[str, Any], on: date, limits: Limits
) -> tuple[list[Reduced], list[Reduced]]:
    """The table of reductions as it was reasoned and countersigned, and what is let go within the noise of surveys.

    ``NotNow`` when other lines are in force by now.
    """
    submitted, _ = draft_move_workflow.submitted_table(conn, draft)
    gone = redraw_workflow.let_go(conn, draft, limits, on=on)
    table = [t for t in gone if not t.noise]
    if len(table) != len(submitted) or any(
        abs(t.area_m2 - s["area_m2"]) > 0.1 for t, s in zip(table, submitted, strict=True)
    ):
        raise NotNow(
            f"The lines in force on {on} are not those the draft {draft['code']} was compared with when it was submitted: "
            "send it back and submit it again, so that the reductions are reasoned and countersigned as they are."
        )
    return [t.because(s["reason"]) for t, s in zip(table, submitted, strict=True)], [t for t in gone if t.noise]


def _replaced(conn: Connection, draft: Mapping[str, Any], on: date) -> pd.DataFrame:
    """Delimitations in force that the draft replaces: every one it holds lines of, or draws a stretch of anew.

    ``NotNow`` when the draft was drawn on lines that others replaced meanwhile, or when a delimitation it replaces has a stretch
    that it does not know: that would end without a successor.
    """
    held = draft_store.segments(conn, draft["id"], removed=True)
    law = draft_store.law_segments(conn, sorted(set(held["river_id"]), key=str), draft["line_type"], on, now_of(conn))
    bases = {i for i in held["base_segment_id"] if i is not None}
    if bases - set(law["id"]):
        raise NotNow(
            f"The draft {draft['code']} was drawn on lines that are no longer in force on {on}: another announcement came between; "
            "open a draft on the lines in force, take the edits over into it, and withdraw this one."
        )
    _alone(conn, draft, held, on)
    acts = redraw_workflow.taken_up(conn, draft, held, law, on)
    lost = law[law["boundary_id"].isin(set(acts["boundary_id"])) & ~redraw_workflow.known_to(law, held)]
    if len(lost):
        some = ", ".join(f"{r.boundary_code} {r.code} ({r.bank})" for r in lost.head(5).itertuples())
        raise NotNow(
            f"The draft {draft['code']} replaces delimitations of which it does not hold {len(lost)} stretches ({some}): they would "
            "end without a successor; take them into the draft, or take them out there with a reason."
        )
    return acts


def _alone(conn: Connection, draft: Mapping[str, Any], held: gpd.GeoDataFrame, on: date) -> None:
    """``NotNow`` where announced lines of the same stretch begin on ``on`` or later: two would be in force at once, or one never."""
    known = now_of(conn)
    acts = draft_store.standing(conn, on - timedelta(days=1), known)
    acts = acts[
        (acts["standing"] == "announced")
        & (acts["line_type"] == draft["line_type"])
        & acts["river_id"].isin(set(held["river_id"]))
    ]
    for day in sorted(set(acts["in_force_from"])):
        law = draft_store.law_segments(conn, sorted(set(held["river_id"]), key=str), draft["line_type"], day, known)
        law = law[law["boundary_id"].isin(set(acts.loc[acts["in_force_from"] == day, "boundary_id"]))]
        met = [row.boundary_code for row in law.itertuples() if redraw_workflow.drawn(row, held)]
        if met:
            raise NotNow(
                f"The delimitation {met[0]} is announced on the same stretch and in force from {day}: open a draft on it (--on {day}), "
                f"and let it be in force from a later day than {day}."
            )


def _enact(
    conn: Connection, draft: Mapping[str, Any], said: Announcement, reason: str, snap_m: float
) -> gpd.GeoDataFrame:
    """Write the delimitations of a draft, one a river, with their lines and the areas between; rows with id, version, river_id."""
    segments = draft_store.segments(conn, draft["id"])
    codes = draft_store.codes(conn, sorted(set(segments["river_id"]), key=str))
    # codes of a delimitation stand beside those of its river, whoever gave them
    of_river = draft_store.namespaces(conn, list(codes))
    act_of = {r: draft["code"] if len(codes) == 1 else f"{draft['code']}-{c}" for r, c in codes.items()}
    acts = pd.DataFrame(
        [
            {
                "code": act_of[r], "river_code": c, "line_type": draft["line_type"], "basis": "announced", "state": "announced",
                "announce_gov": said.government, "announce_doc_no": said.document_no, "announced_on": said.announced_on,
                "survey_scale": said.survey_scale, "xy_error_m": said.xy_error_m, "reason": reason, "valid_from": said.in_force_from, "river_id": r,
            }
            for r, c in codes.items()
        ]
    )  # fmt: skip
    acts["namespace"] = [of_river[r] for r in codes]
    made = pd.concat([_delimitations(conn, mine, str(n)) for n, mine in acts.groupby("namespace")], ignore_index=True)
    lines = gpd.GeoDataFrame(
        {
            "code": [f"{act_of[r]}:{c or str(i)[:8]}" for r, c, i in zip(segments["river_id"], segments["code"], segments["segment_id"], strict=True)],
            "boundary_code": segments["river_id"].map(act_of), "bank": segments["bank"], "from_m": segments["from_m"], "to_m": segments["to_m"],
            "basis": "announced", "valid_from": said.in_force_from,
            "source": [
                {"segment_id": str(i), "reach_code": rc, "drawn_by": d, **(a or {})}
                for i, rc, d, a in zip(segments["segment_id"], segments["reach_code"], segments["drawn_by"], segments["attributes"], strict=True)
            ],
        },
        geometry=segments.geometry.values,
        crs=crs.STORAGE,
    ).rename_geometry("geom")  # fmt: skip
    lines["code"] = _once(lines["code"], segments["segment_id"])
    areas = redraw_workflow.areas_by_river(segments, snap_m)
    areas = areas.assign(
        code=areas["river_id"].map(act_of), boundary_code=areas["river_id"].map(act_of), valid_from=said.in_force_from
    )
    of_line, of_area = (f["river_id"].map(of_river) for f in (segments, areas))
    areas = areas.drop(columns=["river_id"])
    for n in sorted(set(of_line)):
        mine = lines[(of_line == n).to_numpy()], areas[(of_area == n).to_numpy()]
        _complete(store.save_enacted(conn, *mine, namespace=n))
    return made


def _delimitations(conn: Connection, acts: pd.DataFrame, namespace: str) -> pd.DataFrame:
    """Write delimitations of rivers of one namespace; rows with code, id, version, river_id."""
    taken = draft_store.taken_codes(conn, namespace, list(acts["code"]))
    if taken:
        raise UsageError(f"There is a delimitation {taken[0]!r} already: open the draft under another code.")
    saved = store.save_delimitation(
        conn, acts.drop(columns=["namespace", "river_id"]), namespace=namespace, import_id=None
    )
    _complete(saved.set_aside)
    return pd.DataFrame(
        [
            {"code": c, "id": saved.versions[c][0], "version": saved.versions[c][1], "river_id": r}
            for c, r in zip(acts["code"], acts["river_id"], strict=True)
        ]
    )


def _once(codes: pd.Series, ids: pd.Series) -> list[str]:
    """Codes of lines, told apart by the segment where one stands twice."""
    twice = codes.duplicated(keep=False)
    return [f"{c}-{str(i)[:8]}" if t else c for c, i, t in zip(codes, ids, twice, strict=True)]


def _complete(set_aside: list[Any]) -> None:
    """Announced lines are written whole: nothing may be set aside."""
    if set_aside:
        raise InputError(f"The announcement cannot be recorded: {set_aside[0].sentence}")


def _note(
    conn: Connection, draft: Mapping[str, Any], made: pd.DataFrame, replaced: pd.DataFrame, table: list[Reduced]
) -> None:
    """Which delimitation replaces which, and what ground that let go."""
    acts, by_river = [], made.set_index("river_id")
    old = replaced.drop_duplicates("boundary_id").set_index("boundary_id")
    for row in made.itertuples():
        mine = old[old["river_id"] == row.river_id]
        for replaces in [*mine.index] or [None]:
            acts.append(
                {
                    "boundary_id": row.id, "boundary_version": row.version, "draft_id": draft["id"], "revision": draft["revision"],
                    "replaces_id": replaces, "replaces_version": None if replaces is None else int(mine.loc[replaces, "boundary_version"]),
                }
            )  # fmt: skip
    draft_store.add_act(conn, acts)
    rows = []
    for r in table:
        mine = old[old["river_id"] == r.river_id]
        if mine.empty:
            continue  # strips let go before, of a river of which nothing is replaced now
        by = by_river.loc[r.river_id] if r.river_id in by_river.index else None
        rows.append(
            _reduction(r, mine.index[0], int(mine["boundary_version"].iloc[0]), reviewer=draft["reviewed_by"])
            | {
                "by_boundary_id": None if by is None else by["id"],
                "by_boundary_version": None if by is None else int(by["version"]),
                "draft_id": draft["id"],
            }
        )
    draft_store.add_reductions(conn, rows)


def _reduction(r: Reduced, boundary_id: uuid.UUID, version: int, *, reviewer: str | None) -> dict[str, Any]:
    return {
        "boundary_id": boundary_id, "boundary_version": version, "by_boundary_id": None, "by_boundary_version": None, "draft_id": None,
        "river_id": r.river_id, "bank": r.bank if r.bank in ("left", "right") else None, "from_m": r.from_m, "to_m": r.to_m,
        "area_m2": r.area_m2, "reason": r.reason, "case_ids": [str(i) for i in r.case_ids], "countersigned_by": reviewer,
        "geom": shapely.to_wkb(r.geom), "noise": r.noise,
    }  # fmt: skip


def attach(
    db: Database, code: str, actor: str, *, reason: str, publisher: str, file: Path, store_dir: Path
) -> tuple[str, str]:
    """Keep the file of an announcement with a delimitation that came by an import (补附公告文件); its hash and name."""
    with db.write(actor) as conn:
        people.require(conn, actor, lifecycle.load()["boundary_version"].moves["attach"].capability)
        known = now_of(conn)
        act = _announced(conn, code, known.astimezone(redraw_workflow.SHANGHAI).date())
        kept = draft_move_workflow.keep_file(file, store_dir)
        draft_store.add_event(
            conn, boundary_id=act["boundary_id"], move="attach", to_state="announced", revision=None, reason=reason,
            attachment=kept, detail={"publisher": publisher},
        )  # fmt: skip
        return kept


def _announced(conn: Connection, code: str, on: date) -> pd.Series:
    """The announced delimitation of a code, with its standing on a day."""
    found = draft_store.standing(conn, on, now_of(conn))
    found = found[(found["code"] == code) & (found["basis"] == "announced")]
    if found.empty:
        raise NotFound(f"There is no announced delimitation {code!r}; 'rivergis boundary version standing' lists them.")
    return found.iloc[0]


@dataclass(frozen=True)
class Revoked:
    """A delimitation that was revoked."""

    code: str
    from_day: date
    area_m2: float


def revoke(
    db: Database,
    code: str,
    on: date,
    actor: str,
    *,
    reason: str,
    authority: str,
    file: Path,
    store_dir: Path,
    limits: Limits,
) -> Revoked:
    """Record that an announced delimitation was revoked (废止) from a day on, by whom and by which document; its ground is logged."""
    with db.write(actor) as conn:
        life = lifecycle.load()["boundary_version"]
        people.require(conn, actor, life.moves["revoke"].capability)
        known = now_of(conn)
        act = _announced(conn, code, on)
        if act["standing"] != "in_force":
            raise NotNow(f"The delimitation {code} is {act['standing']} on {on}: only one in force is revoked.")
        attachment = draft_move_workflow.keep_file(file, store_dir)
        draft_store.add_event(
            conn, boundary_id=act["boundary_id"], move="revoke", to_state="revoked", revision=None, reason=reason,
            attachment=attachment, detail={"authority": authority, "from": on.isoformat()},
        )  # fmt: skip
        lost = redraw_workflow.ground_of(
            conn, act["boundary_id"], act["river_id"], act["line_type"], on, known, snap_m=limits.snap_m
        )
        if lost is not None:
            draft_store.add_reductions(
                conn,
                [_reduction(lost.because(reason), act["boundary_id"], int(act["boundary_version"]), reviewer=None)],
            )
        draft_store.end_validity(conn, act["boundary_id"], on, revoked=True)
        return Revoked(code, on, 0.0 if lost is None else lost.area_m2)
