"""Only clusters that the policy names can be queried through the RDS Data API.

Why it matters
--------------
The Data API takes SQL over HTTPS from anywhere on the Internet: it stands outside the VPC, and security
groups, subnets and the port mean nothing to it. Who may call it and may read one secret, can read the
database. That suits some serverless applications, and surprises everybody who believes that a private subnet
keeps a database private. So it is a decision for each cluster.

The approval is a line in the policy that names the cluster by its immutable id, and no tag: who may tag a
cluster must not be able to exempt it.

Remediation safety
------------------
Disruptive. Whatever uses the Data API, and the query editor of the console, is cut off at once, so each case
needs an approval or a line of the policy that allows it. Nothing restarts, connections over the database's
port are untouched, and enabling it again is one call. On Aurora Serverless v1 it is another call, which
Warden leaves to a person.

References
----------
- Amazon RDS API Reference, DisableHttpEndpoint
- Amazon RDS API Reference, DBCluster: HttpEndpointEnabled
- Amazon Aurora User Guide, "Using the Amazon RDS Data API"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, scope
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
from warden.core.guard import Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge whether the endpoint is off, or on by the policy's leave."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["Engine"] not in engines.AURORA:
        return not_applicable(f"{resource.ref.id} is a Multi-AZ DB cluster, which has no Data API.")
    if not resource.facts["HttpEndpointEnabled"]:
        return compliant(f"{resource.ref.id} cannot be queried through the Data API.")
    if resource.facts["DbClusterResourceId"] in settings["approved_clusters"]:
        return compliant(f"{resource.ref.id} can be queried through the Data API, as the policy approves.")
    return non_compliant(
        f"{resource.ref.id} can be queried through the Data API, which the policy does not approve."
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Disable the endpoint.

    "This operation applies only to Aurora Serverless v2 and provisioned DB clusters" (DisableHttpEndpoint).
    """
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return Manual(
            "On Aurora Serverless v1 the Data API is a setting of ModifyDBCluster, which Warden does not change: turn "
            "it off by hand.",
            (
                guidance.command(
                    resource,
                    "modify-db-cluster",
                    {
                        "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
                        "enable-http-endpoint": False,
                    },
                ),
            ),
        )
    return Plan((Call("DisableHttpEndpoint", {"ResourceArn": resource.facts["DBClusterArn"]}),))


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Only approved clusters can be queried through the RDS Data API",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.nist("AC-3", "AC-4", "CM-7", "SC-7"),
        frameworks.hipaa("164.312(a)(1)"),
        frameworks.iso_27001("A.8.20"),
        frameworks.soc_2("CC6.6"),
    ),
    settings=(
        Setting(
            name="approved_clusters",
            default=[],
            doc="The immutable ids (DbClusterResourceId) of the clusters that may have the Data API.",
            pattern=r"cluster-[A-Z0-9]{20,40}",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(Permit(operation="DisableHttpEndpoint", required={"ResourceArn": SameAs("DBClusterArn")}),),
        safety=Safety.DISRUPTIVE,
    ),
    fix="""\
Find out first who uses it: CloudTrail records ExecuteStatement of rds-data.amazonaws.com as a data event. Then
disable it; whatever uses it is cut off, and nothing restarts:

    aws rds disable-http-endpoint --resource-arn {arn} --region {region}

On Aurora Serverless v1 it is

    aws rds modify-db-cluster --db-cluster-identifier {id} --no-enable-http-endpoint --region {region}

If the application needs it, approve the cluster in the policy: `approved_clusters` of
`controls.cluster_data_api_approved` takes its DbClusterResourceId.

Make it last: CloudFormation `EnableHttpEndpoint: false` of `AWS::RDS::DBCluster`; Terraform
`enable_http_endpoint = false` of `aws_rds_cluster`.
""",
    examples=(
        Example(name="off", facts={"HttpEndpointEnabled": False}, expect=ComplianceType.COMPLIANT),
        Example(
            name="on, and nobody approved it",
            facts={"HttpEndpointEnabled": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, and approved",
            facts={"HttpEndpointEnabled": True},
            settings={"approved_clusters": ["cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="another cluster is approved",
            facts={"HttpEndpointEnabled": True},
            settings={"approved_clusters": ["cluster-ZYXWVUTSRQPONMLKJIHGFEDCBA"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 turns it off by another call",
            facts={"HttpEndpointEnabled": True, "EngineMode": "serverless"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster has none",
            facts={"Engine": "postgres", "EngineVersion": "16.4"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="it is not known",
            facts={},
            missing=("HttpEndpointEnabled",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
