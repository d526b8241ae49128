"""Which addresses are allowed. Strict: one of them receives the credentials, people click on the other."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cfgate.system.loopback import is_loopback
from cfgate.text.wording import Wrong

_VISIBLE: Final = re.compile(r"[!-~]+")
_HOST_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_LONGEST_PAGE: Final = 500  # characters
# `{id}`, and what needs no escape in JSON, HTML or Markdown; all else can be written with per cent signs.
_PAGE: Final = re.compile(
    r"https://([A-Za-z0-9._-]|{id})+(:[0-9]{1,5})?([/?#]([A-Za-z0-9._~:/?#=&+,%-]|{id})*)?"
)


def api_url(text: str) -> str:
    """Read `https://host[:port]`, or `http://` with a loopback address, and return it in its shortest form.

    What is wrong is shown without what may be secret: user name, password and query.
    """
    if "@" in text:
        raise Wrong("has an `@`: omit user name and password, they are options of their own", part="")
    harmless = re.split(r"[?#]", text)[0]
    try:
        return _normal(text)
    except Wrong as wrong:
        raise Wrong(str(wrong), part=harmless) from None


def page_url(text: str) -> str:
    """Read the https address of a page, in which `{id}` stands for the id of an image version."""
    if len(text) > _LONGEST_PAGE or not _PAGE.fullmatch(text):
        advice = "without a user name, and with per cent signs for all but plain characters"
        raise Wrong(f"is no link: write it like https://example.com/versions/{{id}}, {advice}", part="")
    return text


def _normal(text: str) -> str:
    # urlsplit drops tabs and newlines without a word, and some clients read a backslash as a slash.
    if not _VISIBLE.fullmatch(text) or "\\" in text:
        raise Wrong("has characters that no address has (write a host name in its ASCII form, xn--…)")
    try:
        parts = urlsplit(text)
        host, given_port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Wrong("is not an address: write it like https://api.example.com") from None
    _check_scheme(parts, host)
    _check_rest(text, parts)
    if given_port == 0:
        raise Wrong("has port 0, where nobody listens")
    place = f"[{host}]" if ":" in host else host
    usual = given_port in (None, _DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{place}" + ("" if usual else f":{given_port}")


def _check_scheme(parts: SplitResult, host: str) -> None:
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        raise Wrong("is not an address: write it like https://api.example.com")
    if not (_is_ip(host) or _HOST_NAME.fullmatch(host)):
        raise Wrong("has no host name that can be used: write it like https://api.example.com")
    if parts.scheme == "http" and not is_loopback(host):
        raise Wrong("is not https: anybody on the way could read the credentials (http is for loopback only)")


def _check_rest(text: str, parts: SplitResult) -> None:
    if "?" in text or "#" in text:
        raise Wrong("goes on after its `?` or `#`: write scheme and host only")
    if parts.path not in ("", "/"):
        raise Wrong("has a path: write scheme and host only, cfgate adds /cfp/v1/… by itself")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # a zone, as in fe80::1%eth0
