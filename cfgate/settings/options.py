"""The option table. Whatever is to be known about an option stands here, once.

The command line, the inputs in action.yml, the help page, the README and the GitLab template follow from it;
tests check that they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cfgate.model import Resource
from cfgate.settings import parsers
from cfgate.settings.address import api_url, page_url
from cfgate.text.wording import listed

WHAT: Final = "What to wait for"
CREDENTIALS: Final = "Credentials: a key pair or a token"
HOW_LONG: Final = "How long"
HOW_OFTEN: Final = "How often"
REPORTS: Final = "Reports"
CONNECTION: Final = "Connection"
REHEARSAL: Final = "Rehearsal"
SECTIONS: Final = (WHAT, CREDENTIALS, HOW_LONG, HOW_OFTEN, REPORTS, CONNECTION, REHEARSAL)


class Option(NamedTuple):
    """One option: its name, what it is for, how its text is read, and where it may come from.

    Every option is an action input. One that is `secret` is never a flag and has a `CLANFORGE_` variable;
    all others are flags and have a `CFGATE_` variable. `not_in_file` says why it may not stand in the config
    file, in a clause after "it"; empty: it may. `default` is written as a user would; empty: there is none.
    """

    name: str  # kebab-case, as in action.yml
    help: str  # one sentence without its full stop
    parse: Callable[[str], Any]  # raises wording.Wrong
    metavar: str
    section: str
    default: str = ""
    not_in_file: str = ""
    secret: bool = False
    boolean: bool = False  # a pair of flags, --name and --no-name, without a value
    many: bool = False  # may be given again, and as a list in the file
    each: bool = False  # may differ between the targets of the config file

    @property
    def field(self) -> str:
        """The attribute of the value, in `Settings` or in that part of it to which the option belongs."""
        return self.name.removesuffix("-file").replace("-", "_")

    @property
    def flag(self) -> str:
        """The flag, dashes and all; what it would be, for a secret."""
        return f"--{self.name}"

    @property
    def opposite(self) -> str:
        """The flag for no, of a boolean."""
        return f"--no-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{'CLANFORGE' if self.secret else 'CFGATE'}_{self._capitals}"

    @property
    def input_variables(self) -> tuple[str, str]:
        """What the runner makes of the input, and the same for those who can't have a hyphen in a name."""
        return f"INPUT_{self.name.upper()}", f"INPUT_{self._capitals}"

    @property
    def _capitals(self) -> str:
        return self.name.replace("-", "_").upper()

    @property
    def places(self) -> str:
        """List for a person the ways to set it."""
        ways = [f"input `{self.name}`", f"environment {self.variable}"]
        if not self.secret:
            ways.insert(0, f"flag {self.flag}")
        if not self.not_in_file:
            ways.append(f"key {self.name} in the config file")
        return ", ".join(ways[:-1]) + f" or {ways[-1]}"


_NO_CREDENTIALS: Final = "is a credential, and whatever is in a repository is known to too many"
_NO_OVERWRITING: Final = "could overwrite files of the runner, and a pull request can change a config file"

OPTIONS: Final = (
    Option(
        "image-version-id",
        "One or more ids of image versions (or of what resource says), by comma, blank or newline",
        parsers.numbers,
        metavar="ID",
        section=WHAT,
        many=True,
        each=True,
    ),
    Option(
        "resource",
        f"What the ids are of: {listed([kind.label for kind in Resource], 'or')} (takes the id of an image)",
        parsers.resource,
        metavar="RESOURCE",
        section=WHAT,
        default=Resource.IMAGE_VERSION.label,
        each=True,
    ),
    Option(
        "account-service-id",
        "The ASID, the account service id; with a token, only a rollout needs it",
        parsers.number,
        metavar="ASID",
        section=WHAT,
        each=True,
    ),
    Option(
        "config",
        "A YAML file with options; read only when named",
        parsers.one_line,
        metavar="FILE",
        section=WHAT,
        not_in_file="names the config file, and one does not lead to another",
    ),
    Option(
        "access-key",
        "The access key, the user half of HTTP Basic",
        parsers.access_key,
        metavar="KEY",
        section=CREDENTIALS,
        secret=True,
        not_in_file=_NO_CREDENTIALS,
    ),
    Option(
        "secret-key",
        "The secret key, the other half",
        parsers.credential,
        metavar="KEY",
        section=CREDENTIALS,
        secret=True,
        not_in_file=_NO_CREDENTIALS,
    ),
    Option(
        "token",
        "A bearer token, instead of the key pair",
        parsers.token,
        metavar="TOKEN",
        section=CREDENTIALS,
        secret=True,
        not_in_file=_NO_CREDENTIALS,
    ),
    Option(
        "timeout",
        "How long to wait in all; 0 looks once",
        parsers.duration,
        metavar="DURATION",
        section=HOW_LONG,
        default="60m",
        each=True,
    ),
    Option(
        "request-timeout",
        "How long one whole request may take, however slowly the answer drips",
        parsers.request_timeout,
        metavar="DURATION",
        section=HOW_LONG,
        default="20s",
    ),
    Option(
        "error-tolerance",
        "How long to ride out answers that cannot be used; 2m at most before the first usable one",
        parsers.duration,
        metavar="DURATION",
        section=HOW_LONG,
        default="10m",
        each=True,
    ),
    Option(
        "not-found-grace",
        "How long a version that was just created may be unknown to the API",
        parsers.duration,
        metavar="DURATION",
        section=HOW_LONG,
        default="60s",
        each=True,
    ),
    Option(
        "stall-timeout",
        "Give up when a running job has not moved for this long; off never does",
        parsers.off_or_duration,
        metavar="DURATION",
        section=HOW_LONG,
        default="off",
        each=True,
    ),
    Option(
        "queue-timeout",
        "Give up, as stalled, when the job has not begun to run for this long; off never does",
        parsers.off_or_duration,
        metavar="DURATION",
        section=HOW_LONG,
        default="off",
        each=True,
    ),
    Option(
        "fail-fast",
        "With several ids, stop at the first that cannot become ready",
        parsers.yes_or_no,
        metavar="true|false",
        section=HOW_LONG,
        default="true",
        boolean=True,
    ),
    Option(
        "poll-interval",
        "The pause between two looks: auto, which follows the job, or a fixed duration of 1s or more",
        parsers.auto_or_interval,
        metavar="DURATION",
        section=HOW_OFTEN,
        default="auto",
        each=True,
    ),
    Option(
        "max-interval",
        "The longest pause of auto, and so the longest time to learn late that the job has ended",
        parsers.interval,
        metavar="DURATION",
        section=HOW_OFTEN,
        default="15s",
        each=True,
    ),
    Option(
        "result-file",
        "Write the whole result as JSON; - writes it to stdout, and the log to stderr",
        parsers.result_path,
        metavar="FILE",
        section=REPORTS,
        not_in_file=_NO_OVERWRITING,
    ),
    Option(
        "junit-file",
        "Write a JUnit XML report",
        parsers.report_path,
        metavar="FILE",
        section=REPORTS,
        not_in_file=_NO_OVERWRITING,
    ),
    Option(
        "dotenv-file",
        "Write the outputs as CFGATE_… lines, for a dotenv report of GitLab",
        parsers.report_path,
        metavar="FILE",
        section=REPORTS,
        not_in_file=_NO_OVERWRITING,
    ),
    Option(
        "dotenv-prefix",
        "What the variables in dotenv-file begin with; each gate of a pipeline needs its own",
        parsers.prefix,
        metavar="PREFIX",
        section=REPORTS,
        default="CFGATE",
        not_in_file="names the variables that a deployment tests, and a pull request could rename them",
    ),
    Option(
        "summary-file",
        "Write the summary as Markdown",
        parsers.report_path,
        metavar="FILE",
        section=REPORTS,
        not_in_file=_NO_OVERWRITING,
    ),
    Option(
        "annotations-file",
        "Write the links of details-url as JSON, for an annotations report of GitLab",
        parsers.report_path,
        metavar="FILE",
        section=REPORTS,
        not_in_file=_NO_OVERWRITING,
    ),
    Option(
        "details-url",
        "The page where your studio looks at an image version, for links in reports; {id} is its id",
        page_url,
        metavar="URL",
        section=REPORTS,
        not_in_file="becomes a link that people trust, and a pull request could lead them astray",
    ),
    Option(
        "api-url",
        "Where the API is: https, or http with a loopback address",
        api_url,
        metavar="URL",
        section=CONNECTION,
        default="https://api.multiplay.co.uk",
        not_in_file="says where the credentials go, and a pull request could send them away",
    ),
    Option(
        "ca-bundle",
        "A PEM file with further certificate authorities to trust",
        parsers.readable_file,
        metavar="FILE",
        section=CONNECTION,
        not_in_file="says which servers to trust with the credentials, and a pull request could add its own",
    ),
    Option(
        "verbose",
        "Log every request: its time, what came, the next pause and why; so does the host's step debugging",
        parsers.yes_or_no,
        metavar="true|false",
        section=CONNECTION,
        default="false",
        not_in_file="is for whoever reads this one log",
        boolean=True,
    ),
    Option(
        "rehearse",
        "Play this simulator scenario (a name or a file) instead of asking Clanforge",
        parsers.scenario,
        metavar="SCENARIO",
        section=REHEARSAL,
        not_in_file="turns the gate off, and a pull request could do so",
    ),
)

BY_NAME: Final = {option.name: option for option in OPTIONS}
# Where the settings keep a value: in `Credentials`, `Files`, the `Plan` of each target, or `Settings` itself.
SECRETS: Final = tuple(option for option in OPTIONS if option.secret)
FILES: Final = tuple(option for option in OPTIONS if option.section == REPORTS)
EACH: Final = tuple(option for option in OPTIONS if option.each)
COMMON: Final = tuple(o for o in OPTIONS if not (o.secret or o.section == REPORTS or o.each))
TARGETS: Final = "targets"  # the key of the config file under which targets have names and own options
# What may stand in one target there: all that can differ, for a single id.
TARGET_OPTIONS: Final = (
    BY_NAME["image-version-id"]._replace(
        help="The id of the image version (or of what resource says)",
        parse=parsers.only_number,
        many=False,
    ),
    *(option for option in EACH if not option.many),
)

_NO_GATE: Final = "belongs to the simulator, not to a gate"

_SPEED: Final = Option(
    "speed",
    "How many times faster than life the jobs run",
    parsers.speed,
    metavar="N",
    section=REHEARSAL,
    default="1",
    not_in_file=_NO_GATE,
)
# The simulator is set by its flags alone: whoever starts it sits in front of it.
SIMULATE_OPTIONS: Final = (
    Option(
        "scenario",
        "What happens to the jobs: the name of a scenario, or a file",
        parsers.scenario,
        metavar="NAME|FILE",
        section=REHEARSAL,
        default="ready",
        not_in_file=_NO_GATE,
    ),
    Option(
        "port",
        "The port to listen on; 0 takes any that is free",
        parsers.port,
        metavar="PORT",
        section=REHEARSAL,
        default="0",
        not_in_file=_NO_GATE,
    ),
    _SPEED,
)
DEMO_OPTIONS: Final = (_SPEED,)
