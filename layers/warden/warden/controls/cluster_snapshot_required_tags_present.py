"""A manual cluster snapshot bears the tags that the policy names.

Why it matters
--------------
A snapshot outlives its database. Its tags are all that still says whose data it is, how it is classified and how long
it must be kept; access by tags, bills and clean-up go by them.

Only manual snapshots are judged. Automated ones have the tags of their cluster where that copies them, which
`cluster_snapshots_copy_tags` sees to, and are deleted after a while; those of AWS Backup get their tags from there.

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
- AWS Config Developer Guide, rds-cluster-snapshot-tagged
- AWS Security Hub CSPM, control RDS.29 (AWS Resource Tagging Standard)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, required_tag_examples, required_tags, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the tags of snapshots that somebody made by hand."""
    return (
        scope.outside(resource)
        or required_tags.unjudged_snapshot(resource)
        or required_tags.judge(resource, settings)
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person which tags lack, and where those of the cluster are seen."""
    cluster = guidance.command(
        resource,
        "describe-db-clusters",
        {
            "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
            "query": "DBClusters[].TagList",
        },
    )
    return required_tags.by_hand(resource, settings, cluster)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Manual cluster snapshots have the tags that the policy names",
    resource_type=ResourceType.DB_CLUSTER_SNAPSHOT,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.29"),
        frameworks.config("rds-cluster-snapshot-tagged"),
        frameworks.TAGGING,
    ),
    settings=(required_tags.REQUIRED_TAGS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Add what {id} lacks, with the values that are true of it; its other tags stay:

    aws rds add-tags-to-resource --resource-name {arn} --tags Key=KEY,Value=VALUE --region {region}

Those of the cluster, if it still exists, are in `aws rds describe-db-clusters`.

Make it last: CloudFormation `CopyTagsToSnapshot: true` of `AWS::RDS::DBCluster`, which gives new snapshots its tags;
Terraform `copy_tags_to_snapshot = true` of the cluster, and `tags` of `aws_db_cluster_snapshot`.
""",
    examples=(
        *required_tag_examples.examples("aurora-postgresql"),
        Example(
            name="an automated one has the tags of its database, or none",
            facts={"SnapshotType": "automated", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="AWS Backup's own",
            facts={"SnapshotType": "awsbackup", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a type that nobody has heard of is not passed over",
            facts={"SnapshotType": "telepathic", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product's snapshot",
            facts={"Engine": "docdb", "TagList": []},
            settings=required_tag_examples.OWNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
