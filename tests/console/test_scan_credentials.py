"""A scan with the credentials of a role: the models that it loads hold what botocore gets these by."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
