"""How much the answer hangs on each parameter of the method, and whether its confidence can be believed.

Run: .venv/bin/python benchmarks/patrol_sensitivity.py FOLDER [--every N] [--keys PREFIX ...] [--csv FILE]
FOLDER holds simulated patrols with truth (see ``patrol_truth.py``). Every number of patrol.match, patrol.track and patrol.coverage
in the national rules is halved, taken three quarters and four thirds, and doubled, one at a time; the honest tracks are scored
again, the datum known. The table tells F1 by length, and how far the share of right banks and of metres on a wrong reach move.
The confidence of what was reported is then compared with how much of it is right, by length: the Brier score, beside the one
of the same share said of everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from patrol_truth import CELL_M, Folder, Seen, agreement, bits

from rivergis import rules
from rivergis.patrol.coverage import BANKS, SEEN
from rivergis.patrol.reach_files import River, read_river
from rivergis.patrol.score import Score, method_of, score, waters_of

RULES = Path(__file__).resolve().parents[1] / "gis" / "rules"
GROUPS = ("patrol.match.", "patrol.track.", "patrol.coverage.")
FACTORS = (0.5, 0.75, 4 / 3, 2.0)


@dataclass(frozen=True)
class Tracks:
    """Honest tracks in memory, with their reaches."""

    folder: Folder
    river: River
    tables: dict[str, pd.DataFrame]

    @classmethod
    def read(cls, path: Path, every: int) -> Tracks:
        folder = Folder(path)
        river = read_river(path / "reaches.geojson", rules.load(RULES).at(("000000",), date.today()))
        return cls(folder, river, folder.raw(folder.honest(every)))

    def scored(self, number: Callable[[str], float]) -> dict[str, Score]:
        """All tracks with these values of the parameters."""
        method = method_of(number)
        waters, at = waters_of(self.river.reaches, method), {c: i for i, c in enumerate(self.river.codes)}
        out = {}
        for track, table in self.tables.items():
            entry = self.folder.tracks[track]
            duty = pd.DataFrame(
                [(at[a], b, 0.0, waters.length_m[at[a]]) for a in entry["assigned"] for b in ("left", "right")],
                columns=["reach", "bank", "from_m", "to_m"],
            )
            uploaded = pd.Timestamp(entry["uploaded_at"]).timestamp()
            declared = self.folder.truth[track]["datum"]
            out[track] = score(table, waters, duty, method, declared=declared, uploaded_s=uploaded)
        return out

    def stretches(self, scores: dict[str, Score]) -> dict[str, list[Seen]]:
        """What each score reports as seen."""
        codes = self.river.codes
        return {
            track: [
                Seen(codes[r], float(a), float(b), BANKS[bank])
                for r, bank, a, b, why in zip(s.reach, s.bank, s.from_m, s.to_m, s.why, strict=True)
                if why == SEEN
            ]
            for track, s in ((t, done.seen) for t, done in scores.items())
        }


def sweep(tracks: Tracks, prefixes: tuple[str, ...]) -> pd.DataFrame:
    """One row a parameter: F1 at each factor, and the largest moves of bank and wrong reach."""
    view = rules.load(RULES).at(("000000",), date.today())
    method_of(view.number)
    known = {r.key: float(r.value) for r in view.used}
    base = agreement(tracks.folder, tracks.stretches(tracks.scored(known.__getitem__)))
    print("as it stands: " + ", ".join(f"{k} {v:.4f}" for k, v in base.items()), flush=True)
    rows = []
    for key in [k for k in known if k.startswith(prefixes)]:
        found = [
            agreement(tracks.folder, tracks.stretches(tracks.scored((known | {key: known[key] * f}).__getitem__)))
            for f in FACTORS
        ]
        row: dict[str, object] = {"key": key, "value": known[key]}
        row |= {f"f1 x{f:.2f}": round(a["f1"], 4) for f, a in zip(FACTORS, found, strict=True)}
        row |= {k: f"{_most(found, base, k):+.4f}" for k in ("bank", "wrong_reach")}
        rows.append(row)
        print(" | ".join(str(v) for v in row.values()), flush=True)
    return pd.DataFrame(rows)


def _most(found: list[dict[str, float]], base: dict[str, float], key: str) -> float:
    return max((a[key] - base[key] for a in found), key=abs)


def reliability(tracks: Tracks, scores: dict[str, Score]) -> pd.DataFrame:
    """Per cell that was reported and that the truth judges: the confidence of its leg, and whether it is right."""
    said, right = [], []
    for track, done in scores.items():
        truth = tracks.folder.truth[track]["reaches"]
        s = done.seen.take(done.seen.why == SEEN)
        for r, a, b, confidence in zip(s.reach, s.from_m, s.to_m, s.confidence, strict=True):
            cells = int(np.ceil(tracks.river.waters.length_m[r] / CELL_M))
            of = truth.get(tracks.river.codes[r], {})
            must, may = bits(of.get("must", []), cells), bits(of.get("may", []), cells)
            judged = must[bits([(a, b)], cells) & (must | ~may)]
            said += [float(confidence)] * len(judged)
            right += judged.tolist()
    return pd.DataFrame({"said": said, "right": np.array(right, dtype=float)})


def told(cells: pd.DataFrame) -> None:
    """The reliability of the confidence as a small plot in text, and its Brier score."""
    edges = [0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0]
    print("\nconfidence: said | right | km | share right")
    for band, part in cells.groupby(pd.cut(cells["said"], edges, include_lowest=True), observed=True):
        share = part["right"].mean()
        km = len(part) * CELL_M / 1000
        print(f"{band!s:>14} {part['said'].mean():.3f} | {share:.3f} | {km:8.1f} | {'#' * round(40 * share)}")
    overall = cells["right"].mean()
    brier, flat = ((cells["said"] - cells["right"]) ** 2).mean(), overall * (1 - overall)
    print(f"Brier score {brier:.4f}; saying {overall:.4f} of everything scores {flat:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=3, help="each so many honest tracks")
    parser.add_argument("--keys", nargs="+", default=list(GROUPS), help="beginnings of the keys to sweep")
    parser.add_argument("--csv", type=Path, help="write the table here")
    asked = parser.parse_args()
    tracks = Tracks.read(asked.folder, asked.every)
    view = rules.load(RULES).at(("000000",), date.today())
    told(reliability(tracks, tracks.scored(view.number)))
    table = sweep(tracks, tuple(asked.keys))
    if asked.csv is not None and len(table):
        table.to_csv(asked.csv, index=False)


if __name__ == "__main__":
    main()
