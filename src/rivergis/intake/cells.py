"""Cells of a table as files give them: missing or there, as text, and as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pandas as pd


def empty(values: pd.Series) -> pd.Series:
    """Which values are missing or empty text."""
    return values.map(
        lambda v: v is None or v is pd.NaT or v is pd.NA or v != v or v == "" if scalar(v) else False
    ).astype(bool)


def scalar(value: Any) -> bool:
    """Whether a value is one thing, no list or dict."""
    return value is None or pd.api.types.is_scalar(value)


def each(values: pd.Series, one: Callable[[Any], Any]) -> pd.Series:
    """A function of every value; missing stays None, where pandas would make numbers of it."""
    return pd.Series([one(v) for v in values.astype(object)], index=values.index, dtype=object)


def text(values: pd.Series) -> pd.Series:
    """Text as it was written: a whole number that its column made a float (4.0) is ``4``; empty text is missing."""
    return each(values, word)


def word(value: Any) -> str | None:
    """One value as text; see ``text``."""
    if scalar(value) and pd.isna(value):
        return None
    whole = isinstance(value, float) and value.is_integer()
    return clean(str(int(value) if whole else value)).strip() or None


def clean(said: str) -> str:
    """Text without NUL and half characters, which no database holds."""
    return said.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def as_delivered(value: Any) -> Any:
    """One attribute as JSON can hold it; numbers that are none (NaN, infinite) as missing or text, bytes as hex."""
    if isinstance(value, dict):
        return {clean(str(k)): as_delivered(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [as_delivered(v) for v in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"hex:{bytes(value).hex()}"
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) and not isinstance(value, str) else clean(str(value))
