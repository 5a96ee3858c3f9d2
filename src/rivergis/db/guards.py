"""Do the guards of the database stand, and does its ledger bear the marks of rows that passed them? (台账完整性)

Who owns the tables can put a guard aside, write, and put it back; nothing inside a database keeps its owner from that. What shows
afterwards is told here: guards that are off or not as the last upgrade made them, rules that differ from their files, and events
without a line in the audit, out of their order, or dated against it.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text

NOTE = "guards"
"""Name in sys.migration under which the upgrade notes what the guards were."""

_OFF = """SELECT format('%s on %s is off', t.tgname, t.tgrelid::regclass) FROM pg_trigger t JOIN pg_class k ON k.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = k.relnamespace
  WHERE n.nspname IN ('data', 'sys', 'list') AND NOT t.tgisinternal AND t.tgenabled NOT IN ('O', 'A') ORDER BY 1"""
_STATE = """SELECT coalesce(string_agg(said, E'\n' ORDER BY said), '') FROM (
  SELECT format('%s %s %s', t.tgrelid::regclass, pg_get_triggerdef(t.oid), p.prosrc) AS said
  FROM pg_trigger t JOIN pg_class k ON k.oid = t.tgrelid JOIN pg_namespace n ON n.oid = k.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid
  WHERE n.nspname IN ('data', 'sys', 'list') AND NOT t.tgisinternal
  UNION ALL SELECT format('%s(%s) %s', p.proname, pg_get_function_identity_arguments(p.oid), coalesce(nullif(p.prosrc, ''), pg_get_function_sqlbody(p.oid)))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'app' AND p.prokind = 'f'
  UNION ALL SELECT m::text FROM list.lifecycle_move m UNION ALL SELECT s::text FROM list.ledger_severity s
  UNION ALL SELECT c::text FROM list.role_capability c) x"""
_EVENTS = """
  WITH e AS (SELECT v.*, lag(v.recorded_at) OVER w AS before_at, lag(v.id) OVER w AS before_id, lag(v.seq, 1, 0) OVER w AS before_seq
    FROM data.finding_event v WINDOW w AS (PARTITION BY v.finding_id ORDER BY v.seq))
  SELECT format('event %s of the case %s: %s', e.seq, left(e.finding_id::text, 8), why) FROM e CROSS JOIN LATERAL (
    SELECT 'events before it are missing' AS why WHERE e.seq <> e.before_seq + 1
    UNION ALL SELECT 'it is dated before the event that it follows' WHERE e.recorded_at < e.before_at
    UNION ALL SELECT 'it was written before the event that it follows' WHERE e.id < e.before_id
    UNION ALL SELECT 'the audit knows nothing of it' WHERE NOT EXISTS (
      SELECT FROM sys.audit a WHERE a.target = 'data.finding_event' AND a.action = 'INSERT' AND a.actor = e.actor
        AND a.at BETWEEN e.recorded_at - interval '1 second' AND e.recorded_at + interval '1 day')) y
  ORDER BY e.finding_id, e.seq LIMIT 200"""


def state(conn: Connection) -> str:
    """Hash over all guards, the functions they call, and the rules they ask."""
    return hashlib.sha256(str(conn.execute(text(_STATE)).scalar_one()).encode()).hexdigest()


def aside(conn: Connection) -> list[str]:
    """Guards that are off, or not what the last upgrade made them; empty = all stand."""
    off = [str(s) for s in conn.execute(text(_OFF)).scalars()]
    noted = conn.execute(text("SELECT sha256 FROM sys.migration WHERE name = :n"), {"n": NOTE}).scalar()
    changed = noted is not None and noted != state(conn)
    return [*off, *(["guards, their functions or rules are not what the last upgrade made them"] if changed else [])]


def marks(conn: Connection) -> list[str]:
    """Events of the ledger that did not come through the guards, as far as they show: at most 200."""
    return [str(s) for s in conn.execute(text(_EVENTS)).scalars()]
