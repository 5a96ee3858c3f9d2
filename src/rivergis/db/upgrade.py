"""Upgrade: numbered migrations once each, then the schema ``app`` rebuilt, then roles and the rules of lives loaded. Twice changes nothing."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Connection, text

from rivergis import lifecycle, rules
from rivergis.db import guards, served
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, UsageError
from rivergis.settings import gis_dir

ACTOR = "upgrade"

_BOOTSTRAP = """
CREATE SCHEMA IF NOT EXISTS sys;
CREATE TABLE IF NOT EXISTS sys.migration (
  name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE sys.migration IS 'Migrations applied to this database, and the state of the schema app';
COMMENT ON COLUMN sys.migration.name IS 'File name, or app for the rebuilt schema, or roles, lives, or served for what tiles are cut from';
COMMENT ON COLUMN sys.migration.sha256 IS 'Hash of the file or files';
COMMENT ON COLUMN sys.migration.applied_at IS 'When'
"""


def upgrade(db: Database, source: Path | None = None) -> list[str]:
    """Bring the database to the state of ``gis/db``; returns what was applied, empty when nothing was to do.

    Raises ``UsageError`` when a released migration was edited, ``EnvironmentFault`` when the database is newer than the code.
    """
    source = source or gis_dir() / "db"
    files = sorted((source / "migrations").glob("[0-9]*.sql"))
    with db.lock("upgrade"), db.engine.connect() as conn:
        with conn.begin():
            _script(conn, _BOOTSTRAP)
            known = {str(n): str(h) for n, h in conn.execute(text("SELECT name, sha256 FROM sys.migration"))}
        _check(files, known)
        todo = [f for f in files if f.name not in known]
        applied = []
        if todo:
            with conn.begin():
                _script(conn, (source / "prelude.sql").read_text(encoding="utf-8"))
        for file in todo:
            with conn.begin():
                _act(conn)
                _script(conn, file.read_text(encoding="utf-8"))
                _note(conn, file.name, _sha(file.read_bytes()))
            applied.append(file.name)
        applied += _rebuild_app(conn, source, bool(applied), known)
        applied += _load_roles(conn, source, known)
        applied += _load_lives(conn, source.parent, known)
        applied += _fill_served(conn, source, known)
        if applied or guards.NOTE not in known:
            with conn.begin():
                _note(conn, guards.NOTE, guards.state(conn))
        conn.invalidate()  # its temporary tables and functions end with it
    return applied


def require_current(db: Database, source: Path | None = None) -> None:
    """``EnvironmentFault`` saying what to run when the database is not at the state of ``gis/db``; changes nothing."""
    source = source or gis_dir() / "db"
    with db.read() as conn:
        there = conn.execute(text("SELECT to_regclass('sys.migration')")).scalar() is not None
        query = "SELECT name, sha256 FROM sys.migration" if there else "SELECT '', '' WHERE false"
        known = {str(n): str(h) for n, h in conn.execute(text(query))}
    files = sorted((source / "migrations").glob("[0-9]*.sql"))
    _check(files, known)
    stale = known.get("app") != _app_state(source) or _lives_state(source.parent) not in ("", known.get("lives"))
    if stale or any(f.name not in known for f in files):
        raise EnvironmentFault(f"The database {db.name} is older than this rivergis: run 'rivergis db upgrade'.")


def _check(files: list[Path], known: dict[str, str]) -> None:
    names = {f.name for f in files}
    newer = sorted(n for n in known if n.endswith(".sql") and n not in names)
    if newer:
        raise EnvironmentFault(f"The database was upgraded by a newer rivergis (it has {newer[-1]}): use that version.")
    for file in files:
        if file.name in known and known[file.name] != _sha(file.read_bytes()):
            raise UsageError(
                f"The migration {file.name} was changed after it was applied: migrations are frozen; undo the edit and add a new one."
            )


def _rebuild_app(conn: Connection, source: Path, migrated: bool, known: dict[str, str]) -> list[str]:
    """Drop and rebuild all views, functions and triggers when their files or the tables changed."""
    files, state = _app_files(source), _app_state(source)
    if not migrated and known.get("app") == state:
        return []
    with conn.begin():
        _act(conn)
        _script(
            conn,
            "DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; "
            "COMMENT ON SCHEMA app IS 'All views, functions and triggers; dropped and rebuilt at every upgrade'",
        )
        for file in files:
            _script(conn, file.read_text(encoding="utf-8"))
        _note(conn, "app", state)
    return ["app"]


def _app_files(source: Path) -> list[Path]:
    return sorted((source / "app").glob("*.sql"))


def _app_state(source: Path) -> str:
    return _sha(b"".join(f.name.encode() + f.read_bytes() for f in _app_files(source)))


def _load_roles(conn: Connection, source: Path, known: dict[str, str]) -> list[str]:
    file = source / "roles.yaml"
    if not file.exists() or known.get("roles") == _sha(file.read_bytes()):
        return []
    body: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    with conn.begin():
        _act(conn)
        conn.execute(text("DELETE FROM list.role_capability"))
        for table, entries in (("capability", body["capabilities"]), ("role", body["roles"])):
            conn.execute(text(f"DELETE FROM list.{table} WHERE NOT code = ANY(:c)"), {"c": list(entries)})
            for code, entry in entries.items():
                conn.execute(
                    text(
                        f"INSERT INTO list.{table} (code, zh, en) VALUES (:c, :zh, :en) ON CONFLICT (code) DO UPDATE SET zh = :zh, en = :en"
                    ),
                    {"c": code, "zh": entry["zh"], "en": entry["en"]},
                )
        for role, entry in body["roles"].items():
            for capability in entry["capabilities"]:
                conn.execute(
                    text("INSERT INTO list.role_capability (role, capability) VALUES (:r, :c)"),
                    {"r": role, "c": capability},
                )
        _note(conn, "roles", _sha(file.read_bytes()))
    return ["roles"]


def _lives_state(folder: Path) -> str:
    """Hash of what says how things live: states and moves, and the national rules of the ledger; empty = there is none."""
    files = [folder / "lifecycle.yaml", folder / "rules" / "schema.yaml", folder / "rules" / "national" / "ledger.yaml"]
    return _sha(b"".join(f.read_bytes() for f in files)) if files[0].exists() else ""


def _load_lives(conn: Connection, folder: Path, known: dict[str, str]) -> list[str]:
    """Fill the lists that the guard of the ledger asks, from ``lifecycle.yaml`` and ``rules/national/ledger.yaml``."""
    state = _lives_state(folder)
    if state in ("", known.get("lives")):
        return []
    rows = _lives(folder)
    with conn.begin():
        _act(conn)
        for table, content in rows.items():
            names = list(content[0])
            values = ", ".join(f":{n}" for n in names)
            conn.execute(text(f"DELETE FROM list.{table}"))
            conn.execute(text(f"INSERT INTO list.{table} ({', '.join(names)}) VALUES ({values})"), content)
        _note(conn, "lives", state)
    return ["lives"]


def _lives(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Table of the schema ``list`` -> its rows."""
    lives = lifecycle.load(folder / "lifecycle.yaml").values()
    book = rules.load(folder / "rules")
    view = book.at((rules.NATIONAL,), date.today())
    severities: list[dict[str, Any]] = []
    stages: list[dict[str, Any]] = []
    for severity in [*book.facts["severity"]["values"], "other"]:
        facts = {} if severity == "other" else {"severity": severity}
        level, told = (view.value(k, **facts).value for k in ("ledger.closing.level", "ledger.instruction.needed"))
        severities.append({"severity": severity, "close_level": level, "instructed": told})
        ladder = view.value("ledger.escalation.after", **facts).value
        stages += [
            {"severity": severity, "stage": stage, "seq": seq, "after_days": days}
            for seq, (stage, days) in enumerate(ladder.items(), 1)
        ]
    return {
        "lifecycle_state": [row for life in lives for row in life.state_rows()],
        "lifecycle_move": [row for life in lives for row in life.move_rows()],
        "ledger_severity": severities,
        "ledger_stage": stages,
    }


def _fill_served(conn: Connection, source: Path, known: dict[str, str]) -> list[str]:
    """Draw what is served anew where the way of drawing it changed."""
    files = [f for f in (source / "migrations" / "0022_tiles.sql", source / "app" / "80_tiles.sql") if f.exists()]
    state = _sha(b"".join(f.read_bytes() for f in files)) if files else ""
    if state in ("", known.get("served")):
        return []
    with conn.begin():
        _act(conn)
        served.fill(conn)
        _note(conn, "served", state)
    return ["served"]


def _act(conn: Connection) -> None:
    conn.execute(text("SELECT set_config('rivergis.actor', :a, true)"), {"a": ACTOR})


def _note(conn: Connection, name: str, sha256: str) -> None:
    conn.execute(
        text(
            "INSERT INTO sys.migration (name, sha256) VALUES (:n, :h) ON CONFLICT (name) DO UPDATE SET sha256 = :h, applied_at = now()"
        ),
        {"n": name, "h": sha256},
    )


def _script(conn: Connection, body: str) -> None:
    """Run a whole SQL file; the driver takes many statements at once."""
    cursor = conn.connection.cursor()
    try:
        cursor.execute(body)
    finally:
        cursor.close()


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
