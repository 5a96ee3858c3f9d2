"""Small cases of the overlay whose answer is worked out by hand: shapes, lines, permits, duplicates, places."""

from tricky import duplicates, harder, lines, permits, places, shapes
from tricky.kit import Case

CASES: dict[str, Case] = {
    **shapes.CASES,
    **lines.CASES,
    **permits.CASES,
    **duplicates.CASES,
    **places.CASES,
    **harder.CASES,
}
