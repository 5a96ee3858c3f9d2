"""``rivergis patrol`` on the database: score a day, explain a verdict, who saw a track, questions and their answers, accounts."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from rivergis import words
from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.rules import RuleView

_DAY = common.CivilDay()


@click.command("score-day")
@click.argument("days", nargs=-1, type=_DAY)
@click.option("--due", is_flag=True, help="All days up to today with tracks, parts, duties or reaches not scored yet.")
@click.option("--adcode", default=None, help="Jurisdiction of the rules (default: the county the database holds).")
@common.actor_option
@common.json_option
def score_day(days: tuple[datetime, ...], due: bool, adcode: str | None, actor: str | None, as_json: bool) -> None:
    """Score the patrols of DAYS from the database, each with the duties and reaches as of that day.

    Equal inputs make no new result; a changed one supersedes the one before, which stays readable.

    \b
    Example:
      rivergis patrol score-day 2026-05-20
      rivergis patrol score-day --due
    """
    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.jobs import nightly

    db = common.database()
    who = common.acting(db, actor, "run_jobs")
    book = rules.load(common.settings().rules_dir)
    if bool(days) == due:
        raise UsageError("Name the days to score (YYYY-MM-DD), or --due for all that wait.")
    chosen = nightly.days_due(db, book, date.today()) if due else [d.date() for d in days]
    done = nightly.score_patrols(db, book, chosen, who, adcode)
    if as_json:
        common.emit({str(d): s for d, s in done.items()}, True)
        return
    if not done:
        click.echo("没有待计算的日期 no day waits")
        return
    common.table(
        ("日期 day", "巡河 patrols", "新计算 scored", "未变 unchanged", "待核实 to be looked at"),
        [(d, s.tracks, s.scored, s.unchanged, s.to_review) for d, s in done.items()],
    )


@click.command("list")
@click.option("--date", "day", type=_DAY, default=None, help="Civil day (default: the newest 200 patrols).")
@common.actor_option
@common.json_option
def list_tracks(day: datetime | None, actor: str | None, as_json: bool) -> None:
    """List patrols with the ids that other commands take: all with the capability view_tracks, else the own ones of a chief.

    \b
    Example:
      rivergis patrol list --date 2026-05-20
    """
    from rivergis.patrol import store

    db = common.database()
    own = _chief_of(db, actor, "view_tracks")
    if own is None:
        common.may_see_patrols(db, actor, "list")
    with db.read() as conn:
        found = store.outings(conn, own, day.date() if day else None)
    if as_json:
        common.emit(common.rows_of(found), True)
        return
    common.table(
        ("轨迹 track", "日期 day", "河长 chief", "文件 files", "分钟 min", "米 m", "状态"),
        [
            (
                str(r.track_id)[:12],
                r.day,
                r.chief,
                r.files,
                r.minutes,
                r.metres,
                "已清除 purged" if r.purged_at is not None else "" if r.scored_at is not None else "未计算 not scored",
            )
            for r in found.astype(object).where(found.notna(), None).itertuples()
        ],
    )


@click.command()
@click.argument("track")
@common.actor_option
@common.json_option
def explain(track: str, actor: str | None, as_json: bool) -> int:
    """Replay the verdict on TRACK (its id, or the start of it) from the versions, rules and tracks it was made with.

    Says what it rests on and whether the replay is the same. Exit code 4 when it is not.

    \b
    Example:
      rivergis patrol explain 3f2a91c0
    """
    from rivergis.db import people
    from rivergis.patrol import explain_workflow, store
    from rivergis.reports import patrol_page

    db = common.database()
    with db.read() as conn:
        head = store.head_starting(conn, track)
    who = common.may_see_track(db, head, actor)
    with db.read() as conn:
        may = patrol_page.may_review(conn, head, who, people.capabilities(conn, who))
        told = explain_workflow.explain(conn, head, questions=may)
    _saw(db, head, who, "patrol explain")
    common.emit(told, as_json, _explained(told))
    return common.EXIT_PARTLY if told.same is False else 0


def _explained(told: Any) -> str:
    verdict = {
        True: "重算结果一致 the replay is the same",
        False: "重算结果不同 the replay differs",
        None: "无法重算 cannot be replayed",
    }
    f = told.figures
    said = [
        f"轨迹 track {told.track_id} · {told.day}",
        f"{verdict[told.same]}"
        + (f": {told.why}" if told.why else "")
        + (f": {', '.join(told.differs)}" if told.differs else ""),
        f"方法 engine {told.engine}; 计算 scored {common.beijing(datetime.fromisoformat(told.scored_at))}; 规则版本 rule book {told.rule_set}; 规则地区 rules of {told.inputs.get('jurisdiction')}",
        f"文件 files: {', '.join(p['sha256'][:12] for p in told.inputs.get('parts', []))}; 河段区间 legs: {told.legs}",
    ]
    said += [_standard(t) for t in told.standard] or [
        f"{words.both('patrol_report.block_standard')}: {words.both('patrol_report.not_ruled')}"
    ]
    minutes = words.both("unseen.no_time") if f.get("minutes") is None else f"{f['minutes']} min"
    share = "—" if f.get("bank_share") is None else f"{f['bank_share']:.0%}"
    said.append(
        f"{words.both('patrol.coverage')}: {minutes}; 河长 river {f.get('metres')} m; 岸长 banks {f.get('bank_metres')} m, {share}"
    )
    said += [
        f"待核实 {q['number']} [{words.both('review_state.' + q['state'])}{', ' + words.both('review_state.gone') if q['gone'] else ''}]: {q['zh']}"
        for q in told.questions or []
    ]
    return "\n".join(said)


def _standard(t: dict[str, Any]) -> str:
    """One announced rule against what was measured."""
    outcome = {True: "met", False: "not_met", None: "undecided"}[t["met"]]
    measured = "—" if t["measured"] is None else t["measured"]
    return (
        f"{words.both('patrol_report.block_standard')}: {words.both('rule_key.' + t['key'])} {measured} / {t['threshold']} {t['unit']} "
        f"{words.both('patrol_report.outcome_' + outcome)}{' · ' + words.both('patrol_report.is_near') if t['near'] else ''} ({t['basis']})"
    )


def _saw(db: Any, head: Any, who: str, purpose: str) -> None:
    from rivergis.patrol import store

    with db.write(who) as conn:
        store.saw(conn, head, who, purpose)


@click.command()
@click.argument("track")
@common.actor_option
@common.json_option
def accesses(track: str, actor: str | None, as_json: bool) -> None:
    """Who saw TRACK (personal data), when and what for. A chief may ask about the own tracks.

    \b
    Example:
      rivergis patrol accesses 3f2a91c0
    """
    from rivergis.patrol import store

    db = common.database()
    with db.read() as conn:
        head = store.head_starting(conn, track)
    common.may_see_track(db, head, actor)
    with db.read() as conn:
        seen = store.accesses(conn, head)
    if as_json:
        common.emit(common.rows_of(seen), True)
        return
    common.table(
        ("时间 at", "用户 user", "姓名 name", "用途 purpose"),
        [(common.beijing(r.at), r.actor, r.display_name, r.purpose) for r in seen.itertuples()],
        title=f"轨迹 track {head}",
    )


@click.command()
@click.argument("user")
@click.argument("chief", required=False)
@click.option("--namespace", default="local", show_default=True, help="Who gave the code of the chief.")
@common.actor_option
def account(user: str, chief: str | None, namespace: str, actor: str | None) -> None:
    """Say that USER is the account of CHIEF (code): may upload and see the own tracks, and reply. Without CHIEF: no longer.

    \b
    Example:
      rivergis patrol account zhangsan H013
    """
    from rivergis.patrol import receive_workflow

    db = common.database()
    receive_workflow.bind_account(db, user, chief, namespace, actor=common.acting(db, actor, "manage_users"))
    click.echo(f"{user}: {chief or '—'}")


@click.group()
def review() -> None:
    """Questions about tracks (轨迹待核实): list, reply (说明), decide (复核). For the duty person and the chief concerned."""


@review.command("list")
@click.option(
    "--state",
    type=click.Choice(["raised", "replied", "confirmed", "dismissed"]),
    default=None,
    help="Only questions in this state.",
)
@common.actor_option
@common.json_option
def list_(state: str | None, actor: str | None, as_json: bool) -> None:
    """List questions: all with the capability to review, else those about the own tracks.

    \b
    Example:
      rivergis patrol review list --state replied
    """
    from rivergis.patrol import review_workflow

    db = common.database()
    chief = _chief_of(db, actor, review_workflow.REVIEW)
    if chief is None:
        common.acting(db, actor, review_workflow.REVIEW)
    with db.read() as conn:
        found = review_workflow.questions(conn, chief_id=chief, state=state)
    if as_json:
        common.emit([review_workflow.as_dict(q) for q in found], True)
        return
    if not found:
        click.echo(words.both("patrol_report.nothing"))
        return
    common.table(
        ("编号 number", "日期 day", "河长 chief", "待核实 question", "状态 state", "说明 replies", "复核 decided by"),
        [
            (
                q.number,
                q.day,
                q.chief,
                q.zh,
                words.both(f"review_state.{q.state}") + (f"({words.both('review_state.gone')})" if q.gone else ""),
                "; ".join(r["text"] for r in q.replies),
                q.decided_by,
            )
            for q in found
        ],
    )


def _chief_of(db: Any, actor: str | None, capability: str) -> Any:
    """The chief whose account asks, unless it has the capability for everything."""
    from rivergis.db import people
    from rivergis.patrol import receive_store

    name = actor or common.settings().actor
    if name is None:
        return None
    with db.read() as conn:
        if capability in people.capabilities(conn, name):
            return None
        own = receive_store.chief_of_user(conn, name)
    return own[0] if own else None


@review.command()
@click.argument("number", type=int)
@click.option("--text", "said", required=True, help="The explanation, in words.")
@common.actor_option
def reply(number: int, said: str, actor: str | None) -> None:
    """Reply to question NUMBER (说明): by the chief concerned, or the duty person for them.

    \b
    Example:
      rivergis patrol review reply 12 --text "与邻镇联合巡河" --as zhangsan
    """
    from rivergis.patrol import review_workflow

    db = common.database()
    review_workflow.reply(db, number, said, actor=_named(db, actor))
    click.echo(f"{number}: 已说明 replied")


@review.command()
@click.argument("number", type=int)
@click.argument("move", type=click.Choice(["confirm", "dismiss"]))
@click.option("--reason", required=True, help="Why, in words.")
@common.actor_option
def decide(number: int, move: str, reason: str, actor: str | None) -> None:
    """Confirm or dismiss question NUMBER (复核): by somebody else than who replied.

    \b
    Example:
      rivergis patrol review decide 12 dismiss --reason "联合巡河,属实" --as lisi
    """
    from rivergis.patrol import review_workflow

    db = common.database()
    who = common.acting(db, actor, review_workflow.REVIEW)
    chosen = {"confirm": "confirmed", "dismiss": "dismissed"}[move]
    review_workflow.decide(db, number, chosen, reason, actor=who, view=_view())
    click.echo(f"{number}: {words.both('review_state.' + chosen)}")


def _named(db: Any, actor: str | None) -> str:
    """The name of who acts; what it may do is asked where it acts."""
    from rivergis.errors import UsageError

    name = actor or common.settings().actor
    if name is None:
        raise UsageError("Say who acts with --as NAME.")
    return name


def _view() -> RuleView:
    from rivergis import rules

    return rules.load(common.settings().rules_dir).at((rules.NATIONAL,), date.today())


COMMANDS: tuple[click.Command, ...] = (score_day, list_tracks, explain, accesses, account, review)
