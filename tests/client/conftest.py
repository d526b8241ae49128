"""What the tests of the client share: they need not wait before a connection is used again."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_shortest_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a connection be used again at once, as far as that goes; the tests of the pause set it back."""
    monkeypatch.setattr("cfgate.client.transport._SHORTEST_IDLE", 0.0)
