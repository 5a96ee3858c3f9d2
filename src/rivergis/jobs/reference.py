"""What the database knows of places, as evidence for where a file may lie."""

from __future__ import annotations

from rivergis.db import connect, upgrade
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
    """The same of a database that is there, answers and is of this version; looking at a file starts none and needs none."""
    try:
        db = connect.running_database(settings.database_url, settings.data_dir, settings.database)
        if db is None:
            return None
        upgrade.require_current(db)  # tables of another version are not asked
        return of_database(db)
    except EnvironmentFault:
        return None
