"""OpsCenter, Security Hub and EventBridge take what is sent, by the words of their models."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.local.aws import LocalAws
from console.local.strict import complaints
from fakes import NOW
from gateways.answering import answering
from gateways.test_sns import FINDING, of
from warden.core.errors import (
    LaterError,
    RejectedError,
    SinkRefusedError,
    TicketGoneError,
    TransientError,
)
from warden.core.rendering.machine import document
from warden.core.resource import Deployment
from warden.core.ticket import Handle, RemoteState, Resolution, TicketState
from warden.core.ticket_text import Story, ticket
from warden.gateways.event_bus import EventBusSink, entry
from warden.gateways.opscenter import WONT_FIX, OpsCenterSink
from warden.gateways.security_hub import SecurityHubSink, finding, workflow
from warden.gateways.sns import SnsSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from warden.core.ticket import Ticket

HERE = Deployment("123456789012", "eu-west-1", "aws")
TICKET = of(FINDING)
HOSTILE = "orders\u202e <!channel> @here [x](javascript:y) =cmd|' /C calc'!A0 \x00 {{}} `` ``` \U0001f600 "


@pytest.fixture
def local_aws() -> Iterator[LocalAws]:
    with LocalAws(region="eu-west-1") as aws:
        yield aws


@pytest.fixture
def opscenter(local_aws: LocalAws) -> OpsCenterSink:
    return OpsCenterSink(local_aws.client("ssm", "eu-west-1"), partition="aws", region="eu-west-1")


def item(local_aws: LocalAws, handle: Handle) -> dict[str, Any]:
    found: dict[str, Any] = local_aws.client("ssm", "eu-west-1").get_ops_item(OpsItemId=handle.id)["OpsItem"]
    return found


def long() -> list[Ticket]:
    """Tickets that are longer, and stranger, than any system would take."""
    texts = ("x" * 50_000, HOSTILE * 400, "ü" * 30_000)
    return [
        of(replace(FINDING, annotation=text, title=text, manual=text, evidence={"Tags": text}))
        for text in texts
    ]


# --- OpsCenter --------------------------------------------------------------------------------------------


def test_an_ops_item_is_created_once_and_found_by_the_ticket(
    opscenter: OpsCenterSink, local_aws: LocalAws
) -> None:
    assert opscenter.find(TICKET) is None
    handle = opscenter.create(TICKET)
    assert opscenter.create(TICKET) == handle, "its deduplication string is the ticket's"
    assert opscenter.find(TICKET) == handle
    kept = item(local_aws, handle)
    assert kept["Title"] == "[HIGH] orders does not meet: TLS is enforced on Aurora clusters"
    assert (kept["Severity"], kept["Priority"], kept["Status"]) == ("2", 2, "Open")
    assert json.loads(kept["OperationalData"]["/aws/resources"]["Value"]) == [{"arn": FINDING.arn}]
    assert handle.url.startswith("https://eu-west-1.console.aws.amazon.com/systems-manager/opsitems/oi-")


def test_an_ops_item_is_brought_up_to_date_resolved_and_opened_again(
    opscenter: OpsCenterSink, local_aws: LocalAws
) -> None:
    handle = opscenter.create(TICKET)
    opscenter.update(handle, of(replace(FINDING, annotation="orders takes nobody.")))
    assert "orders takes nobody" in item(local_aws, handle)["Description"]
    opscenter.comment(handle, TICKET, "Opened again.")
    assert opscenter.remote(handle).state is RemoteState.OPEN
    opscenter.resolve(handle, replace(TICKET, state=TicketState.RESOLVED))
    assert opscenter.remote(handle).state is RemoteState.CLOSED
    opscenter.reopen(handle, TICKET)
    assert opscenter.remote(handle).state is RemoteState.OPEN


def test_who_writes_that_it_will_not_be_fixed_asks_for_an_exemption(
    opscenter: OpsCenterSink, local_aws: LocalAws
) -> None:
    handle = opscenter.create(TICKET)
    local_aws.client("ssm", "eu-west-1").update_ops_item(
        OpsItemId=handle.id,
        Status="Resolved",
        OperationalData={WONT_FIX: {"Value": "test data", "Type": "String"}},
    )
    remote = opscenter.remote(handle)
    assert (remote.state, remote.reason) == (RemoteState.WONT_FIX, "test data")


def test_an_ops_item_names_as_many_resources_as_it_has_room_for(
    opscenter: OpsCenterSink, local_aws: LocalAws
) -> None:
    name = "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:" + "x" * 250
    many = tuple(replace(FINDING, arn=f"{name}{number:03}") for number in range(100))
    kept = item(local_aws, opscenter.create(replace(TICKET, findings=many)))
    value = kept["OperationalData"]["/aws/resources"]["Value"]
    assert len(value) <= 20_000
    assert 50 < len(json.loads(value)) < 100


def test_an_ops_item_whose_wish_was_refused_asks_no_more(
    opscenter: OpsCenterSink, local_aws: LocalAws
) -> None:
    handle = opscenter.create(TICKET)
    opscenter.reopen(handle, TICKET)
    data = {WONT_FIX: {"Value": "test data", "Type": "String"}}
    local_aws.client("ssm", "eu-west-1").update_ops_item(
        OpsItemId=handle.id, Status="Resolved", OperationalData=data
    )
    opscenter.reopen(handle, TICKET)
    assert WONT_FIX not in item(local_aws, handle)["OperationalData"]


def test_an_ops_item_is_looked_for_on_every_page_and_is_ours() -> None:
    ours = {"OpsItemId": "oi-2", "Source": "Aurora Warden", "CreatedTime": NOW}

    class Client:
        def describe_ops_items(self, *, NextToken: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's
            if not NextToken:
                return {"OpsItemSummaries": [], "NextToken": "2"}
            return {"OpsItemSummaries": [{**ours, "OpsItemId": "oi-1", "Source": "EC2"}, ours]}

    found = OpsCenterSink(Client(), partition="aws", region="eu-west-1").find(TICKET)
    assert found is not None
    assert found.id == "oi-2"


def test_an_ops_item_that_is_gone_is_said_to_be(opscenter: OpsCenterSink) -> None:
    gone = Handle("oi-0123456789ab")
    assert opscenter.remote(gone).state is RemoteState.GONE
    with pytest.raises(TicketGoneError):
        opscenter.resolve(gone, TICKET)


@pytest.mark.parametrize("number", range(3))
def test_ops_items_keep_within_what_systems_manager_takes(
    opscenter: OpsCenterSink, local_aws: LocalAws, number: int
) -> None:
    handle = opscenter.create(long()[number])
    assert len(item(local_aws, handle)["Description"]) <= 2048
    opscenter.comment(handle, TICKET, HOSTILE * 1000)
    opscenter.check()


# --- Security Hub -----------------------------------------------------------------------------------------


def hub(local_aws: LocalAws) -> SecurityHubSink:
    return SecurityHubSink(
        local_aws.client("securityhub", "eu-west-1"), deployment=HERE, clock=lambda: NOW + timedelta(hours=1)
    )


def imported(local_aws: LocalAws) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = local_aws.client("securityhub", "eu-west-1").get_findings()["Findings"]
    return found


def test_a_finding_is_imported_once_and_archived_when_it_is_fixed(local_aws: LocalAws) -> None:
    sink = hub(local_aws)
    sink.notify(TICKET)
    sink.notify(replace(TICKET, state=TicketState.UPDATED))
    [kept] = imported(local_aws)
    assert (kept["Compliance"]["Status"], kept["RecordState"]) == ("FAILED", "ACTIVE")
    assert kept["Workflow"]["Status"] == "NOTIFIED"
    assert kept["AwsAccountId"] == "123456789012"
    assert kept["Resources"][0]["Type"] == "AwsRdsDbCluster"
    sink.notify(replace(TICKET, state=TicketState.RESOLVED))
    [kept] = imported(local_aws)
    assert (kept["Compliance"]["Status"], kept["RecordState"]) == ("PASSED", "ARCHIVED")
    assert kept["Workflow"]["Status"] == "RESOLVED"


@pytest.mark.parametrize("why", [Resolution.EXEMPT, Resolution.UNDONE, Resolution.DISABLED])
def test_what_is_accepted_is_suppressed_and_does_not_pass(why: Resolution) -> None:
    accepted = replace(TICKET, state=TicketState.RESOLVED, resolution=why)
    told = finding(accepted, deployment=HERE, now=NOW)
    assert (told["Compliance"]["Status"], told["RecordState"]) == ("FAILED", "ACTIVE")
    assert workflow(accepted, told)["Workflow"] == {"Status": "SUPPRESSED"}


@pytest.mark.parametrize("number", range(3))
def test_findings_keep_within_what_security_hub_takes(number: int) -> None:
    told = finding(long()[number], deployment=HERE, now=NOW)
    assert complaints("securityhub", "BatchImportFindings", {"Findings": [told]}) == []
    assert complaints("securityhub", "BatchUpdateFindings", workflow(long()[number], told)) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            {"FailedCount": 1, "FailedFindings": [{"ErrorCode": "InvalidInput", "ErrorMessage": "no"}]},
            RejectedError,
        ),
        ({"FailedCount": 1, "FailedFindings": [{"ErrorCode": "InternalFailure"}]}, LaterError),
    ],
)
def test_a_finding_that_was_not_taken_is_no_success(answer: dict[str, Any], error: type[Exception]) -> None:
    class Client:
        batch_import_findings: Callable[..., Any] = staticmethod(lambda **_: answer)

    with pytest.raises(error):
        SecurityHubSink(Client(), deployment=HERE, clock=lambda: NOW).notify(TICKET)


class Eventually:
    """Security Hub in which what was imported can be updated only after a while."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.is_settled = False

    def batch_import_findings(self, *, Findings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        for one in Findings:
            # "After a finding is created, BatchImportFindings cannot be used to update ... Workflow."
            workflow = self.kept.get(one["Id"], {}).get("Workflow", one.get("Workflow"))
            self.kept[one["Id"]] = {**one, "Workflow": workflow}
        return {"FailedCount": 0}

    def batch_update_findings(self, *, FindingIdentifiers: list[Any], **changes: Any) -> dict[str, Any]:  # noqa: N803
        if not self.is_settled:
            return {"UnprocessedFindings": [{"ErrorCode": "FindingNotFound", "ErrorMessage": "not yet"}]}
        for one in FindingIdentifiers:
            self.kept[one["Id"]].update(changes)
        return {"UnprocessedFindings": []}


def test_a_finding_that_cannot_be_updated_yet_is_told_all_the_same_and_archived_once_it_can() -> None:
    client = Eventually()
    sink = SecurityHubSink(client, deployment=HERE, clock=lambda: NOW)
    sink.notify(TICKET)
    [kept] = client.kept.values()
    assert kept["Workflow"] == {"Status": "NOTIFIED"}

    with pytest.raises(LaterError) as told:
        sink.notify(replace(TICKET, state=TicketState.RESOLVED))
    assert (told.value.after, told.value.alone) == (60, True), "the sink takes other findings"
    client.is_settled = True
    sink.notify(replace(TICKET, state=TicketState.RESOLVED))
    [kept] = client.kept.values()
    assert (kept["Workflow"], kept["RecordState"]) == ({"Status": "RESOLVED"}, "ARCHIVED")


def test_what_customers_made_of_severity_and_type_is_theirs() -> None:
    """BatchImportFindings: providers "should not use BatchImportFindings to update" Severity and Types."""
    told = finding(TICKET, deployment=HERE, now=NOW)
    assert not {"Severity", "Types", "Confidence", "Criticality", "RelatedFindings"} & told.keys()
    assert told["FindingProviderFields"]["Severity"] == {"Label": "HIGH"}


# --- checks -----------------------------------------------------------------------------------------------


def topic(local_aws: LocalAws) -> str:
    arn: str = local_aws.client("sns", "eu-west-1").create_topic(Name="tickets")["TopicArn"]
    return arn


def test_a_check_sees_what_is_there(local_aws: LocalAws, opscenter: OpsCenterSink) -> None:
    local_aws.client("securityhub", "eu-west-1").enable_security_hub()
    events = local_aws.client("events", "eu-west-1")
    events.create_event_bus(Name="tickets")
    for sink in (
        SnsSink(local_aws.client("sns", "eu-west-1"), topic(local_aws)),
        hub(local_aws),
        EventBusSink(events, bus="tickets", clock=lambda: NOW),
        EventBusSink(events, bus="default", clock=lambda: NOW),
        opscenter,
    ):
        assert sink.check() == ""


def test_a_check_refuses_what_is_not_there(local_aws: LocalAws) -> None:
    missing = "arn:aws:sns:eu-west-1:123456789012:nowhere"
    for sink, what in (
        (SnsSink(local_aws.client("sns", "eu-west-1"), missing), f"there is no topic {missing}"),
        (hub(local_aws), "there is no Security Hub in this account and Region: .*not subscribed"),
        (
            EventBusSink(local_aws.client("events", "eu-west-1"), bus="nowhere", clock=lambda: NOW),
            "there is no event bus nowhere",
        ),
    ):
        with pytest.raises(SinkRefusedError, match=what):
            sink.check()


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sns", "GetTopicAttributes", "AuthorizationError"),
        ("securityhub", "DescribeHub", "AccessDeniedException"),
        ("events", "DescribeEventBus", "AccessDeniedException"),
    ],
)
def test_who_may_not_look_says_so_and_the_sink_takes_what_it_took(
    local_aws: LocalAws, service: str, operation: str, code: str
) -> None:
    """The right to look is not the right to tell: a topic of another stack may grant only the one."""
    client = local_aws.client(service, "eu-west-1")
    sink = {
        "sns": lambda: SnsSink(client, topic(local_aws)),
        "securityhub": lambda: SecurityHubSink(client, deployment=HERE, clock=lambda: NOW),
        "events": lambda: EventBusSink(client, bus="default", clock=lambda: NOW),
    }[service]()
    with answering(client, operation, code):
        unseen = sink.check()
    assert unseen.startswith("whether ")
    assert code in unseen


def test_a_check_that_is_slowed_down_is_no_refusal(local_aws: LocalAws) -> None:
    client = local_aws.client("events", "eu-west-1")
    with answering(client, "DescribeEventBus", "ThrottlingException"), pytest.raises(TransientError):
        EventBusSink(client, bus="default", clock=lambda: NOW).check()


# --- EventBridge ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(3))
def test_an_event_carries_the_ticket_and_stays_within_its_limit(number: int) -> None:
    told = entry(long()[number], bus="default", now=NOW)
    assert len(json.dumps(told, default=str)) < 256 * 1024
    assert complaints("events", "PutEvents", {"Entries": [told]}) == []
    assert json.loads(entry(TICKET, bus="default", now=NOW)["Detail"]) == document(TICKET)


def test_an_event_that_the_bus_did_not_take_is_no_success(local_aws: LocalAws) -> None:
    EventBusSink(local_aws.client("events", "eu-west-1"), bus="default", clock=lambda: NOW).notify(TICKET)

    class Client:
        put_events: Callable[..., Any] = staticmethod(
            lambda **_: {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        )

    with pytest.raises(LaterError):
        EventBusSink(Client(), bus="default", clock=lambda: NOW).notify(TICKET)


# --- the validator itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "wrong", "what"),
    [
        ("CreateOpsItem", {"Title": "x" * 1025}, "Title is above 1024"),
        ("CreateOpsItem", {"Description": "x" * 2049}, "Description is above 2048"),
        ("CreateOpsItem", {"Priority": 9}, "Priority is above 5"),
        ("CreateOpsItem", {"Source": "aws-warden"}, "names AWS"),
        ("CreateOpsItem", {"Nope": 1}, "Nope is no member"),
        ("CreateOpsItem", {"OperationalData": {"/aws/x": {"Value": "1", "Type": "String"}}}, "reserved word"),
        ("CreateOpsItem", {"OperationalData": {"x": {"Value": "1", "Type": "Nope"}}}, "is none of"),
        ("UpdateOpsItem", {"OpsItemId": "oi-1"}, "does not match"),
        ("UpdateOpsItem", {"OpsItemId": "oi-0123456789ab", "Status": "Done"}, "is none of"),
    ],
)
def test_the_validator_refuses_what_systems_manager_refuses(
    operation: str, wrong: dict[str, Any], what: str
) -> None:
    right = {"Title": "a", "Description": "b", "Source": "c"} if operation == "CreateOpsItem" else {}
    assert complaints("ssm", operation, right or {"OpsItemId": "oi-0123456789ab"}) == []
    assert any(what in line for line in complaints("ssm", operation, {**right, **wrong}))


def test_a_global_cluster_and_an_account_are_resources_of_security_hub() -> None:
    arns = ("arn:aws:rds::123456789012:global-cluster:world", "arn:aws:iam::123456789012:root")
    for arn in arns:
        told = finding(ticket(replace(FINDING, arn=arn), None, story=Story()), deployment=HERE, now=NOW)
        assert complaints("securityhub", "BatchImportFindings", {"Findings": [told]}) == []
