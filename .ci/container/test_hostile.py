"""What strangers may put before the image: text of the API, and files of the workspace."""

from __future__ import annotations

import scenarios
from conftest import MakeStep, Serve
from traces import read


def test_job_error(serve: Serve, make_step: MakeStep) -> None:
    """Whatever a job error says is handed on as text, and obeyed by nobody."""
    ended = make_step(serve(scenarios.HOSTILE).url).run()
    traces = read(ended)
    assert (ended.exit_code, traces.outputs["ready"]) == (1, "false"), ended.log
    assert "::set-output name=ready::true" in traces.outputs["job-error"]
    assert "::set-output name=ready::true" in "\n".join(traces.lines)
    assert "\x1b]0;" not in ended.log
    assert "<script>" not in ended.summary


def test_workspace(serve: Serve, make_step: MakeStep) -> None:
    """Nothing in the workspace is imported, whatever it is called and whatever the environment says of it."""
    step = make_step(
        serve(scenarios.READY).url,
        environ={
            "PYTHONPATH": "/github/workspace",
            "PYTHONHOME": "/github/workspace",
            "PYTHONSTARTUP": "/github/workspace/cfgate/__init__.py",
            "PYTHONINSPECT": "1",
        },
    )
    for name in ("cfgate", "requests", "yaml", "json", "sitecustomize", "usercustomize"):
        package = step.directory / "workspace" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("print('INTRUDER')\nraise SystemExit(0)\n")
    ended = step.run()
    assert (ended.exit_code, read(ended).outputs["ready"]) == (0, "true"), ended.log
    assert "INTRUDER" not in ended.log
