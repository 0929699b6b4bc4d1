"""What CloudFormation would only find out while it creates the resources: settings that do not go together.

Each check says which API call would refuse what. A template that passes here can still fail in an account, but not for
one of these reasons, which are the usual ones of this architecture.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from console.local.deliveries import SCHEDULER
from console.local.permissions import Request, allows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from console.local.bus import Bus, Target
    from console.local.mappings import EventSourceMapping
    from console.local.queues import LocalQueue, Queues
    from console.local.template import LocalFunction, LocalRole, LocalTemplate

_QUEUE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_POLLING: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_FIFO_BATCH: Final = 10
_LONGEST_WINDOW: Final = 300
_LONGEST_TIMEOUT: Final = 900
_CONCURRENCY: Final = range(2, 1001)
_QUEUE_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "delay_seconds": (0, 900),
    "visibility_timeout": (0, 43_200),
    "retention_period": (60, 1_209_600),
    "maximum_message_size": (1_024, 1_048_576),
}
_RETRY_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "MaximumRetryAttempts": (0, 185),
    "MaximumEventAgeInSeconds": (60, 86_400),
}


def problems(
    template: LocalTemplate, queues: Queues, bus: Bus, mappings: tuple[EventSourceMapping, ...]
) -> list[str]:
    """Return everything that would stop the deployment, each with the logical id of the resource."""
    return [
        *(f"{queue.settings.logical_id}: {text}" for queue in queues for text in _queue(queue)),
        *(
            f"{item.logical_id}: {text}"
            for item in template.functions.values()
            for text in _function(item, template)
        ),
        *(f"{item.settings.logical_id}: {text}" for item in mappings for text in _mapping(item, template)),
        *(
            f"{rule.logical_id}: target {target.id}: {text}"
            for rule in bus.rules
            for target in rule.targets
            for text in _target(target, queues)
        ),
        *_retry_policies(template),
        *_schedule_roles(template),
    ]


def _queue(queue: LocalQueue) -> Iterator[str]:
    settings = queue.settings
    if _QUEUE_NAME.fullmatch(settings.name) is None or settings.fifo != settings.name.endswith(".fifo"):
        yield f"the name {settings.name} is not one for a {'FIFO' if settings.fifo else 'standard'} queue"
    for name, (low, high) in _QUEUE_RANGES.items():
        if not low <= getattr(settings, name) <= high:
            yield f"{name} {getattr(settings, name)} is not between {low} and {high}"
    if settings.content_based_deduplication and not settings.fifo:
        yield "only a FIFO queue deduplicates by content"
    if queue.dead_letter_queue is not None:
        if queue.dead_letter_queue.settings.fifo != settings.fifo:
            yield "a dead-letter queue must be of the same kind, FIFO or standard, as its source"
        if not 1 <= settings.max_receive_count <= 1_000:  # noqa: PLR2004 — SQS's own limits
            yield f"maxReceiveCount {settings.max_receive_count} is not between 1 and 1000"


def _function(function: LocalFunction, template: LocalTemplate) -> Iterator[str]:
    if not 1 <= function.timeout <= _LONGEST_TIMEOUT:
        yield f"the timeout {function.timeout} is not between 1 and {_LONGEST_TIMEOUT}"
    role = template.role(function.role_arn)
    if role is not None and not _trusts(role, "lambda.amazonaws.com", template):
        yield f"the role {role.logical_id} does not trust lambda.amazonaws.com"


def _mapping(mapping: EventSourceMapping, template: LocalTemplate) -> Iterator[str]:
    settings, queue = mapping.settings, mapping.queue.settings
    function = template.functions[settings.function_id]
    if queue.visibility_timeout < function.timeout:
        yield (
            f"queue visibility timeout: {queue.visibility_timeout} seconds is less than"
            f" function timeout: {function.timeout} seconds"
        )
    if queue.fifo:
        if settings.batch_size > _FIFO_BATCH:
            yield f"a FIFO queue allows batches of {_FIFO_BATCH}, not {settings.batch_size}"
        if settings.window:
            yield "a FIFO queue allows no batching window"
    elif settings.batch_size > _FIFO_BATCH and not settings.window:
        yield "a batch of more than 10 needs a batching window of at least a second"
    if not 1 <= settings.batch_size <= 10_000:  # noqa: PLR2004 — Lambda's own limits
        yield f"the batch size {settings.batch_size} is not between 1 and 10000"
    if settings.window.total_seconds() > _LONGEST_WINDOW:
        yield f"the batching window is longer than {_LONGEST_WINDOW} seconds"
    concurrency = settings.maximum_concurrency
    if concurrency is not None and concurrency not in _CONCURRENCY:
        yield f"the maximum concurrency {concurrency} is not between 2 and 1000"
    role = template.role(function.role_arn)
    missing = [action for action in _POLLING if role is not None and not role.allows(action, queue.arn)]
    if missing:
        yield f"the execution role does not have permissions to call {', '.join(missing)} on {queue.arn}"


def _target(target: Target, queues: Queues) -> Iterator[str]:
    queue = queues.get(target.arn)
    if queue is not None and queue.settings.fifo and target.group_id is None:
        yield "a FIFO queue needs SqsParameters with a MessageGroupId"
    dead_letters = None if target.dead_letter_arn is None else queues.get(target.dead_letter_arn)
    if dead_letters is not None and dead_letters.settings.fifo:
        yield "a dead-letter queue of EventBridge must be a standard queue"


def _retry_policies(template: LocalTemplate) -> Iterator[str]:
    for resource in template.resources.values():
        if resource.type == "AWS::Events::Rule":
            targets = resource.properties.get("Targets", ())
        elif resource.type == "AWS::Scheduler::Schedule":
            targets = (resource.properties["Target"],)
        else:
            continue
        for target in targets:
            yield from (
                f"{resource.logical_id}: {text}" for text in _retry_policy(target.get("RetryPolicy", {}))
            )


def _retry_policy(policy: Mapping[str, Any]) -> Iterator[str]:
    for name, (low, high) in _RETRY_RANGES.items():
        if name in policy and not low <= int(policy[name]) <= high:
            yield f"{name} {policy[name]} is not between {low} and {high}"


def _schedule_roles(template: LocalTemplate) -> Iterator[str]:
    for resource in template.of_type("AWS::Scheduler::Schedule"):
        role = template.role(resource.properties["Target"].get("RoleArn", ""))
        if role is not None and not _trusts(role, SCHEDULER, template, resource.arn):
            yield f"{resource.logical_id}: the role {role.logical_id} must allow {SCHEDULER} to assume it"


def _trusts(role: LocalRole, service: str, template: LocalTemplate, source_arn: str | None = None) -> bool:
    context = {"aws:SourceAccount": template.account_id}
    if source_arn is not None:
        context["aws:SourceArn"] = source_arn
    request = Request(action="sts:AssumeRole", resource=role.arn, service=service, context=context)
    return allows(role.trust, request)
