"""The morning after a night (晨报): files written, and its figures kept, so that the mornings after it know what this one said."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.reports import morning, morning_reading
from rivergis.reports.morning_facts import Morning
from rivergis.rules import RuleBook


def make(
    db: Database, rule_book: RuleBook, night: date, actor: str, *, store_dir: Path, report_dir: Path
) -> tuple[Path, Morning]:
    """Write page, workbook and map of a night that was run, keep its figures; the path of the page, and the figures.

    ``NotFound`` where that night was not run, ``EnvironmentFault`` where the folder refuses the files.
    """
    started = datetime.now(UTC)
    path, facts = morning.put(db, rule_book, night, report_dir, store_dir)
    told = {f.code: f.value for f in facts.figures}
    with db.write(actor) as conn:
        system.record_job_run(
            conn,
            job=morning_reading.KEPT,
            run_date=night,
            district="",
            state="done",
            started_at=started,
            finished_at=datetime.now(UTC),
            input_hash=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
            rule_set=None,
            counts={"figures": told, "ended": facts.run.finished_at.isoformat()},
            message=None,
            engine={},
        )
    return path, facts
