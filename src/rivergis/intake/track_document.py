"""The XML of a track file, also cut off, padded, in a wrong namespace or in GBK under a UTF-8 heading.

Files that declare entities were refused before. The parser goes on after an error, resolves no entities and fetches
nothing; elements are known by their local name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from rivergis.errors import InputError
from rivergis.intake import text as encodings
from rivergis.intake.delivery import Asked, Defect, defect

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)[\"']")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r")
# elements that are one fix, place or placemark: what is cut within one of them is left out
_UNITS = {"gpx": ("trkpt", "rtept", "wpt"), "kml": ("Placemark", "coord", "when"), "tcx": ("Trackpoint",)}
# a tree takes some twenty times as much memory as its text
_TREE_CHARS = 8 << 20
_ROOTS = {"gpx": "gpx", "kml": "kml", "TrainingCenterDatabase": "tcx"}


@dataclass
class Document:
    """A file as text that a parser can take, and what had to be said to get there."""

    path: Path
    kind: str
    text: str
    encoding: encodings.Text
    defects: list[Defect] = field(default_factory=list)
    broken: str = ""
    """Where and why the parser found the XML not well formed."""


def kind_of(text: str) -> str | None:
    """gpx, kml or tcx by the root element; None for other text."""
    root = re.search(r"<([A-Za-z_][\w.-]*:)?(\w+)", text[: 1 << 20])
    return _ROOTS.get(root[2]) if root and text.lstrip("\ufeff\0 \t\r\n").startswith("<") else None


def unpadded(raw: bytes) -> bytes:
    """A file without what a device fills its blocks with; in UTF-16 zero bytes are halves of characters."""
    return raw if b"\0" in raw[:4] or raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw.rstrip(b"\0\x1a\xff")


def document_of(path: Path, raw: bytes, asked: Asked) -> Document:
    declared = _DECLARED.search(raw[:400])
    encoding = encodings.find_encoding(
        raw,
        asked=asked.encoding,
        declared=declared[1].decode() if declared else "utf-8",
        how="XML declaration",
    )
    # the text is decoded already; what its first line says of an encoding would only mislead the parser
    text = _DECLARATION.sub("", encoding.read(raw).lstrip("\ufeff\0 \t\r\n"), count=1)
    kind = kind_of(text)
    if kind is None:
        raise InputError(f"{path.name} is not a whole GPX, KML or TCX file: export it again.", file=str(path))
    document = Document(path, kind, text, encoding)
    _whole(document)
    if not _is_xml_text(document.text):
        document.text = _NOT_XML.sub("", document.text)
    return document


def _is_xml_text(text: str) -> bool:
    """Whether a text has none of the characters that XML cannot have: looked for in bytes, far faster than in text."""
    raw = text.encode("utf-8", "ignore")
    return len(raw.translate(None, _CONTROLS)) == len(raw) and "\ufffe" not in text and "\uffff" not in text


def _whole(document: Document) -> None:
    """Padding behind the end is left out; of a file that ends early, everything after its last whole element."""
    text = document.text
    name = next(root for root, kind in _ROOTS.items() if kind == document.kind)
    end = text.rfind(f"{name}>")
    closed = end > 0 and re.search(rf"</([\w.-]+:)?{name}>$", text[max(0, end - 60) : end + len(name) + 1])
    if closed:
        rest = text[end + len(name) + 1 :].strip("\0 \t\r\n\x1a\xff\ufffd")
        document.text = text[: end + len(name) + 1]
        if rest:
            said = f"{len(rest)} characters stand behind the end of the document."
            document.defects.append(defect("file_padded", "info", said, "They are left out."))
        return
    last = max((m.end() for u in _UNITS[document.kind] for m in [_last_close(text, u)] if m), default=0)
    begun = len(re.findall(rf"<(?:[\w.-]+:)?(?:{'|'.join(_UNITS[document.kind])})[\s>/]", text[last:]))
    document.text = text[:last]
    lost = f"{begun} element{'s' if begun != 1 else ''} begun and not ended" if begun else "what followed"
    said = f"The file ends before its document does (after {len(text)} characters): {lost} cannot be read, and whatever came after is not there."
    document.defects.append(
        defect("file_cut_off", "warning", said, "What is whole is read; ask for the whole file.", count=max(begun, 1))
    )


def _last_close(text: str, unit: str) -> re.Match[str] | None:
    """The last end of an element, searched from behind in growing steps."""
    pattern = re.compile(rf"</(?:[\w.-]+:)?{unit}\s*>|<(?:[\w.-]+:)?{unit}\s[^<>]*/>")
    for size in (1 << 14, 1 << 20, len(text)):
        start = max(0, len(text) - size)
        found = None
        for found in pattern.finditer(text, start):  # noqa: B007 - the last one is wanted
            pass
        if found or start == 0:
            return found
    return None


def local(element: Any) -> str:
    """Local name of an element; empty for a comment or instruction."""
    return _local_name(element.tag) if isinstance(element.tag, str) else ""


@lru_cache(maxsize=4096)
def _local_name(tag: str) -> str:
    """A name without its namespace; an undeclared prefix is part of what the parser calls the name."""
    return re.split("[}:]", tag)[-1]


def tree_of(document: Document) -> Any:
    """The root element of a small sound document; None for one that must be walked through."""
    if len(document.text) > _TREE_CHARS:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(document.text.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:
        return None


def walk(document: Document, wanted: set[str]) -> Iterator[tuple[str, str, Any]]:
    """(event, local name, element) for the start and end of the wanted elements, with little of the file in memory."""
    stream = io.BytesIO(document.text.encode("utf-8", "ignore"))
    walker = etree.iterparse(
        stream, events=("start", "end"), recover=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    inside = 0
    try:
        for event, element in walker:
            name = local(element)
            unit = name in wanted
            if unit:
                yield event, name, element
            inside += (unit and name in _LEAVES) * (1 if event == "start" else -1)
            if event == "end" and inside == 0:
                element.clear()
                while (parent := element.getparent()) is not None and element.getprevious() is not None:
                    del parent[0]
    except etree.XMLSyntaxError as error:
        document.broken = f"line {error.lineno}: {' '.join(str(error.msg).split())[:80]}"
        return
    fatal = [e for e in walker.error_log if e.level >= etree.ErrorLevels.FATAL]
    if fatal:
        document.broken = f"line {fatal[0].line}: {' '.join(fatal[0].message.split())[:80]}"


# elements whose children are looked at when they end
_LEAVES = {"trkpt", "rtept", "wpt", "Placemark", "Trackpoint", "metadata", "author", "Creator"}


def mended(document: Document) -> str:
    """Text in which the parser can go on to the end: what is no tag is text, and the document does not end before its end."""
    roots = "|".join(_ROOTS)
    return _NO_TAG.sub(_as_text, re.sub(rf"</(?:[\w.-]+:)?(?:{roots})\s*>", "", document.text))


# a < or & that begins no whole tag or reference; possessive, so that hostile text costs no more than its length
_NO_TAG = re.compile(
    r"<(?!/?+[A-Za-z_][\w:.-]*+(?:\s++[\w:.-]++\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'))*+\s*+/?+>)|&(?!#?\w{1,10};)"
)


def _as_text(found: re.Match[str]) -> str:
    return "&lt;" if found[0] == "<" else "&amp;"


def texts_of(element: Any) -> dict[str, str]:
    """Texts of the descendants by their local names, the first of each name."""
    found: dict[str, str] = {}
    for inner in element.iterdescendants():
        if inner.text and (text := inner.text.strip()):
            found.setdefault(local(inner), text)
    return found


def children_of(element: Any) -> dict[str, str]:
    """``texts_of`` an element that mostly has children without children."""
    found: dict[str, str] = {}
    for child in element:
        if len(child):
            return texts_of(element)
        if (text := child.text) and (text := text.strip()):
            found.setdefault(local(child), text)
    return found
