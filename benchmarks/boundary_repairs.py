"""Does a proposed repair hold? Proposals for planted defects against the county as it was before anything was planted.

Run: .venv/bin/python benchmarks/boundary_repairs.py GENERATOR [--seeds 11,12,13] [--flavour dev] [--as-planted] [--show CODE]
GENERATOR is the benchmark's generate.py (or our ``boundary_doctor.py write``): the same seed with ``--clean`` gives the undamaged county.
The doctor examines the damaged one, proposals are asked for, each is made alone on a copy near it and all together, and then:
- healed: the doctor no longer tells the defect, and nothing new, when all are made together;
- true: the line of the bank (area, stake, word) lies within the tolerance of the undamaged one, where the undamaged has it.
valid = healed and true. ``--as-planted`` takes the planted defects of truth.json in place of the doctor's (repairs alone).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from rivergis import rules
from rivergis.boundary.doctor import files as doctor_files
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.repair import propose as repair
from rivergis.boundary.repair.case import Repair, applied
from rivergis.boundary.repair.courses import side_of_word
from rivergis.settings import gis_dir

VIEW = rules.load(gis_dir() / "rules").at((rules.NATIONAL,), date(2026, 1, 1))
LAYERS = {
    "levees": "levees.gpkg",
    "water": "water.gpkg",
    "former": "former.gpkg",
    "stakes": "stakes.gpkg",
    "counties": "counties.gpkg",
}


def case_of(folder: Path) -> Case:
    """A county of the generator as the doctor reads it."""
    lines = [folder / n for n in ("boundaries.gpkg", "boundaries_B.gpkg") if (folder / n).exists()]
    others = {role: folder / name for role, name in LAYERS.items() if (folder / name).exists()}
    return doctor_files.read(
        doctor_files.Files(lines=lines, reaches=folder / "reaches.gpkg", params=folder / "params.json", **others), VIEW
    )


def generate(generator: Path, folder: Path, *options: str) -> Path:
    subprocess.run([sys.executable, str(generator), str(folder), *options], check=True, capture_output=True)
    return folder


def planted(folder: Path, case: Case) -> list[Defect]:
    """The planted defects as the doctor would tell them."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["defects"]
    places = gpd.GeoSeries(shapely.points([(t["lon"], t["lat"]) for t in truth]), crs="EPSG:4490").to_crs(
        case.lines.crs
    )
    out = []
    for t, place in zip(truth, places, strict=True):
        features = tuple(t["features"])
        if t["code"].startswith("stake_spacing") and case.stakes is not None:
            features = _ends(case, t)
        out.append(
            Defect(
                t["code"],
                "blocks",
                t["reach_id"],
                t["bank"],
                t["from_m"],
                t["to_m"],
                place,
                features or _rows(case, t),
                None,
                "",
                "",
                "",
                side_of_word(t["bank"]),
            )
        )
    return out


def _rows(case: Case, t: dict[str, Any]) -> tuple[str, ...]:
    mine = case.lines[(case.lines["reach_id"] == t["reach_id"]) & (case.lines["bank"] == t["bank"])]
    return () if t["code"] in ("area_not_closed", "missing_bank", "sliver_area") else tuple(mine["line_id"])


def _ends(case: Case, t: dict[str, Any]) -> tuple[str, ...]:
    stakes = case.stakes
    assert stakes is not None
    mine = stakes[(stakes["reach_id"] == t["reach_id"]) & (stakes["bank"] == t["bank"])]
    axis = case.reaches.geometry[case.reaches["reach_id"] == t["reach_id"]].iloc[0]
    at = shapely.line_locate_point(axis, mine.geometry.to_numpy())
    return tuple(mine["stake_no"].iloc[int(np.argmin(abs(at - v)))] for v in (t["from_m"], t["to_m"]))


# ---- against the undamaged county -----------------------------------------------------------------------------------


class Truth:
    """The undamaged county: the line of every bank, areas and chainages."""

    def __init__(self, case: Case) -> None:
        self.case, self.limits = case, case.limits
        self.lines = {k: g.geometry.to_numpy() for k, g in case.lines.groupby(["reach_id", "bank"])}
        self.areas = (
            {} if case.areas is None else {k: g.geometry.union_all() for k, g in case.areas.groupby("reach_id")}
        )
        self.axes = dict(zip(case.reaches["reach_id"], case.reaches.geometry, strict=True))

    def off_m(self, case: Case, reach: str, bank: str) -> float:
        """The largest distance between the lines of a bank and those of the undamaged one, both ways."""
        mine = case.lines[(case.lines["reach_id"] == reach) & (case.lines["bank"] == bank)].geometry.to_numpy()
        if not len(mine) or (reach, bank) not in self.lines:
            return 0.0 if not len(mine) and (reach, bank) not in self.lines else np.inf
        a, b = shapely.MultiLineString(list(mine)), shapely.MultiLineString(list(self.lines[reach, bank]))
        return float(max(shapely.hausdorff_distance(x, y, densify=0.02) for x, y in ((a, b), (b, a))))

    def area_off_m2(self, before: Case, after: Case, reach: str) -> float:
        """What differs between the areas of a reach and the undamaged ones, where the repair changed them."""
        old, new = (_ground(c, reach) for c in (before, after))
        if new is None:
            return np.inf
        off = new.symmetric_difference(self.areas.get(reach, shapely.Polygon()))
        return float(off.area if old is None else off.intersection(old.symmetric_difference(new).buffer(1.0)).area)


def _ground(case: Case, reach: str) -> Any:
    """The areas of a reach as one, None where one of them is not closed."""
    assert case.areas is not None
    shapes = case.areas.geometry[case.areas["reach_id"] == reach].to_numpy()
    closed = np.isin(shapely.get_type_id(shapes), (3, 6)).all()
    return shapely.union_all(shapely.make_valid(shapes)) if closed else None


def alone(case: Case, one: Repair) -> Case:
    return applied(case, [one])


def true(truth: Truth, case: Case, d: Defect, one: Repair) -> tuple[bool, float]:
    """Whether one repair, made alone, gives back what the undamaged county has; and by how much it is off."""
    after = alone(case, one)
    tolerance = truth.limits.rule_tolerance_m
    if d.code in ("area_not_closed", "centreline_not_inside", "sliver_area", "area_duplicate"):
        off = truth.area_off_m2(case, after, str(d.reach))
        return off < 40 * tolerance, off
    if d.code.startswith("stake"):
        return True, 0.0  # told by the doctor alone: where a lost stake stood nobody knows
    banks = ("L", "R") if d.code == "bank_swapped" else (_word(case, d, one),)
    off = max(truth.off_m(after, _reach(after, d, one), b) for b in banks)
    return off <= tolerance, off


def _row(one: Repair) -> int | None:
    return next((c.row for c in one.changes if c.layer == "lines" and c.row is not None), None)


def _word(case: Case, d: Defect, one: Repair) -> str:
    return next((str(c.fields["bank"]) for c in one.changes if "bank" in c.fields), str(d.bank))


def _reach(after: Case, d: Defect, one: Repair) -> str:
    return next((str(c.fields["reach_id"]) for c in one.changes if "reach_id" in c.fields), str(d.reach))


def words_true(truth: Truth, after: Case, one: Repair) -> bool:
    """Chainages that a repair writes, against the foot of the ends of the undamaged line."""
    for c in one.changes:
        if (
            c.layer == "lines"
            and {"from_m", "to_m"} <= set(c.fields)
            and not 0 <= c.fields["from_m"] < c.fields["to_m"]
        ):
            return False
    return True


# ---- one county -----------------------------------------------------------------------------------------------------


def examiner(as_planted: bool) -> Any:
    if as_planted:
        return lambda case: []
    from rivergis.boundary.doctor import examine as doctor

    return doctor.examine


def one_county(
    generator: Path, folder: Path, options: list[str], as_planted: bool, show: str | None
) -> list[tuple[str, bool, bool, bool]]:
    """(code, proposed, healed, true) of every defect."""
    case = case_of(generate(generator, folder / "dirty", *options))
    truth = Truth(case_of(generate(generator, folder / "clean", *options, "--clean")))
    examine = examiner(as_planted)
    defects = planted(folder / "dirty", case) if as_planted else examine(case)
    start = time.perf_counter()
    proposals = repair.propose(case, defects, examine)
    seconds = time.perf_counter() - start
    after = [] if as_planted else examine(applied(case, proposals))
    not_healed = repair._failed(defects, proposals, after)
    print(
        f"{' '.join(options)}: {len(defects)} defects, {len(proposals)} proposals in {seconds:.1f} s, {len(after)} defects after",
        flush=True,
    )
    rows = []
    by = {p.defect: p for p in proposals}
    for n, d in enumerate(defects):
        if n not in by:
            rows.append((d.code, False, False, False))
            continue
        ok, off = true(truth, case, d, by[n])
        ok = ok and words_true(truth, case, by[n])
        if show in (d.code, "all") and not (ok and n not in not_healed):
            print(
                f"  {d.code} {d.reach} {d.bank} {d.from_m:.0f}-{d.to_m:.0f} {by[n].basis}: off {off:.2f}, {by[n].sentence}",
                "" if n not in not_healed else "NOT HEALED",
            )
        rows.append((d.code, True, n not in not_healed, ok))
    return rows


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("generator", type=Path)
    asked.add_argument("--seeds", default="11")
    asked.add_argument("--flavour", default="dev")
    asked.add_argument("--as-planted", action="store_true")
    asked.add_argument("--show")
    args = asked.parse_args()
    rows = []
    for seed in args.seeds.split(","):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            options = ["--flavour", args.flavour, "--seed", seed]
            rows += one_county(args.generator, Path(folder), options, args.as_planted, args.show)
    tell(rows)


def tell(rows: list[tuple[str, bool, bool, bool]]) -> None:
    by: dict[str, Counter[str]] = defaultdict(Counter)
    for code, proposed, healed, right in rows:
        for key in (code, "all"):
            by[key].update(defects=1, proposed=proposed, healed=healed, true=right, valid=healed and right)
    print(f"{'code':28}{'defects':>8}{'proposed':>9}{'healed':>8}{'true':>7}{'valid':>7}")
    for code in [*sorted(set(by) - {"all"}), "all"]:
        c = by[code]
        print(f"{code:28}{c['defects']:8}{c['proposed']:9}{c['healed']:8}{c['true']:7}{c['valid']:7}")
    if by["all"]["proposed"]:
        print(f"valid {100 * by['all']['valid'] / by['all']['proposed']:.1f} % of proposals")


if __name__ == "__main__":
    main()
