"""A cluster streams what is done in it: its database activity stream is started.

Why it matters
--------------
An audit log is written where the database's administrators can turn it off. A database activity stream is
not: it goes, encrypted with a key of yours, to a Kinesis stream that only others may read, within moments.
Some rules ask for just that separation, for the databases that hold what they protect.

The policy names a tag; clusters that carry it must stream, with any value or with the one that is named. While
it names none, every Aurora cluster must. Aurora Serverless v2, clusters with an express configuration, and
engines other than Aurora have no such stream.

Remediation safety
------------------
Safe, because Warden writes nothing: starting a stream takes a key, somebody who reads it, and a choice between
a session that waits for each event and one that does not. It costs what the Kinesis stream costs. A ticket
tells how.

References
----------
- Amazon RDS API Reference, StartActivityStream
- Amazon RDS API Reference, DBCluster: ActivityStreamStatus
- Amazon Aurora User Guide, "Monitoring Amazon Aurora with Database Activity Streams"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, master_user, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_SERVERLESS = "db.serverless"


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the stream of clusters that can have one, and that the policy means."""
    if verdict := scope.outside(resource) or _cannot(resource) or _need_not(resource, settings):
        return verdict
    status = resource.facts["ActivityStreamStatus"]
    if status in {"started", "starting"}:
        return compliant(f"{resource.ref.id} has its activity stream {status}.")
    return non_compliant(f"{resource.ref.id} has its activity stream {status}.")


def _cannot(resource: Resource) -> Verdict | None:
    """Why a cluster can have no stream."""
    if resource.facts["Engine"] not in engines.AURORA:
        return not_applicable(f"{resource.ref.id} is a Multi-AZ DB cluster, which has no activity stream.")
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(f"{resource.ref.id} is Aurora Serverless v1, which has no activity stream.")
    if master_user.is_express(resource.facts):
        return not_applicable(
            f"{resource.ref.id} has an express configuration, with which there is no activity stream."
        )
    if any(member["DBInstanceClass"] == _SERVERLESS for member in resource.facts[Need.MEMBERS]):
        return not_applicable(
            f"{resource.ref.id} has instances of Aurora Serverless v2, which has no activity stream."
        )
    return None


def _need_not(resource: Resource, settings: Mapping[str, Any]) -> Verdict | None:
    """Why the policy does not mean this cluster."""
    key, _, value = settings["tag"].partition("=")
    if not key:
        return None
    tags = {tag["Key"]: tag.get("Value", "") for tag in resource.facts["TagList"]}
    if key in tags and (not value or tags[key] == value):
        return None
    return not_applicable(f"{resource.ref.id} does not carry the tag {settings['tag']}.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say how to start the stream."""
    return Manual(
        "Choose a key that the stream is encrypted with and somebody who reads it, then start it. In the mode async a "
        "session does not wait for its events; with apply-immediately the cluster's instances may restart.",
        (
            guidance.command(
                resource,
                "start-activity-stream",
                {
                    "resource-arn": resource.ref.arn,
                    "mode": "async",
                    "kms-key-id": "YOUR-KEY",
                    "apply-immediately": True,
                },
            ),
        ),
    )


_REGULATED = [{"Key": "data", "Value": "regulated"}]

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora clusters that the policy means have their database activity stream started",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.5"),
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.MEMBERS,),
    settings=(
        Setting(
            name="tag",
            default="",
            doc="The tag of the clusters that must stream, as key or as key=value. Empty: every Aurora cluster.",
            pattern=r"[^=]{0,128}(=.{0,256})?",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Start the stream of {id}, with a key of yours:

    aws rds start-activity-stream --resource-arn {arn} --mode async --kms-key-id YOUR-KEY --apply-immediately \\
        --region {region}

Make it last: Terraform `aws_rds_cluster_activity_stream`; CloudFormation has no resource for it.
""",
    examples=(
        Example(name="started", facts={"ActivityStreamStatus": "started"}, expect=ComplianceType.COMPLIANT),
        Example(
            name="about to start", facts={"ActivityStreamStatus": "starting"}, expect=ComplianceType.COMPLIANT
        ),
        Example(
            name="stopped", facts={"ActivityStreamStatus": "stopped"}, expect=ComplianceType.NON_COMPLIANT
        ),
        Example(
            name="stopped, and it carries the tag",
            facts={"ActivityStreamStatus": "stopped", "TagList": _REGULATED},
            settings={"tag": "data=regulated"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="stopped, and it carries the tag with any value",
            facts={"ActivityStreamStatus": "stopped", "TagList": _REGULATED},
            settings={"tag": "data"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="stopped, and it carries another value of the tag",
            facts={"ActivityStreamStatus": "stopped", "TagList": _REGULATED},
            settings={"tag": "data=public"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v2 has no stream",
            facts={
                "ActivityStreamStatus": "stopped",
                "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.serverless"}],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster with an express configuration has no stream",
            facts={"ActivityStreamStatus": "stopped", "InternetAccessGatewayEnabled": True},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster without a VPC is of express configuration, too",
            facts={"ActivityStreamStatus": "stopped", "VPCNetworkingEnabled": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1 has no stream",
            facts={"ActivityStreamStatus": "stopped", "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Multi-AZ DB cluster has no stream",
            facts={"Engine": "postgres", "ActivityStreamStatus": "stopped"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the status is not known",
            facts={},
            missing=("ActivityStreamStatus",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
