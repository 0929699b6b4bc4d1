"""Which kinds of ticket sinks there are, and what the policy file says of each: [[tickets.sinks]]."""

from __future__ import annotations

import json
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.http_sinks import HTTP_SINKS
from warden.core.sink_types import Option, SinkType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy_values import PolicyValues

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")

AWS_SINKS = (
    SinkType(
        name="sns",
        doc="the stack's own topic: text for people, JSON for machines",
        options=(
            Option(
                name="form",
                default="text",
                choices=("text", "chat"),
                doc="`chat`: what Slack and Teams channels show through Amazon Q Developer in chat applications",
            ),
            Option(
                name="topic_arn",
                default="",
                pattern=r"|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
                doc="another topic of this account and Region; empty for the stack's own",
            ),
        ),
    ),
    SinkType(
        name="opscenter", doc="OpsItems of Systems Manager in this account and Region", keeps_tickets=True
    ),
    SinkType(
        name="security-hub",
        doc="findings of Security Hub CSPM in this account and Region",
        is_limited=False,
        is_machine=True,
    ),
    SinkType(
        name="eventbridge",
        doc="an event of source `aurora-warden` for each change of a ticket",
        is_limited=False,
        is_machine=True,
        options=(
            Option(
                name="bus",
                default="default",
                pattern=r"[A-Za-z0-9._/-]{1,256}",
                doc="the name of an event bus of this account and Region",
            ),
        ),
    ),
)

SINK_TYPES: Mapping[str, SinkType] = {kind.name: kind for kind in (*AWS_SINKS, *HTTP_SINKS)}
"""Every kind by the name that the policy file gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkConfig:
    """One sink of the policy."""

    name: str
    """What routes and rows name it by."""
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """A value for every option of its type."""

    @property
    def tells_changes(self) -> bool:
        """Whether it is told of what Warden put right itself."""
        return self.kind.tells_changes and bool(self.options.get("changes", True))

    @property
    def kind(self) -> SinkType:
        """What its type declares."""
        return SINK_TYPES[self.type]


DEFAULT_SINKS = (
    SinkConfig(name="sns", type="sns", options={"form": "text", "topic_arn": ""}),
    SinkConfig(name="opscenter", type="opscenter"),
)
"""What needs no secret and nothing to be set up."""


def begins_json(text: str) -> bool:
    """Whether an option's text is read as JSON: an object or a list, such as `{"value": "Platform"}`."""
    return text.startswith(("{", "["))


def read_sinks(document: Mapping[str, Any], values: PolicyValues) -> tuple[SinkConfig, ...]:
    """The [[tickets.sinks]] of a policy; the default ones where it has none."""
    if "sinks" not in document:
        return DEFAULT_SINKS
    sinks: dict[str, SinkConfig] = {}
    for number, row in enumerate(values.typed(document["sinks"], list, "tickets.sinks")):
        where = f"tickets.sinks[{number}]"
        sink = _sink(values.typed(row, dict, where), where, values)
        if sink.name in sinks:
            values.fail(f"{where}.name", f"{sink.name!r} is the name of another sink; give each its own")
        sinks[sink.name] = sink
    if not sinks:
        values.fail("tickets.sinks", "is empty, so nobody would be told; leave it out for sns and opscenter")
    return tuple(sinks.values())


def _sink(row: Mapping[str, Any], where: str, values: PolicyValues) -> SinkConfig:
    if "type" not in row:
        values.fail(f"{where}.type", f"is missing; known are {', '.join(sorted(SINK_TYPES))}")
    kind = SINK_TYPES.get(values.typed(row["type"], str, f"{where}.type"))
    if kind is None:
        values.fail(
            f"{where}.type", f"there is no sink {row['type']!r}; known are {', '.join(sorted(SINK_TYPES))}"
        )
    values.keys(
        row,
        where,
        required={"type", *(option.name for option in kind.options if option.required)},
        optional={"name", *(option.name for option in kind.options)},
    )
    name = values.typed(row.get("name", kind.name), str, f"{where}.name")
    if not _NAME.fullmatch(name):
        values.fail(
            f"{where}.name", f"{name!r} is not a short name of lower-case letters, digits and hyphens"
        )
    options = {option.name: _option(row, option, f"{where}.{option.name}", values) for option in kind.options}
    return SinkConfig(name=name, type=kind.name, options=options)


def _option(row: Mapping[str, Any], option: Option, where: str, values: PolicyValues) -> Any:
    if option.name not in row:
        return option.default
    value = values.typed(row[option.name], type(option.default), where)
    for key, text in option.texts(value, where):
        if not isinstance(text, str):
            values.fail(key, f"{text!r} is not a str")
        if option.choices and text not in option.choices:
            values.fail(key, f"{text!r} is not one of {', '.join(option.choices)}")
        if option.pattern and not re.fullmatch(option.pattern, text):
            values.fail(key, f"{text!r} does not match {option.pattern}; {option.doc}")
        if option.may_be_json:
            _json(text, key, values)
    return value


def _json(text: str, where: str, values: PolicyValues) -> None:
    if not begins_json(text):
        return
    try:
        json.loads(text)
    except ValueError as error:
        values.fail(
            where, f"{text!r} looks like JSON, and is none: {error}; put it right, or begin it otherwise"
        )
