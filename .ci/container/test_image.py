"""What the image is, and what it can do without a runner."""

from __future__ import annotations

import gzip
import json
import os
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

from tests.canary import KEYS

BASE: Final = os.environ["CFGATE_PROOF_BASE"]
MIB: Final = 1 << 20
LARGEST_OWN_LAYERS: Final = 6 * MIB
LARGEST_IMAGE: Final = 55 * MIB

# Prints the files whose modules were compiled at this start, for want of byte code.
COMPILED: Final = """
import importlib.machinery as machinery, sys
loader = machinery.SourceFileLoader
def compiled(self, data, path, *args, original=loader.source_to_code, **options):
    print(path)
    return original(self, data, path, *args, **options)
loader.source_to_code = compiled
import cfgate.cli, cfgate.client, cfgate.session, cfgate.delivery, encodings.idna
"""


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_flags(flag: str) -> None:
    """Arguments reach the program."""
    ended = run_image(flag)
    assert ended.returncode == 0, ended.stderr
    assert "cfgate" in ended.stdout


def test_environment_alone(serve: Serve, measured: Callable[[str], None]) -> None:
    """With nothing but environment variables the image gates, and its last line tells how that went."""
    simulator = serve(scenarios.READY)
    environ = {
        **KEYS,
        "CFGATE_API_URL": simulator.url,
        "CFGATE_IMAGE_VERSION_ID": ID,
        "CFGATE_ACCOUNT_SERVICE_ID": str(ASID),
        "CFGATE_POLL_INTERVAL": "1s",
    }
    began = time.time()
    ended = run_image(environ=environ)
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


def test_byte_code() -> None:
    """Nothing that a gate imports has to be compiled when it starts."""
    ended = run_image("-IBc", COMPILED, options=["--entrypoint", "/opt/cfgate/bin/python"])
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr


def test_contents() -> None:
    """In the image's own environment are the locked packages, what scanners read about them, and no more."""
    listing = (
        "from importlib import metadata; print(*sorted(d.name.lower() for d in metadata.distributions()))"
    )
    ended = run_image("-Ic", listing, options=["--entrypoint", "/opt/cfgate/bin/python"])
    lock = Path("requirements/runtime.txt").read_text("utf-8").splitlines()
    locked = [line.split("==")[0] for line in lock if "==" in line and "sys_platform == 'win32'" not in line]
    assert ended.stdout.split() == locked, ended.stderr


def test_size(tmp_path: Path, measured: Callable[[str], None]) -> None:
    """The image and its own layers are small. Sizes are those that a registry sends, with gzip."""
    archive = tmp_path / "image.tar"
    subprocess.run([ENGINE, "save", "--output", archive, IMAGE], check=True, capture_output=True)
    sizes = []
    with tarfile.open(archive) as saved:
        manifest = json.loads(_content(saved, "manifest.json"))
        for layer in manifest[0]["Layers"]:
            content = _content(saved, layer)
            unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            sizes.append(len(gzip.compress(unpacked, compresslevel=6)))
    own = sum(sizes[_layers_of_base() :])
    measured(f"compressed: image {sum(sizes) / MIB:.1f} MiB, own layers {own / MIB:.1f} MiB, on {BASE}")
    assert own <= LARGEST_OWN_LAYERS
    assert sum(sizes) <= LARGEST_IMAGE


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


def _layers_of_base() -> int:
    command = [ENGINE, "image", "inspect", "--format", "{{len .RootFS.Layers}}", BASE]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
