"""The proxy refuses connections without TLS.

Why it matters
--------------
A proxy stands between the clients and the database, so the database's own demand for TLS does not reach the
clients: the proxy accepts their connections on its own terms. Without RequireTLS a client that does not ask
for TLS sends its password and its data in clear text as far as the proxy, even where every instance behind it
refuses just that.

Remediation safety
------------------
Disruptive. Clients that connect without TLS are refused from that moment on, and Warden cannot see who they
are. So each case needs an approval; a line of the policy is not enough. The call sets this one flag and
leaves the rest of the proxy as it is.

References
----------
- Amazon RDS API Reference, ModifyDBProxy: RequireTLS
- Amazon RDS API Reference, DBProxy: RequireTLS
- Amazon Aurora User Guide, "Using TLS/SSL with RDS Proxy"
- AWS Security Hub CSPM, control RDS.43
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.guard import Only, Permit, SameAs
from warden.core.plan import Call, Plan
from warden.core.preflight import Question
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag; every engine that a proxy serves has it."""
    name = resource.facts["DBProxyName"]
    if resource.facts["RequireTLS"]:
        return compliant(f"{resource.ref.id} ({name}) refuses connections without TLS.")
    return non_compliant(f"{resource.ref.id} ({name}) accepts connections without TLS.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Require TLS."""
    return Plan((Call("ModifyDBProxy", {"DBProxyName": resource.facts["DBProxyName"], "RequireTLS": True}),))


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Proxies refuse connections without TLS",
    resource_type=ResourceType.DB_PROXY,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.43"),
        frameworks.config("rds-proxy-tls-encryption"),
        frameworks.IN_TRANSIT,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBProxy",
                required={"DBProxyName": SameAs("DBProxyName"), "RequireTLS": Only((True,))},
            ),
        ),
        safety=Safety.DISRUPTIVE,
        preflight=Question.CLEAR_TEXT,
    ),
    fix="""\
Find out first who connects without TLS: the proxy's metric ClientConnectionsNoTLS counts them. The ARN holds an id
and not the proxy's name, which is

    aws rds describe-db-proxies --region {region} \\
        --query "DBProxies[?ends_with(DBProxyArn, ':{id}')].DBProxyName"

Then require TLS of everybody; nothing restarts, and clients without TLS are refused:

    aws rds modify-db-proxy --db-proxy-name PROXY --require-tls --region {region}

Make it last: CloudFormation `RequireTLS: true` of `AWS::RDS::DBProxy`; Terraform `require_tls = true` of
`aws_db_proxy`.
""",
    examples=(
        Example(name="required", facts={"RequireTLS": True}, expect=ComplianceType.COMPLIANT),
        Example(name="not required", facts={"RequireTLS": False}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="not required of clients of SQL Server",
            facts={"RequireTLS": False, "EngineFamily": "SQLSERVER"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("RequireTLS",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
