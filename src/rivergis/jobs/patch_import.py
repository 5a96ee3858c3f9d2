"""A batch of remote-sensing patches received: candidates of the night, and the batch itself with its file, to be given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rivergis.db.connect import Database, now_of
from rivergis.encroachment import patch_files, patch_store, patch_workflow
from rivergis.errors import UsageError
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.intake.profile import Profile
from rivergis.jobs import receive
from rivergis.jobs.layer_import import ImportResult, Options
from rivergis.river import store as river_store
from rivergis.rules import RuleBook, path_of


@dataclass(frozen=True)
class BatchReceived:
    """What became of a batch: new, changed and left-out patches by number against the delivery before it."""

    batch: str
    version: int
    known: bool
    patches: int
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    imported: ImportResult | None = None
    outcomes: int = 0
    """Rows that carry an outcome: people decide, so an import takes none of them over."""


def import_batch(
    db: Database,
    path: Path,
    batch: str,
    *,
    actor: str,
    profile: Profile,
    options: Options,
    store_dir: Path,
    source_layer: str | None = None,
    limits: Limits = DEFAULT,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> BatchReceived:
    """Take in a batch (图斑批次): the same again changes nothing, also as we gave it back; a corrected one is a new version.

    What it does not hold any more is withdrawn by who sends it. Raises as ``receive.import_file``.
    """
    if not batch.strip():
        raise UsageError("Give the batch a name with --batch, such as 2026-1.")
    asked = Asked(None, options.crs, options.datum, options.encoding)
    read = patch_files.read(path, profile, asked, source_layer=source_layer, limits=limits)
    outcomes = sum("outcome" in r.delivered for r in read.rows)
    with db.read() as conn:
        compared = patch_workflow.compare(conn, batch, read)
        if compared.same:
            version = patch_store.batch(conn, batch)["version"]
            return BatchReceived(batch, version, True, len(read.rows), outcomes=outcomes)
    mapped, _ = patch_files.mapping(profile)
    delivered_on = options.delivered_on or _today()
    own = replace(
        options, namespace=f"patch:{batch}", feed=f"patches:{batch}", complete=True, delivered_on=delivered_on
    )
    [result] = receive.import_file(
        db,
        "candidate",
        path,
        actor=actor,
        profile=replace(profile, mappings=(mapped,)),
        options=own,
        source_layer=read.source_layer,
        dry_run=dry_run,
        limits=limits,
        progress=progress,
    )
    version = 0 if dry_run else _record(db, read, batch, compared, own, profile.name, actor, store_dir, delivered_on)
    return BatchReceived(
        batch, version, False, len(read.rows), compared.new, compared.changed, compared.gone, result, outcomes
    )


def _record(
    db: Database,
    read: patch_files.BatchFile,
    batch: str,
    compared: patch_workflow.Compared,
    options: Options,
    profile: str,
    actor: str,
    store_dir: Path,
    delivered_on: date,
) -> int:
    kept = patch_files.keep(read.path, read.sha256, store_dir)
    with db.write(actor) as conn:
        return patch_workflow.record(
            conn,
            batch,
            read,
            compared,
            file_path=kept,
            profile=profile,
            options=options.as_dict(),
            namespace=options.namespace,
            delivered_on=delivered_on,
        )


def verify(db: Database, book: RuleBook, batch: str, on: date | None, actor: str) -> int:
    """Fill in what the machine can for the patches of a batch, without waiting for the night; how many changed."""
    day = on or _today()
    with db.write(actor) as conn:
        known = now_of(conn)
        head = patch_store.batch(conn, batch)
        view = book.at(path_of(river_store.home(conn, day, known) or "000000"), day)
        register = patch_workflow.register_of(conn, day, known)
        return patch_workflow.fill(conn, view, register, day, known, head["id"])


def _today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
