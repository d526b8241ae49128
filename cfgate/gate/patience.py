"""How long to go on asking when the answers cannot be used. Pure arithmetic on a clock that is handed in.

A streak is a row of unusable answers with no usable one between them. It may last for the error tolerance
(`error-tolerance`), for two minutes at most as long as nothing usable has ever come, and a name that does not
resolve gets less than that at the start. A 404 has a grace period of its own (`not-found-grace`), since a
version that was just created may be unknown for a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cfgate.errors import Doubtful, NotFound, Refused, Unresolved, Unusable

if TYPE_CHECKING:
    from cfgate.model import Plan
    from cfgate.system.clock import Clock

# Before the first usable answer a wrong address is likelier than an outage: say so while somebody is looking.
AT_THE_START: Final = 120.0
# A name that has never resolved is nearly always misspelt; three or four tries tell it from a hiccup.
UNRESOLVED_AT_THE_START: Final = 15.0
# Rule 2 of docs/verdicts.md: what is refused after it has worked must be refused so often, for so many
# seconds.
_REFUSALS: Final = 3
_REFUSED_FOR: Final = 10.0


class Streak:
    """A row of unusable answers, from the first on."""

    def __init__(self, clock: Clock, plan: Plan, *, answered: bool) -> None:
        """Begin a row; `answered` tells whether a usable answer has ever come before it."""
        self._clock = clock
        self._plan = plan
        self._answered = answered
        self._since: dict[bool, float] = {}  # when the row of 404s began (True), and that of all others
        self._resolved = answered
        self._excused = 0.0
        self._doubt: Doubtful | None = None
        self._refusals: tuple[float, ...] = ()  # when, of those in a row

    @property
    def refused_for(self) -> float:
        """Seconds between the first and the last of the refusals in a row."""
        return self._refusals[-1] - self._refusals[0] if self._refusals else 0.0

    @property
    def refused(self) -> bool:
        """Whether a refusal after usable answers has been repeated often enough to be believed (rule 2)."""
        return len(self._refusals) >= _REFUSALS and self.refused_for >= _REFUSED_FOR

    def take(self, error: Unusable, time_left: float) -> None:
        """Add one more unusable answer to the row.

        The pause that an answer asks for (`Retry-After`) does not count, if it fits into `time_left` (seconds
        until the deadline): an API that says when it will be back is not silent.
        """
        now = self._counted()
        self._refusals = (*self._refusals, self._clock.monotonic()) if isinstance(error, Refused) else ()
        if error.retry_after is not None and error.retry_after < time_left:
            self._excused += error.retry_after
        unknown = isinstance(error, NotFound)
        if not unknown:
            self._since.pop(True, None)  # the row of 404s is broken
        self._since.setdefault(unknown, now)
        if isinstance(error, Doubtful):
            self._doubt = error
        if not isinstance(error, Unresolved):
            self._resolved = True

    def excuse(self, seconds: float) -> None:
        """Leave out a pause that the API asked for, but not of this gate."""
        self._excused += seconds

    def left(self, error: Unusable) -> float:
        """Tell for how many seconds more to be patient, 0 or less: give up. `error` was taken last."""
        unknown = isinstance(error, NotFound)
        patience = self._plan.not_found_grace if unknown else self._tolerance()
        return patience - (self._counted() - self._since[unknown])

    def _counted(self) -> float:
        """Read a clock that stands still while the API wants to be left alone."""
        return self._clock.monotonic() - self._excused

    def _tolerance(self) -> float:
        if self._answered:
            return self._plan.error_tolerance
        cap = AT_THE_START if self._resolved else UNRESOLVED_AT_THE_START
        return min(self._plan.error_tolerance, cap)

    def verdict(self, last: Unusable) -> Unusable:
        """Pick the answer that tells most about the row: a contradiction says more than silence."""
        return last if isinstance(last, NotFound) else self._doubt or last
