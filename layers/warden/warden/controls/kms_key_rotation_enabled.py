"""The material of a key that databases use is replaced every year by KMS.

Why it matters
--------------
Rotation limits how much is encrypted with one piece of key material, and how long a leak of it matters. It costs
no work: KMS keeps the older material, so whatever was encrypted with it still opens, and the ARN stays.

Only symmetric customer managed keys whose material KMS made can rotate by themselves. Keys with imported material
or in a key store cannot; replicas of a multi-Region key follow their primary.

Remediation safety
------------------
Costs. Nothing that uses the key notices a rotation. The first and the second rotation each add 1 USD a month to
the price of the key.

References
----------
- AWS KMS API Reference, EnableKeyRotation: "Automatic key rotation is supported only on symmetric encryption KMS keys"
- AWS KMS API Reference, GetKeyRotationStatus: KeyRotationEnabled
- AWS KMS Developer Guide, "Rotate AWS KMS keys"
- AWS Security Hub CSPM, control KMS.4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import database_keys, frameworks, guidance
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

COST = "The first and the second rotation each add 1 USD a month to the price of the key."


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge keys that can rotate by themselves."""
    return database_keys.outside(resource) or _cannot_rotate(resource) or _judge(resource)


def _judge(resource: Resource) -> Verdict:
    if resource.facts[Need.KEY_ROTATION]["KeyRotationEnabled"]:
        return compliant(f"{resource.ref.id} is rotated by KMS.")
    return non_compliant(f"{resource.ref.id} is never rotated.")


def _cannot_rotate(resource: Resource) -> Verdict | None:
    facts = resource.facts
    if facts["KeyState"] is None:
        return not_applicable(f"{resource.ref.id} does not exist any more, which kms_key_usable judges.")
    if facts["KeySpec"] != "SYMMETRIC_DEFAULT":
        return not_applicable(f"{resource.ref.id} is a key of {facts['KeySpec']}, which KMS does not rotate.")
    if facts["Origin"] != "AWS_KMS":
        return not_applicable(
            f"{resource.ref.id} has material of the origin {facts['Origin']}, which KMS does not rotate by itself."
        )
    regions = facts["MultiRegionConfiguration"]
    if regions is not None and regions["MultiRegionKeyType"] == "REPLICA":
        return not_applicable(
            f"{resource.ref.id} is a replica: it is rotated with {regions['PrimaryKey']['Arn']}."
        )
    return None


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn rotation on, once a year, unless the key's state refuses it."""
    arn = resource.facts["Arn"]
    if resource.facts["KeyState"] != "Enabled":
        return Manual(
            "KMS changes no key that is not enabled: make it usable first (kms_key_usable), then turn rotation on.",
            (guidance.command(resource, "enable-key-rotation", {"key-id": arn}, service="kms"),),
        )
    return Plan((Call("EnableKeyRotation", {"KeyId": arn}),), cost=COST)


_NOT_ROTATED = {"KeyRotation": {"KeyRotationEnabled": False}}
_PRIMARY = "arn:aws:kms:us-east-1:123456789012:key/mrk-1c7a2b3d4e5f4a6b8c9d0e1f2a3b4c5d"

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="KMS keys that databases use are rotated every year",
    resource_type=ResourceType.KMS_KEY,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("KMS.4"),
        frameworks.config("cmk-backing-key-rotation-enabled"),
        frameworks.prowler("kms_cmk_rotation_enabled"),
        frameworks.CIS_KEY_ROTATION,
        frameworks.pci_dss("3.7.4"),
        frameworks.KEY_MANAGEMENT,
    ),
    needs=(Need.KEY_USERS, Need.KEY_ROTATION),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(Permit(operation="EnableKeyRotation", required={"KeyId": SameAs("Arn")}),),
        safety=Safety.COSTS,
    ),
    fix="""\
Turn it on; nothing that uses the key notices:

    aws kms enable-key-rotation --key-id {id} --region {region}

Make it last: CloudFormation `EnableKeyRotation: true` of `AWS::KMS::Key`; Terraform `enable_key_rotation = true` of
`aws_kms_key`.
""",
    examples=(
        Example(
            name="rotated",
            facts={"KeyRotation": {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="not rotated", facts=_NOT_ROTATED, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="not rotated, and disabled",
            facts={**_NOT_ROTATED, "KeyState": "Disabled", "Enabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the primary of a multi-Region key",
            facts={
                **_NOT_ROTATED,
                "MultiRegion": True,
                "MultiRegionConfiguration": {
                    "MultiRegionKeyType": "PRIMARY",
                    "PrimaryKey": {"Arn": _PRIMARY, "Region": "us-east-1"},
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a replica follows its primary",
            facts={
                **_NOT_ROTATED,
                "MultiRegion": True,
                "MultiRegionConfiguration": {
                    "MultiRegionKeyType": "REPLICA",
                    "PrimaryKey": {"Arn": _PRIMARY, "Region": "us-east-1"},
                },
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="imported material is replaced by whoever imported it",
            facts={**_NOT_ROTATED, "Origin": "EXTERNAL"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key in a key store",
            facts={**_NOT_ROTATED, "Origin": "AWS_CLOUDHSM"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an asymmetric key",
            facts={**_NOT_ROTATED, "KeySpec": "RSA_4096", "EncryptionAlgorithms": ["RSAES_OAEP_SHA_256"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key that is gone",
            facts={"KeyState": None, "KeyRotation": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key of AWS's own is rotated anyway",
            facts={"KeyManager": "AWS"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="nothing uses it",
            facts={**_NOT_ROTATED, "KeyUsers": {"Count": 0, "Some": []}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="its rotation could not be read",
            facts={},
            missing=("KeyRotation",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
