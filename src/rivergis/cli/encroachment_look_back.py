"""``rivergis encroachment look-back``: closed cases looked at again by another person (回头看)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.encroachment_ledger import rule_view
from rivergis.cli.encroachment_life import evidence_of, evidence_options

if TYPE_CHECKING:
    from rivergis.encroachment.look_back_workflow import LookBack

DAY = common.CivilDay()


@click.group("look-back")
def look_back() -> None:
    """Looking back (回头看) at closed cases: drawn by risk, looked at by another person, with one of three outputs."""


@look_back.command("draw")
@click.option("--from", "first", type=DAY, required=True, help="Closed from this civil day (Asia/Shanghai).")
@click.option("--to", "last", type=DAY, required=True, help="Closed up to this civil day, inclusive.")
@click.option("--district", metavar="ADCODE", default=None, help="Only this county, township or village.")
@click.option("--class", "class_code", default=None, help="Only this class, or group of classes.")
@common.actor_option
@common.json_option
def draw(
    first: datetime, last: datetime, district: str | None, class_code: str | None, actor: str | None, as_json: bool
) -> None:
    """Draw closed cases: a share of every county and class, a larger one of those with a risk, each rounded up.

    The population is the seed, as it stood at the end of the period: drawn again it is the same sample. Takes review_findings.

    \b
    Example:
      rivergis encroachment look-back draw --from 2026-04-01 --to 2026-06-30 --as demo-reviewer
    """
    from rivergis.encroachment import look_back_workflow
    from rivergis.errors import UsageError

    if last < first:
        raise UsageError("Give --from and --to, the first not after the last.")
    db = common.database()
    who = common.acting(db, actor, "review_findings")
    done = look_back_workflow.draw(
        db, rule_view(db), first.date(), last.date(), who, district=district, class_code=class_code
    )
    _show(done, as_json)


@look_back.command("list")
@common.actor_option
@common.json_option
def list_(actor: str | None, as_json: bool) -> None:
    """Every sample that was ever drawn, by whom, and how far it is. Takes the capability view.

    \b
    Example:
      rivergis encroachment look-back list
    """
    from rivergis.encroachment import look_back_store

    db = common.database()
    common.acting(db, actor, "view")
    with db.read() as conn:
        samples = look_back_store.samples(conn)
    if as_json:
        common.emit(samples, True)
        return
    rows = [
        [str(s["id"])[:8], _scope(s["scope"]), s["population"], s["drawn"], s["looked"], s["not_done"], s["rebounded"], s["actor"], common.beijing(s["recorded_at"])]
        for s in samples
    ]  # fmt: skip
    common.table(
        [
            "id",
            "范围 scope",
            "总数 of",
            "抽取 drawn",
            "已看 looked",
            "不到位 not done",
            "反弹 rebounded",
            "抽取人 by",
            "时间 at",
        ],
        rows,
    )


@look_back.command("show")
@click.argument("sample")
@common.actor_option
@common.json_option
def show(sample: str, actor: str | None, as_json: bool) -> None:
    """A sample with its members, why each weighs more, and what was found. Takes the capability view.

    \b
    Example:
      rivergis encroachment look-back show 3f2a91c0
    """
    from rivergis.encroachment import look_back_workflow

    db = common.database()
    common.acting(db, actor, "view")
    with db.read() as conn:
        _show(look_back_workflow.show(conn, sample), as_json)


@look_back.command("result")
@click.argument("sample")
@click.argument("seq", type=int)
@click.argument("output", type=click.Choice(["holds", "not_done", "rebounded"]))
@click.option("--reason", required=True, help="What was looked at and found.")
@evidence_options
@common.actor_option
@common.json_option
def result(
    sample: str, seq: int, output: str, reason: str, evidence: tuple[Path, ...], at: tuple[float, float] | None, datum: str,
    taken_at: datetime | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Say what was found: holds, not_done (goes back to be rectified) or rebounded (a problem again).

    For another person than who rectified or accepted it. What was never on the ledger is opened with 'encroachment open --source
    回头看'. Takes the capability review_findings.

    \b
    Example:
      rivergis encroachment look-back result 3f2a91c0 1 rebounded --reason 又堆放渣土 --evidence now.jpg --as demo-reviewer
    """
    from rivergis.encroachment import look_back_workflow

    files = evidence_of(evidence, at, datum, taken_at)
    db = common.database()
    who = common.acting(db, actor, "review_findings")
    done = look_back_workflow.result(db, sample, seq, output, reason, who, common.settings().store_dir, evidence=files)
    common.emit(done, as_json)


def _scope(scope: dict[str, Any]) -> str:
    return " ".join([f"{scope['from']}–{scope['to']}", *(str(scope[k]) for k in ("district", "class") if k in scope)])


def _show(told: LookBack, as_json: bool) -> None:
    from rivergis import words

    if as_json:
        common.emit(told, True)
        return
    common.say(f"{told.id[:8]}  {_scope(told.scope)}  抽取 drawn {told.drawn}/{told.population}  ({told.drawn_by})")
    rows = [
        [
            m["seq"], m["number"], m["stratum"], "、".join(words.say(f"case_risk.{r}") for r in m["risks"]), f"{m['lon']:.6f},{m['lat']:.6f}",
            m["output"] and words.say(f"case_look_back.{m['output']}"), m["looked_by"], m["reason"],
        ]
        for m in told.members
    ]  # fmt: skip
    common.table(
        ["", "编号 number", "分层 stratum", "风险 risks", "位置 lon,lat", "结论 output", "核查人 by", "说明 reason"],
        rows,
    )


COMMANDS: tuple[click.Command, ...] = (look_back,)
