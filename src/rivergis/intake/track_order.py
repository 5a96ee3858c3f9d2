"""Are these the times of a recording, or days and moments at which places were visited?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rivergis.intake import times

AT_LEAST = 5
_FILLED = 0.5
_ONE_WAY = 0.8
_CLOCK_TIMES = 3
"""Times of day that differ: a day alone is the same time on every row."""


def in_order(values: pd.Series, segment: Any = None) -> bool:
    """Whether values are instants of a recording: at least five, with times of day, and most steps go one way.

    ``segment``: steps between different ones do not count.
    """
    if len(values) < AT_LEAST or pd.api.types.is_bool_dtype(values.dtype):
        return False
    instants, _ = times.instants(values)
    at = instants.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    known = ~np.isnat(at)
    if known.sum() < max(AT_LEAST, _FILLED * len(values)):
        return False
    micros = at[known].astype(np.int64)
    if len(np.unique(micros // 1_000_000 % 86_400)) < _CLOCK_TIMES:
        return False
    step = np.diff(micros)
    if segment is not None:
        code = pd.factorize(segment)[0][known]
        step = step[code[1:] == code[:-1]]
    return len(step) > 0 and bool(max((step >= 0).mean(), (step <= 0).mean()) >= _ONE_WAY)
