"""The simulator itself: a scenario, served."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message
    from types import TracebackType

    from cfgate.simulator.api import Api, Response
    from cfgate.simulator.scenario import Scenario
    from cfgate.simulator.wire import Server

_MOST_REQUESTS: Final = 100_000  # remembered; a simulator may run for days


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it came, and what was answered. `at` is Unix seconds of the simulator's local clock.

    `answered` also names trouble on the wire, which may have kept `status` from arriving. `headers` are
    never shown, for they contain credentials.
    """

    at: float
    method: str
    path: str  # with the query
    headers: Mapping[str, str] = field(repr=False)
    status: int
    answered: str

    def __str__(self) -> str:
        summary = f"{self.method} {self.path} → {self.answered}"
        return "".join(char if char.isprintable() else "?" for char in summary)


class Simulator:
    """Serves a scenario over HTTP on 127.0.0.1 while its context lasts.

    Credentials and the ASID are checked where they are given; without any, everybody may ask. Every duration
    of the scenario is divided by `speed`, those of delays and drips included: the job lives faster, while
    the server's clock goes on as ever, so that all its time stamps agree with its `Date`. What a scenario
    writes out, as `Retry-After: 2` or `$now+2`, stays as written. `clock` gives the local Unix time. `log`
    gets a line for each request, from the threads that answer.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        access_key: str = "",
        secret_key: str = "",
        token: str = "",
        account_service_id: int | None = None,
        port: int = 0,
        speed: float = 1.0,
        clock: Callable[[], float] = time.time,
        log: Callable[[str], None] | None = None,
    ) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise ValueError(f"speed must be greater than 0, not {speed}")
        self.scenario = scenario
        self._credentials = (access_key, secret_key, token)
        self._account_service_id = account_service_id
        self._port = port
        self._speed = speed
        self._clock = clock
        self._log = log
        self._requests: deque[Exchange] = deque(maxlen=_MOST_REQUESTS)
        self._lock = Lock()
        self._server: Server | None = None
        self._thread: Thread | None = None

    @property
    def url(self) -> str:
        """The address to put into `api-url`; raises RuntimeError when the simulator is not started."""
        if self._server is None:
            raise RuntimeError("the simulator is not started")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> tuple[Exchange, ...]:
        """Every request so far, in the order in which they were answered."""
        with self._lock:
            return tuple(self._requests)

    def start(self) -> Self:
        """Open the port and begin to answer; raises OSError when the port is taken."""
        from cfgate.simulator.api import Access, Api
        from cfgate.simulator.wire import Server

        if self._server is not None:
            raise RuntimeError("the simulator is started already")
        access = Access(*self._credentials, self._account_service_id)
        api = Api(self.scenario, access, self._speed, self._clock)

        def answering(method: str, path: str, headers: Message[str, str]) -> Response:
            return self._answer(api, method, path, headers)

        self._server = Server(self._port, answering, self._speed)
        # The interval is how long `stop` may have to wait for the loop to notice.
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all connections and free the port; nothing when not started."""
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, api: Api, method: str, path: str, headers: Message[str, str]) -> Response:
        """Answer, and record it before it is sent, so that who has an answer finds it recorded."""
        at = self._clock()
        reply = api.answer(method, path, headers.get("Authorization", ""))
        trouble = reply.connection
        summary = f"{reply.status} {reply.summary}" + (f", {trouble}" if trouble else "")
        request = Exchange(at, method, path, dict(headers), reply.status, summary)
        with self._lock:
            self._requests.append(request)
        if self._log is not None:
            self._log(str(request))
        return reply
