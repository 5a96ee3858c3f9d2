"""Lists that higher levels issue and offices keep: what a row of problems, tasks or water works says (上级问题清单、整改任务分解表).

Pure: rows are texts by field. A state, a day or a class that cannot be read is told as a doubt with what was said, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rivergis.encroachment import deadlines, patches
from rivergis.encroachment.deadlines import Deadline
from rivergis.encroachment.patches import Field
from rivergis.errors import RuleError
from rivergis.rules import RuleView

KINDS = ("problems", "tasks", "works")
# fields that we may fill in when a list is reported back, and what a column is called that the form does not have
REPORTED = (
    Field("state", "整改状态", "machine"),
    Field("rectified_yes", "是否整改", "machine"),
    Field("closed_yes", "是否销号", "machine"),
    Field("rectified_on", "整改完成日期", "machine"),
    Field("closed_on", "销号日期", "machine"),
    Field("evidence", "佐证材料", "people"),
)
# how far a case is; outcomes that end it otherwise stand beside this ladder
LADDER = ("found", "problem", "assigned", "rectified", "accepted", "closed", "closed_above")
OUTCOME_STATES = {1: "not_a_problem", 2: "historic_harmless", 3: "historic_listed", 4: "problem"}
ROLES = ("lead", "responsible", "supporting")
_BRACKETS = re.compile(r"[(\[【][^)\]】]*[)\]】]")
# room for a heading in the table of a Shapefile
_SHAPE_BYTES = 10
_BETWEEN = re.compile(r"[、,;|\n]+")


@dataclass(frozen=True)
class Doubt:
    """What of a row could not be read: field, what was said, and why (key of the catalogue)."""

    field: str
    said: str
    code: str


@dataclass(frozen=True)
class Profile:
    """How a list names its fields, and what its words of state mean; data in ``gis/rules/list_fields``."""

    name: str
    columns: Mapping[str, Mapping[str, tuple[str, ...]]]
    """kind of list -> field -> headings."""
    states: Mapping[str, str]
    """word -> state."""
    answers: Mapping[str, bool]


@dataclass(frozen=True)
class Meant:
    """What a row of problems means: the state it says, its deadline, its units, its class."""

    state: str | None
    deadline: Deadline
    units: list[dict[str, str]]
    class_code: str | None
    group: str | None
    found_on: date | None
    rectified_on: date | None
    closed_on: date | None
    doubts: list[Doubt] = field(default_factory=list)


def profile_of(name: str, body: Any) -> Profile:
    """A profile from its file; ``RuleError`` says what is wrong in it."""
    parts = {"about", *KINDS, "states", "answers"}
    if (
        not isinstance(body, dict)
        or set(body) != parts
        or not all(isinstance(body[p], dict) for p in parts - {"about"})
    ):
        raise RuleError(f"{name}.yaml: a profile of lists has {', '.join(sorted(parts))}, each but 'about' a mapping.")
    unknown = set(body["states"]) - {*LADDER, *OUTCOME_STATES.values()}
    if unknown or set(body["answers"]) != {"yes", "no"}:
        raise RuleError(f"{name}.yaml: states are {', '.join(LADDER)} and outcomes, answers are yes and no.")
    columns = {k: {f: tuple(str(h) for h in named) for f, named in body[k].items()} for k in KINDS}
    states = {plain(w): state for state, said in body["states"].items() for w in said}
    return Profile(name, columns, states, {plain(w): a == "yes" for a, said in body["answers"].items() for w in said})


def plain(word: object) -> str:
    """A word without what writers differ in: width, blanks, capitals, quotes, and full stops."""
    text = unicodedata.normalize("NFKC", str(word)).casefold()
    return "".join(c for c in text if not c.isspace() and c not in "\"'“”‘’.。*")


def columns_of(headings: Sequence[str], names: Mapping[str, Sequence[str]], cut: bool = False) -> dict[str, str]:
    """field -> heading of the file that holds it; a bracket behind a heading (一般是单位) does not count. Each heading once.

    ``cut``: the file (a Shapefile) has room for ten bytes of a heading; one that was cut counts where it can only be one field.
    """
    there: dict[str, str] = {}
    for h in headings:
        whole = plain(h)
        for key in (whole, plain(_BRACKETS.sub("", unicodedata.normalize("NFKC", str(h)))) or whole):
            there.setdefault(key, str(h))
    out: dict[str, str] = {}
    for name, spelled in names.items():
        found = next((there[p] for p in map(plain, spelled) if p in there and there[p] not in out.values()), None)
        if found is not None:
            out[name] = found
    return out | _cut(there, names, out) if cut else out


def _cut(there: Mapping[str, str], names: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> dict[str, str]:
    """The fields that are still open, by headings that were cut to ten bytes."""
    meant: dict[str, set[str]] = {}
    for name, spelled in names.items():
        for word in map(plain, spelled):
            for code in ("gb18030", "utf-8"):
                meant.setdefault(word.encode(code)[:_SHAPE_BYTES].decode(code, "ignore"), set()).add(name)
    fits = [
        (min(meant[h]), own) for h, own in there.items() if len(meant.get(h, ())) == 1 and own not in known.values()
    ]
    return {name: own for name, own in fits if name not in known and sum(n == name for n, _ in fits) == 1}


def units_of(said: Mapping[str, str]) -> list[dict[str, str]]:
    """The units that a row names with their part in it: lead (牵头), responsible (责任), supporting (配合)."""
    return [
        {"unit": unit.strip(), "role": role}
        for role in ROLES
        for unit in _BETWEEN.split(unicodedata.normalize("NFKC", said.get(role, "")))
        if unit.strip() and plain(unit) not in ("/", "-", "无")
    ]


def meaning(said: Mapping[str, str], profile: Profile, view: RuleView, issued_on: date | None) -> Meant:
    """What a row of problems means (问题清单). ``issued_on``: civil day of the list, from which deadlines without a year count."""
    doubts: list[Doubt] = []
    deadline = deadlines.parse(said.get("deadline"), issued_on)
    if deadline.doubt:
        doubts.append(Doubt("deadline", said["deadline"], deadline.doubt))
    units = units_of(said)
    state = _state(said, profile, doubts)
    if state in (None, "problem") and "state" not in {d.field for d in doubts} and units and _set(deadline):
        state = "assigned"  # who has a deadline and somebody to keep it was handed over
    code, group = class_of(said, view)
    if group is None and (said.get("class_detail") or said.get("class_word")):
        doubts.append(Doubt("class_word", said.get("class_detail") or said["class_word"], "class_unknown"))
    days = {name: _exact(said, name, view.on, doubts) for name in ("found_on", "rectified_on", "closed_on")}
    return Meant(state or _unless(doubts), deadline, units, code, group, **days, doubts=doubts)


def _set(deadline: Deadline) -> bool:
    return deadline.due_on is not None or deadline.standing or deadline.at_once


def _unless(doubts: Sequence[Doubt]) -> str | None:
    """A row without a state is a problem that somebody put on a list; one whose state cannot be read says none."""
    return None if any(d.field == "state" for d in doubts) else "problem"


def _exact(said: Mapping[str, str], name: str, today: date, doubts: list[Doubt]) -> date | None:
    """A day on which something was done; one that is still to come is none."""
    day = deadlines.exact(said.get(name))
    if day is not None and day > today:
        doubts.append(Doubt(name, said[name], "day_to_come"))
        return None
    if day is None and plain(said.get(name, "")) not in ("", "/", "-", "无"):
        doubts.append(Doubt(name, said[name], "no_day"))
    return day


def _state(said: Mapping[str, str], profile: Profile, doubts: list[Doubt]) -> str | None:
    """The state that a row says in its cell of state, or by 是 and 否 in a column of their own; the furthest of them."""
    found = [s for s in (_word_state(said.get("state"), profile, doubts), *_answers(said, profile, doubts)) if s]
    ladder = [s for s in found if s in LADDER]
    return next((s for s in found if s not in LADDER), None) or max(ladder, key=LADDER.index, default=None)


def _word_state(word: str | None, profile: Profile, doubts: list[Doubt]) -> str | None:
    if plain(word or "") in ("", "/", "-", "无"):
        return None
    assert word is not None
    known = profile.states.get(plain(word))
    try:
        outcome = None if known else patches.outcome(word)
    except ValueError:
        outcome = None
    if known is None and outcome is None:
        doubts.append(Doubt("state", word, "state_unknown"))
    return known or (OUTCOME_STATES[outcome] if outcome else None)


def _answers(said: Mapping[str, str], profile: Profile, doubts: list[Doubt]) -> list[str]:
    out = []
    for name, yes, no in (("closed_yes", "closed", None), ("rectified_yes", "rectified", "problem")):
        word = said.get(name)
        if plain(word or "") in ("", "/", "-"):
            continue
        answer = profile.answers.get(plain(word))
        if answer is None:
            doubts.append(Doubt("state", str(word), "state_unknown"))
        elif state := (yes if answer else no):
            out.append(state)
    return out


def class_of(said: Mapping[str, str], view: RuleView) -> tuple[str | None, str | None]:
    """Class and group (乱占, 乱建 ...) that a row names: by the finer of its words that is known. None where neither is."""
    group = None
    for word in (said.get("class_detail"), said.get("class_word")):
        found = view.book.local_class(view.path, word) if word else None
        if found is not None and found.code:
            return found.code, found.groups[0] if len(found.groups) == 1 else view.taxon(found.code).group_zh
        if found is not None and len(found.groups) == 1:
            group = group or found.groups[0]
    return None, group


def kind_of(group: str | None, view: RuleView) -> str:
    """Kind of object that a group is a question about; ``unknown`` where that is open."""
    kinds = view.book.taxonomy["candidate_kinds"]
    return next((k for k, code in kinds.items() if group and view.taxon(code).group_zh == group), "unknown")


def step(current: str, said: str) -> str:
    """What a row that says a state does to a case: same, take (it is further on), ahead (we are further) or contradicts."""
    if said == current:
        return "same"
    if current == "found":
        return "take"
    if said in LADDER and current in LADDER:
        return "take" if LADDER.index(said) > LADDER.index(current) else "ahead"
    return "contradicts"


def keys(numbers: Sequence[str | None]) -> list[str]:
    """The number that each row is known by in its list; where it is missing or stands again, # and which of them it is."""
    return patches.keys([" ".join(str(n).split()) if n else None for n in numbers])
