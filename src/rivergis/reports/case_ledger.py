"""问题台账 the ledger as a file: one row a case, every field that the office keeps, stock and increment told apart."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely

from rivergis import crs, words
from rivergis.errors import EnvironmentFault, UsageError, inert
from rivergis.reports import case_rows, workbook
from rivergis.reports.patrol_paper import SHANGHAI
from rivergis.river.files import whole

ENDINGS = (".xlsx", ".csv", ".geojson", ".gpkg", ".json")


@dataclass(frozen=True)
class Ledger:
    """Cases (columns of ``app.case_as_of``, EPSG:4490) as asked for, and what they rest on."""

    cases: gpd.GeoDataFrame
    on: date
    known_at: datetime
    signed: date | None
    """Night of the signed baseline; None = none is signed, and nothing is called new."""
    asked: Mapping[str, str]
    """What the list is limited to, in words."""

    def summary(self) -> list[tuple[str, str, int, int]]:
        """State, stock or increment, cases, of them overdue: counted apart, in the order of the life."""
        frame = self.cases
        tally: Counter[tuple[str, bool]] = Counter(zip(frame["state"], frame["stock"], strict=True))
        late = Counter(
            zip(frame["state"][frame["overdue_days"] > 0], frame["stock"][frame["overdue_days"] > 0], strict=True)
        )
        order = {code: n for n, code in enumerate(_states())}
        return [
            (case_rows.state_name(s), case_rows.stock_name(stock, self.signed), n, late[s, stock])
            for (s, stock), n in sorted(tally.items(), key=lambda kv: (order.get(kv[0][0], 99), not kv[0][1]))
        ]


def _states() -> list[str]:
    from rivergis import lifecycle

    return list(lifecycle.load()["finding"].states)


def _word(group: str) -> Callable[[Mapping[str, Any], str], Any]:
    return lambda case, key: words.say(f"{group}.{case[key]}") if _there(case[key]) else None


def _there(value: Any) -> bool:
    return value is not None and value == value


def _whole(case: Mapping[str, Any], key: str) -> int | None:
    return int(case[key]) if _there(case[key]) else None


def _names(case: Mapping[str, Any], key: str) -> str | None:
    return case_rows.joined(case[key])


def _units(case: Mapping[str, Any], _: str) -> str | None:
    """Units with their own measure and deadline; the lead first. Offices only, no person."""
    told = []
    for u in sorted(case["units"] or [], key=lambda u: u.get("lead") is not True):
        more = [
            u.get("measure"),
            u.get("deadline"),
            u.get("done_on") and f"{words.say('case_ledger.done')} {u['done_on']}",
        ]
        lead = words.say("case_ledger.lead") if u.get("lead") is True else None
        rest = ",".join(str(v) for v in (lead, *more) if v)
        told.append(f"{u['unit']}({rest})" if rest else str(u["unit"]))
    return ";".join(told) or None


def _plain(case: Mapping[str, Any], key: str) -> Any:
    value = case_rows.text(case[key])
    return None if not _there(value) else value


def _status(case: Mapping[str, Any], key: str) -> str | None:
    """As what the last night saw it; new (新增) is said of increment only, and nothing of what no night looks at."""
    if case["topic"] == "reported" or not _there(case[key]):
        return None
    return case["stock"] if case[key] == "new" else words.say(f"status.{case[key]}")


_COLUMNS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "number": lambda c, _: case_rows.number(c),
    "superior_numbers": _names,
    "state": _word("state.finding"),
    "stock": _plain,
    "class_code": _word("class"),
    "severity": _plain,
    "outcome": _word("state.finding"),
    "sources": _names,
    "found_on": _plain,
    "district": _plain,
    "town": _plain,
    "village": _plain,
    "river": _plain,
    "bank": _word("bank"),
    "chainage": _plain,
    "lon": _plain,
    "lat": _plain,
    "area_m2": lambda c, k: round(float(c[k]), 1) if _there(c[k]) else None,
    "units": _units,
    "measure": _plain,
    "deadline": _plain,
    "overdue_days": _whole,
    "due_in_days": _whole,
    "escalation_due": _word("case_stage"),
    "escalation_issued": _word("case_stage"),
    "assigned_at": _plain,
    "rectified_at": _plain,
    "sent_back": _whole,
    "doubts": _whole,
    "accepted_at": _plain,
    "closed_at": _plain,
    "closed_above_at": _plain,
    "closed_above_by": _plain,
    "looked_back_at": _plain,
    "look_back": _word("case_look_back"),
    "rebounds": _whole,
    "status": _status,
    "night": _plain,
    "id": lambda c, _: str(c["id"]),
}


def headings() -> list[str]:
    return [words.both(f"case_ledger.{k}") for k in _COLUMNS]


def rows(ledger: Ledger) -> list[list[Any]]:
    """Cells as people read them, in the order of ``headings``; positions in degrees (EPSG:4490)."""
    points = shapely.point_on_surface(ledger.cases.geometry.values)
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    cases = ledger.cases.to_dict("records")
    return [_row(c | {"lon": x, "lat": y}, ledger.signed) for c, x, y in zip(cases, lon, lat, strict=True)]


def _row(case: Mapping[str, Any], signed: date | None) -> list[Any]:
    shown = {
        "lon": round(float(case["lon"]), 7),
        "lat": round(float(case["lat"]), 7),
        "stock": case_rows.stock_name(bool(case["stock"]), signed),
    }
    return [make({**case, **shown}, key) for key, make in _COLUMNS.items()]


def told(case: Mapping[str, Any], signed: date | None) -> list[tuple[str, Any]]:
    """One case (with ``lon`` and ``lat``) as heading and cell, without what is empty."""
    cells = zip(headings(), _row(case, signed), strict=True)
    return [(name, value) for name, value in cells if value not in (None, "", 0)]


def about(ledger: Ledger) -> list[tuple[str, str]]:
    """What the file is: the day, what was known, the baseline, and what it is limited to."""
    signed = words.both("case_ledger.unsigned") if ledger.signed is None else str(ledger.signed)
    return [
        (words.both("case_ledger.as_of"), str(ledger.on)),
        (words.both("case_ledger.known_at"), f"{ledger.known_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"),
        (words.both("case_ledger.baseline"), signed),
        (words.both("case_ledger.cases"), str(len(ledger.cases))),
        *((words.both(f"case_ledger.{k}"), v) for k, v in ledger.asked.items()),
        (words.both("case_ledger.wording"), words.both("case_ledger.wording_said")),
    ]


def check(path: Path) -> None:
    """Before anything is read: ``UsageError`` for an ending, ``EnvironmentFault`` for a folder that no ledger can have."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path.name}: a ledger ends in {', '.join(ENDINGS)}.")
    if not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")


def write(ledger: Ledger, path: Path) -> None:
    """Write the ledger by its ending: .xlsx and .csv as people read it, .geojson, .gpkg and .json with the columns of the database."""
    check(path)
    make = {".xlsx": _book, ".csv": _csv, ".geojson": _shapes, ".gpkg": _shapes, ".json": _json}[path.suffix.lower()]
    with whole(path) as part:
        make(ledger, part)


def _book(ledger: Ledger, path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    workbook.add_table(book, words.say("case_ledger.title"), headings(), rows(ledger))
    counted = [words.both(f"case_ledger.{k}") for k in ("state", "stock", "cases", "overdue")]
    workbook.add_table(book, words.say("case_ledger.summary"), counted, ledger.summary())
    said = [words.both("case_ledger.what"), words.both("case_ledger.said")]
    workbook.add_table(book, words.say("case_ledger.about"), said, about(ledger))
    workbook.write_fixed(book, path, ledger.known_at)


def _csv(ledger: Ledger, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as handle:
        writer = csv.writer(handle)
        writer.writerow(headings())
        writer.writerows([inert(v) if isinstance(v, str) else v for v in row] for row in rows(ledger))


def machine(ledger: Ledger) -> gpd.GeoDataFrame:
    """The cases with flat columns and no person in them: lists as JSON text, moments in UTC."""
    frame = ledger.cases.drop(columns=["figures", "moved_by"])
    for name in frame.columns.drop("geom"):
        frame[name] = [_flat(v) for v in frame[name].astype(object)]
    return frame


def _flat(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = [{k: v for k, v in u.items() if k != "person"} for u in value]
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if value is None or value is pd.NaT or value != value:
        return None
    if isinstance(value, (bool, int, float, str)):
        return value
    return value.item() if hasattr(value, "item") else value.isoformat() if isinstance(value, date) else str(value)


def _shapes(ledger: Ledger, path: Path) -> None:
    pyogrio.write_dataframe(crs.outward(machine(ledger)), path, layer="case")


def _json(ledger: Ledger, path: Path) -> None:
    frame = machine(ledger)
    shapes = shapely.to_wkt(frame.geometry.values, rounding_precision=9)
    cases = [{**r, "geom": g} for r, g in zip(frame.drop(columns="geom").to_dict("records"), shapes, strict=True)]
    said = {
        "on": str(ledger.on),
        "known_at": ledger.known_at.isoformat(),
        "baseline": ledger.signed and str(ledger.signed),
    }
    body = {**said, "asked": dict(ledger.asked), "cases": cases}
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
