"""Layers that mix: features whose numbers are of different kinds, or that lie in neighbouring zones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from rivergis.intake import crs_numbers
from rivergis.intake.crs_case import Case
from rivergis.intake.crs_numbers import Hypothesis, Numbers
from rivergis.intake.crs_verdict import Verdict

Rows = npt.NDArray[np.intp]

# a minority of features of another kind of numbers counts as a group, not as outliers, from this share
GROUP = 0.1


def kinds_of_numbers(case: Case, n: Numbers) -> list[tuple[str, Rows]]:
    """Features by the kind of their numbers; kinds of a tenth of the features or more (at least two)."""
    keys = np.array([crs_numbers.shape_of(*c) for c in n.centres])
    least = max(2.0, GROUP * len(keys)) if len(keys) > 2 else 1.0
    kinds = [(k, n.rows[keys == k]) for k, c in Counter(keys).most_common() if c >= least]
    if any(k.startswith("degrees") for k, _ in kinds) and all(k in ("degrees", "degrees elsewhere") for k, _ in kinds):
        return kinds[:1]  # a layer that reaches beyond China's box is no mixture
    if (
        case.said.meaning.usable
        and case.said.meaning.family in ("other", "wgs84")
        and not any("zone " in k for k, _ in kinds)
    ):
        return kinds[:1]
    return _without_unknown(kinds, n) if any(k == "other" for k, _ in kinds) else kinds


def _without_unknown(kinds: list[tuple[str, Rows]], n: Numbers) -> list[tuple[str, Rows]]:
    """Numbers of no known kind are slips if they lie far from the rest; if they adjoin it, the whole layer is unknown."""
    known = [(k, rows) for k, rows in kinds if k != "other"]
    if not known:
        return kinds
    here = n.centres[np.isin(n.rows, np.concatenate([rows for _, rows in known]))]
    there = n.centres[np.isin(n.rows, np.concatenate([rows for k, rows in kinds if k == "other"]))]
    low, high = here.min(axis=0), here.max(axis=0)
    beyond = np.maximum(np.maximum(low - there, there - high), 0.0)
    far = (beyond > 3 * np.maximum(high - low, 1.0)).any(axis=1)
    return known if far.all() else [("other", n.rows)]


def split_zones(n: Numbers, found: Verdict) -> list[Rows] | None:
    """Two groups of features without zone number that only come to one place through neighbouring zones."""
    x = n.centres[:, 1 if found.axis == "swapped" else 0]
    y = n.centres[:, 0 if found.axis == "swapped" else 1]
    if len(x) < 4 or not crs_numbers.shape_of(float(np.median(x)), float(np.median(y))).startswith("no zone"):
        return None
    order = np.argsort(x)
    gaps = np.diff(x[order])
    cut = int(np.argmax(gaps)) + 1
    low, high = order[:cut], order[cut:]
    if gaps.max() < 100_000 or min(len(low), len(high)) < max(2, GROUP * len(x)):
        return None
    # the western numbers in the next zone east: do they fall among the eastern ones of this zone?
    west, east = (np.column_stack([x[i], y[i]]) for i in (low, high))
    a = Hypothesis(4544, "").degrees(east)
    b = Hypothesis(4545, "").degrees(west)
    apart = np.abs(np.median(a, axis=0) - np.median(b, axis=0))
    width = np.ptp(np.vstack([a, b]), axis=0)
    return [n.rows[low], n.rows[high]] if (apart < 0.6).all() and (width < 1.5).all() else None
