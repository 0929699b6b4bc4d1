"""The life of a ticket in every tracker, against systems that keep state and check each request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fakes.trackers import Fault, TrackerAnswer, desk
from fakes.trackers.desk import Desk, a_ticket
from fakes.trackers.jira import DECLINED, DONE
from warden.core.errors import LaterError, RejectedError, SinkRefusedError, TicketClosedError, TicketGoneError
from warden.core.ticket import Handle, RemoteState, TicketState

if TYPE_CHECKING:
    from fakes.trackers import Server

TRACKERS = ("jira", "jira-data-center", "servicenow", "github")
OPEN, RESOLVED, REOPENED = a_ticket(), a_ticket(TicketState.RESOLVED), a_ticket(TicketState.REOPENED)


@pytest.fixture(params=TRACKERS)
def tracker(trackers: Server, request: pytest.FixtureRequest) -> Desk:
    return desk.desk(trackers, request.param)


def kept(tracker: Desk) -> list[dict[str, Any]]:
    """What the system holds, whatever it calls that."""
    system = tracker.system
    return list((getattr(system, "issues", None) or getattr(system, "records", None) or {}).values())


def everything(tracker: Desk) -> str:
    return json.dumps(kept(tracker), ensure_ascii=False)


def remarks(tracker: Desk) -> list[Any]:
    """What stands below the only ticket."""
    [ticket] = kept(tracker)
    shelves = ("comments", "notes", "comments_made")
    found: list[Any] = next(ticket[shelf] for shelf in shelves if shelf in ticket)
    return found


def close_by_hand(tracker: Desk, handle: Handle, *, wont_fix: bool) -> None:
    system = tracker.system
    match type(system).__name__:
        case "Jira":
            system.person(handle.id, DECLINED if wont_fix else DONE, "Won't Do" if wont_fix else "Erledigt")
        case "ServiceNow":
            code = "No resolution provided" if wont_fix else "Solution provided"
            system.person(
                handle.id,
                state="6",
                close_code=code,
                resolved_at="2026-11-24 10:00:00",
                **{"resolved_by.user_name": "Ann"},
            )
        case "GitHub":
            system.person(handle.id, "not_planned" if wont_fix else "completed", "Ann")


def delete_by_hand(tracker: Desk, handle: Handle) -> None:
    system = tracker.system
    for shelf in ("issues", "records"):
        if hasattr(system, shelf):
            holding = getattr(system, shelf)
            del holding[int(handle.id) if type(next(iter(holding))) is int else handle.id]


def test_a_ticket_is_created_and_found_again_by_its_id(tracker: Desk) -> None:
    assert tracker.sink.find(OPEN) is None
    handle = tracker.sink.create(OPEN)
    assert tracker.sink.find(OPEN) == handle
    assert handle.url.startswith("https://")
    assert tracker.sink.find(a_ticket(id="f" * 40)) is None
    assert "orders takes connections without TLS." in everything(tracker)
    assert tracker.server.refused == []


def test_the_life_of_a_ticket(tracker: Desk) -> None:
    sink = tracker.sink
    handle = sink.create(OPEN)
    assert sink.remote(handle).state is RemoteState.OPEN

    sink.update(handle, a_ticket(TicketState.UPDATED, summary="orders is worse now."))
    assert "orders is worse now." in everything(tracker)

    sink.comment(handle, OPEN, "Somebody has\nasked.")
    assert "asked." in everything(tracker)

    unsaid = sink.resolve(handle, RESOLVED)
    assert sink.remote(handle).state is RemoteState.CLOSED
    assert "orders takes TLS only." in everything(tracker), "whatever fails after it is closed"
    if unsaid:
        sink.comment(handle, RESOLVED, RESOLVED.summary)
    assert sum("orders takes TLS only." in json.dumps(remark) for remark in remarks(tracker)) == 1

    sink.reopen(handle, REOPENED)
    assert sink.remote(handle).state is RemoteState.OPEN
    assert len(kept(tracker)) == 1
    assert tracker.server.refused == []


def test_resolving_what_is_closed_and_reopening_what_is_open_changes_nothing(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    tracker.sink.reopen(handle, OPEN)
    assert tracker.sink.remote(handle).state is RemoteState.OPEN
    tracker.sink.resolve(handle, RESOLVED)
    before = everything(tracker)
    tracker.sink.resolve(handle, RESOLVED)
    assert everything(tracker) == before
    assert tracker.server.refused == []


def test_a_person_closes_a_ticket(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    close_by_hand(tracker, handle, wont_fix=False)
    remote = tracker.sink.remote(handle)
    assert (remote.state, remote.by) == (RemoteState.CLOSED, "Ann")


def test_a_person_says_that_nothing_will_be_done(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    close_by_hand(tracker, handle, wont_fix=True)
    remote = tracker.sink.remote(handle)
    assert (remote.state, remote.by) == (RemoteState.WONT_FIX, "Ann")
    assert remote.reason in {"Won't Do", "No resolution provided", "not_planned"}


def test_a_ticket_that_somebody_deleted_is_gone(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    delete_by_hand(tracker, handle)
    assert tracker.sink.remote(handle).state is RemoteState.GONE
    for act in (
        lambda: tracker.sink.update(handle, OPEN),
        lambda: tracker.sink.comment(handle, OPEN, "x"),
        lambda: tracker.sink.resolve(handle, RESOLVED),
        lambda: tracker.sink.reopen(handle, REOPENED),
    ):
        with pytest.raises(TicketGoneError):
            act()


def test_a_check_writes_nothing(tracker: Desk) -> None:
    tracker.sink.check()
    assert kept(tracker) == []
    assert {request.method for _, request in tracker.server.requests} == {"GET"}
    assert tracker.server.refused == []


def test_a_ticket_that_comes_after_another_names_it(tracker: Desk) -> None:
    before = tracker.sink.create(a_ticket(id="a" * 40))
    after = tracker.sink.create(a_ticket(id="b" * 40, previous=before))
    assert tracker.server.refused == []
    match type(tracker.system).__name__:
        case "Jira":
            assert tracker.system.links == [(after.id, before.id)]
        case "ServiceNow":
            assert tracker.system.records[after.id]["parent"] == before.id
        case "GitHub":
            assert f"Follows #{before.id}." in tracker.system.issues[int(after.id)]["body"]


def test_a_jira_without_links_gets_the_ticket_all_the_same(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    jira.system.has_links = False
    before = jira.sink.create(a_ticket(id="a" * 40))
    assert jira.sink.create(a_ticket(id="b" * 40, previous=before)).id == "10002"


# --- what one of them has alone -----------------------------------------------------------------------------


def test_jira_is_moved_to_done_by_category_through_a_status_between_and_not_to_wont_do(
    trackers: Server,
) -> None:
    jira = desk.desk(trackers, "jira")
    handle = jira.sink.create(OPEN)
    jira.sink.resolve(handle, RESOLVED)
    [issue] = kept(jira)
    assert issue["fields"]["status"]["name"] == "Fertig"
    assert issue["fields"]["resolution"] == {"name": "Erledigt"}


def test_jira_is_moved_by_the_name_that_the_policy_gives(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira", resolve_transition="nach won't do")
    handle = jira.sink.create(OPEN)
    jira.sink.resolve(handle, RESOLVED)
    [issue] = kept(jira)
    assert issue["fields"]["status"]["name"] == "Won't Do"


def test_jira_without_a_way_to_done_says_what_to_set(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    handle = jira.sink.create(OPEN)
    jira.system.workflow["1"] = []
    for _ in range(2):
        with pytest.raises(RejectedError, match="set resolve_transition"):
            jira.sink.resolve(handle, RESOLVED)
    [issue] = kept(jira)
    assert issue["comments"] == []


def test_a_workflow_of_jira_that_ends_for_good_makes_room_for_another_ticket(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    handle = jira.sink.create(OPEN)
    jira.sink.resolve(handle, RESOLVED)
    jira.system.workflow["5"] = []
    with pytest.raises(TicketClosedError):
        jira.sink.reopen(handle, REOPENED)


def test_jira_gets_the_fields_that_the_policy_names(trackers: Server) -> None:
    jira = desk.desk(
        trackers,
        "jira",
        labels=["aurora"],
        priorities={"HIGH": "Hoch"},
        fields={"customfield_10020": "text", "customfield_10021": '{"value": "Platform"}'},
    )
    jira.sink.create(OPEN)
    [issue] = kept(jira)
    assert issue["fields"]["priority"] == {"name": "Hoch"}
    assert issue["fields"]["customfield_10021"] == {"value": "Platform"}
    assert issue["fields"]["labels"][1:] == ["aurora-warden", "aurora"]
    assert jira.server.refused == []


def test_a_type_of_issue_that_the_project_has_not_is_named(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira", issue_type="Incident")
    with pytest.raises(SinkRefusedError, match="it has Task, Bug"):
        jira.sink.check()


def test_a_check_that_may_not_see_everything_is_content_with_what_counts(trackers: Server) -> None:
    for name, on in (("jira", "GET /rest/api/3/project/"), ("github", "GET /repos/acme/ops")):
        made = desk.desk(trackers, name)
        if name == "github":
            made.server.faults.append(Fault(on="GET /repos/acme/ops/issues", commits=True))
        made.server.faults.append(Fault(on=on, answer=TrackerAnswer(404, {"message": "Not Found"})))
        made.sink.check()
        assert made.server.faults == []


def test_jira_lacking_a_permission_is_named(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    jira.system.permissions.remove("TRANSITION_ISSUES")
    with pytest.raises(SinkRefusedError, match="TRANSITION_ISSUES"):
        jira.sink.check()


def test_of_two_issues_with_one_id_jira_gives_the_older(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    first = jira.sink.create(OPEN)
    jira.sink.create(OPEN)
    assert jira.sink.find(OPEN) == first


def test_servicenow_closed_for_good_makes_room_for_another(trackers: Server) -> None:
    now = desk.desk(trackers, "servicenow")
    handle = now.sink.create(OPEN)
    now.system.person(handle.id, state="7", close_code="Solution provided")
    assert now.sink.remote(handle).state is RemoteState.CLOSED
    with pytest.raises(TicketClosedError):
        now.sink.reopen(handle, REOPENED)
    now.system.person(handle.id, state="8", close_code="")
    assert now.sink.remote(handle).state is RemoteState.WONT_FIX


def test_servicenow_without_our_close_code_says_which_it_has(trackers: Server) -> None:
    now = desk.desk(trackers, "servicenow")
    now.system.close_codes = ["Fixed by hand"]
    with pytest.raises(SinkRefusedError, match="Fixed by hand"):
        now.sink.check()


def test_servicenow_is_never_asked_with_what_could_be_another_condition(trackers: Server) -> None:
    now = desk.desk(trackers, "servicenow")
    with pytest.raises(ValueError, match="no ticket id"):
        now.sink.find(a_ticket(id="x^ORnumber!=1"))
    assert now.server.requests == []


def test_an_issue_of_github_is_found_among_many_and_without_its_label(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    github.system.pushes = False
    handle = github.sink.create(OPEN)
    for number in range(230):
        github.system.add(f"other {number}", "<!-- something else -->", pull=number % 3 == 0)
    assert github.sink.find(OPEN) == handle
    assert github.server.refused == []


def test_the_mark_in_a_pull_request_of_github_is_no_ticket(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    github.system.add("Quotes it", f"<!-- aurora-warden {OPEN.id} -->", pull=True)
    assert github.sink.find(OPEN) is None


def test_what_a_database_is_called_cannot_be_the_mark_of_another_ticket(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    other = "e" * 40
    github.sink.create(a_ticket(summary=f"<!-- aurora-warden {other} -->"))
    assert github.sink.find(a_ticket(id=other)) is None


def test_github_that_takes_no_issues_is_refused(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    github.system.has_issues = False
    with pytest.raises(SinkRefusedError, match="disabled"):
        github.sink.check()
    with pytest.raises(SinkRefusedError, match="disabled"):
        github.sink.create(OPEN)


# --- whose it is ----------------------------------------------------------------------------------------------


def test_an_issue_that_quotes_one_of_ours_is_not_taken_for_it(trackers: Server) -> None:
    github = desk.desk(trackers, "github")
    mark = f"<!-- aurora-warden {OPEN.id} -->"
    for body in (f"> quoted\n{mark}\n\nIs this the same as in production?", f"{mark} see above", f"`{mark}`"):
        github.system.add("Somebody else's", body)
    assert github.sink.find(OPEN) is None
    handle = github.sink.create(OPEN)
    assert github.sink.find(OPEN) == handle
    github.system.issues[int(handle.id)]["body"] += "\r\n  "
    assert github.sink.find(OPEN) == handle, "whatever editors leave at the end"


def test_a_record_that_is_not_ours_is_not_taken_for_a_ticket(trackers: Server) -> None:
    now = desk.desk(trackers, "servicenow")
    theirs = {"sys_id": "a" * 32, "number": "INC1", "state": "1", "correlation_id": OPEN.id}
    now.system.records["a" * 32] = {**theirs, "correlation_display": "Monitoring"}
    now.system.records["b" * 32] = {**theirs, "sys_id": "b" * 32, "correlation_id": "another"}
    now.system.heeds_queries = False
    assert now.sink.find(OPEN) is None
    handle = now.sink.create(OPEN)
    assert now.sink.find(OPEN) == handle
    assert handle.id not in {"a" * 32, "b" * 32}


def test_servicenow_that_shows_no_correlation_takes_no_ticket_that_could_not_be_found_again(
    trackers: Server,
) -> None:
    now = desk.desk(trackers, "servicenow")
    now.system.records["a" * 32] = {"sys_id": "a" * 32, "number": "INC1", "state": "1"}
    now.system.heeds_queries = False
    with pytest.raises(SinkRefusedError, match="has no correlation_id, or the account may not read it"):
        now.sink.find(OPEN)


def test_an_issue_with_some_of_our_labels_is_not_taken_for_a_ticket(trackers: Server) -> None:
    for name in ("jira", "jira-data-center"):
        jira = desk.desk(trackers, name)
        handle = jira.sink.create(OPEN)
        jira.system.issues[handle.id]["fields"]["labels"].remove("aurora-warden")
        assert jira.sink.find(OPEN) is None


def test_jira_that_answers_with_an_empty_page_is_asked_for_the_next(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    handle = jira.sink.create(OPEN)
    jira.system.empty_pages = 2
    assert jira.sink.find(OPEN) == handle
    assert jira.server.refused == []


def test_jira_that_never_ends_is_not_asked_for_ever(trackers: Server) -> None:
    jira = desk.desk(trackers, "jira")
    jira.system.empty_pages = 1_000
    assert jira.sink.find(OPEN) is None
    assert len(jira.server.requests) < 10


# --- order ----------------------------------------------------------------------------------------------------


def test_a_ticket_that_does_not_close_gets_no_remark_with_each_try(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    line = {"Jira": "POST /rest", "ServiceNow": "PATCH", "GitHub": "PATCH"}[type(tracker.system).__name__]
    for _ in range(3):
        tracker.server.faults.append(Fault(on=line, answer=TrackerAnswer(503, b"")))
        with pytest.raises(LaterError):
            tracker.sink.resolve(handle, RESOLVED)
    assert remarks(tracker) == []
    tracker.sink.resolve(handle, RESOLVED)
    assert tracker.sink.remote(handle).state is RemoteState.CLOSED


def test_what_a_person_closed_is_left_as_it_is_and_gets_the_reason_below(tracker: Desk) -> None:
    handle = tracker.sink.create(OPEN)
    close_by_hand(tracker, handle, wont_fix=True)
    before = tracker.sink.remote(handle)
    assert tracker.sink.resolve(handle, RESOLVED) is True
    assert tracker.sink.remote(handle) == before
