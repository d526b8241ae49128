"""What is left where a job tells nothing that can be believed: how long such jobs usually run."""

from __future__ import annotations

import math
from typing import Final

# "An install usually takes 5 to 15 minutes" (Clanforge documentation): in seconds a little less than the
# middle of that on a scale of ratios, since E is 2 % less than with 520; and a shape with which two in three
# jobs take so long and hardly any less than two minutes. Shapes from 2.5 to 3.5 cost the same.
TYPICAL: Final = 480.0
SHAPE: Final = 3.0

# Seconds of delay that a request is worth here. With 0.03 a job of eight minutes costs a seventh more
# requests, and one of two hours more E than is allowed; with 0.1 the end is known two seconds later.
PRICE: Final = 0.042


def usual_pause(age: float, longest: float) -> float:
    """Return the seconds until the next look at a job that runs for `age` seconds: root(2 * price / hazard).

    The hazard rate is that of a log-logistic distribution, which rises, and falls again for a job that takes
    unusually long: so one of hours is not asked for every few seconds. May be longer than `longest`.
    """
    # A pause that is short enough for its end: the hazard rate rises while it lasts.
    age = max(age, 0.0) + longest / 2
    return math.sqrt(2 * PRICE * age * (1 + (TYPICAL / age) ** SHAPE) / SHAPE)
