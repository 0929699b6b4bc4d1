"""A cluster bears the tags that the policy names.

Why it matters
--------------
Tags say whose a database is, how its data is classified and who pays for it. Access by tags, plans of AWS Backup,
bills, and the people who are called at night go by them; a database without an owner has nobody who answers a ticket.

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
- Amazon Aurora User Guide, "Tagging Amazon Aurora and Amazon RDS resources"
- AWS Config Developer Guide, rds-cluster-tagged
- AWS Security Hub CSPM, control RDS.28 (AWS Resource Tagging Standard)
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
    """Judge the tags of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or required_tags.judge(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person which tags lack."""
    return required_tags.by_hand(resource, settings)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora and Multi-AZ DB clusters have the tags that the policy names",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.28"),
        frameworks.config("rds-cluster-tagged"),
        frameworks.TAGGING,
    ),
    settings=(required_tags.REQUIRED_TAGS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Add what {id} lacks, with the values that are true of it; its other tags stay:

    aws rds add-tags-to-resource --resource-name {arn} --tags Key=KEY,Value=VALUE --region {region}

Make it last: CloudFormation `Tags: [...]` of `AWS::RDS::DBCluster`; Terraform `tags` of `aws_rds_cluster`, or
`default_tags` of the provider.
""",
    examples=(
        *required_tag_examples.examples("aurora-postgresql"),
        Example(
            name="a Multi-AZ DB cluster has tags as well",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="fifty tags leave no room for another",
            facts={"TagList": [{"Key": f"key-{number}", "Value": "x"} for number in range(50)]},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "aurora-quantum", "TagList": required_tag_examples.TAGGED},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
