"""Tricky cases of the overlay beyond those delivered: written out, answered by a plain overlay, and any answer scored.

Run: .venv/bin/python benchmarks/encroachment_cases.py write FOLDER
     .venv/bin/rivergis encroachment check-cases FOLDER --as-of 2026-06-01 --out results.json
     .venv/bin/python benchmarks/encroachment_cases.py score FOLDER results.json [--strict]
     .venv/bin/python benchmarks/encroachment_cases.py plain FOLDER plain.json
The cases (``tricky/``) are rectangles in metres near eight places of China, their answers worked out by hand. The plain
overlay is the peer: project, intersect with the union of the areas, subtract the permits of the day; where it falls over it
answers nothing. ``score`` reads any folder of this form: an outcome is right when exactly the expected findings are there with
their reaches and areas; *told* asks besides for the reasons and diagnostics.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from tricky import CASES

AS_OF = "2026-06-01"
Answer = dict[str, Any]


def write(folder: Path) -> None:
    """Cases as folders, in the form that ``check-cases`` reads."""
    shutil.rmtree(folder / "cases", ignore_errors=True)
    names = [f"{i:03d}-{name}" for i, name in enumerate(CASES, 1)]
    for name, case in zip(names, CASES.values(), strict=True):
        home = folder / "cases" / name
        home.mkdir(parents=True)
        for layer, content in case.files().items():
            _dump(content, home / f"{layer}.geojson", None)
        _dump(case.expected(name, AS_OF), home / "expected.json", 1)
    _dump(names, folder / "cases.json", 1)
    print(f"{len(names)} cases in {folder}")


def _dump(content: object, path: Path, indent: int | None) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent), encoding="utf-8")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def wrong(expected: Answer, answer: Answer) -> list[str]:
    """What is not as expected among findings, reaches, areas and the total."""
    there = {tuple(sorted(one.get("candidates", []))): one for one in answer.get("findings", [])}
    faults = [] if len(there) == len(answer.get("findings", [])) else ["a finding is told twice"]
    for want in expected["findings"]:
        got = there.pop(tuple(want["candidates"]), None)
        if got is None:
            faults.append(f"no finding of {want['candidates']}")
            continue
        if sorted(got.get("reaches", [])) != want["reaches"]:
            faults.append(f"{want['candidates']}: reaches {got.get('reaches')}, not {want['reaches']}")
        if not _near(got.get("area_m2"), want["area_m2"], want["tol_m2"]):
            faults.append(f"{want['candidates']}: {got.get('area_m2')} m2, not {want['area_m2']}")
    faults += [f"a finding too many: {list(names)}" for names in there]
    total = expected.get("total_area_m2")
    if not faults and total is not None and not _near(answer.get("total_area_m2"), total, max(1.0, 0.01 * total)):
        faults.append(f"total {answer.get('total_area_m2')} m2, not {total}")
    return faults


def _near(got: float | None, want: float | None, tolerance: float) -> bool:
    if want is None:
        return not got
    return got is not None and abs(got - want) <= tolerance


def untold(expected: Answer, answer: Answer) -> list[str]:
    """Reasons and diagnostics that were not given."""
    given = {one.get("candidate"): one.get("reason") for one in answer.get("not_findings", [])}
    asked = {one["candidate"]: one["reason"] for one in expected["not_findings"]}
    faults = []
    for name, reasons in asked.items():
        if given.get(name) not in ([reasons] if isinstance(reasons, str) else reasons):
            faults.append(f"{name}: reason {given.get(name)}, not {reasons}")
    return faults + [
        f"not said: {one['any_of']}" for one in expected["diagnostics"] if not codes(answer) & set(one["any_of"])
    ]


def codes(answer: Answer) -> set[str]:
    return {one if isinstance(one, str) else one.get("code") for one in answer.get("diagnostics", [])}


def judged(expected: Answer, answer: Answer) -> tuple[list[str], list[str]]:
    """What is wrong in an answer and what it leaves unsaid; nothing where it takes the alternative."""
    faults, silent = wrong(expected, answer), untold(expected, answer)
    other = expected.get("alternative")
    if faults and other and not answer.get("findings") and codes(answer) & set(other["diagnostics_any_of"]):
        return [], []
    return faults, silent


def score(folder: Path, results: Path, strict: bool) -> int:
    """A line for each case that is not right, and the two counts; 0 where all is."""
    answers, names = _load(results), _load(folder / "cases.json")
    outcome = told = 0
    for name in names:
        expected, answer = _load(folder / "cases" / name / "expected.json"), answers.get(name, {})
        faults, silent = judged(expected, answer)
        outcome, told = outcome + (not faults), told + (not silent)
        if faults or silent:
            print(f"{name}: {'WRONG' if faults else 'untold'}: {'; '.join(faults + silent)}")
    print(f"outcome {outcome}/{len(names)}, told {told}/{len(names)}")
    return int(outcome < len(names) or (strict and told < len(names)))


def plain(home: Path) -> Answer:
    """One case by the overlay that anybody would write."""
    boundary, candidates, permits = (
        gpd.read_file(home / f"{name}.geojson") for name in ("boundary", "candidates", "permits")
    )
    zone = boundary.estimate_utm_crs()
    boundary, candidates = boundary.to_crs(zone), candidates.to_crs(zone)
    inside = boundary.union_all()
    if len(permits):
        day, last = pd.Timestamp(AS_OF), pd.to_datetime(permits["valid_to"], format="mixed")
        valid = permits[(pd.to_datetime(permits["valid_from"], format="mixed") <= day) & (last >= day)]
        inside = inside.difference(valid.to_crs(zone).union_all())
    net = candidates.geometry.intersection(inside)
    answer: Answer = {"findings": [], "not_findings": [], "diagnostics": []}
    for name, part in zip(candidates["id"], net, strict=True):
        if part is None or part.is_empty or part.area <= 0:
            answer["not_findings"].append({"candidate": name, "reason": "outside"})
            continue
        reaches = sorted(set(boundary.loc[boundary.intersects(part), "reach"]))
        answer["findings"].append({"candidates": [name], "reaches": reaches, "area_m2": part.area})
    return {**answer, "total_area_m2": sum(one["area_m2"] for one in answer["findings"])}


def answer_plainly(folder: Path, out: Path) -> None:
    answers: dict[str, Answer] = {}
    for name in _load(folder / "cases.json"):
        try:
            answers[name] = plain(folder / "cases" / name)
        except Exception as fault:  # whatever it falls over is its answer
            answers[name] = {}
            print(f"{name}: {type(fault).__name__}")
    _dump(answers, out, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "score", "plain"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("results", type=Path, nargs="?", help="scored, or written by the plain overlay")
    parser.add_argument("--strict", action="store_true", help="exit 1 also where a reason or diagnostic is missing")
    asked = parser.parse_args()
    if asked.what == "write":
        write(asked.folder)
        return 0
    if asked.results is None:
        parser.error("name the file of results")
    if asked.what == "plain":
        answer_plainly(asked.folder, asked.results)
    return score(asked.folder, asked.results, asked.strict)


if __name__ == "__main__":
    sys.exit(main())
