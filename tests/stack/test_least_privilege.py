"""The roles, judged by what the running functions really call: nothing is denied, and nothing is granted in vain."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from console.demo import undoer
from stack import fleet
from stack.cases import CASES
from stack.deployed import A_FEW, ALICE, EVERY_SINK, Deployed, policy_text
from stack.desk import CAROL, answered, desk
from stack.waiting import waits_take_no_time
from template.judge import judge
from warden.core.messages import UndoMessage
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stack.case import Case
    from template.judge import RecordedCall, Report


# That nothing is denied is checked after every test of this folder; what is granted in vain takes a run of its own.
pytestmark = pytest.mark.slow


_OF_WHAT_NO_CASE_HAS = (
    "account_deletions_leave_backup",
    "cluster_connection_logging_enabled",
    "cluster_tls_enforced",
    "instance_connection_logging_enabled",
    "instance_tls_enforced",
    "security_group_sources_approved",
)
"""Controls whose case lacks something: a deletion, a group of others, an approval, a log of connections, a list."""


@contextlib.contextmanager
def deployed(folder: Path, policy: str) -> Iterator[Deployed]:
    """A deployment of one life, which ends before the next begins."""
    file = folder / "policy.toml"
    file.write_text(policy, encoding="utf-8")
    with Deployed(policy=file) as stack, waits_take_no_time(stack.clock):
        yield stack
        stack.check()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What all lives together have called: one of each control's drift, and one of everything beside them."""
    folder = tmp_path_factory.mktemp("policy")
    calls: list[RecordedCall] = []
    for case in CASES.values():
        calls += life_of(case, folder)
    # One policy for all that is no control's own: with every control, each entry of the ledger is one of thousands.
    with deployed(folder, policy_text(only=(*A_FEW, *_OF_WHAT_NO_CASE_HAS), more=EVERY_SINK)) as stack:
        live_beside_the_controls(stack)
        on_groups_of_others(stack)
        calls += stack.aws.calls
        template = stack.template
    return judge(calls, template)


def life_of(case: Case, folder: Path) -> list[RecordedCall]:
    """The calls that one control makes of its drift, whether AWS tells of it or the sweep finds it."""
    more = f"[controls.{case.control}]\n{case.settings}" if case.settings else ""
    with deployed(folder, policy_text(only=(case.control,), more=more)) as stack:
        with stack.quietly():
            fleet.key(stack)
            case.seed(stack, case.name)
        with stack.by(ALICE):
            case.drift(stack, case.name)
        stack.settle()
        stack.sweep()
        if "RestoreDBClusterFromSnapshot" in case.writes:
            for request in desk(stack).requests():
                answered(stack, request)
            stack.hours_later(0.5)
        if "DeleteDBCluster" in case.writes:
            # The record of what a procedure made ends a while after it.
            stack.hours_later(0.5)
        return list(stack.aws.calls)


def on_groups_of_others(stack: Deployed) -> None:
    """Databases that use a default parameter group, or share one, get groups of their own."""
    fleet.cluster(stack, "on-default", DBClusterParameterGroupName="default.aurora-postgresql16")
    fleet.instance(stack, "one-on-default", DBParameterGroupName="default.postgres16")
    fleet.cluster(stack, "host")
    fleet.cluster(stack, "guest", DBClusterParameterGroupName="host")
    fleet.instance(stack, "one-host")
    fleet.instance(stack, "one-guest", DBParameterGroupName="one-host")
    off = fleet.as_parameters({"log_connections": "0"})
    with stack.quietly() as rds:
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="host", Parameters=off)
        rds.modify_db_parameter_group(DBParameterGroupName="one-host", Parameters=off)
    stack.sweep()
    stack.hours_later(0.5)


def live_beside_the_controls(stack: Deployed) -> None:
    """Everything that a deployment does beside finding a drift and putting it right."""
    fleet.key(stack)
    # A security group that lets in whoever a prefix list names.
    ec2 = stack.client("ec2")
    listed = ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=1, AddressFamily="IPv4", Entries=[{"Cidr": "203.0.113.0/24"}]
    )
    guard = fleet.group(stack, "guard")
    sources = [{"PrefixListId": listed["PrefixList"]["PrefixListId"]}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "PrefixListIds": sources}
    ec2.authorize_security_group_ingress(GroupId=guard, IpPermissions=[rule])
    fleet.cluster(stack, "guarded", VpcSecurityGroupIds=[guard])
    # What waits: a busy cluster, looked at by event and by the clock.
    arn = fleet.cluster(stack, "busy")
    stack.aws.rds.hold(arn, seconds=600)
    stack.sweep()
    with stack.quietly() as rds:
        stack.aws.rds.release(arn)
        rds.modify_db_cluster(DBClusterIdentifier="busy", DeletionProtection=False)
    stack.aws.rds.hold(arn, seconds=600)
    stack.sweep()
    stack.hours_later(1)
    # What is renamed, and what goes with a ticket.
    gone = "reports"
    fleet.instance(stack, gone)
    stack.as_alice("modify_db_instance", DBInstanceIdentifier=gone, DeletionProtection=False)
    with stack.quietly() as rds:
        rds.modify_db_instance(DBInstanceIdentifier=gone, DeletionProtection=False)
    stack.as_alice("delete_db_instance", DBInstanceIdentifier=gone, SkipFinalSnapshot=True)
    # A lookup by the immutable id, as Config and Security Hub name resources.
    (item,) = stack.client("rds").describe_db_clusters(DBClusterIdentifier="busy")["DBClusters"]
    stack.client("sqs").send_message(
        QueueUrl=stack.template.resources["TriggersQueue"].ref,
        MessageBody=_lookup(item["DbClusterResourceId"]),
    )
    stack.settle()
    # A proxy is looked at, although no control judges any; so is what uses a parameter group.
    subnets = [one["SubnetId"] for one in stack.client("ec2").describe_subnets()["Subnets"]]
    stack.as_alice(
        "create_db_proxy",
        DBProxyName="pool",
        EngineFamily="POSTGRESQL",
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=subnets,
        Auth=[{"AuthScheme": "SECRETS"}],
    )
    # Drift that only the sweep sees goes straight to the remediations.
    fleet.cluster(stack, "swept")
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="swept", DeletionProtection=False)
    stack.sweep()
    # A write that AWS refuses is told; a resource that went before the write is looked at again.
    fleet.cluster(stack, "refused")
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="refused", DeletionProtection=False)
    stack.aws.faults.inject("rds:ModifyDBCluster", "InvalidParameterValue")
    stack.settle()
    fleet.cluster(stack, "gone")
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="gone", DeletionProtection=False)
    stack.until("evaluate")
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster(DBClusterIdentifier="gone", SkipFinalSnapshot=True)
    stack.settle()
    have_one_approved(stack)
    have_connections_looked_for(stack)
    # What CloudTrail shows is compared with the ledger, and what crashed each time is put on record.
    stack.hours_later(1)
    stack.runtime.call(stack.function("sweep").logical_id, {"job": "reconcile"})
    bury_an_undo(stack)


def bury_an_undo(stack: Deployed) -> None:
    """A message that lies in the dead letter queue of the remediations."""
    crashed = UndoMessage(
        ref=ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:approved"),
        chain=next(iter(stack.chains())),
        sequence=1,
        entry_hash="0" * 64,
    )
    stack.client("sqs").send_message(
        QueueUrl=stack.template.resources["RemediationsDeadLetterQueue"].ref,
        MessageBody=crashed.encode(),
        MessageGroupId=crashed.group,
        MessageDeduplicationId="crashed",
    )
    stack.settle()


def have_one_approved(stack: Deployed) -> None:
    """A drift whose remediation waits for a person, who says yes."""
    fleet.cluster(stack, "approved")
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="approved", Parameters=fleet.as_parameters({"rds.force_ssl": "0"})
        )
    stack.settle()
    # What somebody approves, here that TLS is enforced, is looked up once more before it is written.
    [request] = [one for one in desk(stack).requests() if one.finding.control == "cluster_tls_enforced"][:1]
    answered(stack, request)
    # And somebody takes a write back.
    undoer.take_back(stack, CAROL, "cluster_deletion_protection_enabled", reason="It is in the way")
    stack.settle()


def have_connections_looked_for(stack: Deployed) -> None:
    """Drifts of TLS on databases that log their connections: clusters and instances of both families of engines."""
    general = fleet.as_parameters({"general_log": "1", "log_output": "FILE"})
    clear = fleet.as_parameters({"require_secure_transport": "0"})
    fleet.cluster(stack, "told")
    fleet.member(stack, "told-1", "told")
    fleet.cluster(stack, "told-my", engine="aurora-mysql", EnableCloudwatchLogsExports=["general"])
    fleet.member(stack, "told-my-1", "told-my", engine="aurora-mysql")
    fleet.instance(stack, "heard")
    with stack.quietly() as rds:
        rds.create_db_parameter_group(
            DBParameterGroupName="of-mysql", DBParameterGroupFamily="mysql8.0", Description="of MySQL"
        )
        rds.modify_db_parameter_group(DBParameterGroupName="of-mysql", Parameters=[*general, *clear])
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="told-my", Parameters=general)
    fleet.instance(
        stack,
        "heard-my",
        Engine="mysql",
        EngineVersion="8.0.40",
        DBParameterGroupName="of-mysql",
        EnableCloudwatchLogsExports=["general"],
    )
    logs = ("cluster/told/postgresql", "cluster/told-my/general")
    for name in (*logs, "instance/heard/postgresql", "instance/heard-my/general"):
        stack.client("logs").create_log_group(logGroupName=f"/aws/rds/{name}")
    off = fleet.as_parameters({"rds.force_ssl": "0"})
    with stack.quietly() as rds:
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="told", Parameters=off)
        rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="told-my",
            Parameters=fleet.as_parameters({"require_secure_transport": "OFF"}),
        )
        rds.modify_db_parameter_group(DBParameterGroupName="heard", Parameters=off)
    stack.sweep()
    # The queries run; what waits is looked at again, and their rows are read.
    stack.hours_later(0.5)


def _lookup(resource_id: str) -> str:
    return (
        '{"lookup": {"resource_type": "AWS::RDS::DBCluster", "account": "123456789012", "region": "eu-west-1", '
        f'"resource_id": "{resource_id}"}}}}'
    )


def test_every_call_is_allowed_to_the_role_that_made_it(report: Report) -> None:
    assert [str(denial) for denial in report.denied] == []


def test_each_function_has_called_enough_to_prove_something(report: Report) -> None:
    calls = Counter(dict(report.judged))
    assert set(calls) == {"EvaluateRole", "RemediateRole", "TicketRole", "SweepRole"}
    assert min(calls.values()) > 20


def test_what_is_granted_is_used_or_has_a_reason(report: Report) -> None:
    assert [f"{grant.sid}: {grant.action} {grant.resource}" for grant in report.unused] == []
    assert all(report.excused.values())
