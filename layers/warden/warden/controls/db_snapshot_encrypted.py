"""A manual snapshot of an instance is encrypted, with whichever key.

Why it matters
--------------
A snapshot outlives the instance that it was taken of, and with it the reasons why that one was not encrypted.
Whoever may restore it reads it; and only unencrypted snapshots can be made public.

Only manual snapshots are judged. An automated one is as its instance is, and expires by itself; one of AWS
Backup is managed there.

Remediation safety
------------------
Costs. Warden makes an encrypted copy, with the key `baseline.kms_key` of the policy, under a name that is always the
same for one snapshot, so that there can be no second, if the account has room for one more. Once it is there, the copy
is shared with those of the original's accounts that are approved, never with everybody. The original is untouched and
never deleted, so it stays non-compliant until somebody deletes it: once the copy exists, a ticket says so. The copy is
a full one, since the key is another: in us-east-1, 0.095 USD for each GB that is kept for a month.

References
----------
- Amazon RDS API Reference, CopyDBSnapshot: KmsKeyId ("If you specify this parameter when you copy an
  unencrypted snapshot, the copy is encrypted")
- Amazon RDS API Reference, DBSnapshot: Encrypted, StorageEncryptionType, OriginalSnapshotCreateTime
- Amazon RDS User Guide, "AWS KMS key management": kms:CreateGrant and kms:DescribeKey
- AWS Security Hub CSPM, control RDS.4
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import baseline, encryption, engines, frameworks, guidance, procedure, quotas, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_MAKING = frozenset({"creating", "copying"})
COST = "The encrypted copy is a full one: in us-east-1, 0.095 USD for each GB that is kept for a month."


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the encryption of snapshots that were made by hand."""
    return (
        scope.outside(resource) or encryption.not_manual(resource) or encryption.judge(resource, "Encrypted")
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Make an encrypted copy, unless there is one, and share it with those who may restore the original."""
    if under_way := _under_way(resource, settings):
        return under_way
    facts = resource.facts
    if existing := encryption.copies(resource, facts[Need.ENCRYPTED_COPIES]):
        return _done(resource, existing)
    if (result := facts[Need.ENCRYPTION_PROCEDURE]["Result"]) is not None:
        return Manual(
            f"There is a snapshot {result['DBSnapshotIdentifier']}, which would be the encrypted copy, and is not one: "
            "rename or delete it, and Warden makes one."
        )
    if engines.is_custom(facts["Engine"]):
        # "This command doesn't apply to RDS Custom" (CopyDBSnapshot).
        return Manual("AWS does not copy snapshots of RDS Custom: take a new one of an encrypted instance.")
    if not settings["kms_key"]:
        return Manual(
            "The policy names no key to encrypt copies with: set baseline.kms_key to a customer managed key."
        )
    return quotas.lacking(resource, "ManualSnapshots") or _begin(resource, settings)


def _begin(resource: Resource, settings: Mapping[str, Any]) -> Plan | Wait:
    """The copy, unless it was made moments ago and is not described yet."""
    record = resource.facts[Need.ENCRYPTION_PROCEDURE]["Record"]
    calls = _calls(resource, settings)
    unseen = procedure.unseen(record, resource.observed_at)
    return unseen or procedure.first(calls[0], calls, record, cost=COST)


def _under_way(resource: Resource, settings: Mapping[str, Any]) -> Plan | Wait | None:
    """What is still to be done about the copy that Warden is making; None where it makes none, or all is done."""
    seen = resource.facts[Need.ENCRYPTION_PROCEDURE]
    result = seen["Result"]
    if result is None or seen["Record"] is None:
        return None
    if result["Status"] in _MAKING:
        name = result["DBSnapshotIdentifier"]
        return Wait(f"The encrypted copy {name} is being made.", _calls(resource, settings))
    missing = sorted(set(_shares(resource, settings)) - set(result["RestoreAccounts"]))
    if missing and _is_right(resource, settings, result):
        return procedure.go_on(_share(resource, missing), _calls(resource, settings), cost=COST)
    return None


def _is_right(resource: Resource, settings: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    """Whether it is available, under the key that the policy names, and a copy of this very snapshot."""
    keys = resource.facts[Need.ALIAS_KEYS]
    if result["Status"] != "available" or encryption.with_another_key(result, settings["kms_key"], keys):
        return False
    return bool(encryption.copies(resource, [result]))


def _done(resource: Resource, existing: list[str]) -> Manual:
    original = resource.facts["DBSnapshotIdentifier"]
    return Manual(
        f"An encrypted copy exists ({', '.join(existing)}): when it is available and you no longer need the "
        "unencrypted original, delete the original.",
        (
            guidance.command(resource, "wait db-snapshot-available", {"db-snapshot-identifier": existing[0]}),
            guidance.command(resource, "delete-db-snapshot", {"db-snapshot-identifier": original}),
        ),
        done=True,
    )


def _calls(resource: Resource, settings: Mapping[str, Any]) -> tuple[Call, ...]:
    """All calls of the procedure."""
    original = resource.facts["DBSnapshotIdentifier"]
    copy = Call(
        "CopyDBSnapshot",
        {
            "SourceDBSnapshotIdentifier": original,
            "TargetDBSnapshotIdentifier": encryption.copy_name(original),
            "KmsKeyId": settings["kms_key"],
            "CopyTags": True,
        },
    )
    shares = _shares(resource, settings)
    return (copy, _share(resource, shares)) if shares else (copy,)


def _shares(resource: Resource, settings: Mapping[str, Any]) -> list[str]:
    """Of the original's accounts, those that are approved: `all` is never among them."""
    approved = set(settings["approved_accounts"]) - {resource.ref.account}
    return sorted(set(resource.facts[Need.RESTORE_ACCOUNTS]) & approved)


def _share(resource: Resource, accounts: list[str]) -> Call:
    return Call(
        "ModifyDBSnapshotAttribute",
        {
            "DBSnapshotIdentifier": encryption.copy_name(resource.facts["DBSnapshotIdentifier"]),
            "AttributeName": "restore",
            "ValuesToAdd": accounts,
        },
    )


_TAKEN = datetime(2026, 11, 20, 3, tzinfo=UTC)


def _snapshot(name: str, **other: Any) -> dict[str, Any]:
    """Another snapshot of the same instance, for the examples."""
    return {
        "DBSnapshotIdentifier": name,
        "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWX22",
        "OriginalSnapshotCreateTime": _TAKEN,
        "Status": "available",
        "Encrypted": True,
        **other,
    }


_UNENCRYPTED = {
    "Encrypted": False,
    "StorageEncryptionType": "none",
    "KmsKeyId": None,
    "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWX22",
    "OriginalSnapshotCreateTime": _TAKEN,
}


def _begun(status: str, **other: Any) -> dict[str, Any]:
    """The copy that Warden is making, or has made, for the examples."""
    arn = "arn:aws:rds:eu-west-1:123456789012:snapshot"
    name = "warden-billing-before-upgrade-aa475afe"
    copy = {
        **_snapshot(name, Status=status),
        "StorageEncryptionType": "sse-kms",
        "KmsKeyId": _KEY["kms_key"],
        "RestoreAccounts": [],
        **other,
    }
    record = procedure.Record(
        arn=f"{arn}:{name}",
        serves=f"{arn}:billing-before-upgrade",
        serves_key=f"{arn}:billing-before-upgrade",
        controls=("db_snapshot_encrypted",),
        pledge="",
        nonce="5f3c6a0e",
        announced_at=_TAKEN,
    )
    return {"Temporary": None, "Result": copy, "Record": record}


_KEY = {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Manual DB snapshots are encrypted",
    resource_type=ResourceType.DB_SNAPSHOT,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.4"),
        frameworks.config("rds-snapshot-encrypted"),
        frameworks.prowler("rds_snapshots_encrypted"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=(baseline.KMS_KEY, baseline.APPROVED_ACCOUNTS),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="CopyDBSnapshot",
                required={
                    "SourceDBSnapshotIdentifier": SameAs("DBSnapshotIdentifier"),
                    "TargetDBSnapshotIdentifier": encryption.CopyName("DBSnapshotIdentifier"),
                    "KmsKeyId": encryption.CustomerKey(),
                    "CopyTags": Only((True,)),
                },
                dependent_actions=(
                    # "To create an RDS resource using a customer managed key, a user must have permissions to call
                    # the following operations on the customer managed key: kms:CreateGrant, kms:DescribeKey"
                    # (Amazon RDS User Guide, "AWS KMS key management").
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                    # CopyTags tags what it makes (Service Authorization Reference, "Actions, resources, and
                    # condition keys for Amazon RDS": AddTagsToResource on snapshots).
                    "rds:AddTagsToResource",
                ),
            ),
            Permit(
                operation="ModifyDBSnapshotAttribute",
                required={
                    "DBSnapshotIdentifier": encryption.CopyName("DBSnapshotIdentifier"),
                    "AttributeName": Only(("restore",)),
                    "ValuesToAdd": encryption.SharedAccounts(),
                },
            ),
        ),
        safety=Safety.COSTS,
        needs=(
            Need.RESTORE_ACCOUNTS,
            Need.ENCRYPTED_COPIES,
            Need.ENCRYPTION_PROCEDURE,
            Need.QUOTAS,
            Need.ALIAS_KEYS,
        ),
    ),
    fix="""\
Make an encrypted copy:

    aws rds copy-db-snapshot --source-db-snapshot-identifier {id} --target-db-snapshot-identifier ENCRYPTED-COPY \\
        --kms-key-id YOUR-KEY --copy-tags --region {region}

Delete the original when the copy is available and nobody needs the original any more:

    aws rds wait db-snapshot-available --db-snapshot-identifier ENCRYPTED-COPY --region {region}
    aws rds delete-db-snapshot --db-snapshot-identifier {id} --region {region}

Make it last: encrypt the instance, and its snapshots are.
""",
    examples=(
        Example(
            name="encrypted with a key of KMS",
            facts={"Encrypted": True, "StorageEncryptionType": "sse-kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="encrypted with AWS's own key, and the older flag is false",
            facts={"Encrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not encrypted, and the policy names a key",
            facts={**_UNENCRYPTED, "EncryptedCopies": []},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted, and the policy names no key",
            facts={**_UNENCRYPTED, "EncryptedCopies": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted, and an encrypted copy exists",
            facts={**_UNENCRYPTED, "EncryptedCopies": [_snapshot("warden-billing-before-upgrade-aa475afe")]},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the copy is being made",
            facts={**_UNENCRYPTED, "EncryptionProcedure": _begun("creating")},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the copy lacks an approved account of the original's",
            facts={
                **_UNENCRYPTED,
                "RestoreAccounts": ["210987654321", "555566667777", "all"],
                "EncryptionProcedure": _begun("available"),
            },
            settings={**_KEY, "approved_accounts": ["210987654321"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a snapshot has the name of the copy, and is none",
            facts={
                **_UNENCRYPTED,
                "EncryptionProcedure": {**_begun("available", KmsKeyId=None), "Record": None},
            },
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="as many manual snapshots as the account may have",
            facts={**_UNENCRYPTED, "Quotas": {"ManualSnapshots": {"Used": 100, "Max": 100}}},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted, and another snapshot of the instance is none of its copies",
            facts={
                **_UNENCRYPTED,
                "EncryptedCopies": [
                    _snapshot(
                        "billing-later", OriginalSnapshotCreateTime=datetime(2026, 11, 21, 3, tzinfo=UTC)
                    )
                ],
            },
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an answer without the type, not encrypted",
            facts={**_UNENCRYPTED, "StorageEncryptionType": None},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a snapshot of RDS Custom cannot be copied",
            facts={**_UNENCRYPTED, "Engine": "custom-oracle-ee"},
            settings=_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an automated snapshot is as its instance is",
            facts={**_UNENCRYPTED, "SnapshotType": "automated"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a snapshot of AWS Backup is managed there",
            facts={**_UNENCRYPTED, "SnapshotType": "awsbackup"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the type of the snapshot is not known",
            facts=_UNENCRYPTED,
            missing=("SnapshotType",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
