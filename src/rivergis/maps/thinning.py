"""How a map that would carry too much is thinned: what matters most stays, and what was left out is said."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import shapely

from rivergis import words
from rivergis.maps import marks, palette
from rivergis.maps.atlas import Layers

KEPT = ("finding", "not_finding", "admin_unit", "boundary_line", "source_zone", "intake", "outfall", "levee")
"""The last to be thinned out."""


def fit(layers: Layers, kept_first: Sequence[str] = KEPT) -> tuple[Layers, str]:
    """Layers within what a page can carry, and what was left out in words: never cut in silence.

    What stands first in ``kept_first`` keeps its rows; of the others the longest and largest stay. (layers, sentence or nothing).
    """
    room, drawn, left_out = marks.MAX_FEATURES, {}, []
    for noun in sorted(layers, key=lambda n: kept_first.index(n) if n in kept_first else len(kept_first)):
        frame = layers[noun]
        if len(frame) > room:
            # degrees will do to tell the long ones from the short ones
            size = pd.Series(shapely.length(frame.geometry.values), index=frame.index)
            kept = size.sort_values(ascending=False, kind="stable").index[:room] if size.any() else frame.index[:room]
            left_out.append(f"{palette.load().of(noun).zh} {room}/{len(frame)}")
            frame = frame.loc[sorted(kept)]
        drawn[noun] = frame
        room -= len(frame)
    note = words.say("map.thinned", layers="、".join(left_out)) if left_out else ""
    return {noun: drawn[noun] for noun in layers}, note
