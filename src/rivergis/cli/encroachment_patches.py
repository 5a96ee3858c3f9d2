"""``rivergis encroachment patches``: batches of remote-sensing patches in, filled in, checked, and given back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.encroachment.patch_check_workflow import TakenOver
    from rivergis.encroachment.patch_workflow import Progress
    from rivergis.jobs.patch_import import BatchReceived

DAY = common.CivilDay()
FILE = click.Path(path_type=Path)
_NAMED = 8

batch_option = click.option("--batch", required=True, help="Name of the batch, such as 2026-1.")
profile_option = click.option(
    "--profile", default="patches", show_default=True, help="Field profile from gis/rules/import_fields."
)


def reading_options(command: Any) -> Any:
    """Options of every command that reads a file of patches."""
    return profile_option(common.reading_options(command))


@click.group("patches")
def patches() -> None:
    """Remote-sensing patches (图斑): a delivered batch is verified and goes back in the form it came in."""


@patches.command("import")
@click.argument("file", type=FILE)
@batch_option
@reading_options
@click.option("--delivered-on", type=DAY, default=None, help="Civil day the delivery stands for (default: today).")
@click.option("--dry-run", is_flag=True, help="Do everything and keep nothing.")
@common.actor_option
@common.json_option
def import_(file: Path, batch: str, actor: str | None, as_json: bool, **o: Any) -> int:
    """Take in a batch: .gpkg, .shp, .geojson, .xlsx or .csv (with WKT or coordinates). The night then checks its patches.

    The same batch again changes nothing, also as 'patches export' gave it back; a corrected one is a new version, and what it
    does not hold any more is withdrawn. Exit code 4: some patches were set aside (they are given back all the same).

    \b
    Example:
      rivergis encroachment patches import 2026-1.shp --batch 2026-1 --encoding GBK
    """
    from rivergis.intake import profile
    from rivergis.intake.limits import Limits
    from rivergis.jobs import patch_import, receive

    settings = common.settings()
    db = common.database()
    who = common.acting(db, actor, "import")
    day = o["delivered_on"]
    done = patch_import.import_batch(
        db,
        file,
        batch,
        actor=who,
        profile=profile.load(o["profile"], settings.rules_dir),
        options=receive.Options(
            crs=o["crs"], datum=o["datum"], encoding=o["encoding"], delivered_on=day.date() if day else None
        ),
        store_dir=settings.store_dir,
        source_layer=o["source_layer"],
        limits=Limits.of(settings.max_limits),
        dry_run=o["dry_run"],
    )
    if as_json:
        common.emit(done, True)
    else:
        _show_received(done, o["dry_run"])
    return common.EXIT_PARTLY if done.imported is not None and done.imported.quarantined else 0


def _show_received(done: BatchReceived, dry_run: bool) -> None:
    if done.outcomes:
        common.say(
            f"{done.outcomes} 行带核查结论,导入不作认定 rows carry an outcome, which an import does not take over: "
            f"rivergis encroachment patches return FILE --batch {done.batch} --as NAME"
        )
    if done.known:
        common.say(
            f"{done.batch}: 与第 {done.version} 次下发相同 the same as delivery {done.version}: {done.patches} 图斑 patches"
        )
        return
    told = (
        "试读,未写入 dry run, nothing written; " if dry_run else f"第 {done.version} 次下发 delivery {done.version}; "
    )
    common.say(
        f"{told}{done.batch}: {done.patches} 图斑 patches, 新 new {len(done.new)}, 更正 changed {len(done.changed)}, "
        f"撤回 withdrawn {len(done.gone)}"
    )
    if done.imported is None:
        return
    for aside in done.imported.set_aside[:_NAMED]:
        common.say(f"  未入库 set aside {aside.source_feature}: {aside.sentence}")
    if (more := done.imported.quarantined - _NAMED) > 0:
        common.say(f"  … 另有 {more} more: rivergis quarantine list --layer candidate")


@patches.command("verify")
@batch_option
@click.option(
    "--as-of", "on", type=DAY, default=None, help="Lines, zones and permits of this civil day (default: today)."
)
@common.actor_option
@common.json_option
def verify(batch: str, on: datetime | None, actor: str | None, as_json: bool) -> None:
    """Fill in what the machine can (area, share inside the line, river, bank, chainage, zones, permits) and list the differences.

    The night does the same for every batch. What was delivered is never overwritten.

    \b
    Example:
      rivergis encroachment patches verify --batch 2026-1
    """
    from rivergis import rules
    from rivergis.encroachment import patch_workflow
    from rivergis.jobs import patch_import

    db = common.database()
    who = common.acting(db, actor, "run_jobs")
    book = rules.load(common.settings().rules_dir)
    changed = patch_import.verify(db, book, batch, on.date() if on else None, who)
    with db.read() as conn:
        found = [p for p in patch_workflow.listed(conn, batch) if p.differences]
    if as_json:
        common.emit({"batch": batch, "filled": changed, "differences": found}, True)
        return
    common.say(f"{batch}: 新填 filled in {changed}, 与下发不同 with differences {len(found)}")
    rows = [(p.patch_no, name, one, other) for p in found for name, one, other in p.differences]
    common.head(("图斑 patch", "字段 field", "下发 delivered", "机算 computed"), rows)


@patches.command("list")
@click.option("--batch", default=None, help="A batch; without it, the batches there are and how far they are.")
@click.option("--state", default=None, help="Only patches that stand so.")
@common.json_option
def list_(batch: str | None, state: str | None, as_json: bool) -> None:
    """The batches and how far each is, or every patch of one: state, outcome, what was filled in and what differs.

    \b
    Example:
      rivergis encroachment patches list
      rivergis encroachment patches list --batch 2026-1 --state found
    """
    from rivergis.encroachment import patch_store, patch_workflow

    with common.database().read() as conn:
        if batch is None:
            _show_batches([patch_workflow.progress(conn, b["name"]) for b in patch_store.batches(conn)], as_json)
            return
        found = [p for p in patch_workflow.listed(conn, batch) if state in (None, p.state)]
    if as_json:
        common.emit(found, True)
        return
    rows = [(p.patch_no, patch_workflow.said_state(p.state), p.outcome, (p.finding or "")[:8], p.note) for p in found]
    common.head(("图斑 patch", "状态 state", "结论 outcome", "线索 lead", "机核说明 note"), rows)


def _show_batches(found: list[Progress], as_json: bool) -> None:
    if as_json:
        common.emit(found, True)
        return
    from rivergis.encroachment import patch_workflow

    rows = [
        (
            p.batch, p.version, p.file, p.delivered_on, p.patches,
            ", ".join(f"{patch_workflow.said_state(s)} {n}" for s, n in p.states.items()), p.checked, p.reviewed, p.differences,
        )
        for p in found
    ]  # fmt: skip
    common.head(
        ("批次 batch", "下发 delivery", "文件 file", "日期 day", "图斑 patches", "状态 states", "已核查 checked", "已复核 reviewed", "有差异 differ"),
        rows,
    )  # fmt: skip


@patches.command("return")
@click.argument("file", type=FILE)
@batch_option
@reading_options
@click.option("--photos", type=FILE, default=None, help="Folder with the photos and documents that the form names.")
@common.actor_option
@common.json_option
def return_(file: Path, batch: str, photos: Path | None, actor: str | None, as_json: bool, **o: Any) -> int:
    """Take over what people filled in: outcome (1 不是问题, 2 历史不碍洪, 3 历史碍洪挂账, 4 问题), reason, corrected class, evidence.

    Every outcome moves its lead as the acting person's judgement; columns of a review are recorded as another person's. What
    the lifecycle forbids is refused with a reason and the other rows go on (exit code 4). Takes inspect; reviews take
    review_findings.

    \b
    Example:
      rivergis encroachment patches return filled.xlsx --batch 2026-1 --photos photos/ --as demo-inspector
    """
    from rivergis import rules
    from rivergis.encroachment import patch_check_workflow, patch_files
    from rivergis.errors import NotPermitted
    from rivergis.intake import profile
    from rivergis.intake.delivery import Asked
    from rivergis.intake.limits import Limits

    settings = common.settings()
    db = common.database()
    may, who, refusal = set(), None, None
    for capability in ("inspect", "review_findings"):
        try:
            who = common.acting(db, actor, capability)
            may.add(capability)
        except NotPermitted as error:
            refusal = error
    if who is None:
        assert refusal is not None
        raise refusal
    limits = Limits.of(settings.max_limits)
    asked = Asked(None, o["crs"], o["datum"], o["encoding"])
    form = profile.load(o["profile"], settings.rules_dir)
    read = patch_files.read(file, form, asked, source_layer=o["source_layer"], limits=limits)
    view = rules.load(settings.rules_dir).at(("000000",), datetime.now(common.SHANGHAI).date())
    done = patch_check_workflow.take_over(
        db,
        batch,
        read,
        actor=who,
        may=frozenset(may),
        photos=photos,
        store_dir=settings.store_dir,
        shown_m=view.number("encroach.report.photo_distance"),
        limits=limits,
    )
    _show_taken(done, as_json)
    return common.EXIT_PARTLY if done.refused else 0


def _show_taken(done: TakenOver, as_json: bool) -> None:
    if as_json:
        common.emit(asdict(done), True)
        return
    common.say(
        f"{done.batch}: {done.rows} 行 rows, 核查 checked {done.checked} (线索处置 leads moved {done.moved}), 复核 reviewed {done.reviewed}, "
        f"未变 unchanged {done.unchanged}, 未填 empty {done.empty}, 退回 refused {len(done.refused)}"
    )
    if done.without_photo:
        common.say(
            f"  无现场照片 without a photo: {', '.join(done.without_photo[:_NAMED])} ({len(done.without_photo)})"
        )
    for r in done.refused[: common.SHOWN]:
        common.say(f"  {r.patch_no or r.source_feature}: {r.why}")
    if (more := len(done.refused) - common.SHOWN) > 0:
        common.say(f"  另有 {more} more; --json")


@patches.command("export")
@batch_option
@click.option("--out", type=FILE, required=True, help="File to write, with the ending the batch came with.")
@click.option("--delivery", type=int, default=None, help="An earlier delivery of the batch (default: the latest).")
@common.actor_option
@common.json_option
def export(batch: str, out: Path, delivery: int | None, actor: str | None, as_json: bool) -> None:
    """Give a batch back in its form: names, order, format, encoding and geometry as delivered, plus what was filled in.

    Every delivered patch is in it exactly once, also those set aside, outside or not told, with the reason (机核说明).

    \b
    Example:
      rivergis encroachment patches export --batch 2026-1 --out 2026-1-filled.shp
    """
    from rivergis.db import system
    from rivergis.encroachment import patch_workflow

    common.not_its_source(out)
    db = common.database()
    who = common.acting(db, actor, "export")
    with db.read() as conn:
        done = patch_workflow.export(conn, batch, out, common.settings().store_dir, delivery)
    with db.write(who) as conn:
        system.audit(conn, who, "export", "patches", {"batch": batch, "patches": done.patches})
    if as_json:
        common.emit(done, True)
        return
    common.say(f"{done.patches} 图斑 patches → {done.file}")
    common.say("  已填 filled in: " + ", ".join(f"{name} {n}" for name, n in done.filled.items()))
    for feature, column in done.cut[:_NAMED]:
        common.say(f"  {feature}: {column} 放不下,已截短 does not hold it whole, cut")


COMMANDS: tuple[click.Command, ...] = (patches,)
