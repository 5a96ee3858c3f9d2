"""Hashes over what a job reads: equal hashes mean there is nothing to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, text


def in_force(conn: Connection, nouns: Iterable[str], on: date, known_at: datetime) -> str:
    """Hash over the versions of ``nouns`` in force on a day as known at a moment."""
    digest = hashlib.sha256()
    for noun in sorted(nouns):
        query = f"""SELECT coalesce(md5(string_agg(id::text || ':' || version, ',' ORDER BY id, version)), '')
          FROM app.{noun}_as_of(:on, :known)"""
        digest.update((conn.execute(text(query), {"on": on, "known": known_at}).scalar() or noun).encode())
    return digest.hexdigest()


def deliveries(conn: Connection, on: date, known_at: datetime) -> str:
    """Hash over the deliveries up to a day, as known at a moment."""
    query = """SELECT coalesce(md5(string_agg(id::text, ',' ORDER BY id)), '') FROM data.delivery
      WHERE delivered_on <= :on AND recorded_at <= :known"""
    return str(conn.execute(text(query), {"on": on, "known": known_at}).scalar_one())


def tracks(conn: Connection, on: date) -> str:
    """Hash over the tracks of a day and whose they are."""
    query = """SELECT coalesce(md5(string_agg(raw_sha256 || coalesce(chief_id::text, ''), ',' ORDER BY raw_sha256)), '')
      FROM data.track WHERE day = :on AND purged_at IS NULL"""
    return str(conn.execute(text(query), {"on": on}).scalar_one())


def together(parts: Mapping[str, str]) -> str:
    """One hash over hashes by name."""
    return hashlib.sha256("|".join(f"{k}={parts[k]}" for k in sorted(parts)).encode()).hexdigest()
