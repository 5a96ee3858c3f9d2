"""What a desktop project wants to know of the database: where the ground lies that it opens on."""

from __future__ import annotations

from sqlalchemy import Connection, text


def extent(conn: Connection, draft: str | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees of a draft's lines, else of all reaches in force; None where there are neither."""
    boxes = text("""SELECT ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box) FROM (
        SELECT coalesce((SELECT ST_Extent(l.geom) FROM app.boundary_draft_line l WHERE l.draft_code = :draft),
          (SELECT ST_Extent(r.geom) FROM app.reach r)) AS box) b WHERE b.box IS NOT NULL""")
    row = conn.execute(boxes, {"draft": draft}).first()
    return None if row is None else (float(row[0]), float(row[1]), float(row[2]), float(row[3]))
