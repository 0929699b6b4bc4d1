"""A reader is created exactly as planned, or not at all: the guard pins each parameter of CreateDBInstance."""

from __future__ import annotations

from typing import Any

import pytest

from controls import items
from warden.controls import all_controls
from warden.core.errors import GuardError
from warden.core.evaluation import plan
from warden.core.guard import check
from warden.core.plan import Call, Plan
from warden.core.readers import new_name

(CONTROL,) = (control for control in all_controls() if control.id == "cluster_readers_sufficient")
(EXAMPLE,) = (e for e in CONTROL.examples if e.name.startswith("the writer alone, with"))
PERMITS = tuple(permit for one in all_controls() if one.remediation for permit in one.remediation.permits)


def planned(**facts: Any) -> tuple[Call, Any]:
    resource = items.resource(CONTROL.resource_type, {**EXAMPLE.facts, **facts})
    outcome = plan(CONTROL, resource, CONTROL.defaults())
    assert isinstance(outcome, Plan)
    return outcome.calls[0], resource


def test_the_plan_itself_passes() -> None:
    call, resource = planned()
    check(call, PERMITS, resource)
    assert call.parameters["MonitoringRoleArn"].endswith("role/rds-monitoring")
    assert call.parameters["PerformanceInsightsRetentionPeriod"] == 7


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("DBInstanceIdentifier", "billing"),
        ("DBInstanceIdentifier", "warden-orders"),
        ("DBClusterIdentifier", "billing"),
        ("Engine", "aurora-mysql"),
        ("DBInstanceClass", "db.r7g.16xlarge"),
        ("AvailabilityZone", "eu-west-1a"),
        ("AvailabilityZone", "eu-central-1b"),
        ("DBParameterGroupName", "somebody-elses"),
        ("PubliclyAccessible", True),
        ("AutoMinorVersionUpgrade", False),
        ("AutoMinorVersionUpgrade", 1),
        ("CACertificateIdentifier", "rds-ca-2019"),
        ("PromotionTier", 0),
        ("Tags", []),
        ("MonitoringInterval", 1),
        ("MonitoringRoleArn", "arn:aws:iam::123456789012:role/administrator"),
        ("EnablePerformanceInsights", False),
        ("PerformanceInsightsKMSKeyId", "alias/aws/rds"),
        ("PerformanceInsightsRetentionPeriod", 731),
        ("MasterUserPassword", "correct-horse-battery"),
        ("VpcSecurityGroupIds", ["sg-0a1b2c3d4e5f60718"]),
        ("DeletionProtection", False),
        ("StorageEncrypted", False),
    ],
)
def test_a_reader_that_differs_in_anything_is_refused(parameter: str, value: Any) -> None:
    call, resource = planned()
    with pytest.raises(GuardError):
        check(Call(call.operation, {**call.parameters, parameter: value}), PERMITS, resource)


@pytest.mark.parametrize(
    "parameter",
    [
        *("DBInstanceIdentifier", "DBClusterIdentifier", "AvailabilityZone", "DBInstanceClass", "Engine"),
        *("PubliclyAccessible", "DBParameterGroupName", "CACertificateIdentifier", "PromotionTier", "Tags"),
    ],
)
def test_nothing_is_left_to_what_aws_would_choose(parameter: str) -> None:
    call, resource = planned()
    rest = {name: value for name, value in call.parameters.items() if name != parameter}
    with pytest.raises(GuardError):
        check(Call(call.operation, rest), PERMITS, resource)


def test_a_sixteenth_reader_is_refused() -> None:
    call, resource = planned()
    crowd = [{**resource.facts["Members"][0], "DBInstanceIdentifier": f"orders-{n}"} for n in range(1, 17)]
    full = items.resource(CONTROL.resource_type, {**EXAMPLE.facts, "Members": crowd})
    with pytest.raises(GuardError):
        check(call, PERMITS, full)
    assert CONTROL.remediation is not None
    with pytest.raises(GuardError, match="16 instances already"):
        check(call, CONTROL.remediation.permits, full)


def test_without_the_members_nothing_is_created() -> None:
    call, _ = planned()
    blind = items.resource(CONTROL.resource_type, EXAMPLE.facts, missing=("Members",))
    with pytest.raises(GuardError, match="Members is not known"):
        check(call, PERMITS, blind)


@pytest.mark.parametrize("name", ["o", "orders", "o" * 63, "a-" * 31 + "a"])
def test_a_new_name_is_one_that_rds_takes(name: str) -> None:
    resource = items.resource(CONTROL.resource_type, {**EXAMPLE.facts, "DBClusterIdentifier": name})
    made = new_name(resource.facts)
    assert len(made) <= 63
    assert made.startswith("warden-")
    assert "--" not in made
    assert not made.endswith("-")


def test_clusters_whose_names_begin_alike_have_readers_of_other_names() -> None:
    names = set()
    for identity in ("cluster-A", "cluster-B"):
        facts = {**EXAMPLE.facts, "DBClusterIdentifier": "o" * 63, "DbClusterResourceId": identity}
        names.add(new_name(items.resource(CONTROL.resource_type, facts).facts))
    assert len(names) == 2
