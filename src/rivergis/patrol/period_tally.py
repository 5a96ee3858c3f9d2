"""通报数字: what the patrols of a period come to, for one chief or for several together. Pure; frames in, one small result out.

达标 counts only what announced rule rows tested; coverage stands beside it as reference. Patrols proven by a track and entries
without one are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from rivergis.patrol import period

CHANNEL = "channel"
MODES = ("walk", "ride", "drive", "boat")
NOT_TOLD = "not_told"
REASONS = (
    "gap", "no_time", "poor_accuracy", "too_fast", "outside_time", "other_bank", "not_along", "too_far", "never_approached",
)  # fmt: skip
"""Why a stretch was not seen, what came nearest to seeing it first."""


@dataclass(frozen=True)
class Tally:
    """Figures of a period. ``tested``: patrols that announced rules were tested on; ``undecided`` where a figure was missing.

    ``assigned_m``, ``seen_m``: bank metres by bank, each once; ``river_*``: metres of river, whichever bank or the channel;
    ``mode_m``: way along what is assigned, patrol by patrol; ``minutes``: on the assigned reaches.
    """

    patrols: int
    entries: int
    tested: int
    met: int
    undecided: int
    minutes: float
    assigned_m: Mapping[str, float]
    seen_m: Mapping[str, float]
    river_assigned_m: float
    river_seen_m: float
    mode_m: Mapping[str, float]
    problems: int

    @property
    def bank_assigned_m(self) -> float:
        return sum(self.assigned_m.values())

    @property
    def bank_seen_m(self) -> float:
        return sum(self.seen_m.values())


def share(part_m: float, whole_m: float) -> float | None:
    """Part of a whole, None of nothing."""
    return part_m / whole_m if whole_m > 0 else None


def assigned(duties: pd.DataFrame) -> pd.DataFrame:
    """Duties bank by bank: chief_id, river_id, bank (left, right), from_m, to_m, first_on, last_on."""
    columns = ["chief_id", "river_id", "bank", "from_m", "to_m", "first_on", "last_on"]
    return period.by_bank(duties[columns])


def credited(legs: pd.DataFrame, credits: pd.DataFrame, duties: pd.DataFrame) -> pd.DataFrame:
    """Legs on what the chiefs of their patrol answer for on that day, cut to it, once for each of these chiefs.

    ``legs``: on chainage, with track_id, day, bank (None: in the channel), mode, seen, reason; ``credits``: track_id, chief_id;
    ``duties``: as ``assigned`` gives them. A new chief does not inherit what was seen or missed before.
    """
    own = credits.loc[credits["track_id"].notna(), ["track_id", "chief_id"]]
    told = legs.assign(bank=legs["bank"].fillna(CHANNEL)).merge(own, on="track_id")
    either = duties.drop_duplicates(["chief_id", "river_id", "from_m", "to_m", "first_on"]).assign(bank=CHANNEL)
    held = pd.concat([duties, either], ignore_index=True)
    out = told.merge(held, on=["chief_id", "river_id", "bank"], suffixes=("", "_duty"))
    out = out[(out["day"] >= out["first_on"]) & (out["day"] <= out["last_on"])]
    out = out.assign(
        from_m=out[["from_m", "from_m_duty"]].max(axis=1), to_m=out[["to_m", "to_m_duty"]].min(axis=1), at=out["day"]
    )
    kept = ["chief_id", *legs.columns, "at"]
    return out.loc[out["from_m"] < out["to_m"], kept].reset_index(drop=True)


@dataclass(frozen=True)
class Frames:
    """A period ready to be counted: duties and legs bank by bank (``assigned``, ``credited``), patrols, entries and who they are
    credited to, observations."""

    duties: pd.DataFrame
    legs: pd.DataFrame
    patrols: pd.DataFrame
    entries: pd.DataFrame
    credits: pd.DataFrame
    observations: pd.DataFrame


def standing(entries: pd.DataFrame) -> pd.DataFrame:
    """Entries that count for themselves: not withdrawn, and not the same patrol as a track."""
    return entries[~entries["move"].isin(["withdrawn", "merged"])]


def tally(frames: Frames, chiefs: Iterable[Any]) -> Tally:
    """What these chiefs' patrols come to together: a joint patrol of two of them is one patrol, a metre seen by both one metre."""
    who = set(chiefs)
    credits = frames.credits[frames.credits["chief_id"].isin(who)]
    patrols = frames.patrols[frames.patrols["track_id"].isin(credits["track_id"].dropna())]
    entries = standing(frames.entries)
    entries = entries[entries["entry_id"].isin(credits["entry_id"].dropna())]
    tested = [outcome(s) for s in patrols["standard"] if s]
    held = frames.duties[frames.duties["chief_id"].isin(who)]
    legs = frames.legs[frames.legs["chief_id"].isin(who)]
    seen = legs[legs["seen"].astype(bool)]
    on_bank = period.union(seen[seen["bank"] != CHANNEL])
    river = period.either_bank(held)
    observed = frames.observations
    return Tally(
        patrols=len(patrols),
        entries=len(entries),
        tested=len(tested),
        met=tested.count(True),
        undecided=tested.count(None),
        minutes=sum(float((f or {}).get("minutes") or 0) for f in patrols["figures"]),
        assigned_m=_by_bank(period.union(held)),
        seen_m=_by_bank(on_bank),
        river_assigned_m=period.length_m(river),
        river_seen_m=period.length_m(period.either_bank(seen)),
        mode_m=mode_m(seen),
        problems=int(
            (observed["track_id"].isin(credits["track_id"].dropna()) & observed["track_id"].notna()).sum()
            + (observed["entry_id"].isin(entries["entry_id"]) & observed["entry_id"].notna()).sum()
        ),
    )


def outcome(standard: Sequence[Mapping[str, Any]]) -> bool | None:
    """Whether all tested rows of a patrol are met; None where a figure was missing and no other row fails."""
    met = [row.get("met") for row in standard]
    return False if False in met else None if None in met else True


def _by_bank(stretches: pd.DataFrame) -> dict[str, float]:
    return {bank: period.length_m(stretches[stretches["bank"] == bank]) for bank in period.BANKS}


def mode_m(seen: pd.DataFrame) -> dict[str, float]:
    """Metres walked, ridden, driven and by boat, each metre of river once for a patrol and mode."""
    told = seen.assign(mode=seen["mode"].where(seen["mode"].isin(MODES), NOT_TOLD))
    once = period.union(
        told.drop_duplicates(["track_id", "river_id", "from_m", "to_m", "mode"]), ["track_id", "river_id", "mode"]
    )
    return {mode: period.length_m(once[once["mode"] == mode]) for mode in (*MODES, NOT_TOLD)}


def never_seen(frames: Frames, keys: Sequence[str]) -> pd.DataFrame:
    """Assigned stretches that no patrol saw in the period, with the reason that came nearest: ``keys``, from_m, to_m, reason.

    ``keys``: what is told apart, river and bank among it; with the chief, what others saw does not count for him or her.
    """
    seen = frames.legs[frames.legs["seen"].astype(bool)]
    unseen = frames.legs[~frames.legs["seen"].astype(bool)]
    return period.reasoned(period.difference(frames.duties, seen, keys), unseen, REASONS, keys)
