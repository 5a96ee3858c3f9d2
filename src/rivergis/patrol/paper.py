"""The paper log (纸质巡河日志): one sheet per chief with the landmarks of the stretches answered for, found again by its number."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rivergis.river.landmarks import Gazetteer

# no characters that a pen makes alike (0 O, 1 I L, 2 Z); 29 is prime, so that the check finds one wrong or two swapped
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXY3456789"
_LENGTH = 6
_SAME_PLACE_M = 1.0
ONE_PAGE = 40
"""Lines (landmarks and headings of rivers) that a single page holds beside its fields."""
FIRST_PAGE, NEXT_PAGE, LAST_PAGE = 48, 54, 46


def number_of(identity: Any) -> str:
    """The number of the sheet of a chief (表号), always the same: ``AB3D-7KX``; the last character checks the others."""
    figure = int.from_bytes(hashlib.sha256(f"sheet/{identity}".encode()).digest()[:8], "big")
    letters = []
    for _ in range(_LENGTH):
        figure, rest = divmod(figure, len(_LETTERS))
        letters.append(_LETTERS[rest])
    text = "".join(letters)
    return f"{text[:4]}-{text[4:]}{_check(text)}"


def _check(text: str) -> str:
    return _LETTERS[sum((i + 2) * _LETTERS.index(c) for i, c in enumerate(text)) % len(_LETTERS)]


def is_number(said: str) -> bool:
    """Whether a text is a sheet's number without a slip of the pen; hyphen, blanks, width and case do not matter."""
    text = _plain(said)
    return len(text) == _LENGTH + 1 and all(c in _LETTERS for c in text) and _check(text[:-1]) == text[-1]


def looks_like_number(said: str) -> bool:
    """Whether somebody meant a sheet's number, right or wrong: seven capitals and figures with a hyphen after four."""
    text = unicodedata.normalize("NFKC", said).strip().upper()
    return len(text) == _LENGTH + 2 and text[4] == "-" and text.replace("-", "").isalnum() and text.isascii()


def same_number(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(said: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", said).upper() if c.isalnum())


@dataclass(frozen=True)
class Line:
    """One line of a sheet: a landmark to tick, an end of the stretch, or (``heading``) a river."""

    label: str
    name: str
    kind: str | None = None
    banks: tuple[str, ...] = ()
    heading: bool = False


@dataclass(frozen=True)
class Sheet:
    """The sheet of one chief: who, and the lines of the stretches in downstream order."""

    number: str
    chief: str
    chief_code: str
    title: str
    unit: str
    level: str
    lines: list[Line] = field(default_factory=list)

    def pages(self) -> list[list[Line]]:
        """Lines page by page: one page if they fit, a river's heading never alone at the foot."""
        rest = list(self.lines)
        out: list[list[Line]] = []
        while len(rest) > (ONE_PAGE if not out else LAST_PAGE):
            size = min(FIRST_PAGE if not out else NEXT_PAGE, len(rest) - 1)
            size -= rest[size - 1].heading
            out.append(rest[:size])
            rest = rest[size:]
        return [*out, rest]


def lines_of(duties: Sequence[Any], rivers: dict[Any, str], gazetteer: Gazetteer, ends: tuple[str, str]) -> list[Line]:
    """The lines of a chief's stretches: each river as a heading, its two ends and its landmarks with official 桩号.

    ``duties``: rows with river_id, bank, from_m, to_m; ``ends``: words for the beginning and the end of a stretch, which stand
    where no landmark does.
    """
    out: list[Line] = []
    for duty in sorted(duties, key=lambda d: (rivers.get(d.river_id, ""), d.from_m, d.bank)):
        banks = ("left", "right") if duty.bank == "both" else (duty.bank,)

        def line(at_m: float, name: str, kind: str | None, duty: Any = duty, banks: tuple[str, ...] = banks) -> Line:
            return Line(gazetteer.label(duty.river_id, at_m), name, kind, banks)

        first, last = (gazetteer.label(duty.river_id, m) for m in (duty.from_m, duty.to_m))
        out.append(Line(f"{first} – {last}", rivers.get(duty.river_id, ""), banks=banks, heading=True))
        marks = list(gazetteer.on_river(duty.river_id, duty.from_m, duty.to_m).itertuples())
        if not marks or marks[0].at_m - duty.from_m > _SAME_PLACE_M:
            out.append(line(duty.from_m, ends[0], None))
        out += [line(m.at_m, m.name, m.kind) for m in marks]
        if not marks or duty.to_m - marks[-1].at_m > _SAME_PLACE_M:
            out.append(line(duty.to_m, ends[1], None))
    return out
