"""A scan with the credentials of a role: the models that it loads hold what botocore gets these by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.session import Session

from console import paths
from console.local.aws import LocalAws
from console.scan import OPERATIONS_OF_A_SCAN, scan_account
from warden.controls import all_controls
from warden.gateways.clients import Clients
from warden.wiring import load_policy

if TYPE_CHECKING:
    from pathlib import Path

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/auditor"
PROFILES = f"""
[profile auditor]
role_arn = {ROLE}
source_profile = me
region = {REGION}

[profile me]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret
"""


def test_a_profile_that_assumes_a_role_can_scan(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(PROFILES)
    with LocalAws(region=REGION) as aws, pytest.MonkeyPatch.context() as environment:
        made = aws.client("rds").create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )
        environment.setenv("AWS_CONFIG_FILE", str(config))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            environment.delenv(name, raising=False)
        chosen = [one for one in all_controls() if one.id == "cluster_deletion_protection_enabled"]
        scan = scan_account(
            regions=[REGION], controls=chosen, policy=load_policy(paths.POLICY), profile="auditor"
        )
    assert [finding["resource"] for finding in scan.findings] == [made["DBCluster"]["DBClusterArn"]]


@pytest.mark.parametrize("service", OPERATIONS_OF_A_SCAN)
def test_what_a_scan_calls_is_in_the_models_that_it_loads(service: str) -> None:
    models = paths.models(OPERATIONS_OF_A_SCAN, botocore.__version__)
    assert models.is_dir(), "make setup writes them"
    client = Clients(account="1", models=models).get(service, account="1", region=REGION)
    whole = Session().get_service_model(service)

    for operation in OPERATIONS_OF_A_SCAN[service]:
        ours = client.meta.service_model.operation_model(operation)
        assert list(ours.output_shape.members if ours.output_shape else ()) == list(
            getattr(whole.operation_model(operation).output_shape, "members", ())
        )


class UnsentError(Exception):
    """Raised before a request is sent."""


def where(client: Any, operation: str, **asked: Any) -> tuple[str, str]:
    """The address that a client would send to, and what it signs for."""
    sent = []

    def keep(request: Any, **_: Any) -> None:
        sent.append((request.url, request.headers["Authorization"].decode().split("/", 2)[2].split(",")[0]))
        raise UnsentError

    client.meta.events.register_first("before-send", keep)
    with pytest.raises(UnsentError):
        getattr(client, operation)(**asked)
    return sent[0]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    ],
    ids=["none", "fips", "dual stack", "an endpoint"],
)
@pytest.mark.parametrize("region", [REGION, "cn-north-1", "us-gov-west-1", "eu-nowhere-9"])
def test_what_a_scan_calls_is_where_botocore_finds_it(
    region: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    models = paths.models(OPERATIONS_OF_A_SCAN, botocore.__version__)
    ours, botocores = (Clients(account="1", models=directory) for directory in (models, None))
    for service, operation, asked in (
        ("rds", "describe_db_clusters", {}),
        ("iam", "get_account_authorization_details", {}),
        ("sts", "get_caller_identity", {}),
        ("kms", "list_aliases", {}),
    ):
        one, other = (
            where(clients.get(service, account="1", region=region), operation, **asked)
            for clients in (ours, botocores)
        )
        assert one == other
