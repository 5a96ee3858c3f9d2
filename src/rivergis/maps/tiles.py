"""What one vector tile holds (矢量切片): the SQL of a tile, collection by collection and zoom by zoom. Pure text, no connection.

Shapes come from ``cache.shape_<collection>``, counts of what is too small to be drawn from ``cache.cell_<collection>``;
both are kept by the triggers of ``gis/db/app/80_tiles.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MINZOOM, MAXZOOM = 0, 16


@dataclass(frozen=True)
class Statement:
    """One prepared statement: parameters $1 z, $2 x, $3 y, $4 day, and $5 area where scoped; one row (mvt bytea, aggregated boolean)."""

    name: str
    sql: str
    types: tuple[str, ...]


@lru_cache(maxsize=4096)
def statement(collection: str, z: int, scoped: bool) -> Statement:
    """SQL of the tiles of a collection at a zoom; ``NotFound`` for a collection that has no tiles."""
    raise NotImplementedError


def fields(collection: str) -> dict[str, str]:
    """Attributes of the features in the tiles of a collection: name -> Number, String or Boolean, as TileJSON wants them."""
    raise NotImplementedError
