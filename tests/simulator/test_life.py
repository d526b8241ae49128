"""The lives that the simulator plays, second by second, on a clock that is moved by hand."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from itertools import groupby, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfgate.model import Resource
from cfgate.simulator import load, names
from tests.support.simulation import ID, NOON, Player, scenario, verdict

WORKING = """
    life:
      - {state: Queued, for: 5s}
      - {state: Running, for: 10s, progress: 0 to 100, eta: exact}
      - {state: Completed}
"""


def watched(name: str, *, until: float = 30, every: float = 0.25) -> list[str]:
    """Watch a built-in scenario: the states, or what is wrong with an answer, each once in a row."""
    player = Player(load(name))
    seen = []
    for step in range(int(until / every)):
        reply = player.reply(step * every)
        judged = verdict(reply)
        usable = judged not in ("NoAnswer", "Doubtful", "Rejected", "NotFound")
        seen.append(json.loads(reply.body)["jobstatename"] if usable else judged)
    return [state for state, _ in groupby(seen)]


# The built-in scenarios

LIVES = {
    "demo": ["Created", "Pending", "Queued", "Running", "Completed"],
    "ready": ["Queued", "Running", "Completed"],
    "failed": ["Queued", "Running", "Failed"],
    "squashed": ["Created", "Queued", "Squashed"],
    "rollout": ["Queued", "Running", "Completed", "Running", "Completed"],
    "rollout-failed": ["Queued", "Running", "Failed"],
    "retried": ["Queued", "Running", "Queued", "Running", "Completed"],
    "stuck": ["Queued", "Running"],
    "denied": ["Rejected"],
    "missing": ["NotFound"],
    "slow": ["Created", "Queued", "Running"],
    "hostile": ["Running", "Failed"],
    "doubtful": ["Doubtful"],
}


def test_each_built_in_scenario_has_its_life_written_down_here() -> None:
    """No built-in scenario goes untested."""
    assert {*LIVES, "flaky"} == set(names())


@pytest.mark.parametrize("name", LIVES)
def test_a_built_in_scenario_shows_the_states_that_it_promises(name: str) -> None:
    """Watched closely, each life goes through its states in their order."""
    assert watched(name) == LIVES[name]


def test_flaky_shows_every_fault_to_every_gate() -> None:
    """Faults come by request number, with usable pending answers between, and ready only after the last."""
    player = Player(load("flaky"))
    replies = [player.reply(number * 100) for number in range(14)]
    reset = replies.pop(4)  # never arrives, whatever it says
    assert str(reset.connection) == "reset in body"
    assert [verdict(reply) for reply in replies] == [
        *["NotFound", "NotFound", "PENDING"],
        *["NoAnswer", "PENDING"],
        *["NoAnswer", "NoAnswer", "PENDING"],
        *["NoAnswer", "NoAnswer", "NoAnswer"],
        *["READY", "READY"],
    ]


def test_denied_is_the_envelope_of_the_real_api() -> None:
    """A refusal has the shape that was captured from the live API."""
    reply = Player(load("denied")).reply(0)
    assert reply.status == 403
    assert json.loads(reply.body) == {
        "messages": [],
        "error_code": 1,
        "error_message": "forbidden",
        "_debug": [],
        "success": False,
        "error": True,
    }


def test_doubtful_never_says_the_same_twice_and_never_the_truth() -> None:
    """Over many requests several kinds of contradiction come, and not one usable answer."""
    player = Player(load("doubtful"))
    replies = [player.reply(second) for second in range(60)]
    assert {verdict(reply) for reply in replies} == {"Doubtful"}
    assert len({reply.body for reply in replies}) == 6


def test_hostile_holds_what_no_log_must_repeat() -> None:
    """The job error has orders for GitHub and GitLab, control characters, markup and a secret."""
    player = Player(load("hostile"))
    player.job(0)
    error = player.job(10)["joberror"]
    for dangerous in (
        "\n::set-output", "##[error]", "\x1b[2J", "\r::error::", "\0", "\x1b[0Ksection_start:", "</details>",
        "]]></failure>", "| a |", "s3://ACCESSKEY:secret-of-the-bucket@bucket", "\x9b", "\u2028", "$(id)",
    ):  # fmt: skip
        assert dangerous in error


def test_the_error_of_failed_has_several_lines() -> None:
    """A failed job tells what happened, as a real one would."""
    player = Player(load("failed"))
    player.job(0)
    job = player.job(10)
    assert (job["jobfailed"], job["jobprogress"]) == (1, 63)
    assert len(job["joberror"].splitlines()) == 4


def test_stuck_never_moves_again() -> None:
    """Neither state nor progress nor jobupdated moves once the job is stuck."""
    player = Player(load("stuck"))
    player.job(0)
    stuck = player.job(6)
    assert stuck["jobprogress"] == 37
    assert player.job(86_400) == stuck


def test_retried_counts_the_failure_from_the_second_queue_on() -> None:
    """`jobfailed` is 0 in the first attempt and 1 from then on, when ready too."""
    player = Player(load("retried"))
    player.job(0)
    seen = [(player.job(second)["jobstatename"], player.job(second)["jobfailed"]) for second in (4, 6, 8, 20)]
    assert seen == [("Running", 0), ("Queued", 1), ("Running", 1), ("Completed", 1)]


# The fields


def test_a_job_has_the_types_of_the_documentation() -> None:
    """Every field is an int but jobstart, a string, the names, and success, a bool."""
    player = Player(scenario(WORKING))
    player.job(0)
    assert player.job(10) == {
        "imageversionid": ID,
        "jobcreated": NOON,
        "joberror": None,
        "jobeta": NOON + 15,
        "jobfailed": 0,
        "jobprogress": 50,
        "jobstart": str(int(NOON + 5)),
        "jobstateid": 4,
        "jobstatename": "Running",
        "jobupdated": NOON + 10,
        "success": True,
    }
    for name, value in player.job(10).items():
        wanted: Any = {"joberror": type(None), "jobstart": str, "jobstatename": str, "success": bool}
        assert type(value) is wanted.get(name, int)


@pytest.mark.parametrize(
    ("unset", "fields"),
    [
        ("null", {"jobstart": None, "jobeta": None, "joberror": None}),
        ("missing", {}),
        ("empty", {"jobstart": "", "jobeta": "", "joberror": ""}),
        ("zero", {"jobstart": "0", "jobeta": 0, "joberror": ""}),
    ],
)
def test_optional_fields_before_their_time_look_as_the_scenario_says(
    unset: str, fields: dict[str, Any]
) -> None:
    """Before a job starts they are null, missing, empty or zero; the gate takes each for pending."""
    player = Player(scenario(f"unset: {unset}\nlife: [{{state: Pending}}]"))
    job = player.job(0)
    assert {name: job[name] for name in ("jobstart", "jobeta", "joberror") if name in job} == fields
    assert verdict(player.reply(0)) == "PENDING"


def test_both_spellings_of_completed_are_sent_as_written() -> None:
    """`Complete` and `Completed` are one state with two names."""
    job = Player(scenario("life: [{state: complete}]")).job(0)
    assert (job["jobstateid"], job["jobstatename"]) == (5, "Complete")


def test_fields_can_be_replaced_added_and_left_out() -> None:
    """A state can say anything about itself, the id asked for and the time included."""
    text = """
        life:
          - state: Completed
            fields:
              jobstateid: $missing
              jobprogress: "99"
              imageversionid: $id+1
              jobeta: $now+30
              note: version $id at $date
              list: [1, {a: null}]
    """
    job = Player(scenario(text)).job(7)
    assert "jobstateid" not in job
    assert (job["jobprogress"], job["imageversionid"], job["jobeta"]) == ("99", ID + 1, NOON + 37)
    assert job["note"] == f"version {ID} at Mon, 23 Nov 2026 12:00:07 GMT"
    assert job["list"] == [1, {"a": None}]


# Progress


@pytest.mark.parametrize(
    ("progress", "seen"),
    [
        ("0 to 100", [0, 25, 50, 75, 99]),
        ("20 to 60", [20, 30, 40, 50, 59]),
        ("0 to 100 uneven", [0, 45, 90, 95, 99]),
        ("0 to 100 in jumps of 30", [0, 0, 30, 60, 90]),
        ("70", [70, 70, 70, 70, 70]),
    ],
)
def test_progress_moves_as_it_is_written(progress: str, seen: list[int]) -> None:
    """At the start, the quarters and just before the end of a state."""
    text = f"life: [{{state: Running, for: 100s, progress: {progress}}}, {{state: Completed}}]"
    player = Player(scenario(text))
    assert [player.job(second)["jobprogress"] for second in (0, 25, 50, 75, 99.9)] == seen


@pytest.mark.parametrize("how", ["", "uneven", "in jumps of 7"])
def test_jobupdated_is_the_moment_of_the_last_step(how: str) -> None:
    """With `updated: with progress`, jobupdated moves exactly when the progress does."""
    text = f"life: [{{state: Running, for: 500s, progress: 0 to 100 {how}}}, {{state: Completed}}]"
    player = Player(scenario(text))
    jobs = [player.job(second) for second in range(500)]
    for before, after in pairwise(jobs):
        moved = before["jobprogress"] < after["jobprogress"]
        assert moved == (before["jobupdated"] < after["jobupdated"])
        assert after["jobupdated"] <= player.clock.now


@pytest.mark.parametrize(
    ("updated", "seen"),
    [("with progress", [0, 12, 25]), ("with state", [0, 0, 25]), ("always", [0, 14, 60])],
)
def test_jobupdated_moves_as_the_scenario_says(updated: str, seen: list[int]) -> None:
    """With progress, with the state only, or with every look."""
    text = f"""
        updated: {updated}
        life:
          - {{state: Running, for: 25s, progress: 0 to 100 in jumps of 50}}
          - {{state: Completed}}
    """
    player = Player(scenario(text))
    assert [player.job(second)["jobupdated"] - NOON for second in (0, 14, 60)] == seen


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 100), st.booleans(), st.floats(0, 50))
def test_progress_never_leaves_its_range(
    one: int, other: int, step: int, uneven: bool, second: float
) -> None:
    """Whatever the curve, the progress stays within its range, and jobupdated is not in the future."""
    low, high = min(one, other), max(one, other)
    how = "uneven" if uneven else f"in jumps of {step}"
    player = Player(scenario(f"life: [{{state: Running, for: 7s, progress: {low} to {high} {how}}}]"))
    player.job(0)
    job = player.job(second)
    assert low <= job["jobprogress"] <= high
    assert NOON <= job["jobupdated"] <= NOON + second
    if second >= 7:
        assert job["jobprogress"] == high


# Estimates


def etas(eta: str, seconds: tuple[float, ...] = (0, 2, 50, 90)) -> list[float | None]:
    """Return what jobeta says at some seconds, as seconds, of a job that runs from 2 to 102."""
    text = f"""
        life:
          - {{state: Queued, for: 2s, eta: {eta}}}
          - {{state: Running, for: 60s, eta: {eta}}}
          - {{state: Running, for: 40s, eta: {eta}}}
          - {{state: Completed, eta: {eta}}}
    """
    player = Player(scenario(text))
    found = [player.job(second)["jobeta"] for second in seconds]
    return [eta and eta - NOON for eta in found]


@pytest.mark.parametrize(
    ("eta", "seen"),
    [
        ("none", [None, None, None, None]),
        ("exact", [102, 102, 102, 102]),
        ("fixed +15%", [117, 117, 117, 117]),
        ("fixed -50%", [52, 52, 52, 52]),
        ("fixed +900%", [1002, 1002, 1002, 1002]),
        ("ahead 30s", [30, 32, 80, 120]),
        ("past 30s", [-30, -28, 20, 60]),
        ("zero", [0, 0, 0, 0]),
    ],
)
def test_an_estimate_is_as_wrong_as_it_is_written(eta: str, seen: list[float | None]) -> None:
    """Estimates are about the end of Running, however many states it is made of, queued or running."""
    assert etas(eta) == seen


def test_an_estimate_within_a_share_gets_better() -> None:
    """The error stays within the share of what remains, differs from second to second, and is repeatable."""
    seconds = tuple(range(102))
    found = etas("within 20%", seconds)
    errors = [(eta or 0) - 102 for eta in found]
    assert all(abs(error) <= 0.2 * (102 - second) + 1 for error, second in zip(errors, seconds, strict=True))
    assert max(errors) > 5
    assert min(errors) < -5
    assert etas("within 20%", seconds) == found


def test_two_jobs_do_not_share_their_errors() -> None:
    """The errors of estimates differ between ids, so that a hundred jobs do not end in step."""
    player = Player(scenario("life: [{state: Running, for: 1h, eta: within 50%}]"))
    assert len({player.job(0, job_id)["jobeta"] for job_id in range(1, 21)}) > 10


def test_after_the_run_an_estimate_is_about_the_last_run() -> None:
    """A job that never runs again had its end when it last left Running."""
    player = Player(scenario(WORKING.replace("Completed", "Completed, eta: exact")))
    player.job(0)
    assert player.job(60)["jobeta"] == NOON + 15


def test_a_job_that_runs_again_has_a_new_start_and_a_new_end() -> None:
    """Back in the queue, the next run is what an estimate is about; jobstart is the latest start."""
    text = """
        life:
          - {state: Running, for: 10s, progress: 0 to 80, eta: exact}
          - {state: Queued, for: 10s, eta: exact}
          - {state: Running, for: 10s, eta: exact}
          - {state: Completed}
    """
    player = Player(scenario(text))
    jobs = [player.job(second) for second in (0, 15, 25)]
    assert [job["jobeta"] - NOON for job in jobs] == [10, 30, 30]
    assert [int(job["jobstart"]) - NOON for job in jobs] == [0, 0, 20]


# Time


def test_speed_shortens_the_life_and_keeps_the_clock_true() -> None:
    """At ten times the speed a job of 15 s lasts 1.5 s, and its time stamps agree with `Date`."""
    player = Player(scenario(WORKING), speed=10)
    player.job(0)
    job = player.job(1.2)
    assert (job["jobstatename"], job["jobprogress"], job["jobeta"] - NOON) == ("Running", 70, 1)
    reply = player.reply(1.6)
    assert json.loads(reply.body)["jobstatename"] == "Completed"
    assert parsedate_to_datetime(reply.headers["Date"]).timestamp() == NOON + 1


@pytest.mark.parametrize(("offset", "seconds"), [("10m", 600), ("-10m", -600)])
def test_the_servers_clock_can_be_off(offset: str, seconds: int) -> None:
    """`Date` and every time stamp are shifted alike; the life is not."""
    player = Player(scenario(WORKING.replace("    life:", f"    date-offset: {offset}\n    life:")))
    player.job(0)
    reply = player.reply(10)
    job = json.loads(reply.body)
    assert parsedate_to_datetime(reply.headers["Date"]).timestamp() == NOON + 10 + seconds
    assert (job["jobcreated"], job["jobeta"], job["jobupdated"]) == (
        NOON + seconds,
        NOON + 15 + seconds,
        NOON + 10 + seconds,
    )
    assert job["jobprogress"] == 50


def test_each_id_has_a_life_of_its_own_from_the_first_request_on() -> None:
    """A second image version is created when it is first asked for, and counts its own requests."""
    text = f"{WORKING}\n    faults: [{{requests: 2, status: 503}}]"
    player = Player(scenario(text))
    player.job(0, 1)
    assert player.job(100, 2)["jobstatename"] == "Queued"
    assert [player.reply(100, job_id).status for job_id in (1, 2, 1, 2)] == [503, 503, 200, 200]


def test_lives_can_begin_with_the_simulator() -> None:
    """With `begins: at start` a job has lived for a while when it is first asked about."""
    player = Player(scenario(WORKING.replace("    life:", "    begins: at start\n    life:")))
    assert player.job(10)["jobprogress"] == 50


@pytest.mark.parametrize("resource", Resource)
def test_every_resource_is_played(resource: Resource) -> None:
    """Each kind of status has its route and is judged as its own kind; its lives are not those of others."""
    player = Player(scenario(WORKING))
    for other in Resource:
        if other is not resource:
            player.api.answer("GET", other.address(ID, 1), "")
    for second, judged in ((60, "PENDING"), (67, "PENDING"), (80, "READY")):
        player.clock.now = NOON + second
        assert verdict(player.api.answer("GET", resource.address(ID, 1), ""), ID, resource) == judged


def test_a_diff_tells_what_is_different() -> None:
    """An image diff is a job with three maps."""
    reply = Player(scenario(WORKING)).api.answer("GET", Resource.IMAGE_DIFF.address(7, 1), "")
    told = json.loads(reply.body)
    assert (told["diffid"], told["jobstatename"]) == (7, "Queued")
    assert all(isinstance(told[name], dict) for name in ("added", "modified", "removed"))


def test_a_roll_out_counts_machines() -> None:
    """Nothing is counted before Running; then machines are completed one by one, and nothing else is told."""
    player = Player(scenario(WORKING))
    counts = []
    for second in (0, 5, 10, 15):
        player.clock.now = NOON + second
        reply = player.api.answer("GET", Resource.ROLLOUT.address(7, 1), "")
        counts.append(tuple(json.loads(reply.body).values()))
    assert counts == [(0, 0, 0), (20, 0, 0), (10, 0, 10), (0, 0, 20)]
    assert reply.summary == "0 pending, 0 failed, 20 completed"


def test_a_roll_out_that_fails_says_on_how_many_machines() -> None:
    """With Failed those machines have failed that were not completed before."""
    player = Player(load("rollout-failed"))
    player.api.answer("GET", Resource.ROLLOUT.address(7, 1), "")
    player.clock.now += 10
    told = json.loads(player.api.answer("GET", Resource.ROLLOUT.address(7, 1), "").body)
    assert told == {"pending_machines": 0, "failed_machines": 2, "completed_machines": 18}


# Faults, as far as no socket is needed


def test_the_first_fault_that_fits_is_played() -> None:
    """Faults are tried in their order; where none fits, the answer is the true one."""
    text = f"""{WORKING}
    faults:
      - {{requests: 2, status: 502}}
      - {{during: Queued, status: 503}}
      - {{after: 8s, until: 10s, status: 500}}
    """
    player = Player(scenario(text))
    assert [player.reply(second).status for second in (0, 1, 2, 6, 9, 10)] == [503, 502, 503, 200, 500, 200]


@pytest.mark.parametrize(
    ("status", "judged"),
    [
        (302, "Rejected"),
        (400, "Rejected"),
        (401, "Rejected"),
        (403, "Rejected"),
        (404, "NotFound"),
        (418, "Rejected"),
        (429, "NoAnswer"),
        (499, "Rejected"),
        (500, "NoAnswer"),
        (503, "NoAnswer"),
        (599, "NoAnswer"),
    ],
)
def test_a_status_brings_its_usual_body(status: int, judged: str) -> None:
    """Every status can be answered, and is taken for what it is; numbers that nobody has defined too."""
    reply = Player(scenario(f"life: [{{state: Completed}}]\nfaults: [{{status: {status}}}]")).reply(0)
    assert reply.status == status
    assert verdict(reply) == judged


def test_a_fault_can_tell_other_fields_than_the_job() -> None:
    """`fields` in a fault come on top of those of the state."""
    text = """
        life: [{state: Running, fields: {a: state, b: state}}]
        faults: [{requests: 2, fields: {b: fault}}]
    """
    player = Player(scenario(text))
    told = [(job["a"], job["b"]) for job in (player.job(0), player.job(0), player.job(0))]
    assert told == [("state", "state"), ("state", "fault"), ("state", "state")]


def test_a_body_can_be_any_text() -> None:
    """`body` is sent as written, with the id asked for filled in."""
    text = """
        life: [{state: Created}]
        faults: [{body: '{"imageversionid": $id, "jobstatename": "Complete", "now": $now-5}'}]
    """
    reply = Player(scenario(text)).reply(5)
    assert reply.body.decode() == f'{{"imageversionid": {ID}, "jobstatename": "Complete", "now": {NOON:.0f}}}'
    assert verdict(reply) == "READY"


def test_headers_can_be_replaced_added_and_left_out() -> None:
    """Header names have no case, `Date` can be taken away, and `Retry-After` can be a date."""
    text = """
        life: [{state: Created}]
        faults:
          - status: 503
            headers: {Retry-After: $date+5, content-type: text/plain, Date: $missing, X-Id: $id}
    """
    headers = Player(scenario(text)).reply(0).headers
    assert headers["Retry-After"] == "Mon, 23 Nov 2026 12:00:05 GMT"
    assert (headers["content-type"], headers["X-Id"]) == ("text/plain", str(ID))
    assert not {"Date", "Content-Type"} & set(headers)


@pytest.mark.parametrize("junk", ["html", "empty", "deep", "huge"])
def test_a_body_that_is_no_answer_is_taken_for_none(junk: str) -> None:
    """Each kind of junk, though the job behind it is Completed, is no answer to the gate."""
    reply = Player(scenario(f"life: [{{state: Completed}}]\nfaults: [{{instead: {junk}}}]")).reply(0)
    assert reply.status == 200
    assert verdict(reply) == "NoAnswer"
    assert reply.headers["Content-Length"] == str(len(reply.body))


def test_a_huge_body_is_only_too_large() -> None:
    """Nothing but its size is wrong with it, so only a gate that limits what it reads is right about it."""
    reply = Player(scenario("life: [{state: Completed}]\nfaults: [{instead: huge 3MiB}]")).reply(0)
    assert len(reply.body) == 3 << 20
    assert json.loads(reply.body)["jobstatename"] == "Completed"
