"""``rivergis encroachment sample``: what was judged no problem, examined again by another person."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.encroachment.sample_workflow import Sample

DAY = common.CivilDay()


@click.group("sample")
def sample() -> None:
    """Samples of what was judged no problem (抽样复核): drawn once, examined by another person."""


@sample.command("draw")
@click.option("--batch", default=None, help="A batch of remote-sensing patches.")
@click.option("--from", "first", type=DAY, default=None, help="Judged from this civil day (Asia/Shanghai).")
@click.option("--to", "last", type=DAY, default=None, help="Judged up to this civil day, inclusive.")
@common.actor_option
@common.json_option
def draw(batch: str | None, first: datetime | None, last: datetime | None, actor: str | None, as_json: bool) -> None:
    """Draw a sample: the share of the rule encroach.sample.negatives_share (6 %) of every county, class and outcome, rounded up.

    The population is the seed: the same judgements give the same sample, so nobody draws again until it suits. Every draw is
    recorded with who drew it. Takes the capability review_findings.

    \b
    Example:
      rivergis encroachment sample draw --batch 2026-1 --as demo-reviewer
      rivergis encroachment sample draw --from 2026-05-01 --to 2026-05-31 --as demo-reviewer
    """
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.encroachment import sample_workflow
    from rivergis.errors import UsageError
    from rivergis.river import store as river_store

    if (first is None) != (last is None) or (first and last and last < first):
        raise UsageError("Give --from and --to, the first not after the last.")
    db = common.database()
    who = common.acting(db, actor, "review_findings")
    today = datetime.now(common.SHANGHAI).date()
    with db.read() as conn:
        home = river_store.home(conn, today, now_of(conn)) or "000000"
    view = rules.load(common.settings().rules_dir).at(rules.path_of(home), today)
    days = (first.date(), last.date()) if first and last else None
    done = sample_workflow.draw(db, view, batch=batch, days=days, actor=who)
    _show(done, as_json)


@sample.command("list")
@common.json_option
def list_(as_json: bool) -> None:
    """Every sample that was ever drawn, by whom, and how far it is.

    \b
    Example:
      rivergis encroachment sample list
    """
    from rivergis.encroachment import sample_store

    with common.database().read() as conn:
        found = sample_store.samples(conn)
    if as_json:
        common.emit([{k: v for k, v in s.items() if k != "rule"} for s in found], True)
        return
    rows = [
        (
            str(s["id"])[:8], s["scope"].get("batch") or f"{s['scope']['from']} – {s['scope']['to']}", s["population"], s["drawn"],
            s["examined"], s["disagreed"], s["actor"], common.beijing(s["recorded_at"]),
        )
        for s in found
    ]  # fmt: skip
    common.head(
        ("样本 sample", "范围 scope", "总数 population", "抽取 drawn", "已复核 examined", "不同意 disagreed", "抽样人 by", "时间 at"), rows
    )  # fmt: skip


@sample.command("examine")
@click.argument("sample_id", metavar="SAMPLE")
@click.argument("number", type=int)
@click.argument("result", type=click.Choice(["agree", "disagree"]))
@click.option("--reason", required=True, help="What was looked at and found, in words.")
@common.actor_option
@common.json_option
def examine(sample_id: str, number: int, result: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Record what another person finds: agree, or disagree, which sends the lead back to be judged again.

    Who judged it may not examine it. Takes the capability review_findings.

    \b
    Example:
      rivergis encroachment sample examine 3f2a91c0 2 disagree --reason 影像可见建筑未拆 --as demo-reviewer
    """
    from rivergis.encroachment import sample_workflow

    settings = common.settings()
    db = common.database()
    who = common.acting(db, actor, "review_findings")
    done = sample_workflow.examine(db, sample_id, number, result, reason, who, settings.store_dir)
    common.emit(done, as_json)


@sample.command("show")
@click.argument("sample_id", metavar="SAMPLE")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Write the members: .csv or .json.")
@common.json_option
def show(sample_id: str, out: Path | None, as_json: bool) -> None:
    """A sample: its members and results, and the share of wrong judgements they tell, with Wilson's 95 % interval.

    \b
    Example:
      rivergis encroachment sample show 3f2a91c0
    """
    import pandas as pd

    from rivergis.encroachment import sample_workflow

    with common.database().read() as conn:
        found = sample_workflow.report(conn, sample_id)
    if out is not None:
        common.write_frame(pd.DataFrame(found.members), out)
        common.say(f"{len(found.members)} → {out}")
        return
    _show(found, as_json)


def _show(found: Sample, as_json: bool) -> None:
    if as_json:
        common.emit(found, True)
        return
    from rivergis import words

    r = found.result
    told = "–" if r.share is None else f"{r.share:.1%} ({r.interval[0]:.1%} – {r.interval[1]:.1%})"
    common.say(
        f"样本 sample {found.id[:8]}: 总数 population {r.population}, 抽取 drawn {r.drawn} (每层 of every stratum {found.share:.0%}, 进一 rounded up), "
        f"已复核 examined {r.examined}, 不同意 disagreed {r.disagreed}"
    )
    common.say(f"  误判比例 share judged wrongly (Wilson 95 %): {told}; 抽样人 drawn by {found.drawn_by}")
    if found.earlier:
        earlier = ", ".join(s[:8] for s in found.earlier)
        common.say(f"  此前同一范围的样本仍须复核 earlier samples of the same scope stay to be examined: {earlier}")
    rows = [
        (m["seq"], m["stratum"], str(m["finding_id"] or "")[:8] or m["code"], m["lon"] and f"{m['lon']:.6f} {m['lat']:.6f}",
         m["result"] and words.both(f"sample.{m['result']}"), m["reason"])
        for m in found.members
    ]  # fmt: skip
    common.head(("序号 no.", "分层 stratum", "线索 lead", "位置 place", "复核 result", "说明 reason"), rows)


COMMANDS: tuple[click.Command, ...] = (sample,)
