"""Deadlines as papers write them (完成时限): a civil day, a standing duty, or both; what cannot be read is said, never guessed.

Pure. A month without 底 or 前 ends with its last day; 6月前 ends with the last day of May, 6月30日前 with that day. A deadline that
names no year, or a span (30日内), counts from the day the paper was issued and from nothing else.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

STANDING = re.compile(
    r"(?:并|且|同时)?(?:长期|持续|常态化|常态长效|长效|坚持|日常化)(?:坚持|推进|开展|实施|落实|保持|巩固|管护|管理|监管|整改)*"
)
AT_ONCE = re.compile(r"立行立改|立查立改|即知即改|即查即改|即行即改|边查边改|立即整改|立即完成|立即|马上整改|马上")
_FILLER = re.compile(
    r"(?:不迟于|不晚于|前|之前|以前|底|完成|整改|到位|销号|落实|基本|全面|全部|力争|确保|务必|须|需|应|要|于|在|并|且|和|后|时限|期限|截止|截至|至|"
    r"[,、;。.:()\-—\s])+"
)
_PATTERNS = (
    r"(?P<y1>(?:19|20)\d\d)\s*[-/.年]\s*(?P<m1>\d{1,2})\s*[-/.月]\s*(?P<d1>\d{1,2})\s*[日号]?(?:\s*00:00(?::00)?)?(?!\d)",
    r"(?<!\d)(?P<y2>(?:19|20)\d\d)(?P<m2>0[1-9]|1[0-2])(?P<d2>[0-3]\d)(?!\d)",
    r"(?<!\d)(?P<m3>\d{1,2})\s*月\s*(?P<d3>\d{1,2})\s*[日号]",
    r"(?P<y4>(?:19|20)\d\d)\s*[-/.年]\s*(?P<m4>\d{1,2})(?!\d)\s*月?份?(?P<part4>上旬|中旬|下旬|底|末)?(?P<before4>之?前|以前)?",
    r"(?P<rel5>今年|明年|次年|本年|当年)?\s*(?<!\d)(?P<m5>\d{1,2})\s*月份?(?P<part5>上旬|中旬|下旬|底|末)?(?P<before5>之?前|以前)?",
    r"(?P<y6>(?:19|20)\d\d|今|明|次|本|当)\s*年?度?\s*(?P<span6>上半年|下半年|第?[一二三四1-4]季度|年?底|年?末|年?内)(?P<end6>末|底)?",
    r"(?P<span7>上半年|下半年|第?[一二三四1-4]季度|年底|年末|年内|本月底|本月内|月底)",
    r"(?P<y8>(?:19|20)\d\d)\s*年度?(?P<before8>之?前|以前)?",
    r"(?P<n9>\d{1,3}|[一二三四五六七八九十两]{1,3})\s*(?:个)?(?P<unit9>工作日|自然日|日历日|日|天|周|月|年)(?:之|以)?内",
)
_TOKEN = re.compile("|".join(f"(?:{p})" for p in _PATTERNS))
# what a cell holds that nobody filled in
_EMPTY = ("", "/", "\\", "-", "--", "—", "——", "无")
_PART_DAY = {"上旬": 10, "中旬": 20}
_QUARTER = {"一": 3, "二": 6, "三": 9, "四": 12, "1": 3, "2": 6, "3": 9, "4": 12}
_DIGIT = {c: n for n, c in enumerate("一二三四五六七八九", 1)} | {"两": 2}


@dataclass(frozen=True)
class Deadline:
    """What a deadline says. ``doubt``: why it could not be read whole (a key of the catalogue under ``deadline.``), else None."""

    due_on: date | None = None
    standing: bool = False
    """A duty that goes on (长期坚持), with or without a day."""
    at_once: bool = False
    """立行立改: due on the day the paper was issued."""
    doubt: str | None = None


class _Doubt(Exception):
    """A day that cannot be told without guessing."""


def parse(said: object, issued_on: date | None = None) -> Deadline:
    """Which day and which standing duty a deadline means (整改时限). ``issued_on``: civil day of the paper it stands in.

    With a doubt there is no day: one that was only half understood is none.
    """
    if isinstance(said, (datetime, date)):
        return Deadline(said.date() if isinstance(said, datetime) else said)
    text = unicodedata.normalize("NFKC", "" if said is None else str(said)).strip()
    if text in _EMPTY:
        return Deadline()
    standing, at_once = bool(STANDING.search(text)), bool(AT_ONCE.search(text))
    rest = AT_ONCE.sub(" ", STANDING.sub(" ", text))
    found = list(_TOKEN.finditer(rest))
    try:
        days = sorted({_day(m, issued_on) for m in found})
        if _FILLER.sub("", _TOKEN.sub(" ", rest)).strip():
            raise _Doubt("words_unknown")
        if len(days) > 1:
            raise _Doubt("several_days")
        if not days and at_once and issued_on is None:
            raise _Doubt("issue_day_needed")
        if not days and not (standing or at_once):
            raise _Doubt("no_day")
    except _Doubt as doubt:
        return Deadline(None, standing, at_once, str(doubt))
    return Deadline(days[0] if days else issued_on if at_once else None, standing, at_once)


def _day(m: re.Match[str], issued_on: date | None) -> date:
    g = {k: v for k, v in m.groupdict().items() if v is not None}
    try:
        if "d1" in g or "d2" in g:
            return date(*(int(g[k + ("1" if "d1" in g else "2")]) for k in ("y", "m", "d")))
        if "n9" in g:
            return _span(g["n9"], g["unit9"], issued_on)
        if "y4" in g:
            return _in_month(int(g["y4"]), int(g["m4"]), g.get("part4"), "before4" in g)
        if "y8" in g:
            return date(int(g["y8"]) - ("before8" in g), 12, 31)
        return _without_year(g, issued_on)
    except ValueError:
        raise _Doubt("no_such_day") from None


def _without_year(g: dict[str, str], issued_on: date | None) -> date:
    """A day whose year, or month, is that of the paper."""
    said = g.get("rel5") or g.get("y6", "")
    if said.isdecimal():
        return _part_of_year(int(said), g["span6"])
    if issued_on is None:
        raise _Doubt("issue_day_needed")
    year = issued_on.year + (said[:1] in ("明", "次"))
    if "d3" in g:
        day = date(year, int(g["m3"]), int(g["d3"]))
    elif "m5" in g:
        day = _in_month(year, int(g["m5"]), g.get("part5"), "before5" in g)
    elif "月" in g.get("span7", ""):
        day = _in_month(year, issued_on.month, "底", False)
    else:
        day = _part_of_year(year, g.get("span6") or g["span7"])
    if day < issued_on:
        raise _Doubt("before_issue")
    return day


def _in_month(year: int, month: int, part: str | None, before: bool) -> date:
    """The last day of a month or of a third of it; 6月前 is the last day of May."""
    first = date(year, month, 1)
    if before and part is None:
        return first - timedelta(days=1)
    return date(year, month, _PART_DAY.get(part or "", calendar.monthrange(year, month)[1]))


def _part_of_year(year: int, span: str) -> date:
    month = 6 if span == "上半年" else 12
    if "季" in span:
        month = _QUARTER[span.removeprefix("第")[0]]
    return _in_month(year, month, None, False)


def _span(number: str, unit: str, issued_on: date | None) -> date:
    """A span from the day of the paper; working days need a calendar of holidays that nobody has given."""
    if unit == "工作日":
        raise _Doubt("working_days")
    if issued_on is None:
        raise _Doubt("issue_day_needed")
    n = int(number) if number.isdecimal() else _number(number)
    if unit in ("月", "年"):
        months = issued_on.year * 12 + issued_on.month - 1 + n * (12 if unit == "年" else 1)
        year, month = divmod(months, 12)
        return date(year, month + 1, min(issued_on.day, calendar.monthrange(year, month + 1)[1]))
    return issued_on + timedelta(days=n * (7 if unit == "周" else 1))


def _number(text: str) -> int:
    """A Chinese number up to 99."""
    tens, ten, ones = text.rpartition("十")
    return (_DIGIT.get(tens, 1) * 10 if ten else 0) + _DIGIT.get(ones, 0)


def exact(said: object) -> date | None:
    """A civil day that a cell names in full, year first (发现日期, 销号日期); None for anything less."""
    if isinstance(said, (datetime, date)):
        return said.date() if isinstance(said, datetime) else said
    text = unicodedata.normalize("NFKC", "" if said is None else str(said)).strip()
    m = re.match(_PATTERNS[0], text) or re.match(_PATTERNS[1], text)
    try:
        return _day(m, None) if m else None
    except _Doubt:
        return None
