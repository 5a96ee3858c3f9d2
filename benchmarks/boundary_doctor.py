"""What the line doctor finds, misses, tells falsely and tells twice in counties it was not made on, by code.

Run: .venv/bin/python benchmarks/boundary_doctor.py [--generator GENERATE.PY] [--places acute,lake,...] [--seeds 1,2] [--clean] [--show]
Without a generator the counties are our own (``boundary_places.py``). With one (the benchmark's generate.py, whose folder holds its
flavours.json) the counties are its own in other places: centre, turn, coordinate systems (3-degree zones with and without prefix, county B in
another zone, WGS 84), offsets and berms, tolerances, date formats, stronger and weaker defects (``FLAVOURS``).
Found: a report of the same code at the place (``tolerance_m``), or of the same reach, bank or feature for what concerns a whole line.
Beside: another code at a planted place. False: everything else. ``--show`` names each miss and false report.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from boundary_places import PLACES
from boundary_repairs import case_of, generate

from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.doctor.case import Case, Defect

HERE = Path(__file__).resolve().parent
FLAVOURS: dict[str, dict[str, Any]] = {
    "plateau": {
        "centre": [91.1, 29.6], "rotate_deg": -33, "berm_m": {"1": 50, "2": 30, "3": 30, "4": 20, "5": 10},
        "bank_offset_m": [[10, 8], [40, 15], [9999, 30]], "date_formats": ["%Y/%m/%d"],
    },
    "zones": {
        "centre": [118.9, 31.9], "rotate_deg": 77, "crs": {"A": "EPSG:4549", "B": "EPSG:4548"}, "rule_tolerance_m": 0.5,
        "shrink_tolerance_m": 0.5, "stake_tolerance_m": 0.3, "seam_tolerance_m": 0.3, "date_formats": ["%Y%m%d", "%Y-%m-%d"],
    },
    "prefix": {"centre": [120.6, 31.3], "rotate_deg": 140, "crs": {"A": "EPSG:4528", "B": "EPSG:4529"}, "strength": [2.5, 5], "date_formats": ["%Y年%m月%d日"]},
    "mixed": {
        "centre": [106.5, 29.5], "rotate_deg": -100, "crs": {"A": "EPSG:4490", "B": "EPSG:4544"}, "rule_tolerance_m": 2.0,
        "shrink_tolerance_m": 2.0, "stake_tolerance_m": 1.0, "seam_tolerance_m": 1.0, "bank_offset_m": [[8, 10], [30, 20], [80, 30], [9999, 50]],
    },
    "weak": {"centre": [103.0, 26.0], "strength": [1.6, 3], "bend_factor": [1.2, 1.8], "leveed_share": 0.6},
    "north": {
        "centre": [125.3, 45.8], "rotate_deg": 200, "leveed_share": 0.1, "bend_factor": [2, 4],
        "bank_offset_m": [[8, 3], [30, 5], [80, 8], [9999, 10]], "snap_m": 0.01, "seam_tolerance_m": 0.2, "today": "2024-06-30",
    },
    "west": {"centre": [80.2, 40.1], "crs": {"A": "EPSG:4326", "B": "EPSG:4491"}},
}  # fmt: skip


def elsewhere(generator: Path, folder: Path) -> Path:
    """A copy of a generator whose flavours are those of other places."""
    base = json.loads((generator.parent / "flavours.json").read_text(encoding="utf-8"))["dev"]
    shutil.copyfile(generator, folder / "generate.py")
    (folder / "flavours.json").write_text(json.dumps({n: base | f for n, f in FLAVOURS.items()}), encoding="utf-8")
    return folder / "generate.py"


def score(
    case: Case, found: list[Defect], truth: list[dict[str, Any]]
) -> tuple[Counter[str], Counter[str], Counter[str], list[str]]:
    """(found, false, repeated) by code, and each miss and false report in words."""
    places = (
        gpd.GeoSeries(shapely.points([(t["lon"], t["lat"]) for t in truth]), crs="EPSG:4490")
        .to_crs(case.lines.crs)
        .to_numpy()
    )
    open_, hit, false, again, said = set(range(len(truth))), Counter[str](), Counter[str](), Counter[str](), []
    for d in found:
        away = np.array([d.place.distance(p) if not d.place.is_empty else np.inf for p in places])
        fits = [k for k, t in enumerate(truth) if t["code"] == d.code and _fits(d, t, away[k])]
        fresh = [k for k in fits if k in open_]
        if fresh:
            open_.remove(min(fresh, key=lambda k: away[k]))
            hit[d.code] += 1
        elif fits:
            again[d.code] += 1
        elif not any(_beside(d, t, away[k]) for k, t in enumerate(truth)):
            false[d.code] += 1
            said.append(f"false {d.code} {d.reach} {d.bank} {d.from_m:.0f}-{d.to_m:.0f} {d.features[:2]}")
    said += [
        f"missed {t['code']} {t['reach_id']} {t['bank']} {t['from_m']:.0f}-{t['to_m']:.0f}"
        for k, t in enumerate(truth)
        if k in open_
    ]
    return hit, false, again, said


def _fits(d: Defect, t: dict[str, Any], away_m: float) -> bool:
    named = d.reach == t["reach_id"] or bool(set(d.features) & set(t["features"]))
    if t["whole"] or t["code"] in ("outlier_vertex", "axis_swapped_part"):
        return named and (
            d.bank in (None, "", t["bank"]) or t["code"] == "bank_swapped" or bool(set(d.features) & set(t["features"]))
        )
    return away_m <= t["tolerance_m"]


def _beside(d: Defect, t: dict[str, Any], away_m: float) -> bool:
    """Another word for a planted defect, or what it brings with it."""
    return (d.reach == t["reach_id"] or bool(set(d.features) & set(t["features"]))) and (
        t["whole"] or away_m <= t["tolerance_m"] + 100
    )


def county(
    generator: Path, place: str, seed: str, clean: bool, show: bool
) -> tuple[Counter[str], Counter[str], Counter[str], Counter[str]]:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        out = generate(
            generator, Path(folder) / "county", "--flavour", place, "--seed", seed, *(["--clean"] if clean else [])
        )
        truth = json.loads((out / "truth.json").read_text(encoding="utf-8"))
        case = case_of(out)
        start = time.perf_counter()
        defects = doctor.examine(case)
        seconds = time.perf_counter() - start
        hit, false, again, said = score(case, defects, truth["defects"])
    planted = Counter(t["code"] for t in truth["defects"])
    banks = truth["reach_banks"]
    print(
        f"{place} {seed}: {len(case.lines)} lines in {seconds:.1f} s, found {hit.total()} of {planted.total()}, false {false.total()} = {100 * false.total() / banks:.2f} % of {banks} reach-banks, repeated {again.total()}",
        flush=True,
    )
    for line in said if show else ():
        print("   ", line)
    return planted, hit, false, again


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--generator", type=Path)
    asked.add_argument("--places")
    asked.add_argument("--seeds", default="1")
    asked.add_argument("--clean", action="store_true")
    asked.add_argument("--show", action="store_true")
    args = asked.parse_args()
    places = args.places.split(",") if args.places else list(FLAVOURS if args.generator else PLACES)
    total = [Counter[str]() for _ in range(4)]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        generator = elsewhere(args.generator, Path(folder)) if args.generator else HERE / "boundary_places.py"
        for place in places:
            for seed in args.seeds.split(","):
                try:
                    parts = county(generator, place, seed, args.clean, args.show)
                except subprocess.CalledProcessError as error:
                    print(place, seed, "could not be made:", error.stderr.decode()[-300:], file=sys.stderr)
                    continue
                for sum_, part in zip(total, parts, strict=True):
                    sum_.update(part)
    planted, hit, false, again = total
    print(f"{'code':28}{'found':>7}{'planted':>9}{'false':>7}{'repeated':>10}")
    for code in sorted(planted | false):
        print(f"{code:28}{hit[code]:7}{planted[code]:9}{false[code]:7}{again[code]:10}")


if __name__ == "__main__":
    main()
