"""What the portal lists: nights, new leads, layers with counts, rivers, patrols; and all that is known of one lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db import system
from rivergis.db.connect import read_table
from rivergis.encroachment import store as finding_store
from rivergis.errors import NotFound
from rivergis.layers import LAYERS
from rivergis.maps import leads
from rivergis.maps.features import When
from rivergis.patrol import review_store

JOB = "nightly"
SHOWN = 12


def nights(conn: Connection, limit: int = 7) -> list[dict[str, Any]]:
    """Last finished run of each night, newest first: run_date, state, finished_at, counts."""
    return _rows(
        conn,
        """SELECT * FROM (SELECT DISTINCT ON (run_date) run_date, state, finished_at, counts, rule_set
            FROM app.night_run ORDER BY run_date DESC, finished_at DESC) n ORDER BY run_date DESC LIMIT :n""",
        {"n": limit},
    )


def last_run(conn: Connection) -> dict[str, Any] | None:
    """The run that finished last, whichever night it was about."""
    return system.latest_job_run(conn, JOB)


@dataclass(frozen=True)
class NewLeads:
    """What a night newly told: at most ``SHOWN`` rows, how many there are, and how many more rest on a hint only."""

    rows: list[dict[str, Any]]
    total: int
    hints: int


def new_leads(conn: Connection, at: When) -> NewLeads:
    """Leads that are new or came back in a night. What lies inside a line nobody announced is counted apart."""
    rows = _rows(
        conn,
        """SELECT t.id, t.topic, t.status, t.area_m2, t.class_code, t."position", t.basis, t.state, t.figures,
          coalesce(t.basis = ANY(:hints), false) AS hint
        FROM app.finding_as_of(:on, :known) t
        WHERE t.night = :on AND t.status IN ('new', 'rebound')
        ORDER BY hint, t.topic, t.area_m2 DESC NULLS LAST, t.id""",
        {**at.params, "hints": list(leads.HINTS)},
    )
    told, hints = [r for r in rows if not r["hint"]], [r for r in rows if r["hint"]]
    return NewLeads(told[:SHOWN], len(told), len(hints))


def layer_counts(conn: Connection, at: When) -> list[tuple[str, int]]:
    """Layers with the number of their features in force, those that hold something."""
    names = {noun: "boundary_segment" if noun == "boundary_line" else noun for noun in LAYERS}
    query = " UNION ALL ".join(
        f"SELECT '{noun}' AS noun, count(*) AS n FROM app.{view}_as_of(:on, :known)" for noun, view in names.items()
    )
    found = {r["noun"]: int(r["n"]) for r in _rows(conn, query, at.params)}
    return [(noun, found[noun]) for noun in LAYERS if found[noun]]


def rivers(conn: Connection, at: When, limit: int = 200) -> tuple[list[dict[str, Any]], int]:
    """Rivers with their length and the leads that stand on them, longest first; and how many rivers there are."""
    rows = _rows(
        conn,
        f"""SELECT r.code, r.code_namespace, r.name, r.name_en, r.kind, h.length_m, coalesce(f.n, 0) AS leads,
          count(*) OVER () AS total, count(*) OVER (PARTITION BY r.code) > 1 AS ambiguous
        FROM app.river_as_of(:on, :known) r
        LEFT JOIN (SELECT river_id, sum(length_m) AS length_m FROM app.reach_as_of(:on, :known) GROUP BY 1) h
          ON h.river_id = r.id
        LEFT JOIN (SELECT t.figures->>'river_code' AS code, count(*) AS n FROM app.finding_as_of(:on, :known) t
                   WHERE {leads.STANDS} GROUP BY 1) f ON f.code = r.code
        ORDER BY h.length_m DESC NULLS LAST, r.code LIMIT :n""",
        {**at.params, "n": limit, **leads.STANDS_WITH},
    )
    return rows, int(rows[0]["total"]) if rows else 0


def river_choices(conn: Connection, at: When, limit: int = 500) -> list[dict[str, Any]]:
    """Code and name of rivers to choose from, by name."""
    return _rows(
        conn,
        "SELECT code, name FROM app.river_as_of(:on, :known) ORDER BY name, code LIMIT :n",
        {**at.params, "n": limit},
    )


def units(conn: Connection, at: When, limit: int = 500) -> list[dict[str, Any]]:
    """Adcode, name and level of units to choose from, the largest first."""
    return _rows(
        conn,
        """SELECT code, name, level FROM app.admin_unit_as_of(:on, :known)
        ORDER BY array_position(ARRAY['province', 'city', 'county', 'town', 'village'], level), code LIMIT :n""",
        {**at.params, "n": limit},
    )


def recent_patrols(conn: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """Latest patrols with their scoring, newest first. Personal data."""
    found = _rows(conn, "SELECT * FROM app.patrol ORDER BY day DESC NULLS LAST, started_at DESC LIMIT :n", {"n": limit})
    return review_store.waiting(conn, found)


def evidence(conn: Connection, evidence_id: str) -> dict[str, Any]:
    """A picture or document of a lead: kind, file_path in the store; ``NotFound`` for an unknown id."""
    rows = _rows(conn, "SELECT * FROM app.evidence WHERE id = CAST(:i AS uuid)", {"i": evidence_id})
    if not rows:
        raise NotFound("There is no such picture or document.")
    return rows[0]


def lead(conn: Connection, finding_id: str, at: When) -> dict[str, Any]:
    """All that explains a lead (one 线索): ``now`` as it stands, and every sighting, verdict, picture and event."""
    record = finding_store.record_of(conn, finding_id)
    found = _rows(
        conn,
        "SELECT t.* FROM app.finding_as_of(:on, :known) t WHERE t.id = CAST(:id AS uuid)",
        {**at.params, "id": str(record["finding"]["id"])},
    )
    if not found:
        raise NotFound(f"The lead {finding_id} was first told after {at.on}.")
    now = {k: v for k, v in found[0].items() if k != "geom"}
    return {**record, "now": now, "why": why(now)}


def why(row: dict[str, Any]) -> tuple[str, str]:
    """Why a lead was raised, in one sentence (Chinese, English)."""
    f = row["figures"] or {}
    key = {"outfall_in_zone": "zone_why", "outfall_position": "position_why", "boundary_line": "line_why"}
    # only an announced line may be worded as a lead; everything else says what it is
    sentence = f"sentence.{key.get(row['topic'], 'hint_why' if row['basis'] in leads.HINTS else 'lead_why')}"
    return words.say(sentence, "zh", **_facts(row, f, "zh")), words.say(sentence, "en", **_facts(row, f, "en"))


def _facts(row: dict[str, Any], f: dict[str, Any], lang: str) -> dict[str, Any]:
    def word(key: str) -> str:
        return words.say(key, lang)

    document = f.get("announce_doc_no") or f.get("zone_doc_no") or ""
    return {
        "what": f.get("name") or word(f"kind.{f.get('kind') or 'unknown'}"),
        "name": f.get("name") or f.get("code") or word("kind.outfall"),
        "river": f.get("river") or "?",
        "bank": word(f"bank.{f['bank']}") if f.get("bank") else "",
        "chainage": f.get("chainage") or "?",
        "village": (",", ", ")[lang == "en"] + f["village"] if f.get("village") else "",
        "area": leads.area(f) or word("page.no_area"),
        "position": word(f"position.{row['position']}"),
        "basis": word(f"basis.{row['basis']}"),
        "document": f" {document}" if document else "",
        "clause": row["clause"],
        "authority": word(f"authority.{row['competent_authority']}"),
        "zone": f.get("zone"),
        "zone_class": word(f"zone_class.{f.get('zone_class')}"),
        "depth": _metres(f.get("depth_m")),
        "distance": _metres(f.get("distance_to_water_m")),
        "length": _metres(f.get("wrong_side_m")),
        "line": f.get("line"),
    }


def _metres(value: Any) -> str:
    return "?" if value is None else f"{float(value):,.0f} m"


def _rows(conn: Connection, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as dicts, with what is missing as None."""
    frame = read_table(conn, sql, params).astype(object)
    rows: list[dict[str, Any]] = frame.where(pd.notna(frame), None).to_dict("records")
    return rows
