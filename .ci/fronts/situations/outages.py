"""An API, or what is in front of it, that is away for a while, busy, or silent."""

from __future__ import annotations

import os
import signal
import time
from email.utils import formatdate

from fronts import servers
from fronts.api import Api
from fronts.lab import FRONT, Lab
from fronts.situation import each, situation

# Seconds for the round trips, on a machine that is busy with many other situations.
_ROUND_TRIP = 1.0


def _late(lab: Lab, back: list[float], api: Api, bound: float) -> None:
    """Expect that the last question, which found the end, came `bound` after all was well again at most."""
    lab.expect(bool(back), "it ended before the outage did")
    if back:
        late = api.last - back[0]
        lab.expect(
            0 <= late <= bound + _ROUND_TRIP, f"{late:.1f} s late after the outage, not 0 to {bound:g} s"
        )


@situation(35)
def nginx_502_for_20_seconds(lab: Lab) -> None:
    """After an outage the end is known no later than max-interval after a good answer is to be had again."""
    api = Api(4)
    servers.nginx(lab)
    back = api.away(2, 22)
    run = lab.gate(targets=10, pace=("--max-interval", "5s"), timeout="2m")
    lab.ready(run, api)
    lab.logs(run, "HTTP 502")
    _late(lab, back, api, 5)


@situation(60)
def haproxy_503_for_33_seconds_by_default(lab: Lab) -> None:
    """With the default max-interval of 15 s all targets know it within 15 s."""
    api = Api(4)
    servers.haproxy(lab)
    back = api.away(2, 35)
    run = lab.gate(targets=10, pace=(), timeout="2m")
    lab.ready(run, api)
    _late(lab, back, api, 15)


@situation(35)
def nginx_away_for_20_seconds(lab: Lab) -> None:
    """A refused connection is ridden out, named as such, and the end known within max-interval."""
    api, back = Api(4), list[float]()
    process = servers.nginx(lab)

    def again() -> None:
        servers.nginx(lab)
        back.append(time.monotonic())

    api.later(2, lambda: lab.stop(process))
    api.later(22, again)
    run = lab.gate(targets=3, pace=("--max-interval", "5s"), timeout="2m")
    lab.ready(run, api)
    lab.logs(run, "connection refused")
    _late(lab, back, api, 5)


@situation(30)
def one_target_wakes_the_others(lab: Lab) -> None:
    """After an outage of 12 s one target's good answer wakes the other 29: all are done within 3 s."""
    api = Api(3)
    servers.nginx(lab)
    api.away(1, 13)
    run = lab.gate(targets=30, pace=("--max-interval", "5s"), timeout="2m")
    lab.ready(run, api)
    after = [when for when, _ in api.asked if when > api.asked[0][0] + 13]
    lab.within("from the first good answer to the last", max(after, default=0) - min(after, default=0), 3)


@situation(35)
def resolver_away_for_20_seconds_at_the_start(lab: Lab) -> None:
    """A resolver that says "try again" for 20 s has the two minutes that a refused connection has."""
    api = Api(2)
    servers.nginx(lab)
    lab.hosts({"localhost": ["127.0.0.1"]})
    back = list[float]()

    def start() -> None:
        servers.dnsmasq(lab, f"host-record=api.lab.test,{FRONT}")
        back.append(time.monotonic())

    lab.later(20, start)
    run = lab.gate(targets=2, pace=("--max-interval", "5s"), timeout="90s")
    lab.ready(run, api)
    lab.logs(run, "resolver|DNS|no address")
    _late(lab, back, api, 5 + 2 + 5)  # two seconds of job, and one more pause


@situation(35)
def resolver_away_for_15_seconds_in_mid_wait(lab: Lab) -> None:
    """A resolver that is away while the front closes every connection is ridden out."""
    api, back = Api(4), list[float]()
    servers.nginx(lab, http="keepalive_timeout 0;")
    record = f"host-record=api.lab.test,{FRONT}"
    process = servers.dnsmasq(lab, record)

    def again() -> None:
        servers.dnsmasq(lab, record)
        back.append(time.monotonic())

    api.later(2, lambda: lab.stop(process))
    api.later(17, again)
    run = lab.gate(targets=2, pace=("--max-interval", "5s"), timeout="90s")
    lab.ready(run, api)
    _late(lab, back, api, 5)


@situation(40)
def nginx_limits_200_targets_to_20_requests_a_second(lab: Lab) -> None:
    """Under 429 the run finds the pace that is let through: 200 targets are done after 25 s."""
    api = Api(5)
    servers.nginx(
        lab,
        http="limit_req_zone $binary_remote_addr zone=z:1m rate=20r/s; limit_req_status 429;",
        location="limit_req zone=z burst=5 nodelay;",
    )
    run = lab.gate(targets=200, pace=("--max-interval", "5s"), timeout="2m")
    lab.ready(run, api)
    lab.logs(run, "HTTP 429")
    lab.equal("requests that nginx saw", lab.read("access.log").count("/status"), run.result.get("requests"))
    lab.within("200 targets", run.seconds, 27)


@situation(20)
def nginx_limits_requests_in_flight(lab: Lab) -> None:
    """The same with a limit on connections (limit_conn): no target starves."""
    api = Api(4, slow=0.3)
    servers.nginx(
        lab,
        http="limit_conn_zone $binary_remote_addr zone=z:1m; limit_conn_status 429;",
        location="limit_conn z 3;",
    )
    run = lab.gate(targets=30, pace=("--max-interval", "5s"), timeout="1m")
    lab.ready(run, api)
    lab.within("30 targets", run.seconds, 20)


@each(
    fraction=('"2.5"',),  # rounded up
    list=('"3, 3"',),  # equal values
    lines=('"3"', '"3"'),
    date=(f'"{formatdate(time.time() + 60, usegmt=True)}"',),
)
def nginx_retry_after(lab: Lab, values: tuple[str, ...]) -> None:
    """`Retry-After` is obeyed in every form: 3 s here, and a date that is a minute off outlasts the gate."""
    api, flag = Api(1), lab.flag("busy")
    flag.touch()
    headers = "".join(f"add_header Retry-After {value} always;" for value in values)
    servers.nginx(lab, location=f"{headers} if (-f {flag}) {{ return 503; }}")

    def forgive() -> None:
        while not lab.read("access.log"):
            time.sleep(0.05)
        flag.unlink()

    lab.later(0, forgive)
    date = "GMT" in values[0]
    run = lab.gate(pace=("--max-interval", "2s"), timeout="10s")
    times = [float(line.split()[0]) for line in lab.read("access.log").splitlines()]
    pause = times[1] - times[0] if len(times) > 1 else 0.0
    if date:  # the last look is at the deadline
        lab.expect(pause > 8, f"asked again after {pause:.2f} s")
        return
    lab.ready(run, api)
    lab.expect(bool(api.asked), "the API was never asked")
    lab.expect(2.95 <= pause <= 7, f"{headers} was followed by a pause of {pause:.2f} s")


@situation(20)
def nginx_503_for_an_hour_for_one_of_two(lab: Lab) -> None:
    """`503` with `Retry-After: 3600` quiets its own target only; the log says that the API asked for it."""
    api = Api(6)
    servers.nginx(lab, server='location ~ /9001/ { add_header Retry-After "3600" always; return 503; }')
    run = lab.gate("--no-fail-fast", targets=2, timeout="12s")
    by_id = {each["image-version-id"]: each for each in run.result.get("image-versions", ())}
    lab.equal("the other target", by_id.get(9002, {}).get("status"), "ready")
    lab.expect(len(api.about(9002)) >= 5, f"the other was asked about {len(api.about(9002))} times in 6 s")
    lab.exits(run, 8)
    lab.logs(run, r"asked (us )?for|asks for|Retry-After")


@situation(15)
def nginx_keepalive_race(lab: Lab) -> None:
    """A front that closes connections just as they are used again costs no retry; all that is sent counts."""
    api = Api(8)
    servers.nginx(lab, http="keepalive_timeout 1s;")
    run = lab.gate(targets=30)
    lab.ready(run, api, retries=0)
    seen, counted = lab.read("access.log").count("/status"), run.result.get("requests", 0)
    # nginx does not see what is sent while it closes.
    lab.expect(seen <= counted <= seen + 30, f"{counted} requests are counted, nginx saw {seen}")


@situation(15)
def nginx_reload_every_second(lab: Lab) -> None:
    """A front that is reloaded every second costs no retry."""
    api = Api(8)
    process = servers.nginx(lab, http="keepalive_requests 3;")
    for second in range(2, 8):
        api.later(second, lambda: os.kill(process.pid, signal.SIGHUP))
    run = lab.gate(targets=30)
    lab.ready(run, api, retries=0)
    lab.equal("requests that nginx saw", lab.read("access.log").count("/status"), run.result.get("requests"))


@situation(15)
def haproxy_reloaded_and_killed(lab: Lab) -> None:
    """Two reloads and a kill cost each target one retry at most."""
    api = Api(9)
    process = servers.haproxy(lab)
    for second in (2, 4):
        api.later(second, lambda: os.kill(process.pid, signal.SIGUSR2))

    def kill() -> None:
        lab.stop(process)
        servers.start_haproxy(lab, lab.directory / "haproxy.cfg")

    api.later(6, kill)
    run = lab.gate(targets=30)
    lab.ready(run, api)
    lab.expect(run.result.get("retries", 99) <= 30, f"{run.result.get('retries')} retries")


@situation(20)
def haproxy_silent_for_6_seconds(lab: Lab) -> None:
    """A front that falls silent for 6 s, with connections kept, and goes on then, is ridden out."""
    api = Api(4)
    process = servers.haproxy(lab)
    back = list[float]()

    def go_on() -> None:
        lab.wake(process)
        back.append(time.monotonic())

    api.later(2, lambda: lab.freeze(process))
    api.later(8, go_on)
    run = lab.gate("--request-timeout", "2s", targets=5, pace=("--max-interval", "3s"), timeout="60s")
    lab.ready(run, api)
    _late(lab, back, api, 3)


@situation(15)
def haproxy_closes_every_connection_it_kept(lab: Lab) -> None:
    """A front that closes every connection at its second request: it works, and what is sent is counted."""
    api = Api(5)
    servers.haproxy(lab, frontend="http-request reject if !{ http_first_req }")
    run = lab.gate()
    lab.ready(run, api, retries=0)
    seen = sum("/status" in line for line in lab.read("haproxy.out").splitlines())
    lab.equal("requests that HAProxy saw", seen, run.result.get("requests"))
