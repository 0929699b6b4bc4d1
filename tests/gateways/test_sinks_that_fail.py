"""Each fault at each sink: what it means, and that it makes no second ticket and tells no secret."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOW
from fakes.trackers import Fault, TrackerAnswer, desk
from fakes.trackers.desk import SYSTEMS, Desk, a_ticket
from warden.core.errors import (
    AmbiguousError,
    ConfigurationError,
    CredentialsError,
    ForbiddenTicketError,
    LaterError,
    PolicyError,
    RejectedError,
    SinkRefusedError,
    WardenError,
)
from warden.core.policy_values import PolicyValues
from warden.core.sinks import read_sinks
from warden.core.ticket import Handle, RemoteState
from warden.gateways.http import Http
from warden.gateways.secrets import Secret, Secrets
from warden.sinks import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.trackers import Server

TRACKERS = ("jira", "jira-data-center", "servicenow", "github")
TICKET = a_ticket()
WINDOW = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4987",
    "x-ratelimit-reset": str(int(NOW.timestamp()) + 3_500),
}
"""What GitHub sends with each answer."""


@pytest.fixture(params=TRACKERS)
def tracker(trackers: Server, request: pytest.FixtureRequest) -> Desk:
    return desk.desk(trackers, request.param)


@pytest.fixture(params=list(SYSTEMS))
def sink(trackers: Server, request: pytest.FixtureRequest) -> Desk:
    return desk.desk(trackers, request.param)


def tell(made: Desk) -> Any:
    """Create a ticket, or tell it where tickets are only told."""
    return made.sink.create(TICKET) if hasattr(made.sink, "create") else made.sink.notify(TICKET)


def kept(made: Desk) -> int:
    system = made.system
    shelves = ("issues", "records", "messages", "cards", "deliveries", "events")
    return sum(len(getattr(system, shelf, ())) for shelf in shelves)


@pytest.fixture
def pages(sink: Desk) -> Desk:
    """PagerDuty pages for what is grave alone."""
    if hasattr(sink.sink, "_page"):
        sink.sink._page = frozenset({"HIGH"})
    return sink


def test_nothing_is_refused_where_nothing_fails(pages: Desk) -> None:
    tell(pages)
    assert pages.server.refused == []
    assert kept(pages) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"Retry-After": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0),
        ({"Retry-After": "99999999"}, 86_400),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "1.5"}, 60),
        ({"Retry-After": "\u00b2"}, 60),
        ({"Retry-After": "Mon, 99 Jan 99999 99:99:99 GMT"}, 60),
        ({"X-RateLimit-Reset": "\u00b2"}, 60),
        ({"X-RateLimit-Reset": (NOW + timedelta(minutes=3)).strftime("%Y-%m-%dT%H:%MZ")}, 180 - NOW.second),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 40)}, 40),
        ({}, 60),
    ],
)
def test_a_sink_that_throttles_is_left_alone_as_long_as_it_says(
    pages: Desk, headers: dict[str, str], seconds: float
) -> None:
    pages.server.faults.append(Fault(answer=TrackerAnswer(429, {"message": "slow down"}, headers)))
    with pytest.raises(LaterError) as caught:
        tell(pages)
    assert caught.value.after == pytest.approx(seconds, abs=1)
    assert kept(pages) == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_a_tracker_leaves_it_open_whether_it_created_the_ticket(
    tracker: Desk, status: int
) -> None:
    tracker.server.faults.append(Fault(answer=TrackerAnswer(status, b"<html>sorry</html>"), commits=True))
    with pytest.raises(AmbiguousError):
        tracker.sink.create(TICKET)
    found = tracker.sink.find(TICKET)
    assert found is not None
    assert kept(tracker) == 1


def test_a_connection_that_breaks_after_the_tracker_has_created_is_ambiguous(tracker: Desk) -> None:
    tracker.server.faults.append(Fault(resets=True, commits=True))
    with pytest.raises(AmbiguousError):
        tracker.sink.create(TICKET)
    assert tracker.sink.find(TICKET) is not None
    assert kept(tracker) == 1


def test_an_answer_that_breaks_off_is_ambiguous(tracker: Desk) -> None:
    tracker.server.faults.append(Fault(breaks_off=True, commits=True))
    with pytest.raises(AmbiguousError):
        tracker.sink.create(TICKET)
    assert kept(tracker) == 1


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b'{"result": {}}', b""])
def test_a_success_that_names_no_ticket_is_ambiguous(tracker: Desk, body: bytes) -> None:
    tracker.server.faults.append(Fault(answer=TrackerAnswer(201, body), commits=True))
    with pytest.raises(AmbiguousError):
        tracker.sink.create(TICKET)


@pytest.mark.parametrize(
    "fault", [Fault(resets=True), Fault(answer=TrackerAnswer(503)), Fault(breaks_off=True, commits=True)]
)
def test_what_can_be_told_twice_is_told_again_later(pages: Desk, fault: Fault) -> None:
    if hasattr(pages.sink, "create"):
        handle = pages.sink.create(TICKET)
        pages.server.faults.append(fault)
        with pytest.raises(LaterError):
            pages.sink.reopen(handle, TICKET)
        pages.sink.reopen(handle, TICKET)
    elif not fault.breaks_off:
        pages.server.faults.append(fault)
        with pytest.raises(LaterError):
            tell(pages)
        tell(pages)
    assert pages.server.refused == []


@pytest.mark.parametrize("fault", [Fault(stalls=True), Fault(drips=True)])
def test_a_slow_server_is_waited_for_no_longer_than_the_deadline(
    pages: Desk, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for holder in (pages.sink, getattr(pages.sink, "_api", None), getattr(pages.sink, "_channel", None)):
        if http := getattr(holder, "_http", None):
            monkeypatch.setattr(http, "_deadline", 0.15)
    pages.server.faults.append(fault)
    expected: type[WardenError] = AmbiguousError if hasattr(pages.sink, "create") else LaterError
    with pytest.raises(expected, match=r"0\.15 seconds"):
        tell(pages)
    pages.server.released.set()


def test_no_request_lasts_longer_than_the_invocation_that_makes_it(trackers: Server) -> None:
    made, left = desk.desk(trackers, "webhook"), [0.15]
    http = Http(["tickets.acme.example"], connect=made.server.connect, left=lambda: left[0])
    made.server.faults.append(Fault(stalls=True))
    with pytest.raises(LaterError, match=r"0\.15 seconds"):
        http.send("GET", "https://tickets.acme.example/", headers={})
    made.server.released.set()
    left[0] = -1.0
    before = len(made.server.requests)
    with pytest.raises(LaterError, match="no time is left") as caught:
        http.send("POST", "https://tickets.acme.example/", headers={}, repeatable=False)
    assert (caught.value.alone, caught.value.arrived) == (True, False)
    assert len(made.server.requests) == before


def test_credentials_that_were_replaced_are_read_anew_and_used(pages: Desk) -> None:
    tell(pages)
    system = pages.system
    name = next(name for name, make in SYSTEMS.items() if desk.arn_of(name) in pages.secrets.values)
    attribute = next(one for one in ("password", "key", "path") if hasattr(system, one))
    if name in {"pagerduty", "teams"}:
        pytest.skip("answers a wrong key with another status")
    setattr(system, attribute, getattr(system, attribute) + "2")
    pages.secrets.values[desk.arn_of(name)] = desk.secret_of(name, system)
    tell(pages)
    assert len(pages.secrets.reads) == 2
    assert pages.server.refused == []


def test_credentials_that_are_refused_twice_are_a_matter_for_a_person(tracker: Desk) -> None:
    tracker.system.password = "another"
    with pytest.raises(CredentialsError, match="put new ones into the secret"):
        tracker.sink.create(TICKET)
    assert len(tracker.server.requests) == 2
    # The next ticket does not have the secret read again, and knocks once.
    with pytest.raises(CredentialsError):
        tracker.sink.create(TICKET)
    assert len(tracker.server.requests) == 3
    assert len(tracker.secrets.reads) == 2
    assert kept(tracker) == 0


def test_a_token_that_is_refused_once_by_mistake_is_tried_once_more(tracker: Desk) -> None:
    tracker.server.faults.append(Fault(answer=TrackerAnswer(401, {"message": "try again"})))
    tracker.sink.create(TICKET)
    assert kept(tracker) == 1


def test_jira_that_wants_a_captcha_is_not_knocked_at_again(trackers: Server) -> None:
    for name in ("jira", "jira-data-center"):
        for status in (401, 403):
            jira = desk.desk(trackers, name)
            headers = {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}
            jira.server.faults.append(Fault(answer=TrackerAnswer(status, b"<html>", headers)))
            with pytest.raises(SinkRefusedError, match="CAPTCHA"):
                jira.sink.create(TICKET)
            assert len(jira.server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "30"}, {"message": "no"}, 30),
        ({}, {"message": "You have exceeded a secondary rate limit."}, 60),
        ({}, {"message": "You have triggered an abuse detection mechanism."}, 60),
        (WINDOW, {"message": "You have exceeded a secondary rate limit."}, 60),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 5)},
            {"message": "x"},
            5,
        ),
    ],
)
def test_github_throttles_with_403(
    trackers: Server, headers: dict[str, str], body: Any, seconds: float
) -> None:
    github = desk.desk(trackers, "github")
    github.server.faults.append(Fault(answer=TrackerAnswer(403, body, headers)))
    with pytest.raises(LaterError) as caught:
        github.sink.create(TICKET)
    assert caught.value.after == pytest.approx(seconds, abs=1)


@pytest.mark.parametrize(("status", "seconds"), [(409, None), (429, 60), (502, None)])
def test_the_window_that_github_names_in_each_answer_keeps_nobody_waiting(
    trackers: Server, status: int, seconds: float | None
) -> None:
    github = desk.desk(trackers, "github")
    handle = github.sink.create(TICKET)
    github.server.faults.append(Fault(answer=TrackerAnswer(status, {"message": "x"}, WINDOW)))
    with pytest.raises(LaterError) as caught:
        github.sink.remote(handle)
    assert caught.value.after == seconds


def test_a_tracker_that_fails_at_a_create_is_left_alone_as_long_as_it_says(tracker: Desk) -> None:
    tracker.server.faults.append(Fault(answer=TrackerAnswer(503, b"", {"Retry-After": "900"})))
    with pytest.raises(AmbiguousError) as caught:
        tracker.sink.create(TICKET)
    assert caught.value.after == 900


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        (Fault(answer=TrackerAnswer(429)), False),
        (Fault(answer=TrackerAnswer(502), commits=True), True),
        (Fault(resets=True, commits=True), True),
    ],
)
def test_it_is_known_whether_what_failed_may_have_been_told(
    trackers: Server, fault: Fault, arrived: bool
) -> None:
    slack = desk.desk(trackers, "slack")
    slack.server.faults.append(fault)
    with pytest.raises(LaterError) as caught:
        tell(slack)
    assert caught.value.arrived == arrived
    assert kept(slack) == arrived


def test_an_alert_is_known_to_be_there_where_acknowledging_it_fails(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty", page=["HIGH"])
    made.server.faults.append(Fault(answer=TrackerAnswer(429), after=1))
    finding = replace(TICKET.finding, decision={"action": "DEFER", "reason": "busy"})
    with pytest.raises(LaterError) as caught:
        made.sink.notify(a_ticket(finding=finding))
    assert caught.value.arrived
    assert list(made.system.alerts.values()) == ["triggered"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, RejectedError),
        (422, RejectedError),
        (413, RejectedError),
        (403, ForbiddenTicketError),
        (404, SinkRefusedError),
        (405, SinkRefusedError),
        (409, LaterError),
        (302, SinkRefusedError),
        (301, SinkRefusedError),
    ],
)
def test_other_refusals(tracker: Desk, status: int, expected: type[WardenError]) -> None:
    headers = {"Location": "https://elsewhere.example/"}
    tracker.server.faults.append(Fault(answer=TrackerAnswer(status, {"message": "why"}, headers)))
    with pytest.raises(expected, match="why"):
        tracker.sink.create(TICKET)
    assert len(tracker.server.requests) == 1


def test_a_stale_search_does_not_find_and_a_later_one_does(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    jira.system.lagging = True
    jira.server.faults.append(Fault(resets=True, commits=True))
    with pytest.raises(AmbiguousError):
        jira.sink.create(TICKET)
    assert jira.sink.find(TICKET) is None
    jira.system.unindexed.clear()
    assert jira.sink.find(TICKET) is not None


def secrets_of(made: Desk) -> list[str]:
    values = [value for secret in made.secrets.values.values() for value in secret.values()]
    return [value for value in values if value != "warden"]


@pytest.mark.parametrize(
    "echo", [lambda secret: {"errorMessages": [f"bad {secret}"]}, lambda secret: 200 * secret.encode()]
)
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_no_error_and_no_log_holds_a_secret(
    pages: Desk, status: int, echo: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    import base64

    values = secrets_of(pages)
    encoded = [base64.b64encode(":".join(values).encode()).decode()]
    for value in (*values, *encoded):
        pages.server.faults[:] = [Fault(answer=TrackerAnswer(status, echo(value)))] * 2
        with pytest.raises(WardenError) as caught:
            tell(pages)
        told = f"{caught.value} {caught.value!r} {caplog.text}"
        assert not [one for one in values if one in told]
        path = values[-1].partition(".example/")[2] or values[-1].rpartition("/")[2]
        assert path not in told


def test_the_connection_of_another_than_the_host_is_not_trusted(tracker: Desk) -> None:
    import ssl

    from urllib3.connection import HTTPSConnection

    def somebody_else(host: str, port: int) -> HTTPSConnection:
        return HTTPSConnection(
            "127.0.0.1", tracker.server.port, ssl_context=ssl.create_default_context(), server_hostname=host
        )

    tracker.sink._api._http._connect = somebody_else
    with pytest.raises(LaterError, match=r"self-signed|verif|certificate"):
        tracker.sink.create(TICKET)
    assert tracker.server.requests == []


def test_a_host_that_cannot_be_reached_has_created_nothing(tracker: Desk) -> None:
    from urllib3.connection import HTTPSConnection

    tracker.sink._api._http._connect = lambda host, port: HTTPSConnection("127.0.0.1", 1, timeout=1)
    with pytest.raises(LaterError):
        tracker.sink.create(TICKET)


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.example/x",
        "https://acme.example.evil.example/x",
        "https://evil.example/acme.example",
        "https://acme.example@evil.example/x",
        "https://acme.example:8443/x",
        "https://user:password@acme.example/x",
        "https://acme.example/x y",
        "https://acme.example/x\r\nHost: evil",
        "file:///etc/passwd",
        "https://[::1/x",
        "",
    ],
)
def test_only_the_hosts_of_the_policy_are_called_and_only_by_https(address: str) -> None:
    def connect(host: str, port: int) -> Any:
        raise AssertionError(f"{host}:{port} was called")

    with pytest.raises(ConfigurationError) as caught:
        Http(["acme.example"], connect=connect).send("GET", address, headers={})
    assert "password@" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'"ok"', b"[1]", b"7", b"{"])
def test_what_is_not_the_answer_of_the_system_is_asked_for_again_later(tracker: Desk, body: bytes) -> None:
    handle = tracker.sink.create(TICKET)
    tracker.server.faults.append(Fault(answer=TrackerAnswer(200, body)))
    with pytest.raises(LaterError, match="not the JSON"):
        tracker.sink.remote(handle)


def test_the_port_of_https_may_be_written_or_not(tracker: Desk) -> None:
    for hosts in (["acme.atlassian.net:443"], ["acme.atlassian.net"]):
        http = Http(hosts, connect=tracker.server.connect)
        for url in ("https://acme.atlassian.net/x", "https://acme.atlassian.net:443/x"):
            assert http.send("GET", url, headers={}).status in {400, 401, 421}


def test_an_answer_without_end_is_not_read(tracker: Desk) -> None:
    tracker.server.faults.append(Fault(answer=TrackerAnswer(200, b"x" * 2_000_000)))
    with pytest.raises(LaterError, match="longer than"):
        tracker.sink.find(TICKET)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no json", "no JSON object of strings"),
        ('["token"]', "no JSON object of strings"),
        ('{"token": 5}', "no JSON object of strings"),
        ("{}", "has no key"),
        ('{"token": ""}', "has no key"),
        ('{"token": "s3cret\\n"}', "line break"),
    ],
)
def test_a_secret_that_is_none_is_named_with_what_it_lacks(trackers: Server, value: str, said: str) -> None:
    github = desk.desk(trackers, "github")
    github.secrets.values[desk.arn_of("github")] = value
    with pytest.raises(CredentialsError, match=said) as caught:
        github.sink.create(TICKET)
    assert desk.arn_of("github") in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert github.server.requests == []


def test_a_secret_is_kept_for_minutes_and_read_anew_after_that() -> None:
    now = [NOW]
    manager = desk.SecretsManager({"x": {"token": "a"}})
    secrets = Secrets(lambda: manager, clock=lambda: now[0])
    arn = desk.arn_of("x")
    assert [secrets.get(arn)["token"] for _ in range(3)] == ["a"] * 3
    manager.values[arn] = {"token": "b"}
    now[0] += timedelta(minutes=4)
    assert secrets.get(arn)["token"] == "a"
    now[0] += timedelta(minutes=1)
    assert secrets.get(arn)["token"] == "b"
    assert len(manager.reads) == 2


def test_a_secret_that_is_refused_is_read_anew_once_a_minute() -> None:
    now = [NOW]
    manager = desk.SecretsManager({"x": {"token": "a"}})
    secrets, tried = Secrets(lambda: manager, clock=lambda: now[0]), []

    def refused(secret: Secret) -> None:
        tried.append(secret["token"])
        msg = "401"
        raise CredentialsError(msg)

    manager.values[desk.arn_of("x")] = {"token": "a"}
    for expected in (["a", "a"], ["a"], ["a"]):
        tried.clear()
        with pytest.raises(CredentialsError):
            secrets.tried(desk.arn_of("x"), refused)
        assert tried == expected
    now[0] += timedelta(minutes=1)
    manager.values[desk.arn_of("x")] = {"token": "b"}
    assert secrets.tried(desk.arn_of("x"), lambda secret: secret["token"]) == "a"
    with pytest.raises(CredentialsError):
        secrets.tried(desk.arn_of("x"), refused)
    assert tried[-1] == "b"


def test_sinks_with_one_secret_read_it_once(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    document = {
        "sinks": [
            {"type": "github", "name": name, "repository": "acme/ops", "secret": "warden/github"}
            for name in ("one", "two")
        ]
    }
    made = build(
        read_sinks(document, PolicyValues("policy.toml")), desk.tools(trackers, github.secrets, "github")
    )
    for one in made.trackers.values():
        one.create(TICKET)
    assert github.secrets.reads == [desk.arn_of("github")]


def test_a_sink_that_cannot_be_made_takes_nothing_and_says_why_and_the_others_are_told(
    trackers: Server,
) -> None:
    github = desk.desk(trackers, "github")
    document = {
        "sinks": [
            {"type": "jira", **desk.POLICY["jira"], "secret": "warden/unlisted"},
            {"type": "slack", "secret": "warden/unlisted"},
            {"type": "github", "repository": "acme/ops", "secret": "warden/github"},
        ]
    }
    made = build(
        read_sinks(document, PolicyValues("policy.toml")), desk.tools(trackers, github.secrets, "github")
    )
    assert sorted(made.trackers) == ["github", "jira"]
    made.trackers["github"].create(TICKET)
    assert kept(github) == 1
    jira, slack = made.trackers["jira"], made.notifiers["slack"]
    handle = Handle("1")
    for act in (
        jira.check,
        slack.check,
        lambda: slack.notify(TICKET),
        lambda: jira.find(TICKET),
        lambda: jira.create(TICKET),
        lambda: jira.update(handle, TICKET),
        lambda: jira.comment(handle, TICKET, "x"),
        lambda: jira.resolve(handle, TICKET),
        lambda: jira.reopen(handle, TICKET),
        lambda: jira.remote(handle),
    ):
        with pytest.raises(SinkRefusedError, match="'warden/unlisted', and the parameter TicketSecretArns"):
            act()


def test_no_proxy_of_the_environment_is_used(tracker: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    tracker.sink.create(TICKET)
    assert kept(tracker) == 1


def test_what_a_connection_raises_is_told_in_words_of_ours(tracker: Desk) -> None:
    """http.client repeats the header that it refuses, and urllib3 the address."""
    http = Http(["acme.example"], connect=tracker.server.connect)
    with pytest.raises(LaterError) as caught:
        http.send("GET", "https://acme.example/s3cret", headers={"Authorization": "Bearer s3cret\n"})
    assert "s3cret" not in str(caught.value)


def test_webhooks_are_checked_against_the_host_of_the_policy(trackers: Server) -> None:
    slack = desk.desk(trackers, "slack")
    slack.secrets.values[desk.arn_of("slack")] = {
        "url": "https://hooks.slack.com.evil.example/services/s3cret"
    }
    with pytest.raises(
        CredentialsError, match=r"warden/slack-AbCdEf is not to be called: .* does not list"
    ) as caught:
        slack.sink.notify(TICKET)
    assert "s3cret" not in str(caught.value)
    assert len(slack.secrets.reads) == 2
    slack.secrets.values[desk.arn_of("slack")] = desk.secret_of("slack", slack.system)
    with pytest.raises(CredentialsError):
        slack.sink.notify(TICKET)


@pytest.mark.parametrize("name", ["slack", "teams", "pagerduty"])
def test_a_secret_that_was_put_right_is_used_at_once(trackers: Server, name: str) -> None:
    made = desk.desk(trackers, name)
    right = desk.secret_of(name, made.system)
    wrong = {key: value.replace("//", "//x.").replace("0123", "9999") for key, value in right.items()}
    made.secrets.values[desk.arn_of(name)] = wrong
    made.sink._page = frozenset({"HIGH"})
    reading = made.secrets.get_secret_value

    def put_right(**given: str) -> dict[str, str]:
        told = reading(**given)
        made.secrets.values[desk.arn_of(name)] = right
        return told

    made.secrets.get_secret_value = put_right  # type: ignore[method-assign]
    made.sink.notify(TICKET)
    assert kept(made) == 1
    assert len(made.secrets.reads) == 2


def test_json_that_is_none_in_a_field_of_jira_is_refused_with_the_policy(trackers: Server) -> None:
    with pytest.raises(
        PolicyError,
        match=r"policy.toml: tickets.sinks\[0\].fields.customfield_10021: '\{nonsense' looks like JSON, .*put it right",
    ):
        desk.desk(trackers, "jira", fields={"customfield_10021": "{nonsense"})
    jira = desk.desk(
        trackers, "jira", fields={"customfield_10021": '{"value": "a"}', "customfield_10020": "x {y}"}
    )
    jira.sink.create(TICKET)
    [issue] = jira.system.issues.values()
    assert issue["fields"]["customfield_10021"] == {"value": "a"}
    assert issue["fields"]["customfield_10020"] == "x {y}"


# --- what is about one ticket -------------------------------------------------------------------------------


def test_one_ticket_that_we_may_not_touch_is_no_refusal_of_the_sink(tracker: Desk) -> None:
    handle = tracker.sink.create(TICKET)
    for act in (
        lambda: tracker.sink.comment(handle, TICKET, "x"),
        lambda: tracker.sink.update(handle, TICKET),
    ):
        tracker.server.faults.append(Fault(answer=TrackerAnswer(403, {"message": "the project is closed"})))
        with pytest.raises(ForbiddenTicketError, match="the project is closed"):
            act()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}, b"<html>"),
        ({}, b'{"message": "Resource not accessible by personal access token"}'),
        ({"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso"}, b'{"message": "SAML"}'),
    ],
)
def test_a_token_that_is_refused_is_so_whatever_it_is_used_for(
    tracker: Desk, headers: dict[str, str], body: bytes
) -> None:
    handle = tracker.sink.create(TICKET)
    tracker.server.faults.append(Fault(answer=TrackerAnswer(403, body, headers)))
    with pytest.raises(SinkRefusedError):
        tracker.sink.comment(handle, TICKET, "x")


@pytest.mark.parametrize(
    ("status", "headers", "alone"),
    [
        (409, {}, True),
        (423, {}, True),
        (429, {"RateLimit-Reason": "jira-per-issue-on-write", "Retry-After": "2"}, True),
        (429, {"RateLimit-Reason": "jira-burst-based", "Retry-After": "2"}, False),
        (503, {}, False),
    ],
)
def test_what_is_about_one_ticket_does_not_hold_up_the_sink(
    tracker: Desk, status: int, headers: dict[str, str], alone: bool
) -> None:
    handle = tracker.sink.create(TICKET)
    tracker.server.faults.append(Fault(answer=TrackerAnswer(status, {"message": "busy"}, headers)))
    with pytest.raises(LaterError) as caught:
        tracker.sink.comment(handle, TICKET, "x")
    assert caught.value.alone is alone


@pytest.mark.parametrize("body", [b"", b"{}", b'{"message": "maintenance"}', b'{"fields": {}, "result": {}}'])
def test_an_answer_that_does_not_say_how_a_ticket_stands_says_nothing(tracker: Desk, body: bytes) -> None:
    handle = tracker.sink.create(TICKET)
    for act in (lambda: tracker.sink.remote(handle), lambda: tracker.sink.resolve(handle, TICKET)):
        tracker.server.faults[:] = [Fault(answer=TrackerAnswer(200, body))]
        with pytest.raises((LaterError, SinkRefusedError)):
            act()
    assert tracker.sink.remote(handle).state is RemoteState.OPEN


@pytest.mark.parametrize("body", [b"", b"{}", b'{"message": "maintenance"}', b"<html>"])
def test_a_search_that_says_nothing_is_not_taken_for_finding_nothing(tracker: Desk, body: bytes) -> None:
    tracker.sink.create(TICKET)
    tracker.server.faults.append(Fault(answer=TrackerAnswer(200, body)))
    with pytest.raises(LaterError):
        tracker.sink.find(TICKET)


def test_a_body_is_json_in_utf_8(tracker: Desk) -> None:
    tracker.sink.create(a_ticket(summary="größer 日本"))
    [request] = tracker.server.calls("POST")[-1:]
    assert request.headers["content-type"] == "application/json"
    assert "größer 日本".encode() in request.body
    assert "größer 日本" in json.dumps(request.json, ensure_ascii=False)


@pytest.mark.parametrize("name", ["slack", "teams", "webhook"])
def test_a_page_of_a_login_is_no_success(trackers: Server, name: str) -> None:
    made = desk.desk(trackers, name)
    for body in (b"<!DOCTYPE html><title>Log in</title>", b"\n  <HTML><body>maintenance</body></HTML>"):
        made.server.faults.append(Fault(answer=TrackerAnswer(200, body)))
        with pytest.raises(LaterError, match="a page for people"):
            made.sink.notify(TICKET)
    made.sink.notify(TICKET)
    assert kept(made) == 1


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"errors":' * 400 + b"1" + b"}" * 400, b'{"errors": ' + b"9" * 6_000 + b"}"]
)
@pytest.mark.parametrize("status", [200, 400])
def test_json_that_is_made_to_break_readers_is_an_answer_like_others(
    tracker: Desk, body: bytes, status: int
) -> None:
    handle = tracker.sink.create(TICKET)
    tracker.server.faults.append(Fault(answer=TrackerAnswer(status, body)))
    with pytest.raises((LaterError, RejectedError, SinkRefusedError)):
        tracker.sink.remote(handle)
