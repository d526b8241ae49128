"""What can go wrong, as one tree. Each class knows how the gate ends on it, and what a person can do.

    GateError
    ├── InvalidSettings        invalid       nothing was sent
    │   ├── NotInstalled       invalid       a package that cfgate needs is not there
    │   └── NotUnpacked        invalid       cfgate.pyz cannot unpack certificates: no temporary folder
    ├── Unusable               -             asked again, within the error tolerance
    │   ├── Refused            unavailable   rule 2: a refusal after usable answers, until it is repeated
    │   ├── NoAnswer           unavailable   rules 1, 3 and 4: nothing that could be read came back
    │   │   └── Unresolved     unavailable   the host name has no address: short patience at the start
    │   ├── Doubtful           inconsistent  rules 5 to 8: an answer that cannot be trusted
    │   └── NotFound           not_found     rule 2, HTTP 404: asked again within the grace period
    ├── Rejected               rejected      rule 2: the API refuses; asking again cannot help
    ├── Untrusted              unavailable   TLS cannot be verified; asking again would be wrong
    ├── Unsuited               unavailable   the server asks for what cfgate has not; asking again cannot help
    └── Broken                 error         a bug in cfgate

The rules are those of "From an answer to a verdict" in docs/verdicts.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from cfgate.model import GateStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_LONGEST_QUOTE: Final = 200  # characters


class GateError(Exception):
    """Anything that can end a gate but the job itself.

    `str(error)` is one clause that says what happened, with no full stop. `quote` is the part of it that
    comes from outside, whole until `redact` has taken the secrets out of it, and never disarmed. `remedy` is
    one sentence that says what to do.
    """

    status: ClassVar[GateStatus] = GateStatus.ERROR
    remedy: str = ""

    def __init__(
        self,
        message: str,
        *,
        quote: str = "",
        shorten: Callable[[str], str] = str,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.quote = quote
        self._shorten = shorten  # what of the quote is shown
        if remedy is not None:
            self.remedy = remedy

    def __str__(self) -> str:
        line = " ".join(self._shorten(self.quote).split())
        cut = f"{line[:_LONGEST_QUOTE]}…" if len(line) > _LONGEST_QUOTE else line
        return f"{self.message}: “{cut}”" if cut else self.message

    def redact(self, redact: Callable[[str], str]) -> None:
        """Take the secrets out of every text: of the whole quote, and again of what is shown of it."""
        self.message = redact(self.message)
        self.quote = redact(self._shorten(redact(self.quote)))


class InvalidSettings(GateError):
    """The configuration is wrong: every problem found, each naming its source and what to do."""

    status = GateStatus.INVALID
    remedy = "Fix the settings named above; nothing was sent."

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class NotInstalled(InvalidSettings):
    """A package that cfgate needs is not installed."""

    remedy = (
        "Install what cfgate needs: `pip install -r requirements/runtime.txt`, or in a clone `make demo`."
    )

    def __init__(self, error: ModuleNotFoundError) -> None:
        super().__init__([f"the Python package {error.name} is not installed"])


class NotUnpacked(InvalidSettings):
    """No temporary folder can be written, where requests copies its certificates from a zip file to."""

    remedy = "Set TMPDIR to a folder that can be written; cfgate.pyz unpacks certificates there."

    def __init__(self, error: OSError) -> None:
        super().__init__([f"no temporary folder can be written ({error.strerror or error})"])


class Unusable(GateError):
    """An answer that decides nothing.

    `retry_after`: the pause in seconds that the API asked for. `busy`: it had too many requests (HTTP 429),
    which concerns all who share it, whether or not it said for how long.
    """

    label: ClassVar[str] = "unusable answer"  # what the log calls it

    def __init__(
        self,
        message: str,
        *,
        quote: str = "",
        remedy: str | None = None,
        retry_after: float | None = None,
        busy: bool = False,
    ) -> None:
        super().__init__(message, quote=quote, remedy=remedy)
        self.retry_after = retry_after
        self.busy = busy


class NoAnswer(Unusable):
    """No connection, no whole body, a busy or broken server, or something that is not Clanforge's JSON."""

    status = GateStatus.UNAVAILABLE
    label = "no answer"
    remedy = "Check that the API is up and that `api-url` names it, then run the gate again."


class Unresolved(NoAnswer):
    """The host name of `api-url` (or of the proxy) has no address."""

    remedy = "Check the host name in `api-url` and the DNS and proxy settings of this runner."


class Doubtful(Unusable):
    """The API answered, but the answer contradicts itself or the question."""

    status = GateStatus.INCONSISTENT
    label = "doubtful answer"
    remedy = "Look it up in the Clanforge dashboard; do not deploy it while this is unclear."


class NotFound(Unusable):
    """HTTP 404."""

    status = GateStatus.NOT_FOUND
    label = "not found"
    remedy = (
        "Check that `image-version-id` is the id of what `resource` says (images, updates and diffs have ids "
        "of their own) and belongs to this `account-service-id`."
    )


class Rejected(GateError):
    """The API refuses to answer: credentials, ASID, the request, or a redirect, which is not followed.

    `credentials`: it refuses who asks (HTTP 401 and 403), so it would refuse the same for any other target.
    """

    status = GateStatus.REJECTED
    remedy = "Check the credentials and `account-service-id`."

    def __init__(
        self,
        message: str,
        *,
        quote: str = "",
        shorten: Callable[[str], str] = str,
        remedy: str | None = None,
        credentials: bool = False,
    ) -> None:
        super().__init__(message, quote=quote, shorten=shorten, remedy=remedy)
        self.credentials = credentials


class Untrusted(GateError):
    """The server's certificate cannot be verified; no credentials were sent."""

    status = GateStatus.UNAVAILABLE
    remedy = "If your network inspects TLS, name its CA file in `ca-bundle`; if not, somebody may listen."


class Unsuited(GateError):
    """The server speaks another protocol, or wants something that cfgate does not have."""

    status = GateStatus.UNAVAILABLE
    remedy = "Check `api-url`, and ask whoever runs the server what it expects."


class Refused(Unusable):
    """A refusal that came after usable answers, and so perhaps not from the API: a firewall, a login page."""

    status = GateStatus.UNAVAILABLE
    label = "refused"

    def __init__(self, refusal: Rejected | Unsuited) -> None:
        super().__init__(str(refusal), remedy=refusal.remedy)
        self.refusal = refusal


class Broken(GateError):
    """A bug in cfgate."""

    status = GateStatus.ERROR
    remedy = "This is a bug in cfgate. Please report it with this log."
