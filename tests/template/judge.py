"""Calls that were recorded on the local AWS, judged by the permissions of the roles that made them, both ways.

report = judge(local.calls, local.template)
assert report.denied == ()      every call is allowed to the role that made it
assert report.unused == ()      every action that a role is allowed was used, or NEVER_CALLED says why not
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from template import reference
from template.iam import Access, Decision, Statement, decide, function_role, role_statements
from warden.controls import all_controls
from warden.core.plan import ONLY_APPROVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from console.local.naming import Deployment
    from console.local.template import LocalTemplate


class Caller(Protocol):
    """Who made a call, as CloudTrail says it."""

    @property
    def session_issuer(self) -> Mapping[str, str]:
        """The role behind the session: `arn` among others; empty for a user."""
        ...


class RecordedCall(Protocol):
    """One call as it was sent: boto3's service name, the operation, its parameters, and who made it."""

    @property
    def service(self) -> str:
        """`rds`, `dynamodb`, …"""
        ...

    @property
    def operation(self) -> str:
        """`DescribeDBClusters`, …"""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What boto3 was given."""
        ...

    @property
    def region(self) -> str:
        """Where it was sent to."""
        ...

    @property
    def identity(self) -> Caller:
        """Who made it."""
        ...

    @property
    def answer(self) -> Mapping[str, Any]:
        """What AWS answered, of operations that later calls refer to by what they answered."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One action that a statement allows on one resource.

    Where AWS checks an action against types of resource, one list of them serves all actions of a statement, and no
    action is checked against every type of the list. So there are two kinds of grants then: each action, used on
    whichever resource (`resource` is empty), and each resource, used by whichever action (`action` is empty).
    """

    origin: str
    """The role that has the statement, or the managed policy that several roles share."""
    sid: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Denial:
    """A call that its role is not allowed."""

    role: str
    access: Access
    decision: Decision

    def __str__(self) -> str:
        return f"{self.role}: {self.access.action} on {self.access.resource}: {self.decision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the calls say about the permissions."""

    judged: Mapping[str, int]
    """How many calls of each role were judged: a role without any has proved nothing."""
    denied: tuple[Denial, ...] = ()
    unused: tuple[Grant, ...] = ()
    """Allowed, never used, and without a reason in NEVER_CALLED."""
    excused: Mapping[Grant, str] = field(default_factory=dict)
    """Allowed and never used, with the reason."""


class UnknownCallError(LookupError):
    """A call of which nobody has written down what IAM is asked for it."""


_POLLS: Final = "Lambda takes messages off the queue in the function's name"
_LOGS: Final = "Lambda writes what the function prints, in its name"
_ENCRYPTS: Final = "SNS has the message encrypted in the name of whoever publishes it"

APPROVED: Final = "every control that declares it needs an approval in each case"

NEVER_CALLED: Final[Mapping[str, str]] = {
    "sqs:ReceiveMessage": _POLLS,
    "sqs:DeleteMessage": _POLLS,
    "sqs:GetQueueAttributes": _POLLS,
    "logs:CreateLogStream": _LOGS,
    "logs:PutLogEvents": _LOGS,
    "kms:GenerateDataKey": _ENCRYPTS,
    "kms:Decrypt": _ENCRYPTS,
    "LambdaSendsWhatFailed": "Lambda sends what it gave up, in the function's name",
}
"""Actions, and Sids of statements, that AWS uses in a role's name, so that no call of ours ever shows them."""


def judge(calls: Iterable[RecordedCall], stack: LocalTemplate) -> Report:
    """Judge the calls that roles of the functions made; whoever else called is not judged."""
    roles = {stack.functions[name].role_arn: function_role(stack, name) for name in stack.functions}
    policies = {role: role_statements(stack, role) for role in roles.values()}
    judged: Counter[str] = Counter(dict.fromkeys(roles.values(), 0))
    used: set[Grant] = set()
    denied: dict[Denial, None] = {}
    made: dict[str, Mapping[str, str]] = {}
    queried: dict[str, str] = {}
    seen: set[tuple[Any, ...]] = set()
    for call in calls:
        role = roles.get(call.identity.session_issuer.get("arn", ""))
        if role is None:
            continue
        judged[role] += 1
        made.update(_tagged(call))
        queried.update(_queried(call))
        for access in (_as_made(one, call, made) for one in accesses(call, stack.deployment, queried)):
            # The same is asked again and again, and is answered as before.
            asked = (role, access.action, access.resource, access.principal, *sorted(access.context.items()))
            if asked in seen:
                continue
            seen.add(asked)
            decision = decide(policies[role], access)
            if decision.allowed:
                used.update(uses(policies[role], access))
            else:
                denied[Denial(role, access, decision)] = None
    granted = {grant for policy in policies.values() for grant in grants(policy)}
    idle = sorted(granted - used)
    within = {
        (statement.origin, statement.sid): statement.actions
        for policy in policies.values()
        for statement in policy
    }
    excused = {grant: why for grant in idle if (why := reason(grant, within[grant.origin, grant.sid]))}
    return Report(
        judged=judged,
        denied=tuple(denied),
        unused=tuple(grant for grant in idle if grant not in excused),
        excused=excused,
    )


def _tagged(call: RecordedCall) -> dict[str, Mapping[str, str]]:
    """The tags that a call gives to the cluster that it makes, by the cluster's name."""
    if not call.operation.startswith("RestoreDBCluster"):
        return {}
    tags = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in call.parameters.get("Tags", ())}
    return {call.parameters["DBClusterIdentifier"]: tags}


def _as_made(access: Access, call: RecordedCall, made: Mapping[str, Mapping[str, str]]) -> Access:
    """The access with its Region, and the tags of the cluster that it is about, as far as a call before made it."""
    tags = made.get(access.resource.partition(":cluster:")[2], {})
    return replace(access, context={**access.context, "aws:RequestedRegion": call.region, **tags})


def grants(policy: Iterable[Statement]) -> Iterator[Grant]:
    """Everything that statements allow, one action and resource at a time."""
    for statement in policy:
        if statement.allow:
            for action in statement.actions:
                for resource in statement.resources:
                    yield from _grants(statement, action, resource)


def reason(grant: Grant, actions: Iterable[str]) -> str | None:
    """Why a grant of a statement that allows these actions is never used by a call of ours, or None."""
    remediations = [control.remediation for control in all_controls() if control.remediation]
    permits = [(remediation, permit) for remediation in remediations for permit in remediation.permits]
    asked = {grant.action} if grant.action else set(actions)
    if any(asked & set(permit.dependent_actions) for _, permit in permits):
        return "AWS checks it within a call that a control declares"
    users = [remediation for remediation, permit in permits if permit.action == grant.action]
    asks_always = grant.action.partition(":")[2] in ONLY_APPROVED
    if users and (asks_always or all(remediation.preflight for remediation in users)):
        return APPROVED
    return NEVER_CALLED.get(grant.action) or NEVER_CALLED.get(grant.sid)


def _queried(call: RecordedCall) -> dict[str, str]:
    """The log group that a query is about, by the query's id."""
    if call.operation != "StartQuery" or "queryId" not in call.answer:
        return {}
    return {call.answer["queryId"]: call.parameters["logGroupName"]}


def accesses(
    call: RecordedCall, deployment: Deployment, queried: Mapping[str, str] | None = None
) -> tuple[Access, ...]:
    """What IAM is asked for a call; `queried` says which log group each query is about.

    GetQueryResults names a query, and IAM checks it against the query's log group.
    """
    if call.operation == "GetQueryResults" and (group := (queried or {}).get(call.parameters["queryId"])):
        types = reference.arns(
            call_action := f"{call.service}:{call.operation}",
            partition=deployment.partition,
            region=deployment.region,
            account=deployment.account_id,
        )
        return tuple(Access(call_action, every.removesuffix("*") + group) for every in types.values())
    try:
        return tuple(_SPECIAL.get(call.service, _by_reference)(call, deployment))
    except reference.UnknownActionError as error:
        msg = f"{call.service}:{call.operation} is not the name of an action: add what IAM is asked for it"
        raise UnknownCallError(msg) from error


def _grants(statement: Statement, action: str, resource: str) -> Iterator[Grant]:
    if action.partition(":")[0] in _SPECIAL:
        yield Grant(statement.origin, statement.sid, action, resource)
        return
    yield Grant(statement.origin, statement.sid, action, "")
    if len(statement.resources) > 1:
        yield Grant(statement.origin, statement.sid, "", resource)


def uses(policy: Iterable[Statement], access: Access) -> Iterator[Grant]:
    """Every grant by which an access is allowed."""
    for statement in policy:
        if statement.allow and statement.covers(access):
            for action in statement.actions:
                for resource in statement.resources:
                    part = Statement(sid="", allow=True, actions=(action,), resources=(resource,))
                    if part.covers(access):
                        yield from _grants(statement, action, resource)


# The parameters that name resources of a type; what no parameter names is asked for as all of the type.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "alarm": ("AlarmName",),
    "cluster": ("DBClusterIdentifier",),
    "cluster-pg": ("DBClusterParameterGroupName",),
    "cluster-snapshot": ("DBClusterSnapshotIdentifier", "SnapshotIdentifier"),
    "db": ("DBInstanceIdentifier",),
    "global-cluster": ("GlobalClusterIdentifier",),
    "log-group": ("logGroupName",),
    "pg": ("DBParameterGroupName",),
    "snapshot": ("DBSnapshotIdentifier", "SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier"),
    "Secret": ("SecretId",),
}


NOT_OF_OURS: Final[Mapping[str, frozenset[str]]] = {
    "cloudwatch:PutMetricAlarm": frozenset({"dataset"}),
    "rds:DeleteDBCluster": frozenset({"cluster-snapshot"}),
    "rds:RestoreDBClusterFromSnapshot": frozenset({"snapshot"}),
}
"""Types of resource that IAM checks an action against only where a call names one, as no call of ours does.

A dataset is what an alarm with a query in PromQL reads; ours read metrics. No call of ours asks for a final snapshot,
or makes a cluster of an instance's snapshot.
"""


def _by_reference(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    """A call is checked against each type of resource that the reference names for the action of its name."""
    action = f"{call.service}:{call.operation}"
    if "ResourceName" in call.parameters:
        # The ARN of the one resource that it is about, of whichever type.
        yield Access(action, str(call.parameters["ResourceName"]))
        return
    types = reference.arns(
        action,
        partition=deployment.partition,
        region=deployment.region,
        account=deployment.account_id,
    )
    if not types:
        yield Access(action, "*")
    for resource_type, every in types.items():
        if resource_type in NOT_OF_OURS.get(action, ()):
            continue
        names = [
            str(call.parameters[name]) for name in _NAMES.get(resource_type, ()) if name in call.parameters
        ]
        for name in names or ["*"]:
            yield Access(action, name if name.startswith("arn:") else every.removesuffix("*") + name)


_TRANSACTION: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def _dynamodb(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    """A transaction is checked action by action; a query of an index against the index alone."""
    parameters = call.parameters
    if call.operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in parameters["TransactItems"]:
            for kind, part in item.items():
                yield Access(f"dynamodb:{_TRANSACTION[kind]}", _table(part["TableName"], deployment))
        return
    if call.operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in parameters["RequestItems"]:
            yield Access(f"dynamodb:{call.operation}", _table(name, deployment))
        return
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    yield Access(f"dynamodb:{call.operation}", _table(parameters["TableName"], deployment) + index)


def _table(name: str, deployment: Deployment) -> str:
    return name if name.startswith("arn:") else deployment.arn("dynamodb", f"table/{name}")


def _sqs(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    account, name = urlsplit(call.parameters["QueueUrl"]).path.strip("/").split("/")
    arn = f"arn:{deployment.partition}:sqs:{deployment.region}:{account}:{name}"
    yield Access(f"sqs:{call.operation.removesuffix('Batch')}", arn)


def _sns(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    del deployment
    actions = {"Publish": "Publish", "PublishBatch": "Publish", "GetTopicAttributes": "GetTopicAttributes"}
    if call.operation not in actions:
        msg = f"sns:{call.operation}: add what IAM is asked for it"
        raise UnknownCallError(msg)
    yield Access(f"sns:{actions[call.operation]}", call.parameters["TopicArn"])


def _sts(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    """Everybody may ask who he is, whatever the policies say."""
    del deployment
    if call.operation != "GetCallerIdentity":
        msg = f"sts:{call.operation}: add what IAM is asked for it"
        raise UnknownCallError(msg)
    yield from ()


def _events(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    """Each entry is checked against its bus, and by the source that it says it is of."""
    if call.operation == "DescribeEventBus":
        yield Access(
            "events:DescribeEventBus", deployment.arn("events", f"event-bus/{call.parameters['Name']}")
        )
        return
    for entry in call.parameters["Entries"]:
        bus = deployment.arn("events", f"event-bus/{entry['EventBusName']}")
        yield Access(f"events:{call.operation}", bus, {"events:source": entry["Source"]})


def _security_hub(call: RecordedCall, deployment: Deployment) -> Iterator[Access]:
    """Findings are imported as those of a product, and updated in the hub."""
    action = f"securityhub:{call.operation}"
    if call.operation == "BatchImportFindings":
        for finding in call.parameters["Findings"]:
            yield Access(action, finding["ProductArn"])
        return
    yield Access(action, deployment.arn("securityhub", "hub/default"))


_SPECIAL: Final[Mapping[str, Callable[[RecordedCall, Deployment], Iterator[Access]]]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "sns": _sns,
    "sts": _sts,
    "events": _events,
    "securityhub": _security_hub,
}
"""Services whose calls name the one resource that they are about, or none."""
