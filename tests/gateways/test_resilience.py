"""Resilience and lifecycle on the local AWS: made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import REGION, Estate
from warden.core.control import ComplianceType
from warden.core.plan import Manual

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE, INSUFFICIENT_DATA = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
ELSEWHERE = "eu-central-1"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def cluster(estate: Estate, name: str = "orders", **settings: Any) -> str:
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **LOGIN, **settings},
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def global_cluster(estate: Estate, writer: str, name: str = "orders-global") -> str:
    made = estate.client("rds").create_global_cluster(
        GlobalClusterIdentifier=name, SourceDBClusterIdentifier=writer
    )
    return str(made["GlobalCluster"]["GlobalClusterArn"])


def secondary(estate: Estate, name: str = "orders-there", of: str = "orders-global", **settings: Any) -> str:
    made = estate.aws.client("rds", ELSEWHERE).create_db_cluster(
        DBClusterIdentifier=name,
        GlobalClusterIdentifier=of,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **settings},
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


# --- global clusters: encryption --------------------------------------------------------------------------

GLOBAL_ENCRYPTION = "global_cluster_storage_encrypted"


def test_a_global_cluster_is_as_encrypted_as_the_cluster_that_it_was_made_around(estate: Estate) -> None:
    encrypted = global_cluster(estate, cluster(estate))
    found = estate.judged(GLOBAL_ENCRYPTION, encrypted)
    assert (found.compliance, "its type is sse-rds" in found.annotation) == (COMPLIANT, True)
    legacy = estate.aws.rds.create_legacy_unencrypted("legacy")
    estate.aws.rds.settle()
    open_ = global_cluster(estate, legacy, "legacy-global")
    assert estate.judged(GLOBAL_ENCRYPTION, open_).compliance is NON_COMPLIANT


def test_the_steps_lead_from_a_snapshot_of_the_writer_to_every_region(estate: Estate) -> None:
    legacy = estate.aws.rds.create_legacy_unencrypted("orders", EngineVersion="16.6")
    estate.aws.rds.settle()
    arn = global_cluster(estate, legacy)
    secondary(estate)
    told = estate.planned(GLOBAL_ENCRYPTION, arn)
    assert isinstance(told, Manual)
    assert "--db-cluster-identifier orders " in told.steps[0]
    assert all(step.endswith(f"--region {REGION}") for step in told.steps[:-1])
    assert told.steps[-1].startswith(
        "aws rds create-db-cluster --db-cluster-identifier orders-there-encrypted"
    )
    assert told.steps[-1].endswith(f"--region {ELSEWHERE}")
