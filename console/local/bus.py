"""EventBridge's default bus with the template's rules: which events match, and where they are brought."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from console.local.deliveries import DeliveryError
from console.local.inputs import TargetInput, predefined_variables
from console.local.intrinsics import TemplateError
from console.local.patterns import InvalidPatternError, Matcher, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from console.local.deliveries import Courier
    from console.local.template import LocalResource, LocalTemplate

_PATTERN_LIMIT: Final = 4096
_TARGET_LIMIT: Final = 5
_ALL_MANAGEMENT_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_READ_ONLY: Final = ("Describe", "Get", "List")
_NOT_READ_ONLY: Final = ("GetFederationToken", "GetSessionToken")


class Outcome(StrEnum):
    """Where an event for one target ended."""

    DELIVERED = "delivered"
    DEAD_LETTERED = "dead-lettered"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one event at one target of one rule."""

    rule: str
    target_id: str
    target_arn: str
    outcome: Outcome
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """An event that was put onto the bus, the logical ids of the rules that matched, and the deliveries."""

    at: datetime
    event: Mapping[str, Any]
    matched: tuple[str, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target of a rule."""

    id: str
    arn: str
    input: TargetInput
    group_id: str | None
    dead_letter_arn: str | None

    @classmethod
    def of(cls, properties: Mapping[str, Any], rule: str) -> Target:
        """Read a target, or refuse one of a kind to which the local AWS cannot deliver."""
        arn = properties["Arn"]
        if not arn.startswith("arn:") or arn.split(":")[2] not in ("sqs", "lambda"):
            raise TemplateError(f"{rule}: the local AWS delivers to SQS and Lambda only, not to {arn}")
        return cls(
            id=properties["Id"],
            arn=arn,
            input=TargetInput.of(properties),
            group_id=properties.get("SqsParameters", {}).get("MessageGroupId"),
            dead_letter_arn=properties.get("DeadLetterConfig", {}).get("Arn"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its compiled pattern; a rule with a schedule alone has none."""

    logical_id: str
    name: str
    arn: str
    bus: str
    state: str
    matcher: Matcher | None
    schedule: str | None
    targets: tuple[Target, ...]

    @classmethod
    def of(cls, resource: LocalResource) -> Rule:
        """Read an AWS::Events::Rule, or refuse what PutRule and PutTargets would refuse."""
        properties = resource.properties
        pattern, schedule = properties.get("EventPattern"), properties.get("ScheduleExpression")
        targets = tuple(Target.of(item, resource.logical_id) for item in properties.get("Targets", ()))
        if pattern is None and schedule is None:
            raise TemplateError(
                f"{resource.logical_id}: a rule needs an EventPattern or a ScheduleExpression"
            )
        repeated = [name for name, count in Counter(target.id for target in targets).items() if count > 1]
        if repeated:
            raise TemplateError(f"{resource.logical_id}: target ids must be unique: {', '.join(repeated)}")
        if len(targets) > _TARGET_LIMIT:
            raise TemplateError(f"{resource.logical_id}: a rule has at most {_TARGET_LIMIT} targets")
        return cls(
            logical_id=resource.logical_id,
            name=resource.name,
            arn=resource.arn,
            bus=properties.get("EventBusName", "default").rpartition("/")[2],
            state=properties.get("State", "ENABLED"),
            matcher=None if pattern is None else _compile(resource.logical_id, pattern),
            schedule=schedule,
            targets=targets,
        )

    def why_not(self, event: Mapping[str, Any]) -> str | None:
        """Say why an event does not trigger this rule, or None if it does."""
        if self.matcher is None:
            return "the rule has a schedule and no pattern"
        if self.bus != "default":
            return f"the rule listens to the bus {self.bus}"
        if self.state == "DISABLED":
            return "the rule is disabled"
        if self.state != _ALL_MANAGEMENT_EVENTS and _is_read_only_call(event):
            return f"read-only calls reach rules in the state {_ALL_MANAGEMENT_EVENTS} only"
        return None if self.matcher.matches(event) else self.matcher.explain(event)


class Bus:
    """The default event bus, which remembers what was put onto it and what became of that."""

    def __init__(self, template: LocalTemplate, courier: Courier, clock: Callable[[], datetime]) -> None:
        self.rules = tuple(map(Rule.of, template.of_type("AWS::Events::Rule")))
        self.journal: list[JournalEntry] = []
        self._template = template
        self._courier = courier
        self._clock = clock

    def put(self, event: Mapping[str, Any]) -> JournalEntry:
        """Bring an event to the targets of every rule that it matches."""
        event = self._complete(event)
        matched = [rule for rule in self.rules if rule.why_not(event) is None]
        return self._record(event, matched)

    def fire(self, logical_id: str) -> JournalEntry:
        """Run a rule that has a schedule, as if it were due now."""
        rule = next(rule for rule in self.rules if rule.logical_id == logical_id)
        event = self._complete(
            {"detail-type": "Scheduled Event", "source": "aws.events", "resources": [rule.arn], "detail": {}}
        )
        return self._record(event, [rule])

    def explain(self, event: Mapping[str, Any]) -> dict[str, str | None]:
        """Say for each rule, by logical id, why an event does not trigger it; None where it does."""
        event = self._complete(event)
        return {rule.logical_id: rule.why_not(event) for rule in self.rules}

    def _record(self, event: Mapping[str, Any], matched: list[Rule]) -> JournalEntry:
        entry = JournalEntry(
            at=self._clock(),
            event=event,
            matched=tuple(rule.logical_id for rule in matched),
            deliveries=tuple(delivery for rule in matched for delivery in self._deliver(rule, event)),
        )
        self.journal.append(entry)
        return entry

    def _deliver(self, rule: Rule, event: Mapping[str, Any]) -> Iterator[Delivery]:
        variables = predefined_variables(
            event, rule_arn=rule.arn, rule_name=rule.name, received=_timestamp(self._clock())
        )
        for target in rule.targets:
            try:
                self._bring(rule, target, target.input.payload(event, variables))
            except DeliveryError as error:
                yield self._failed(rule, target, event, error)
            else:
                yield Delivery(
                    rule=rule.logical_id,
                    target_id=target.id,
                    target_arn=target.arn,
                    outcome=Outcome.DELIVERED,
                )

    def _bring(self, rule: Rule, target: Target, payload: str | None) -> None:
        if payload is None:
            raise DeliveryError("INVALID_JSON", f"{target.input.path} finds nothing in the event")
        self._courier.deliver_for_rule(target.arn, payload, rule_arn=rule.arn, group_id=target.group_id)

    def _failed(self, rule: Rule, target: Target, event: Mapping[str, Any], error: DeliveryError) -> Delivery:
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": target.arn,
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
        }
        kept = target.dead_letter_arn is not None and self._courier.dead_letter(
            target.dead_letter_arn, json.dumps(event), attributes, rule_arn=rule.arn
        )
        return Delivery(
            rule=rule.logical_id,
            target_id=target.id,
            target_arn=target.arn,
            outcome=Outcome.DEAD_LETTERED if kept else Outcome.LOST,
            error_code=error.code,
            error_message=error.message,
        )

    def _complete(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Add what EventBridge itself puts into an envelope to an event that lacks it."""
        missing = [name for name in ("source", "detail-type", "detail") if name not in event]
        if missing:
            raise ValueError(f"an event needs {', '.join(missing)}")
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": event["detail-type"],
            "source": event["source"],
            "account": self._template.account_id,
            "time": _timestamp(self._clock()),
            "region": self._template.region,
            "resources": [],
            **event,
        }


def _compile(logical_id: str, pattern: Mapping[str, Any]) -> Matcher:
    try:
        matcher = compile_pattern(pattern)
    except InvalidPatternError as error:
        raise InvalidPatternError(f"{logical_id}.EventPattern.{error.path}", error.reason) from error
    size = len(json.dumps(pattern, separators=(",", ":")))
    if size > _PATTERN_LIMIT:
        reason = f"{size} characters are more than the {_PATTERN_LIMIT} allowed"
        raise InvalidPatternError(f"{logical_id}.EventPattern", reason)
    return matcher


def _is_read_only_call(event: Mapping[str, Any]) -> bool:
    if event["detail-type"] != "AWS API Call via CloudTrail":
        return False
    name = str(event["detail"].get("eventName", ""))
    return name.startswith(_READ_ONLY) and name not in _NOT_READ_ONLY


def _timestamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
