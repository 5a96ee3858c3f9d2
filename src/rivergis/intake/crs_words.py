"""What words near the data say of its coordinate system: headings, notes, file names, an unreadable .prj."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rivergis.intake.crs_declared import Family, meridian_of, meridian_of_zone


@dataclass(frozen=True)
class Hint:
    """What words near the data say of its system; never enough for certainty, but a contradiction is worth a look."""

    family: Family = "none"
    datum: Literal["gcj02", "bd09"] | None = None
    meridian: float | None = None
    zone: int | None = None
    """Number of a 3-degree (25-45) or 6-degree (13-23) zone."""

    def allows(self, epsg: int | None) -> bool:
        """Whether a CGCS2000 zone code agrees with the words."""
        if epsg is None or not 4491 <= epsg <= 4554:
            return True
        meridian = meridian_of(epsg)
        wanted = self.meridian if self.meridian is not None else meridian_of_zone(self.zone) if self.zone else None
        return wanted is None or abs(meridian - wanted) < 1e-6


_WORDS: tuple[tuple[Family, re.Pattern[str]], ...] = (
    (
        "local",
        re.compile(r"独立坐标|地方坐标|城市坐标|城建坐标|施工坐标|工程坐标|假定坐标|任意坐标|LOCAL_CS", re.IGNORECASE),
    ),
    (
        "xian80",
        re.compile(
            r"IAG[\s_-]*(?:19)?75|西安\s*80|西安坐标|1980\s*(年)?西安|80\s*西安|XI'?AN[_\s-]*(19)?80", re.IGNORECASE
        ),
    ),
    (
        "beijing54",
        re.compile(
            r"KRASS?OW?[SV]SKY|克拉索夫斯基|北京\s*54|北京坐标|1954\s*(年)?北京|54\s*北京|BEIJING[_\s-]*(19)?54",
            re.IGNORECASE,
        ),
    ),
    (
        "cgcs2000",
        re.compile(r"CGCS[\s_]?2000|2000\s*国家大地|国家\s*2000|大地\s*2000|2000\s*坐标|China_2000", re.IGNORECASE),
    ),
    ("wgs84", re.compile(r"WGS[\s_-]*(19)?84", re.IGNORECASE)),
)
_MERIDIAN = re.compile(
    r"(?:中央(?:子午线|经线)(?:经度)?\D{0,6}?|CM[\s_]*|L0\s*=\s*)(\d{2,3}(?:\.\d+)?)(?:\s*[°度]\s*(\d{1,2})\s*[′'分])?"
    r"|(\d{2,3}(?:\.\d+)?)\s*[°度]?\s*(?:E\s*)?中央子午线",
    re.IGNORECASE,
)
_ZONE = re.compile(r"(?:第\s*|带号\D{0,3}?|Zone[\s_]*)(\d{2})(?!\d)|(?<!\d)(\d{2})\s*(?:号)?带", re.IGNORECASE)


def hint(text: str) -> Hint:
    """The system that a heading, a file name or an unreadable .prj speaks of."""
    none: Family = "none"
    family = next((f for f, words in _WORDS if words.search(text)), none)
    zone = _ZONE.search(text)
    number = int(next(g for g in zone.groups() if g)) if zone else None
    known = number is not None and (13 <= number <= 23 or 25 <= number <= 45)
    return Hint(family, map_datum(text), _meridian(text), number if known else None)


def map_datum(text: str) -> Literal["gcj02", "bd09"] | None:
    """The shifted datum of map apps that words name."""
    if re.search(r"BD[\s_-]*0?9(?!\d)|百度坐标", text, re.IGNORECASE):
        return "bd09"
    return "gcj02" if re.search(r"GCJ[\s_-]*0?2|火星坐标|高德坐标|腾讯坐标", text, re.IGNORECASE) else None


def _meridian(text: str) -> float | None:
    """The central meridian in degrees that words name; 106°30′ is 106.5."""
    found = _MERIDIAN.search(text)
    if found is None:
        return None
    degrees = float(next(g for g in (found.group(1), found.group(3)) if g))
    return degrees + float(found.group(2) or 0) / 60
