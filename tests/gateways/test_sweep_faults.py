"""What is deleted, denied or throttled in the middle of a sweep: itself a gap, its neighbours judged, findings left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from gateways.estate import CONTROLS, REGION, Estate
from pipeline.world import World
from warden.core.policy import parse_policy
from warden.core.resource import Deployment
from warden.gateways.clients import Clients
from warden.gateways.errors import translated
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.pipeline.sweep_report import SweepReport

UNSHARED = "cluster_snapshot_shares_approved"
ROTATION, RESTRICTED, USABLE = "kms_key_rotation_enabled", "kms_key_policy_restricted", "kms_key_usable"
PROTECTED = "cluster_deletion_protection_enabled"
STRANGER = "111122223333"
OBSERVE = "version = 1\n[defaults]\nmode = 'observe'"


def _slow(*values: str) -> list[Any]:
    """What is the same in principle, for the slow tests."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


class Unwell(Rds):
    """Answers as AWS does when it is unwell: with an error, where a call names one thing."""

    def __init__(self, account: str) -> None:
        super().__init__(Clients(account=account), account=account, region=REGION)
        self.of_one: dict[tuple[str, str], str] = {}
        """The code of the error by operation and by what its parameters hold."""
        self.calls = 0

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        for (of, text), code in self.of_one.items():
            if of == operation and text in parameters.values():
                self.calls += 1
                with translated(operation):
                    raise ClientError({"Error": {"Code": code, "Message": "No."}}, operation)
        return super().call(operation, **parameters)


class Swept:
    """An account that is swept again and again, each time by a new reader, as each invocation makes one."""

    def __init__(self, estate: Estate) -> None:
        self.api = Unwell(estate.aws.account)
        self.world = World()
        self.world.controls = tuple(
            CONTROLS[name] for name in (UNSHARED, ROTATION, RESTRICTED, USABLE, PROTECTED)
        )
        self.world.policy = parse_policy(OBSERVE, controls=self.world.controls)
        self.world.clock.now = estate.aws.clock.now()

    def sweep(self) -> SweepReport:
        """One sweep, some hours after the last."""
        self.world.clock.advance(hours=6)
        reader = RdsReader(
            self.api,
            deployment=Deployment(self.world.deployment.account, REGION),
            clock=self.world.clock,
            bulk=True,
            temporaries=self.world.temporaries,  # type: ignore[arg-type]
        )
        self.world.wrap = lambda name, port: reader if name == "reader" else port
        return self.world.sweep()

    def statuses(self, control: str) -> dict[str, tuple[str, int]]:
        """The workflow status and the revision of each finding of a control, by the end of its ARN."""
        return {
            finding.arn.rpartition(":")[2].rpartition("/")[2]: (finding.workflow.value, finding.revision)
            for finding in self.world.findings.all()
            if finding.control == control
        }


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


@pytest.fixture
def swept(estate: Estate) -> Swept:
    return Swept(estate)


def cluster(estate: Estate, name: str, **settings: Any) -> None:
    estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
        **settings,
    )


def share(estate: Estate, name: str, **how: Any) -> None:
    estate.client("rds").modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=name, AttributeName="restore", **how
    )


@pytest.mark.parametrize("code", ["Throttling", *_slow("AccessDenied", "DBClusterSnapshotNotFoundFault")])
def test_one_snapshot_whose_shares_are_not_told_costs_the_others_nothing(
    estate: Estate, swept: Swept, code: str
) -> None:
    cluster(estate, "orders")
    names = ("monday", "tuesday", "wednesday")
    for name in names:
        estate.client("rds").create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier="orders"
        )
        share(estate, name, ValuesToAdd=[STRANGER])
    assert swept.sweep().opened == 3 + 1
    for name in names:
        share(estate, name, ValuesToRemove=[STRANGER])
    swept.api.of_one["DescribeDBClusterSnapshotAttributes", "tuesday"] = code

    report = swept.sweep()

    assert swept.statuses(UNSHARED) == {
        "monday": ("RESOLVED", 2),
        "tuesday": ("NEW", 1),
        "wednesday": ("RESOLVED", 2),
    }
    assert (report.resolved, report.problems) == (2, [])
    assert report.evaluations[UNSHARED, "INSUFFICIENT_DATA"] == 1
    assert report.evaluations[PROTECTED, "NON_COMPLIANT"] == 1
    [visit] = [one for one in report.visits if one.arn.endswith(":tuesday")]
    assert any(code in judgement.evaluation.annotation for judgement in visit.judgements)

    swept.api.of_one.clear()
    assert swept.sweep().resolved == 1


@pytest.mark.slow
def test_a_snapshot_that_is_deleted_after_it_was_listed_is_found_gone_by_the_next_sweep(
    estate: Estate, swept: Swept
) -> None:
    cluster(estate, "orders")
    rds = estate.client("rds")
    for name in ("monday", "tuesday"):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="orders")
        share(estate, name, ValuesToAdd=[STRANGER])
    swept.sweep()
    pages = swept.api.pages

    def deleting(operation: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        for page in pages(operation, **parameters):
            if operation == "DescribeDBClusterSnapshots" and any(
                item["DBClusterSnapshotIdentifier"] == "monday" for item in page
            ):
                rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="monday")
            yield page

    swept.api.pages = deleting  # type: ignore[method-assign]
    report = swept.sweep()
    assert swept.statuses(UNSHARED) == {"monday": ("NEW", 1), "tuesday": ("NEW", 1)}
    assert (report.evaluations[UNSHARED, "INSUFFICIENT_DATA"], report.problems) == (1, [])

    report = swept.sweep()
    assert swept.statuses(UNSHARED) == {"monday": ("RESOLVED", 2), "tuesday": ("NEW", 1)}
    assert report.evaluations[UNSHARED, "INSUFFICIENT_DATA"] == 0


def open_policy(account: str, principal: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "kms:*", "Resource": "*"}
                for who in (f"arn:aws:iam::{account}:root", principal)
            ],
        }
    )


_HIDES: dict[str, set[str]] = {
    "GetKeyPolicy": {RESTRICTED},
    "ListGrants": {RESTRICTED},
    "GetKeyRotationStatus": {ROTATION},
    "ListResourceTags": {ROTATION, RESTRICTED, USABLE},
    "DescribeKey": {ROTATION, RESTRICTED, USABLE},
}
"""The controls that cannot be judged without an answer."""


@pytest.mark.parametrize("code", ["ThrottlingException", *_slow("AccessDeniedException")])
@pytest.mark.parametrize("operation", ["ListGrants", *_slow(*sorted(_HIDES.keys() - {"ListGrants"}))])
def test_one_key_of_which_something_is_not_told_costs_the_other_keys_nothing(
    estate: Estate, swept: Swept, operation: str, code: str
) -> None:
    kms, account = estate.client("kms"), estate.aws.account
    arns = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3)]
    for number, arn in enumerate(arns):
        kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=open_policy(account, STRANGER))
        cluster(estate, f"c{number}", StorageEncrypted=True, KmsKeyId=arn)
    swept.sweep()
    for arn in arns:
        kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=open_policy(account, account))
        kms.enable_key_rotation(KeyId=arn)
    first, bad, last = (arn.rpartition("/")[2] for arn in sorted(arns))
    swept.api.of_one[operation, f"arn:aws:kms:{REGION}:{account}:key/{bad}"] = code

    report = swept.sweep()

    for control in (ROTATION, RESTRICTED):
        hidden = ("NEW", 1) if control in _HIDES[operation] else ("RESOLVED", 2)
        assert swept.statuses(control) == {first: ("RESOLVED", 2), bad: hidden, last: ("RESOLVED", 2)}
    assert report.problems == []
    for control in (ROTATION, RESTRICTED, USABLE):
        gaps = int(control in _HIDES[operation])
        assert report.evaluations[control, "INSUFFICIENT_DATA"] == gaps
        assert report.evaluations[control, "COMPLIANT"] == 3 - gaps

    swept.api.of_one.clear()
    swept.sweep()
    assert {status for control in (ROTATION, RESTRICTED) for status in swept.statuses(control).values()} == {
        ("RESOLVED", 2)
    }


@pytest.mark.slow
def test_a_key_that_stays_throttled_is_not_asked_about_by_each_of_its_snapshots(
    estate: Estate, swept: Swept
) -> None:
    key = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    cluster(estate, "orders", StorageEncrypted=True, KmsKeyId=key)
    for number in range(12):
        estate.client("rds").create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=f"s{number}", DBClusterIdentifier="orders"
        )
        share(estate, f"s{number}", ValuesToAdd=[STRANGER])
    usable = "cluster_snapshot_shares_usable"
    swept.world.controls = (CONTROLS[usable],)
    policy = f'{OBSERVE}\n[baseline]\napproved_accounts = ["{STRANGER}"]'
    swept.world.policy = parse_policy(policy, controls=swept.world.controls)
    swept.api.of_one["GetKeyPolicy", key] = "ThrottlingException"

    report = swept.sweep()

    assert report.evaluations[usable, "INSUFFICIENT_DATA"] == 12
    assert swept.api.calls == 3
