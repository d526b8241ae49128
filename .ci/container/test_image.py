"""What the image is, and what it can do without a runner."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import scenarios
from conftest import ASID, ID, MakeStep, Serve
from runner import ENGINE, IMAGE, run_image
from traces import read

from tests.support.canary import KEYS

BASE: Final = os.environ["CFGATE_PROOF_BASE"]
MIB: Final = 1 << 20
LARGEST_OWN_LAYERS: Final = 6 * MIB
LARGEST_IMAGE: Final = 55 * MIB

# Runs the program and prints the files whose modules were compiled for want of byte code.
COMPILED: Final = """
import importlib.machinery as machinery
loader = machinery.SourceFileLoader
def compiled(self, data, path, *args, original=loader.source_to_code, **options):
    print("COMPILED", path)
    return original(self, data, path, *args, **options)
loader.source_to_code = compiled
exec(compile(open("/opt/cfgate/entrypoint.py").read(), "entrypoint.py", "exec"))
"""
# Compares the packages with what their own records say of each file.
RECORDED: Final = """
import base64, hashlib, json, pathlib, sysconfig
from importlib import metadata
site = pathlib.Path(sysconfig.get_path("purelib"))
found = {path.resolve() for path in site.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
missing, changed = [], []
for file in (file for each in metadata.distributions() for file in each.files):
    path = pathlib.Path(file.locate()).resolve()
    found.discard(path)
    if not path.exists():
        missing.append(str(file))
    elif file.hash:
        digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
            changed.append(str(file))
others = sorted({path.relative_to(site).parts[0] for path in found})
print(json.dumps({"missing": missing, "changed": changed, "others": others}))
"""
LEFT_OUT: Final = re.compile(r"(\.\./)+bin/[a-z]+|certifi/tests/\w+\.py|yaml/_yaml\.[\w.-]+\.so")
# What an engine itself puts into a container.
OF_THE_ENGINE: Final = {"/dev", "/etc", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf"}
OF_THE_ENGINE_BELOW: Final = ("/dev/", "/proc", "/run", "/sys")
PYTHON: Final = ("--entrypoint", "/opt/cfgate/bin/python")


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_flags(flag: str) -> None:
    """Arguments reach the program."""
    ended = run_image(flag)
    assert ended.returncode == 0, ended.stderr
    assert "cfgate" in ended.stdout


def test_environment_alone(serve: Serve, measured: Callable[[str], None]) -> None:
    """With nothing but environment variables the image gates, and its last line tells how that went."""
    simulator = serve(scenarios.READY)
    began = time.time()
    ended = run_image(environ=_asked_by_environment(simulator.url))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].startswith(f"ready: image version {ID}")
    measured(f"from `{ENGINE} run` to the first request: {simulator.requests[0].at - began:.2f} s")


def test_script_of_a_job() -> None:
    """A job that has this image and a script of its own finds a shell, `env`, `tail` and `cfgate`."""
    script = "env >/dev/null && tail -n 1 /etc/os-release >/dev/null && cfgate --version"
    ended = run_image("-ec", script, options=["--entrypoint", "sh"])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("cfgate ")


def test_confined(serve: Serve, make_step: MakeStep) -> None:
    """Without capabilities and with a read-only file system the gate works, and leaves only its reports."""
    # Root without capabilities is nobody special, so the files must belong to the user inside.
    user = os.geteuid()
    options = ["--read-only", "--cap-drop", "ALL", "--user", f"{user}:{user}"]
    step = replace(make_step(serve(scenarios.READY).url), options=options, owner=user)
    ended = step.run()
    assert (ended.exit_code, read(ended).outputs["ready"]) == (0, "true"), ended.log
    assert list((step.directory / "workspace").iterdir()) == []
    assert list((step.directory / "home").iterdir()) == []


@pytest.mark.parametrize(
    "argv", [(), ("--fail-fast",), ("--rehearse", "ready"), ("--junit-file", "report.xml")]
)
def test_byte_code(argv: tuple[str, ...], serve: Serve) -> None:
    """Nothing that a whole gate loads has to be compiled, however it is told what to do."""
    environ = _asked_by_environment(serve(scenarios.READY).url)
    ended = run_image("-IuBc", COMPILED, *argv, options=PYTHON, environ=environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [line for line in ended.stdout.splitlines() if line.startswith("COMPILED")] == []


def test_nothing_is_written(serve: Serve) -> None:
    """A gate leaves the file system of its container as it was: no byte code, no cache, no log."""
    name = f"cfgate-proof-{os.getpid()}-diff"
    environ = _asked_by_environment(serve(scenarios.READY).url)
    try:
        ended = run_image(options=["--name", name], environ=environ, keep=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        changes = subprocess.run([ENGINE, "diff", name], check=True, capture_output=True, text=True).stdout
    finally:
        subprocess.run([ENGINE, "rm", "--force", name], check=True, capture_output=True)
    paths = [line.split(" ", 1)[1] for line in changes.splitlines()]
    assert [
        path for path in paths if path not in OF_THE_ENGINE and not path.startswith(OF_THE_ENGINE_BELOW)
    ] == []


def test_contents() -> None:
    """In the image's own environment are the locked packages, what scanners read about them, and no more."""
    listing = (
        "from importlib import metadata; print(*sorted(d.name.lower() for d in metadata.distributions()))"
    )
    ended = run_image("-Ic", listing, options=PYTHON)
    lock = Path("requirements/runtime.txt").read_text("utf-8").splitlines()
    locked = [line.split("==")[0] for line in lock if "==" in line and "sys_platform == 'win32'" not in line]
    assert ended.stdout.split() == locked, ended.stderr


def test_every_file_is_that_of_its_wheel() -> None:
    """No file differs from the wheel that was locked, and but for a few that nobody calls all are there."""
    recorded = json.loads(run_image("-Ic", RECORDED, options=PYTHON).stdout)
    assert recorded["changed"] == []
    assert recorded["others"] == ["cfgate"]
    assert [file for file in recorded["missing"] if not LEFT_OUT.fullmatch(file)] == []


def test_nothing_to_install_or_test_with() -> None:
    """Beside the program there is neither pip nor a test of anything, and no command but one."""
    listing = run_image(
        "-ec", "cd /opt/cfgate && find . ! -type d", options=["--entrypoint", "sh"]
    ).stdout.split()
    assert "./entrypoint.py" in listing
    assert [
        file
        for file in listing
        if re.search(r"/(pip|setuptools|ensurepip|tests?|test_\w+\.py|conftest\.py)\b", file)
    ] == []
    commands = {file for file in listing if file.startswith("./bin/")}
    assert {file for file in commands if not file.startswith("./bin/python")} == {"./bin/cfgate"}


def test_size(tmp_path: Path, measured: Callable[[str], None]) -> None:
    """The image and its own layers are small. Sizes are those that a registry sends, with gzip."""
    archive = tmp_path / "image.tar"
    subprocess.run([ENGINE, "save", "--output", archive, IMAGE], check=True, capture_output=True)
    sizes = []
    with tarfile.open(archive) as saved:
        manifest = json.loads(_content(saved, "manifest.json"))[0]
        history = json.loads(_content(saved, manifest["Config"]))["history"]
        made_by = [step.get("created_by", "") for step in history if not step.get("empty_layer")]
        for layer in manifest["Layers"]:
            content = _content(saved, layer)
            unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            sizes.append((len(gzip.compress(unpacked, compresslevel=6)), len(unpacked)))
    first_own = _layers_of_base()
    whole, own = (sum(size for size, _ in sizes[start:]) for start in (0, first_own))
    measured(f"compressed: image {whole / MIB:.1f} MiB, own layers {own / MIB:.2f} MiB, on {BASE}")
    for (size, full), command in list(zip(sizes, made_by, strict=True))[first_own:]:
        measured(f"  {size / MIB:.2f} MiB ({full / MIB:.1f} unpacked): {_instruction(command)}")
    assert own <= LARGEST_OWN_LAYERS
    assert whole <= LARGEST_IMAGE


def test_start(measured: Callable[[str], None]) -> None:
    """A prebuilt image starts; how long that takes stands beside how long it takes to build one."""
    took = []
    for _ in range(5):
        began = time.monotonic()
        assert run_image("--version").returncode == 0
        took.append(time.monotonic() - began)
    measured(
        f"built in {os.environ['CFGATE_PROOF_BUILT']} s, `{ENGINE} run … --version` in {min(took):.2f} s"
    )


def _asked_by_environment(url: str) -> dict[str, str]:
    return {
        **KEYS,
        "CFGATE_API_URL": url,
        "CFGATE_IMAGE_VERSION_ID": ID,
        "CFGATE_ACCOUNT_SERVICE_ID": str(ASID),
        "CFGATE_POLL_INTERVAL": "1s",
    }


def _instruction(created_by: str) -> str:
    """Name the instruction of the Dockerfile that made a layer, in the words of either builder."""
    words = created_by.removeprefix("/bin/sh -c ").removeprefix("#(nop) ").split()
    kind = words[0] if words[0] in {"COPY", "ADD", "RUN"} else "RUN"
    return f"{kind} {'/opt/cfgate' if kind == 'COPY' else 'byte code of the standard library'}"


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


def _layers_of_base() -> int:
    command = [ENGINE, "image", "inspect", "--format", "{{len .RootFS.Layers}}", BASE]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
