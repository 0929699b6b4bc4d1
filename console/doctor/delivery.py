"""The way of an event: rules, queues, what reads them, and the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.doctor.report import failed, fine, warning
from warden.core import probe as synthetic
from warden.core.resource import Deployment
from warden.gateways.errors import translated
from warden.gateways.findings import DynamoFindings
from warden.gateways.probe import DynamoWatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from console.deployed import Deployed, StackResource
    from console.doctor.report import Line

_BACKLOG = 1000
"""Messages that wait without anything being wrong: a busy account's burst."""
_WAY = (
    "Follow it: ProbeDriftSchedule and ProbeMendSchedule run and SweepDeadLetterQueue is empty; the trail records; "
    "CloudTrailRule is enabled; TriggersQueue is worked off; the log of evaluate has `probe` lines. "
    "docs/reference/metrics-and-alarms.md"
)
_NO_CLOCK = "DueSchedule starts the look every five minutes; see its line, and the log of sweep."
_AGAIN = "Deploy the stack again, or undo what was changed by hand: it was deployed so that this works."


def rules(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Whether each rule is enabled, and has a target."""
    events = found.client("events")
    for rule in _of(resources, "AWS::Events::Rule"):
        with translated("events:DescribeRule"):
            state = events.describe_rule(Name=rule.physical)["State"]
            targets = events.list_targets_by_rule(Rule=rule.physical)["Targets"]
        if state == "DISABLED":
            yield warning(
                "rules",
                f"{rule.logical} is disabled",
                "Right if a parameter of the stack says so; else enable it.",
            )
        elif not targets:
            yield failed("rules", f"{rule.logical} is enabled and has no target", _AGAIN)
        else:
            yield fine("rules", f"{rule.logical} is enabled, with {len(targets)} target(s)")


def queues(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Whether anything lies in a dead letter queue, and whether the others are worked off."""
    sqs = found.client("sqs")
    for queue in _of(resources, "AWS::SQS::Queue"):
        with translated("sqs:GetQueueAttributes"):
            told = sqs.get_queue_attributes(
                QueueUrl=queue.physical, AttributeNames=["ApproximateNumberOfMessages"]
            )
        waiting = int(told["Attributes"]["ApproximateNumberOfMessages"])
        if "DeadLetter" in queue.logical and waiting:
            yield failed(
                "queues",
                f"{queue.logical} holds {waiting} message(s) that nobody could handle",
                "Read one, repair what it names, and send them again: docs/how-to/handle-a-dead-letter.md.",
            )
        elif waiting > _BACKLOG:
            yield warning(
                "queues",
                f"{waiting} messages wait in {queue.logical}",
                "Look for throttling in the function's log.",
            )
        else:
            yield fine("queues", f"{queue.logical}: {waiting} waiting")


def functions(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Whether the functions are active, and read their queues."""
    client = found.client("lambda")
    for function in _of(resources, "AWS::Lambda::Function"):
        with translated("lambda:GetFunctionConfiguration"):
            told = client.get_function_configuration(FunctionName=function.physical)
        # Absent from older answers; what answers an invocation is active.
        state, update = told.get("State", "Active"), told.get("LastUpdateStatus", "Successful")
        if state not in {"Active", "Inactive"} or update == "Failed":
            why = told.get("StateReason") or told.get("LastUpdateStatusReason") or "AWS gives no reason"
            yield failed("functions", f"{function.logical} is {state}, its update {update}: {why}", _AGAIN)
        else:
            yield fine("functions", f"{function.logical} is {state.lower()}")
    for mapping in _of(resources, "AWS::Lambda::EventSourceMapping"):
        with translated("lambda:GetEventSourceMapping"):
            told = client.get_event_source_mapping(UUID=mapping.physical)
        if told["State"] not in {"Enabled", "Enabling", "Updating"}:
            yield failed(
                "functions",
                f"{mapping.logical} is {told['State'].lower()}: nobody reads {told.get('EventSourceArn', 'its queue')}",
                _AGAIN,
            )
        else:
            yield fine("functions", f"{mapping.logical} is {told['State'].lower()}")


def schedules(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Whether the clock goes."""
    client = found.client("scheduler")
    groups = _of(resources, "AWS::Scheduler::ScheduleGroup")
    group = {"GroupName": groups[0].physical} if groups else {}
    for schedule in _of(resources, "AWS::Scheduler::Schedule"):
        with translated("scheduler:GetSchedule"):
            # CloudFormation names a schedule by its name, or by group and name.
            told = client.get_schedule(Name=schedule.physical.rpartition("|")[2], **group)
        if told["State"] != "ENABLED":
            yield failed("schedules", f"{schedule.logical} is {told['State'].lower()}", _AGAIN)
        else:
            yield fine("schedules", f"{schedule.logical} runs at {told['ScheduleExpression']}")


def probe(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Whether the synthetic drift of the last day became a finding: the way of an event as a whole."""
    names = {one.logical: one.physical for one in resources}
    wanted = ("ProbeParameterGroup", "FindingsTable", "StateTable")
    if not all(names.get(name) for name in wanted):
        return
    group, findings, state = (names[name] for name in wanted)
    deployment = Deployment(found.account, found.region, found.arn.split(":", 2)[1])
    key = synthetic.key_of(synthetic.ref_of(group, deployment))
    dynamodb, now = found.client("dynamodb"), datetime.now(UTC)
    finding = DynamoFindings(dynamodb, findings).get(key, synthetic.CONTROL.id)
    since = DynamoWatch(dynamodb, state).since()
    if finding is None and since is None:
        yield failed("probe", "nobody has waited for the finding of a synthetic drift yet", _NO_CLOCK)
        return
    proof = synthetic.proof(finding, watched_since=since or now, now=now)
    if proof.is_overdue:
        yield failed(
            "probe", f"no event of the synthetic drift has become a finding since {_at(proof.since)}", _WAY
        )
    elif finding is None:
        yield warning(
            "probe",
            f"no synthetic drift has become a finding yet; it is waited for since {_at(proof.since)}",
            "The first comes within a day of the deployment; look again then.",
        )
    else:
        yield fine(
            "probe",
            f"the synthetic drift of {_at(proof.since)} was a finding {proof.seconds:.0f} s after the call",
        )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _of(resources: Sequence[StackResource], kind: str) -> list[StackResource]:
    return [one for one in resources if one.type == kind and one.physical]
