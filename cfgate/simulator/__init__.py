"""A Clanforge that plays scenarios over real HTTP on loopback, for the demo, rehearsals and the tests.

    with Simulator(load("demo")) as simulator:
        ...  # ask simulator.url

`scenario` and `faults` say what can be played, and how to write it down. `library` finds the files;
`reader` and `values` read them, strictly. `life` computes what a job shows at a moment, `bodies` formats it,
`api` decides who gets which answer, `wire` sends it, well or badly, and `server` ties
these together.

Importing this package is cheap: YAML and the HTTP server are loaded when they are needed.
"""

from cfgate.simulator.library import load, names, parse
from cfgate.simulator.scenario import Scenario, ScenarioError
from cfgate.simulator.server import Exchange, Simulator

__all__ = ["Exchange", "Scenario", "ScenarioError", "Simulator", "load", "names", "parse"]
