"""What databases share, and what is judged beside them: which trigger leads to which visits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.world import CONTROLS, OWN_ROLE, PROTECTION, REMEDIATE_ALL, World
from warden.controls import kms_key_rotation_enabled, secret_rotation_enabled
from warden.core.kinds import SHARED_KINDS
from warden.core.policy import parse_policy
from warden.core.resource import ResourceRef, ResourceType
from warden.core.rows import Due
from warden.core.trigger import Source, WholeKind

if TYPE_CHECKING:
    from warden.core.control import Control

ACCOUNT, REGION = "123456789012", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/08f2c429-52e2-40a0-aefd-ce41ce4ef563"
ROTATES = replace(kms_key_rotation_enabled.CONTROL, needs=())
SCHEDULED = replace(secret_rotation_enabled.CONTROL, needs=())
AN_ARN = {
    ResourceType.DB_SUBNET_GROUP: f"arn:aws:rds:{REGION}:{ACCOUNT}:subgrp:orders-private",
    ResourceType.ROUTE_TABLE: f"arn:aws:ec2:{REGION}:{ACCOUNT}:route-table/rtb-0d4f5c61",
    ResourceType.NETWORK_ACL: f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-acl/acl-07b9c3e1",
}


def world_with(*more: Control) -> World:
    """The world of the other tests, and controls of other kinds."""
    controls = (*CONTROLS, *more)
    world = World(controls=controls)
    world.policy = parse_policy(REMEDIATE_ALL, controls=controls)
    return world


def a_key(world: World, **members: object) -> ResourceRef:
    return world.aws.add(
        ResourceType.KMS_KEY,
        {
            "Arn": KEY,
            "KeyId": KEY.rpartition("/")[2],
            "KeyManager": "CUSTOMER",
            "KeyState": "Enabled",
            **members,
        },
    )


@pytest.mark.parametrize("resource_type", AN_ARN)
def test_a_shared_thing_of_the_network_leads_to_the_databases_that_use_it(resource_type):
    world = World()
    user, other = world.cluster("orders", DeletionProtection=False), world.cluster("other")
    billing = world.instance("billing")
    shared = ResourceRef.from_arn(AN_ARN[resource_type])
    world.aws.uses[shared] = [user, billing]

    handled = world.evaluate(shared, event_name="CreateRoute")

    assert [visit.arn for visit in handled.visits] == [user.arn, billing.arn]
    assert handled.visits[0].opened == (PROTECTION,)
    assert other.arn not in {arn for arn, _ in world.aws.reads}


def test_a_shared_thing_that_nothing_uses_is_nobodys_business():
    world = World()
    world.cluster()
    visit = world.look(ResourceRef.from_arn(AN_ARN[ResourceType.ROUTE_TABLE]))
    assert visit.skipped == "nothing_there"
    assert world.aws.reads == []


@pytest.mark.parametrize(
    "resource_type", [kind for kind in SHARED_KINDS if ResourceType.DB_INSTANCE in SHARED_KINDS[kind]]
)
def test_all_of_a_shared_kind_leads_to_all_that_may_use_it(resource_type):
    world = World()
    cluster, instance = world.cluster("orders"), world.instance("billing")
    handled = world.evaluate(WholeKind(resource_type, ACCOUNT, REGION))
    users = [ref.arn for ref in (cluster, instance) if ref.resource_type in SHARED_KINDS[resource_type]]
    assert [visit.arn for visit in handled.visits] == users


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-8ccba202",
        KEY,
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/rds/cluster/orders/audit",
        f"arn:aws:iam::{ACCOUNT}:root",
    ],
)
def test_where_no_control_judges_a_kind_aws_is_not_even_asked(arn):
    world = World()
    visit = world.look(ResourceRef.from_arn(arn))
    assert visit.skipped == "no_control"
    assert world.aws.reads == []


def test_a_deferral_of_a_kind_that_no_control_judges_any_more_ends():
    world = world_with(ROTATES)
    key = a_key(world)
    now = world.clock()
    world.state.defer(Due(arn=key.arn, due_at=now, first_at=now, attempt=0, reason="busy"))
    world.controls = CONTROLS
    world.policy = parse_policy(REMEDIATE_ALL, controls=CONTROLS)

    assert world.look(world.trigger(key, Source.DEFERRAL)).skipped == "no_control"
    assert world.state.waiting(key.arn) is None


def test_a_secret_is_judged_and_so_is_the_database_whose_password_it_is():
    world = world_with(SCHEDULED)
    cluster = world.cluster(DeletionProtection=False)
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!cluster-7dbc6918-Tz0qLw"
    secret = world.aws.add(
        ResourceType.SECRET, {"ARN": arn, "Name": "rds!cluster-7dbc6918", "RotationEnabled": False}
    )
    world.aws.uses[secret] = [cluster]

    handled = world.evaluate(secret, event_name="RotationFailed")

    assert [visit.arn for visit in handled.visits] == [arn, cluster.arn]
    assert handled.visits[0].skipped == ""
    assert handled.visits[1].opened == (PROTECTION,)


@pytest.mark.parametrize("event_id", ["RDS-EVENT-0418", "RDS-EVENT-0419", "RDS-EVENT-0420"])
def test_a_database_that_cannot_use_its_key_leads_to_the_key_too(event_id):
    world = world_with(ROTATES)
    key = a_key(
        world, Origin="AWS_KMS", KeySpec="SYMMETRIC_DEFAULT", KeyRotation={"KeyRotationEnabled": False}
    )
    cluster = world.cluster(KmsKeyId=KEY)

    handled = world.evaluate(world.trigger(cluster, Source.RDS_EVENT, event_name=event_id))

    assert [visit.arn for visit in handled.visits] == [cluster.arn, key.arn]
    assert handled.visits[1].judgements
    assert [visit.arn for visit in world.evaluate(cluster, event_name="ModifyDBCluster").visits] == [
        cluster.arn
    ]


@pytest.mark.parametrize(
    "name",
    [None, "alias/databases", KEY.replace("eu-west-1", "eu-central-1"), KEY.replace(ACCOUNT, "444455556666")],
)
def test_a_key_that_is_not_known_by_its_arn_or_not_ours_is_left_out(name):
    world = world_with(ROTATES)
    cluster = world.cluster(KmsKeyId=name)
    handled = world.evaluate(world.trigger(cluster, Source.RDS_EVENT, event_name="RDS-EVENT-0419"))
    assert [visit.arn for visit in handled.visits] == [cluster.arn]
    assert handled.failed == []


def test_our_own_call_about_a_key_is_known_as_ours():
    world = world_with(ROTATES)
    key = a_key(world)
    visit = world.look(key, event_name="EnableKeyRotation", principal=OWN_ROLE)
    assert visit.cause["own"]
    assert world.queues.remediations == []
