"""What databases use, changed by somebody's call: the event reaches the databases, or the thing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stack import fleet
from stack.deployed import ALICE, policy_text
from warden.core.control import ComplianceType

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.conftest import Deploy
    from stack.deployed import Deployed

HERE = "eu-west-1:123456789012"


def _to_the_internet(stack: Deployed) -> str:
    """A route of the main table, by which every subnet becomes public."""
    ec2 = stack.client("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "association.main", "Values": ["true"]}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=tables["RouteTables"][0]["VpcId"])
    table = tables["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, GatewayId=gateway, DestinationCidrBlock="0.0.0.0/0")
    return f"arn:aws:rds:{HERE}:cluster:orders"


def _disable_the_key(stack: Deployed) -> str:
    kms = stack.client("kms")
    arn = str(kms.describe_key(KeyId=fleet.KEY)["KeyMetadata"]["Arn"])
    kms.disable_key(KeyId=arn)
    return arn


def _stop_rotating(stack: Deployed) -> str:
    kms = stack.client("kms")
    arn = str(kms.describe_key(KeyId=fleet.KEY)["KeyMetadata"]["Arn"])
    kms.disable_key_rotation(KeyId=arn)
    return arn


@pytest.mark.parametrize(
    ("control", "change", "rule"),
    [
        ("cluster_subnets_private", _to_the_internet, "NetworkCallsRule"),
        ("kms_key_usable", _disable_the_key, "KeysAndSecretsRule"),
        ("kms_key_rotation_enabled", _stop_rotating, "KeysAndSecretsRule"),
    ],
)
def test_a_call_about_what_a_database_uses_is_told_at_once(
    deploy: Deploy, control: str, change: Callable[[Any], str], rule: str
) -> None:
    stack = deploy(policy=policy_text(only=(control,), mode="ticket"))
    with stack.quietly():
        fleet.key(stack)
        stack.client("kms").enable_key_rotation(
            KeyId=stack.client("kms").describe_key(KeyId=fleet.KEY)["KeyMetadata"]["KeyId"]
        )
    fleet.cluster(stack, KmsKeyId=fleet.KEY)
    with stack.by(ALICE):
        arn = change(stack)
    assert stack.judged(control, arn).compliance is ComplianceType.NON_COMPLIANT
    stack.settle()
    assert stack.finding(control, arn).cause["principal"] == ALICE.arn
    assert rule in {name for entry in stack.runtime.bus.journal for name in entry.matched}
    assert [ticket["control"] for ticket in stack.tickets] == [control]
