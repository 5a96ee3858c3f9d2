"""One hash over everything a job reads: an equal hash means there is nothing to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, text


def fingerprint(conn: Connection, nouns: Iterable[str], on: date, known_at: datetime, *extra: str) -> str:
    """Hash over the versions of ``nouns`` in force on a day as known at a moment, the deliveries and tracks up to it,
    the nights before, and ``extra`` (rule book, software versions)."""
    digest = hashlib.sha256("|".join(extra).encode())
    digest.update(in_force(conn, nouns, on, known_at).encode())
    for query in (
        "SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM data.delivery WHERE delivered_on <= :on",
        "SELECT md5(string_agg(raw_sha256 || coalesce(chief_id::text, ''), ',' ORDER BY raw_sha256)) FROM data.track WHERE day = :on AND purged_at IS NULL",
        "SELECT md5(string_agg(finding_id::text || night || status, ',' ORDER BY finding_id, night)) FROM data.sighting WHERE night < :on",
    ):
        digest.update((conn.execute(text(query), {"on": on}).scalar() or "-").encode())
    return digest.hexdigest()


def in_force(conn: Connection, nouns: Iterable[str], on: date, known_at: datetime) -> str:
    """Hash over the versions of ``nouns`` in force on a day as known at a moment."""
    digest = hashlib.sha256()
    for noun in sorted(nouns):
        query = f"""SELECT coalesce(md5(string_agg(id::text || ':' || version, ',' ORDER BY id, version)), '')
          FROM app.{noun}_as_of(:on, :known)"""
        digest.update((conn.execute(text(query), {"on": on, "known": known_at}).scalar() or noun).encode())
    return digest.hexdigest()
