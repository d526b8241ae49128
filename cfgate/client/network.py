"""The network as the user has set it up: which proxy to take, and which certificate authorities to trust.

The rules are those of curl and git, on every system, read from the environment that is handed in. The proxy
in the settings of Windows or macOS is that of whoever sits there, not of a CI job; neither of them reads it.
requests would read `os.environ` by itself, but it knows no `SSL_CERT_FILE`, sends a request for this very
machine to the proxy as well, and reads `NO_PROXY` in its own way (psf/requests#5465, #6313).
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from cfgate.errors import InvalidSettings
from cfgate.system import pipes
from cfgate.system.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the order of precedence. The first two are what requests knows, the last is what most others obey.
_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_MOST_CERTIFICATES: Final = 1 << 23  # bytes from a pipe
_PROXY_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_NO_PROXY_VARIABLES: Final = ("no_proxy", "NO_PROXY")
_PORT: Final = re.compile(r"([^:]+|\[[^\]]*\]):([0-9]{1,5})")


def tls_context(environ: Mapping[str, str], ca_bundle: str = "") -> ssl.SSLContext:
    """Build the context that verifies servers: the default trust (or the user's own), and `ca_bundle` on top.

    Raises InvalidSettings for a file that cannot be used.
    """
    # This mode verifies certificate and host name. Not `ssl.create_default_context`: since Python 3.13 that
    # insists on formalities which the CAs of many companies neglect, and which curl does not ask for.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As in curl, an intermediate authority in the file is enough.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    variable = _first(environ, _CA_VARIABLES)
    if variable:
        _trust(context, environ[variable].strip(), f"environment {variable}")
    else:
        context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
        _trust_what_windows_does(context)
    if ca_bundle:
        _trust(context, ca_bundle, "ca-bundle")
    return context


def _trust(context: ssl.SSLContext, place: str, source: str) -> None:
    """Trust the authorities in a file, or in a directory as OpenSSL wants it."""
    try:
        if Path(place).is_dir():
            context.load_verify_locations(capath=place)
        elif Path(place).is_file():
            context.load_verify_locations(cafile=place)
        else:
            context.load_verify_locations(cadata=_certificates(pipes.read(place, _MOST_CERTIFICATES)))
    except ssl.SSLError:
        raise InvalidSettings([f"{source} names {place}, which holds no certificate in PEM form"]) from None
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a file name").lower()
        raise InvalidSettings([f"{source} names {place}, which cannot be read: {why}"]) from None


def _trust_what_windows_does(context: ssl.SSLContext) -> None:
    """Trust the roots in the store of Windows too, where companies put their own; nothing elsewhere.

    Not `load_default_certs`: that takes the store of intermediate authorities as well, which would be trusted
    without a root here, and one certificate that OpenSSL cannot read costs it all the others.
    """
    if sys.platform == "win32":
        with suppress(OSError):  # this user may not look into it
            for certificate, encoding, uses in ssl.enum_certificates("ROOT"):
                for_servers = uses is True or (uses and ssl.Purpose.SERVER_AUTH.oid in uses)
                if encoding == "x509_asn" and for_servers:
                    with suppress(ssl.SSLError):
                        context.load_verify_locations(cadata=certificate)


def _certificates(content: bytes) -> str:
    """Take what came from a pipe, without what may stand between the certificates."""
    if b"-----BEGIN" not in content:
        raise ssl.SSLError
    return content.decode("ascii", "ignore")


def proxy_for(url: str, environ: Mapping[str, str]) -> str:
    """Find the proxy for an https address; empty: none. It may hold a password, so it must not be shown.

    Raises InvalidSettings for a proxy that cannot be used.
    """
    variable = _first(environ, _PROXY_VARIABLES)
    if not variable or is_loopback(urlsplit(url).hostname or ""):
        return ""
    no_proxy = _first(environ, _NO_PROXY_VARIABLES)
    if no_proxy and bypasses(url, environ[no_proxy]):
        return ""
    proxy = environ[variable].strip()
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if fault := _proxy_fault(proxy):
        raise InvalidSettings([f"environment {variable} {fault}"])
    return proxy


def _proxy_fault(proxy: str) -> str:
    """Return what is wrong with the address of a proxy, in a clause without any of it; "" for nothing."""
    scheme, _, rest = proxy.partition("://")
    if scheme.lower().startswith("socks"):
        return "names a SOCKS proxy, which cfgate does not speak: name an http or https proxy"
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        # urlsplit would take a part of the password for the host (psf/requests#2703).
        return "has /, ? or # in its user or password: write them with per cent signs (%2F, %3F, %23)"
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", proxy):
        return "is not the address of an http or https proxy"
    return ""


def bypasses(url: str, no_proxy: str) -> bool:
    """Whether `NO_PROXY` has the host of an address connected directly, as curl reads it.

    Names stand for themselves and all below them, with or without a dot in front; addresses may be ranges
    (10.0.0.0/8, fd00::/8); `*` is everything. They are parted by commas or blanks. A port, which curl does
    not know but requests does, must be that of the address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or 443
    return any(_covers(entry, host, port) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    match = _PORT.fullmatch(entry)
    if match:
        if int(match[2]) != port:
            return False
        entry = match[1]
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        with suppress(ValueError):
            return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
        return False
    name = entry.strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def hint(url: str, environ: Mapping[str, str]) -> str:
    """Return what may explain why nothing can be reached, in a sentence (docker/for-linux#1290)."""
    if _first(environ, _PROXY_VARIABLES) or urlsplit(url).scheme != "https":
        return ""
    if plain := _first(environ, ("http_proxy", "HTTP_PROXY")):
        return f"{plain} is set, but is not for https: set HTTPS_PROXY if the API is behind a proxy."
    if _system_has_proxy():
        return (
            "The settings of this machine name a proxy, which cfgate reads as little as curl and git do: "
            "set HTTPS_PROXY if the API is behind it."
        )
    return ""


def _system_has_proxy() -> bool:
    """Whether the settings of Windows or macOS, which are those of a user, name a proxy for https."""
    if sys.platform == "win32" or sys.platform == "darwin":
        with suppress(OSError):
            return "https" in urllib.request.getproxies()
    return False


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Find the first of these variables that is set; "" counts as not set."""
    return next((name for name in names if environ.get(name, "").strip()), "")


def host_and_port(url: str) -> str:
    """Name the host of an address for a person, without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    place = f"[{host}]" if ":" in host else host
    return f"{place}:{parts.port}" if parts.port else place
