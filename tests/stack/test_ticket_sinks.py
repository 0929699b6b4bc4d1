"""From drift to OpsCenter, Security Hub and a bus, and back: the deployed functions, with the template's rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from console import exemption_requests
from console import tickets as command
from stack import fleet
from stack.deployed import BOB, EVERY_SINK, policy_text
from warden.core.errors import ConfigurationError

if TYPE_CHECKING:
    from stack.conftest import Deploy
    from stack.deployed import Deployed

PROTECTION = "cluster_deletion_protection_enabled"


def drifted(stack: Deployed, name: str = "orders") -> None:
    fleet.cluster(stack, name)
    stack.as_alice("modify_db_cluster", DBClusterIdentifier=name, DeletionProtection=False)


def items(stack: Deployed) -> list[dict[str, Any]]:
    summaries = stack.client("ssm").describe_ops_items()["OpsItemSummaries"]
    return [stack.client("ssm").get_ops_item(OpsItemId=one["OpsItemId"])["OpsItem"] for one in summaries]


def test_one_drift_is_told_everywhere_and_resolved_everywhere(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(mode="ticket", more=EVERY_SINK))
    drifted(stack)
    [item] = items(stack)
    assert (item["Status"], item["Severity"]) == ("Open", "2")
    assert "How to fix it by hand" in item["Description"]
    [finding] = stack.client("securityhub").get_findings()["Findings"]
    assert (finding["Compliance"]["Status"], finding["Workflow"]["Status"]) == ("FAILED", "NOTIFIED")
    [event] = [call for call in stack.aws.calls if call.operation == "PutEvents"]
    [entry] = event.parameters["Entries"]
    assert json.loads(entry["Detail"])["state"] == "OPEN"
    assert stack.ticket_states(PROTECTION) == ["OPEN"]

    stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=True)
    [item] = items(stack)
    assert item["Status"] == "Resolved"
    [finding] = stack.client("securityhub").get_findings()["Findings"]
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    assert stack.ticket_states(PROTECTION) == ["OPEN", "RESOLVED"]


@pytest.mark.slow
def test_who_will_not_fix_it_asks_for_an_exemption(deploy: Deploy) -> None:
    stack = deploy(mode="ticket")
    drifted(stack)
    [item] = items(stack)
    stack.client("ssm").update_ops_item(
        OpsItemId=item["OpsItemId"],
        Status="Resolved",
        OperationalData={"wont-fix": {"Value": "test data", "Type": "String"}},
    )
    stack.hours_later(1)
    assert stack.story(PROTECTION)[-1] == "exemption_request"
    [item] = items(stack)
    assert item["Status"] == "Resolved"
    assert stack.ticket_states(PROTECTION) == ["OPEN", "UPDATED"]
    assert stack.open_findings() == {PROTECTION: "NOTIFIED"}


@pytest.mark.slow
def test_opscenter_that_does_not_answer_holds_up_nobody(deploy: Deploy) -> None:
    stack = deploy(mode="ticket")
    stack.aws.faults.inject("ssm:CreateOpsItem", "InternalServerError", times=4)
    drifted(stack)
    assert stack.ticket_states(PROTECTION) == ["OPEN"]
    stack.hours_later(2)
    [item] = items(stack)
    assert item["Status"] == "Open"


@pytest.mark.slow
def test_a_right_that_is_taken_away_is_told_by_a_metric_until_it_is_back(deploy: Deploy) -> None:
    stack = deploy(mode="ticket")
    stack.aws.faults.inject("ssm:DescribeOpsItems", "AccessDeniedException", times=10)
    drifted(stack)
    stack.hours_later(0.5)
    assert stack.logged("sink refused")
    stack.hours_later(3)
    [item] = items(stack)
    assert item["Status"] == "Open"


@pytest.mark.slow
def test_the_commands_show_what_was_told_where_and_what_is_asked(
    deploy: Deploy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = deploy(mode="ticket")
    drifted(stack)
    monkeypatch.setattr(command.deployed, "find", lambda *_, **__: _Found(stack))
    where = {"policy_file": str(stack.policy), "stack": "s", "region": None, "profile": None}
    assert command.show(key=None, everything=False, output="text", **where) == 0
    out = capsys.readouterr().out
    assert f"open     {PROTECTION}|" in out
    assert "opscenter: open https://eu-west-1.console.aws.amazon.com/systems-manager/opsitems/oi-" in out
    asking = {name: value for name, value in where.items() if name != "policy_file"}
    assert exemption_requests.show(output="text", **asking) == 0
    assert capsys.readouterr().out == "None.\n"

    [item] = items(stack)
    data = {"wont-fix": {"Value": "test data", "Type": "String"}}
    stack.client("ssm").update_ops_item(OpsItemId=item["OpsItemId"], Status="Resolved", OperationalData=data)
    stack.hours_later(1)
    assert exemption_requests.show(output="json", **asking) == 1
    [request] = json.loads(capsys.readouterr().out)["requests"]
    assert (request["control"], request["reason"], request["sink"]) == (PROTECTION, "test data", "opscenter")
    assert exemption_requests.show(output="text", **asking) == 1
    out = capsys.readouterr().out
    assert "test data" in out
    assert request["id"] in out
    [row] = command.Desk(_Found(stack), command.load_policy(str(stack.policy))).rows(
        key=None, everything=True
    )
    assert command.show(key=row.key, everything=False, output="json", **where) == 0
    [told] = json.loads(capsys.readouterr().out)["tickets"]
    assert told["sinks"]["opscenter"]["id"] == item["OpsItemId"]

    with pytest.raises(ConfigurationError, match="`warden requests` lists them"):
        exemption_requests.refuse("0123", reason="no", **asking)
    assert (
        exemption_requests.refuse(request["id"], reason="It holds real data.", now=stack.now(), **asking) == 0
    )
    assert exemption_requests.show(output="text", **asking) == 0
    stack.hours_later(0.5)
    [item] = items(stack)
    assert item["Status"] == "Open"
    assert "It holds real data." in item["OperationalData"]["warden/remark"]["Value"]
    assert "wont-fix" not in item["OperationalData"]
    assert stack.story(PROTECTION)[-1] == "exemption_refused"
    assert stack.ticket_states(PROTECTION)[-1] == "UPDATED"


class _Found:
    """What `deployed.find` finds."""

    def __init__(self, stack: Deployed) -> None:
        tables = ("StateTable", "LedgerTable", "FindingsTable")
        self.names = {name: stack.template.resources[name].name for name in tables}
        self.client = stack.client
        self.arn = BOB.arn
