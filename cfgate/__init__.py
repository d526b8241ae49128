"""Block a pipeline until a Clanforge game image version is ready.

Data flows one way. `settings` reads flags, inputs, environment and file into one frozen `Settings`;
`client` turns one GET into a `JobStatus` of `model`, by the rules in `verdicts`; `gate` asks again until the
job ends, at the moments that `schedule` picks; `watch` runs the gates and listens for signals; `report` turns
what happened into lines, outputs and documents; `hosts` hand those to GitHub, GitLab or a terminal; `cli`
puts the parts together. `simulator` is a Clanforge on loopback, for the demo, rehearsals and the tests.
"""

__version__ = "0.1.0"
