"""A key that databases use can be used: it is enabled, and nobody has scheduled its deletion.

Why it matters
--------------
A database whose key is disabled is stopped by RDS, which waits seven days for the key, and then gives the
database up: only a backup under a key that works can still be restored. Members of a global database get no seven
days at all. A key that is deleted takes every database, snapshot and secret under it along, for ever; this is the
cheapest way to destroy a fleet, backups included.

Only customer managed keys are judged, and only while a cluster, an instance or a snapshot of the account uses
them: for storage, for Performance Insights, for an activity stream or for the master password's secret. A key that
is gone while something still names it stays non-compliant.

Remediation safety
------------------
Safe. Warden cancels a scheduled deletion, whatever freezes are on, and does no more: the key is disabled then, and
so is everything under it until a person enables it. Somebody may have disabled it on purpose, so that is never
unattended; a ticket carries the command. A deletion that was meant can be scheduled again.

References
----------
- AWS KMS API Reference, CancelKeyDeletion: "When this operation succeeds, the key state of the KMS key is Disabled"
- AWS KMS API Reference, DescribeKey: KeyState
- AWS KMS Developer Guide, "Key states of AWS KMS keys"
- Amazon Aurora User Guide, "Encrypting Amazon Aurora resources"
- AWS Security Hub CSPM, control KMS.3
"""

from __future__ import annotations

from datetime import UTC, datetime
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
    insufficient_data,
    non_compliant,
)
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

# "Updating" is the change of a multi-Region key's primary Region, during which the key works (KMS Developer Guide).
_USABLE = frozenset({"Enabled", "Updating"})
_WAITS_FOR_DELETION = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
_SAID = {
    "Disabled": "is disabled",
    "PendingDeletion": "is scheduled for deletion",
    "PendingReplicaDeletion": "is scheduled for deletion once its replicas are deleted",
    "PendingImport": "has no key material",
    "Unavailable": "cannot be reached in its key store",
    None: "does not exist any more",
}


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the state of a key that something uses."""
    if verdict := database_keys.outside(resource):
        return verdict
    state = resource.facts["KeyState"]
    if state in _USABLE:
        return compliant(f"{resource.ref.id} can be used: its state is {state}.")
    if state not in _SAID:
        return insufficient_data(f"{resource.ref.id} is in the state {state!r}, which does not decide it.")
    when = ""
    if state == "PendingDeletion" and (moment := resource.facts["DeletionDate"]) is not None:
        when = f" on {moment:%Y-%m-%d}"
    return non_compliant(
        f"{resource.ref.id} {_SAID[state]}{when}, and {database_keys.used_by(resource)} cannot do without it."
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Cancel a deletion; everything else is a person's."""
    state = resource.facts["KeyState"]
    if state in _WAITS_FOR_DELETION:
        return Plan((Call("CancelKeyDeletion", {"KeyId": resource.facts["Arn"]}),))
    if state == "Disabled":
        return Manual(
            "Somebody may have disabled the key on purpose, so Warden does not enable it. Ask who did, enable it, and "
            "start what RDS has stopped: what waits for its key is in the state "
            "inaccessible-encryption-credentials-recoverable, for seven days.",
            (
                guidance.command(resource, "enable-key", {"key-id": resource.facts["Arn"]}, service="kms"),
                guidance.command(resource, "start-db-cluster", {"db-cluster-identifier": "EACH-CLUSTER"}),
            ),
        )
    if state == "PendingImport":
        return Manual(
            "The key material has expired or was deleted. Import the same material again; no other opens what the key "
            "has encrypted.",
            (
                guidance.command(
                    resource,
                    "get-parameters-for-import",
                    {
                        "key-id": resource.facts["Arn"],
                        "wrapping-algorithm": "RSAES_OAEP_SHA_256",
                        "wrapping-key-spec": "RSA_4096",
                    },
                    service="kms",
                ),
            ),
        )
    if state == "Unavailable":
        return Manual(
            "The key store of the key is disconnected. Connect it again.",
            (
                guidance.command(
                    resource,
                    "connect-custom-key-store",
                    {"custom-key-store-id": resource.facts["CustomKeyStoreId"] or "KEY-STORE"},
                    service="kms",
                ),
            ),
        )
    return Manual(
        "The key is gone, and with it what it encrypted. Restore what you can from backups under another key, such as "
        "copies in another account or Region, and delete what nobody can open any more."
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="KMS keys that databases use are enabled and not scheduled for deletion",
    resource_type=ResourceType.KMS_KEY,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.security_hub("KMS.3"),
        frameworks.config("kms-cmk-not-scheduled-for-deletion"),
        frameworks.prowler("kms_cmk_not_deleted_unintentionally"),
        frameworks.KEY_MANAGEMENT,
    ),
    needs=(Need.KEY_USERS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(Permit(operation="CancelKeyDeletion", required={"KeyId": SameAs("Arn")}),),
        safety=Safety.SAFE,
        containment=True,
    ),
    fix="""\
Cancel a deletion, and ask who scheduled it. The key is disabled then; enable it once you know that nobody disabled it
on purpose, and start what RDS has stopped:

    aws kms cancel-key-deletion --key-id {id} --region {region}
    aws kms enable-key --key-id {id} --region {region}
    aws rds start-db-cluster --db-cluster-identifier EACH-CLUSTER --region {region}

Make it last: CloudFormation `Enabled: true` of `AWS::KMS::Key`, with `DeletionPolicy: Retain`; Terraform
`is_enabled = true` of `aws_kms_key`, with `prevent_destroy`. Deny `kms:ScheduleKeyDeletion` and `kms:DisableKey` to
everybody but the owners of keys with a service control policy.
""",
    examples=(
        Example(name="enabled", facts={"KeyState": "Enabled"}, expect=ComplianceType.COMPLIANT),
        Example(
            name="its primary Region changes, and it works",
            facts={"KeyState": "Updating"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="scheduled for deletion",
            facts={
                "KeyState": "PendingDeletion",
                "Enabled": False,
                "DeletionDate": datetime(2026, 12, 24, tzinfo=UTC),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="scheduled for deletion, and KMS does not say for when",
            facts={"KeyState": "PendingDeletion", "Enabled": False, "DeletionDate": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a primary key waits for the deletion of its replicas",
            facts={"KeyState": "PendingReplicaDeletion", "Enabled": False, "MultiRegion": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="disabled",
            facts={"KeyState": "Disabled", "Enabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the imported material has expired",
            facts={"KeyState": "PendingImport", "Origin": "EXTERNAL", "Enabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="its key store is disconnected",
            facts={"KeyState": "Unavailable", "CustomKeyStoreId": "cks-1234567890abcdef0"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="gone while a snapshot still names it",
            facts={
                "KeyState": None,
                "KeyUsers": {
                    "Count": 1,
                    "Some": ["arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:orders-last"],
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a replica is being made",
            facts={"KeyState": "Creating", "MultiRegion": True},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="disabled, and nothing uses it",
            facts={"KeyState": "Disabled", "KeyUsers": {"Count": 0, "Some": []}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key of AWS's own",
            facts={"KeyManager": "AWS"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="who uses it is not known",
            facts={"KeyState": "Disabled"},
            missing=("KeyUsers",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
