"""When to look next. Pure: no I/O, no sleep, no global state; the only chance in it is a seeded jitter.

`cadence` asks two clues when the job will end: `eta` reads the estimate that the API announces, `progress`
measures the rate of the per cents. Each returns a `forecast`, and `looks` turns the narrower one into the
pause that costs least. Where there is none, `experience` knows how long such jobs usually run.
docs/cadence.md explains why, with measurements.
"""

from cfgate.schedule.cadence import Cadence
from cfgate.schedule.pacing import FixedInterval, Pacing

__all__ = ["Cadence", "FixedInterval", "Pacing"]
