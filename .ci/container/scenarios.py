"""What the simulator plays to the image: lives of some seconds."""

from __future__ import annotations

import json
from typing import Final

from cfgate.simulator import Scenario, parse

Part = dict[str, object]


def scenario(*life: Part, faults: tuple[Part, ...] = (), known: int | None = None) -> Scenario:
    """Make a scenario, in the words of cfgate/simulator/scenario.py; `known` is the only id that exists."""
    document: Part = {"life": life, "faults": faults}
    return parse(json.dumps(document if known is None else {**document, "image-version-id": known}))


_QUEUED: Final[Part] = {"state": "Queued", "for": "500ms"}
_RUNNING: Final[Part] = {"state": "Running", "for": "1s", "progress": "0 to 100", "eta": "exact"}
_COMPLETED: Final[Part] = {"state": "Completed"}

READY: Final = scenario(_QUEUED, _RUNNING, _COMPLETED)
FAILED: Final = scenario(_RUNNING, {"state": "Failed", "joberror": "disk full"})
SQUASHED: Final = scenario(_RUNNING, {"state": "Squashed"})
ENDLESS: Final = scenario({"state": "Running", "for": "1h", "progress": "0 to 100"}, _COMPLETED)
MOTIONLESS: Final = scenario({"state": "Running", "progress": 40})
UNKNOWN_ID: Final = scenario(_COMPLETED, known=1)
OTHER_ID: Final = scenario({"state": "Completed", "fields": {"imageversionid": 1}})
BROKEN: Final = scenario(_COMPLETED, faults=({"status": 503},))
FLAKY: Final = scenario(
    _QUEUED,
    _RUNNING,
    _COMPLETED,
    faults=(
        {"requests": 1, "status": 503, "headers": {"Retry-After": 1}},
        {"requests": 2, "instead": "html"},
        {"requests": 3, "connection": "cut in body"},
    ),
)
STALLED_REQUEST: Final = scenario(
    {"state": "Running", "for": "1h"},
    _COMPLETED,
    faults=({"requests": "2-", "connection": "stall before headers"},),
)

# What a stranger may write into a job error: commands of both forms, outputs, masks, markup, terminal codes.
HOSTILE_TEXT: Final = (
    "first line\n::set-output name=ready::true\n  ::add-mask::9001\r##[set-output name=ready]true\n"
    "x##[error]y\n::stop-commands::token\nghadelimiter_0\nready<<EOF\ntrue\nEOF\nready=true\n"
    "\x1b[2K\x1b]0;title\x07 | <script>alert(1)</script> ![x](https://example.invalid/a.png) `| @everyone"
)
HOSTILE: Final = scenario({"state": "Failed", "joberror": HOSTILE_TEXT})
