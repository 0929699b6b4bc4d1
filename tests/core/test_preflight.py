"""What the answers of a preflight say, and how two looks become one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from warden.core import preflight
from warden.core.preflight import Answer, Client, Outcome

UNTIL = "2026-11-24T16:00:00+00:00"
LATER = "2026-11-24T19:00:00+00:00"
NONE = Answer(outcome=Outcome.NONE_SEEN, until=UNTIL, scanned=100)
UNKNOWN = Answer(outcome=Outcome.UNKNOWN, why="orders-1 logged nothing", until=UNTIL)


def client(user: str = "printer", **other: object) -> Client:
    told = {
        "address": "10.0.0.5",
        "user": user,
        "database": "orders",
        "application": "labels",
        "connections": 2,
        "last_seen": "2026-11-24 15:00 UTC",
    }
    return Client(**{**told, **other})  # type: ignore[arg-type] # of these types


def seen(*clients: Client, **other: object) -> Answer:
    return replace(NONE, outcome=Outcome.SEEN, clients=clients, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (NONE, "Nobody was seen to connect without TLS in the 14 days up to 2026-11-24 16:00 UTC."),
        (
            seen(client()),
            "1 client connected without TLS in the 14 days up to 2026-11-24 16:00 UTC.",
        ),
        (
            seen(client(), client("till"), limited=True, why="its log group keeps 7 days only"),
            (
                "At least 2 clients connected without TLS in the 14 days up to 2026-11-24 16:00 UTC. There may be "
                "others: its log group keeps 7 days only."
            ),
        ),
        (UNKNOWN, "Whether anybody connects without TLS is unknown: orders-1 logged nothing."),
    ],
)
def test_an_answer_is_a_sentence(answer: Answer, sentence: str) -> None:
    assert answer.sentence == sentence
    assert preflight.answer_of(answer.to_json()) == answer
    assert answer.is_clean is (answer is NONE)


def test_clients_are_shown_with_all_that_is_known_of_them_and_not_without_end() -> None:
    answer = seen(*(client(f"user{number}", connections=1) for number in range(25)))
    assert len(answer.lines) == preflight.SHOWN + 1
    assert answer.lines[0] == (
        "user0 of 10.0.0.5, database orders, application labels: 1 time, last at 2026-11-24 15:00 UTC"
    )
    assert answer.lines[-1] == "and 5 more"


LATE = replace(NONE, until=LATER, scanned=7, days=0)


@pytest.mark.parametrize(
    ("whole", "since", "outcome", "until"),
    [
        (NONE, None, Outcome.NONE_SEEN, UNTIL),
        (NONE, LATE, Outcome.NONE_SEEN, LATER),
        (NONE, replace(UNKNOWN, until=LATER), Outcome.UNKNOWN, LATER),
        (UNKNOWN, LATE, Outcome.UNKNOWN, LATER),
        (NONE, replace(LATE, outcome=Outcome.SEEN, clients=(client(),)), Outcome.SEEN, LATER),
        (UNKNOWN, replace(LATE, outcome=Outcome.SEEN, clients=(client(),)), Outcome.SEEN, LATER),
        (seen(client()), LATE, Outcome.SEEN, LATER),
        (seen(client()), replace(UNKNOWN, until=LATER), Outcome.SEEN, LATER),
    ],
)
def test_the_time_since_a_look_can_only_make_it_worse(
    whole: Answer, since: Answer | None, outcome: Outcome, until: str
) -> None:
    answer = preflight.joined(whole, since)
    assert (answer.outcome, answer.until, answer.days) == (outcome, until, 14)
    assert answer.scanned == whole.scanned + (since.scanned if since else 0)


def test_the_clients_of_two_looks_are_one_list_with_the_latest_first() -> None:
    late = client("till", last_seen="2026-11-24 18:00 UTC")
    again = client(last_seen="2026-11-24 17:00 UTC", connections=3)
    answer = preflight.joined(seen(client()), replace(LATE, outcome=Outcome.SEEN, clients=(again, late)))
    assert [(one.user, one.connections, one.last_seen) for one in answer.clients] == [
        ("till", 2, "2026-11-24 18:00 UTC"),
        ("printer", 5, "2026-11-24 17:00 UTC"),
    ]
