"""The capacity of Aurora Serverless v2 stays within the policy's bounds.

Why it matters
--------------
The smallest capacity decides how a database wakes up: at 0 ACUs it pauses, and the first connection waits for some
fifteen seconds; at 0.5 its buffers are empty when load comes, and Performance Insights has too little room. The
largest one is the only limit of what a runaway query, or somebody else's queries, can cost.

Nothing is judged until the policy sets a bound: `lowest_minimum` for MinCapacity, `highest_maximum` for MaxCapacity,
in ACUs; 0 is none. AWS advises 2 ACUs with Performance Insights, and 8 for the primary cluster of a global database.
A cluster without an instance of Serverless v2 is not judged: one may keep bounds that bind nobody.

Remediation safety
------------------
Costs. Warden raises MinCapacity to the bound, leaves MaxCapacity as it is, and restarts nothing. What runs at the
minimum costs more from then on: in us-east-1, 0.12 USD for each ACU and hour, 88 USD a month; and a cluster that could
pause does so no more. To take it back, lower the minimum. A maximum that is too high is a person's to lower, since
queries may need it.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: ServerlessV2ScalingConfiguration
- Amazon RDS API Reference, ServerlessV2ScalingConfigurationInfo: MinCapacity, MaxCapacity
- Amazon Aurora User Guide, "Performance and scaling for Aurora Serverless v2"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, scope
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
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

_MOST_ACUS = 256
_SERVERLESS = "db.serverless"
COST = (
    "What runs at the minimum is billed by the ACU: in us-east-1 each one more is 0.12 USD an hour, which is 88 USD a "
    "month, for each instance."
)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Compare the bounds of the cluster with those of the policy."""
    if verdict := scope.outside(resource):
        return verdict
    name, capacity = resource.ref.id, resource.facts["ServerlessV2ScalingConfiguration"]
    lowest, highest = settings["lowest_minimum"], settings["highest_maximum"]
    if capacity is None:
        return not_applicable(f"{name} is not of Aurora Serverless v2.")
    if not lowest and not highest:
        return not_applicable(f"{name} has {_range(capacity)}, and the policy sets no bound.")
    if not any(member["DBInstanceClass"] == _SERVERLESS for member in resource.facts[Need.MEMBERS]):
        return not_applicable(f"{name} has {_range(capacity)}, and no instance of Serverless v2.")
    wrong = []
    if capacity["MinCapacity"] < lowest:
        wrong.append(f"the policy wants {lowest} at least")
    if highest and capacity["MaxCapacity"] > highest:
        wrong.append(f"the policy wants {highest} at most")
    if wrong:
        return non_compliant(f"{name} has {_range(capacity)}: {' and '.join(wrong)}.")
    return compliant(f"{name} has {_range(capacity)}, within the policy's bounds.")


def _range(capacity: Mapping[str, Any]) -> str:
    return f"{capacity['MinCapacity']:g} to {capacity['MaxCapacity']:g} ACUs"


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Raise the minimum; lower nothing."""
    capacity = resource.facts["ServerlessV2ScalingConfiguration"]
    lowest, highest = settings["lowest_minimum"], settings["highest_maximum"]
    identifier = resource.facts["DBClusterIdentifier"]
    if lowest > capacity["MaxCapacity"] or capacity["MinCapacity"] >= lowest:
        low = max(lowest, capacity["MinCapacity"])
        high = max(low, min(capacity["MaxCapacity"], highest or _MOST_ACUS))
        return Manual(
            "Look at ServerlessDatabaseCapacity and ACUUtilization in CloudWatch before you change it: queries "
            "may need more than the policy allows, and a maximum below the minimum is refused.",
            (
                guidance.command(
                    resource,
                    "modify-db-cluster",
                    {
                        "db-cluster-identifier": identifier,
                        "serverless-v2-scaling-configuration": f"MinCapacity={low:g},MaxCapacity={high:g}",
                    },
                ),
            ),
        )
    # Without ApplyImmediately: it is not among the values that can be pending (ClusterPendingModifiedValues).
    return Plan(
        (
            Call(
                "ModifyDBCluster",
                {
                    "DBClusterIdentifier": identifier,
                    "ServerlessV2ScalingConfiguration": {
                        "MinCapacity": float(lowest),
                        "MaxCapacity": capacity["MaxCapacity"],
                    },
                },
            ),
        ),
        cost=COST,
    )


@dataclass(frozen=True, slots=True)
class RaisesTheMinimum:
    """For the write guard: a minimum above the live one, up to the live maximum, which stays."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to lower the minimum, to change the maximum, and anything else."""
        live = facts["ServerlessV2ScalingConfiguration"]
        if live is None or not isinstance(value, dict) or set(value) != {"MinCapacity", "MaxCapacity"}:
            return f"{value!r} is not the two bounds of a Serverless v2 cluster"
        if value["MaxCapacity"] != live["MaxCapacity"]:
            return f"{value['MaxCapacity']!r} is not the live maximum of {live['MaxCapacity']}"
        wanted = value["MinCapacity"]
        if not isinstance(wanted, float) or not live["MinCapacity"] < wanted <= live["MaxCapacity"]:
            return f"{wanted!r} does not raise the live minimum of {live['MinCapacity']}"
        return None


def _capacity(low: float, high: float) -> dict[str, Any]:
    """The bounds of a cluster with one instance of Serverless v2 beside a provisioned one, for the examples."""
    members = {"orders-1": "db.r7g.large", "orders-2": _SERVERLESS}
    return {
        "ServerlessV2ScalingConfiguration": {"MinCapacity": low, "MaxCapacity": high},
        "Members": [
            {"DBInstanceIdentifier": member, "DBInstanceClass": of_class}
            for member, of_class in members.items()
        ],
    }


_BOUNDS = {"lowest_minimum": 2, "highest_maximum": 64}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The capacity of Aurora Serverless v2 stays within the policy's bounds",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(frameworks.HIGH_AVAILABILITY),
    settings=(
        Setting(
            name="lowest_minimum",
            default=0,
            doc="The least MinCapacity of a cluster, in ACUs. 0: no bound.",
            minimum=0,
            maximum=_MOST_ACUS,
        ),
        Setting(
            name="highest_maximum",
            default=0,
            doc="The greatest MaxCapacity of a cluster, in ACUs. 0: no bound.",
            minimum=0,
            maximum=_MOST_ACUS,
        ),
    ),
    needs=(Need.MEMBERS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBCluster",
                required={
                    "DBClusterIdentifier": SameAs("DBClusterIdentifier"),
                    "ServerlessV2ScalingConfiguration": RaisesTheMinimum(),
                },
            ),
        ),
        safety=Safety.COSTS,
    ),
    fix="""\
Set the bounds; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} \\
        --serverless-v2-scaling-configuration MinCapacity=2,MaxCapacity=64 --region {region}

Make it last: CloudFormation `ServerlessV2ScalingConfiguration: BOUNDS` of `AWS::RDS::DBCluster`, with MinCapacity and
MaxCapacity; Terraform `serverlessv2_scaling_configuration` of `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="within the bounds",
            facts={"Engine": "aurora-postgresql", **_capacity(2, 64)},
            settings=_BOUNDS,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="it pauses, which the policy does not want",
            facts=_capacity(0, 16),
            settings=_BOUNDS,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="half an ACU, where no maximum is set",
            facts=_capacity(0.5, 128),
            settings={"lowest_minimum": 2},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the maximum is too high",
            facts=_capacity(2, 128),
            settings=_BOUNDS,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the maximum is below the policy's minimum",
            facts=_capacity(0.5, 1),
            settings=_BOUNDS,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a policy without bounds",
            facts=_capacity(0, 256),
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="bounds that it kept, without an instance that they bind",
            facts={
                **_capacity(0.5, 128),
                "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.r7g.large"}],
            },
            settings=_BOUNDS,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="which classes its instances have is not known",
            facts=_capacity(0.5, 128),
            settings=_BOUNDS,
            missing=(Need.MEMBERS,),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a provisioned cluster",
            facts={"ServerlessV2ScalingConfiguration": None},
            settings=_BOUNDS,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", **_capacity(0, 128)},
            settings=_BOUNDS,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the bounds are not known",
            facts={},
            missing=("ServerlessV2ScalingConfiguration",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
