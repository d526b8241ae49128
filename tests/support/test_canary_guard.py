"""The guard over the suite: each kind of leak fails the test that does it, and nothing else does."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from tests.support import canary

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]

# Each test leaks in one way. The credentials are spelled by `canary`, so that the report quotes none of them.
LEAKS = """
import base64, logging, os, socket, subprocess, sys, tempfile, ssl, urllib.parse
from pathlib import Path
import pytest
from cfgate.errors import NoAnswer
from cfgate.hosts.console import Console
from tests.support.canary import ACCESS_KEY, BASIC, SECRET_KEY, TOKEN
from tests.support.wire import answering, client, http, serve, ASID, CA, TARGET

def test_leak_print(): print(urllib.parse.quote(SECRET_KEY))
def test_leak_stderr(): os.write(2, TOKEN.encode())
def test_leak_captured(capsys):
    print(BASIC)
    capsys.readouterr()
def test_leak_log(): logging.getLogger("x").warning("%s", ACCESS_KEY)
def test_leak_error():
    with pytest.raises(NoAnswer):
        raise NoAnswer(f"no {SECRET_KEY}")
def test_leak_console(): Console(None).write(base64.b64encode(f"x{TOKEN}".encode()).decode())
def test_leak_file(tmp_path): (tmp_path / "report.json").write_text(ACCESS_KEY)
def test_leak_removed_file():
    with tempfile.TemporaryDirectory() as folder: Path(folder, "a").write_text(ACCESS_KEY)
def test_leak_renamed_file(tmp_path):
    (tmp_path / "a").write_text(ACCESS_KEY)
    (tmp_path / "a").replace(tmp_path / "b")
def test_leak_argv(): subprocess.run(["true", f"--token={TOKEN}"], check=True)
def test_leak_shell(): os.system(f": {ACCESS_KEY.split('/')[0]}")
def test_leak_output(): subprocess.run([sys.executable, "-c", "import os; print(os.environ['K'])"],
    env={"K": SECRET_KEY}, capture_output=True)
def test_leak_fixture(leaky): pass
@pytest.fixture
def leaky():
    yield
    print(SECRET_KEY)
def test_leak_failure(): assert SECRET_KEY == ""
def test_leak_other_host():
    with serve(answering(http())) as api, serve(answering(http())) as other, client(api.url):
        with socket.create_connection(("127.0.0.1", other.port)) as sock:
            sock.sendall(f"GET / HTTP/1.1\\r\\nAuthorization: Basic {BASIC}\\r\\n\\r\\n".encode())
def test_leak_query():
    with serve(answering(http())) as api, client(api.url):
        with socket.create_connection(("127.0.0.1", api.port)) as sock:
            sock.sendall(f"GET /?{urllib.parse.quote(SECRET_KEY)} HTTP/1.1\\r\\n\\r\\n".encode())
def test_leak_other_host_over_tls():
    context = ssl.create_default_context(cafile=CA)
    with serve(answering(http()), tls="good") as other:
        sock = socket.create_connection(("127.0.0.1", other.port))
        with context.wrap_socket(sock, server_hostname="localhost") as tls:
            tls.sendall(f"GET / HTTP/1.1\\r\\nAuthorization: Basic {BASIC}\\r\\n\\r\\n".encode())

def test_fine_request():
    with serve(answering(http())) as api, client(api.url) as asks: asks.fetch(TARGET, ASID)
def test_fine_echo():
    with serve(answering(http(ACCESS_KEY.encode()))) as api, client(api.url) as asks, pytest.raises(NoAnswer):
        asks.fetch(TARGET, ASID)
def test_fine_mask(): print(f"::add-mask::{SECRET_KEY}")
def test_fine_environment(): subprocess.run(["true"], env={"K": SECRET_KEY}, check=True)
def test_fine_text(): print("Key, Canary, access-key and secret-key")
@pytest.mark.handles_canaries("it is about this")
def test_fine_handled(tmp_path):
    print(SECRET_KEY)
    (tmp_path / "a").write_text(TOKEN)
@pytest.mark.handles_canaries
def test_leak_without_a_reason(): pass
"""


@pytest.mark.handles_canaries("the leaks of the inner run are reported here, if it goes wrong")
def test_every_kind_of_leak_fails_its_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output, log, warning, error, file, argument, process and request: what leaks fails, and only that."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    pytester.makepyfile(LEAKS)
    ran = pytester.runpytest_subprocess(
        "-p", "tests.support.canary_guard", "-p", "no:cacheprovider", "-rA", "-q"
    )
    summary = [line.split() for line in ran.outlines if line.startswith(("PASSED ", "FAILED ", "ERROR "))]
    ended = {words[1].partition("::test_")[2]: words[0] for words in summary if words[0] != "PASSED"}
    passed = {words[1].partition("::test_")[2] for words in summary if words[0] == "PASSED"} - set(ended)
    named = {node.name[5:] for node in ast.walk(ast.parse(LEAKS)) if isinstance(node, ast.FunctionDef)}
    assert set(ended) == {name for name in named if name.startswith("leak_")}
    assert passed == {name for name in named if name.startswith("fine_")}


def test_the_guard_tells_what_leaked_where_and_not_the_credential(pytester: pytest.Pytester) -> None:
    """The report of a leak names the credential and the place, and adds no leak of its own."""
    pytester.makepyfile("import os\ndef test_a(tmp_path): (tmp_path / 'page.md').write_text(os.environ['K'])")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("K", canary.SECRET_KEY)
        ran = pytester.runpytest_subprocess("-p", "tests.support.canary_guard", "-p", "no:cacheprovider")
    ran.stdout.fnmatch_lines(["A credential has leaked:", "secret key in the file page.md"])


def test_few_tests_handle_canaries() -> None:
    """Every test that is let through stands here."""
    marked = {
        f"{path.name}::{node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        if any("handles_canaries" in ast.dump(decorator) for decorator in node.decorator_list)
    }
    assert marked == {
        "test_canary.py::test_a_credential_in_a_config_file_is_not_repeated",
        "test_canary.py::test_a_credential_in_a_wrong_place_is_not_repeated",
        "test_canary_guard.py::test_every_kind_of_leak_fails_its_test",
        "test_reading.py::test_anything_is_read_or_refused",
        "test_targets.py::test_any_targets_are_read_or_refused",
    }


@pytest.mark.parametrize("word", ["Canary", "Key", "access key", "Q2FuYXJ5", "secret", "canary.token"])
def test_ordinary_words_are_no_trace(word: str) -> None:
    """Only the made-up words themselves are looked for."""
    assert canary.found(word * 3) == []
