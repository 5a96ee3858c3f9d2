"""The baseline as a workbook: what it was made of, how its rows matched, and every row a person must look at (基线比对报告)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from rivergis import words
from rivergis.reports import workbook

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_HEAD = (
    "来源 source", "文件 file", "行 row", "编号 number", "比对 match", "起始状态 start", "线索 case", "经度 lon", "纬度 lat",
    "依据 figures", "原文 as delivered",
)  # fmt: skip


def write(shown: Any, path: Path) -> None:
    """Write a baseline (``baseline_workflow.Shown``): summary, rows for a person (待人工认定), all rows, leads of the night."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    files = {s["sha256"]: s["file"] for s in shown.sources}
    workbook.add_table(book, "基线 baseline", ("项目 item", "内容 value"), _summary(shown))
    rows = [i for i in shown.items if i["source"] != "stock"]
    for title, some in (
        ("待人工认定 for a person", [i for i in rows if i["start"] == "listed"]),
        ("全部记录 rows", rows),
    ):
        workbook.add_table(book, title, _HEAD, [_row(i, files) for i in some])
    leads = [i for i in shown.items if i["source"] == "stock"]
    head = ("线索 case", "起始状态 start", "比对 match", "经度 lon", "纬度 lat")
    workbook.add_table(book, "线索 leads", head, [_lead(i) for i in leads])
    workbook.write_fixed(book, path, shown.made_at)


def _summary(shown: Any) -> list[tuple[str, Any]]:
    signed = f"{shown.signed_by} {_at(shown.signed_at)}: {shown.signed_reason}" if shown.signed_by else None
    out: list[tuple[str, Any]] = [
        ("编号 number", shown.number),
        ("截至夜 night", str(shown.night)),
        ("编制 made by", f"{shown.made_by} {_at(shown.made_at)}"),
        ("签认 signed by", signed or words.both("baseline.unsigned")),
    ]
    for s in shown.sources:
        out.append((words.both(f"baseline_source.{s['role']}"), f"{s['file']} ({s['rows']}) {s['sha256'][:12]}"))
    out += [(f"线索 leads: {words.both('baseline_start.' + k)}", n) for k, n in shown.counts["leads"].items()]
    for source, counts in shown.counts["rows"].items():
        if source != "stock":
            name = words.both(f"baseline_source.{source}")
            out += [(f"{name}: {words.both('baseline_how.' + how)}", n) for how, n in counts.items()]
    return out


def _at(moment: Any) -> str:
    return f"{moment.astimezone(_SHANGHAI):%Y-%m-%d %H:%M}"


def _row(item: Mapping[str, Any], files: Mapping[str, str]) -> Sequence[Any]:
    return (
        words.both(f"baseline_source.{item['source']}"), files.get(item["file_sha256"]), item["source_feature"], item["number"],
        words.both(f"baseline_how.{item['how']}"), words.both(f"baseline_start.{item['start']}"), _case(item), *_place(item),
        _said(item["figures"]), _said(item["said"]),
    )  # fmt: skip


def _lead(item: Mapping[str, Any]) -> Sequence[Any]:
    start, how = words.both(f"baseline_start.{item['start']}"), words.both(f"baseline_how.{item['how']}")
    return (_case(item), start, how, *_place(item))


def _place(item: Mapping[str, Any]) -> tuple[float | None, float | None]:
    lon, lat = item["lon"], item["lat"]
    return (None if lon is None else round(lon, 6), None if lat is None else round(lat, 6))


def _case(item: Mapping[str, Any]) -> str | None:
    return None if item["finding_id"] is None else str(item["finding_id"])


def _said(value: Mapping[str, Any]) -> str | None:
    return (
        "; ".join(
            f"{k}: {json.dumps(v, ensure_ascii=False) if isinstance(v, (list, dict)) else v}" for k, v in value.items()
        )
        or None
    )
