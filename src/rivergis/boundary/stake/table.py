"""Stakes as a table (界桩成果表): number, place, height, how far to the next and whether it is seen, and what is to be said."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.ground.bank_chains import Chain
from rivergis.boundary.stake import numbers as stake_numbers
from rivergis.boundary.stake.numbers import Number
from rivergis.boundary.stake.place import Held, Stake
from rivergis.river import chainage

COLUMNS = (
    "code", "number_series", "river_code", "river", "bank", "kind", "status", "at_m", "chainage", "reason", "names", "reach_code",
    "county", "line_type", "basis", "height_m", "vertical_datum", "to_next_m", "sees_next", "off_line_m", "moved_m",
    "moved_bearing_deg", "existing", "said", "geom",
)  # fmt: skip
NUMBERS = ("at_m", "height_m", "to_next_m", "off_line_m", "moved_m", "moved_bearing_deg")


@dataclass(frozen=True)
class Note:
    """Something a person should look at: code, the river, bank and place (metres), and the numbers of the stakes it is about."""

    code: str
    river: str
    bank: str
    at_m: float
    stakes: tuple[str, ...]
    measure: float | None = None


@dataclass(frozen=True)
class Naming:
    """How numbers are made: ``form``, code of the county, short names of rivers (river -> letters), codes of counties (name -> adcode)."""

    form: str
    county: str = ""
    short: Mapping[str, str] | None = None
    adcodes: Mapping[str, str] | None = None

    def series(self, chain: Chain, stake: Stake) -> tuple[str, int]:
        """What stands before the figures of a stake, and how many digits they have."""
        river = (self.short or {}).get(chain.river) or (self.short or {}).get(chain.river_name) or chain.river
        county = self.county or (self.adcodes or {}).get(stake.county) or stake.county
        return stake_numbers.series_of(self.form, county=county, river=river, reach=stake.reach, bank=chain.bank)


def numbered(stakes: Sequence[Stake], chains: Sequence[Chain], naming: Naming) -> list[Number | str]:
    """The number of each stake: its own where it has one, else the next that fits, rising downstream on each bank.

    Where the existing stakes of a bank count in a series of their own, the new ones go on in it.
    """
    groups: dict[Any, list[int]] = {}
    for i, stake in enumerate(stakes):
        chain = chains[stake.chain]
        if not stake.shared:
            groups.setdefault((chain.river, chain.bank, naming.series(chain, stake)), []).append(i)
    out: list[Number | str] = [""] * len(stakes)
    for (_, _, series), rows in groups.items():
        for i, number in zip(rows, _of_series([stakes[i] for i in rows], *series), strict=True):
            out[i] = number
    return out


def _of_series(stakes: Sequence[Stake], series: str, digits: int) -> list[Number | str]:
    read = [stake_numbers.read(s.existing.number, series) if s.existing else None for s in stakes]
    used = Counter((n.series, n.digits) for n in read if n is not None)
    if used:
        series, digits = used.most_common(1)[0][0]
    own = [n.key if n is not None and n.series == series else None for n in read]
    fresh = [s.existing is None for s in stakes]
    order = [k for k, f in zip(own, fresh, strict=True) if f or k is not None]
    keys = iter(stake_numbers.given(order))
    out: list[Number | str] = []
    for stake, key, new in zip(stakes, own, fresh, strict=True):
        got = next(keys) if new or key is not None else ()
        out.append(stake.existing.number if stake.existing else Number(series, got, digits))
    return out


def table(
    stakes: Sequence[Stake],
    numbers: Sequence[Number | str],
    chains: Sequence[Chain],
    held: Sequence[Held],
    *,
    system: CRS,
    basis_of: Mapping[Any, str],
    vertical_datum: str | None,
) -> gpd.GeoDataFrame:
    """Stakes with the columns ``COLUMNS``, points in the metric system of the chains, in the order of their numbers.

    A stake shared with another line stands once. ``off_line_m``: how far an existing stake stands off its line (positive away
    from the river); of a moved one (移位桩) the way from the true point, its foot on the line, is told in metres and degrees.
    """
    off = {id(h.stake): h for h in held}
    rows = [
        _row(s, n, chains[s.chain], off.get(id(s.existing)), basis_of, vertical_datum, system)
        for s, n in zip(stakes, numbers, strict=True)
        if not s.shared
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)  # texts that are missing stay None
    frame = frame.astype({**dict.fromkeys(NUMBERS, float), "existing": bool})
    return gpd.GeoDataFrame(frame, geometry="geom", crs=system)


def _row(
    s: Stake,
    number: Number | str,
    chain: Chain,
    held: Held | None,
    basis_of: Mapping[Any, str],
    datum: str | None,
    system: CRS,
) -> dict[str, Any]:
    read = number if isinstance(number, Number) else stake_numbers.read(number)
    there = s.existing
    reason = (there.extra.get("reason") if there else None) or ",".join(s.why)
    given = there.extra.get("height_m") if there else None
    height = given if given is not None else s.height_m
    heights = there.extra.get("vertical_datum") if there and given is not None else datum
    moved = _moved(held, chain, system) if held and s.kind == "moved" else (None, None)
    return {
        "code": str(number), "number_series": read.series if read else None, "river_code": chain.river,
        "river": chain.river_name, "bank": chain.bank, "kind": s.kind, "status": there.status if there else "planned",
        "at_m": round(s.at_m, 3), "chainage": chainage.label(s.at_m), "reason": reason, "names": "、".join(s.names) or None,
        "reach_code": s.reach, "county": s.county or None, "line_type": chain.line_type,
        "basis": basis_of.get(chain.part_at(s.along).row), "height_m": height,
        "vertical_datum": heights if height is not None else None, "to_next_m": s.to_next_m,
        "sees_next": s.sees_next, "off_line_m": held.off_m if held else None,
        "moved_m": moved[0], "moved_bearing_deg": moved[1], "existing": there is not None, "said": ",".join(s.said) or None,
        "geom": s.point,
    }  # fmt: skip


def _moved(held: Held, chain: Chain, system: CRS) -> tuple[float, float]:
    """Way from the true point of a moved stake to where it stands: metres on the ellipsoid, degrees clockwise from north."""
    both = shapely.get_coordinates([chain.point(held.along), held.stake.point])
    (lon, lat), (east, north) = crs.into_storage(system)(both)
    bearing, _, metres = crs.GEOD.inv(lon, lat, east, north)
    return float(metres), float(bearing) % 360


def notes(
    frame: gpd.GeoDataFrame, stakes: Sequence[Stake], chains: Sequence[Chain], held: Sequence[Held], off_line_m: float
) -> list[Note]:
    """What is not as it should be: next stake hidden, stakes off the line or off every line, numbers twice or not rising."""
    kept = [s for s in stakes if not s.shared]
    out = []
    for code, s in zip(frame["code"], kept, strict=True):
        chain = chains[s.chain]
        at = (chain.river, chain.bank, s.at_m)
        if s.sees_next == "no":
            out.append(Note("next_hidden", *at, (code,), s.to_next_m))
        out += [Note(said, *at, (code,)) for said in s.said]
    for h in held:
        if h.chain is None:
            out.append(Note("off_every_line", h.stake.river or "", h.stake.bank or "", math.nan, (h.stake.number,)))
        elif h.stake.kind != "moved" and abs(h.off_m) > off_line_m:
            chain = chains[h.chain]
            out.append(
                Note("off_line", chain.river, chain.bank, float(chain.at_m(h.along)), (h.stake.number,), h.off_m)
            )
    return out + _number_notes(frame)


def _number_notes(frame: gpd.GeoDataFrame) -> list[Note]:
    """Numbers that stand on several stakes, and neighbours of one series whose numbers fall."""
    rows = list(zip(frame["code"], frame["number_series"], frame["river_code"], frame["bank"], frame["at_m"], strict=True))  # fmt: skip
    count = Counter(r[0] for r in rows)
    first = {r[0]: r for r in reversed(rows)}
    out = [Note("number_twice", first[c][2], first[c][3], first[c][4], (c,)) for c, n in count.items() if n > 1]
    for (one, series, *place), (two, same, *next_, at) in itertools.pairwise(rows):
        a, b = stake_numbers.read(one, series), stake_numbers.read(two, same)
        if a and b and series == same and place[:2] == next_ and b.key < a.key:
            out.append(Note("number_falls", next_[0], next_[1], at, (one, two)))
    return out
