"""In which encoding is this text? Strict decoding tells most; readable Chinese against mojibake tells the rest.

Old survey software writes GBK and says nothing, or says something else. Nothing is believed unread: what a file declares is
held against its bytes, and what was only found is said with a sample, so that a person can overrule it.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rivergis.errors import UsageError
from rivergis.intake.delivery import Defect, defect

# bytes looked at when encodings are compared; the whole is still decoded strictly
_SAMPLE_BYTES = 1 << 20
_BLOCK = 1 << 20
# so many multi-byte characters that are all valid UTF-8 are never chance
_SURELY_UTF8 = 4
# mean readability per byte by which another encoding must beat the declared one
_CLEARLY = 0.6
_DOUBTFUL = 0.25
_ACCENTED = re.compile("[a-z][\u00c0-\u024f]|[\u00c0-\u024f][a-z]")
# the first word beyond ASCII with what stands beside it
_TELLING = re.compile(r"""[\w+#-]{0,8}[^\x00-\x7f][^<>,;"\t\r\n]{0,29}""")
# a text, and whether it is whole (else it may end inside a character)
_Value = tuple[bytes, bool]
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# without a byte order mark these would be refused by their decoders
_UNMARKED = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_CHINESE = {"gbk", "gb2312", "cp936", "gb18030", "hz", "ms936", "936", "euccn", "eucgb2312cn"}
_NUMBERS = {
    "65001": "utf-8",
    "950": "big5",
    "1252": "cp1252",
    "88591": "iso-8859-1",
    "1200": "utf-16-le",
    "936": "gb18030",
}
# the commonest characters, and those of rivers, villages and survey tables
_FREQUENT = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还"
    "发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长高间外内东西南北左右岸河江湖海水库渠沟溪塘坝堤闸桥村镇乡县市区省"
    "街路山口湾滩沙洲岛港浦泾荡浜圩桩号管理范围保护界址点线界桩名称编码编号长度宽度面积高程经度纬度坐标备注类型级别流域段起止负责河长排污"
    "取水源农业工程建设完成单位时间测量调查日期永川云阳重庆州城关新王李张陈刘杨黄支干流总第二四五六七八九零百千万米公顷平均否是有无正常"
)
_PUNCTUATION = frozenset("、。，；：？！（）《》“”‘’—…·【】〔〕％＋－．／＃～℃°′″²³±×①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤ№")


@dataclass(frozen=True)
class Text:
    """How text is to be read. ``encoding`` None: plain ASCII, which needs none (``codec`` reads it all the same)."""

    encoding: str | None
    basis: str = ""
    """declared (how) | evidence (which) | given (--encoding) | empty for plain ASCII."""
    sample: str = ""
    """The first text beyond ASCII as it reads."""
    defects: tuple[Defect, ...] = ()

    @property
    def codec(self) -> str:
        return self.encoding or "utf-8"

    def read(self, raw: bytes) -> str:
        """Text of one value or file; a character cut at the end is left out, one that cannot be read becomes U+FFFD."""
        decoder = codecs.getincrementaldecoder(self.codec)("replace")
        return decoder.decode(raw)


def canonical(name: str | None) -> str | None:
    """One name for an encoding (GBK, GB2312, CP936 are parts of ``gb18030``); None for none or an unknown one."""
    plain = re.sub(r"[^a-z0-9]", "", (name or "").lower())
    plain = re.sub(r"^(ansi|oem|cp|windows|ms|ibm|dos)(?=\d)", "", plain)
    if plain in _CHINESE:
        return "gb18030"
    for known in (_NUMBERS.get(plain), (name or "").strip(), f"cp{plain}"):
        try:
            found = codecs.lookup(known or "").name
        except (LookupError, ValueError):
            continue
        if codecs.lookup(found)._is_text_encoding and "\0" not in (known or ""):
            return {"latin-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "cp950": "big5", "ascii": "utf-8"}.get(
                found, found
            )
    return None


def asked_encoding(asked: str | None) -> str | None:
    """The encoding a user named; ``UsageError`` if there is none of that name."""
    found = canonical(asked)
    if asked is not None and found is None:
        raise UsageError(f"There is no encoding {asked!r}: name one such as UTF-8, GBK or GB18030.")
    return found


def find_encoding(raw: bytes, *, asked: str | None = None, declared: str | None = None, how: str = "") -> Text:
    """The encoding of a whole text file (or its beginning) by its bytes.

    ``asked``: what the user names, overrules everything (``UsageError`` if there is no such encoding). ``declared``: what
    the file says of itself, ``how`` in words (its XML declaration); it is believed as far as the bytes bear it out.
    A byte order mark is a declaration of its own. Never raises for the bytes: what cannot be read is a defect.
    """
    mark = next((e for bom, e in _MARKS if raw.startswith(bom)), None)
    if mark and (not asked or asked_encoding(asked) == mark):
        basis = "given (--encoding)" if asked else "declared (byte order mark)"
        return Text(mark, basis, defects=_unreadable(raw, mark))
    if not asked and (wide := _wide(raw)):
        return _told(
            raw, wide, "evidence (every other byte is empty)", guessed=not (declared or "").lower().startswith("utf-16")
        )
    text = decode_evidence(_lines(raw), asked=asked, declared=declared, how=how)
    wrong = _unreadable(raw, text.codec) if text.encoding or not raw.isascii() else ()
    return Text(text.encoding, text.basis, text.sample, (*text.defects, *wrong))


def decode_evidence(
    values: Sequence[bytes],
    *,
    cut: Sequence[bytes] = (),
    asked: str | None = None,
    declared: str | None = None,
    how: str = "",
) -> Text:
    """The encoding of many short texts: ``values`` whole, ``cut`` perhaps ending inside a character (full DBF fields).

    Other arguments as ``find_encoding``. Defects: ``encoding_guessed`` (info), ``encoding_mismatch`` (warning).
    """
    given, said = (_UNMARKED.get(e or "", e) for e in (asked_encoding(asked), canonical(declared)))
    strange = _thinned([(v, True) for v in values if not v.isascii()] + [(v, False) for v in cut if not v.isascii()])
    if given:
        return Text(given, "given (--encoding)", _sample(strange, given))
    if not strange:
        return Text(said, _declared(declared, how)) if said else Text(None)
    if surely := _surely_utf8(strange):
        marks = {"utf-8": 1.0}
    else:
        marks = {e: readability(strange, e) for e in _candidates(said)}
    best = max(marks, key=lambda e: marks[e])
    if said and (said == best or (not surely and marks[said] > max(marks[best] - _CLEARLY, -1.0))):
        return Text(said, _declared(declared, how), _sample(strange, said))
    return _found(strange, best, marks[best], declared, how)


def _found(strange: Sequence[_Value], best: str, mark: float, declared: str | None, how: str) -> Text:
    best = _single_byte(strange) if best == "cp1252" else best
    sample, name = _sample(strange, best), shown(best)
    overrule = "Look at the sample; --encoding overrules."
    if declared and canonical(declared):
        why = f"{how or 'The file'} says {declared.strip()[:40]}, but the bytes are {name}: they read {sample!r}."
        found = defect("encoding_mismatch", "warning", why, f"Text is read as {name}. {overrule}", place=how or None)
    else:
        doubt: tuple[str, str] = ("warning", ", but hardly readable") if mark < _DOUBTFUL else ("info", "")
        why = f"No encoding is declared; the bytes read as {name}{doubt[1]}: {sample!r}."
        severity = "warning" if mark < _DOUBTFUL else "info"
        found = defect("encoding_guessed", severity, why, f"Text is read as {name}. {overrule}")  # type: ignore[arg-type]
    return Text(best, f"evidence ({_why(best)})", sample, (found,))


def _why(encoding: str) -> str:
    return {
        "utf-8": "every character is valid UTF-8",
        "gb18030": "reads as common Chinese in GB18030",
        "big5": "reads as common Chinese in Big5",
    }.get(encoding, "reads as a European language")


def shown(encoding: str) -> str:
    """An encoding's name for people."""
    return {"gb18030": "GB18030 (GBK)", "utf-8-sig": "UTF-8"}.get(encoding, encoding.upper())


def _declared(declared: str | None, how: str) -> str:
    return f"declared ({how + ': ' if how else ''}{(declared or '').strip()[:40]})"


def _told(raw: bytes, encoding: str, basis: str, *, guessed: bool) -> Text:
    sample = next((w for w in raw[:4096].decode(encoding, "replace").split() if not w.isascii()), "")[:40]
    found = (
        defect(
            "encoding_guessed",
            "info",
            f"No encoding is declared; the bytes read as {shown(encoding)}: {sample!r}.",
            "--encoding overrules.",
        ),
    )
    return Text(encoding, basis, sample, (found if guessed else ()) + _unreadable(raw, encoding))


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: ASCII characters leave every other byte empty."""
    head = raw[:4096]
    if len(head) < 4 or b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 10 or min(even, odd) > max(even, odd) / 10:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _lines(raw: bytes) -> list[bytes]:
    """Lines with bytes beyond ASCII, up to a sample's worth from all over the text."""
    found, size = [], 0
    step = max(1, len(raw) // (16 * _SAMPLE_BYTES))
    for block in range(0, len(raw), _BLOCK * step):
        piece = raw[block : block + _BLOCK]
        if piece.isascii():
            continue
        # the first and last line of a piece may be halves of one
        rows = piece.splitlines()
        inner = rows[1 if block else 0 : -1 if len(rows) > 2 and block + _BLOCK < len(raw) else None]
        lines = [r for r in inner if not r.isascii()]
        found += lines
        size += sum(map(len, lines))
        if size > 4 * _SAMPLE_BYTES:
            break
    return found


def _thinned(values: list[_Value]) -> list[_Value]:
    """An even sample of values of bounded size."""
    size = sum(len(v) for v, _ in values)
    return values[:: max(1, size // _SAMPLE_BYTES)] if size > _SAMPLE_BYTES else values


def _unreadable(raw: bytes, encoding: str) -> tuple[Defect, ...]:
    """Places where the bytes are no text of the encoding, counted over the whole."""
    decoder, wrong, first = codecs.getincrementaldecoder(encoding)("replace"), 0, None
    for start in range(0, len(raw), _BLOCK):
        piece = decoder.decode(raw[start : start + _BLOCK], final=start + _BLOCK >= len(raw))
        if "\ufffd" in piece:
            wrong += piece.count("\ufffd")
            first = first or piece[max(0, piece.index("\ufffd") - 20) : piece.index("\ufffd") + 10]
    if not wrong:
        return ()
    said = f"{wrong} characters cannot be read as {shown(encoding)}, for instance in {first!r}."
    return (
        defect("text_unreadable", "warning", said, "They are shown as \ufffd; ask for the file again.", count=wrong),
    )


# ---- judging --------------------------------------------------------------------------------------------------------


def _candidates(said: str | None) -> list[str]:
    return list(dict.fromkeys(["utf-8", "gb18030", "big5", "cp1252", *([said] if said else [])]))


def _surely_utf8(values: Sequence[_Value]) -> bool:
    """Whether every value is valid UTF-8, with too many characters for chance or accented letters inside words."""
    count = 0
    for value, whole in values:
        try:
            text = codecs.getincrementaldecoder("utf-8")("strict").decode(value, final=whole)
        except UnicodeDecodeError:
            return False
        count += sum(2 if ord(c) > 0x7FF else 1 for c in text if ord(c) > 127)
        count += _SURELY_UTF8 * bool(_ACCENTED.search(text))
    return count >= _SURELY_UTF8


def readability(values: Sequence[_Value], encoding: str) -> float:
    """How far values read as written by people: about 1 for Chinese or European text, below 0 for mojibake."""
    counted: Counter[tuple[str, bool]] = Counter()
    for value, whole in values:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(value, final=whole)
        counted.update((c, _in_word(text, i)) for i, c in enumerate(text) if ord(c) > 127)
    bytes_of = {c: max(1, len(c.encode(encoding, "ignore"))) for c, _ in counted}
    total = sum(n * bytes_of[c] for (c, _), n in counted.items())
    marks = sum(n * bytes_of[c] * _mark(c, inside, bytes_of[c]) for (c, inside), n in counted.items())
    return marks / total if total else -4.0


def _in_word(text: str, i: int) -> bool:
    """Whether a character stands beside an ASCII letter, as accented letters do."""
    before, after = text[i - 1 : i], text[i + 1 : i + 2]
    return (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())


def _mark(char: str, in_word: bool, size_bytes: int) -> float:
    code = ord(char)
    if char == "\ufffd":
        return -4.0
    if char in _FREQUENT:
        return 1.5
    if char in _PUNCTUATION:
        return 0.8
    if 0x3400 <= code <= 0x9FFF or code >= 0x20000:
        # four bytes that are one character are hardly ever chance
        return _common().get(char, 0.5 if size_bytes == 4 else -0.3)
    if 0x3000 <= code <= 0x303F or 0xFF00 <= code <= 0xFFEF:
        return 0.3
    if 0xC0 <= code <= 0x24F and code not in (0xD7, 0xF7):
        return 0.9 if in_word else 0.1
    return -2.0 if unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs") else -0.3


@cache
def _common() -> dict[str, float]:
    """Marks of the characters of GB2312 (level 1 by use, level 2 by radical) and of Big5's first level."""
    marks: dict[str, float] = {}
    for lead in range(0xB0, 0xF8):
        for trail in range(0xA1, 0xFF):
            char = bytes((lead, trail)).decode("gb2312", "ignore")
            if char:
                marks[char] = 1.0 if lead <= 0xD7 else 0.3
    for lead in range(0xA4, 0xC7):
        for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            char = bytes((lead, trail)).decode("big5", "ignore")
            if char:
                marks.setdefault(char, 0.8)
    return marks


def _single_byte(values: Sequence[_Value]) -> str:
    """ISO-8859-1, or Windows-1252 where bytes are used that only Windows gives a letter."""
    return "cp1252" if any(re.search(rb"[\x80-\x9f]", v) for v, _ in values) else "iso-8859-1"


def _sample(values: Sequence[_Value], encoding: str) -> str:
    """The first text beyond ASCII as it reads, shortened to what is telling."""
    if not values:
        return ""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(values[0][0])
    found = _TELLING.search(text)
    return found.group().strip() if found else ""


# ---- cut values -----------------------------------------------------------------------------------------------------


def cut_values(values: Sequence[bytes], width_bytes: int, encoding: str) -> list[int]:
    """Positions of the values of a field that were cut at its width (bytes); empty where nothing speaks for a cut.

    A value that ends inside a character was surely cut. Where the cut falls between characters, values pile up at the
    width: more of them than one character shorter, though some are shorter.
    """
    full = [i for i, v in enumerate(values) if not v.isascii() and len(v) > width_bytes - _longest(encoding)]
    halved = [i for i in full if _ends_inside(values[i], encoding)]
    if halved:
        return [i for i in full if len(values[i]) == width_bytes or i in set(halved)]
    return full if _piled_up(values, full, width_bytes, encoding) else []


def _longest(encoding: str) -> int:
    return 3 if encoding.startswith("utf-8") else 2


def _ends_inside(value: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    decoder.decode(value)
    return bool(decoder.getstate()[0])


def _piled_up(values: Sequence[bytes], full: list[int], width_bytes: int, encoding: str) -> bool:
    step = _longest(encoding)
    distinct = {values[i] for i in full}
    others = {v for v in values if v and not v.isascii()} - distinct
    if any(_bracket_open(v, encoding) for v in distinct):
        return True
    next_shorter = sum(width_bytes - 2 * step < len(v) <= width_bytes - step for v in others)
    enough = len(distinct) >= 4 and len(distinct) >= 0.2 * (len(distinct) + len(others))
    # fields made as narrow as their longest value hold values of one length (永川区, 云阳县): nothing was cut there
    return enough and width_bytes >= 10 and bool(others or width_bytes >= 20) and len(distinct) > 3 * next_shorter


def _bracket_open(value: bytes, encoding: str) -> bool:
    text = value.decode(encoding, "ignore")
    return any(text.count(a) > text.count(b) for a, b in ("（）", "《》", "()"))
