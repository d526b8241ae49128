"""The gate: lists of answers on a fake clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfgate.errors import Doubtful, GateError, NoAnswer, NotFound, Rejected, Unresolved, Unsuited, Untrusted
from cfgate.gate.loop import Gate
from cfgate.model import GateStatus, JobState, JobStatus, Outcome, Plan, Resource, Target
from cfgate.model.events import Answered, AskingAgain, Ended, Event, Looked, Noted
from cfgate.rules import judge_job
from cfgate.schedule import FixedInterval
from tests.support.fakes import ID, NOON, FakeApi, FakeClock, Step, job


class Run:
    """A gate that has run to its end, and everything that it did."""

    def __init__(
        self,
        steps: Iterable[Step],
        *,
        pause: float = 10.0,
        round_trip: float = 0.0,
        skew: float = 0.0,
        dated: bool = True,
        target: Target = Target(ID),  # noqa: B008 - frozen
        **plan: Any,
    ) -> None:
        self.clock = FakeClock(skew)
        self.api = FakeApi(self.clock, steps, round_trip=round_trip, dated=dated)
        self.events: list[Event] = []
        gate = Gate(Plan(target, **plan), self.api, FixedInterval(pause), self.events.append, self.clock)
        self.outcome: Outcome = gate.wait()

    @property
    def status(self) -> GateStatus:
        return self.outcome.status

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


LIFE = [job("Created"), job("Pending"), job("Queued"), job("Running"), job("Running", jobprogress=50)]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Completed", GateStatus.READY),
        ("Failed", GateStatus.FAILED),
        ("Squashed", GateStatus.SQUASHED),
    ],
)
def test_it_follows_a_job_to_its_end_and_says_which(state: str, status: GateStatus) -> None:
    """A gate ends with the terminal state of the job, after every state before it was waited through."""
    run = Run([*LIFE, job(state)])
    assert run.status is status
    assert run.outcome.requests == len(LIFE) + 1
    assert [moment.job.state for moment in run.outcome.timeline] == [
        JobState.CREATED,
        JobState.PENDING,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState[state.upper()],
    ]
    assert [moment.at for moment in run.outcome.timeline] == [0, 10, 20, 30, 50]
    assert [event.at for event in run.told(Answered)] == [0, 10, 20, 30, 40]
    assert run.outcome.waited == pytest.approx(50)
    assert run.events[-1] == Ended(Target(ID), 50, run.outcome)


def test_a_failed_job_tells_the_first_line_of_its_error_and_what_to_do() -> None:
    """The reason of a failed gate quotes the job error, and the remedy names the next step."""
    run = Run([job("Failed", joberror="\r\n  disk full \r\nmirror 3")])
    assert run.outcome.reason == "image version 9001 is Failed: disk full"
    assert "create a new image version" in run.outcome.remedy


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("", ""),
        (" \r\n\t", ""),
        ("\rdisk full\rmirror 3", ": disk full"),
        ("x" * 200, ": " + "x" * 200),
        ("x" * 201, ": " + "x" * 199 + "…"),
    ],
)
def test_the_error_in_a_reason_is_one_line_of_200_characters_at_most(error: str, told: str) -> None:
    """The first line of a job error that is no blank is quoted, cut where it is too long; or nothing is."""
    assert Run([job("Failed", joberror=error)]).outcome.reason == f"image version 9001 is Failed{told}"


def test_an_ending_says_what_to_do_where_there_is_something_to_do() -> None:
    """A job that is ready asks for nothing; one that was squashed has a newer one to wait for."""
    assert Run([job("Completed")]).outcome.remedy == ""
    squashed = Run([job("Squashed")]).outcome
    assert squashed.reason == "image version 9001 is Squashed"
    assert squashed.remedy == "Another job took its place: find the newer one and wait for that."


def test_time_out_comes_with_a_final_look_at_the_deadline() -> None:
    """The last pause is shortened so that the last request is sent at the deadline itself."""
    run = Run([job("Running", jobprogress=41)], timeout=95, pause=30)
    assert run.status is GateStatus.TIMEOUT
    assert run.api.asked == pytest.approx([0, 30, 60, 90, 95])
    assert run.outcome.reason == "image version 9001 was still Running at 41 % when time was up"
    assert "more time with `timeout`" in run.outcome.remedy


def test_the_look_at_the_deadline_may_come_close_behind_another() -> None:
    """Whatever the distance to the look before it, the last one is neither late nor left out."""
    run = Run([job("Running")], timeout=30.01, pause=30)
    assert run.api.asked == pytest.approx([0, 30, 30.01])


def test_a_job_that_ends_at_the_deadline_is_seen() -> None:
    """A job that completes in the last second before the deadline is ready, not late."""
    run = Run([*[job("Running")] * 10, job("Completed")], timeout=95, pause=10)
    assert run.status is GateStatus.READY
    assert run.api.asked[-1] == pytest.approx(95)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (job("Running"), GateStatus.PENDING),
        (job("Completed"), GateStatus.READY),
        (job("Failed"), GateStatus.FAILED),
        (NoAnswer("HTTP 503"), GateStatus.UNAVAILABLE),
        (Doubtful("odd"), GateStatus.INCONSISTENT),
        (NotFound("HTTP 404"), GateStatus.NOT_FOUND),
        (Rejected("HTTP 401"), GateStatus.REJECTED),
    ],
)
def test_looking_once_sends_one_request_and_never_waits(answer: Step, status: GateStatus) -> None:
    """With a time-out of 0 there is one request, no pause, and an ending for whatever it brought."""
    run = Run([answer], timeout=0)
    assert run.status is status
    assert len(run.api.asked) == 1
    assert run.clock.slept == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (job("Running", jobprogress=41), "image version 9001 is Running at 41 %"),
        (job("Running"), "image version 9001 is Running"),
        (job("Queued", jobprogress=41), "image version 9001 is Queued"),
        (NoAnswer("HTTP 503"), "no usable answer about image version 9001: HTTP 503"),
        (Doubtful("odd"), "the answers about image version 9001 cannot be trusted: odd"),
        (NotFound("HTTP 404"), "there is no image version 9001 (HTTP 404)"),
    ],
)
def test_looking_once_says_how_it_is(answer: Step, reason: str) -> None:
    """The reason of a single look is a sentence of its own for every kind of answer."""
    outcome = Run([answer], timeout=0).outcome
    assert outcome.reason == reason
    if outcome.status is GateStatus.PENDING:
        assert outcome.remedy == "Look again later, or let `cfgate wait` do it."
    else:
        assert isinstance(answer, GateError)
        assert outcome.remedy == answer.remedy


def test_a_bad_patch_is_ridden_out_and_told() -> None:
    """Unusable answers of every kind are asked again, one line each, and cost nothing but time."""
    row: list[Step] = [NoAnswer("HTTP 503"), Doubtful("odd"), NotFound("HTTP 404"), NoAnswer("reset")]
    run = Run([job("Running"), *row, job("Completed")])
    assert run.status is GateStatus.READY
    assert [retry.why for retry in run.outcome.retries] == [
        "no answer (HTTP 503)",
        "doubtful answer (odd)",
        "not found (HTTP 404)",
        "no answer (reset)",
    ]
    again = [event for event in run.told(AskingAgain) if isinstance(event, AskingAgain)]
    assert [(event.target, event.at, event.why, event.attempt, event.pause) for event in again] == [
        (Target(ID), retry.at, retry.why, attempt, retry.pause)
        for attempt, retry in enumerate(run.outcome.retries, 1)
    ]
    # The gate gives up 600 s after the first of them; a 404 has a minute of its own.
    first, _, unknown, _ = again
    ends = [first.at + 600, first.at + 600, unknown.at + 60, first.at + 600]
    assert [event.at + event.patience for event in again] == pytest.approx(ends)
    ceilings = (2, 4, 8, 16)
    assert all(1 <= retry.pause <= top for retry, top in zip(run.outcome.retries, ceilings, strict=True))


def test_silence_ends_as_unavailable_after_the_error_tolerance() -> None:
    """After a usable answer, a row of unusable ones lasts for the error tolerance, then ends the gate."""
    run = Run([job("Running"), NoAnswer("HTTP 503")], error_tolerance=300)
    assert run.status is GateStatus.UNAVAILABLE
    assert run.api.asked[-1] - run.api.asked[1] == pytest.approx(300)
    assert "HTTP 503" in run.outcome.reason


def test_silence_from_the_start_is_told_after_two_minutes() -> None:
    """Before the first usable answer the error tolerance is two minutes at most."""
    run = Run([NoAnswer("no connection")], error_tolerance=600)
    assert run.status is GateStatus.UNAVAILABLE
    assert run.api.asked[-1] == pytest.approx(120)


def test_patience_is_used_up_to_the_last_second() -> None:
    """However little is left of the tolerance, there is one more look at its very end."""
    run = Run([job("Running"), NoAnswer("HTTP 503")], error_tolerance=2)
    assert run.status is GateStatus.UNAVAILABLE
    assert run.api.asked[-1] - run.api.asked[1] == pytest.approx(2)


def test_a_name_that_never_resolved_is_told_early() -> None:
    """A host name that does not resolve from the start ends the gate within seconds, with its own remedy."""
    run = Run([Unresolved("no address for api.example.invalid")])
    assert run.status is GateStatus.UNAVAILABLE
    assert run.api.asked[-1] == pytest.approx(15)
    assert len(run.api.asked) >= 3
    assert "DNS" in run.outcome.remedy


def test_a_name_that_stops_resolving_later_gets_the_whole_tolerance() -> None:
    """Once an answer has come, a failing look-up is an outage like any other."""
    run = Run([job("Running"), Unresolved("no address")], error_tolerance=300)
    assert run.api.asked[-1] - run.api.asked[1] == pytest.approx(300)


def test_a_contradiction_in_a_row_of_silence_ends_as_inconsistent() -> None:
    """When answers came that could not be trusted, the gate says so, though the last word was silence."""
    run = Run([job("Running"), Doubtful("unknown job state id 8"), NoAnswer("HTTP 502")], error_tolerance=60)
    assert run.status is GateStatus.INCONSISTENT
    assert "unknown job state id 8" in run.outcome.reason


def test_doubt_never_turns_green() -> None:
    """Doubtful answers for ever end as inconsistent."""
    assert Run([Doubtful("odd")]).status is GateStatus.INCONSISTENT


def test_a_version_just_created_may_be_unknown_for_a_moment() -> None:
    """HTTP 404 is asked again within the grace period."""
    assert Run([NotFound("HTTP 404"), NotFound("HTTP 404"), job("Completed")]).status is GateStatus.READY


def test_the_grace_counts_from_the_first_of_a_row_of_404s() -> None:
    """Another trouble in between begins the row anew, but not for ever: the error tolerance goes on."""
    slow = NoAnswer("time-out", retry_after=40)
    run = Run([NotFound("HTTP 404"), slow, NotFound("HTTP 404"), slow, job("Completed")], not_found_grace=60)
    assert run.status is GateStatus.READY
    turns = [NotFound("HTTP 404"), NoAnswer("time-out")] * 200
    assert Run(turns, not_found_grace=60).status is GateStatus.UNAVAILABLE


def test_a_pause_that_the_api_asked_for_is_no_part_of_the_grace() -> None:
    """A 404 that asks for more time gets it, and the grace period beyond it."""
    patient = NotFound("HTTP 404", retry_after=40)
    run = Run([patient, patient, patient, job("Completed")], not_found_grace=60)
    assert run.status is GateStatus.READY
    assert run.clock.slept == [40, 40, 40]


def test_a_404_for_too_long_says_more_than_a_doubt() -> None:
    """Whatever came before: what stays unknown for the grace period is not found."""
    run = Run([job("Running"), Doubtful("odd"), NotFound("HTTP 404")], not_found_grace=30)
    assert run.status is GateStatus.NOT_FOUND
    assert run.outcome.reason == "there is no image version 9001 (HTTP 404)"


def test_a_version_that_stays_unknown_is_not_found() -> None:
    """HTTP 404 for the whole grace period ends as not_found, with the ids to check in the remedy."""
    run = Run([NotFound("HTTP 404")], not_found_grace=30)
    assert run.status is GateStatus.NOT_FOUND
    assert run.api.asked[-1] == pytest.approx(30)
    assert "image-version-id" in run.outcome.remedy


REFUSALS: list[Callable[[], Rejected | Unsuited]] = [
    lambda: Rejected("HTTP 403", credentials=True),
    lambda: Rejected("HTTP 302: a redirect, which is not followed", quote="/maintenance"),
    lambda: Unsuited("api.example.com does not speak TLS"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_at_the_first_look_ends_at_once(refusal: Callable[[], Rejected | Unsuited]) -> None:
    """Before anything was usable, asking again cannot help."""
    run = Run([refusal()])
    assert run.status is refusal().status
    assert run.api.asked == [0]
    assert run.outcome.reason == str(refusal())


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_after_a_usable_answer_is_ridden_out(refusal: Callable[[], Rejected | Unsuited]) -> None:
    """Rule 2: what worked a moment ago may be refused by something in between, which passes."""
    run = Run(
        [job("Running"), job("Running"), refusal(), refusal(), job("Running"), refusal(), job("Completed")]
    )
    assert run.status is GateStatus.READY
    assert [retry.why for retry in run.outcome.retries] == [f"refused ({refusal()})"] * 3


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_believed_after_three_in_a_row_over_ten_seconds(
    refusal: Callable[[], Rejected | Unsuited],
) -> None:
    """Rule 2: then it ends the gate as it would have at the first look, and says how long it had worked."""
    run = Run([job("Running"), job("Running"), *[refusal() for _ in range(50)]])
    refused = [at for at in run.api.asked if at > 10]
    assert run.status is refusal().status
    assert len(refused) >= 3
    assert refused[-1] - refused[0] >= 10
    assert len([at for at in refused if at - refused[0] < 10]) >= len(refused) - 1
    assert re.search(r" \(for [0-9]+(m[0-9]+)?s now, after usable answers for 10s\)", run.outcome.reason)


def test_other_trouble_between_refusals_begins_their_row_anew() -> None:
    """Rule 2: a row of refusals is one with nothing else in it."""
    steps = [
        step for _ in range(20) for step in (Rejected("HTTP 403"), Rejected("HTTP 403"), NoAnswer("HTTP 502"))
    ]
    run = Run([job("Running"), *steps, job("Completed")], error_tolerance=10_000)
    assert run.status is GateStatus.READY


def test_a_certificate_that_cannot_be_verified_ends_at_once() -> None:
    """At the start or later: nothing may be sent to who cannot show who he is."""
    for before in ([], [job("Running")]):
        run = Run([*before, Untrusted("the certificate has expired")])
        assert run.status is GateStatus.UNAVAILABLE
        assert len(run.api.asked) == len(before) + 1


def test_retry_after_is_obeyed_and_does_not_count_as_silence() -> None:
    """The pause that an API asks for is kept to the second and left out of the error tolerance."""
    busy = NoAnswer("HTTP 429", retry_after=100)
    run = Run([job("Running"), busy, busy, busy, job("Completed")], error_tolerance=60)
    assert run.status is GateStatus.READY
    assert run.clock.slept == [10, 100, 100, 100]


def test_a_retry_after_of_nothing_is_a_second() -> None:
    """An API that can be asked again at once is not asked in the same moment."""
    run = Run([NoAnswer("HTTP 503", retry_after=0), job("Completed")])
    assert run.api.asked == pytest.approx([0, 1])


def test_retry_after_beyond_the_deadline_leads_to_a_final_look_at_the_deadline() -> None:
    """A `Retry-After` longer than what is left is cut to what is left."""
    run = Run([job("Running"), NoAnswer("HTTP 429", retry_after=3600), job("Completed")], timeout=60)
    assert run.status is GateStatus.READY
    assert run.api.asked == pytest.approx([0, 10, 60])


def test_silence_at_the_deadline_tells_the_last_known_state() -> None:
    """When time is up during an outage, the gate ends as timeout and says both things."""
    run = Run([job("Running", jobprogress=70), NoAnswer("HTTP 503")], timeout=60)
    assert run.status is GateStatus.TIMEOUT
    assert run.outcome.reason == (
        "image version 9001 was Running at 70 % when last heard of, "
        "and when time was up: no answer (HTTP 503)"
    )


def test_a_time_out_without_any_usable_answer_is_told_as_what_it_was() -> None:
    """When nothing usable ever came, the ending names the outage rather than the time."""
    run = Run([NoAnswer("HTTP 503")], timeout=30)
    assert run.status is GateStatus.UNAVAILABLE
    assert run.api.asked[-1] == pytest.approx(30)


def test_a_running_job_that_stands_still_is_stalled() -> None:
    """A running job of which nothing moves for the stall time-out ends the gate, to the second."""
    run = Run([job("Running", jobprogress=5), job("Running", jobprogress=6)], stall_timeout=47)
    assert run.status is GateStatus.STALLED
    assert run.api.asked[-1] == pytest.approx(10 + 47)
    assert run.outcome.reason == "image version 9001 is Running at 6 %, but has not moved for 47s"
    assert "dashboard" in run.outcome.remedy


def test_a_job_that_may_stand_still_for_a_moment_more_is_looked_at_once_more() -> None:
    """Patience that is shorter than the distance of two looks is patience all the same."""
    run = Run([job("Running", jobprogress=5)], stall_timeout=47, pause=23.25)
    assert run.status is GateStatus.STALLED
    assert run.api.asked == pytest.approx([0, 23.25, 46.5, 47.0])


def test_a_queued_job_may_stand_still() -> None:
    """The stall time-out counts only while the job is Running."""
    run = Run([*[job("Queued")] * 50, job("Completed")], stall_timeout=47)
    assert run.status is GateStatus.READY


def test_a_job_that_does_not_begin_to_run_is_stalled() -> None:
    """A job that waits for longer than the queue time-out ends the gate, to the second."""
    run = Run([job("Created"), job("Queued")], queue_timeout=47)
    assert run.status is GateStatus.STALLED
    assert run.api.asked[-1] == pytest.approx(47)
    assert run.outcome.reason == "image version 9001 is Queued, and has not begun to run for 47s"
    assert "install_at" in run.outcome.remedy


def test_the_queue_time_out_begins_anew_when_the_job_has_run() -> None:
    """A job that was put back into the queue has the whole time again, and a running one needs none."""
    steps = [job("Queued")] * 4 + [job("Running")] * 9 + [job("Queued")] * 4
    assert Run([*steps, job("Completed")], queue_timeout=47).status is GateStatus.READY
    run = Run([*steps, job("Queued")], queue_timeout=47)
    assert run.api.asked[-1] == pytest.approx(120 + 47)


def test_each_request_is_reported_with_its_time_and_the_next_pause() -> None:
    """What came, how long it took, and when the next look is due and why; the last one has no next."""
    slow = NoAnswer("HTTP 503", retry_after=7.0)
    run = Run([job("Queued"), slow, job("Running"), job("Completed")], round_trip=0.25, stall_timeout=3)
    looks = [event for event in run.told(Looked) if isinstance(event, Looked)]
    assert [(look.took, look.job and look.job.state, look.error) for look in looks] == [
        (0.25, JobState.QUEUED, ""),
        (0.25, None, "HTTP 503"),
        (0.25, JobState.RUNNING, ""),
        (0.25, JobState.COMPLETED, ""),
    ]
    assert [(look.pause, look.because) for look in looks] == [
        (10, "nothing is known of the end"),
        (7, "the API asked for this pause"),
        (3, "then it counts as stalled"),
        (None, ""),
    ]


def test_the_last_pause_says_that_time_is_up() -> None:
    """A pause that the time-out cuts short says so, and a plain failure is backed off from."""
    run = Run([job("Running"), NoAnswer("reset"), job("Running")], timeout=15)
    looks = [event for event in run.told(Looked) if isinstance(event, Looked)]
    assert [look.because for look in looks][:2] == ["nothing is known of the end", "backing off"]
    assert looks[-2].because == "then time is up"


@pytest.mark.parametrize(("timeout", "warned"), [(600, 1), (5000, 0), (0, 0)])
def test_an_estimate_beyond_the_time_out_is_reported_once(timeout: float, warned: int) -> None:
    """As soon as the job's own estimate has settled, and long before time is up."""
    run = Run([job("Running", jobeta=NOON + 3600)], timeout=timeout)
    late = [event for event in run.told(Noted) if "by the API's estimate" in str(event)]
    assert len(late) == warned
    if late:
        assert late[0].at == 30
        assert run.outcome.warnings == (
            "about 59m left by the API's estimate, but time is up in 9m30s: give it more time with `timeout`",
        )


def test_a_measured_estimate_beyond_the_time_out_is_reported() -> None:
    """Progress alone leads to an estimate, which is compared with the time-out too."""
    run = Run([job("Running", jobprogress=n // 10) for n in range(200)], timeout=1200)
    assert "left by the estimate, but time is up in" in run.outcome.warnings[0]


@pytest.mark.parametrize(
    ("eta", "told"), [(NOON + 240, ", with about 4m left by the API's estimate"), (1, "")]
)
def test_one_look_reports_the_estimate_of_the_api(eta: int, told: str) -> None:
    """Who looks once learns when the API expects the end, unless that is past."""
    run = Run([job("Running", jobprogress=41, jobeta=eta)], timeout=0)
    assert run.outcome.reason == f"image version 9001 is Running at 41 %{told}"


def test_any_movement_restarts_the_stall_time_out() -> None:
    """A new `jobupdated` alone is movement."""
    steps = [job("Running", jobupdated=NOON + i // 3) for i in range(30)]
    assert Run([*steps, job("Completed", jobupdated=NOON + 99)], stall_timeout=47).status is GateStatus.READY


def test_a_job_that_is_put_back_is_followed_and_told() -> None:
    """Running to Queued is told, and a rise of the failure count is told as a warning."""
    run = Run(
        [
            job("Running"),
            job("Queued", jobfailed=1),
            job("Running", jobfailed=1),
            job("Running", jobfailed=1),
            job("Completed", jobfailed=1),
        ]
    )
    assert run.status is GateStatus.READY
    notes = [(event.what, event.warning) for event in run.told(Noted) if isinstance(event, Noted)]
    assert {event.target for event in run.events} == {Target(ID)}
    assert [event.at for event in run.told(Noted)] == [10]
    told = "went back from Running to Queued: the job has failed once so far and is being retried"
    assert notes == [(told, True)]
    assert run.outcome.warnings == (told,)


def test_a_terminal_answer_from_the_past_has_to_hold() -> None:
    """A Completed older than what was already seen counts once it has been answered for ten seconds."""
    stale = job("Completed", jobupdated=NOON - 100)
    run = Run([job("Running"), *[stale] * 9])
    assert run.status is GateStatus.READY
    assert run.api.asked == pytest.approx([0, 10, 13, 16, 19, 20])
    troubled = Run([job("Running"), stale, stale, NoAnswer("HTTP 502"), *[stale] * 9])
    assert troubled.status is GateStatus.READY
    assert troubled.api.asked[-1] >= troubled.api.asked[4] + 10
    relapse = Run([job("Running"), stale, job("Running"), job("Failed", jobupdated=NOON + 5)])
    assert relapse.status is GateStatus.FAILED


def test_endings_that_contradict_each_other_are_asked_for_at_the_pace_of_the_user() -> None:
    """Stale and in turn, neither is believed; the pause is the user's, and the log has one line."""
    stale = [job(state, jobupdated=NOON - 100) for _ in range(20) for state in ("Completed", "Failed")]
    run = Run([job("Running"), *stale], pause=15, poll_interval=15, timeout=300)
    assert run.status is GateStatus.TIMEOUT
    assert run.api.asked == pytest.approx([15 * look for look in range(21)])
    assert len(run.told(Noted)) == 1


def test_an_answer_about_an_older_job_is_doubtful() -> None:
    """Rule 5: a Completed that was created before the job that was seen says nothing about that one."""
    older = job("Completed", jobcreated=NOON - 100, jobupdated=NOON - 100)
    run = Run([job("Running"), *[older] * 99], error_tolerance=60)
    assert run.status is GateStatus.INCONSISTENT
    assert "about an older job" in run.outcome.reason
    assert Run([job("Running"), older, job("Completed")]).status is GateStatus.READY


def test_after_an_outage_the_longest_pause_is_kept() -> None:
    """However long it was, the first good answer is learned of within `max-interval`."""
    outage = [NoAnswer("HTTP 502")] * 30
    run = Run([job("Running"), *outage, job("Completed")], max_interval=4.0)
    assert run.status is GateStatus.READY
    assert max(run.clock.slept[1:]) <= 4.0


def test_a_stale_completed_at_the_deadline_is_no_green() -> None:
    """There is no time left to confirm an old Completed, so it does not count."""
    run = Run([job("Running"), job("Completed", jobupdated=NOON - 100)], timeout=10)
    assert run.status is GateStatus.TIMEOUT
    assert run.outcome.reason == (
        "image version 9001 was perhaps Completed when time was up, "
        "but that answer is too old to be believed at once"
    )


def test_what_is_odd_about_a_completed_that_does_not_count_is_not_told() -> None:
    """The warnings of a ready job belong to a ready gate."""
    stale = job("Completed", jobupdated=NOON - 100, jobfailed=1)
    assert Run([job("Running"), stale], timeout=10).outcome.warnings == ()


def test_an_old_completed_that_is_heard_too_soon_again_is_no_green() -> None:
    """Half a second before the deadline an old Completed cannot be confirmed any more."""
    stale = job("Completed", jobupdated=NOON - 100)
    run = Run([job("Running"), stale, stale], timeout=10.5)
    assert run.status is GateStatus.TIMEOUT
    assert run.api.asked == pytest.approx([0, 10, 10.5])


# The roll-out: an ending that has to hold


def rollout(pending: int, failed: int, completed: int) -> JobStatus:
    """Make the status of a roll-out."""
    counts = {"pending_machines": pending, "failed_machines": failed, "completed_machines": completed}
    return judge_job(counts, 7, Resource.ROLLOUT)


IMAGE = Target(7, resource=Resource.ROLLOUT)


def test_a_roll_out_is_ready_in_two_answers_ten_seconds_apart() -> None:
    """The ending has to hold for ten seconds, with looks in between, whatever the cadence would say."""
    run = Run([rollout(0, 0, 0), rollout(4, 0, 4), rollout(0, 0, 8)], pause=20, target=IMAGE)
    assert run.status is GateStatus.READY
    assert run.api.asked == pytest.approx([0, 20, 40, 43, 46, 49, 50])
    assert [event.what for event in run.told(Noted) if isinstance(event, Noted)] == [
        "the roll-out is Completed, but it has to stay so for 10 s"
    ]


def test_a_roll_out_that_goes_on_begins_to_hold_anew() -> None:
    """A machine that joins late, or counts that vanish, leave nothing of the time before."""
    steps = [rollout(0, 0, 8), rollout(1, 0, 8), rollout(0, 0, 9), rollout(0, 0, 0), rollout(0, 0, 9)]
    run = Run(steps, pause=5, target=IMAGE)
    assert run.status is GateStatus.READY
    assert run.api.asked == pytest.approx([0, 3, 8, 11, 16, 19, 22, 25, 26])


def test_silence_does_not_stand_for_the_second_answer() -> None:
    """Only an answer confirms; what could not be used in between neither helps nor hurts."""
    run = Run([rollout(0, 0, 8), NoAnswer("HTTP 503"), rollout(0, 0, 8)], target=IMAGE)
    assert run.status is GateStatus.READY
    assert run.api.asked[-1] - run.api.asked[0] >= 10
    assert len(run.outcome.retries) == 1
    assert Run([rollout(0, 0, 8), NoAnswer("HTTP 503")], target=IMAGE).status is GateStatus.UNAVAILABLE


def test_a_roll_out_fails_at_once_with_its_counts() -> None:
    """One failed machine ends the gate, and the remedy is about machines."""
    run = Run([rollout(0, 0, 8), rollout(1, 1, 6)], target=IMAGE)
    assert run.status is GateStatus.FAILED
    assert run.outcome.reason == (
        "image roll-out 7 is Failed: 1 of 8 machines failed (6 completed, 1 pending)"
    )
    assert "machines" in run.outcome.remedy


@pytest.mark.parametrize(("timeout", "status"), [(0, GateStatus.PENDING), (9, GateStatus.TIMEOUT)])
def test_a_roll_out_that_could_not_hold_long_enough_is_not_ready(timeout: float, status: GateStatus) -> None:
    """One look, or less than ten seconds, never make a roll-out green."""
    run = Run([rollout(0, 0, 8)], timeout=timeout, target=IMAGE)
    assert run.status is status
    perhaps = "was perhaps {} when time was up" if timeout else "is perhaps {}"
    perhaps = perhaps.format("Completed (8 of 8 machines)")
    assert run.outcome.reason == f"image roll-out 7 {perhaps}, but it has to stay so for 10 s"


@pytest.mark.parametrize("resource", Resource)
def test_the_remedy_of_a_failure_is_that_of_the_resource(resource: Resource) -> None:
    """What to do about a failed job depends on what failed."""
    run = Run([job("Failed")], target=Target(ID, resource=resource))
    assert run.outcome.remedy == resource.remedy


@pytest.mark.parametrize(("skew", "way"), [(600.0, "ahead of"), (-600.0, "behind")])
def test_a_clock_that_is_off_is_told_once(skew: float, way: str) -> None:
    """A local clock ten minutes off the API's is a warning, once."""
    run = Run([*LIFE, job("Completed")], skew=skew)
    assert run.status is GateStatus.READY
    (warning,) = run.outcome.warnings
    assert warning == f"this machine's clock is 600 s {way} the API's; cfgate goes by the API's"


def test_every_warning_is_kept() -> None:
    """What was odd on the way comes before what is odd about the end, and a known failure is not repeated."""
    steps = [job("Running", jobfailed=n) for n in (0, 1, 2, 2)]
    known = Run([*steps, job("Completed", jobfailed=2)])
    run = Run([*steps, job("Completed", jobfailed=3)])
    assert known.outcome.warnings == run.outcome.warnings[:2]
    assert run.outcome.warnings == (
        "the job has failed once so far and is being retried",
        "the job has failed 2 times so far and is being retried",
        "the job had failed 3 times before it was completed",
    )


@pytest.mark.parametrize(("skew", "told"), [(60.5, 0), (61.0, 1), (-59.5, 0), (-60.0, 1)])
def test_a_clock_that_is_hardly_off_is_not_worth_a_word(skew: float, told: int) -> None:
    """A machine may drift by a minute; half a second is added, for a `Date` is cut off to whole seconds."""
    assert len(Run([job("Running")], skew=skew, timeout=0).outcome.warnings) == told


class Probe:
    """A pacing that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    def next_pause(self, status: object, now: float) -> float:  # noqa: ARG002 - the shape of a pacing
        self.heard.append(now)
        return 5.0

    def time_left(self, now: float) -> float | None:  # noqa: ARG002 - the shape of a pacing
        return 30.0


@pytest.mark.parametrize("skew", [0.0, 600.0, -600.0])
def test_the_cadence_is_given_the_clock_of_the_api(skew: float) -> None:
    """Whatever the local clock says, the cadence hears the API's time to within half a second."""
    clock, probe = FakeClock(skew), Probe()
    api = FakeApi(clock, [*LIFE, job("Completed")], round_trip=0.15)
    events: list[Event] = []
    Gate(Plan(Target(ID)), api, probe, events.append, clock).wait()
    true = [NOON + asked + 0.15 for asked in api.asked[:-1]]
    assert probe.heard == pytest.approx(true, abs=0.6)
    answers = [event for event in events if isinstance(event, Answered)]
    assert [event.left for event in answers] == [30.0] * len(LIFE)
    assert [event.job for event in answers] == LIFE


def test_time_is_counted_from_the_beginning_of_the_gate() -> None:
    """Whatever the monotonic clock showed by then, the time line, the events and the outcome begin at 0."""
    clock = FakeClock()
    clock.sleep(500)
    events: list[Event] = []
    api = FakeApi(clock, [job("Running"), job("Completed")])
    outcome = Gate(Plan(Target(ID), timeout=60), api, FixedInterval(10), events.append, clock).wait()
    assert outcome.waited == 10
    assert [moment.at for moment in outcome.timeline] == [0, 10]
    assert [event.at for event in events if not isinstance(event, Looked)] == [0, 10]


def test_so_far_tells_how_a_gate_stands_before_it_has_asked() -> None:
    """A gate that is stopped at any moment has an outcome with what is known."""
    clock = FakeClock()
    events: list[Event] = []
    gate = Gate(Plan(Target(ID)), FakeApi(clock, LIFE), FixedInterval(1), events.append, clock)
    outcome = gate.so_far(GateStatus.INTERRUPTED, "stopped by SIGTERM")
    assert outcome == Outcome(Target(ID), GateStatus.INTERRUPTED, "stopped by SIGTERM")
    assert gate.so_far(GateStatus.INTERRUPTED, "stopped", "Do this.").remedy == "Do this."


_STEPS = st.sampled_from(
    [
        *LIFE,
        job("Running", jobupdated=NOON - 50),
        job("Completed"),
        job("Completed", jobupdated=NOON - 50),
        job("Failed"),
        job("Squashed"),
        NoAnswer("HTTP 503"),
        NoAnswer("HTTP 429", retry_after=7),
        NoAnswer("HTTP 429", retry_after=10**6),
        Unresolved("no address"),
        Doubtful("odd"),
        NotFound("HTTP 404"),
        Rejected("HTTP 403"),
        Untrusted("self-signed"),
    ]
)


@settings(max_examples=300)
@given(
    steps=st.lists(_STEPS, min_size=1, max_size=12),
    timeout=st.sampled_from([0, 1, 30, 300, 3600]),
    tolerance=st.sampled_from([0, 10, 600]),
    stall=st.sampled_from([None, 20.0]),
    trip=st.sampled_from([0.0, 0.15, 20.0]),
)
def test_whatever_comes_the_gate_ends_in_time_and_green_only_by_a_completed(
    steps: list[Step], timeout: float, tolerance: float, stall: float | None, trip: float
) -> None:
    """Every sequence of answers leads to one ending, in time, and to ready only from a trusted Completed."""
    run = Run(steps, timeout=timeout, error_tolerance=tolerance, stall_timeout=stall, round_trip=trip)
    assert run.clock.now <= timeout + 2 * trip
    last = run.outcome.job
    if run.status is GateStatus.READY:
        assert last is not None
        assert last.state is JobState.COMPLETED
    assert run.outcome.reason
    assert run.outcome.requests == len(run.api.asked)
