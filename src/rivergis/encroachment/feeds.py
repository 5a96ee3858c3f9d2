"""Feeds (数据来源): who delivers what in which form and how often, and what the name of a file says of its day."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import date

from rivergis.errors import UsageError


@dataclass(frozen=True)
class Kind:
    """What is usual for a kind of feed, unless it is said otherwise."""

    profile: str
    complete: bool
    images: bool = False
    inbox: bool = True
    """Whether its files may come through a folder; reports of people come by ``rivergis encroachment report``."""


KINDS = {
    "patches": Kind("patches", True),
    "hotline": Kind("hotline", False),
    "video": Kind("video_alerts", False),
    "drone": Kind("footprints", False, images=True),
    "footprints": Kind("footprints", True),
    "reports": Kind("report", False, inbox=False),
    "other": Kind("plain", True),
}
# what a person may change of a feed; what is None is as the files say, or not there
FIELDS = (
    "name", "kind", "layer", "profile", "source_layer", "crs", "datum", "encoding", "complete", "parts", "images", "date_pattern", "folder",
    "cadence_days", "late_after_days", "dead_after_days", "owner", "until",
)  # fmt: skip


@dataclass(frozen=True)
class Feed:
    """A feed as it is registered; fields as the columns of ``data.feed``."""

    code: str
    name: str
    kind: str
    profile: str
    complete: bool
    images: bool = False
    parts: bool = False
    layer: str = "candidate"
    source_layer: str | None = None
    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
    date_pattern: str | None = None
    folder: str | None = None
    cadence_days: int | None = None
    late_after_days: int | None = None
    dead_after_days: int | None = None
    owner: str | None = None
    until: date | None = None

    @property
    def namespace(self) -> str:
        """Who gave the codes of its candidates: two feeds may both count from 1."""
        return f"feed:{self.code}"


_CODE = re.compile(r"[\w.-]{1,64}")
_PLACEHOLDERS = {"YYYY": r"(?P<y>\d{4})", "MM": r"(?P<m>\d{2})", "DD": r"(?P<d>\d{2})", "*": r".*"}
_USUAL = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<s>[-_.]?)(?P<m>\d{2})(?P=s)(?P<d>\d{2})(?!\d)")


def checked(feed: Feed) -> Feed:
    """The feed if it can be used as said; ``UsageError`` in one sentence otherwise."""
    if not _CODE.fullmatch(feed.code):
        raise UsageError(
            f"{feed.code!r} cannot be the code of a feed: use letters, digits, dot, hyphen and underscore, at most 64."
        )
    if feed.kind not in KINDS:
        raise UsageError(f"There is no kind of feed {feed.kind!r}; the kinds are {', '.join(KINDS)}.")
    if feed.folder and not KINDS[feed.kind].inbox:
        raise UsageError(
            "Reports of people have no folder: take them in with 'rivergis encroachment report'; their feed is called inspector."
        )
    if feed.date_pattern is not None:
        _pattern(feed.date_pattern)
    if feed.parts and not feed.complete:
        raise UsageError("Only a complete picture comes in parts; what adds to what came before needs no --parts.")
    _check_rhythm(feed)
    return feed


def _check_rhythm(feed: Feed) -> None:
    days = (feed.cadence_days, feed.late_after_days, feed.dead_after_days)
    if any(d is not None and d < 1 for d in days):
        raise UsageError(f"Days of a feed are whole numbers from 1, not {min(d for d in days if d is not None)}.")
    if feed.cadence_days is None and any(days):
        raise UsageError(
            "Say with --cadence-days how often it should come, or leave out after how many days it is late."
        )
    if feed.late_after_days and feed.dead_after_days and feed.dead_after_days < feed.late_after_days:
        raise UsageError(
            f"It cannot be dead ({feed.dead_after_days} days) before it is late ({feed.late_after_days} days): exchange them."
        )


def with_rhythm(feed: Feed, late_cadences: float, dead_cadences: float) -> Feed:
    """The feed with the days after which it is late and dead, from its cadence where nobody said them."""
    if feed.cadence_days is None:
        return replace(feed, late_after_days=None, dead_after_days=None)
    late = feed.late_after_days or math.ceil(feed.cadence_days * late_cadences)
    dead = feed.dead_after_days or max(math.ceil(feed.cadence_days * dead_cadences), late)
    return replace(feed, late_after_days=late, dead_after_days=dead)


def _pattern(pattern: str) -> re.Pattern[str]:
    """``YYYY``, ``MM`` and ``DD`` once each as digits, ``*`` as anything; the rest stands for itself."""
    parts = re.split(r"(YYYY|MM|DD|\*)", pattern)
    if any(parts.count(p) != 1 for p in ("YYYY", "MM", "DD")):
        raise UsageError(f"The date pattern {pattern!r} must hold YYYY, MM and DD once each, such as alerts_YYYYMMDD*.")
    return re.compile("".join(_PLACEHOLDERS.get(p) or re.escape(p) for p in parts))


def day_in_name(name: str, pattern: str | None) -> date | None:
    """The civil day that the name of a file (without folder) says; None where it says none.

    Without a pattern: the last day written as 2026-05-20, 2026_05_20, 2026.05.20 or 20260520. A pattern holds from the
    beginning of the name. Digits that are no day (20261345) are none.
    """
    found = [_pattern(pattern).match(name)] if pattern else [*_USUAL.finditer(name)][::-1]
    for match in found:
        if match is None:
            continue
        try:
            return date(int(match["y"]), int(match["m"]), int(match["d"]))
        except ValueError:
            continue
    return None


def part_in_name(name: str, pattern: str | None) -> str:
    """Which part of a picture a file holds: its path without ending and without the day; empty where nothing else is said."""
    folder, slash, last = name.rpartition("/")
    if pattern is None:
        said = _USUAL.sub("", name)
    elif "/" in pattern:
        said = _without_day(name, pattern)
    else:
        said = folder + slash + _without_day(last, pattern)
    folder, slash, last = said.rpartition("/")
    stem = last.rpartition(".")[0] if "." in last else last
    return "/".join(p for part in f"{folder}{slash}{stem}".split("/") if (p := part.strip(" _-.")))


def _without_day(said: str, pattern: str) -> str:
    match = _pattern(pattern).match(said)
    for start, end in sorted((match.span(g) for g in "ymd"), reverse=True) if match else ():
        said = said[:start] + said[end:]
    return said
