"""What the names of columns say: which two hold the position, which way they run, in degrees or metres."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["east", "north"]

_BEFORE = r"(?:(?<![a-z])|(?<=wgs)|(?<=gcj)|(?<=bd)|(?<=gps)|(?<=geo)|(?<=start)|(?<=end)|(?<=from)|(?<=begin)|(?<=center)|(?<=to))"
_LON = re.compile(rf"经度|东经|longt?itude|lgtd|lng|jingdu|{_BEFORE}long?(?![a-z])")
_LAT = re.compile(rf"纬度|维度|北纬|latt?itude|lttd|weidu|{_BEFORE}lat(?![a-z])")
_EAST = re.compile(r"东向?坐标|横坐标|横轴|easting|(?<![a-z])east(?![a-z])")
_NORTH = re.compile(r"北向?坐标|纵坐标|纵轴|northing|(?<![a-z])north(?![a-z])")
_LETTER = re.compile(r"(?:(?<![a-z])|(?<=point)|(?<=coord)|(?<=center)|(?<=start)|(?<=end))([xy])(?=coord|zb|$|[^a-z])")
# differences, errors and zones are no positions
_NO_POSITION = re.compile(
    r"差|改正|偏|[δΔσ]|delta|error|std|rms|速度|度带|带号|中央|子午|经纬|精度|accuracy|方向|缩放|(?<![a-z])d[xy](?![a-z])"
)
_UNIT = re.compile(
    r"[(\[{<]?\s*(度分秒|d\.?m\.?s|°|度|deg(?:rees?)?|mm|cm|km|毫米|厘米|公里|千米|m|米|met(?:er|re)s?)\s*[)\]}>]?$"
)
_ANGULAR = re.compile(r"度分秒|d\.?m\.?s|°|度|deg")
_EAST_SIGNS, _NORTH_SIGNS = {"e", "东", "东向", "东方"}, {"n", "北", "北向", "北方"}
_DECOR = re.compile(r"坐标|座标|大地|地理|平面|coord(?:inate)?s?|zb(?![a-z])|值|[\W_]+")
_START = re.compile(r"^(起点?|首点?|start|begin|from|s|1|a)$")
_END = re.compile(r"^(终点?|止点?|末点?|迄点?|end|to|e|2|b)$")
_SYSTEM = re.compile(
    r"wgs|gcj|bd|2000|cgcs|gps|80|54|84|百度|高德|腾讯|火星|天地图|国家|地方|独立|城市|utm|高斯|原|旧|新|校正|转换|施工|设计|实测|复测|检核|理论|测量"
)
_OFFICIAL = re.compile(r"wgs|2000|gps|cgcs|天地图")
_EAST_WEST = re.compile(
    r"^(e\s*/\s*w|ew|lon(?:gitude)?_?(?:dir(?:ection)?|hemi(?:sphere)?|ref)|东西(?:经|半球)?|东经/西经)$"
)
_NORTH_SOUTH = re.compile(
    r"^(n\s*/\s*s|ns|lat(?:itude)?_?(?:dir(?:ection)?|hemi(?:sphere)?|ref)|南北(?:纬|半球)?|北纬/南纬)$"
)
_GEOMETRY = {
    "wkt",
    "the_geom",
    "geom",
    "geometry",
    "shape",
    "wkb",
    "wkb_geometry",
    "geojson",
    "geom_wkt",
    "wkt_geom",
    "几何",
    "空间数据",
}
_TOGETHER = re.compile(r"经纬|坐标|座标|位置|lng_?lat|lon_?lat|lat_?lon|lat_?lng|coord|location|position|gps")

SYSTEM_WORDS = re.compile(
    r"2000国家|国家2000|cgcs|大地坐标|西安|北京(?:市)?(?:19)?54|54北京|wgs|gcj|bd-?09|火星|百度|高德|独立坐标|地方坐标|城市坐标|"
    r"度带|分带|中央子午|中央经|高程基准|高程系|黄海|吴淞|珠江基面|大沽|废黄河|epsg|投影|带号|utm|高斯|坐标系|椭球|大地高|l0\s*=|[3-6]\s*°\s*带",
    re.IGNORECASE,
)
_VERTICAL = (
    ("1985", re.compile(r"1985\s*(?:年)?国家高程|85\s*(?:国家)?高程|85\s*(?:国家)?(?:黄海)?基准|国家85")),
    ("1956", re.compile(r"(?:19)?56\s*(?:年)?黄海|黄海(?:高程|基面)")),
    ("吴淞", re.compile("吴淞")),
    ("珠江", re.compile("珠江(?:高程|基面)")),
    ("大沽", re.compile("大沽")),
    ("废黄河", re.compile("废黄河")),
    ("ellipsoidal", re.compile(r"大地高|椭球高|ellipsoid(?:al)?\s*h", re.IGNORECASE)),
)
_EPSG = re.compile(r"epsg\s*[:：]{1,2}\s*(\d{4,5})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Role:
    """What one name says about being a coordinate."""

    letter: str | None
    direction: Direction | None
    angular: bool | None
    rest: str
    """What is left of the name: columns of one position share it (起点, wgs84, 1)."""
    weak: bool
    """Only a letter such as E, N, B or L: it counts where the content agrees."""

    @property
    def kind(self) -> str:
        return "angle" if self.angular and self.direction else "letter" if self.letter else "direction"

    @property
    def first(self) -> bool:
        """Whether its column is the x of a pair."""
        return self.letter == "x" if self.letter else self.direction == "east"


@dataclass(frozen=True)
class Pair:
    """Two columns that hold a position: ``x`` is the column named X, else 经度, E, 东."""

    x: int
    y: int
    north_first: bool | None
    angular: bool | None
    rest: str = ""
    weak: bool = False


def plain(name: object) -> str:
    """A name in small letters and half-width characters, on one line."""
    said = unicodedata.normalize("NFKC", str(name)).strip().strip("'\"")
    said = " ".join(re.sub(r"([a-z])([A-Z])", r"\1_\2", said).split()).lower()
    # 经  度: drawn out to fill the cell
    return re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", said)


def role_of(name: object) -> Role | None:
    """What a column's name says; None if it names no coordinate."""
    said = plain(name)
    if not said or len(said) > 60 or _NO_POSITION.search(said):
        return None
    unit = _UNIT.search(said)
    bare, angular = said, None
    if unit and unit.start() and not re.search(r"[经纬维]度$", said) and _is_set_off(unit, said):
        bare, angular = said[: unit.start()], bool(_ANGULAR.match(unit[1]))
    return _role(bare, angular)


def _is_set_off(unit: re.Match[str], said: str) -> bool:
    """Whether a unit stands apart from the name: X(m), X/m, X_m, X米, but not the m of a word."""
    return unit[0][0] in "([{<" or not unit[1][0].isascii() or bool(re.search(r"[/_,\s]$", said[: unit.start()]))


def _role(bare: str, angular: bool | None) -> Role | None:
    direction: Direction | None = None
    words: tuple[tuple[re.Pattern[str], Direction, bool], ...] = (
        (_LON, "east", True), (_LAT, "north", True), (_EAST, "east", False), (_NORTH, "north", False)
    )  # fmt: skip
    rest, degrees = bare, False
    for word, way, is_angle in words:
        if word.search(rest):
            if direction not in (None, way):
                return None
            direction, degrees, rest = way, degrees or is_angle, word.sub(" ", rest)
    letters = _LETTER.findall(rest)
    letter = letters[0] if len(letters) == 1 else None
    rest = _LETTER.sub(" ", rest) if letter else rest
    return _finish(letter, direction, True if degrees else angular, rest)


def _finish(letter: str | None, direction: Direction | None, angular: bool | None, rest: str) -> Role | None:
    tokens = [t for t in _DECOR.sub(" ", rest).split() if t]
    weak = False
    signs = [t for t in tokens if t in _EAST_SIGNS | _NORTH_SIGNS]
    if direction is None and len(signs) == 1 and (letter or all(t.isdigit() for t in tokens if t not in signs)):
        direction = "east" if signs[0] in _EAST_SIGNS else "north"
        weak = letter is None
        tokens.remove(signs[0])
    if direction is None and letter is None and len(tokens) == 1 and tokens[0] in ("b", "l", "jd", "wd"):
        direction, weak, angular = ("north" if tokens[0] in ("b", "wd") else "east"), True, True
        tokens = []
    if letter is None and direction is None:
        return None
    if angular and direction:
        tokens = [t for t in tokens if t not in ("b", "l", "n", "e")]
    return Role(letter, direction, angular, "".join(tokens), weak)


def pairs(names: Sequence[object]) -> list[Pair]:
    """Every position that the names give, in the order of the table: names that differ only in X and Y, 经 and 纬, E and N."""
    roles = {i: r for i, n in enumerate(names) if (r := role_of(n)) is not None}
    found: list[Pair] = []
    for key in (lambda r: (r.kind, r.rest), lambda r: r.kind, lambda r: ""):
        groups: dict[object, list[int]] = {}
        for i, role in roles.items():
            groups.setdefault(key(role), []).append(i)
        for members in groups.values():
            made = _pair_up(members, roles, several=not found and key(roles[members[0]]) != "")
            found += made
            for pair in made:
                roles.pop(pair.x), roles.pop(pair.y)
    return sorted(found, key=lambda p: min(p.x, p.y))


def _pair_up(members: list[int], roles: dict[int, Role], several: bool) -> list[Pair]:
    xs, ys = [i for i in members if roles[i].first], [i for i in members if not roles[i].first]
    if not several and (len(xs) != 1 or len(ys) != 1):
        return []
    made = [_pair(x, y, roles[x], roles[y]) for x, y in zip(xs, ys, strict=False)]
    return [p for p in made if p is not None]


def _pair(i: int, j: int, x: Role, y: Role) -> Pair | None:
    if x.direction is not None and x.direction == y.direction:
        return None
    north = x.direction == "north" if x.direction else y.direction == "east" if y.direction else None
    angular = x.angular if x.angular is not None else y.angular
    return Pair(i, j, north, angular, x.rest, x.weak or y.weak)


def lonely(names: Sequence[object]) -> list[str]:
    """Names that surely mean longitude or latitude, in a table that has no partner for them."""
    return [str(n) for n in names if (r := role_of(n)) is not None and r.angular and r.direction and not r.weak]


def ends(found: Sequence[Pair]) -> tuple[Pair, Pair] | None:
    """The two positions of a row that has a start and an end (起点经度 ... 终点纬度); None if it has not."""
    starts = [p for p in found if _START.match(p.rest)]
    stops = [p for p in found if _END.match(p.rest)]
    for start in starts:
        for stop in stops:
            if start.angular == stop.angular and start.north_first == stop.north_first:
                return start, stop
    return None


def are_two_places(one: Pair, other: Pair) -> bool:
    """Whether two pairs of the same kind give two places (左岸, 右岸), not one place in two systems (WGS84, GCJ)."""
    same_kind = (one.angular, one.north_first) == (other.angular, other.north_first)
    return same_kind and not any(_SYSTEM.search(p.rest) for p in (one, other))


def preference(pair: Pair) -> tuple[bool, bool]:
    """Sorts positions of one row: degrees first (they need no zone), then those that name an official system."""
    return (pair.angular is not True, not _OFFICIAL.search(pair.rest))


def is_geometry(name: object) -> bool:
    return plain(name) in _GEOMETRY


def sign_columns(names: Sequence[str]) -> tuple[int | None, int | None]:
    """Columns that hold only E or W, and N or S, of loggers that write the letters apart."""
    said = [plain(n) for n in names]
    east = next((i for i, n in enumerate(said) if _EAST_WEST.match(n)), None)
    north = next((i for i, n in enumerate(said) if _NORTH_SOUTH.match(n)), None)
    return east, north


def rest_of(name: object) -> str:
    """What is left of the name of a column that holds both coordinates (起点 of 起点坐标)."""
    return _DECOR.sub("", plain(name))


def may_hold_both(name: object) -> bool:
    """Whether a column of this name may hold x and y in one cell (坐标, 经纬度, location)."""
    return bool(_TOGETHER.search(plain(name)))


def unit_of(name: object) -> bool | None:
    """What a unit at the end of a heading says: degrees (True), metres (False); None if there is none."""
    said = plain(name)
    unit = _UNIT.search(said)
    if not unit or re.search(r"[经纬维]度$", said) or not (unit[0][0] in "([{<" or len(unit[0]) == len(said)):
        return None
    return bool(_ANGULAR.match(unit[1]))


def is_unit(cell: object) -> bool:
    """A cell that only names a unit, as in a second header row: (m), 米, °."""
    said = plain(cell)
    return bool(said) and bool((m := _UNIT.match(said)) and m.end() == len(said))


def vertical_datum(text: str) -> str | None:
    """The height system that words name: 1985, 1956, 吴淞, 珠江, 大沽, 废黄河, ellipsoidal; None if none or several."""
    found = [name for name, word in _VERTICAL if word.search(text)]
    if "1985" in found and "1956" in found and not re.search(r"56\s*(?:年)?黄海", text):
        found.remove("1956")
    return found[0] if len(found) == 1 else None


def epsg_code(text: str) -> str | None:
    """``EPSG:n`` if the words name exactly one."""
    codes = set(_EPSG.findall(text))
    return f"EPSG:{codes.pop()}" if len(codes) == 1 else None


def system_words(texts: Sequence[str]) -> str:
    """The words among these that speak of a coordinate or height system, as they stand, each once."""
    kept = [" ".join(t.split())[:200] for t in texts if SYSTEM_WORDS.search(t)]
    return " · ".join(dict.fromkeys(kept))[:1000]
