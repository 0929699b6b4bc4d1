"""The cluster's master user has a name that an attacker must guess.

Why it matters
--------------
Whoever tries passwords needs a name first, and tries `admin`, `postgres` and `root` before all others: these
are the defaults that wizards and examples fill in. Another name costs nothing when a cluster is created. It
is the weakest of the controls about logins, and no substitute for any of them.

Remediation safety
------------------
Disruptive, and therefore never unattended: the name is settled when a cluster is created, and a restored copy
keeps it. Only a new cluster and a migration of the data can have another.

References
----------
- Amazon RDS API Reference, CreateDBCluster: MasterUsername
- Amazon RDS API Reference, DBCluster: MasterUsername
- AWS Security Hub CSPM, control RDS.24
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, master_user, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
)
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the name, whatever its case."""
    return scope.outside(resource) or master_user.judge_name(resource, settings["default_names"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say that nothing can be done in place, and what can."""
    return master_user.rename(resource)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters have a master user whose name is no default",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.24"),
        frameworks.config("rds-cluster-default-admin-check"),
        frameworks.prowler("rds_cluster_default_admin"),
        frameworks.pci_dss("2.2.2"),
        frameworks.nist("CA-9(1)", "CM-2"),
        frameworks.iso_27001("A.8.2", "A.8.9"),
        frameworks.soc_2("CC6.1"),
    ),
    settings=(master_user.DEFAULT_NAMES,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
The name cannot be changed. Look who has it, and let nothing log in by it any more:

    aws rds describe-db-clusters --db-cluster-identifier {id} --region {region} \\
        --query "DBClusters[].MasterUsername"

Let RDS manage its password meanwhile, which changes it at once:

    aws rds modify-db-cluster --db-cluster-identifier {id} --manage-master-user-password \\
        --master-user-secret-kms-key-id KEY --region {region}

Make it last: CloudFormation `MasterUsername: NAME` of `AWS::RDS::DBCluster`, which creates a new cluster; Terraform
`master_username` of `aws_rds_cluster`, which does so, too.
""",
    examples=(
        Example(
            name="a name of its own",
            facts={"MasterUsername": "orders_owner"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the default of a wizard",
            facts={"MasterUsername": "postgres"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a default in capitals",
            facts={"Engine": "aurora-mysql", "MasterUsername": "Admin"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a name that this organisation gives to every cluster",
            facts={"MasterUsername": "dba"},
            settings={"default_names": ["admin", "dba", "postgres"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "MasterUsername": "admin"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the name is not known",
            facts={},
            missing=("MasterUsername",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
