"""From argv and environ to a request: every layer is read, every problem is found, and then it is judged."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from cfgate import __version__
from cfgate.model import Plan, Resource, Target
from cfgate.settings.checks import (
    credentials,
    left_over,
    missing_somewhere,
    not_followed,
    oddities,
    said_twice,
    same_twice,
)
from cfgate.settings.commands import Arguments, Command
from cfgate.settings.layers import FileFindings, Given, Layer, defaults, environment, inputs, misspelt
from cfgate.settings.options import BY_NAME, COMMON, FILES, OPTIONS, SECRETS, Option
from cfgate.settings.places import clashes
from cfgate.settings.planning import Entry, entries, fields, plans
from cfgate.settings.problems import check_harmless, of_proxies, problem, secrets_in
from cfgate.settings.values import (
    Credentials,
    Files,
    InvalidRequest,
    Request,
    Run,
    Settings,
    Show,
    Simulate,
)
from cfgate.text.redaction import Redactor
from cfgate.text.wording import Wrong


def read(argv: Sequence[str], environ: Mapping[str, str], *, interactive: bool = False) -> Request:
    """Find out what is asked for. `argv` is without the program. Raises InvalidRequest with every problem.

    `interactive`: somebody sits at a terminal, who gets the help page where nothing at all is asked for.
    """
    arguments = _arguments(argv)
    if argv[:1] in (["help"], ["version"]) and arguments.problems:
        raise _invalid(arguments.problems, frozenset(arguments.refused), Files(), (), (), rehearsal=False)
    if arguments.help or (interactive and not argv and _nothing(environ)):
        from cfgate.settings.manual import page

        return Show(partial(page, arguments.topic))
    if arguments.version:
        return Show(_version)
    if arguments.command.takes_ids:
        return _gate(arguments, environ)
    return _simulator(arguments, environ)


def _version(columns: int) -> str:  # noqa: ARG001 - the shape of a page
    return f"cfgate {__version__}"


def _nothing(environ: Mapping[str, str]) -> bool:
    """Whether the environment names nothing to wait for."""
    return not {"image-version-id", "config"} & {*inputs(environ), *environment(environ)}


def _arguments(argv: Sequence[str]) -> Arguments:
    if not argv:
        return Arguments()
    from cfgate.settings.arguments import parse

    return parse(argv)


def _gate(arguments: Arguments, environ: Mapping[str, str]) -> Run:
    """Read `wait` and `check`."""
    problems = list(arguments.problems)
    outside = (_command(arguments, problems), arguments.layer, inputs(environ), environment(environ))
    file = _file(ChainMap(*outside), problems)
    order = (*outside, file.layer, defaults(OPTIONS))
    given = ChainMap(*order)  # the first layer that has a value wins
    secrets = secrets_in(order, arguments.refused | file.refused)
    # A rehearsal sends nobody's credentials anywhere, so they are not even looked at.
    options = [o for o in OPTIONS if not (o.each or (o.secret and "rehearse" in given))]
    values = _parsed(options, given, secrets, problems)
    asked = entries(outside, file, order[-1])
    each = [_parsed(entry.options, entry.given, secrets, problems) for entry in asked]
    problems += _misnamed(asked, given, secrets)
    files = Files(**fields(values, FILES))  # as far as they can be read: a report is written on failure too
    known = secrets | of_proxies(environ)
    clashing = clashes(files, {name: value.text for name, value in given.items()}, environ)
    if not arguments.mistaken:  # what is missing may have been meant by the wrong word
        problems += [*credentials(given), *missing_somewhere(asked, each)]
    problems += [*left_over(given, environ), *clashing.values()]
    complete = () if problems else zip(asked, each, strict=True)  # a plan needs every value
    wanted = [plan for entry, own in complete for plan in plans(entry, own)]
    problems += same_twice(wanted)
    if problems:
        # Nothing is written where it would destroy something, not even that this was asked for.
        files = files._replace(**{BY_NAME[option].field: "" for option in clashing})
        targets = [target for own in each for target in _targets(own)]
        raise _invalid(problems, known, files, misspelt(environ), targets, rehearsal="rehearse" in given)
    sources = {name: value.source for name, value in given.items()}
    sources.update(source for entry in asked for source in entry.sources())
    settings = Settings(
        plans=tuple(wanted),
        credentials=Credentials(**fields(values, SECRETS)),
        files=files,
        sources=MappingProxyType(sources),
        **fields(values, COMMON),
    )
    warnings = (
        *misspelt(environ),
        *not_followed(outside, file),
        *said_twice(each),
        *oddities(settings, environ),
    )
    return Run(settings, known, warnings)


def _command(arguments: Arguments, problems: list[str]) -> Layer:
    """Read what the command itself settles: `check` never waits."""
    if arguments.command is not Command.CHECK:
        return {}
    if "timeout" in arguments.layer:
        problems.append("flag --timeout does not go with check, which never waits: omit it or use wait")
    return {"timeout": Given("0", "command check")}


def _file(outside: Mapping[str, Given], problems: list[str]) -> FileFindings:
    """Read the config file, if one is named."""
    if "config" not in outside:
        return FileFindings()
    from cfgate.settings.file import read_file

    try:
        findings = read_file(outside["config"].text)
    except Wrong as wrong:
        problems.append(problem(outside["config"], wrong, secrets_in([outside])))
        return FileFindings()
    problems += findings.problems
    return findings


def _parsed(
    options: Iterable[Option], given: Mapping[str, Given], secrets: frozenset[str], problems: list[str]
) -> dict[str, Any]:
    """Turn texts into values; where that cannot be done, there is a problem instead."""
    values = {}
    for option in options:
        if option.name in given:
            try:
                text = given[option.name].text
                value = option.parse(text)
                if isinstance(value, str) and not option.secret and text != option.default:
                    check_harmless(text, secrets)
                values[option.name] = value
            except Wrong as wrong:
                problems.append(problem(given[option.name], wrong, secrets, secret=option.secret))
    return values


def _misnamed(asked: Iterable[Entry], given: Mapping[str, Given], secrets: frozenset[str]) -> Iterator[str]:
    """List the names of targets that contain a secret."""
    for entry in asked:
        try:
            check_harmless(entry.name, secrets)
        except Wrong as wrong:
            yield f"the name of a target from {given['config'].where} {wrong}"


def _targets(own: Mapping[str, Any]) -> Iterator[Target]:
    """Make the targets of an entry whose other options may be wrong."""
    for number in dict.fromkeys(own.get("image-version-id", ())):
        yield Target(number, resource=own.get("resource", Resource.IMAGE_VERSION))


def _simulator(arguments: Arguments, environ: Mapping[str, str]) -> Run | Simulate:
    """Read `demo` and `simulate`, which only their flags can change."""
    problems = list(arguments.problems)
    secrets = secrets_in([inputs(environ), environment(environ)], arguments.refused)
    known = secrets | of_proxies(environ)
    options = arguments.command.options
    values = _parsed(options, ChainMap(arguments.layer, defaults(options)), secrets, problems)
    if problems:
        raise _invalid(problems, known, Files(), (), (), rehearsal=False)
    if arguments.command is Command.DEMO:
        return Run(_demo(values["speed"]))
    return Simulate(values["scenario"], values["port"], values["speed"])


def _demo(speed: float) -> Settings:
    """Return what `demo` waits for. Its states last as little as 1.5 s, and each is to be seen.

    The time-out is for a machine that is very slow.
    """
    return Settings(
        plans=(Plan(Target(9001), timeout=300.0, max_interval=1.2),),
        rehearse="demo",
        speed=speed,
        sources={"timeout": "demo", "rehearse": "demo"},
    )


def _invalid(
    problems: Iterable[str],
    secrets: frozenset[str],
    files: Files,
    warnings: Sequence[str],
    asked: Sequence[Target],
    *,
    rehearsal: bool,
) -> InvalidRequest:
    """Report each problem once, with no secret in it."""
    unique = dict.fromkeys(map(Redactor(secrets), problems))
    return InvalidRequest(
        tuple(unique), files=files, secrets=secrets, warnings=warnings, asked=asked, rehearsal=rehearsal
    )
