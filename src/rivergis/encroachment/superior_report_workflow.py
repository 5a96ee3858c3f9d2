"""Lists of higher levels (上级清单) reported back: their own form with state, days and evidence filled in, every other cell as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import patch_files, superior, superior_store
from rivergis.encroachment.superior import Profile
from rivergis.intake import times

# what a task says that is done, and that another person accepted, in the states that lists have words for
_DONE = {"done": "rectified", "accepted": "closed"}


@dataclass(frozen=True)
class Reported:
    """A list given back: its rows, cells filled in by field, and numbers that mean no case."""

    file: str
    rows: int
    filled: dict[str, int]
    without_case: list[str]
    cut: list[tuple[str, str]]


def export(conn: Connection, name: str, out: Path, store_dir: Path, profile: Profile) -> Reported:
    """Report a list back in the form it came in: state, days and evidence filled in, every other cell as it was."""
    head = superior_store.named(conn, name)
    items = superior_store.items(conn, head["id"])
    cases = superior_store.cases(conn, [i["finding_id"] for i in items if i["finding_id"]])
    own = _own_words(items, profile)
    values = {}
    for i in items:
        said = _task(i, own) if head["kind"] == "tasks" else _case(i, cases.get(str(i["finding_id"])), own, profile)
        values[i["source_feature"]] = {
            f: v for f, v in said.items() if f in head["columns"] or _added(f, head["columns"])
        }
    form = patch_files.Form(
        head["columns"], values, head["headings"], head["encoding"], head["source_layer"], fields=superior.REPORTED
    )
    patch_files.write(store_dir / head["file_path"], out, form)
    filled = Counter(f for said in values.values() for f in said)
    left = [i["number"] for i in items if head["kind"] == "problems" and str(i["finding_id"]) not in cases]
    return Reported(str(out), len(items), dict(sorted(filled.items())), left, form.cut)


def _added(name: str, columns: Mapping[str, str]) -> bool:
    """A form that has no cell for the state at all gets one behind the last: else nothing could be reported in it."""
    return name == "state" and not {"closed_yes", "rectified_yes"} & columns.keys()


def _own_words(items: Sequence[Mapping[str, Any]], profile: Profile) -> dict[str, str]:
    """state -> the word that this list itself uses for it most."""
    seen = Counter((profile.states.get(superior.plain(w)), w) for i in items if (w := i["said"].get("state")))
    return {state: word for (state, word), _ in reversed(seen.most_common()) if state}


def _word(state: str, own: Mapping[str, str]) -> str:
    return own.get(state) or words.say(f"state.finding.{state}")


def _case(
    item: Mapping[str, Any], case: Mapping[str, Any] | None, own: Mapping[str, str], profile: Profile
) -> dict[str, Any]:
    """What is to be written into the row of a problem; nothing that says already what is so."""
    if case is None or case["state"] == "found":
        return {}
    said, state = item["said"], case["state"]
    out: dict[str, Any] = {}
    told = profile.states.get(superior.plain(said.get("state", "")))
    # 未整改 stays true of a case that was only handed over
    if told != state and (told, state) != ("problem", "assigned"):
        out["state"] = _word(state, own)
    rank = superior.LADDER.index(state) if state in superior.LADDER else -1
    out["rectified_yes"] = _yes(rank >= superior.LADDER.index("rectified"), said.get("rectified_yes"), profile)
    out["closed_yes"] = _yes(rank >= superior.LADDER.index("closed"), said.get("closed_yes"), profile)
    days = {"rectified_on": case["rectified_at"], "closed_on": case["closed_at"] or case["closed_above_at"]}
    out |= {name: _civil(at) for name, at in days.items() if at is not None and not said.get(name)}
    if case["evidence"] and not said.get("evidence"):
        out["evidence"] = ";".join(dict.fromkeys(case["evidence"]))
    return {k: v for k, v in out.items() if v is not None}


def _yes(so: bool, said: str | None, profile: Profile) -> str | None:
    """是 or 否 where the cell says something else."""
    return None if profile.answers.get(superior.plain(said or "")) is so else "是" if so else "否"


def _task(item: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """What is to be written into the row of a task."""
    if item["step"] not in _DONE:
        return {}
    out: dict[str, Any] = {"state": own.get(_DONE[item["step"]]) or words.say(f"superior.task_{item['step']}")}
    if item["step"] == "accepted" and not item["said"].get("closed_on"):
        out["closed_on"] = _civil(item["step_at"])
    return out


def _civil(at: datetime) -> str:
    """A moment as a civil day, as forms write it."""
    return at.astimezone(times.REGION).date().isoformat()
