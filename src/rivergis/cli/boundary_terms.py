"""What the verbs of delivery and publication take from the rules."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rivergis.boundary.delivery.layers import Terms
    from rivergis.reports.boundary_delivery import Asked
    from rivergis.rules import RuleView


def terms_of(view: RuleView, prefix: bool | None = None) -> Terms:
    """The rules of a delivery."""
    from rivergis.boundary.delivery.layers import Terms

    return Terms(
        view.value("boundary.deliver.layers").value,
        view.value("boundary.layer_codes").value,
        str(view.value("boundary.deliver.point_number").value),
        view.number("boundary.deliver.chainage_step"),
        bool(view.value("boundary.deliver.zone_prefix").value) if prefix is None else prefix,
    )


def asked_of(
    view: RuleView, encoding: str, formats: tuple[str, ...], on: date, columns: frozenset[str] | None = None
) -> Asked:
    """How it is written: encoding, formats, short names of fields, rules used."""
    from rivergis.reports.boundary_delivery import Asked

    fields = view.value("boundary.deliver.fields").value
    return Asked(encoding.upper(), formats, fields, tuple(r.as_dict() for r in view.used), columns, on)


def sheet_of(
    view: RuleView, terms: Terms, paper: str, scale: int | None, zone: int | None, on: date, drawn_by: str | None = None
) -> Any:
    """How the map is printed."""
    from rivergis.reports.boundary_map import Sheet

    return Sheet(
        paper.upper(), scale, int(view.number("boundary.deliver.map_scale")), terms.chainage_step_m, terms.point_number, None, on,
        drawn_by, zone, terms.zone_prefix,
    )  # fmt: skip
