"""What the database knows of places, as evidence for where a file may lie."""

from __future__ import annotations

from rivergis.db import connect
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault
from rivergis.intake.crs_reference import Reference
from rivergis.river import store as river_store
from rivergis.settings import Settings


def of_database(db: Database) -> Reference | None:
    """The rivers and administrative units in force; None where the database holds neither."""
    with db.read() as conn:
        rivers, counties = river_store.outlines(conn)
    return Reference(tuple(rivers), tuple(counties), "the database") if rivers or counties else None


def of_running(settings: Settings) -> Reference | None:
    """The same of a database that is there and answers; looking at a file starts none, and none is needed for it."""
    try:
        db = connect.running_database(settings.database_url, settings.data_dir, settings.database)
        return of_database(db) if db is not None else None
    except EnvironmentFault:
        return None
