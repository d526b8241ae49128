"""One question about one target: a GET, judged. An `Answer`, or an error of `cfgate.errors`.

Asking again, and when, is the gate's affair. One thing only is sent twice: a request that met a kept
connection which the server had closed (see `transport`).

The rules judge the answer as it was sent. What they return or raise holds texts from outside; the credentials
are taken out of these here, before anybody else has them. So no credential can change a verdict.
"""

from __future__ import annotations

import base64
import re
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from requests import Request
from requests.auth import AuthBase

from cfgate import __version__
from cfgate.client.network import hint, proxy_for, tls_context
from cfgate.client.transport import Transport
from cfgate.errors import GateError, InvalidSettings
from cfgate.model import Answer
from cfgate.rules.answer import judge, moment
from cfgate.system.loopback import is_loopback
from cfgate.text.wording import cap_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from cfgate.model import Target
    from cfgate.system.clock import Clock

_HEADERS: Final = {
    "User-Agent": f"cfgate/{__version__}",
    "Accept": "application/json",
    # An answer has some hundred bytes. One that is zipped all the same is understood.
    "Accept-Encoding": "identity",
    # Although nothing is sent: the authentication page of the Clanforge documentation asks for it.
    "Content-Type": "application/x-www-form-urlencoded",
}
# What is kept of a job error. Hundreds of targets may have one of a MiB.
MAX_JOB_ERROR: Final = 64 * 1024  # bytes
# http.client refuses anything else in a header, and quotes it.
_TOKEN: Final = re.compile(r"[!-~]+")


class Client:
    """The API, for any number of targets at once, each with a connection of its own."""

    def __init__(
        self,
        *,
        api_url: str,
        access_key: str = "",
        secret_key: str = "",
        token: str = "",
        request_timeout: float,
        ca_bundle: str = "",
        environ: Mapping[str, str],
        clock: Clock,
        redact: Callable[[str], str],
    ) -> None:
        """Prepare; nothing is sent.

        The credentials are `token`, or `access_key` and `secret_key`. `request_timeout` is seconds for one
        whole request. `ca_bundle` is a file of certificate authorities to trust besides the usual ones;
        `environ` is asked for proxies, and for other authorities in the place of the usual ones. `redact`
        takes secrets out of what the API says. Raises InvalidSettings.
        """
        self._api_url = api_url.rstrip("/")
        self._authorization = _authorization(access_key, secret_key, token)
        self._request_timeout = request_timeout
        self._clock = clock
        self._redact = redact
        parts = urlsplit(api_url)
        secure = parts.scheme == "https"
        if not secure and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise InvalidSettings(["api-url is not https: the credentials could be read on the way"])
        self._tls = tls_context(environ, ca_bundle) if secure else None
        self._proxy = proxy_for(api_url, environ)
        self._hint = hint(api_url, environ)
        self._transports: dict[Target, Transport] = {}
        self._closed = False
        self._lock = Lock()

    def fetch(
        self,
        target: Target,
        account_service_id: int | None,
        sent: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Ask for the status of a target, as this account, over a connection that is used for it alone.

        For each target one question at a time. `sent` is called for each request that goes out. Raises
        NoAnswer, Doubtful, NotFound, Rejected or Untrusted; InvalidSettings where the account is needed and
        missing.
        """
        request = self._get(target, account_service_id)
        try:
            reply = self._transport(target).send(request, self._request_timeout, sent)
            date = moment(reply.headers.get("Date", ""))
            # A `Retry-After` that is a date is in the API's time; this machine's clock may be wrong.
            now = self._clock.time() if date is None else date
            job = judge(reply.status, reply.headers, reply.body, target.id, target.resource, now=now)
        except GateError as error:
            error.redact(self._redact)
            raise
        job = job.redacted(self._redact)
        if job.error:
            # Only now, when no secret is left that the cut could fall into.
            job = job._replace(error=cap_utf8(job.error, MAX_JOB_ERROR))
        return Answer(job, date, reply.sent, reply.received)

    def close(self) -> None:
        """Close the connections that are kept, and keep none from now on."""
        with self._lock:
            self._closed = True
            for transport in self._transports.values():
                transport.close()

    def _transport(self, target: Target) -> Transport:
        """Find the way to the API for this target: no connection serves two."""
        with self._lock:
            if target not in self._transports:
                made = Transport(self._api_url, self._tls, self._proxy, self._clock, self._hint)
                if self._closed:
                    made.close()
                self._transports[target] = made
            return self._transports[target]

    def _get(self, target: Target, account_service_id: int | None) -> PreparedRequest:
        """Build the only kind of request there is: other GET addresses of Clanforge change state."""
        resource = target.resource
        if resource.needs_account and account_service_id is None:
            raise InvalidSettings([f"account-service-id is needed for a {resource.label}"])
        url = self._api_url + resource.address(target.id, account_service_id)
        return Request("GET", url, headers=_HEADERS, auth=self._authorization).prepare()


class _Authorization(AuthBase):
    """Sets the header as the last thing, so that nothing that requests knows can take its place."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def _authorization(access_key: str, secret_key: str, token: str) -> _Authorization:
    if token:
        if not _TOKEN.fullmatch(token):
            raise InvalidSettings(["token holds a blank, a line break or a character that is not ASCII"])
        return _Authorization(f"Bearer {token}")
    # What came as bytes that are no UTF-8 in the environment is sent as the same bytes.
    pair = f"{access_key}:{secret_key}".encode(errors="surrogateescape")
    return _Authorization(f"Basic {base64.b64encode(pair).decode('ascii')}")
