"""Encodings by evidence: what was written is what is read, whoever declared what; cut values stay decidable."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import UsageError
from rivergis.intake import text

RIVERS = [
    "临江河",
    "小安溪",
    "九龙河",
    "圣水河",
    "秦淮新河",
    "牛首河",
    "澎溪河",
    "洛阳江",
    "渌江",
    "盘阳河",
    "綦江河",
    "蒲河",
    "流溪河",
]
WORDS = [
    "左岸",
    "右岸",
    "管理范围线",
    "界桩",
    "水库",
    "排污口",
    "村道桥下游",
    "备注：待核实",
    "一级保护区",
    "闸门",
    "堤防",
    "镇区段",
]
place_names = st.builds(
    lambda a, b, n: f"{a}{b}{n}", st.sampled_from(RIVERS), st.sampled_from(WORDS), st.integers(0, 999)
)


@settings(deadline=None)
@given(st.lists(place_names, min_size=1, max_size=8), st.sampled_from(["gbk", "gb18030", "utf-8"]))
def test_chinese_reads_as_it_was_written(values: list[str], encoding: str) -> None:
    raw = [v.encode(encoding) for v in values]
    found = text.decode_evidence(raw)
    assert [found.read(r) for r in raw] == values
    assert [d.code for d in found.defects] == ["encoding_guessed"]
    assert found.defects[0].severity == "info" and found.sample


@settings(deadline=None)
@given(st.lists(place_names, min_size=2, max_size=8), st.sampled_from(["gbk", "utf-8"]), st.integers(7, 20))
def test_values_cut_anywhere_stay_decidable(values: list[str], encoding: str, width: int) -> None:
    raw = [v.encode(encoding)[:width] for v in values]
    found = text.decode_evidence([], cut=raw)
    for value, cut in zip(values, raw, strict=True):
        assert value.startswith(found.read(cut))


@settings(deadline=None)
@given(
    st.lists(place_names, min_size=2, max_size=6),
    st.sampled_from([("gbk", "UTF-8"), ("utf-8", "GBK"), ("gbk", "ISO-8859-1"), ("utf-8", "CP936")]),
)
def test_a_declaration_that_lies_is_overruled_by_the_bytes(values: list[str], case: tuple[str, str]) -> None:
    encoding, lie = case
    raw = [v.encode(encoding) for v in values]
    found = text.decode_evidence(raw, declared=lie, how=".cpg")
    assert [found.read(r) for r in raw] == values
    assert [(d.code, d.severity) for d in found.defects] == [("encoding_mismatch", "warning")]


@settings(deadline=None)
@given(st.lists(place_names, min_size=1, max_size=6), st.sampled_from(["gbk", "utf-8"]))
def test_a_true_declaration_raises_no_alarm(values: list[str], encoding: str) -> None:
    found = text.decode_evidence([v.encode(encoding) for v in values], declared=encoding.upper())
    assert not found.defects and found.basis.startswith("declared")


@pytest.mark.parametrize(
    "word",
    ["Müller", "Straße", "Köln", "São Tomé", "Ñandú", "Größe äöü", "Gemüsegärtnerei", "Alto da Nação", "Río Ñuble"],
)
def test_european_text_does_not_become_chinese(word: str) -> None:
    old, new = text.decode_evidence([word.encode("latin-1")]), text.decode_evidence([word.encode()])
    assert (old.encoding, old.read(word.encode("latin-1"))) == ("iso-8859-1", word)
    assert (new.encoding, new.read(word.encode())) == ("utf-8", word)


@pytest.mark.parametrize("word", ["㙍埗", "深水㙍", "𠮷野溪", "㵲阳河"])
def test_rare_characters_of_four_bytes(word: str) -> None:
    found = text.decode_evidence([word.encode("gb18030")])
    assert (found.encoding, found.read(word.encode("gb18030"))) == ("gb18030", word)


def test_big5_is_told_from_gbk() -> None:
    word = "臺灣省新竹縣竹東鎮頭前溪"
    assert text.decode_evidence([word.encode("big5")]).encoding == "big5"
    assert text.decode_evidence([word.encode("gbk")]).encoding == "gb18030"


def test_plain_ascii_needs_no_encoding() -> None:
    found = text.find_encoding(b"code,lon,lat\na,106,29\n")
    assert (found.encoding, found.basis, found.defects) == (None, "", ())


@pytest.mark.parametrize(
    ("encoding", "basis", "codes"),
    [("utf-8-sig", "declared", []), ("utf-16", "declared", []), ("utf-16-le", "evidence", ["encoding_guessed"])],
)
def test_whole_files_with_and_without_a_mark(encoding: str, basis: str, codes: list[str]) -> None:
    table = "点号,X,Y\n" + "".join(f"永川{i},{i},1\n" for i in range(20))
    found = text.find_encoding(table.encode(encoding))
    assert found.basis.startswith(basis) and found.read(table.encode(encoding)).removeprefix("\ufeff") == table
    assert [d.code for d in found.defects] == codes


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([None, "GBK", "UTF-8", "nonsense", "utf-16", "base64", "\0"]))
def test_no_bytes_whatever_raise(raw: bytes, declared: str | None) -> None:
    found = text.find_encoding(raw, declared=declared)
    assert isinstance(found.read(raw), str)


def test_damage_in_a_whole_file_is_counted() -> None:
    raw = ("永川河左岸\n" * 500).encode() + b"\xff\xfe" + "临江河\n".encode()
    found = text.find_encoding(raw)
    assert found.encoding == "utf-8" and "永川河左岸" in found.read(raw)
    assert [d.code for d in found.defects if d.severity == "warning"] == ["text_unreadable"]


def test_what_the_user_names_overrules_and_must_exist() -> None:
    assert text.find_encoding("永川".encode("gbk"), asked="cp936", declared="UTF-8").basis == "given (--encoding)"
    with pytest.raises(UsageError, match="There is no encoding 'KLINGON'"):
        text.find_encoding(b"a", asked="KLINGON")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("936", "gb18030"),
        ("OEM 936", "gb18030"),
        ("ANSI 1252", "cp1252"),
        ("UTF8", "utf-8"),
        ("88591", "iso-8859-1"),
        ("x", None),
        ("base64", None),
        ("950", "big5"),
    ],
)
def test_names_of_encodings_as_side_files_write_them(name: str, known: str | None) -> None:
    assert text.canonical(name) == known


# ---- cut values -----------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(place_names, min_size=4, max_size=12, unique=True), st.sampled_from(["gbk", "utf-8"]))
def test_values_that_fit_their_field_are_no_alarm(values: list[str], encoding: str) -> None:
    raw = [v.encode(encoding) for v in values]
    assert text.cut_values(raw, max(map(len, raw)) + 3, encoding) == []


def test_a_cut_inside_a_character_is_sure() -> None:
    raw = ["永川河左岸".encode()[:10], "临江河".encode(), b"K1+200", b""]
    assert text.cut_values(raw, 10, "utf-8") == [0]


def test_a_cut_between_characters_shows_by_values_piling_up() -> None:
    full = ["流溪河从化段左", "增江荔城段右岸", "西福河中新段左", "派潭河派潭段右"]
    raw = [v.encode("gbk")[:14] for v in [*full, "绥福河"]]
    assert text.cut_values(raw, 14, "gb18030") == [0, 1, 2, 3]


def test_fields_as_narrow_as_their_values_are_not_cut() -> None:
    counties = [v.encode("gbk") for v in ("永川区", "云阳县", "江宁区", "从化区", "洛江区")]
    assert text.cut_values(counties, 6, "gb18030") == []
    codes = [b"500118000%02d" % i for i in range(20)]
    assert text.cut_values(codes, 11, "gb18030") == []


def test_real_tables(test_data: Path) -> None:
    folder = test_data / "outfalls_stations"
    gbk = (folder / "wuhan_dongxihu_stations_gbk.csv").read_bytes()
    plain = (folder / "wuhan_dongxihu_stations.csv").read_bytes()
    assert (text.find_encoding(gbk).encoding, text.find_encoding(plain).encoding) == ("gb18030", "utf-8")
    assert text.find_encoding(gbk).read(gbk).split() == text.find_encoding(plain).read(plain).split()
