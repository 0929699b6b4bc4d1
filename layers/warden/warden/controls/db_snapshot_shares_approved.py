"""The snapshot can be copied and restored by approved accounts alone.

Why it matters
--------------
Sharing a DB snapshot with an account of one's own is the least conspicuous way to carry a database out: no
data crosses the network of the victim, and the copy survives the end of the sharing. Security Hub has no
control for it.

The public is another condition, `db_snapshot_not_public`; the account's own id is always approved.

Remediation safety
------------------
Disruptive. A consumer that is legitimate and not on the list, such as a backup account, can no longer copy or
restore the snapshot. So it needs an approval, or a line of the policy. Warden removes exactly the accounts
that are not approved. While the policy approves no account at all, it removes none: an empty list is more
likely one that nobody has written yet than a wish.

References
----------
- Amazon RDS API Reference, ModifyDBSnapshotAttribute: ValuesToRemove
- Amazon RDS User Guide, "Sharing a DB snapshot for Amazon RDS"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, frameworks, scope, sharing
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge who may restore it, by account."""
    return scope.outside(resource) or sharing.judge_shares(resource, settings["approved_accounts"])


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Take it back from the accounts that are not approved."""
    approved = settings["approved_accounts"]
    if not approved:
        return Manual(
            "The policy approves no account yet, so Warden cannot tell a stranger from your backup account: list the "
            "accounts in baseline.approved_accounts, or this account's own id if there are none."
        )
    return sharing.unshare(resource, sharing.unapproved(resource, approved))


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="DB snapshots are shared with approved accounts alone",
    resource_type=ResourceType.DB_SNAPSHOT,
    severity=Severity.HIGH,
    frameworks=frameworks.SHARING,
    needs=(Need.RESTORE_ACCOUNTS,),
    settings=(baseline.APPROVED_ACCOUNTS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(sharing.permit(ResourceType.DB_SNAPSHOT),),
        safety=Safety.DISRUPTIVE,
    ),
    fix="""\
Ask who shared it and why. If an account should have it, add the account to `baseline.approved_accounts` in the policy;
if not, take it back (here from 210987654321), and from the key that encrypts it:

    aws rds modify-db-snapshot-attribute --db-snapshot-identifier {id} \\
        --attribute-name restore --values-to-remove 210987654321 --region {region}

Removing `all` does not remove an account that is named. Make it last with a service control policy: deny
`rds:ModifyDBSnapshotAttribute` to everybody but the role that shares backups.
""",
    examples=(
        Example(
            name="shared with nobody",
            facts={"RestoreAccounts": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="shared with the backup account and its own",
            facts={"RestoreAccounts": ["123456789012", "210987654321"]},
            settings={"approved_accounts": ["210987654321"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="shared with a stranger beside the backup account",
            facts={"RestoreAccounts": ["210987654321", "666666666666"]},
            settings={"approved_accounts": ["210987654321"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="shared while the policy approves no account yet",
            facts={"RestoreAccounts": ["210987654321"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="public is another condition",
            facts={"RestoreAccounts": ["all"]},
            settings={"approved_accounts": ["210987654321"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "informix", "RestoreAccounts": ["666666666666"]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="with whom it is shared could not be read",
            facts={},
            missing=("RestoreAccounts",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
