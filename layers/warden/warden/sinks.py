"""Builds the ticket sinks that the policy names; beside `wiring`, the one module that joins gateways and pipeline.

What only one kind of sink needs is imported when that kind is built.
"""

from __future__ import annotations

import functools
import math
from dataclasses import field
from typing import TYPE_CHECKING, Any, NoReturn

from warden.core.dataclass import dataclass
from warden.core.errors import ConfigurationError, SinkRefusedError
from warden.core.http_sinks import HTTP_SINKS
from warden.gateways.sns import SnsSink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warden.core.resource import Deployment
    from warden.core.sinks import SinkConfig
    from warden.core.ticket import Handle, Remote, Ticket
    from warden.gateways.http import Connect
    from warden.gateways.secrets import Secrets
    from warden.pipeline.ports import Clock, Notifier, Tracker


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What sinks are built with."""

    client: Callable[[str], Any]
    """The boto3 client of a service, in the deployment's account and Region."""
    deployment: Deployment
    topic_arn: str
    clock: Clock
    secret_arns: tuple[str, ...] = ()
    """The secrets that the template lets this function read."""
    connect: Connect | None = None
    """Makes connections in the place of `gateways.http.verified`; tests have one that leads to their own servers."""
    left: Callable[[], float] = lambda: math.inf
    """The seconds that are left for requests by HTTPS."""

    @functools.cached_property
    def secrets(self) -> Secrets:
        """The secrets, each read once however many sinks share it."""
        from warden.gateways.secrets import Secrets  # noqa: PLC0415 - nobody without a tracker needs it

        return Secrets(lambda: self.client("secretsmanager"), clock=self.clock)


@dataclass(frozen=True, slots=True)
class Sinks:
    """The sinks of a policy by the names that it gives them."""

    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    trackers: Mapping[str, Tracker] = field(default_factory=dict)


class Absent:
    """In the place of a sink that cannot be made: the others are told nevertheless, and its tickets wait for it.

    Implements `ports.Notifier` and `ports.Tracker`.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    def _refuse(self) -> NoReturn:
        raise SinkRefusedError(self._why)

    def notify(self, _ticket: Ticket) -> None:
        """Refuse."""
        self._refuse()

    def find(self, _ticket: Ticket) -> Handle | None:
        """Refuse."""
        self._refuse()

    def create(self, _ticket: Ticket) -> Handle:
        """Refuse."""
        self._refuse()

    def update(self, _handle: Handle, _ticket: Ticket) -> None:
        """Refuse."""
        self._refuse()

    def comment(self, _handle: Handle, _ticket: Ticket, _text: str) -> None:
        """Refuse."""
        self._refuse()

    def resolve(self, _handle: Handle, _ticket: Ticket) -> bool:
        """Refuse."""
        self._refuse()

    def reopen(self, _handle: Handle, _ticket: Ticket) -> None:
        """Refuse."""
        self._refuse()

    def remote(self, _handle: Handle) -> Remote:
        """Refuse."""
        self._refuse()

    def check(self) -> str:
        """Refuse."""
        self._refuse()


def _sns(config: SinkConfig, tools: Tools) -> Notifier:
    topic = config.options["topic_arn"] or tools.topic_arn
    return SnsSink(tools.client("sns"), topic, form=config.options["form"])


def _opscenter(_config: SinkConfig, tools: Tools) -> Tracker:
    from warden.gateways.opscenter import OpsCenterSink  # noqa: PLC0415 - as the docstring says

    where = tools.deployment
    return OpsCenterSink(tools.client("ssm"), partition=where.partition, region=where.region)


def _security_hub(_config: SinkConfig, tools: Tools) -> Notifier:
    from warden.gateways.security_hub import SecurityHubSink  # noqa: PLC0415 - the same

    return SecurityHubSink(tools.client("securityhub"), deployment=tools.deployment, clock=tools.clock)


def _event_bus(config: SinkConfig, tools: Tools) -> Notifier:
    from warden.gateways.event_bus import EventBusSink  # noqa: PLC0415 - the same

    return EventBusSink(tools.client("events"), bus=config.options["bus"], clock=tools.clock)


def _by_https(config: SinkConfig, tools: Tools) -> Any:
    from warden.gateways.http import verified  # noqa: PLC0415
    from warden.gateways.sinks.making import Maker  # noqa: PLC0415

    return Maker(
        secrets=tools.secrets,
        secret_arns=tools.secret_arns,
        now=tools.clock,
        connect=tools.connect or verified,
        left=tools.left,
    ).make(config)


NOTIFIERS: Mapping[str, Callable[[SinkConfig, Tools], Notifier]] = {
    "sns": _sns,
    "security-hub": _security_hub,
    "eventbridge": _event_bus,
    **{kind.name: _by_https for kind in HTTP_SINKS if not kind.keeps_tickets},
}
TRACKERS: Mapping[str, Callable[[SinkConfig, Tools], Tracker]] = {
    "opscenter": _opscenter,
    **{kind.name: _by_https for kind in HTTP_SINKS if kind.keeps_tickets},
}
"""How each type of sink is made; `core.sinks` declares what the policy may say of it."""


def build(configs: Sequence[SinkConfig], tools: Tools) -> Sinks:
    """Make every sink; one that cannot be made is there as one that takes nothing, and says why."""
    notifiers: dict[str, Notifier] = {}
    trackers: dict[str, Tracker] = {}
    for config in configs:
        try:
            if config.kind.keeps_tickets:
                trackers[config.name] = TRACKERS[config.type](config, tools)
            else:
                notifiers[config.name] = NOTIFIERS[config.type](config, tools)
        except ConfigurationError as error:
            absent = Absent(str(error))
            if config.kind.keeps_tickets:
                trackers[config.name] = absent
            else:
                notifiers[config.name] = absent
    return Sinks(notifiers, trackers)
