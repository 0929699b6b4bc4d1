"""Bringing a payload to a queue or a function, if whoever brings it may.

In AWS a missing permission is the usual reason why an event goes nowhere, and nothing fails but the delivery. So
the queue policies, key policies, function permissions and roles of the template decide here too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from console.local import universal
from console.local.permissions import Request, Statement, allows, parse_policy
from console.local.queues import QueueError
from console.local.universal import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from console.local.queues import LocalQueue, Queues
    from console.local.template import LocalTemplate

__all__ = ["EVENTS", "SCHEDULER", "Courier", "DeliveryError", "text_attributes"]

EVENTS: Final = "events.amazonaws.com"
SCHEDULER: Final = "scheduler.amazonaws.com"


class Courier:
    """Delivers to the queues and functions of one stack under the permissions of its template."""

    def __init__(
        self,
        template: LocalTemplate,
        queues: Queues,
        invoke: Callable[[str, str], None],
        client: Callable[[str], Any] | None = None,
    ) -> None:
        """Take `invoke` as the way to a function: its logical id and the payload, to be run asynchronously.

        `client` gives the client of a service; without it, nobody makes the calls of schedules.
        """
        self._template = template
        self._queues = queues
        self._invoke = invoke
        self._client = client
        self._policies = _resource_policies(template, queues)

    def deliver_for_rule(self, target_arn: str, payload: str, *, rule_arn: str, group_id: str | None) -> None:
        """Deliver what a rule sends: the target's own policy must name EventBridge, and may name the rule."""
        action = "lambda:InvokeFunction" if ":lambda:" in target_arn else "sqs:SendMessage"
        self._require_target(target_arn)
        request = self._request(action, target_arn, service=EVENTS, source_arn=rule_arn)
        if not allows(self._policies[target_arn], request):
            raise DeliveryError(
                "NO_PERMISSIONS", f"{EVENTS} is not authorized to perform {action} on {target_arn}"
            )
        self._deliver(target_arn, payload, service=EVENTS, source_arn=rule_arn, group_id=group_id)

    def deliver_for_role(
        self, target_arn: str, payload: str, *, role_arn: str, source_arn: str, group_id: str | None
    ) -> None:
        """Deliver what a schedule sends: its role must trust the Scheduler and be allowed the call."""
        if universal.is_one(target_arn):
            call = universal.read(target_arn, payload, self._template.deployment)
            self._require_role(role_arn, source_arn, call.action, call.resource)
            if self._client is not None:
                universal.make(call, self._client, role_arn=role_arn, schedule_arn=source_arn)
            return
        action = "lambda:InvokeFunction" if ":lambda:" in target_arn else "sqs:SendMessage"
        self._require_target(target_arn)
        self._require_role(role_arn, source_arn, action, target_arn)
        self._deliver(target_arn, payload, service=SCHEDULER, source_arn=source_arn, group_id=group_id)

    def _require_role(self, role_arn: str, source_arn: str, action: str, resource: str) -> None:
        role = self._template.role(role_arn)
        if role is None and f":{self._template.account_id}:role/" not in role_arn:
            raise DeliveryError("NO_PERMISSIONS", f"the execution role {role_arn!r} does not exist")
        if role is not None:  # a role made outside the stack is taken at its word
            assume = self._request("sts:AssumeRole", role.arn, service=SCHEDULER, source_arn=source_arn)
            if not allows(role.trust, assume):
                raise DeliveryError("NO_PERMISSIONS", f"{SCHEDULER} may not assume {role.arn}")
            if not role.allows(action, resource):
                raise DeliveryError(
                    "NO_PERMISSIONS", f"{role.arn} is not authorized to perform {action} on {resource}"
                )

    def dead_letter(
        self, queue_arn: str, payload: str, attributes: Mapping[str, str], *, rule_arn: str
    ) -> bool:
        """Put a failed event into a rule's dead-letter queue; False if that may not be or cannot be done either."""
        queue = self._queues.get(queue_arn)
        request = self._request("sqs:SendMessage", queue_arn, service=EVENTS, source_arn=rule_arn)
        if queue is None or queue.settings.fifo or not allows(self._policies[queue_arn], request):
            return False
        queue.send(payload, attributes=text_attributes(attributes))
        return True

    def dead_letter_for_role(
        self, queue_arn: str, payload: str, attributes: Mapping[str, str], *, role_arn: str
    ) -> bool:
        """Put a failed payload into a schedule's dead-letter queue; False if its role may not."""
        queue, role = self._queues.get(queue_arn), self._template.role(role_arn)
        if queue is None or queue.settings.fifo or (role and not role.allows("sqs:SendMessage", queue_arn)):
            return False
        queue.send(payload, attributes=text_attributes(attributes))
        return True

    def _require_target(self, target_arn: str) -> None:
        if target_arn not in self._queues and self._template.function(target_arn) is None:
            raise DeliveryError("NO_RESOURCE", f"the target {target_arn} does not exist")

    def _deliver(
        self, target_arn: str, payload: str, *, service: str, source_arn: str, group_id: str | None
    ) -> None:
        function = self._template.function(target_arn)
        if function is not None:
            self._invoke(function.logical_id, payload)
            return
        queue = self._queues[target_arn]
        self._check_key(queue, service=service, source_arn=source_arn)
        if queue.settings.fifo and not queue.settings.content_based_deduplication:
            raise DeliveryError(
                "INVALID_PARAMETER", "a FIFO target must have content-based deduplication enabled"
            )
        try:
            queue.send(payload, group_id=group_id)
        except QueueError as error:
            raise DeliveryError("INVALID_PARAMETER", str(error)) from error

    def _check_key(self, queue: LocalQueue, *, service: str, source_arn: str) -> None:
        """Refuse an encrypted queue whose key the service may not use, which AWS's own key for SQS never allows."""
        key = queue.settings.kms_key
        if key is None:
            return
        statements = _key_policy(self._template, key)
        if statements is None:
            reason = f"{service} cannot use the key {key} of {queue.settings.name}"
            raise DeliveryError("NO_PERMISSIONS", reason)
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            if not allows(statements, self._request(action, "*", service=service, source_arn=source_arn)):
                raise DeliveryError(
                    "NO_PERMISSIONS", f"the key policy of {key} does not allow {service} {action}"
                )

    def _request(self, action: str, resource: str, *, service: str, source_arn: str) -> Request:
        context = {
            "aws:SourceArn": source_arn,
            "aws:SourceAccount": self._template.account_id,
            "aws:SecureTransport": "true",
        }
        return Request(action=action, resource=resource, service=service, context=context)


def text_attributes(attributes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return texts as message attributes of the SQS API."""
    return {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}


def _resource_policies(template: LocalTemplate, queues: Queues) -> Mapping[str, list[Statement]]:
    found: defaultdict[str, list[Statement]] = defaultdict(list)
    for resource in template.resources.values():
        properties = resource.properties
        if resource.type in ("AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"):
            statements = parse_policy(properties.get("PolicyDocument", {}))
            for url in properties.get("Queues", [properties.get("Queue")]):
                queue = queues.get(url)
                if queue is not None:
                    found[queue.settings.arn].extend(statements)
        elif resource.type == "AWS::Lambda::Permission":
            name = properties.get("FunctionName", "")
            function = template.function(name)
            if function is not None:
                arn = (
                    name if name.startswith("arn:") else function.arn
                )  # a version or alias has its own policy
                found[arn].append(_permission(arn, properties))
    return found


def _permission(function_arn: str, properties: Mapping[str, Any]) -> Statement:
    """Return a Lambda permission as the statement that Lambda makes of it."""
    return Statement(
        allow=True,
        actions=(properties["Action"],),
        resources=(function_arn,),
        principals={"Service": (properties["Principal"],)},
        conditions=dict(_permission_conditions(properties)),
    )


def _permission_conditions(properties: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
    if "SourceArn" in properties:
        yield "ArnLike", {"aws:SourceArn": (properties["SourceArn"],)}
    if "SourceAccount" in properties:
        yield "StringEquals", {"aws:SourceAccount": (str(properties["SourceAccount"]),)}


def _key_policy(template: LocalTemplate, key: str) -> tuple[Statement, ...] | None:
    """Return the policy of a key of the stack, found by id, ARN or alias; None for any other key."""
    target = next(
        (
            alias.properties["TargetKeyId"]
            for alias in template.of_type("AWS::KMS::Alias")
            if key in (alias.name, alias.arn)
        ),
        key,
    )
    for resource in template.of_type("AWS::KMS::Key"):
        if target in (resource.ref, resource.arn):
            return parse_policy(resource.properties.get("KeyPolicy", {}))
    return None
