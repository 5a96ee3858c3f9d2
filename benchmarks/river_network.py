"""A province of 60,000 river reaches from bare lines to a network in one command: time, memory, and how much of it is right.

Run: .venv/bin/python benchmarks/river_network.py [--reaches N ...] [--seed S]     (6,000, 20,000 and 60,000 where not said)
The peer, in the same run and also in a process of its own, is a plain networkx program: pyogrio reads the lines, nodes are
rounded end points, directions are as drawn, upstream length and Strahler order follow in topological order. It mends
nothing, turns nothing, and counts twice what parts and meets again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
from province import write

RUNS = {"clean": {}, "third reversed": {"reversed_": 1 / 3}, "dirt 0.02": {"dirt": 0.02}}
# a small process between, because the most memory of a child begins with its parent's
MEASURER = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:], stdout=sys.stderr);"
    "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
    "print(used.ru_utime + used.ru_stime, used.ru_maxrss); sys.exit(code)"
)
TELLS = "{what:16} {n:>7} {seconds:>8} {cpu:>8} {mib:>9} {successor:>10} {strahler:>9} {upstream:>9}"


def peer(lines: Path, out: Path) -> None:
    """The least that makes a network of lines which are drawn downstream and meet exactly."""
    import networkx as nx
    import shapely
    from pyproj import Geod

    frame = pyogrio.read_dataframe(lines)
    shapes = frame.geometry.to_numpy()
    ends = [map(tuple, np.round(shapely.get_coordinates(shapely.get_point(shapes, i)), 7).tolist()) for i in (0, -1)]
    geod, graph = Geod(ellps="GRS80"), nx.MultiDiGraph()
    for code, shape, a, b in zip(frame["CODE"], shapes, *ends, strict=True):
        graph.add_edge(a, b, key=code, length=geod.geometry_length(shape))
    above, rows = _summed(graph), []
    for a, b, code, data in graph.edges(keys=True, data=True):
        following = next(iter(graph.out_edges(b, keys=True)), (None, None, None))[2]
        rows.append((code, following, above[a][1], above[a][0] + data["length"]))
    table = pd.DataFrame(rows, columns=["source_id", "next", "strahler", "upstream_length_m"])
    pyogrio.write_dataframe(table, out, layer="reaches", driver="GPKG")


def _summed(graph: "nx.MultiDiGraph") -> dict[tuple[float, float], tuple[float, int]]:  # noqa: F821, UP037
    """Upstream length and Strahler order at each node; what lies in a circle is left out."""
    import networkx as nx

    whole = {n: i for i, part in enumerate(nx.strongly_connected_components(graph)) for n in part}
    plain = nx.DiGraph((whole[a], whole[b]) for a, b in graph.edges() if whole[a] != whole[b])
    members: dict[int, list[tuple[float, float]]] = {}
    for node, part in whole.items():
        members.setdefault(part, []).append(node)
    out: dict[tuple[float, float], tuple[float, int]] = dict.fromkeys(graph, (0.0, 1))
    for part in nx.topological_sort(plain):
        for node in members[part]:
            into = [(out[a], d["length"]) for a, _, d in graph.in_edges(node, data=True) if whole[a] != part]
            orders = sorted((order for (_, order), _ in into), reverse=True)
            raised = len(orders) > 1 and orders[0] == orders[1]
            out[node] = (sum(up + length for (up, _), length in into), orders[0] + raised if orders else 1)
    return out


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of processor, and the most memory of a child process in MiB."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURER, *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    cpu, kib = (float(v) for v in done.stdout.splitlines()[-1].split())
    return time.perf_counter() - start, cpu, kib / 1024


def agreement(network: Path, truth: Path) -> dict[str, str]:
    """Shares of the true reaches whose successor, order and upstream length are right (within 0.1 %).

    Of a line that was cut, the lowest piece counts, and its successor is the next line's uppermost piece.
    """
    true = pyogrio.read_dataframe(truth).set_index("CODE")
    reach = pyogrio.read_dataframe(network, layer="reaches", read_geometry=False)
    reach = reach[reach["source_id"].notna()].copy()
    if "next_reach_id" in reach:
        source = reach.set_index("reach_id")["source_id"]
        reach["next"] = source.reindex(reach["next_reach_id"]).to_numpy()
    lowest = reach.sort_values("upstream_length_m").loc[lambda f: f["next"] != f["source_id"]]
    found = lowest.drop_duplicates("source_id", keep="last").set_index("source_id").reindex(true.index)
    ends = found["next"].where(found["next"].notna(), "").eq(true["NEXT_CODE"].fillna("")) & found["strahler"].notna()
    right = {
        "successor": ends,
        "strahler": found["strahler"].eq(true["STRAHLER"]),
        "upstream": (found["upstream_length_m"] / true["UPSTREAM_M"] - 1).abs() < 1e-3,
    }
    return {k: f"{v.mean():.4f}" for k, v in right.items()}


def compare(folder: Path, what: str, reaches: int) -> None:
    """Build the lines of a folder both ways; one row each, and the ratios."""
    lines, ours, theirs = folder / "rivers.gpkg", folder / "network.gpkg", folder / "peer.gpkg"
    rivergis = [str(Path(sys.executable).with_name("rivergis")), "river", "build", str(lines), "--id-field", "CODE"]
    jobs = {
        "rivergis": ([*rivergis, "--out", str(ours), "--overwrite"], ours),
        "networkx": ([sys.executable, __file__, "--peer", str(lines), str(theirs)], theirs),
    }
    took = {}
    for name, (command, out) in jobs.items():
        out.unlink(missing_ok=True)
        took[name] = seconds, cpu, mib = measured(command)
        right = agreement(out, folder / "truth.gpkg")
        row = {
            "n": f"{reaches:,}",
            "seconds": f"{seconds:.1f} s",
            "cpu": f"{cpu:.1f} s",
            "mib": f"{mib:.0f} MiB",
            **right,
        }
        print(TELLS.format(what=what if name == "rivergis" else f"  {name}", **row), flush=True)
    ratios = [a / b for a, b in zip(took["rivergis"], took["networkx"], strict=True)]
    print(
        f"{'':16} rivergis / networkx: time {ratios[0]:.1f}, processor {ratios[1]:.1f}, memory {ratios[2]:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, nargs="+", default=[6_000, 20_000, 60_000])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peer", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peer:
        return peer(*asked.peer)
    heads = {
        "n": "reaches",
        "seconds": "time",
        "cpu": "processor",
        "mib": "memory",
        "successor": "successor",
        "strahler": "Strahler",
    }
    print(TELLS.format(what="", upstream="upstream", **heads))
    with tempfile.TemporaryDirectory(prefix="rg-bench-") as home:
        for reaches in asked.reaches:
            for what, dirt in RUNS.items() if reaches == max(asked.reaches) else [("clean", {})]:
                write(Path(home), asked.seed, reaches, **dirt)
                compare(Path(home), what, reaches)


if __name__ == "__main__":
    main()
