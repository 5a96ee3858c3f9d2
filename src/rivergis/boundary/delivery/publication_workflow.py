"""Jobs on deliveries and publications: what of the database is delivered, and how a publication stands today."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary.delivery import publication, publication_store
from rivergis.boundary.delivery.publication import Fault
from rivergis.boundary.delivery.tables import Delivery
from rivergis.boundary.law import draft_store
from rivergis.boundary.law import reduction_workflow as redraw_workflow
from rivergis.db.connect import Database, now_of
from rivergis.errors import NotFound
from rivergis.river import store as river_store

_OF_ACT = (
    "river_code", "river", "line_type", "basis", "standing", "announce_gov", "announce_doc_no", "announced_on", "survey_scale",
    "xy_error_m", "reason",
)  # fmt: skip
_OF_SOURCE = (
    "reach_code", "drawn_by", "rule", "source", "levee_grade", "return_period_a", "flood_level_m", "vertical_datum", "tolerance_m",
    "band_in_m", "band_out_m", "survey_date", "county",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Delimitations as they are held: ``acts`` (one row each, with lines_sha256), the delivery made of them, day and moment."""

    acts: pd.DataFrame
    delivery: Delivery
    on: date
    known_at: datetime


def held(
    conn: Connection,
    title: str,
    on: date,
    *,
    codes: Sequence[str] = (),
    rivers: Sequence[str] = (),
    known_at: datetime | None = None,
) -> Held:
    """The delimitations of these codes, or those in force on a day (of these rivers), with their lines, areas, stakes and surroundings.

    Raises ``NotFound`` with what there is.
    """
    known = known_at or now_of(conn)
    return _held(conn, title, _chosen(publication_store.acts(conn, on, known), codes, rivers, on), on, known)


def standing_now(conn: Connection, title: str, on: date) -> Held:
    """Every delimitation that is neither superseded nor revoked on a day, imported drafts with them; none at all is an answer, too."""
    known = now_of(conn)
    acts = publication_store.acts(conn, on, known)
    return _held(conn, title, acts[~acts["standing"].isin(("superseded", "revoked"))].reset_index(drop=True), on, known)


def _held(conn: Connection, title: str, acts: pd.DataFrame, on: date, known: datetime) -> Held:
    days = _days(acts, on) if len(acts) else [(on, acts)]
    ids = [(day, list(group["boundary_id"])) for day, group in days]
    line = _joined([publication_store.lines(conn, i, day, known) for day, i in ids])
    area = _joined([publication_store.areas(conn, i, day, known) for day, i in ids])
    acts = acts.assign(lines_sha256=[_sha(row, line, area) for row in acts.to_dict("records")])
    standing = acts["standing"].iloc[0] if acts["standing"].nunique() == 1 else "draft"
    told = Delivery(
        title, str(standing), _with_act(line, acts), _with_act(area, acts),
        stakes=publication_store.stakes(conn, list(acts["river_id"]), on, known), **_around(conn, acts, on, known),
    )  # fmt: skip
    return Held(acts, told, on, known)


def _chosen(acts: pd.DataFrame, codes: Sequence[str], rivers: Sequence[str], on: date) -> pd.DataFrame:
    chosen = acts[acts["code"].isin(codes)] if codes else acts[acts["standing"] == "in_force"]
    missing = sorted(set(codes) - set(acts["code"]))
    if missing:
        some = ", ".join(acts["code"].head(8)) or "none yet"
        raise NotFound(f"There is no delimitation {', '.join(missing[:8])} on {on}; there are: {some}.")
    if rivers:
        chosen = chosen[chosen["river_code"].isin(rivers) | chosen["river"].isin(rivers)]
    if chosen.empty:
        of = f" of {', '.join(rivers)}" if rivers else ""
        raise NotFound(f"No line{of} is in force on {on}: 'rivergis boundary version standing' shows what there is.")
    return chosen.reset_index(drop=True)


def _days(acts: pd.DataFrame, on: date) -> list[tuple[date, pd.DataFrame]]:
    """On which day each is read: today's are read of the day, others of the first day on which they hold."""
    days = [
        on if s == "in_force" or begins is None or pd.isna(begins) else begins
        for s, begins in zip(acts["standing"], acts["in_force_from"], strict=True)
    ]
    return [(day, group) for day, group in acts.groupby(pd.Series(days, index=acts.index), sort=True)]


def _joined(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    whole = pd.concat([f.rename_geometry("geometry") for f in frames], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=crs.STORAGE)


def _sha(act: Mapping[str, Any], lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> str:
    own = act["boundary_id"]
    return publication.lines_sha256(act, lines[lines["boundary_id"] == own], areas[areas["boundary_id"] == own])


def _with_act(frame: gpd.GeoDataFrame, acts: pd.DataFrame) -> gpd.GeoDataFrame:
    """Lines or areas with what their act says, and with what was delivered of them."""
    out = frame.join(
        acts.set_index("boundary_id")[["code", "in_force_until", *_OF_ACT]].rename(columns={"code": "version_code"}),
        on="boundary_id",
    )
    out = out.rename(columns={"in_force_until": "valid_to"})
    if "source" in frame:
        told = [s if isinstance(s, dict) else {} for s in frame["source"]]
        said = [{**s.get("attributes", {}), **s} for s in told]
        for column in _OF_SOURCE:
            out[column] = [_plain(s.get(column)) for s in said]
    return gpd.GeoDataFrame(out.drop(columns="boundary_id"), geometry=frame.geometry.name, crs=frame.crs)


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _around(conn: Connection, acts: pd.DataFrame, on: date, known: datetime) -> dict[str, gpd.GeoDataFrame]:
    """Axes, water, levees and counties of the rivers: what a map shows beside the lines."""
    own = set(acts["river_id"])
    axes, water = river_store.axes(conn, on, known), river_store.water_areas(conn, on, known)
    levees = river_store.levees(conn, on, known)
    units = river_store.units(conn, on, known)
    codes = acts.drop_duplicates("river_id").set_index("river_id")["river_code"]
    levees = levees[levees["river_id"].isin(own)].rename(columns={"grade": "levee_grade"})
    return {
        "axes": axes[axes["river_id"].isin(own)],
        "water": water[water["river_id"].isin(own)],
        "levees": levees.assign(river_code=levees["river_id"].map(codes)).reset_index(drop=True),
        "counties": units[units["level"] == "county"],
    }


def drafted(conn: Connection, draft: Mapping[str, Any], title: str, on: date, snap_m: float) -> Delivery:
    """A draft of the database as a delivery: it stands as far as it got, and is no result of surveying.

    ``snap_m``: gap over which its lines are closed to areas.
    """
    known = now_of(conn)
    rows = draft_store.segments(conn, draft["id"]).rename_geometry("geometry")
    told = [a if isinstance(a, dict) else {} for a in rows["attributes"]]
    columns = {c: [_plain(a.get(c)) for a in told] for c in _OF_SOURCE if c not in rows}
    lines = rows.assign(line_type=draft["line_type"], version_code=draft["code"], **columns).drop(
        columns=["attributes"]
    )
    acts = rows[["river_id", "river_code"]].drop_duplicates("river_id")
    standing = "sketch" if draft["sketch"] else draft["state"]
    areas = redraw_workflow.areas_by_river(rows, snap_m)
    areas = (
        areas.rename_geometry("geometry")
        .merge(acts, on="river_id", how="left")
        .assign(code=draft["code"], line_type=draft["line_type"], basis="draft")
    )
    stood = standing if standing != "withdrawn" else "draft"
    return Delivery(title, str(stood), lines, areas, **_around(conn, acts, on, known))


@dataclass(frozen=True)
class Judged:
    """How a publication stands: what the database knows of it, and every reason why it is void."""

    code: str
    title: str
    state: str
    faults: list[Fault]


def judge(conn: Connection, on: date, *, code: str | None = None, known_at: datetime | None = None) -> list[Judged]:
    """Every publication (or one) against the database: voided, content changed, superseded or revoked since.

    Raises ``NotFound`` for a code that is not known.
    """
    known = known_at or now_of(conn)
    rows = publication_store.listed(conn, known)
    if code is not None:
        rows = rows[rows["code"] == code]
        if rows.empty:
            raise NotFound(f"There is no publication {code!r}: 'rivergis boundary publish list' shows those there are.")
    acts = publication_store.acts(conn, on, known)
    return [_judged(conn, row, acts, on, known) for row in rows.to_dict("records")]


def _judged(conn: Connection, row: Mapping[str, Any], acts: pd.DataFrame, on: date, known: datetime) -> Judged:
    parts = publication_store.parts(conn, row["id"])
    found = [Fault("voided", reason=str(row["reason"]))] if row["state"] == "voided" else []
    standing = acts[acts["boundary_id"].isin(parts["boundary_id"])]
    found += publication.standing_faults(standing.to_dict("records"), on)
    gone = {f.path for f in found}
    changed = [c for c in _changed(conn, parts, acts, known) if c not in gone]
    found += [Fault("changed", c) for c in changed]
    return Judged(str(row["code"]), str(row["title"]), str(row["state"]), found)


def _changed(conn: Connection, parts: pd.DataFrame, acts: pd.DataFrame, known: datetime) -> list[str]:
    """Codes of delimitations whose act, lines or areas are no longer what was published."""
    if parts.empty:
        return []
    day = parts["as_of"].iloc[0]
    ids = list(parts["boundary_id"])
    lines, areas = publication_store.lines(conn, ids, day, known), publication_store.areas(conn, ids, day, known)
    of = acts.set_index("boundary_id")
    out = []
    for part in parts.to_dict("records"):
        there = part["boundary_id"] in of.index
        act = {"boundary_id": part["boundary_id"], **(of.loc[part["boundary_id"]].to_dict() if there else {})}
        if _sha(act, lines, areas) != part["lines_sha256"]:
            out.append(str(part["code"]))
    return out


def void(db: Database, code: str, reason: str, actor: str) -> None:
    """Void a publication, with the reason, for good."""
    with db.write(actor) as conn:
        rows = publication_store.listed(conn, now_of(conn))
        found = rows[rows["code"] == code]
        if found.empty:
            raise NotFound(f"There is no publication {code!r}: 'rivergis boundary publish list' shows those there are.")
        publication_store.void(conn, found["id"].iloc[0], reason)
