"""Predicates in core that several controls share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controls import items, service
from warden.controls import all_controls
from warden.core import engines, frameworks, guidance, log_exports, parameters
from warden.core.authentication import is_small_burstable
from warden.core.baseline import APPROVED_ACCOUNTS, KMS_KEY
from warden.core.encryption import CopyName, CustomerKey, copy_name, is_encrypted
from warden.core.evaluation import plan
from warden.core.plan import Plan
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable

# "Must contain from 1 to 255 letters, numbers, or hyphens. First character must be a letter. Can't end with a
# hyphen or contain two consecutive hyphens" (CopyDBSnapshot.TargetDBSnapshotIdentifier).
VALID_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")

identifiers = st.one_of(
    st.from_regex(r"[a-zA-Z](-?[a-zA-Z0-9]){0,254}", fullmatch=True),
    st.from_regex(r"(rds|awsbackup):[a-z0-9:-]{1,80}", fullmatch=True),
    st.text(min_size=1, max_size=300),
)


@given(identifiers)
def test_the_name_of_a_copy_is_an_identifier_that_aws_takes(original: str) -> None:
    for limit in (255, 63):
        name = copy_name(original, limit=limit)
        assert len(name) <= limit
        assert VALID_IDENTIFIER.fullmatch(name)
        assert name.startswith("warden-")


@given(st.lists(identifiers, unique=True, min_size=2, max_size=5))
def test_two_snapshots_never_share_the_name_of_a_copy(originals: list[str]) -> None:
    assert len({copy_name(original) for original in originals}) == len(originals)


def test_the_name_of_a_copy_is_the_same_at_every_visit_and_tells_its_original() -> None:
    name = copy_name("rds:billing-2026-11-20-03-00")
    assert name == copy_name("rds:billing-2026-11-20-03-00")
    assert name.startswith("warden-rds-billing-2026-11-20-03-00-")
    assert copy_name("Billing").startswith("warden-billing-")
    assert re.fullmatch(r"warden-[0-9a-f]{8}", copy_name("::"))


def test_the_name_of_a_copy_of_a_long_name_is_cut_where_aws_cuts() -> None:
    assert len(copy_name("a" * 255)) == 255
    assert len(copy_name("a" * 255, limit=63)) == 63
    # Cut right after a hyphen, which must not meet another.
    assert VALID_IDENTIFIER.fullmatch(copy_name("a" * 46 + "-" + "b" * 50, limit=63))


@pytest.mark.parametrize(
    ("stated", "flag", "expected"),
    [
        ("sse-kms", True, True),
        ("sse-rds", False, True),
        ("none", False, False),
        ("none", True, False),
        (None, True, True),
        (None, False, False),
        ("sse-quantum", True, None),
    ],
)
def test_the_stated_type_decides_and_the_older_flag_only_where_there_is_none(
    stated: str | None, flag: bool, expected: bool | None
) -> None:
    assert is_encrypted({"StorageEncryptionType": stated, "Encrypted": flag}, "Encrypted") is expected


@pytest.mark.parametrize(
    "key",
    [
        "alias/databases",
        "alias/teams/orders_key",
        "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
        "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/databases",
    ],
)
def test_a_customer_managed_key_may_be_named(key: str) -> None:
    assert CustomerKey().refusal(key, Facts({})) is None
    assert re.fullmatch(KMS_KEY.pattern, key)


@pytest.mark.parametrize(
    "key",
    [
        "alias/aws/rds",
        "arn:aws:kms:eu-west-1:123456789012:alias/aws/rds",
        "1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
        "arn:aws:kms:eu-west-1:123456789012:key/",
        "arn:aws:s3:::bucket",
        "alias/databases ",
        "alias/databases; rm",
    ],
)
def test_no_other_key_may_be_named(key: str) -> None:
    assert CustomerKey().refusal(key, Facts({})) is not None
    assert re.fullmatch(KMS_KEY.pattern, key) is None


def test_a_policy_may_leave_the_key_out_and_a_call_may_not() -> None:
    assert re.fullmatch(KMS_KEY.pattern, "")
    assert CustomerKey().refusal("", Facts({})) is not None
    assert CustomerKey().refusal(None, Facts({})) is not None


def test_accounts_are_twelve_digits() -> None:
    assert re.fullmatch(APPROVED_ACCOUNTS.pattern, "123456789012")
    assert not re.fullmatch(APPROVED_ACCOUNTS.pattern, "all")
    assert not re.fullmatch(APPROVED_ACCOUNTS.pattern, "12345678901")


def test_a_copy_has_one_name() -> None:
    accepts, facts = CopyName("DBSnapshotIdentifier"), Facts({"DBSnapshotIdentifier": "billing"})
    assert accepts.refusal(copy_name("billing"), facts) is None
    assert accepts.refusal(copy_name("orders"), facts) is not None


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"ParameterName": "rds.force_ssl", "ParameterValue": "1"}, True),
        ({"ParameterName": "rds.force_ssl", "ParameterValue": "0"}, False),
        ({"ParameterName": "rds.force_ssl", "ParameterValue": ""}, None),
        ({"ParameterName": "rds.force_ssl", "Source": "engine-default"}, None),
        ({"ParameterName": "require_secure_transport", "ParameterValue": "on"}, True),
        ({"ParameterName": "require_secure_transport", "Source": "engine-default"}, False),
        ({"ParameterName": "require_secure_transport", "Source": "user"}, None),
        ({"ParameterName": "require_secure_transport"}, None),
    ],
)
def test_a_switch_is_on_off_or_unknown(item: dict[str, str], expected: bool | None) -> None:
    assert parameters.switch(item) is expected


@pytest.mark.parametrize("value", ["1", "ON", "on", "true"])
def test_a_switch_may_be_turned_on(value: str) -> None:
    assert parameters.TurnsOn().refusal(value, Facts({})) is None


@pytest.mark.parametrize("value", ["0", "OFF", "", "perhaps", 1, True, None])
def test_a_switch_may_be_turned_no_other_way(value: object) -> None:
    assert parameters.TurnsOn().refusal(value, Facts({})) is not None


def test_every_governed_cluster_engine_has_a_tls_switch() -> None:
    assert set(parameters.TLS_SWITCH) == engines.CLUSTER_ENGINES


@pytest.mark.parametrize(
    ("instance_class", "expected"),
    [
        ("db.t2.micro", True),
        ("db.t3.small", True),
        ("db.t4g.nano", True),
        ("db.t4g.medium", False),
        ("db.r7g.large", False),
        ("db.serverless", False),
    ],
)
def test_small_burstable_classes_are_known(instance_class: str, expected: bool) -> None:
    assert is_small_burstable(instance_class) is expected


def test_a_command_is_safe_to_paste() -> None:
    resource = items.resource(ResourceType.DB_CLUSTER)
    options: dict[str, str | bool | list[str] | None] = {
        "db-cluster-identifier": "a; reboot",
        "vpc-security-group-ids": ["sg-1", "sg-2"],
        "deletion-protection": True,
        "publicly-accessible": False,
        "port": None,
    }
    assert guidance.command(resource, "modify-db-cluster", options) == (
        "aws rds modify-db-cluster --db-cluster-identifier 'a; reboot' --vpc-security-group-ids sg-1 sg-2 "
        "--deletion-protection --no-publicly-accessible --region eu-west-1"
    )


def test_requirements_of_a_framework_are_checked_when_they_are_grouped() -> None:
    assert [str(requirement) for requirement in frameworks.nist("SC-8", "SC-8(1)")] == [
        "NIST 800-53 r5 SC-8",
        "NIST 800-53 r5 SC-8(1)",
    ]
    with pytest.raises(ValueError, match="has no control"):
        frameworks.nist("SC-8", "RDS.1")


def test_a_switch_that_has_no_value_is_neither_on_nor_off() -> None:
    assert parameters.is_on(None) is None


@pytest.mark.parametrize(
    ("allowed", "default", "expected"),
    [("0,1", "ON", "1"), ("OFF, ON", "1", "ON"), ("0-10", "1", "1"), (None, "ON", "ON"), ("", "1", "1")],
)
def test_on_is_spelled_as_the_parameter_allows(allowed: str | None, default: str, expected: str) -> None:
    assert parameters.on_spelling(allowed, default) == expected


def test_tls_is_spelled_by_the_engines_custom_where_aws_does_not_say() -> None:
    control = next(c for c in all_controls() if c.id == "cluster_tls_enforced")
    item = {
        "ParameterName": "require_secure_transport",
        "ParameterValue": "OFF",
        "ApplyType": "dynamic",
        "IsModifiable": True,
    }
    resource = items.resource(
        control.resource_type,
        {"Engine": "aurora-mysql", "Parameters": {"require_secure_transport": item}},
    )
    made = plan(control, resource, {})
    assert isinstance(made, Plan)
    assert made.calls[0].parameters["Parameters"][0]["ParameterValue"] == "ON"


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (frameworks.security_hub, "RDS.18"),
        (frameworks.security_hub, "RDS.52"),
        (frameworks.security_hub, "EC2.20"),
        (frameworks.cis_foundations, "2.3.1"),
        (frameworks.pci_dss, "12.1"),
        (frameworks.nist_800_53, "PM-1"),
    ],
)
def test_a_requirement_that_a_framework_has_not_is_refused(
    make: Callable[[str], object], number: str
) -> None:
    with pytest.raises(ValueError, match="has no"):
        make(number)


def test_every_log_type_that_the_api_reference_names_may_be_required_and_enabled() -> None:
    # CreateDBCluster and CreateDBInstance: EnableCloudwatchLogsExports, "valid for each DB engine".
    prose = " ".join(
        service.input_of(operation).members["EnableCloudwatchLogsExports"].documentation
        for operation in ("CreateDBCluster", "CreateDBInstance")
    )
    documented = {
        name
        for row in re.findall(r"- <code>(.*?)</code>\s*</p>", prose)
        for name in re.split(r"\s*\|\s*", row)
    }
    assert {"audit", "oemagent", "postgresql", "diag.log"} <= documented
    assert documented == set(log_exports.LOG_TYPES)
