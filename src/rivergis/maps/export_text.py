"""Text on its way out: values as text, formulas made inert, names and values cut to the bytes a format holds.

A text that a spreadsheet would run as a formula (it begins with = + - @, a full-width one of these, TAB, CR or LF) gets an
apostrophe before it, and so does a text that begins with an apostrophe: taking one leading apostrophe away from either
gives the text back. Numbers, also those written as text, stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

NOT_GBK = "〓"  # the mark that Chinese type has for a missing character


def text_of(value: Any) -> str:
    """A value as text: times in UTC with their zone, clock readings without one, days as 2026-05-20."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).isoformat().replace("+00:00", "Z")
    return str(value)


def short_names(names: Sequence[str], encoding: str) -> list[str]:
    """Field names of at most 10 bytes, cut between characters, each once whatever the case."""
    taken: set[str] = set()
    out = []
    for name in names:
        short, n = cut_to(name, 10, encoding), 1
        while short.casefold() in taken:
            n += 1
            short = cut_to(name, 10 - len(f"_{n}"), encoding) + f"_{n}"
        taken.add(short.casefold())
        out.append(short)
    return out


def cut_to(text: str, size: int, encoding: str) -> str:
    """The longest beginning of a text that takes ``size`` bytes; what the encoding lacks is marked."""
    body = encodable(text, encoding).encode(encoding)
    if len(body) <= size:
        return body.decode(encoding)
    while size and _half(body[:size], encoding):
        size -= 1
    return body[:size].decode(encoding)


def _half(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return True
    return False


def encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(c if _has(c, encoding) else NOT_GBK for c in text)
    return text


def _has(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
