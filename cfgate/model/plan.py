"""How to wait for one target: what the options come to, and what a gate keeps to."""

from __future__ import annotations

from typing import NamedTuple

from cfgate.model.target import Target


class Plan(NamedTuple):
    """How to wait for one target. Durations are seconds.

    `account_service_id` is `None` when it may be left out (with a bearer token), `poll_interval` for `auto`,
    `stall_timeout` and `queue_timeout` for off.
    """

    target: Target
    account_service_id: int | None = None
    timeout: float = 3600.0
    poll_interval: float | None = None
    max_interval: float = 15.0
    error_tolerance: float = 600.0
    not_found_grace: float = 60.0
    stall_timeout: float | None = None
    queue_timeout: float | None = None

    @property
    def longest_pause(self) -> float:
        """The longest pause between two looks, in seconds."""
        return self.poll_interval or self.max_interval
