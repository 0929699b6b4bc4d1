"""What makes a resource be looked at again, from the tables of triggers, the samples and the template's patterns."""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import warden.core.trigger as triggers
from tools.generate import ROOT
from tools.generators._database_permissions import need_actions
from tools.generators._template_pages import parsed, resources, said
from warden.core.kinds import EVALUATED_KINDS, JUDGED_WITH_USERS, KINDS
from warden.core.trigger import Ignored, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from warden.core.kinds import Need
    from warden.core.resource import ResourceType

_SAMPLES: Final = ROOT / "events" / "rds_event"
_RDS: Final = "rds.amazonaws.com"
# What CloudTrail calls a service, where its actions are called otherwise.
_SERVICES: Final = {"cloudwatch": "monitoring.amazonaws.com"}
# Other services whose calls are about databases, and what of them that is.
_ABOUT_DATABASES: Final = {
    "backup.amazonaws.com": "its backups in AWS Backup",
    "monitoring.amazonaws.com": "its alarms",
}


def lines(kind: ResourceType, needs: Iterable[Need] = ()) -> list[str]:
    """Return what leads to a look at resources of a kind, a line for each source of events.

    Of what is shared, that comes first which is read to know the `needs`; the rest is named and no more.
    """
    found = []
    if told := sorted(name for name, kinds in _rds_events().items() if kind in kinds):
        found.append(f"- RDS's own events: {', '.join(f'`{name}`' for name in told)}")
    actions = [action.partition(":") for need in needs for action in need_actions(need)]
    services = {_SERVICES.get(service, f"{service}.amazonaws.com") for service, _, _ in actions}
    beside: list[str] = []
    for service, calls in _calls().items():
        own = [name for name, kinds in calls.items() if kind in kinds and kinds[kind] is None]
        if own and service in _ABOUT_DATABASES and service not in services:
            beside.append(_ABOUT_DATABASES[service])
        elif own:
            found.append(f"- what CloudTrail records of `{service}` about one: {_code(own)}")
    if beside:
        found.append(
            f"- the same, as for every control of a {KINDS[kind].name}, about {' and '.join(beside)}"
        )
    read = {name for _, _, name in actions}
    shared = _shared(kind)
    for thing in [thing for thing in shared if KINDS[thing].describe in read]:
        for service, names in shared.pop(thing).items():
            found.append(
                f"- what CloudTrail records of `{service}` about a {KINDS[thing].name} that it uses: {_code(names)}"
            )
    if shared:
        things = ", ".join(f"a {KINDS[thing].name}" for thing in shared)
        found.append(
            f"- the same, as for every control of a {KINDS[kind].name}, about what it uses: {things}"
        )
    found += [f"- {line}" for line in _from_others(kind)]
    return [*found, f"- the sweep, `{_sweep()}` as shipped"]


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


@functools.cache
def _calls() -> dict[str, dict[str, dict[ResourceType, ResourceType | None]]]:
    """For each service and call: the kinds that it leads to, each with the shared kind through which it does."""
    found: dict[str, dict[str, dict[ResourceType, ResourceType | None]]] = {}
    for service, name, places in _rows():
        kinds = found.setdefault(service, {}).setdefault(name, {})
        for place in places:
            if place.resource_type in EVALUATED_KINDS:
                kinds.update(dict.fromkeys((place.resource_type, *place.instead)))
            else:
                for user in place.instead:
                    kinds.setdefault(user, place.resource_type)
    return found


def _rows() -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Every row of every table of `core.trigger` whose cells are places: (service, call, places)."""
    for info in pkgutil.iter_modules(triggers.__path__, f"{triggers.__name__}."):
        for name, table in vars(importlib.import_module(info.name)).items():
            if not name.isupper() or name.startswith("_") or not isinstance(table, Mapping):
                continue
            for key, value in table.items():
                if _are_places(value):
                    yield _RDS, key, value
                elif isinstance(value, Mapping):
                    yield from ((key, call, row) for call, row in value.items() if _are_places(row))


def _are_places(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(hasattr(place, "resource_ids") for place in value)


def _shared(kind: ResourceType) -> dict[ResourceType, dict[str, list[str]]]:
    found: dict[ResourceType, dict[str, list[str]]] = {}
    for service, calls in _calls().items():
        for name, kinds in calls.items():
            if (shared := kinds.get(kind)) is not None:
                found.setdefault(shared, {}).setdefault(service, []).append(name)
            for thing in (
                JUDGED_WITH_USERS & kinds.keys() if "MasterUserSecret" in KINDS[kind].omitted else ()
            ):
                found.setdefault(thing, {}).setdefault(service, []).append(name)
    return found


@functools.cache
def _rds_events() -> dict[str, set[ResourceType]]:
    """For each kind of event that RDS itself sends: the kinds that the samples of it lead to."""
    users: dict[ResourceType, set[ResourceType]] = {}
    for calls in _calls().values():
        for kinds in calls.values():
            for user, shared in kinds.items():
                if shared is not None:
                    users.setdefault(shared, set()).add(user)
    found: dict[str, set[ResourceType]] = {}
    for path in sorted(_SAMPLES.glob("*.json")):
        event = json.loads(path.read_text(encoding="utf-8"))
        for trigger in parse(event, received_at=datetime.now(UTC)):
            if not isinstance(trigger, Ignored):
                kind = trigger.target.resource_type
                found.setdefault(event["detail-type"], set()).update(users.get(kind, {kind}))
    return found


@functools.cache
def _patterns() -> dict[str, frozenset[str]]:
    """For each source of a rule's pattern: every text that stands in it."""
    found: dict[str, frozenset[str]] = {}
    for rule in resources(parsed(), "AWS::Events::Rule").values():
        for source in rule["EventPattern"].get("source", []):
            found[source] = found.get(source, frozenset()) | frozenset(_texts(rule["EventPattern"]))
    return found


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def _from_others(kind: ResourceType) -> Iterator[str]:
    if kind.value in _patterns().get("aws.config", ()):
        yield f"AWS Config: a recorded change of an `{kind.value}`, or another verdict of a rule about it"
    hub = KINDS[kind].security_hub
    if hub in _patterns().get("aws.securityhub", ()) or kind.value in _patterns().get("aws.securityhub", ()):
        yield f"Security Hub: an open finding about an `{hub or kind.value}`"


@functools.cache
def _sweep() -> str:
    parameters = parsed()["Parameters"]
    for schedule in resources(parsed(), "AWS::Scheduler::Schedule").values():
        name = said(schedule["ScheduleExpression"])
        if "sweep" in schedule["Target"]["Input"] and name in parameters:
            return str(parameters[name]["Default"])
    raise LookupError("template.yaml has no schedule of a sweep whose rate is a parameter")
