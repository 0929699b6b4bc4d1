"""An instance bears the tags that the policy names.

Why it matters
--------------
Tags say whose a database is, how its data is classified and who pays for it. Access by tags, plans of AWS Backup,
bills, and the people who are called at night go by them; a database without an owner has nobody who answers a ticket.

Members of clusters are judged as well: they have tags of their own, and are billed one by one.

The policy names the tags in `required_tags`, and as shipped it names none: then nothing is judged. A key alone takes
any value; `key=value`, once for each value, takes those. Keys are compared with their case, as AWS does it. Tags that
AWS gives itself, whose keys begin with `aws:` or `rds:`, do not count. `*` asks for any one tag, which is what AWS's
own rules ask for as long as they are given no keys.

Remediation safety
------------------
Safe. And never done by Warden, which cannot know the values: a wrong one would let the wrong people in, or out. A
ticket names the keys that lack, and has the command with a place for each value. It changes no other tag.

References
----------
- Amazon RDS API Reference, AddTagsToResource
- Amazon RDS API Reference, Tag: Key
- Amazon RDS User Guide, "Tagging Amazon RDS resources"
- AWS Config Developer Guide, required-tags
- AWS Security Hub CSPM, control RDS.30 (AWS Resource Tagging Standard)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, required_tag_examples, required_tags, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the tags of every instance, those of members too."""
    return scope.outside(resource) or required_tags.judge(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person which tags lack."""
    return required_tags.by_hand(resource, settings)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="DB instances have the tags that the policy names",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.30"),
        frameworks.config("required-tags"),
        frameworks.TAGGING,
    ),
    settings=(required_tags.REQUIRED_TAGS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Add what {id} lacks, with the values that are true of it; its other tags stay:

    aws rds add-tags-to-resource --resource-name {arn} --tags Key=KEY,Value=VALUE --region {region}

Make it last: CloudFormation `Tags: [...]` of `AWS::RDS::DBInstance`; Terraform `tags` of `aws_db_instance` and
`aws_rds_cluster_instance`, or `default_tags` of the provider.
""",
    examples=(
        *required_tag_examples.examples("postgres"),
        Example(
            name="a member of a cluster has tags of its own",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "DBClusterIdentifier": "orders",
                "TagList": [],
            },
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="so has a read replica",
            facts={"ReadReplicaSourceDBInstanceIdentifier": "billing-primary", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="SQL Server",
            facts={
                "Engine": "sqlserver-se",
                "EngineVersion": "15.00.4420.2.v1",
                "TagList": required_tag_examples.TAGGED,
            },
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a DocumentDB instance is another product",
            facts={"Engine": "docdb", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "quantum-se", "TagList": required_tag_examples.TAGGED},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
