"""`warden doctor`: whether a deployment can do its work, and what to do where it cannot.

Everything is read; `--write` also sends a test ticket through each sink and closes it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from console import deployed
from console.doctor import account, delivery, roles, sinks
from console.doctor.report import Health, Line, text
from warden.core.errors import ConfigurationError, WardenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from console.deployed import Deployed


def run(
    *,
    write: bool,
    only: tuple[str, ...],
    output: str,
    policy_file: str | None,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Check a deployment; 1 where something does not work.

    `only`: the names of sinks of the policy; then nothing but these is checked.
    """
    found = deployed.find("Topic", command="warden doctor", stack=stack, region=region, profile=profile)
    lines = [*_lines(found, stack, policy_file, write=write, only=only)]
    if output == "json":
        json.dump(
            {"version": 1, "stack": stack, "lines": [line.to_json() for line in lines]}, sys.stdout, indent=2
        )
        print()
    else:
        print(text(lines))
    return 1 if any(line.health is Health.FAILED for line in lines) else 0


def _lines(
    found: Deployed, stack: str, policy_file: str | None, *, write: bool, only: tuple[str, ...]
) -> Iterator[Line]:
    parameters = deployed.parameters(found, stack)
    policy = deployed.policy(parameters, policy_file)
    configs = policy.tickets.sinks
    if unknown := set(only) - {config.name for config in configs}:
        known = ", ".join(sorted(config.name for config in configs))
        msg = f"the policy has no sink {', '.join(sorted(unknown))}; it has {known}"
        raise ConfigurationError(msg)
    resources = deployed.resources(found, stack)
    if not only:
        checks: tuple[tuple[str, Iterable[Line]], ...] = (
            ("rules", delivery.rules(found, resources)),
            ("queues", delivery.queues(found, resources)),
            ("functions", delivery.functions(found, resources)),
            ("schedules", delivery.schedules(found, resources)),
            ("probe", delivery.probe(found, resources)),
            ("trail", account.trail(found)),
            ("alarms", account.alarms(found, resources)),
            ("people", account.people(found)),
            ("writes", account.writes(found, resources, parameters)),
            ("roles", roles.permissions(found, resources, parameters)),
        )
        for area, lines in checks:
            yield from _careful(area, lines)
    chosen = tuple(config for config in configs if not only or config.name in only)
    table = next((one.physical for one in resources if one.logical == "StateTable"), "")
    yield from sinks.checks(found, parameters, chosen, table, write=write)


def _careful(area: str, lines: Iterable[Line]) -> Iterator[Line]:
    """What may not be read is said, and holds up nothing else."""
    try:
        yield from lines
    except WardenError as error:
        yield Line(
            area, Health.UNKNOWN, str(error), "Let whoever runs this read it; nothing is known about it now."
        )
