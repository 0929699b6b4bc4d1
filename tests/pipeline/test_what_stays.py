"""What a procedure made to stay is nobody's but a person's to delete, whoever asks for its clean-up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.world import World
from warden.core.control import ComplianceType
from warden.core.messages import RemediationMessage
from warden.core.procedure import NONCE, SERVES, Record
from warden.core.resource import ResourceRef, ResourceType
from warden.pipeline.writes import Status

ORDERS = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
TAGS = [{"Key": SERVES, "Value": ORDERS}, {"Key": NONCE, "Value": "5f3c6a0e"}]


class Left(World):
    """A cluster that a procedure has begun for one that exists no more, and an instance in it."""

    def __init__(self, *, stays: bool = True) -> None:
        super().__init__()
        members = [{"DBInstanceIdentifier": "warden-orders-1", "IsClusterWriter": True, "PromotionTier": 1}]
        self.made = self.cluster("warden-orders", TagList=TAGS, DBClusterMembers=members if stays else [])
        self.record = Record(
            arn=self.made.arn,
            serves=ORDERS,
            serves_key="123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-GONE",
            controls=("cluster_storage_encrypted",),
            pledge="0a1b",
            nonce="5f3c6a0e",
            announced_at=self.clock() - timedelta(hours=1),
            resource_id=self.aws.of_type(ResourceType.DB_CLUSTER)[self.made]["DbClusterResourceId"],
            stays=stays,
        )
        self.temporaries.put(self.record, over=None)

    def member(self, **members: object) -> ResourceRef:
        return self.instance(
            "warden-orders-1", **{"DBClusterIdentifier": "warden-orders", "TagList": TAGS, **members}
        )

    def is_judged(self, ref: ResourceRef) -> bool:
        judge = self.evaluator.visitor.judge
        resource = self.evaluator.reader.read(ref, judge.needs(ref.resource_type))
        return {one.compliance for one in judge.evaluate(resource)} != {ComplianceType.NOT_APPLICABLE}


def test_it_is_reported_and_its_clean_up_is_asked_for_by_nobody() -> None:
    world = Left()
    [problem] = world._caretaker().look()
    assert problem.startswith(f"{world.made.arn} was half made by a procedure, costs money")
    assert "orders exists no more" in problem
    assert world.queues.remediations == []
    assert world.temporaries.all() == [world.record]


def test_what_does_not_stay_is_cleaned_up() -> None:
    world = Left(stays=False)
    assert world._caretaker().look() == []
    [message] = world.queues.remediations
    assert message.clean_up == world.made.arn


def test_a_clean_up_that_somebody_sends_is_refused() -> None:
    world = Left()
    message = RemediationMessage(
        ref=ResourceRef.from_arn(ORDERS),
        controls=world.record.controls,
        policy_version=world.policy.version,
        resource_key=world.record.serves_key,
        clean_up=world.made.arn,
    )
    assert world.remediate(message).status is Status.SKIPPED
    assert world.aws.calls == []


def test_whoever_takes_its_tag_away_has_it() -> None:
    world = Left()
    world.aws.of_type(ResourceType.DB_CLUSTER)[world.made]["TagList"] = TAGS[:1]
    assert world._caretaker().look() == []
    assert world.temporaries.all() == []
    assert world.is_judged(world.made)


@pytest.mark.parametrize(
    ("members", "judged"),
    [
        ({}, False),
        ({"TagList": TAGS[:1]}, True),
        ({"PubliclyAccessible": True}, True),
        ({"DBClusterIdentifier": "orders"}, True),
        ({"DBClusterIdentifier": None}, True),
    ],
    ids=str,
)
def test_an_instance_of_it_is_judged_unless_it_is_surely_wardens(
    members: dict[str, object], *, judged: bool
) -> None:
    world = Left()
    assert not world.is_judged(world.made)
    assert world.is_judged(world.member(**members)) is judged


def test_an_instance_of_what_does_not_stay_is_judged() -> None:
    world = Left(stays=False)
    world.temporaries.put(replace(world.record, nonce="another"), over=world.record)
    assert world.is_judged(world.member())
