"""Pictures of new leads: the place before and after, from the scenes that show it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
from rasterio.errors import RasterioError
from sqlalchemy import Connection

from rivergis.encroachment import store
from rivergis.errors import InputError
from rivergis.intake import raster
from rivergis.lead import Lead

CHIP_MARGIN_M = 120.0  # ground shown around a lead in its before/after pictures


@dataclass
class Shown:
    """How many leads got both pictures, and the sentences of those whose image cannot be read."""

    done: int = 0
    failed: list[str] = field(default_factory=list)


def attach_pictures(
    conn: Connection, new: Sequence[tuple[uuid.UUID, Lead]], scenes: gpd.GeoDataFrame, store_dir: Path
) -> Shown:
    """Before and after pictures of new leads from the two newest scenes that show the whole place.

    影像首见于 is what they say, never since when something stands there. An image that is damaged or gone stops no night.
    """
    out = Shown()
    for finding_id, lead in new:
        shows = scenes[[bool(g.contains(lead.geom)) for g in scenes.geometry]].head(2) if len(scenes) else scenes
        if len(shows) < 2:
            continue
        try:
            for kind, scene in (("chip_after", shows.iloc[0]), ("chip_before", shows.iloc[1])):
                _attach(conn, finding_id, lead, kind, scene, store_dir)
            out.done += 1
        except (RasterioError, InputError) as error:
            out.failed.append(f"The picture of {finding_id} cannot be made: {error}.")
    return out


def _attach(conn: Connection, finding_id: uuid.UUID, lead: Lead, kind: str, scene: pd.Series, store_dir: Path) -> None:
    name, sha256 = _chip(lead, scene, store_dir)
    store.add_evidence(
        conn,
        finding_id,
        kind,
        file_sha256=sha256,
        file_path=name,
        taken_on=scene["taken_on"],
        caption=f"影像 {scene['taken_on']} · image of {scene['taken_on']}",
        position_grade="georeferenced",
    )


def _chip(lead: Lead, scene: pd.Series, store_dir: Path) -> tuple[str, str]:
    """Write the picture of a place into the store under its hash: (relative path, sha256)."""
    folder = store_dir / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{uuid.uuid4()}.part.png"
    raster.write_chip(store_dir / scene["file_path"], lead.geom, CHIP_MARGIN_M, part)
    sha256 = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(folder / f"{sha256}.png")
    return f"evidence/{sha256}.png", sha256
