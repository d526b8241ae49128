"""Block a pipeline until a Clanforge game image version is ready.

Data flows one way. `settings` reads flags, inputs, environment and file into one frozen `Settings`;
`client` turns one GET into a `JobStatus` of `model`, by `rules`; `gate` asks again until the job ends, at the
moments that `schedule` picks; `conclusion` makes one `Result` of whatever ended the run; `report` formats it
as documents, `log` as lines; `hosts` write those to GitHub, GitLab or a terminal; `delivery` ensures that all
is written. `session` is one run of all this, and `cli` the root that everything hangs from. `simulator` is a
Clanforge on loopback, which `rehearsal` puts in the place of the real one. See docs/architecture.md.
"""

__version__ = "0.1.0"
