"""What is deleted, denied or throttled in the middle of a scan is not evaluated, says why, and costs nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from console.local.aws import LocalAws
from console.local.clock import MovableClock
from scanning.fleets import PASSWORD
from scanning.runs import CREDENTIALS, REGION, scan
from scanning.wounded import Answer, Wounded
from stack.waiting import waits_take_no_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanning.runs import Run

Capsys = pytest.CaptureFixture[str]

PROTECTED = "cluster_deletion_protection_enabled"
UNSHARED = "cluster_snapshot_shares_approved"
TLS = "cluster_tls_enforced"
KEYS = ("kms_key_usable", "kms_key_rotation_enabled")
SECRETS = ("secret_rotation_enabled", "secret_policy_restricted")


def _slow(*codes: str) -> list[Any]:
    """What is the same in principle, for the slow tests."""
    return [pytest.param(code, marks=pytest.mark.slow) for code in codes]


def _xml(code: str, status: int = 400) -> Answer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>No: {code}.</Message></Error>"
    return Answer(status, f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>".encode())


def _json(code: str, status: int = 400) -> Answer:
    body = json.dumps({"__type": code, "message": f"No: {code}."}).encode()
    return Answer(status, body, "application/x-amz-json-1.1")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalAws]:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with waits_take_no_time(MovableClock(datetime.now(UTC))), LocalAws(region=REGION) as local:
        # Made now, and kept: a client goes where AWS_ENDPOINT_URL pointed when it was made.
        for service in ("rds", "kms", "secretsmanager"):
            local.client(service)
        yield local


@pytest.fixture
def wounded(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wounded]:
    with aws.serve() as server, Wounded(server.url) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        yield endpoint


def _cluster(aws: LocalAws, name: str, **settings: Any) -> None:
    aws.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="steward",
        MasterUserPassword=PASSWORD,
        **settings,
    )


def _verdicts(done: Run) -> dict[tuple[str, str], str]:
    """Of each control and resource what was said, `--all` given."""
    return {
        (one["control"], one["resource"].rpartition(":")[2].rpartition("/")[2]): one["compliance"]
        for one in done.card["findings"]
    }


@pytest.mark.parametrize("code", ["DBClusterSnapshotNotFoundFault", *_slow("AccessDenied", "Throttling")])
def test_one_snapshot_whose_shares_are_not_told_costs_the_others_nothing(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, code: str
) -> None:
    _cluster(aws, "orders")
    rds = aws.client("rds")
    for name in ("monday", "tuesday", "wednesday"):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="orders")
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="wednesday", AttributeName="restore", ValuesToAdd=["111122223333"]
    )
    wounded.of_one["DescribeDBClusterSnapshotAttributes", "tuesday"] = _xml(code)

    done = scan(capsys, "--all", controls=(UNSHARED,))

    found = _verdicts(done)
    assert found[UNSHARED, "monday"] == "COMPLIANT"
    assert found[UNSHARED, "tuesday"] == "INSUFFICIENT_DATA"
    assert found[UNSHARED, "wednesday"] == "NON_COMPLIANT"
    assert code in done.unjudged[UNSHARED]


@pytest.mark.parametrize("operation", ["DescribeKey", *_slow("ListResourceTags", "GetKeyRotationStatus")])
@pytest.mark.parametrize("code", ["AccessDeniedException", *_slow("ThrottlingException")])
def test_one_key_that_is_denied_or_throttled_costs_the_other_keys_nothing(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, operation: str, code: str
) -> None:
    keys = [aws.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(3)]
    for number, key in enumerate(keys):
        _cluster(aws, f"c{number}", StorageEncrypted=True, KmsKeyId=key)
    first, bad, last = (key.rpartition("/")[2] for key in keys)
    wounded.of_one[operation, bad] = _json(code)

    done = scan(capsys, "--all", controls=KEYS)
    found = _verdicts(done)

    for key in (first, last):
        assert found["kms_key_usable", key] == "COMPLIANT"
        assert found["kms_key_rotation_enabled", key] == "NON_COMPLIANT"
    assert found["kms_key_rotation_enabled", bad] == "INSUFFICIENT_DATA"
    assert code in done.unjudged["kms_key_rotation_enabled"]
    if operation == "GetKeyRotationStatus":
        assert found["kms_key_usable", bad] == "COMPLIANT", "what it says of itself is known"


@pytest.mark.parametrize(
    "code", ["ThrottlingException", *_slow("AccessDeniedException", "ResourceNotFoundException")]
)
def test_a_policy_of_a_secret_that_is_not_told_costs_its_other_controls_nothing(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, tmp_path: Path, code: str
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\n[baseline]\nsecret_name_prefixes = ["db/"]\n')
    made = aws.client("secretsmanager").create_secret(Name="db/orders", SecretString="{}")
    secret = made["ARN"].rpartition(":")[2].rpartition("/")[2]
    wounded.answers["GetResourcePolicy"] = _json(code)

    done = scan(capsys, "--all", "--policy", str(policy), controls=SECRETS)

    assert _verdicts(done) == {
        (SECRETS[0], secret): "NON_COMPLIANT",
        (SECRETS[1], secret): "INSUFFICIENT_DATA",
    }
    assert code in done.unjudged[SECRETS[1]]


def test_a_list_that_is_throttled_in_its_middle_is_tried_again_and_then_all_of_its_kind_is_a_gap(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\n[baseline]\nsecret_name_prefixes = ["db/"]\n')
    for number in range(101):
        aws.client("secretsmanager").create_secret(Name=f"db/{number:03}", SecretString="{}")
    _cluster(aws, "orders", DeletionProtection=True)
    wounded.of_one["ListSecrets", "NextToken"] = _json("ThrottlingException")

    done = scan(capsys, "--all", "--policy", str(policy), controls=(SECRETS[0], PROTECTED))

    assert wounded.seen.count("ListSecrets") == 1 + 5, "the second page, and four retries of it"
    assert _verdicts(done)[PROTECTED, "orders"] == "COMPLIANT"
    [missed] = done.card["not_evaluated"]
    assert missed["control"] == SECRETS[0]
    assert missed["annotation"].startswith("The secrets could not be listed: ")
    assert "ThrottlingException" in missed["annotation"]
    assert done.card["evaluations"]["NON_COMPLIANT"] == 100, "what the first page held is judged all the same"


@pytest.mark.slow
def test_a_gap_alone_is_not_clean(wounded: Wounded, aws: LocalAws, capsys: Capsys) -> None:
    _cluster(aws, "orders", DeletionProtection=True)
    aws.client("rds").create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="monday", DBClusterIdentifier="orders"
    )
    wounded.answers["DescribeDBClusterSnapshots"] = _xml("Throttling")
    done = scan(capsys, controls=(PROTECTED, UNSHARED))
    assert done.status == 2
    assert set(done.unjudged) == {UNSHARED}


def test_a_list_that_stays_throttled_is_not_asked_for_by_each_of_a_thousand(
    wounded: Wounded, aws: LocalAws, capsys: Capsys
) -> None:
    for number in range(12):
        _cluster(aws, f"c{number}")
    wounded.answers["DescribeDBInstances"] = _xml("Throttling")
    done = scan(capsys, controls=("cluster_minor_upgrades_automatic", PROTECTED))
    assert done.card["evaluations"]["INSUFFICIENT_DATA"] == 12
    assert done.card["evaluations"]["NON_COMPLIANT"] == 12, "the other controls are judged all the same"
    assert wounded.seen.count("DescribeDBInstances") <= 3 * 5


@pytest.mark.slow
@pytest.mark.parametrize("code", ["DBParameterGroupNotFound", "AccessDenied", "Throttling"])
def test_one_group_that_is_not_told_costs_only_its_own_clusters(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, code: str
) -> None:
    for name in ("one", "two"):
        aws.client("rds").create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-postgresql16", Description="TLS"
        )
        _cluster(aws, f"c-{name}", DBClusterParameterGroupName=name)
    wounded.of_one["DescribeDBClusterParameters", "one"] = _xml(code)
    found = _verdicts(scan(capsys, "--all", controls=(TLS,)))
    assert found[TLS, "c-one"] == "INSUFFICIENT_DATA"
    assert found[TLS, "c-two"] != "INSUFFICIENT_DATA"
