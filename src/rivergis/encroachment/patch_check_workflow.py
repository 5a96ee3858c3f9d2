"""What people decide on patches, taken over from their filled-in form (核查结果回填): a check is a move, a review another person's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rivergis import lifecycle, words
from rivergis.db.connect import Database
from rivergis.encroachment import life_workflow, patch_store, patches, reports, store
from rivergis.encroachment.patch_files import BatchFile, Row
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.intake import photo, sources, times
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits

_SEPARATED = re.compile(r"[;；,，、|\n]+")
_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Refused:
    """A row that was not taken over, and why."""

    patch_no: str | None
    source_feature: str
    why: str


@dataclass
class TakenOver:
    """What became of the rows of a filled-in form: rows = checked + reviewed alone + unchanged + empty + refused."""

    batch: str
    rows: int = 0
    checked: int = 0
    moved: int = 0
    reviewed: int = 0
    unchanged: int = 0
    empty: int = 0
    without_photo: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class _Desk:
    """What all rows of a form share."""

    db: Database
    actor: str
    may: frozenset[str]
    photos: Path | None
    store_dir: Path
    shown_m: float
    limits: Limits


class _Refusal(Exception):
    """A row that is not taken over."""


def take_over(
    db: Database,
    batch: str,
    read: BatchFile,
    *,
    actor: str,
    may: frozenset[str],
    photos: Path | None,
    store_dir: Path,
    shown_m: float,
    limits: Limits = DEFAULT,
) -> TakenOver:
    """Take over outcomes, corrected classes, reasons, evidence and reviews from a filled-in form; each row by itself.

    ``may``: capabilities of the actor (inspect to check, review_findings to review). A row that the lifecycle, the evidence or
    the rule of two persons forbids is refused with its reason; the same form again changes nothing. ``shown_m``: how far from
    a patch its photo may have been taken without being doubted.
    """
    desk = _Desk(db, actor, may, photos, store_dir, shown_m, limits)
    done = TakenOver(batch, len(read.rows))
    with db.read() as conn:
        head = patch_store.batch(conn, batch)
        stored = patch_store.patches(conn, head["id"])
        places = patch_store.places(conn, head["id"])
    known = dict(zip(patches.keys([p["patch_no"] for p in stored]), stored, strict=True))
    for key, row in zip(patches.keys([r.patch_no for r in read.rows]), read.rows, strict=True):
        try:
            _row(desk, done, row, known.get(key), places)
        except _Refusal as error:
            done.refused.append(Refused(row.patch_no, row.source_feature, str(error)))
        except (UsageError, NotPermitted, InputError) as error:
            done.refused.append(Refused(row.patch_no, row.source_feature, error.sentence))
    return done


def _row(
    desk: _Desk,
    done: TakenOver,
    row: Row,
    patch: dict[str, Any] | None,
    places: Mapping[str, tuple[float, float, float]],
) -> None:
    said = row.delivered
    outcome = _outcome(said.get("outcome"))
    if outcome is None:
        done.empty += 1
        return
    if patch is None:
        raise _Refusal(words.both("patch.not_in_batch", no=row.patch_no or row.source_feature))
    if patch["candidate_id"] is None:
        raise _Refusal(words.both("patch.was_aside"))
    checked = not _same_check(patch["check"], outcome, said)
    if checked:
        _check(desk, done, patch, outcome, said, places.get(str(patch["candidate_id"])))
        done.checked += 1
    if said.get("reviewed_by") and _review(desk, patch, outcome, said, checked):
        done.reviewed += 1
    elif not checked:
        done.unchanged += 1


def _outcome(said: str | None) -> int | None:
    try:
        return patches.outcome(said)
    except ValueError as error:
        raise _Refusal(words.both("patch.outcome_unreadable", said=repr(str(error)[:40]))) from error


def _same_check(check: Mapping[str, Any] | None, outcome: int, said: Mapping[str, str]) -> bool:
    """Whether the last check of a patch found the same, so that a form that comes again is no second one."""
    return (
        check is not None
        and check["outcome"] == outcome
        and said.get("class_corrected") in (None, check["class_corrected"])
        and said.get("reason") in (None, check["reason"])
    )


def _check(
    desk: _Desk,
    done: TakenOver,
    patch: dict[str, Any],
    outcome: int,
    said: Mapping[str, str],
    place: tuple[float, float, float] | None,
) -> None:
    """A check: the move of its lead where it has one, and the record of what was found."""
    _need(desk, "inspect")
    if not said.get("reason"):
        raise _Refusal(words.both("patch.reason_missing"))
    evidence = [_evidence(desk, name, place) for name in _names(said.get("evidence"))]
    if patch["finding_id"] is not None:
        done.moved += _move(desk, patch, outcome, said["reason"], [path for path, _ in evidence])
    row = {
        "candidate_id": patch["candidate_id"],
        "candidate_version": patch["candidate_version"],
        "finding_id": patch["finding_id"],
        "kind": "check",
        "outcome": outcome,
        "class_corrected": said.get("class_corrected"),
        "reason": said["reason"],
        "evidence": [kept for _, kept in evidence],
        "done_by": said.get("checked_by"),
        "done_on": _day(said.get("checked_on")),
    }
    with desk.db.write(desk.actor) as conn:
        patch_store.add_check(conn, row)
        for _, kept in evidence if patch["finding_id"] is not None else []:
            store.add_evidence(
                conn,
                patch["finding_id"],
                "photo" if Path(kept["path"]).suffix in _PICTURES else "document",
                file_sha256=kept["sha256"],
                file_path=kept["path"],
                taken_on=_day(kept.get("taken_at")),
                caption=words.both("patch.evidence_of", no=patch["patch_no"]),
                position_grade=kept["grade"],
            )
    patch["check"] = {**row, "actor": desk.actor}
    if not any(Path(kept["path"]).suffix in _PICTURES for _, kept in evidence):
        done.without_photo.append(str(patch["patch_no"]))


def _need(desk: _Desk, capability: str) -> None:
    if capability not in desk.may:
        raise _Refusal(words.both("patch.not_allowed", what=capability))


def _move(desk: _Desk, patch: Mapping[str, Any], outcome: int, reason: str, files: list[Path]) -> int:
    """Move the lead of a patch; one that is there already stays."""
    life, name = lifecycle.load()["finding"], patches.MOVES[outcome]
    state = life.fold([m["move"] for m in patch["moves"]])
    if state == life.moves[name].to_state:
        return 0
    attachment = files[0] if files else None
    life_workflow.take_step(
        desk.db,
        str(patch["finding_id"]),
        name,
        desk.actor,
        reason=reason,
        attachment=attachment,
        store_dir=desk.store_dir,
    )
    return 1


def _names(said: str | None) -> list[str]:
    return [n.strip() for n in _SEPARATED.split(said or "") if n.strip()]


def _evidence(desk: _Desk, name: str, place: tuple[float, float, float] | None) -> tuple[Path, dict[str, Any]]:
    """A named photo or document kept in the store, with what it says against the place of the patch."""
    path = None if desk.photos is None else desk.photos / Path(name.replace("\\", "/")).name
    if path is None or not path.is_file():
        raise _Refusal(words.both("patch.photo_missing", name=name))
    sha256 = sources.sha256(path)
    kept: dict[str, Any] = {"name": name, "sha256": sha256, "path": f"evidence/{sha256}{path.suffix.lower()}"}
    if path.suffix.lower() in _PICTURES:
        facts = photo.read_photo(path, Asked(), desk.limits).layers[0].facts
        found = reports.doubts(facts, place[0], place[1], None, 0.0, desk.shown_m + place[2]) if place else []
        kept |= {"taken_at": facts.get("taken_at"), "grade": facts["position_grade"]}
        kept["doubts"] = [{"code": d.code, "said": words.both(f"report_doubt.{d.code}", **d.values)} for d in found]
    else:
        kept["grade"] = "hand_placed"
    sources.keep(path, desk.store_dir / kept["path"])
    return path, kept


def _review(desk: _Desk, patch: Mapping[str, Any], outcome: int, said: Mapping[str, str], fresh: bool) -> bool:
    """Another person's review of the check that stands; False where it is recorded already."""
    check, review = patch["check"], patch["review"]
    if not fresh and review and review["id"] > check["id"] and review["outcome"] == outcome:
        return False
    _need(desk, "review_findings")
    reviewer = said["reviewed_by"]
    checkers = {_person(name) for name in (check["done_by"], check["actor"]) if name}
    if check["actor"] == desk.actor or checkers & {_person(reviewer), _person(desk.actor)}:
        raise _Refusal(words.both("patch.own_review"))
    with desk.db.write(desk.actor) as conn:
        patch_store.add_check(
            conn,
            {
                **{k: patch[k] for k in ("candidate_id", "candidate_version", "finding_id")},
                "kind": "review",
                "outcome": outcome,
                "class_corrected": check["class_corrected"],
                "reason": said.get("reason"),
                "evidence": [],
                "done_by": reviewer,
                "done_on": _day(said.get("reviewed_on")),
            },
        )
    return True


def _person(name: str) -> str:
    """A name however it is typed: full-width letters and blanks between characters make no other person."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _day(said: str | None) -> date | None:
    return times.day(said[:10]) if said else None
