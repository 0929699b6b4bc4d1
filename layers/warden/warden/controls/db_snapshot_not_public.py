"""The snapshot cannot be copied or restored by every AWS account.

Why it matters
--------------
A public DB snapshot is the whole database, for anybody who has an AWS account: they copy it, and un-sharing
does not take the copy back. Only unencrypted snapshots can be made public, so it is readable at once.

The condition is about the public alone. Accounts that are named one by one are the condition of
`db_snapshot_shares_approved`, and survive when the public is removed.

Remediation safety
------------------
Safe, and containment: neither a freeze nor a stack's owner holds it up. Warden removes the one value `all`
from the attribute `restore`. Nobody who was named as an account loses access, and no database is touched.

References
----------
- Amazon RDS API Reference, ModifyDBSnapshotAttribute: ValuesToRemove
- Amazon RDS User Guide, "Sharing a DB snapshot for Amazon RDS"
- AWS Security Hub CSPM, control RDS.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, scope, sharing
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge whether everybody may restore it."""
    return scope.outside(resource) or sharing.judge_public(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Take it back from everybody."""
    return sharing.unshare(resource, [sharing.PUBLIC])


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="DB snapshots are not public",
    resource_type=ResourceType.DB_SNAPSHOT,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.1"),
        frameworks.config("rds-snapshots-public-prohibited"),
        frameworks.prowler("rds_snapshots_public_access"),
        frameworks.SHARING,
    ),
    needs=(Need.RESTORE_ACCOUNTS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(sharing.permit(ResourceType.DB_SNAPSHOT, members=(sharing.PUBLIC,)),),
        safety=Safety.SAFE,
        containment=True,
    ),
    fix="""\
Take it back from everybody:

    aws rds modify-db-snapshot-attribute --db-snapshot-identifier {id} \\
        --attribute-name restore --values-to-remove all --region {region}

Then find out what it held and for how long: whoever copied it keeps the copy.

Make it last with a service control policy that denies `rds:ModifyDBSnapshotAttribute` to everybody but the role
that shares backups. Neither CloudFormation nor Terraform makes a snapshot public by itself.
""",
    examples=(
        Example(
            name="shared with nobody",
            facts={"RestoreAccounts": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="public",
            facts={"RestoreAccounts": ["all"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="public and shared with an account as well",
            facts={"RestoreAccounts": ["210987654321", "all"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="shared with an account and not public",
            facts={"RestoreAccounts": ["210987654321"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "informix", "RestoreAccounts": ["all"]},
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
