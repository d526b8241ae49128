"""HTTP as servers speak it: interim answers, odd headers, compression, kept connections."""

from __future__ import annotations

import gzip
import zlib

from fronts import servers
from fronts.api import Api, plain
from fronts.lab import FRONT, Lab
from fronts.situation import each, situation

_HINT = 'http-request early-hint Link "</s.css>; rel=preload; as=style"'


@situation()
def haproxy_early_hints(lab: Lab) -> None:
    """A 103 before each answer is read over."""
    api = Api(4)
    servers.haproxy(lab, frontend=_HINT)
    run = lab.gate(targets=3, timeout="15s")
    lab.ready(run, api, retries=0)


@each(fast=0.2, slow=2.5)
def haproxy_early_hints_31_rollouts(lab: Lab, seconds: float) -> None:
    """With a 103 before each answer, no roll-out is ever judged by the answer for another."""
    Api(0, stuck={9003}, slow=seconds)
    servers.haproxy(lab, frontend=_HINT)
    run = lab.gate("--no-fail-fast", targets=31, resource="rollout", timeout="15s")
    by_id = {each["image-version-id"]: each["status"] for each in run.result.get("image-versions", ())}
    lab.equal("the roll-out that never ends", by_id.pop(9003, None), "timeout")
    lab.equal("the others", set(by_id.values()), {"ready"})
    lab.exits(run, 4)


@situation()
def failed_job_with_a_latin_1_letter(lab: Lab) -> None:
    """A Failed job whose error text is Latin-1 is failed, and the text is shown."""
    ending = {"jobstateid": 6, "jobstatename": "Failed", "joberror": "disque plein à 100 %"}
    Api(2, ending=ending, encoding="latin-1")
    servers.nginx(lab)
    run = lab.gate()
    lab.exits(run, 1)
    lab.logs(run, "disque plein . 100 %")


_ODD_LINES = {
    "length": lambda head, body: plain([*head, "X-Frame-Options : DENY"], body),
    "chunked": lambda head, body: (
        "\r\n".join(
            [*head, "X-Frame-Options : DENY", "Transfer-Encoding: chunked", "", f"{len(body):x}", ""]
        ).encode()
        + body
        + b"\r\n0\r\n\r\n"
    ),
}


@each(**_ODD_LINES)
def stunnel_blank_before_the_colon(lab: Lab, write: object) -> None:
    """A header with a blank before its colon does not hide those behind it."""
    assert callable(write)
    api = Api(3, write=write)
    servers.stunnel(lab)
    run = lab.gate(timeout="20s")
    lab.ready(run, api, retries=0)


@situation()
def nginx_retry_after_behind_an_odd_line(lab: Lab) -> None:
    """A header with a blank before its colon does not hide a Retry-After behind it."""
    api = Api(1)
    flag = lab.flag("busy")
    flag.touch()
    headers = 'add_header "X-Frame-Options " DENY always; add_header Retry-After 4 always;'
    servers.nginx(lab, location=f"{headers} if (-f {flag}) {{ return 503; }}")

    def forgive() -> None:
        while not lab.read("access.log"):
            pass
        flag.unlink()

    lab.later(0, forgive)
    run = lab.gate(timeout="20s", pace=("--max-interval", "2s"))
    lab.ready(run, api)
    times = [float(line.split()[0]) for line in lab.read("access.log").splitlines()]
    lab.expect(len(times) > 1 and times[1] - times[0] > 3.95, "Retry-After: 4 was not obeyed")


@situation()
def nginx_150_header_lines(lab: Lab) -> None:
    """150 header lines are read."""
    api = Api(3)
    servers.nginx(lab, location="".join(f"add_header X-{number} x;" for number in range(150)))
    run = lab.gate(timeout="15s")
    lab.ready(run, api, retries=0)


@situation()
def nginx_cookies_with_odd_dates(lab: Lab) -> None:
    """No cookie is parsed, so an odd one leaves no trace on stderr, and none is sent back."""
    api = Api(3)
    odd = 'add_header Set-Cookie2 "a=b; Max-Age=x; Expires=Thu, 99 Foo 99999 99:99:99 GMT; Version=1";'
    odd += 'add_header Set-Cookie "session=abc; Expires=0; Path=/";'
    cookies = f"log_format cookies '$http_cookie'; access_log {lab.directory}/cookies.log cookies;"
    servers.nginx(lab, http=cookies, location=odd)
    run = lab.gate(timeout="15s")
    lab.ready(run, api, retries=0)
    lab.expect("cookie" not in run.log.lower(), "the log speaks of a cookie")
    lab.equal("cookies that were sent back", set(lab.read("cookies.log").split()), {"-"})


@situation()
def apache_gzip_kept_for_two_requests(lab: Lab) -> None:
    """Apache compresses with gzip, unasked, and keeps a connection for two requests or a second."""
    api = Api(8)
    keep = "KeepAlive On\nKeepAliveTimeout 1\nMaxKeepAliveRequests 2"
    force = "RequestHeader set Accept-Encoding gzip early\nSetOutputFilter DEFLATE"
    servers.apache(lab, modules="filter deflate", more=f"{keep}\n{force}")
    run = lab.gate(targets=30)
    lab.ready(run, api, retries=0)


@situation()
def haproxy_deflate(lab: Lab) -> None:
    """HAProxy compresses with deflate, unasked: it is read."""
    api = Api(3)
    force = "http-request set-header Accept-Encoding deflate"
    more = "compression algo deflate\n  compression type application/json"
    servers.haproxy(lab, frontend=f"{force}\n  {more}")
    run = lab.gate(timeout="15s")
    lab.ready(run, api, retries=0)


@situation()
def apache_brotli(lab: Lab) -> None:
    """Apache compresses with br, unasked: it is named."""
    Api(1)
    force = "RequestHeader set Accept-Encoding br early\nSetOutputFilter BROTLI_COMPRESS"
    servers.apache(lab, modules="filter brotli", more=force)
    run = lab.gate(timeout="4s")
    lab.exits(run, 8)
    lab.says(run, r"\bbr\b")


@situation()
def caddy_zstd(lab: Lab) -> None:
    """Caddy compresses with zstd, unasked: it is named."""
    Api(1)
    servers.caddy(lab, site="request_header Accept-Encoding zstd\nencode {\nzstd\nminimum_length 1\n}")
    run = lab.gate(timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "zstd")


@situation()
def answers_in_utf_16(lab: Lab) -> None:
    """Answers in UTF-16 are named as such."""
    Api(1, encoding="utf-16")
    servers.nginx(lab)
    run = lab.gate(timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "UTF-16")


_MEMBERS = {
    "two_gzip_members": ("gzip", lambda body: gzip.compress(body[:40]) + gzip.compress(body[40:])),
    "raw_deflate": ("deflate", lambda body: zlib.compress(body)[2:-4]),
    "zlib_deflate": ("deflate", zlib.compress),
}


@each(**_MEMBERS)
def nginx_passes_on(lab: Lab, coding: tuple[str, object]) -> None:
    """Compression as servers send it: gzip in several members, deflate with and without the frame of zlib."""
    name, compress = coding
    assert callable(compress)
    api = Api(3, write=lambda head, body: plain([*head, f"Content-Encoding: {name}"], compress(body)))
    servers.nginx(lab)
    run = lab.gate(timeout="15s")
    lab.ready(run, api, retries=0)


def _nat(lab: Lab, seconds: int) -> None:
    """Set up a NAT that forgets a connection that was idle for so long, and drops what comes after that."""
    for name, value in (("loose", 0), ("timeout_established", seconds), ("timeout_unacknowledged", seconds)):
        lab.run("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_{name}={value}")
    lab.firewall(f"ip daddr {FRONT} ct state invalid drop", f"ip saddr {FRONT} ct state invalid drop")


@situation(45)
def nat_forgets_idle_connections(lab: Lab) -> None:
    """What has been idle for half a minute is not used again: a NAT that forgot it costs no time-out."""
    api = Api(30)
    _nat(lab, 25)
    servers.nginx(lab, http="keepalive_timeout 300s;")
    run = lab.gate("--request-timeout", "5s", pace=("--poll-interval", "32s"), timeout="80s")
    lab.ready(run, api, retries=0)
    lab.within("late", api.late, 6)


@situation(35)
def nat_forgets_sooner(lab: Lab) -> None:
    """A NAT that forgets after 4 s costs one time-out at most, not one at each look."""
    api = Api(25)
    _nat(lab, 4)
    servers.nginx(lab, http="keepalive_timeout 300s;")
    run = lab.gate("--request-timeout", "3s", pace=("--poll-interval", "6s"), timeout="80s")
    lab.ready(run, api)
    lab.expect(run.result.get("retries", 9) <= 1, f"{run.result.get('retries')} time-outs")


@situation(25)
def nat_and_apache_that_announces_its_time(lab: Lab) -> None:
    """Apache announces `Keep-Alive: timeout=4`, and a NAT forgets after 5 s: there is no time-out at all."""
    api = Api(18)
    _nat(lab, 5)
    servers.apache(lab, more="KeepAlive On\nKeepAliveTimeout 4")
    run = lab.gate("--request-timeout", "3s", pace=("--poll-interval", "6s"), timeout="80s")
    lab.ready(run, api, retries=0)
