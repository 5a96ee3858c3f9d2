"""疑似问题线索: the suspected lead, the one record in which every check says what it saw and why it says so.

A word of the house (level 0), because outfalls, boundary lines and encroachments all speak it. It never says that
something is unlawful: people decide, announce, sign and close.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import shapely

DISCLAIMER_ZH = "仅供核查,不作为行政处罚依据"
DISCLAIMER_EN = "For verification only; not a basis for administrative penalties"


@dataclass(frozen=True)
class Lead:
    """One lead of one night with everything that explains it; geometries in EPSG:4490."""

    topic: str  # encroachment, outfall_in_zone, outfall_position, boundary_line
    key: str
    """What it is about, stable over nights: topic and identity of the object, e.g. the candidate's uuid."""
    kind: str
    class_code: str
    place: shapely.Point
    geom: shapely.Geometry
    position: str  # inside, edge, undecided
    basis: str  # announced, draft, surrogate, computed, gazette
    clause: str
    competent_authority: str | None
    our_action: str | None
    figures: dict[str, Any]
    """area_m2, area_error_m2, distance_m, river, bank, at_m, chainage, village, chiefs ..."""
    rules: list[dict[str, Any]]
    inputs: dict[str, Any]
    sources: list[dict[str, Any]]
    boundary_id: str | None = None
    boundary_version: int | None = None
    area_m2: float | None = None
    district: str = ""
    severity: str | None = None
    """Level of the rules, borderline or cannot_tell; None = no rule says."""
    built_period: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    """Names of images or photos that show it, as delivered; not part of the verdict."""

    def content(self) -> dict[str, Any]:
        """What the verdict says and rests on, as plain data: what is hashed, and what a replay compares."""
        body = {
            "class": self.class_code,
            "position": self.position,
            "basis": self.basis,
            "clause": self.clause,
            "competent_authority": self.competent_authority,
            "our_action": self.our_action,
            "boundary": [self.boundary_id, self.boundary_version],
            "figures": self.figures,
            "rules": self.rules,
            "inputs": self.inputs,
        }
        for name in ("severity", "built_period"):
            if getattr(self, name) is not None:
                body[name] = getattr(self, name)
        plain: dict[str, Any] = json.loads(json.dumps(body, ensure_ascii=False, default=str))
        return plain

    def content_hash(self) -> str:
        """Hash of what the verdict rests on; equal inputs give an equal verdict on every later night."""
        return content_hash(self.content())


def content_hash(content: dict[str, Any]) -> str:
    """Hash of the content of a verdict, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def verdict_id(finding: uuid.UUID, content_hash: str) -> uuid.UUID:
    """Identity of a verdict: the lead it is given on, and what it says."""
    return uuid.uuid5(finding, content_hash)


@dataclass(frozen=True)
class NotLead:
    """A candidate near or inside a line that is not told, with its reason: as much part of the night as a lead."""

    candidate_id: str
    candidate_version: int
    reason: str
    detail: dict[str, Any]
