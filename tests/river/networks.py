"""Networks for tests: frames of reaches between named nodes, drawn small or made by hypothesis."""

from __future__ import annotations

import pandas as pd
from hypothesis import strategies as st

from rivergis.river.network import Network, Spot


def reaches(text: str) -> pd.DataFrame:
    """Reaches of lines ``id: from -> to length [next]``; the main successor is the first leaving reach unless named, - = none."""
    rows = []
    for line in text.strip().splitlines():
        name, _, rest = line.partition(":")
        upper, lower, length, *following = rest.replace("->", " ").split()
        rows.append([name.strip(), upper, lower, float(length), following[0] if following else None])
    leaving: dict[str, str] = {}
    for name, upper, *_ in rows:
        leaving.setdefault(upper, name)
    for row in rows:
        row[4] = None if row[4] == "-" else row[4] or leaving.get(row[2])
    return pd.DataFrame(rows, columns=["reach_id", "from_node", "to_node", "length_m", "next_reach_id"])


@st.composite
def frames(draw: st.DrawFn, cycles: bool = False) -> pd.DataFrame:
    """Trees, braids, loops, parallel channels and several outlets; with ``cycles`` also water in a circle."""
    count = draw(st.integers(2, 12))
    node = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(node, node), min_size=1, max_size=22))
    pairs = pairs if cycles else [(min(p), max(p)) for p in pairs if p[0] != p[1]] or [(0, 1)]
    lengths = draw(st.lists(st.integers(1, 400), min_size=len(pairs), max_size=len(pairs)))
    names = draw(st.permutations([f"r{i:02d}" for i in range(len(pairs))]))
    leaving: dict[int, list[int]] = {}
    for i, (upper, _) in enumerate(pairs):
        leaving.setdefault(upper, []).append(i)
    following = [
        draw(st.sampled_from([*leaving[lower], None] if draw(st.booleans()) else leaving[lower]))
        if lower in leaving
        else None
        for _, lower in pairs
    ]
    return pd.DataFrame(
        {
            "reach_id": names,
            "from_node": [f"n{p[0]}" for p in pairs],
            "to_node": [f"n{p[1]}" for p in pairs],
            "length_m": [n / 8 for n in lengths],
            "next_reach_id": [None if f is None else names[f] for f in following],
        }
    )


@st.composite
def spots(draw: st.DrawFn, network: Network) -> Spot:
    """A place on a network, its ends among them."""
    reach = draw(st.integers(0, len(network) - 1))
    share = draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    return Spot(reach, share * float(network.length_m[reach]))


@st.composite
def stops(draw: st.DrawFn, network: Network) -> pd.DataFrame:
    """A few things on reaches, or none."""
    on = draw(st.lists(spots(network), max_size=4))
    return pd.DataFrame(
        {
            "reach_id": [network.reach_id[s.reach] for s in on],
            "at_m": [s.at_m for s in on],
            "name": [str(i) for i in range(len(on))],
        }
    )


def mirrored(frame: pd.DataFrame) -> pd.DataFrame:
    """The same channels with the water running the other way; no main successors are named."""
    turned = {"from_node": frame["to_node"], "to_node": frame["from_node"], "next_reach_id": None}
    return frame.assign(**turned)
