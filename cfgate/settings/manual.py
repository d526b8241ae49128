"""The page that `--help` shows. Imported only for that."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

from cfgate import __version__
from cfgate.model import GateStatus
from cfgate.settings.commands import Command
from cfgate.settings.options import OPTIONS, SECTIONS, SIMULATE_OPTIONS, Option

_WIDTH: Final = 100
_COLUMN: Final = 32  # where explanations begin

_PLACES: Final = """\
Every option is also an input of the action (timeout) and an environment variable (CFGATE_TIMEOUT);
those marked * may stand in the config file too (timeout: 45m), and most of them in a target there
(targets: {linux: {image-version-id: 9001, timeout: 90m}}). A flag comes before an input, then
environment, target, file and default; an empty input or variable counts as not given. Credentials
are never flags. A duration is written like 90s, 45m, 1h30m or 1.5h. The usual REQUESTS_CA_BUNDLE,
SSL_CERT_FILE, HTTPS_PROXY and NO_PROXY work too, and NO_COLOR is obeyed."""

_EXAMPLES: Final = (
    ("cfgate 9001 --account-service-id 1234567", "wait; the keys are in the environment"),
    ("cfgate check 9001,9002 --config gate.yml", "look once at two"),
    ("cfgate 9001 --timeout 2h --stall-timeout 20m", "be patient, but not with a job that is stuck"),
    ("cfgate --config gate.yml --no-fail-fast", "follow all targets of the file to their ends"),
    ("cfgate 7 --resource image-update", "wait for another kind of job"),
    ("cfgate 9001 --rehearse ready", "try the pipeline without an account"),
)


def page() -> str:
    """Write the help page, without a final line break."""
    blocks = [
        f"cfgate {__version__}: block a pipeline until a Clanforge game image version is ready",
        _usage(),
    ]
    blocks += [_options(title, (o for o in OPTIONS if o.section == title)) for title in SECTIONS]
    blocks += [_options("For cfgate simulate; cfgate demo takes --speed alone", SIMULATE_OPTIONS)]
    blocks += [_PLACES, _exit_codes(), _examples()]
    return "\n\n".join(blocks)


def _usage() -> str:
    lines = ["Usage"]
    for command in Command:
        word = f"[{command.word}]" if command is Command.WAIT else command.word
        ids = " [ID ...]" if command.takes_ids else ""
        lines.append(_entry(f"  cfgate {word}{ids}", command.help))
    return "\n".join([*lines, "  cfgate --help, --version"])


def _options(title: str, options: Iterable[Option]) -> str:
    return "\n".join([title, *(_entry(_spelling(option), _explanation(option)) for option in options)])


def _spelling(option: Option) -> str:
    if option.secret:
        return f"  {option.variable}"
    value = f", {option.opposite}" if option.boolean else f" {option.metavar}"
    marker = "  " if option.not_in_file else "* "
    return f"{marker}{option.flag}{value}"


def _explanation(option: Option) -> str:
    return f"{option.help} (default: {option.default})" if option.default else option.help


def _entry(name: str, explanation: str) -> str:
    """Put an explanation beside a name, and the rest of it below."""
    return textwrap.fill(
        explanation,
        _WIDTH,
        initial_indent=name.ljust(_COLUMN - 1) + " ",
        subsequent_indent=" " * _COLUMN,
        break_on_hyphens=False,
    )


def _exit_codes() -> str:
    statuses = sorted(GateStatus, key=lambda status: status.exit_code)
    lines = (f"  {status.exit_code:>3}  {status.label:<13} {status.meaning}" for status in statuses)
    return "\n".join(["Exit codes", *lines])


def _examples() -> str:
    width = max(len(example) for example, _ in _EXAMPLES)
    return "\n".join(["Examples", *(f"  {example:<{width}}  {what}" for example, what in _EXAMPLES)])
