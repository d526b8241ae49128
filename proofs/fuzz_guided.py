"""One target under libFuzzer: `python -m proofs.fuzz_guided TARGET [OPTIONS OF LIBFUZZER]`. Needs atheris."""

from __future__ import annotations

import importlib
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")  # it has no types

# What is worth a look for new paths: cfgate, and the readers that it trusts.
_INSTRUMENTED = ["cfgate", "proofs.judge", "yaml", "email", "http.client", "urllib3.response", "urllib.parse"]

with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
    from proofs.fuzz_targets import TARGETS


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    name, *options = sys.argv[1:]
    # To merge, libFuzzer has the shell run it again, by the first of these.
    again = f"{sys.executable} -m proofs.fuzz_guided {name}"
    atheris.Setup([again, *options], TARGETS[name])
    atheris.Fuzz()


main()
