"""What is left where a job tells nothing that can be believed: how long such jobs usually run."""

from __future__ import annotations

import math
from typing import Final

# "An install usually takes 5 to 15 minutes" (Clanforge documentation): in seconds the middle of that, on a
# scale of ratios, and a shape with which seven in ten jobs take so long and hardly any less than two minutes.
# With shapes from 2.5 to 3.5, E and the requests are the same within 2 %; jobs of hours cost less with 2.5.
TYPICAL: Final = math.sqrt(300 * 900)
SHAPE: Final = 3.0

# Seconds of delay that a request is worth here. With 0.03 a job of eight minutes costs ten requests more, and
# one of two hours as much E as is allowed; with 0.1, as it was, the end is learned of two seconds later.
PRICE: Final = 0.0375


def usual_pause(age: float, longest: float) -> float:
    """Return the seconds until the next look at a job that runs for `age` seconds: root(2 * price / hazard).

    The hazard rate is that of a log-logistic distribution, which rises, and falls again for a job that takes
    unusually long: so one of hours is not asked for every few seconds. May be longer than `longest`.
    """
    # A pause that is short enough for its end: the hazard rate rises while it lasts.
    age = max(age, 0.0) + longest / 2
    return math.sqrt(2 * PRICE * age * (1 + (TYPICAL / age) ** SHAPE) / SHAPE)
