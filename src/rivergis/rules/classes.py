"""Classes of leads (四乱 and wider) as data: a source's own word, the class it means, what ground and zones forbid.

Reads the mapping of ``taxonomy.yaml``. A word that stands nowhere is not known, and nothing is guessed from how it looks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = "other.unknown"
_OTHER = ".other"  # the class of a group whose sub-type is not told
_BETWEEN = r"[、,;:/|+()\[\]\-—–→>]"  # what stands between several words in one


@dataclass(frozen=True)
class Taxon:
    """A class of leads: code, labels, the clause it refers to, who is in charge, and what we may do about it."""

    code: str
    zh: str
    en: str
    group_zh: str
    clause: str
    competent_authority: str
    our_action: str
    measure: str
    """Unit its size is told in: m, m2, m3 or count."""
    severity: str | None
    """Rule key that grades the size; ``listed`` = graded by being on the list; None = no rule grades it."""
    top_above: bool
    """Whether the highest level begins above its threshold, not at it."""
    off_permit: str | None
    """Class where a permit exists and is not kept."""
    across: bool
    """Whether it is a line across the channel."""


@dataclass(frozen=True)
class LocalWord:
    """A source's own word (四乱, 三乱, 三排 …) in one place: the local list that has it and the national groups it means.

    ``groups`` empty = the word is not known there. ``code`` is None where the word means several classes. ``place`` is None
    for a word used everywhere.
    """

    word: str
    groups: tuple[str, ...]
    code: str | None = None
    place: str | None = None
    source: str | None = None
    use: str | None = None
    """Code of the lawful use it names, if it does."""

    @property
    def known(self) -> bool:
        return bool(self.groups) or self.use is not None


@dataclass(frozen=True)
class Classified:
    """The class of one object: ``told_by`` its word or only its kind; ``differs`` where the two are of different groups."""

    taxon: Taxon
    word: LocalWord | None
    told_by: str
    differs: bool


@dataclass(frozen=True)
class AllowedUse:
    """A use or work that is lawful inside the line; ``evidence`` is what a person must see before it counts."""

    code: str
    zh: str
    en: str
    clause: str
    evidence: str | None
    only_on: tuple[str, ...]
    never_on: tuple[str, ...]


class Words:
    """Index of every word of a taxonomy, by place."""

    def __init__(self, taxonomy: Mapping[str, Any]) -> None:
        self._classes = taxonomy["classes"]
        # a class is known by its own code and label too: what was written out here comes back in
        own = {same(w): code for code, c in self._classes.items() if code != UNKNOWN for w in (code, c["zh"], c["en"])}
        self._codes = own | {same(w): code for code, words in taxonomy["words"].items() for w in words}
        self._uses = {same(w): code for code, use in taxonomy["allowed_uses"].items() for w in use["words"]}
        self._lists: dict[str, list[tuple[dict[str, Any], dict[str, list[str]], dict[str, str]]]] = {}
        for entry in taxonomy["aliases"]:
            terms = {same(w): groups for w, groups in entry["terms"].items()}
            codes = {same(w): code for w, code in entry.get("classes", {}).items()}
            self._lists.setdefault(entry["adcode"], []).append((entry, terms, codes))

    def find(self, path: Sequence[str], word: str) -> LocalWord:
        """What a word means at a place (adcode chain): its own list first, then the lists above, then words used everywhere.

        Several words in one (乱建-房屋, 垃圾、渣土) mean what each of them means, if each is known; a group with a detail that
        nobody knows (乱建(砖房)) is that group.
        """
        whole = self._find(path, word)
        parts = [self._find(path, p) for p in re.split(_BETWEEN, unicodedata.normalize("NFKC", word)) if same(p)]
        if whole.known or len(parts) < 2:
            return whole
        known = [p for p in parts if p.known]
        if len(known) < len(parts):
            known = known if self._only_groups(known) else []
        return self._together(word, known)

    @staticmethod
    def _only_groups(parts: Sequence[LocalWord]) -> bool:
        return all(p.groups and (p.code is None or p.code.endswith(_OTHER)) for p in parts)

    @staticmethod
    def _together(word: str, parts: Sequence[LocalWord]) -> LocalWord:
        """Several words as one: the class they agree on, the more exact before the group it belongs to."""
        groups = tuple(dict.fromkeys(g for p in parts for g in p.groups))
        codes = {p.code for p in parts}
        exact = {c for c in codes if c is not None and not c.endswith(_OTHER)} or codes
        one = next(iter(exact)) if len(exact) == 1 and len(groups) == 1 else None
        listed = next((p for p in parts if p.place), None)
        place, source = (listed.place, listed.source) if listed else (None, None)
        return LocalWord(word, groups, one, place, source)

    def _find(self, path: Sequence[str], word: str) -> LocalWord:
        key = same(word)
        code, use = self._codes.get(key), self._uses.get(key)
        for adcode in reversed(path):
            for entry, terms, codes in self._lists.get(adcode, []):
                if key in terms or key in codes:
                    own = codes.get(key, code)
                    groups = terms.get(key) or [self._classes[own]["group"]]
                    return LocalWord(word, tuple(groups), own, entry["place"], entry["source"], use)
        return LocalWord(word, (self._classes[code]["group"],) if code else (), code, use=use)


def same(word: str) -> str:
    """A word without what writers differ in: width of characters, spaces, quotes and capitals."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(c for c in plain if not c.isspace() and c not in "\"'“”‘’「」《》〈〉")


def fits(code: str, wanted: Iterable[str]) -> bool:
    """Whether a class is one of a list of classes, or of stems such as ``building.*``."""
    return any(code == w or (w.endswith(".*") and code.startswith(w[:-1])) for w in wanted)


def use_of(taxonomy: Mapping[str, Any], kind: str, word: LocalWord | None) -> AllowedUse | None:
    """The lawful use that a word names, where the kind of object can be one."""
    if word is None or word.use is None:
        return None
    row = taxonomy["allowed_uses"][word.use]
    if kind not in row["kinds"]:
        return None
    return AllowedUse(
        word.use,
        row["zh"],
        row["en"],
        row["clause"],
        row.get("evidence"),
        tuple(row.get("only_on", ())),
        tuple(row.get("never_on", ())),
    )


def faults(taxonomy: Mapping[str, Any], keys: Iterable[str]) -> Iterable[str]:
    """Sentences on what a taxonomy names but does not have: classes, groups, rule keys, and words that mean two things."""
    classes, keys = taxonomy["classes"], set(keys)
    named = [*taxonomy["candidate_kinds"].values(), *taxonomy["words"]]
    named += [c for q in taxonomy["questions"].values() for c in ([q] if isinstance(q, str) else q.values())]
    named += [c["off_permit"] for c in classes.values() if "off_permit" in c]
    named += [c for a in taxonomy["aliases"] for c in a.get("classes", {}).values()]
    yield from (f"taxonomy.yaml names the unknown class {c!r}." for c in named if c not in classes)
    groups = {c["group"] for c in classes.values()}
    for alias in taxonomy["aliases"]:
        for term, meant in alias["terms"].items():
            yield from (f"taxonomy.yaml: {term!r} means the unknown group {g!r}." for g in meant if g not in groups)
    for row in [*taxonomy["prohibitions"], *taxonomy["buffers"]]:
        for stem in row["of"]:
            if not any(fits(code, [stem]) for code in classes):
                yield f"taxonomy.yaml: {row['clause']} is about the unknown class {stem!r}."
    graded = [c["severity"] for c in classes.values() if c.get("severity", "listed") != "listed"]
    asked = graded + [r["rule"] for r in [*taxonomy["prohibitions"], *taxonomy["buffers"]] if "rule" in r]
    yield from (f"taxonomy.yaml asks for the unknown rule key {k!r}." for k in asked if k not in keys)
    yield from _twice(taxonomy["words"])


def _twice(words: Mapping[str, Sequence[str]]) -> Iterable[str]:
    seen: dict[str, str] = {}
    for code, listed in words.items():
        for word in listed:
            other = seen.setdefault(same(word), code)
            if other != code:
                yield f"taxonomy.yaml: {word!r} stands for {other} and for {code}: keep one."
