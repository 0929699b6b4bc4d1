"""The account on the local AWS: subscriptions, trails, GuardDuty, read, judged, put right, and judged again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import REGION, Estate
from warden.core.control import ComplianceType
from warden.core.errors import ResourceGoneError
from warden.core.plan import Manual

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
SUBSCRIPTIONS = "account_event_subscriptions_complete"
TRAILS = "account_cloudtrail_covers_rds"
GUARDDUTY = "account_guardduty_rds_protection"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        database(made)
        yield made


def database(estate: Estate) -> None:
    estate.client("rds").create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
    )


def test_an_account_without_a_database_here_has_nothing_to_protect() -> None:
    with Estate() as estate:
        arn = account(estate)
        assert estate.listed(TRAILS) == []
        with pytest.raises(ResourceGoneError):
            estate.judged(TRAILS, arn)
        estate.client("rds").create_db_cluster(
            DBClusterIdentifier="graph", Engine="neptune", MasterUsername="a", MasterUserPassword="b" * 8
        )
        assert estate.listed(TRAILS) == []
        database(estate)
        assert estate.listed(TRAILS) == [estate.aws.account]
        assert estate.judged(TRAILS, arn).compliance is NON_COMPLIANT


def account(estate: Estate) -> str:
    return f"arn:aws:iam::{estate.aws.account}:root"


# --- subscriptions ----------------------------------------------------------------------------------------


def subscribe(estate: Estate, name: str, **settings: Any) -> None:
    estate.client("rds").create_event_subscription(
        SubscriptionName=name,
        SnsTopicArn=f"arn:aws:sns:{REGION}:{estate.aws.account}:databases",
        **{"Enabled": True, **settings},
    )


def test_the_policys_topic_is_subscribed_to_what_lacks_and_to_no_more(estate: Estate) -> None:
    subscribe(estate, "parameters", SourceType="db-parameter-group")
    subscribe(estate, "clusters", SourceType="db-cluster", EventCategories=["failover", "maintenance"])
    before = estate.judged(SUBSCRIPTIONS, account(estate))
    assert before.compliance is NON_COMPLIANT
    assert "of db-cluster: failure, notification; of db-instance: availability" in before.annotation
    assert isinstance(estate.planned(SUBSCRIPTIONS, account(estate)), Manual)
    assert estate.fixed(SUBSCRIPTIONS, account(estate), topic="databases").compliance is COMPLIANT
    found = estate.client("rds").describe_event_subscriptions()["EventSubscriptionsList"]
    made = {item["CustSubscriptionId"]: item for item in found}
    assert set(made) == {"parameters", "clusters", "warden-db-cluster", "warden-db-instance"}
    assert made["warden-db-cluster"]["EventCategoriesList"] == ["failure", "notification"]
    assert made["warden-db-cluster"]["SnsTopicArn"].endswith(":databases")


def test_one_subscription_to_everything_suffices_as_long_as_it_is_enabled(estate: Estate) -> None:
    subscribe(estate, "nothing", Enabled=False)
    found = estate.judged(SUBSCRIPTIONS, account(estate))
    assert found.annotation.endswith("what does not count: nothing (disabled).")
    subscribe(estate, "everything")
    assert estate.judged(SUBSCRIPTIONS, account(estate)).compliance is COMPLIANT


def test_a_subscription_of_wardens_own_that_was_disabled_is_a_persons_question(estate: Estate) -> None:
    subscribe(estate, "warden-db-cluster", SourceType="db-cluster", Enabled=False)
    told = estate.planned(SUBSCRIPTIONS, account(estate), topic="databases")
    assert isinstance(told, Manual)
    [step] = told.steps
    assert "modify-event-subscription --subscription-name warden-db-cluster" in step


# --- trails -----------------------------------------------------------------------------------------------


def trail(estate: Estate, **settings: Any) -> str:
    estate.client("s3").create_bucket(
        Bucket="trails", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    made = estate.client("cloudtrail").create_trail(
        Name="everything",
        S3BucketName="trails",
        **{"IsMultiRegionTrail": True, "EnableLogFileValidation": True, **settings},
    )
    return str(made["TrailARN"])


def test_an_account_without_a_trail_is_told_to_make_one(estate: Estate) -> None:
    found = estate.judged(TRAILS, account(estate))
    assert found.compliance is NON_COMPLIANT
    told = estate.planned(TRAILS, account(estate))
    assert isinstance(told, Manual)
    assert [step.split()[2] for step in told.steps] == ["create-trail", "start-logging"]


def test_a_trail_counts_only_while_it_is_logging(estate: Estate) -> None:
    arn, cloudtrail = trail(estate), estate.client("cloudtrail")
    assert estate.judged(TRAILS, account(estate)).annotation.endswith(f"{arn}: it was stopped.")
    cloudtrail.start_logging(Name=arn)
    assert estate.judged(TRAILS, account(estate)).compliance is COMPLIANT
    cloudtrail.stop_logging(Name=arn)
    told = estate.planned(TRAILS, account(estate))
    assert isinstance(told, Manual)
    assert "Look first who stopped it" in told.why


def test_the_steps_of_a_ticket_put_the_trail_right(estate: Estate) -> None:
    arn, cloudtrail = trail(estate, IsMultiRegionTrail=False), estate.client("cloudtrail")
    cloudtrail.put_event_selectors(
        TrailName=arn,
        EventSelectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "ExcludeManagementEventSources": ["rdsdata.amazonaws.com"],
            }
        ],
    )
    before = estate.judged(TRAILS, account(estate)).annotation
    assert "it records one Region, it was stopped, it leaves out" in before
    cloudtrail.update_trail(Name="everything", IsMultiRegionTrail=True)
    cloudtrail.put_event_selectors(
        TrailName=arn,
        EventSelectors=json.loads('[{"ReadWriteType": "All", "IncludeManagementEvents": true}]'),
    )
    cloudtrail.start_logging(Name=arn)
    assert estate.judged(TRAILS, account(estate)).compliance is COMPLIANT


def test_a_trail_that_may_not_be_read_is_no_answer_and_hides_no_other_control(estate: Estate) -> None:
    trail(estate)
    estate.aws.faults.deny("cloudtrail:GetTrailStatus")
    assert estate.judged(TRAILS, account(estate)).compliance is ComplianceType.INSUFFICIENT_DATA
    assert estate.judged(GUARDDUTY, account(estate)).compliance is NON_COMPLIANT


# --- GuardDuty --------------------------------------------------------------------------------------------


def detector(estate: Estate, *, enable: bool = True) -> str:
    made = estate.client("guardduty").create_detector(
        Enable=enable,
        Features=[
            {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
            {"Name": "RDS_LOGIN_EVENTS", "Status": "DISABLED"},
        ],
    )
    return str(made["DetectorId"])


def test_rds_protection_is_turned_on_and_nothing_else(estate: Estate) -> None:
    made = detector(estate)
    assert estate.judged(GUARDDUTY, account(estate)).compliance is NON_COMPLIANT
    assert estate.fixed(GUARDDUTY, account(estate)).compliance is COMPLIANT
    features = estate.client("guardduty").get_detector(DetectorId=made)["Features"]
    assert {item["Name"]: item["Status"] for item in features} == {
        "S3_DATA_EVENTS": "ENABLED",
        "RDS_LOGIN_EVENTS": "ENABLED",
    }


def test_a_detector_that_another_account_administers_is_left_to_it(estate: Estate) -> None:
    detector(estate)
    estate.client("guardduty").enable_organization_admin_account(AdminAccountId="210987654321")
    told = estate.planned(GUARDDUTY, account(estate))
    assert isinstance(told, Manual)
    assert "210987654321 administers" in told.why
    assert f"--account-ids {estate.aws.account}" in told.steps[0]


def test_guardduty_that_is_off_or_suspended_is_a_persons_decision(estate: Estate) -> None:
    told = estate.planned(GUARDDUTY, account(estate))
    assert isinstance(told, Manual)
    assert "create-detector" in told.steps[0]
    made = detector(estate, enable=False)
    told = estate.planned(GUARDDUTY, account(estate))
    assert isinstance(told, Manual)
    assert f"update-detector --detector-id {made} --enable" in told.steps[0]
