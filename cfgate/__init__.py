"""Block a pipeline until a Clanforge game image version is ready.

Data flows one way. `settings` reads flags, inputs, environment and file into one frozen `Settings`;
`client` turns one GET into a `JobStatus` of `model`, by the rules in `verdicts`; `gate` asks again until the
job ends, at the moments that `schedule` picks; `report` turns what happened into documents, `narrator` and
`epilogue` into lines; `hosts` hand those to GitHub, GitLab or a terminal; `delivery` sees to it that all is
written. `session` is one run of all this, and `cli` the root that everything hangs from. `simulator` is a
Clanforge on loopback, which `rehearsal` puts in the place of the real one.
"""

__version__ = "0.1.0"
