"""The only SQL of samples of what was judged no problem: what there is to draw from, what was drawn, what was found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.encroachment.sampling import NEAR, Draw
from rivergis.errors import NotFound

_JUDGED = """
  judged AS (SELECT DISTINCT ON (e.finding_id) e.finding_id, e.to_state, (e.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day
             FROM data.finding_event e ORDER BY e.finding_id, e.id DESC),
  by_whom AS (SELECT finding_id, array_agg(DISTINCT actor ORDER BY actor) AS actors FROM data.finding_event
              WHERE move IN ('judge_not_a_problem', 'judge_historic_harmless') GROUP BY finding_id)"""
_SEEN = """(SELECT x->>'candidate' FROM data.sighting s, jsonb_array_elements(s.sources) x WHERE s.finding_id = f.id AND x ? 'candidate'
             ORDER BY s.night DESC LIMIT 1)"""


def _rows(conn: Connection, sql: str, **params: Any) -> list[dict[str, Any]]:
    return [dict(r._mapping) for r in conn.execute(text(sql), params)]


def leads_judged(conn: Connection, first: date, last: date, candidates: Sequence[str] | None) -> list[dict[str, Any]]:
    """Encroachment leads that stand judged no problem, judged on these civil days (or seen as one of ``candidates``).

    finding_id, state, judged_by, district, class_code, candidate_id.
    """
    return _rows(
        conn,
        f"""WITH {_JUDGED}
        SELECT f.id AS finding_id, j.to_state AS state, b.actors AS judged_by, f.district, v.class_code, {_SEEN} AS candidate_id
        FROM data.finding f JOIN judged j ON j.finding_id = f.id JOIN by_whom b ON b.finding_id = f.id
        LEFT JOIN LATERAL (SELECT class_code FROM data.verdict v WHERE v.finding_id = f.id ORDER BY night DESC, recorded_at DESC LIMIT 1) v ON true
        WHERE f.topic = 'encroachment' AND j.to_state IN ('not_a_problem', 'historic_harmless')
          AND (CAST(:own AS text[]) IS NOT NULL OR j.day BETWEEN :first AND :last)
          AND (CAST(:own AS text[]) IS NULL OR EXISTS (SELECT FROM data.sighting s, jsonb_array_elements(s.sources) x
               WHERE s.finding_id = f.id AND x->>'candidate' = ANY(CAST(:own AS text[]))))
        ORDER BY f.id""",
        first=first,
        last=last,
        own=candidates,
    )


def not_told(conn: Connection, last: date, candidates: Sequence[str] | None) -> list[dict[str, Any]]:
    """Candidates near a line that are not told after the last of these civil days, for a reason of the thing itself.

    candidate_id, candidate_version, reason, kind, place (village or county as adcode where known).
    """
    return _rows(
        conn,
        """SELECT n.candidate_id, n.candidate_version, n.reason, c.kind, c.evidence->>'subtype' AS word, ST_X(g.p) AS lon, ST_Y(g.p) AS lat
        FROM (SELECT DISTINCT ON (candidate_id) * FROM data.not_finding
              WHERE (CAST(:own AS text[]) IS NOT NULL OR night <= :last)
                AND (CAST(:own AS text[]) IS NULL OR candidate_id::text = ANY(CAST(:own AS text[])))
              ORDER BY candidate_id, night DESC) n
        JOIN data.candidate c ON c.id = n.candidate_id AND c.version = n.candidate_version
        CROSS JOIN LATERAL (SELECT ST_PointOnSurface(c.geom) AS p) g
        WHERE n.reason = ANY(CAST(:near AS text[])) ORDER BY n.candidate_id""",
        last=last,
        own=candidates,
        near=list(NEAR),
    )


def checks(conn: Connection, first: date, last: date, candidates: Sequence[str] | None) -> list[dict[str, Any]]:
    """Patches without a lead that a person found to be no problem (latest check): candidate_id, version, outcome, judged_by, kind."""
    return _rows(
        conn,
        """SELECT k.candidate_id, k.candidate_version, k.outcome, ARRAY[k.actor] AS judged_by, c.kind, c.evidence->>'subtype' AS word,
          ST_X(g.p) AS lon, ST_Y(g.p) AS lat
        FROM (SELECT DISTINCT ON (candidate_id) * FROM data.patch_check WHERE kind = 'check' ORDER BY candidate_id, id DESC) k
        JOIN data.candidate c ON c.id = k.candidate_id AND c.version = k.candidate_version
        CROSS JOIN LATERAL (SELECT ST_PointOnSurface(c.geom) AS p) g
        WHERE k.finding_id IS NULL AND k.outcome IN (1, 2)
          AND (CAST(:own AS text[]) IS NOT NULL OR (k.recorded_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN :first AND :last)
          AND (CAST(:own AS text[]) IS NULL OR k.candidate_id::text = ANY(CAST(:own AS text[])))
        ORDER BY k.candidate_id""",
        first=first,
        last=last,
        own=candidates,
    )


def candidates_of_batch(conn: Connection, batch: uuid.UUID) -> list[str]:
    """Candidates of a delivery of a batch."""
    rows = conn.execute(
        text("SELECT candidate_id FROM data.patch WHERE batch_id = :b AND candidate_id IS NOT NULL"), {"b": batch}
    )
    return [str(c) for c in rows.scalars()]


def sample_id(scope: Mapping[str, Any], share: float, seed: str) -> uuid.UUID:
    """Identity of a sample."""
    head = "|".join(f"{k}={scope[k]}" for k in sorted(scope))
    return uuid.uuid5(IDENTITY_NAMESPACE, f"sample/{head}/{share}/{seed}")


def add(conn: Connection, scope: Mapping[str, Any], share: float, rule: Mapping[str, Any], drawn: Draw) -> uuid.UUID:
    """Record a sample; one that was drawn before stays as it is."""
    identity = sample_id(scope, share, drawn.seed)
    population = sum(p for p, _ in drawn.strata.values())
    made = conn.execute(
        text("""INSERT INTO data.sample (id, scope, share, rule, seed, population)
        VALUES (:id, CAST(:scope AS jsonb), :share, CAST(:rule AS jsonb), :seed, :population) ON CONFLICT (id) DO NOTHING"""),
        {
            "id": identity,
            "scope": json.dumps(dict(scope), default=str),
            "share": share,
            "rule": json.dumps(dict(rule), ensure_ascii=False, default=str),
            "seed": drawn.seed,
            "population": population,
        },
    ).rowcount
    if not made:
        return identity
    conn.execute(
        text("INSERT INTO data.sample_stratum (sample_id, stratum, population, drawn) VALUES (:s, :n, :p, :d)"),
        [{"s": identity, "n": n, "p": p, "d": d} for n, (p, d) in drawn.strata.items()],
    )
    conn.execute(
        text("""INSERT INTO data.sample_member (sample_id, seq, stratum, finding_id, candidate_id, candidate_version, outcome, judged_by)
        VALUES (:s, :seq, :stratum, :finding, :candidate, :version, :outcome, :judged_by)"""),
        [
            {
                "s": identity,
                "seq": n,
                "stratum": m.stratum,
                "finding": m.finding_id,
                "candidate": m.candidate_id,
                "version": m.candidate_version,
                "outcome": m.outcome,
                "judged_by": list(m.judged_by),
            }
            for n, m in enumerate(drawn.members, 1)
        ],
    )
    return identity


def samples(conn: Connection) -> list[dict[str, Any]]:
    """Every sample, oldest first: id, scope, share, population, drawn, examined, disagreed, actor, recorded_at."""
    return _rows(
        conn,
        """SELECT s.*, (SELECT count(*) FROM data.sample_member m WHERE m.sample_id = s.id) AS drawn,
          (SELECT count(*) FROM data.sample_result r WHERE r.sample_id = s.id) AS examined,
          (SELECT count(*) FROM data.sample_result r WHERE r.sample_id = s.id AND r.result = 'disagree') AS disagreed
        FROM data.sample s ORDER BY s.recorded_at, s.id""",
    )


def sample(conn: Connection, start: str) -> dict[str, Any]:
    """A sample by the beginning of its id; ``NotFound`` where none or more than one begins so."""
    found = [s for s in samples(conn) if str(s["id"]).startswith(start.lower())]
    if len(found) != 1:
        raise NotFound(f"{'No' if not found else 'More than one'} sample has an id that begins with {start!r}.")
    return found[0]


def strata(conn: Connection, sample: uuid.UUID) -> dict[str, tuple[int, int]]:
    """stratum -> (population, drawn)."""
    rows = _rows(conn, "SELECT * FROM data.sample_stratum WHERE sample_id = :s ORDER BY stratum", s=sample)
    return {r["stratum"]: (r["population"], r["drawn"]) for r in rows}


def members(conn: Connection, sample: uuid.UUID) -> list[dict[str, Any]]:
    """Members in order, with what was found on re-examination (result, reason, examiner) or None; code and place of each."""
    return _rows(
        conn,
        """SELECT m.seq, m.stratum, m.finding_id, m.candidate_id, m.outcome, m.judged_by, r.result, r.reason, r.actor AS examiner, r.recorded_at,
          c.code, coalesce(ST_X(f.place), ST_X(ST_PointOnSurface(c.geom))) AS lon, coalesce(ST_Y(f.place), ST_Y(ST_PointOnSurface(c.geom))) AS lat
        FROM data.sample_member m LEFT JOIN data.sample_result r USING (sample_id, seq) LEFT JOIN data.finding f ON f.id = m.finding_id
        LEFT JOIN LATERAL (SELECT code, geom FROM data.candidate c WHERE c.id = m.candidate_id
          AND (m.candidate_version IS NULL OR c.version = m.candidate_version) ORDER BY version DESC LIMIT 1) c ON true
        WHERE m.sample_id = :s ORDER BY m.seq""",
        s=sample,
    )


def add_result(conn: Connection, sample: uuid.UUID, seq: int, result: str, reason: str) -> None:
    """Record what another person found."""
    conn.execute(
        text("INSERT INTO data.sample_result (sample_id, seq, result, reason) VALUES (:s, :q, :r, :why)"),
        {"s": sample, "q": seq, "r": result, "why": reason},
    )
