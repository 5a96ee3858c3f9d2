"""Words of the sources and the classes they mean, place by place; what the law forbids on which ground."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import rules
from rivergis.rules import classes
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
CLASSES = BOOK.taxonomy["classes"]
LISTED = [(code, word) for code, words in BOOK.taxonomy["words"].items() for word in words]


def view(at: str = "000000", on: date = date(2026, 5, 20)) -> rules.RuleView:
    return BOOK.at(rules.path_of(at), on)


@pytest.mark.parametrize(
    ("label", "at", "word", "groups", "code"),
    [
        ("national 四乱", "000000", "乱占", {"乱占"}, "occupation.other"),
        ("national 四乱 in a village", "500199001003", "乱建", {"乱建"}, "building.other"),
        ("D2 乱占乱建", "350504", "乱占乱建", {"乱占", "乱建"}, None),
        ("D2 乱排乱倒", "350504", "乱排乱倒", {"排污口", "乱堆"}, None),
        ("D2 乱采砂", "350504", "乱采砂", {"乱采"}, "extraction.no_permit"),
        ("D2 乱截流", "350504001", "乱截流", {"乱建"}, "building.barrage"),
        ("D2 elsewhere", "500118", "乱截流", set(), None),
        ("D3 三乱", "500118", "三乱", {"排污口", "乱占", "乱建"}, None),
        ("D3 岸线乱占", "500118", "岸线乱占", {"乱占"}, "occupation.other"),
        ("D3 污水乱排", "500118", "污水乱排", {"排污口"}, "outfall.discharge"),
        ("D4 三排", "500110", "污水“三排”", {"排污口"}, "outfall.discharge"),
        ("D4 清四乱", "500110", "清四乱", {"乱占", "乱采", "乱堆", "乱建"}, None),
        ("D6 两违", "000000", "两违", {"乱占", "乱建"}, None),
        ("D7 多占少用", "000000", "多占少用", {"乱建"}, "building.shoreline_misuse"),
        ("D8 填河、占河", "000000", "填河、占河", {"乱占"}, "occupation.fill_channel"),
        ("D9 随意调整岸线", "000000", "随意调整岸线", {"乱建"}, "building.shoreline_shift"),
        ("D10 河道岸滩违章建筑", "000000", "河道岸滩违章建筑", {"乱建"}, "building.obstacle"),
        ("D11 拦河养鱼", "000000", "拦河养鱼", {"乱占"}, "occupation.fish_barrier"),
        ("D12 消落带种植", "000000", "消落带种植", {"乱占"}, "occupation.drawdown_planting"),
        ("D13 简单渠化", "000000", "简单渠化", {"乱占"}, "occupation.change_course"),
        ("D14 水白菜", "000000", "水白菜", {"乱堆"}, "dumping.floating"),
        ("D18 非法取水", "000000", "非法取水", {"取水"}, "other.water_taking"),
        ("D18 排污", "000000", "排污", {"排污口"}, "outfall.discharge"),
        ("D18 养殖", "000000", "养殖", {"乱占"}, "occupation.aquaculture"),
        ("D18 捕捞", "000000", "捕捞", {"捕捞"}, "other.fishing"),
        ("D18 围垦河道", "000000", "围垦河道", {"乱占"}, "occupation.reclaim_river"),
        ("D18 设障", "000000", "设障", {"碍洪"}, "other.obstacle"),
        ("D19 道路施工侵占", "000000", "道路施工侵占", {"乱建"}, "building.road_works"),
        ("长寿 2025 临河房屋", "500115", "临河房屋", {"乱建"}, "building.obstacle"),
        ("长寿 2025 涉河建设项目", "500115", "涉河建设项目", {"乱建"}, "building.no_or_off_permit"),
        ("writing: full width", "000000", " Ｇreen HOUSE", {"乱占"}, "occupation.greenhouse"),
        ("writing: capitals", "000000", "GreenHouse", {"乱占"}, "occupation.greenhouse"),
        ("writing: quotes and spaces", "000000", " “采 砂” ", {"乱采"}, "extraction.no_permit"),
        ("group and sub-type", "000000", "乱建-房屋", {"乱建"}, "building.obstacle"),
        ("group and sub-type in brackets", "000000", "乱堆（建筑垃圾）", {"乱堆"}, "dumping.solid_waste"),
        ("group and a detail nobody knows", "000000", "乱建(砖房)", {"乱建"}, "building.other"),
        ("two sub-types of one group", "000000", "生活垃圾、渣土", {"乱堆"}, None),
        ("two groups", "000000", "房屋/垃圾", {"乱建", "乱堆"}, None),
        ("one known, one not", "000000", "房屋、飞碟", set(), None),
        ("parts of a local list", "350504", "乱排乱倒:垃圾", {"排污口", "乱堆"}, None),
        ("nobody knows it", "000000", "飞碟", set(), None),
        ("part of a word is no word", "000000", "房屋附近", set(), None),
        ("nothing", "000000", "", set(), None),
    ],
)
def test_a_word_means_groups_and_perhaps_a_class(
    label: str, at: str, word: str, groups: set[str], code: str | None
) -> None:
    told = BOOK.local_class(rules.path_of(at), word)
    assert (set(told.groups), told.code) == (groups, code)
    assert told.known == bool(groups)


@pytest.mark.parametrize(("code", "word"), LISTED)
def test_a_listed_word_is_its_class_whatever_the_kind_says(code: str, word: str) -> None:
    for kind in ("unknown", "building"):
        told = view().class_of(kind, word)
        assert (told.taxon.code, told.told_by) == (code, "word")
    assert view().class_of("unknown", word).differs is False


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("围垦湖泊", "occupation.reclaim_lake"),
        ("未依法经省级以上人民政府批准围垦河道", "occupation.reclaim_river"),
        ("非法侵占水域、滩地", "occupation.water_or_beach"),
        ("种植阻碍行洪的林木及高秆作物", "occupation.tall_plants"),
        ("未经许可采砂", "extraction.no_permit"),
        ("不按许可要求采砂", "extraction.off_permit"),
        ("在禁采区、禁采期采砂", "extraction.forbidden_area_or_time"),
        ("未经批准取土", "extraction.soil"),
        ("乱扔乱堆垃圾", "dumping.rubbish"),
        ("倾倒、填埋、贮存、堆放固体废物", "dumping.solid_waste"),
        ("弃置、堆放阻碍行洪的物体", "dumping.obstacle"),
        ("水域岸线长期占而不用、多占少用、滥占滥用", "building.shoreline_misuse"),
        ("未经许可和不按许可要求建设涉河项目", "building.no_or_off_permit"),
        ("河道管理范围内修建阻碍行洪的建筑物、构筑物", "building.obstacle"),
    ],
)
def test_the_sub_types_of_the_ministry_in_its_own_words(word: str, code: str) -> None:
    """办河湖〔2018〕245号, whole."""
    assert BOOK.local_class(("000000",), word).code == code


@pytest.mark.parametrize("code", [c for c in CLASSES if c != "other.unknown"])
def test_what_was_written_out_comes_back_in(code: str) -> None:
    for word in (code, CLASSES[code]["zh"], CLASSES[code]["en"]):
        assert BOOK.local_class(("000000",), word).code == code


KNOWN = {classes.same(w) for _, w in LISTED} | {
    classes.same(w) for a in BOOK.taxonomy["aliases"] for w in [*a["terms"], *a.get("classes", {})]
}
KNOWN |= {classes.same(w) for code, c in CLASSES.items() for w in (code, c["zh"], c["en"])}
KNOWN |= {classes.same(w) for use in BOOK.taxonomy["allowed_uses"].values() for w in use["words"]}


@given(st.text(max_size=6), st.sampled_from(["000000", "350504", "500118"]))
def test_an_unlisted_word_is_never_guessed(word: str, at: str) -> None:
    told = BOOK.local_class(rules.path_of(at), word)
    if not any(classes.same(part) in KNOWN for part in (word, *re.split(r"\W+", word))):
        assert not told.known and view(at).class_of("unknown", word).taxon.code == "other.unknown"


def test_every_class_can_be_named_measured_and_graded_or_not() -> None:
    reached = {c for c, _ in LISTED} | set(BOOK.taxonomy["candidate_kinds"].values())
    asked = {c for q in BOOK.taxonomy["questions"].values() for c in ([q] if isinstance(q, str) else q.values())}
    assert reached | asked == set(CLASSES)
    for code in CLASSES:
        taxon = view().taxon(code)
        assert taxon.measure in ("m", "m2", "m3", "count")
        if taxon.severity not in (None, "listed"):
            assert BOOK.registry[taxon.severity]["unit"] == taxon.measure
        assert not taxon.across or taxon.measure == "m"


def test_the_law_of_a_basin_comes_first_there() -> None:
    assert view("500199").taxon("dumping.solid_waste").clause.startswith("《长江保护法》第四十九条;")
    assert view("540000").taxon("dumping.solid_waste").clause == "《水污染防治法》第三十八条"


@pytest.mark.parametrize(
    ("label", "at", "on", "zones", "code", "clauses"),
    [
        ("house on the beach", "000000", "2026-05-20", {"management_area", "beach"}, "building.obstacle", ["批准 《河道管理条例》第二十五条", "禁止 《防洪法》第二十二条"]),
        ("house on the levee", "000000", "2026-05-20", {"management_area", "levee"}, "building.obstacle", ["禁止 《防洪法》第二十二条", "禁止 《河道管理条例》第二十四条"]),
        ("solar plant", "000000", "2026-05-20", {"management_area"}, "building.solar_wind", ["禁止 《水利部关于加强河湖水域岸线空间管控的指导意见》(水河湖〔2022〕216号)"]),
        ("solar plant before the notice", "000000", "2022-04-30", {"management_area"}, "building.solar_wind", []),
        ("solid waste by the Yangtze's law", "500199", "2026-05-20", {"management_area"}, "dumping.solid_waste", ["禁止 《河道管理条例》第二十四条", "禁止 《防洪法》第二十二条", "禁止 《长江保护法》第四十九条"]),
        ("before the Yangtze had a law", "500199", "2020-05-20", {"management_area"}, "dumping.solid_waste", ["禁止 《河道管理条例》第二十四条", "禁止 《防洪法》第二十二条"]),
        ("net pens in class 1", "000000", "2026-05-20", {"source_zone", "source_zone.1"}, "occupation.net_pen", ["禁止 《水污染防治法》第六十五条"]),
        ("a field forbids nothing", "000000", "2026-05-20", {"management_area", "beach"}, "occupation.water_or_beach", []),
        ("outside of everything", "000000", "2026-05-20", set(), "building.obstacle", []),
    ],
)  # fmt: skip
def test_prohibitions(label: str, at: str, on: str, zones: set[str], code: str, clauses: list[str]) -> None:
    told = view(at, date.fromisoformat(on)).prohibitions(zones, code)
    assert [f"{p['needs']} {p['clause']}" for p in told] == clauses
    assert all(set(p["zone"]) <= zones for p in told)


def test_a_lawful_use_holds_where_the_rules_recognise_it() -> None:
    arable = view().lawful_use("occupation", "耕地")
    assert arable is not None and (arable.code, arable.evidence) == ("arable_beach_land", None)
    assert view().lawful_use("building", "耕地") is None and view().lawful_use("occupation", "高秆作物") is None
    assert view().lawful_use("occupation", None) is None
    station = view().lawful_use("building", "水文站")
    assert station is not None and station.evidence


@pytest.mark.parametrize(
    ("label", "change", "sentence"),
    [
        ("a word of a class that is not", ("words", {"nothing.such": ["天书"]}), "unknown class 'nothing.such'"),
        ("a word for two classes", ("words", {"building.other": ["采砂"]}), "stands for"),
        ("a group that is not", ("aliases", [{"place": "甲", "adcode": "000000", "source": "乙", "terms": {"丙": ["乱飞"]}}]), "the unknown group '乱飞'"),
        ("a stem without classes", ("buffers", [{"of": ["flying.*"], "clause": "《法》"}]), "the unknown class 'flying"),
        ("a rule key that is not", ("buffers", [{"of": ["building.*"], "clause": "《法》", "rule": "no.such"}]), "unknown rule key 'no.such'"),
    ],
)  # fmt: skip
def test_a_taxonomy_that_names_what_is_not_there_is_told(label: str, change: tuple[str, object], sentence: str) -> None:
    part, added = change
    own = BOOK.taxonomy[part]
    taxonomy = BOOK.taxonomy | {part: {**own, **added} if isinstance(added, dict) else [*own, *added]}  # type: ignore[misc]
    assert any(sentence in fault for fault in classes.faults(taxonomy, BOOK.registry))
    assert not list(classes.faults(BOOK.taxonomy, BOOK.registry))
