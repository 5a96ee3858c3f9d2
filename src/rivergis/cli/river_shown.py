"""How answers of ``rivergis river locate/point/cut/transfer/banks/calibrate`` read on a screen: Chinese first, rounded; JSON keeps every digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rivergis.cli import common

WAYS = {"down": "下行 down", "up": "上行 up"}
BEYOND = {"upstream": "上游端以上 beyond the upstream end", "downstream": "下游端以下 beyond the downstream end"}
KINDS = {"same": "同一处 same place", "moved": "河道移位 moved", "none": "无对应 no counterpart"}
LABELS = ("code", "编码", "name", "名称")  # columns that say which point of a file this is


def yes(value: Any) -> str:
    return "是 yes" if value else "否 no"


def metres(value: Any, decimals: int = 1) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def side(code: Any) -> str:
    """A bank in words; nothing where there is none."""
    from rivergis import words

    return words.both(f"bank.{code}") if code else ""


def _lines(facts: Sequence[tuple[str, Any]]) -> None:
    for name, value in facts:
        if value not in (None, "", []):
            common.say(f"{name}: {value}")


def show_place(place: Mapping[str, Any]) -> None:
    """One located position, with who answers for it where the database knows."""
    certain = "" if place["bank_certain"] else "(不确定 not certain)"
    _lines(
        [
            ("河流 river", f"{place['river'] or ''} {place['river_id']}".strip()),
            ("桩号 chainage", f"{place['chainage']}(自上游端 from the upstream end {place['at_m']:.2f} m)"),
            ("岸别 bank", f"{side(place['bank'])}{certain}"),
            ("距中心线 off the axis", f"{abs(place['offset_m']):.2f} m"),
            ("方位角 bearing", f"{place['bearing_deg']:.4f}°" if place["bearing_deg"] is not None else None),
            ("超出 beyond", BEYOND.get(str(place["beyond"]))),
            ("另一河流 another river", _rival(place, "other")),
            ("汊道 side arm", _rival(place, "braid")),
            ("村 village", place.get("village")),
            ("乡镇 township", place.get("town")),
            ("县 county", place.get("county")),
            ("河长 chiefs", _chiefs(place.get("chiefs"))),
        ]
    )


def _rival(place: Mapping[str, Any], which: str) -> str | None:
    axis = place[f"{which}_axis"]
    return None if axis is None else f"{axis}, {place[f'{which}_m']:.2f} m"


def _chiefs(chiefs: Any) -> str:
    from rivergis import words

    return "、".join(f"{words.say('level.' + c['level'])} {c['chief']}" for c in chiefs or [])


def show_places(rows: Sequence[Mapping[str, Any]]) -> None:
    """Located points of a file, one line each."""
    label = [c for c in LABELS if rows and c in rows[0]][:2]
    common.head(
        (*label, "河流 river", "桩号 chainage", "岸别 bank", "可靠 certain", "距中心线 off m", "另一河流 other"),
        [
            (
                *(r[c] for c in label),
                r["river"] or r["river_id"],
                r["chainage"],
                side(r["bank"]),
                yes(r["bank_certain"]),
                metres(abs(r["offset_m"]), 2),
                _rival(r, "other"),
            )
            for r in rows
        ],
    )


def show_point(point: Mapping[str, Any]) -> None:
    """Position of a chainage."""
    offset = point["offset_m"]
    beside = f"{side('left' if offset > 0 else 'right')} {abs(offset):.2f} m" if offset else None
    _lines(
        [
            ("河流 river", f"{point['river'] or ''} {point['river_id']}".strip()),
            ("桩号 chainage", f"{point['chainage']}(自上游端 from the upstream end {point['at_m']:.2f} m)"),
            ("偏离中心线 off the axis", beside),
            ("经纬度 lon,lat", f"{point['lon']:.7f},{point['lat']:.7f}"),
        ]
    )


def show_stretch(rows: Sequence[Mapping[str, Any]]) -> None:
    """A stretch that was cut."""
    import shapely

    [row] = rows
    ends = shapely.get_coordinates(shapely.from_wkt(row["geometry"]))[[0, -1]]
    _lines(
        [
            ("河流 river", f"{row['river'] or ''} {row['river_id']}".strip()),
            ("桩号 chainage", f"{row['from']} – {row['to']}"),
            ("长度 length", f"{row['length_m']:.2f} m"),
            *((n, f"{x:.7f},{y:.7f}") for n, (x, y) in zip(("起点 from", "终点 to"), ends, strict=True)),
        ]
    )


def show_transfer(rows: Sequence[Mapping[str, Any]]) -> None:
    """Chainages on a re-digitised axis: those asked for, or the whole axis in parts."""
    if rows and "old" in rows[0]:
        common.table(
            ("旧桩号 old", "新桩号 new", "新轴 new m", "结论", "相距 apart m"),
            [(r["old"], r["new"], metres(r["new_m"], 2), KINDS[r["kind"]], metres(r["distance_m"], 2)) for r in rows],
        )
        return
    common.table(
        ("旧轴 old m", "新轴 new m", "结论", "平均相距 mean m", "最大相距 largest m"),
        [
            (
                f"{r['from_m']:.1f} – {r['to_m']:.1f}",
                f"{r['new_from_m']:.1f} – {r['new_to_m']:.1f}",
                KINDS[r["kind"]],
                metres(r["mean_m"], 2),
                metres(r["largest_m"], 2),
            )
            for r in rows
        ],
    )


def show_banks(summary: Mapping[str, Any], out: Any) -> None:
    """Bank lines attached, and what was wrong with them."""
    _lines(
        [
            ("岸线段 pieces", summary["pieces"]),
            ("左岸 left bank", f"{summary['left_m'] / 1000:.3f} km"),
            ("右岸 right bank", f"{summary['right_m'] / 1000:.3f} km"),
            ("岸别不确定 bank not certain", summary["bank_uncertain"]),
        ]
    )
    if summary["defects"]:
        from rivergis import words

        common.table(
            ("缺陷 defect", "", "数 n"),
            [(code, words.both(f"bank_defect.{code}"), n) for code, n in summary["defects"].items()],
        )
    common.say(f"→ {out}")


def show_calibration(done: Mapping[str, Any]) -> None:
    """An official chainage that was recorded."""
    _lines(
        [
            ("河流 river", done["river"]),
            ("桩 stakes", done["stakes"]),
            ("桩号增向 figures grow", {"down": "向下游 downstream", "up": "向上游 upstream"}[done["direction"]]),
            ("上游端 upstream end", done["upstream_end"]),
            ("下游端 downstream end", done["downstream_end"]),
            ("断链 chain breaks", "; ".join(done["breaks"])),
        ]
    )
