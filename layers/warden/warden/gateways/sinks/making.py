"""Makes the sinks that are reached by HTTPS: each calls the hosts of its own table in the policy, with one secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from warden.core.dataclass import dataclass
from warden.core.errors import ConfigurationError
from warden.core.sinks import begins_json
from warden.gateways.http import DEADLINE_SECONDS, Http, verified
from warden.gateways.sinks.api import Api

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warden.core.sinks import SinkConfig
    from warden.gateways.http import Connect
    from warden.gateways.secrets import Secret, Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What all of them are made with."""

    secrets: Secrets
    secret_arns: Sequence[str]
    """What the parameter TicketSecretArns lists."""
    now: Callable[[], datetime]
    connect: Connect = verified
    left: Callable[[], float] = lambda: DEADLINE_SECONDS
    """The seconds that the invocation has left for requests."""

    def make(self, config: SinkConfig) -> Any:
        """The sink of a type of `core.http_sinks`; raises ConfigurationError where its secret is not listed."""
        return _MAKERS[config.type](self, config)

    def secret_arn(self, config: SinkConfig) -> str:
        """The ARN of the sink's secret: Secrets Manager appends a hyphen and six characters to the name."""
        name = config.options["secret"]
        for arn in self.secret_arns:
            tail = arn.partition(":secret:")[2]
            if name in {tail, tail[:-7] if tail[-7:-6] == "-" else tail}:
                return arn
        msg = (
            f"tickets.sinks: the sink {config.name} reads the secret {name!r}, and the parameter TicketSecretArns "
            "lists no ARN of that name; deploy with it"
        )
        raise ConfigurationError(msg)

    def http(self, *addresses: str) -> Http:
        """A client for the hosts of these addresses, and no others."""
        return Http([urlsplit(address).netloc for address in addresses], connect=self.connect, left=self.left)

    def api(
        self,
        config: SinkConfig,
        address: str,
        authorization: Callable[[Secret], Mapping[str, str]],
        headers: Mapping[str, str] | None = None,
    ) -> Api:
        """An API at an address of the policy."""
        return Api(
            self.http(address),
            self.secrets,
            secret_arn=self.secret_arn(config),
            base_url=address,
            authorization=authorization,
            now=self.now,
            headers=headers,
        )


# Each imports its module alone: a function start pays for the sinks that there are.


def _jira(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.jira import Jira  # noqa: PLC0415
    from warden.gateways.sinks.jira_dialects import Cloud, DataCenter  # noqa: PLC0415
    from warden.gateways.sinks.jira_workflow import Words  # noqa: PLC0415

    options = config.options
    dialect = Cloud() if config.type == "jira" else DataCenter()
    return Jira(
        maker.api(config, options["api"] or options["site"], dialect.authorization),
        dialect,
        site=options["site"],
        project=options["project"],
        issue_type=options["issue_type"],
        labels=options["labels"],
        priorities=options["priorities"],
        fields={
            name: json.loads(text) if begins_json(text) else text for name, text in options["fields"].items()
        },
        words=Words(
            wont_fix=frozenset(name.casefold() for name in options["wont_fix"]),
            resolve=options["resolve_transition"],
            reopen=options["reopen_transition"],
            resolution=options["resolution"],
        ),
    )


def _servicenow(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.servicenow import ServiceNow, authorization  # noqa: PLC0415

    options = config.options
    return ServiceNow(
        maker.api(config, options["site"], authorization),
        site=options["site"],
        table=options["table"],
        close_code=options["close_code"],
        wont_fix=options["wont_fix"],
        fields=options["fields"],
    )


def _github(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.github import HEADERS, GitHub, authorization  # noqa: PLC0415

    options = config.options
    return GitHub(
        maker.api(config, options["api"], authorization, HEADERS),
        repository=options["repository"],
        labels=options["labels"],
    )


def _pagerduty(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.pagerduty import PagerDuty, authorization  # noqa: PLC0415

    options = config.options
    return PagerDuty(
        maker.api(config, options["api"], authorization),
        maker.secrets,
        secret_arn=maker.secret_arn(config),
        page=options["page"],
    )


def _channel(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.channels import Channel, Slack, Teams  # noqa: PLC0415

    http = maker.http(f"https://{config.options['host']}")
    channel = Channel(http, maker.secrets, secret_arn=maker.secret_arn(config), now=maker.now)
    return Slack(channel) if config.type == "slack" else Teams(channel)


def _webhook(maker: Maker, config: SinkConfig) -> Any:
    from warden.gateways.sinks.webhook import Webhook  # noqa: PLC0415

    url = config.options["url"]
    return Webhook(
        maker.http(url), maker.secrets, secret_arn=maker.secret_arn(config), url=url, now=maker.now
    )


_MAKERS: Mapping[str, Callable[[Maker, SinkConfig], Any]] = {
    "jira": _jira,
    "jira-data-center": _jira,
    "servicenow": _servicenow,
    "github": _github,
    "pagerduty": _pagerduty,
    "slack": _channel,
    "teams": _channel,
    "webhook": _webhook,
}
