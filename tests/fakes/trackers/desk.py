"""Sinks as the policy makes them, before servers of the tests; and tickets to give them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fakes import NOW
from fakes.trackers import Server
from fakes.trackers.events import PagerDuty, Receiver, Slack, Teams
from fakes.trackers.github import GitHub
from fakes.trackers.jira import Jira
from fakes.trackers.servicenow import ServiceNow
from warden.core.control import ComplianceType
from warden.core.finding import Finding, WorkflowStatus
from warden.core.policy_values import PolicyValues
from warden.core.resource import Deployment
from warden.core.sinks import read_sinks
from warden.core.ticket import TicketState
from warden.core.ticket_text import Story, ticket
from warden.sinks import Tools, build

if TYPE_CHECKING:
    from pathlib import Path

    from warden.core.ticket import Ticket

HOSTS = (
    "acme.atlassian.net",
    "jira.acme.example",
    "acme.service-now.com",
    "api.github.com",
    "events.pagerduty.com",
    "hooks.slack.com",
    "prod-12.westeurope.logic.azure.com",
    "tickets.acme.example",
)
POLICY: dict[str, dict[str, Any]] = {
    "jira": {"site": "https://acme.atlassian.net", "project": "OPS"},
    "jira-data-center": {"site": "https://jira.acme.example", "project": "OPS"},
    "servicenow": {"site": "https://acme.service-now.com", "fields": {"caller_id": "warden"}},
    "github": {"repository": "acme/ops"},
    "pagerduty": {},
    "slack": {},
    "teams": {"host": "prod-12.westeurope.logic.azure.com"},
    "webhook": {"url": "https://tickets.acme.example/warden"},
}


def arn_of(name: str) -> str:
    return f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/{name}-AbCdEf"


class SecretsManager:
    """The one call of Secrets Manager that is made; moto has it too, and is slower."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = {arn_of(name): value for name, value in values.items()}
        self.reads: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 spells it
        self.reads.append(SecretId)
        value = self.values[SecretId]
        return {"SecretString": value if isinstance(value, str) else json.dumps(value)}


@dataclass
class Desk:
    """One system behind the server, and the sink that speaks with it."""

    server: Server
    system: Any
    sink: Any
    secrets: SecretsManager


def secret_of(name: str, system: Any) -> dict[str, str]:
    match name:
        case "jira":
            return {"email": "warden@acme.example", "token": system.password}
        case "jira-data-center" | "github":
            return {"token": system.password}
        case "servicenow":
            return {"username": "warden", "password": system.password}
        case "pagerduty":
            return {"routing_key": system.key}
        case "webhook":
            return {"key": system.key}
    return {"url": f"https://{system.host}{system.path}"}


SYSTEMS: dict[str, Any] = {
    "jira": Jira,
    "jira-data-center": lambda: Jira(cloud=False),
    "servicenow": ServiceNow,
    "github": GitHub,
    "pagerduty": PagerDuty,
    "slack": Slack,
    "teams": Teams,
    "webhook": Receiver,
}


def desk(server: Server, name: str, **options: Any) -> Desk:
    """A fresh system, and its sink, made of a policy as a deployment makes it."""
    system = SYSTEMS[name]()
    server.reset(system)
    secrets = SecretsManager({name: secret_of(name, system)})
    document = {"sinks": [{"type": name, "secret": f"warden/{name}", **POLICY[name], **options}]}
    made = build(read_sinks(document, PolicyValues("policy.toml")), tools(server, secrets, name))
    [sink] = [*made.notifiers.values(), *made.trackers.values()]
    return Desk(server, system, sink, secrets)


def tools(server: Server, secrets: SecretsManager, *names: str) -> Tools:
    """What sinks are built with, which may read the secrets of these names."""
    return Tools(
        client=lambda service: secrets,
        deployment=Deployment("123456789012", "eu-west-1", "aws"),
        topic_arn="",
        clock=lambda: NOW,
        secret_arns=tuple(arn_of(name) for name in names),
        connect=server.connect,
    )


def start(directory: Path) -> Server:
    return Server(directory, HOSTS)


FINDING = Finding(
    resource_key="123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC",
    control="cluster_tls_enforced",
    arn="arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    resource_type="AWS::RDS::DBCluster",
    severity="HIGH",
    title="TLS is enforced on Aurora clusters",
    workflow=WorkflowStatus.NEW,
    compliance=ComplianceType.NON_COMPLIANT,
    annotation="orders takes connections without TLS.",
    evidence={"Engine": "aurora-postgresql", "Note": "größer"},
    first_observed=NOW,
    last_observed=NOW,
    decision={"action": "TICKET", "reason": "mode", "would": "REMEDIATE"},
    plan=({"operation": "ModifyDBCluster", "parameters": {"DBClusterIdentifier": "orders"}},),
    manual="Look first:\n    aws rds describe-db-clusters\nThen decide.",
    cause={"principal": "arn:aws:iam::123456789012:user/ann", "event_name": "ModifyDBCluster"},
)


def a_ticket(state: TicketState = TicketState.OPEN, finding: Finding = FINDING, **changes: Any) -> Ticket:
    if state is TicketState.RESOLVED:
        finding = replace(finding, resolved_at=NOW + timedelta(hours=1), annotation="orders takes TLS only.")
    return replace(ticket(finding, None, state, Story(state=state, opened_at=NOW)), **changes)
