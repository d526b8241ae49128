"""A page from something in between: a firewall, a login wall, maintenance, a front without an API behind it.

A wait that went well is never ended by one, and nobody is blamed for what another has sent (rule 2).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from fronts import servers
from fronts.api import Api
from fronts.lab import Lab
from fronts.situation import each, situation

_REFUSALS = {
    "page_400": "return 400;",
    "page_401": "return 401;",
    "page_403": "return 403;",
    "redirect_302": "return 302 https://www.lab.test/maintenance?token=x;",
    "redirect_308": "return 308 https://login.lab.test/;",
    "page_404": "return 404;",
    "page_405": "return 405;",
    "page_410": "return 410;",
    "page_451": "return 451;",
    "status_499": "return 499;",
    "status_200": "return 200 '<!DOCTYPE html><title>We are back soon</title>';",
}


def _page_between(lab: Lab, answer: str, since: float, until: float) -> Api:
    """Start nginx, which sends a page to everybody for a while."""
    api, flag = Api(until + 2), lab.flag("page")
    servers.nginx(lab, location=f"if (-f {flag}) {{ {answer} }}")
    api.later(since, flag.touch)
    api.later(until, flag.unlink)
    return api


@each(**_REFUSALS)
def nginx_in_mid_wait(lab: Lab, answer: str) -> None:
    """A page that comes for 5 s after good answers is ridden out; what came is in the log."""
    api = _page_between(lab, answer, 2.5, 7.5)
    run = lab.gate(targets=2)
    lab.ready(run, api)
    lab.expect(run.result.get("retries", 0) > 0, "the page was not noticed")


@each(once=1, twice=2)
def nginx_403_in_mid_wait(lab: Lab, times: int) -> None:
    """A 403 that is heard once or twice, and then a good answer, is no refusal."""
    api, flag = Api(6), lab.flag("page")
    servers.nginx(lab, location=f"if (-f {flag}) {{ return 403; }}")

    def refuse() -> None:
        flag.touch()
        while lab.read("access.log").count(" 403 ") < times:
            pass
        flag.unlink()

    api.later(2.5, refuse)
    run = lab.gate()
    lab.ready(run, api)
    lab.logs(run, "HTTP 403")


@situation(25)
def nginx_403_for_good_after_good_answers(lab: Lab) -> None:
    """Three refusals in a row over 10 s are rejected, with since when it had worked and who sent the page."""
    api = _page_between(lab, "return 403;", 2.5, 90)
    run = lab.gate()
    lab.exits(run, 6)
    lab.says(run, "HTTP 403", "HTML page", "nginx", "worked|usable|answered|until")
    refused = run.ended - api.last
    lab.expect(9.5 <= refused <= 20, f"given up {refused:.1f} s after the last good answer")


@situation()
def haproxy_403_at_the_first_look(lab: Lab) -> None:
    """A firewall's page at the first look ends at once, and is named before the keys are blamed."""
    Api()
    servers.haproxy(lab, frontend="http-request deny deny_status 403")
    run = lab.gate()
    lab.exits(run, 6)
    lab.says(run, "HTTP 403", "HTML page", "proxy|firewall")
    lab.within("the gate", run.result.get("waited-seconds", 99), 3)


@situation()
def nginx_401_of_its_own(lab: Lab) -> None:
    """A front with a password of its own (auth_basic): the page and nginx are named."""
    Api()
    lab.write("users", "somebody:{PLAIN}nothing\n")
    servers.nginx(lab, location=f'auth_basic "Staging"; auth_basic_user_file {lab.directory}/users;')
    run = lab.gate()
    lab.exits(run, 6)
    lab.says(run, "HTTP 401", "HTML page", "nginx")


@situation()
def apache_login_wall_at_the_first_look(lab: Lab) -> None:
    """A redirect to a login ends at once, with where it pointed to, without the query string."""
    Api()
    wall = "Redirect 302 /cfp https://login.lab.test/sso?state=hidden"
    servers.apache(lab, modules="alias", more=f"ProxyPass /cfp !\n{wall}")
    run = lab.gate()
    lab.exits(run, 6)
    lab.says(run, "302", "login.lab.test/sso")
    lab.never_says(run, "hidden")


@situation()
def nginx_asks_for_a_client_certificate(lab: Lab) -> None:
    """A page about a missing client certificate (nginx sends 400) is named, not only its number."""
    Api()
    servers.nginx(lab, server=f"ssl_client_certificate {lab.tls}/ca.pem; ssl_verify_client on;")
    run = lab.gate()
    lab.exits(run, 6)
    lab.says(run, "HTTP 400", "HTML page", "certificate")


@situation()
def nginx_421_on_every_kept_connection(lab: Lab) -> None:
    """A 421 is no answer: the next request goes out on a new connection, and the wait goes on."""
    api = Api(5)
    kept = "map $connection_requests $kept { 1 0; default 1; }"
    servers.nginx(lab, http=kept, location="if ($kept) { return 421; }")
    run = lab.gate()
    lab.ready(run, api)
    requests = [line.split()[1:3] for line in lab.read("access.log").splitlines()]
    lab.expect("421" in (status for _, status in requests), "no connection was kept, so there was no 421")
    for (connection, status), (next_connection, _) in pairwise(requests):
        if status == "421":
            lab.expect(connection != next_connection, "the connection of a 421 was used again")
    lab.within("late", api.late, 3)


@situation()
def nginx_304_in_mid_wait(lab: Lab) -> None:
    """A 304 of a cache in mid-wait is no answer, and no redirect."""
    api = _page_between(lab, "return 304;", 2.5, 5.5)
    run = lab.gate()
    lab.ready(run, api)
    lab.logs(run, "304")
    lab.expect("redirect" not in run.log, "it speaks of a redirect")


@situation()
def nginx_maintenance_page_from_the_start(lab: Lab) -> None:
    """A page with status 200 is no answer: it ends as unavailable, with the title of the page."""
    Api()
    servers.nginx(lab, location=_REFUSALS["status_200"])
    run = lab.gate(timeout="4s")
    lab.exits(run, 8)
    lab.says(run, "HTML page", "We are back soon|nginx")


_FRONTS: dict[str, tuple[Callable[[Lab], object], str]] = {
    "nginx": (servers.nginx, "nginx"),
    "haproxy": (servers.haproxy, ""),
    "apache": (servers.apache, "Apache"),
    "caddy": (servers.caddy, "Caddy"),
    "h2o": (servers.h2o, "h2o"),
    "varnish": (servers.varnish, "Varnish"),
    "lighttpd": (servers.lighttpd, "lighttpd"),
}


# The page of HAProxy has neither a title nor a Server header.
@each(**{name: front for name, front in _FRONTS.items() if name != "haproxy"})
def names_itself(lab: Lab, front: tuple[Callable[[Lab], object], str]) -> None:
    """A front without an API behind it says so in its page: it is named by its Server header or title."""
    start, name = front
    start(lab)
    run = lab.gate(timeout="3s")
    lab.exits(run, 8)
    lab.says(run, "HTTP 50[0-9]", name)


@each(**_FRONTS)
def healthy(lab: Lab, front: tuple[Callable[[Lab], object], str]) -> None:
    """Behind a sound front, which keeps connections for a second, no look fails and nothing is late."""
    api = Api(5)
    start, _ = front
    start(lab)
    run = lab.gate(targets=10)
    lab.ready(run, api, retries=0)
    lab.within("late", api.late, 2)
