"""Whatever is sent by the rules of the API documentation, and against them, is answered: never a fault of ours (schemathesis)."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.security.counties import World

EXAMPLES = 1
"""Requests of each kind for each operation: the whole API within about a minute on an idle machine."""
# what runs long by its nature, or signs the tester out
SKIPPED = ("/sign-out", "/account/password")


def documents(two: World) -> dict[str, Any]:
    """The API documentation of the service and that of its OGC part, as a program reads them."""
    found = {"/openapi.json": two.client.app.openapi()}  # type: ignore[attr-defined]
    ogc = two.ask("GET", "/ogc/api", two.keys["inspector"], "application/json")
    return found | ({"/ogc/api": ogc.json()} if ogc.status_code == 200 else {})


def operations(two: World, document: dict[str, Any]) -> list[Any]:
    schema = schemathesis.openapi.from_dict(document)
    return [r.ok() for r in schema.get_all_operations() if not r.ok().path.endswith(SKIPPED)]


def send(two: World, case: Any, role: str) -> Any:
    """The request of a case through the service, by somebody of that role; None for what no client can put into bytes."""
    sent = {k: v for k, v in case.as_transport_kwargs().items() if k in ("params", "json", "data", "files", "headers")}
    try:
        made = requests.Request(case.method, f"http://testserver{case.formatted_path}", **sent).prepare()
    except (ValueError, TypeError, AttributeError, requests.RequestException):
        return None
    headers = {
        k: v for k, v in made.headers.items() if k.lower() not in ("authorization", "cookie", "host", "content-length")
    }
    headers["Authorization"] = f"Bearer {two.keys[role]}"
    return two.client.request(case.method, made.url, headers=headers, content=made.body)


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["by_the_rules", "against_them"]
)
def test_whatever_is_sent_is_answered(two: World, mode: GenerationMode) -> None:
    two.client.app.state.limits.rates.clear()  # type: ignore[attr-defined]
    faults: list[str] = []
    asked = 0
    for name, document in documents(two).items():
        for operation in operations(two, document):
            try:
                strategy = operation.as_strategy(generation_mode=mode)
            except Exception as error:
                # a route without anything to get wrong has no wrong requests
                assert mode is GenerationMode.NEGATIVE, (name, operation.label, error)
                continue

            @settings(
                max_examples=EXAMPLES, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(strategy)
            def one(case: Any) -> None:
                nonlocal asked
                asked += 1
                role = ("inspector", "planner", "reviewer")[asked % 3]
                answer = send(two, case, role)
                if answer is not None and answer.status_code >= 500:
                    faults.append(
                        f"{role} {case.method} {answer.request.url} {str(case.body)[:200]} -> {answer.status_code}"
                    )

            try:
                one()
            except Exception as error:
                if "Unsatisfiable" not in type(error).__name__ and "skip" not in type(error).__name__.lower():
                    faults.append(f"{operation.label}: {type(error).__name__} {str(error)[:300]}")
    assert asked > 100
    assert faults == [], "\n".join(faults)
