"""A stand-alone instance is in a plan of AWS Backup.

Why it matters
--------------
Automated backups are the instance's own: they reach back 35 days at most, and who deletes the instance deletes them
with it, unless he asks otherwise. What a plan of AWS Backup makes lies in a vault, for years if need be, under
permissions of its own, with copies in other Regions and accounts; and in a locked vault nobody can delete it.

A plan selects by ARNs, by tags and by conditions, and AWS Backup must be opted in to RDS, unless an ARN or a pattern
names instances. What its documents leave open, such as a wildcard in the middle of a name, is missing data, and no
verdict. Members of a cluster are in the plans of their cluster.

Remediation safety
------------------
Costs. If the policy names the tag by which a plan of yours selects databases, Warden adds it, where the instance has no
tag with that key, and a plan is sure to select it then. It never changes or removes a tag. Backups begin when the plan
runs next; in us-east-1 they cost 0.095 USD a month for each GB. If you grant access to databases by that tag, adding it
grants it.

References
----------
- AWS Backup API Reference, BackupSelection, Conditions, DescribeRegionSettings
- AWS Backup Developer Guide, "Assign resources with AWS CLI"
- Amazon RDS API Reference, AddTagsToResource
- AWS Security Hub CSPM, control RDS.26
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import backup_plans, frameworks, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource

COST = "In us-east-1, AWS Backup keeps a GB of RDS for 0.095 USD a month."


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge instances that are neither members nor replicas."""
    return (
        scope.outside_or_member(resource, "its plan of AWS Backup")
        or scope.replica(resource)
        or backup_plans.judge(resource, settings)
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Add the policy's tag, if that is sure to help."""
    return backup_plans.tagged(resource, settings, COST)


def _plan(*kept: int | None, **selection: Any) -> list[dict[str, Any]]:
    """A plan with one selection, for the examples."""
    rule = {"RuleName": "daily", "TargetBackupVaultName": "databases", "KeptDays": list(kept) or [90]}
    given = {
        "SelectionName": "databases",
        "Everything": False,
        **{name: [] for name in ("Resources", "NotResources", "ListOfTags")},
        "Conditions": {},
        **selection,
    }
    return [{"BackupPlanName": "nightly", "Rules": [rule], "Selections": [given]}]


def _tag(key: str, value: str) -> dict[str, str]:
    """A condition, for the examples."""
    return {"ConditionKey": key, "ConditionValue": value}


_ARN = "arn:aws:rds:eu-west-1:123456789012:db:billing"
_BY_TAG = _plan(ListOfTags=[_tag("backup", "nightly")])
_TAGGED = {"TagList": [{"Key": "team", "Value": "orders"}, {"Key": "backup", "Value": "nightly"}]}
_EVERYTHING = _plan(Everything=True)

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances are in a plan of AWS Backup",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.26"),
        frameworks.config("rds-resources-protected-by-backup-plan"),
        frameworks.prowler("rds_instance_protected_by_backup_plan"),
        frameworks.BACKUP,
    ),
    settings=backup_plans.SETTINGS,
    needs=(Need.BACKUP_PLANS, Need.BACKUP_OPT_IN),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(backup_plans.permit("DBInstanceArn"),),
        safety=Safety.COSTS,
    ),
    fix="""\
See which plans there are and what they select, and add the tag by which one selects, or a selection that names {id}:

    aws backup list-backup-plans --region {region}
    aws rds add-tags-to-resource --resource-name '{arn}' --tags Key=KEY,Value=VALUE --region {region}

AWS Backup must be opted in to RDS, unless a selection names instances, in the Region:

    aws backup describe-region-settings --region {region}

Make it last: CloudFormation `BackupSelection: ...` of `AWS::Backup::BackupSelection`; Terraform
`aws_backup_selection`; and the tag in the template of the database.
""",
    examples=(
        Example(
            name="a plan selects it by its tag",
            facts={**_TAGGED, "BackupPlans": _BY_TAG},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a plan selects all instances",
            facts={"BackupPlans": _plan(Resources=["arn:aws:rds:*:*:db:*"])},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a plan selects everything",
            facts={"BackupPlans": _plan(Resources=["*"])},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a plan selects everything, for it names nothing",
            facts={"BackupPlans": _EVERYTHING},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a condition takes it, because it is not tagged as a test",
            facts={
                "BackupPlans": _plan(
                    Resources=["*"],
                    Conditions={"StringNotEquals": [_tag("aws:ResourceTag/stage", "test")]},
                )
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="no plan at all", facts={"BackupPlans": []}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="the tag that a plan selects by, which Warden may add",
            facts={"BackupPlans": _BY_TAG},
            settings={"tag": "backup=nightly"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the key of that tag has another value",
            facts={"BackupPlans": _BY_TAG, "TagList": [{"Key": "backup", "Value": "none"}]},
            settings={"tag": "backup=nightly"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the policy's tag, by which no plan selects",
            facts={"BackupPlans": _BY_TAG},
            settings={"tag": "backup=weekly"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="fifty tags, and no place for another",
            facts={
                "BackupPlans": _BY_TAG,
                "TagList": [{"Key": f"key-{number}", "Value": "x"} for number in range(50)],
            },
            settings={"tag": "backup=nightly"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="excluded from a plan that selects everything",
            facts={"BackupPlans": _plan(Resources=["*"], NotResources=[_ARN])},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a condition leaves it out",
            facts={
                **_TAGGED,
                "BackupPlans": _plan(
                    ListOfTags=[_tag("backup", "nightly")],
                    Conditions={"StringLike": [_tag("aws:ResourceTag/team", "bill*")]},
                ),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="backups that are kept for a week, where the policy wants ninety days",
            facts={"BackupPlans": _plan(7, Resources=["*"])},
            settings={"minimum_retention_days": 90},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="backups of a week, with copies of a year",
            facts={"BackupPlans": _plan(7, 365, Resources=["*"])},
            settings={"minimum_retention_days": 90},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="backups that nothing deletes",
            facts={"BackupPlans": _plan(None, Resources=["*"])},
            settings={"minimum_retention_days": 3650},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="AWS Backup is not opted in",
            facts={**_TAGGED, "BackupPlans": _BY_TAG, "BackupOptIn": False},
            settings={"tag": "backup=nightly"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a pattern for instances takes it even where AWS Backup is not opted in to RDS",
            facts={"BackupPlans": _plan(Resources=["arn:aws:rds:*:*:db:*"]), "BackupOptIn": False},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a pattern with its wildcard in the middle of the name, of which AWS says both yes and no",
            facts={"BackupPlans": _plan(Resources=["arn:aws:rds:*:*:db:*ling"])},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a member is in the plans of its cluster",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "BackupPlans": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica is restored from its source's backups",
            facts={"ReadReplicaSourceDBInstanceIdentifier": "billing", "BackupPlans": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an Oracle instance",
            facts={"Engine": "oracle-ee", "BackupPlans": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the plans could not be read",
            facts={},
            missing=("BackupPlans",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
