"""EventBridge Scheduler: the template's schedules, when each is due, and what it then brings to its target."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from console.local import universal
from console.local.deliveries import DeliveryError
from console.local.expressions import At, Expression, InvalidExpressionError, parse_expression
from console.local.intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from console.local.bus import Bus
    from console.local.deliveries import Courier
    from console.local.template import LocalResource, LocalTemplate

_CONTEXT: Final = "<aws.scheduler.{}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule of EventBridge Scheduler or, if it names a rule, of an EventBridge rule."""

    logical_id: str
    name: str
    arn: str
    expression: Expression
    enabled: bool
    end: datetime | None = None
    rule: str | None = None
    target_arn: str = ""
    role_arn: str = ""
    input: str | None = None
    group_id: str | None = None
    dead_letter_arn: str | None = None

    @classmethod
    def of(cls, resource: LocalResource, *, deployed_at: datetime) -> Schedule:
        """Read an AWS::Scheduler::Schedule, or refuse one that CreateSchedule would refuse."""
        properties = resource.properties
        target = properties["Target"]
        arn = target["Arn"]
        if universal.is_one(arn):
            universal.check(resource.logical_id, arn, target.get("Input"))
        elif not arn.startswith("arn:") or arn.split(":")[2] not in ("sqs", "lambda"):
            raise TemplateError(
                f"{resource.logical_id}: the local AWS delivers to SQS and Lambda only, not to {arn}"
            )
        if properties.get("FlexibleTimeWindow", {}).get("Mode") not in ("OFF", "FLEXIBLE"):
            raise TemplateError(f"{resource.logical_id}: a schedule needs a FlexibleTimeWindow with a Mode")
        if ":lambda:" in arn and "Input" in target:
            _require_json(resource.logical_id, target["Input"])
        start = _instant(properties.get("StartDate"))
        return cls(
            logical_id=resource.logical_id,
            name=resource.name,
            arn=resource.arn,
            expression=_expression(
                resource.logical_id,
                properties["ScheduleExpression"],
                start=deployed_at if start is None else max(start, deployed_at),
                timezone=properties.get("ScheduleExpressionTimezone", "UTC"),
            ),
            enabled=properties.get("State", "ENABLED") == "ENABLED",
            end=_instant(properties.get("EndDate")),
            target_arn=arn,
            role_arn=target.get("RoleArn", ""),
            input=target.get("Input"),
            group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
            dead_letter_arn=target.get("DeadLetterConfig", {}).get("Arn"),
        )

    def next_after(self, instant: datetime) -> datetime | None:
        """Return when the schedule is due next; a disabled or ended one never is."""
        due = self.expression.next_after(instant) if self.enabled else None
        ended = (
            due is not None
            and self.end is not None
            and due > self.end
            and not isinstance(self.expression, At)
        )
        return None if ended else due

    def payload(self, due: datetime, execution_id: str, template: LocalTemplate) -> str:
        """Return what the target receives: the Input with the Scheduler's context filled in, or its own notice."""
        if self.input is not None:
            text = self.input
            for name, value in self._context(due, execution_id).items():
                text = text.replace(_CONTEXT.format(name), value)
            return text
        return json.dumps(
            {
                "version": "0",
                "id": execution_id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": template.account_id,
                "time": _timestamp(due),
                "region": template.region,
                "resources": [self.arn],
                "detail": "{}",
            }
        )

    def _context(self, due: datetime, execution_id: str) -> Mapping[str, str]:
        return {
            "schedule-arn": self.arn,
            "scheduled-time": _timestamp(due),
            "execution-id": execution_id,
            "attempt-number": "1",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRun:
    """One occurrence of a schedule, and why it did not reach its target if it did not."""

    schedule: str
    due: datetime
    error_code: str | None = None
    error_message: str | None = None
    dead_lettered: bool = False


class Scheduler:
    """The schedules of one stack; each occurrence runs once, in order of time."""

    def __init__(self, template: LocalTemplate, courier: Courier, bus: Bus, *, deployed_at: datetime) -> None:
        """Begin just after the deployment: what a rate runs at once when it is created has run already."""
        self.schedules = tuple(_schedules(template, bus, deployed_at))
        self.runs: list[ScheduleRun] = []
        self._template = template
        self._courier = courier
        self._bus = bus
        self._last = dict.fromkeys((schedule.logical_id for schedule in self.schedules), deployed_at)

    def next_due(self) -> datetime | None:
        """Return when the next schedule is due, which may be in the past."""
        return min((due for due, _ in self._upcoming()), default=None)

    def run_next(self, now: datetime) -> ScheduleRun | None:
        """Run the earliest occurrence that is due and has not run; None if there is none."""
        due, schedule = min(self._upcoming(), key=lambda item: item[0], default=(None, None))
        if due is None or schedule is None or due > now:
            return None
        self._last[schedule.logical_id] = due
        return self._run(schedule, due)

    def run(self, logical_id: str, now: datetime) -> ScheduleRun:
        """Run one schedule out of turn, as an operator would to see what it does."""
        return self._run(next(item for item in self.schedules if item.logical_id == logical_id), now)

    def _upcoming(self) -> Iterator[tuple[datetime, Schedule]]:
        for schedule in self.schedules:
            due = schedule.next_after(self._last[schedule.logical_id])
            if due is not None:
                yield due, schedule

    def _run(self, schedule: Schedule, due: datetime) -> ScheduleRun:
        if schedule.rule is not None:
            self._bus.fire(schedule.rule)
            run = ScheduleRun(schedule=schedule.logical_id, due=due)
        else:
            run = self._deliver(schedule, due)
        self.runs.append(run)
        return run

    def _deliver(self, schedule: Schedule, due: datetime) -> ScheduleRun:
        execution_id = str(uuid.uuid4())
        payload = schedule.payload(due, execution_id, self._template)
        try:
            self._courier.deliver_for_role(
                schedule.target_arn,
                payload,
                role_arn=schedule.role_arn,
                source_arn=schedule.arn,
                group_id=schedule.group_id,
            )
        except DeliveryError as error:
            attributes = {
                "SCHEDULE_ARN": schedule.arn,
                "TARGET_ARN": schedule.target_arn,
                "SCHEDULED_TIME": _timestamp(due),
                "EXECUTION_ID": execution_id,
                "ERROR_CODE": error.code,
                "ERROR_MESSAGE": error.message,
            }
            return ScheduleRun(
                schedule=schedule.logical_id,
                due=due,
                error_code=error.code,
                error_message=error.message,
                dead_lettered=schedule.dead_letter_arn is not None
                and self._courier.dead_letter_for_role(
                    schedule.dead_letter_arn, payload, attributes, role_arn=schedule.role_arn
                ),
            )
        return ScheduleRun(schedule=schedule.logical_id, due=due)


def _schedules(template: LocalTemplate, bus: Bus, deployed_at: datetime) -> Iterator[Schedule]:
    for resource in template.of_type("AWS::Scheduler::Schedule"):
        yield Schedule.of(resource, deployed_at=deployed_at)
    for rule in bus.rules:
        if rule.schedule is not None:
            yield Schedule(
                logical_id=rule.logical_id,
                name=rule.name,
                arn=rule.arn,
                expression=_expression(rule.logical_id, rule.schedule, start=deployed_at, timezone="UTC"),
                enabled=rule.state != "DISABLED",
                rule=rule.logical_id,
            )


def _expression(logical_id: str, text: str, *, start: datetime, timezone: str) -> Expression:
    try:
        return parse_expression(text, start=start, timezone=timezone)
    except InvalidExpressionError as error:
        raise InvalidExpressionError(f"{logical_id}: {error}") from error


def _require_json(logical_id: str, text: Any) -> None:
    try:
        json.loads(text)
    except (TypeError, ValueError) as error:
        raise TemplateError(
            f"{logical_id}: the Input for a function must be a text of well-formed JSON"
        ) from error


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _timestamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
