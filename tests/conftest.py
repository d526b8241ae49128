"""What all tests share: how hypothesis runs, an environment without proxies, a watch over the credentials."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import Phase, settings

pytest_plugins = ["tests.support.canary_guard"]

# A time limit for an example would make tests fail on a busy machine. What must not hang has its own bound.
settings.register_profile("cfgate", deadline=None)
# For a long search; it leaves the tests alone that set a number of examples themselves.
settings.register_profile("thorough", deadline=None, max_examples=2000)
# For `make mutation`: a few examples, always the same, and none made smaller.
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
)
# For `make quick`: enough to notice a slip at once. The whole suite searches on.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "cfgate"))


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the proxies and authorities of the machine out of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)


TESTS = Path(__file__).parent
# Where every test starts processes, or takes long: whole benchmarks and proofs.
OF_PROCESSES = ("program/", "proofs/", "tools/", "gate/test_machine.py", "schedule/test_cadence.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of these, so that `make quick` can leave it out."""
    for item in items:
        if item.path.relative_to(TESTS).as_posix().startswith(OF_PROCESSES):
            item.add_marker(pytest.mark.process)


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that starts a process and does not say so."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("this test starts a process: mark it with `@pytest.mark.process`")

    if request.node.get_closest_marker("process") is None:
        monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
