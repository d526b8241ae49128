"""The simulator on this host, and a step that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from runner import Step

from cfgate.simulator import Scenario, Simulator
from tests.support.canary import ACCESS_KEY, KEYS, SECRET_KEY

ID: Final = "9001"
ASID: Final = 1234567

Serve = Callable[[Scenario], Simulator]
MakeStep = Callable[..., Step]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve scenarios until the test is over."""
    with ExitStack() as stack:

        def start(scenario: Scenario) -> Simulator:
            simulator = Simulator(
                scenario, access_key=ACCESS_KEY, secret_key=SECRET_KEY, account_service_id=ASID
            )
            return stack.enter_context(simulator)

        yield start


@pytest.fixture
def make_step(tmp_path: Path) -> MakeStep:
    """Make a step that asks the API at a URL about one image version."""

    def make(
        url: str, inputs: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
    ) -> Step:
        asked = {"image-version-id": ID, "account-service-id": str(ASID), "api-url": url}
        asked["max-interval"] = "1s"  # the jobs here are done in no time
        return Step(tmp_path, {**asked, **(inputs or {})}, {**KEYS, **(environ or {})})

    return make
