"""The real servers, each as Debian has it, with the settings that a situation asks for.

Those in front of the API listen for `https://api.lab.test`, and where a situation changes certificates, read
them from live.pem and live.key. `front` in a signature is any function that starts one with its defaults.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from fronts.lab import FRONT, PROXY, RESOLVER, Lab

Process = subprocess.Popen[bytes]

PROXY_PORT: Final = 3128
PROXY_URL: Final = f"http://proxy.lab.test:{PROXY_PORT}"
THROUGH_PROXY: Final = {"HTTPS_PROXY": PROXY_URL}
_UPSTREAM: Final = "127.0.0.1:8000"
_BEHIND_STUNNEL: Final = "127.0.0.1:8080"


# In front of the API


def nginx(
    lab: Lab,
    *,
    location: str = "",
    server: str = "",
    http: str = "",
    certificate: str = "good",
    at: str = FRONT,
    tls: str = "ssl",
) -> Process:
    """Start nginx. Its access.log has seconds, connection, status and path of each request."""
    lab.copy(certificate)
    temporary = " ".join(
        f"{each}_temp_path {lab.directory}/{each};"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    settings = f"""
user root; worker_processes 1; pid {lab.directory}/nginx.pid; error_log {lab.directory}/error.log;
events {{ worker_connections 2000; }}
http {{
  {temporary}
  default_type text/html;
  log_format lab '$msec $connection $status $request_uri';
  access_log {lab.directory}/access.log lab;
  {http}
  server {{
    listen {at}:443 {tls};
    ssl_certificate {lab.directory}/live.pem; ssl_certificate_key {lab.directory}/live.key;
    {server}
    location / {{ {location} proxy_pass http://{_UPSTREAM}; }}
  }}
}}"""
    path = lab.write("nginx.conf", settings)
    words = ("-c", path, "-e", lab.directory / "error.log", "-g", "daemon off;")
    return lab.start("nginx", *words, at=(at.strip("[]"), 443))


def haproxy(
    lab: Lab,
    *,
    frontend: str = "",
    bind: str = "",
    backend: str = "",
    certificate: str = "good",
    environ: dict[str, str] | None = None,
) -> Process:
    """Start HAProxy. Its haproxy.out has a line for each request, with status and path."""
    tls = f"ssl crt {lab.tls}/{certificate}.both"
    settings = f"""
global
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend api
  bind {FRONT}:443 {tls} {bind}
  {frontend}
  default_backend api
backend api
  {backend}
  server api {_UPSTREAM}
"""
    return start_haproxy(lab, lab.write("haproxy.cfg", settings), environ)


def start_haproxy(lab: Lab, settings: Path, environ: dict[str, str] | None = None) -> Process:
    """Start HAProxy, or start it again."""
    return lab.start("haproxy", "-W", "-db", "-f", settings, at=(FRONT, 443), environ=environ)


def apache(lab: Lab, *, modules: str = "", more: str = "") -> Process:
    """Start Apache's httpd."""
    folder = "/usr/lib/apache2/modules"
    needed = "mpm_event authn_core authz_core ssl socache_shmcb proxy proxy_http headers"
    loaded = "".join(
        f"LoadModule {each}_module {folder}/mod_{each}.so\n" for each in f"{needed} {modules}".split()
    )
    settings = f"""
{loaded}
ServerRoot {lab.directory}
PidFile {lab.directory}/apache.pid
Mutex file:{lab.directory} default
ServerName api.lab.test
Listen {FRONT}:443
User www-data
Group www-data
ErrorLog {lab.directory}/error.log
CustomLog {lab.directory}/access.log common
SSLEngine on
SSLCertificateFile {lab.tls}/good.pem
SSLCertificateKeyFile {lab.tls}/good.key
{more}
ProxyPass / http://{_UPSTREAM}/ retry=0
"""
    path = lab.write("apache.conf", settings)
    return lab.start("apache2", "-f", path, "-D", "FOREGROUND", at=(FRONT, 443))


def caddy(lab: Lab, *, site: str = "") -> Process:
    """Start Caddy."""
    settings = f"""
{{
  admin off
  auto_https off
  storage file_system {lab.directory}/caddy
  servers {{
    timeouts {{
      idle 1s
    }}
  }}
}}
https://api.lab.test {{
  bind {FRONT}
  tls {lab.tls}/good.pem {lab.tls}/good.key
  route {{
    {site}
    reverse_proxy {_UPSTREAM}
  }}
}}
"""
    path = lab.write("Caddyfile", settings)
    words = ("run", "--adapter", "caddyfile", "--config", path)
    return lab.start("caddy", *words, at=(FRONT, 443), environ={"HOME": str(lab.directory)})


def h2o(lab: Lab) -> Process:
    """Start h2o."""
    settings = f"""
listen:
  host: {FRONT}
  port: 443
  ssl: {{certificate-file: {lab.tls}/good.pem, key-file: {lab.tls}/good.key}}
http1-request-timeout: 1
num-threads: 1
user: root
hosts:
  api.lab.test:
    paths: {{"/": {{proxy.reverse.url: "http://{_UPSTREAM}/"}}}}
"""
    return lab.start("h2o", "--conf", lab.write("h2o.yml", settings), at=(FRONT, 443))


def stunnel(lab: Lab, *, to: str = _UPSTREAM) -> Process:
    """Start stunnel, which takes TLS off and passes on every byte as it is."""
    settings = f"""
foreground = yes
pid =
[api]
accept = {FRONT}:443
connect = {to}
cert = {lab.tls}/good.pem
key = {lab.tls}/good.key
TIMEOUTclose = 0
"""
    return lab.start("stunnel4", lab.write("stunnel.conf", settings), at=(FRONT, 443))


def openssl_server(lab: Lab, *words: str) -> Process:
    """Start the server of openssl itself, which knows no HTTP to speak of."""
    place = ("-accept", f"{FRONT}:443", "-cert", lab.tls / "good.pem", "-key", lab.tls / "good.key")
    return lab.start("openssl", "s_server", "-quiet", *place, *words, at=(FRONT, 443))


def nghttpd(lab: Lab) -> Process:
    """Start nghttpd, which speaks HTTP/2 only, and stunnel in front of it."""
    place = _split(_BEHIND_STUNNEL)
    lab.start("nghttpd", "--no-tls", "--address=127.0.0.1", place[1], at=place)
    return stunnel(lab, to=_BEHIND_STUNNEL)


def varnish(lab: Lab) -> Process:
    """Start Varnish, and stunnel in front of it."""
    host, port = _split(_UPSTREAM)
    lab.write("varnish.vcl", f'vcl 4.1; backend api {{ .host = "{host}"; .port = "{port}"; }}')
    words = (
        "-F",
        "-n",
        lab.directory / "varnish",
        "-f",
        lab.directory / "varnish.vcl",
        "-p",
        "timeout_idle=1",
    )
    lab.start("varnishd", *words, "-a", _BEHIND_STUNNEL, "-s", "malloc,8m", at=_split(_BEHIND_STUNNEL))
    return stunnel(lab, to=_BEHIND_STUNNEL)


def lighttpd(lab: Lab) -> Process:
    """Start lighttpd, and stunnel in front of it."""
    host, port = _split(_UPSTREAM)
    settings = f"""
server.modules = ("mod_proxy")
server.document-root = "{lab.directory}"
server.bind = "127.0.0.1"
server.port = 8080
server.max-keep-alive-idle = 1
server.errorlog = "{lab.directory}/error.log"
proxy.server = ("" => (("host" => "{host}", "port" => {port})))
"""
    lab.start("lighttpd", "-D", "-f", lab.write("lighttpd.conf", settings), at=_split(_BEHIND_STUNNEL))
    return stunnel(lab, to=_BEHIND_STUNNEL)


# Proxies


def squid(
    lab: Lab,
    *,
    port: str = f"http_port {PROXY}:{PROXY_PORT}",
    access: str = "http_access allow all",
    more: str = "",
) -> Process:
    """Start squid. Its squid.log has a line for each tunnel that has ended."""
    settings = f"""
{port}
{access}
cache deny all
access_log stdio:{lab.directory}/squid.log
cache_log {lab.directory}/cache.log
pid_filename {lab.directory}/squid.pid
coredump_dir {lab.directory}
shutdown_lifetime 1 seconds
cache_effective_user proxy
pinger_enable off
netdb_filename none
{more}
"""
    return start_squid(lab, lab.write("squid.conf", settings))


def start_squid(lab: Lab, settings: Path) -> Process:
    """Start squid, or start it again."""
    return lab.start("squid", "-N", "-f", settings, at=(PROXY, PROXY_PORT))


def tinyproxy(lab: Lab, more: str = "") -> Process:
    """Start tinyproxy."""
    settings = f"Port {PROXY_PORT}\nListen {PROXY}\nTimeout 600\nMaxClients 50\nLogLevel Info\n{more}\n"
    return lab.start("tinyproxy", "-d", "-c", lab.write("tinyproxy.conf", settings), at=(PROXY, PROXY_PORT))


def microsocks(lab: Lab) -> Process:
    """Start microsocks, a SOCKS5 proxy."""
    return lab.start("microsocks", "-i", PROXY, "-p", PROXY_PORT, at=(PROXY, PROXY_PORT))


# The network


def dnsmasq(lab: Lab, *records: str) -> Process:
    """Start dnsmasq, with lines such as `host-record=api.lab.test,192.0.2.1`; /etc/hosts has no api."""
    lab.hosts({"localhost": ["127.0.0.1"], "proxy.lab.test": [PROXY]})
    lines = (
        "no-resolv",
        "no-hosts",
        f"listen-address={RESOLVER}",
        "bind-interfaces",
        "local=/test/",
        "user=root",
    )
    path = lab.write("dnsmasq.conf", "\n".join((*lines, *records, "")))
    process = lab.start("dnsmasq", "-k", "-C", path, f"--pid-file={lab.directory}/dnsmasq.pid")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.connect((RESOLVER, 53))
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0\4none\4test\0\0\1\0\1"
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with suppress(OSError):
                sock.send(question)
                sock.recv(512)
                return process
            time.sleep(0.05)
    raise RuntimeError("dnsmasq does not start")


def _split(place: str) -> tuple[str, int]:
    host, _, port = place.partition(":")
    return host, int(port)
