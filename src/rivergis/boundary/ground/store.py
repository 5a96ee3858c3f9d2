"""The only SQL of ground prepared for the night: what each version of a management boundary encloses, and its pieces.

Nothing here is a fact: emptied, it is built again from the versions it names.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db.connect import copy_frame, read_frame, read_table


def in_force(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Management boundaries (管理范围) in force on a civil day, as known then: one row for each area, and one for each
    delimitation that has lines and no area.

    Columns of the act, area_id and area_version (null = lines only), ``lines`` as list of [id, version].
    """
    frame = read_table(
        conn,
        """SELECT v.id AS boundary_id, v.version AS boundary_version, v.code AS boundary_code, v.basis, v.announce_gov, v.announce_doc_no,
          v.announced_on, v.survey_scale, v.xy_error_m, v.river_id, r.code AS river_code, r.name AS river,
          a.id AS area_id, a.version AS area_version, coalesce(l.lines, '[]') AS lines
        FROM app.boundary_version_as_of(:on, :known) v JOIN app.river_as_of(:on, :known) r ON r.id = v.river_id
        LEFT JOIN app.boundary_area_as_of(:on, :known) a ON a.boundary_id = v.id
        LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(s.id, s.version) ORDER BY s.id) AS lines
                           FROM app.boundary_segment_as_of(:on, :known) s WHERE s.boundary_id = v.id AND a.id IS NULL) l ON true
        WHERE v.line_type = 'management' AND v.state <> 'revoked' AND (a.id IS NOT NULL OR l.lines IS NOT NULL) ORDER BY a.id, v.id""",
        {"on": on, "known": known_at},
    )
    # beside rows without an area the numbers of versions would come as floats
    frame["area_version"] = pd.array(frame["area_version"], dtype="Int64").astype(object)
    return frame.assign(**{c: frame[c].where(frame[c].notna(), None) for c in ("area_id", "area_version")})


def areas(conn: Connection, versions: Sequence[tuple[uuid.UUID, int]]) -> gpd.GeoDataFrame:
    """Areas as delivered, by id and version: id, version, code, geom (MultiPolygon, EPSG:4490)."""
    return _of(conn, "boundary_area", "t.id, t.version, t.code, t.geom", versions)


def lines(conn: Connection, versions: Sequence[tuple[uuid.UUID, int]]) -> gpd.GeoDataFrame:
    """Lines as delivered, by id and version: id, version, code, bank, boundary_id, geom (LineString, EPSG:4490)."""
    return _of(conn, "boundary_segment", "t.id, t.version, t.code, t.bank, t.boundary_id, t.geom", versions)


def _of(conn: Connection, noun: str, columns: str, versions: Sequence[tuple[uuid.UUID, int]]) -> gpd.GeoDataFrame:
    return read_frame(
        conn,
        f"""SELECT {columns} FROM data.{noun} t
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) w(id, version) USING (id, version) ORDER BY t.id""",
        {"ids": [str(i) for i, _ in versions], "versions": [int(v) for _, v in versions]},
    )


def known(conn: Connection, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these grounds are prepared."""
    rows = conn.execute(text("SELECT id FROM cache.boundary_ground WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return set(rows.scalars())


def keep(conn: Connection, grounds: gpd.GeoDataFrame, pieces: gpd.GeoDataFrame, islands: gpd.GeoDataFrame) -> None:
    """Keep prepared grounds (columns of ``cache.boundary_ground``), their pieces and islands (ground_id, seq, geom), EPSG:4490."""
    copy_frame(conn, "cache.boundary_ground", grounds)
    copy_frame(conn, "cache.boundary_piece", pieces)
    copy_frame(conn, "cache.boundary_island", islands)
    if len(pieces) > 1000:  # the planner must know that there is something to look up
        conn.execute(text("ANALYZE cache.boundary_ground, cache.boundary_piece"))


def grounds(conn: Connection, ids: Sequence[uuid.UUID]) -> gpd.GeoDataFrame:
    """Prepared grounds: id, decided, said, geom (MultiPolygon, EPSG:4490, null = none)."""
    return read_frame(
        conn,
        "SELECT id, decided, said, geom FROM cache.boundary_ground WHERE id = ANY(:ids) ORDER BY id",
        {"ids": list(ids)},
    )


def pieces(conn: Connection, ids: Sequence[uuid.UUID]) -> gpd.GeoDataFrame:
    """Pieces of prepared grounds: ground_id, geom (Polygon, EPSG:4490), in the order they were cut."""
    return read_frame(
        conn,
        "SELECT ground_id, geom FROM cache.boundary_piece WHERE ground_id = ANY(:ids) ORDER BY ground_id, seq",
        {"ids": list(ids)},
    )


def near(conn: Connection, ids: Sequence[uuid.UUID], boxes: np.ndarray) -> set[uuid.UUID]:
    """Which of these grounds have a piece in boxes (n, 4) of degrees: west, south, east, north."""
    rows = conn.execute(
        text("""SELECT DISTINCT p.ground_id FROM unnest(CAST(:w AS float8[]), CAST(:s AS float8[]), CAST(:e AS float8[]), CAST(:n AS float8[])) b(w, s, e, n)
        JOIN cache.boundary_piece p ON p.geom && ST_MakeEnvelope(b.w, b.s, b.e, b.n, 4490) WHERE p.ground_id = ANY(:ids)"""),
        {"ids": list(ids), **dict(zip("wsen", boxes.T.tolist(), strict=True))},
    )
    return set(rows.scalars())


def forget(conn: Connection) -> int:
    """Empty the cache; the next night builds what it needs. Returns how many grounds were dropped."""
    return conn.execute(text("DELETE FROM cache.boundary_ground")).rowcount
