"""The settings of one run, once read. Frozen; secrets never show in a repr."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import NamedTuple

from cfgate.errors import InvalidSettings
from cfgate.model import Plan, Target


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key pair (HTTP Basic) or a bearer token; exactly one of the two is set."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


class Files(NamedTuple):
    """Where to write the reports; empty: nowhere. `result` may be `-`, for stdout.

    `dotenv_prefix` begins the names of the variables in `dotenv`; `details_url` is the page that they link
    to, with `{id}` for the id of an image version.
    """

    result: str = ""
    junit: str = ""
    dotenv: str = ""
    dotenv_prefix: str = "CFGATE"
    summary: str = ""
    annotations: str = ""
    details_url: str = ""


class Settings(NamedTuple):
    """Everything that a run of `wait` or `check` needs to know: how to wait for each, and what all share.

    `sources` names for every option that has a value where that came from, as a person would say it ("flag
    --timeout", "input timeout", "environment CFGATE_TIMEOUT", "file gate.yml", "default"); the key of what is
    set in a target of the config file is its path there ("targets.console.timeout"). `config` is the
    file that was read, empty when there was none. `request_timeout` is seconds. A rehearsal is played `speed`
    times as fast as its scenario says.
    """

    plans: tuple[Plan, ...]
    credentials: Credentials = Credentials()
    api_url: str = "https://api.multiplay.co.uk"
    request_timeout: float = 20.0
    fail_fast: bool = True
    verbose: bool = False
    ca_bundle: str = ""
    rehearse: str = ""
    speed: float = 1.0
    config: str = ""
    files: Files = Files()
    sources: Mapping[str, str] = MappingProxyType({})

    @property
    def targets(self) -> tuple[Target, ...]:
        """What to wait for."""
        return tuple(plan.target for plan in self.plans)

    @property
    def secret_inputs(self) -> list[str]:
        """The credentials that came as inputs of an action, whose runner obeys a request to mask them.

        Those from the environment are left alone: a log that is piped into a file would contain them.
        """
        names = {part.name: part.name.replace("_", "-") for part in fields(self.credentials)}
        inputs = [part for part, name in names.items() if self.sources.get(name) == f"input {name}"]
        return [getattr(self.credentials, part) for part in inputs]

    def source(self, option: str, target: Target) -> str:
        """Return where the value came from that an option has for this target."""
        return self.sources.get(own_key(target.name, option), self.sources.get(option, "default"))


def own_key(name: str, option: str) -> str:
    """Write the path of an option in a target of the config file."""
    return f"targets.{name}.{option}"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Asked for: `wait`, `check`, which is a wait of no time, or `demo`, which is a rehearsal.

    `secrets` are all credentials that were given, in use or not, so that none is ever shown. `warnings` are
    about settings that look odd.
    """

    settings: Settings
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    warnings: tuple[str, ...] = ()


class Simulate(NamedTuple):
    """Asked for: `simulate`, with a scenario (a name or a file), at a port (0: any that is free)."""

    scenario: str
    port: int
    speed: float


class Show(NamedTuple):
    """Asked for: `--help` or `--version`. Print the page, for as many columns as there are, and be done."""

    page: Callable[[int], str]


Request = Run | Simulate | Show


class InvalidRequest(InvalidSettings):
    """What was asked for cannot be done; all that is needed to report it wherever reports were asked for."""

    def __init__(
        self,
        problems: Sequence[str],
        *,
        files: Files,
        secrets: frozenset[str] = frozenset(),
        warnings: Sequence[str] = (),
        asked: Sequence[Target] = (),
        rehearsal: bool = False,
    ) -> None:
        super().__init__(problems)
        self.files = files
        self.secrets = secrets
        self.warnings = tuple(warnings)
        self.asked = tuple(asked)
        self.rehearsal = rehearsal
