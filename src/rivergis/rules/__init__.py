"""Rules as data: thresholds, offsets, classes and clauses from layered files, with basis, source, status and dates.

Layers go from national to province, city, county and further down; the most specific row valid on the day wins, if
its key may be overridden. A key without a row is a refusal, never a default in code. Source: docs/rules.md.
"""

from rivergis.rules.book import (
    ACTIONS,
    NATIONAL,
    STATUSES,
    Considered,
    RuleBook,
    RuleValue,
    RuleView,
    path_of,
)
from rivergis.rules.classes import AllowedUse, Classified, LocalWord, Taxon
from rivergis.rules.reading import book_of, load

__all__ = [
    "ACTIONS",
    "NATIONAL",
    "STATUSES",
    "AllowedUse",
    "Classified",
    "Considered",
    "LocalWord",
    "RuleBook",
    "RuleValue",
    "RuleView",
    "Taxon",
    "book_of",
    "load",
    "path_of",
]
