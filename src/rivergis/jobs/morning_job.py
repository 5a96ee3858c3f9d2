"""The morning after a night (晨报): files written, and its figures kept, so that the mornings after it know what this one said."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from datetime import UTC, date, datetime
from pathlib import Path

from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, RivergisError
from rivergis.reports import morning, morning_reading
from rivergis.reports.morning_facts import Morning
from rivergis.rules import RuleBook

log = logging.getLogger("rivergis.morning")


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


def tried(
    db: Database, rule_book: RuleBook, night: date, actor: str, *, store_dir: Path, report_dir: Path
) -> tuple[str | None, dict[str, str], bool]:
    """The page made, or why it could not be (by the name ``morning``), and whether that is the fault of the folder (a full disk)."""
    try:
        return str(make(db, rule_book, night, actor, store_dir=store_dir, report_dir=report_dir)[0]), {}, False
    except RivergisError as error:
        return None, {"morning": error.sentence}, isinstance(error, EnvironmentFault)
    except Exception as error:  # a fault of ours in the page must not look like a night that did not run
        log.debug("the morning page of %s failed", night, exc_info=error)
        return None, {"morning": f"A fault of the program: {first_line(error)}; the night itself is recorded."}, False


def first_line(error: Exception) -> str:
    """What went wrong and where, for who mends it; the whole of it is in the debugging log."""
    frames = traceback.extract_tb(error.__traceback__)
    own = next((f for f in reversed(frames) if "rivergis" in f.filename), frames[-1])
    return (
        f"{type(error).__name__} at {Path(own.filename).name}:{own.lineno}: {next(iter(str(error).splitlines()), '')}"
    )
