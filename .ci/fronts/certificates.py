"""The authorities and certificates of the lab, sound and broken ones, made by openssl."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_NAMES: Final = "DNS:api.lab.test,DNS:proxy.lab.test,DNS:localhost,IP:127.0.0.1,IP:192.0.2.1"
_CURVE: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
_SMALL: Final = ("-newkey", "rsa:1024")
_LONG_AGO: Final = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
_LATER: Final = ("-startdate", "20900101000000Z", "-enddate", "20900201000000Z")


def make(directory: Path) -> None:
    """Write NAME.pem, NAME.key and NAME.both for every certificate, and NAME.pem for every authority.

    `ca` is trusted by the gate unless a situation names another. `chain` is signed by an authority between,
    which it brings along; `no-chain` is the same without it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("ca", "other-ca"):
        _authority(directory, name)
    _intermediate(directory)
    with ThreadPoolExecutor() as workers:
        jobs = [
            workers.submit(_certificate, directory, *each)
            for each in (
                ("good", "ca", _NAMES),
                ("addresses", "ca", f"{_NAMES},IP:2001:db8::1"),
                ("unknown-ca", "other-ca", _NAMES),
                ("wrong-host", "ca", "DNS:www.lab.test"),
                ("expired", "ca", _NAMES, _LONG_AGO),
                ("not-yet", "ca", _NAMES, _LATER),
                ("weak-digest", "ca", _NAMES, ("-md", "sha1")),
                ("weak-key", "ca", _NAMES, (), _SMALL),
                ("no-chain", "between", _NAMES),
            )
        ]
        for job in jobs:
            job.result()
    chain = (directory / "no-chain.pem").read_text() + (directory / "between.pem").read_text()
    (directory / "chain.pem").write_text(chain)
    (directory / "chain.key").write_bytes((directory / "no-chain.key").read_bytes())
    (directory / "other-ca.both").write_text(
        (directory / "other-ca.pem").read_text() + (directory / "other-ca.key").read_text()
    )
    for each in directory.iterdir():
        each.chmod(
            0o755 if each.is_dir() else 0o644
        )  # the servers run as several users; nothing here is a secret


def _openssl(directory: Path, *words: str) -> None:
    """Run openssl there."""
    done = subprocess.run(("openssl", *words), cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(words)}: {done.stderr}")


def _authority(directory: Path, name: str) -> None:
    """Make an authority that signed itself."""
    # fmt: off
    _openssl(
        directory, "req", "-x509", *_CURVE, "-nodes", "-days", "30", "-subj", f"/CN=Lab {name}",
        "-addext", "keyUsage=critical,keyCertSign", "-keyout", f"{name}.key", "-out", f"{name}.pem",
    )
    # fmt: on


def _intermediate(directory: Path) -> None:
    """Make an authority that `ca` has signed."""
    constraints = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign"
    _sign(directory, "between", "ca", constraints, "/CN=Lab between", (), _CURVE)


def _certificate(
    directory: Path,
    name: str,
    ca: str,
    names: str,
    flags: tuple[str, ...] = (),
    key: tuple[str, ...] = _CURVE,
) -> None:
    """Make the certificate of a server, for these names."""
    _sign(directory, name, ca, f"subjectAltName={names}", "/CN=lab", flags, key)
    both = (directory / f"{name}.pem").read_text() + (directory / f"{name}.key").read_text()
    (directory / f"{name}.both").write_text(both)


def _sign(
    directory: Path,
    name: str,
    ca: str,
    extensions: str,
    subject: str,
    flags: tuple[str, ...],
    key: tuple[str, ...],
) -> None:
    """Have an authority sign a new key. `openssl ca` is the one command of Debian 12's that takes dates."""
    home = directory / f"{name}.ca"
    home.mkdir(exist_ok=True)
    (home / "index.txt").write_text("")
    (home / "settings").write_text(
        f"[ca]\ndefault_ca = lab\n[lab]\ndatabase = {home}/index.txt\nnew_certs_dir = {home}\n"
        "rand_serial = yes\n"
        "policy = any\ndefault_md = sha256\ndefault_days = 9\nx509_extensions = more\n"
        f"[any]\ncommonName = supplied\n[more]\n{extensions}\n"
    )
    # fmt: off
    _openssl(
        directory, "req", *key, "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr"
    )
    _openssl(
        directory, "ca", "-batch", "-notext", "-config", str(home / "settings"), "-cert", f"{ca}.pem",
        "-keyfile", f"{ca}.key", *flags, "-in", f"{name}.csr", "-out", f"{name}.pem",
    )
    # fmt: on
