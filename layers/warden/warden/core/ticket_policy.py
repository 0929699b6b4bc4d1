"""The policy's section [tickets]: the sinks, which finding is told where, and how many tickets there may be."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.control import Severity
from warden.core.dataclass import dataclass
from warden.core.decision import Mode
from warden.core.resource import ResourceRef
from warden.core.sinks import DEFAULT_SINKS, SinkConfig, read_sinks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from warden.core.finding import Finding
    from warden.core.policy_values import PolicyValues

_LONGEST_REOPEN = 365
_MOST_A_DAY = 1000


class Grouping(StrEnum):
    """How findings become tickets."""

    FINDING = "finding"
    """One for each."""
    OWNER_AND_CONTROL = "owner-and-control"
    """One for all findings of a control that are of one owner."""
    FLOOD = "flood"
    """One for each, and when there are many of one owner and control in a day, one for the rest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which findings are told in which sinks; every condition that is given must hold."""

    sinks: tuple[str, ...]
    severities: frozenset[str] = frozenset()
    controls: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    modes: frozenset[str] = frozenset()

    def holds(self, finding: Finding) -> bool:
        """Whether a finding is told by it."""
        return (
            (not self.severities or finding.severity in self.severities)
            and (not self.controls or finding.control in self.controls)
            and (not self.accounts or ResourceRef.from_arn(finding.arn).account in self.accounts)
            and (not self.modes or finding.decision.get("mode") in self.modes)
            and all(finding.tags.get(key) == value for key, value in self.tags.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPolicy:
    """What the policy says of tickets."""

    sinks: tuple[SinkConfig, ...] = DEFAULT_SINKS
    routes: tuple[Route, ...] = ()
    group: Grouping = Grouping.FLOOD
    flood: int = 5
    """Tickets of one owner and control in a day, before the rest of them becomes one ticket."""
    daily: int = 50
    """New tickets in a day and sink, before the rest of them becomes one summary."""
    reopen_days: int = 14
    """How long after its resolution a ticket is opened again; later, a new one is made that names the old."""
    owner_tag: str = "owner"
    """The tag whose value says whose a database is; without it, it is its account's."""

    @property
    def reopen_window(self) -> timedelta:
        """How long after its resolution a ticket is opened again."""
        return timedelta(days=self.reopen_days)

    @property
    def tags(self) -> frozenset[str]:
        """The tags that tickets need to know of a resource."""
        return frozenset({self.owner_tag, *(tag for route in self.routes for tag in route.tags)} - {""})

    def owner(self, finding: Finding) -> str:
        """Whose a finding is: the value of the tag, else the account."""
        return finding.tags.get(self.owner_tag) or ResourceRef.from_arn(finding.arn).account

    @property
    def tells_changes(self) -> bool:
        """Whether any sink is told of what Warden put right itself."""
        return any(sink.tells_changes for sink in self.sinks)

    def changes(self, finding: Finding) -> tuple[str, ...]:
        """The sinks that are told that Warden put a finding right: those of its route that tell changes."""
        routed = self.route(finding)
        return tuple(sink.name for sink in self.sinks if sink.tells_changes and sink.name in routed)

    def route(self, finding: Finding) -> tuple[str, ...]:
        """The sinks that a finding is told in: of the first route that holds, else every one: nothing goes untold."""
        found = next((route for route in self.routes if route.holds(finding)), None)
        return tuple(sink.name for sink in self.sinks) if found is None else found.sinks

    def machines(self, sinks: Iterable[str]) -> tuple[str, ...]:
        """Those of some sinks to which each finding is told by itself."""
        named = {sink.name for sink in self.sinks if sink.kind.is_machine}
        return tuple(name for name in sinks if name in named)

    def people(self, sinks: Iterable[str]) -> tuple[str, ...]:
        """Those of some sinks in which many findings may be one ticket."""
        machines = set(self.machines(tuple(sink.name for sink in self.sinks)))
        return tuple(name for name in sinks if name not in machines)

    def is_limited(self, sink: str) -> bool:
        """Whether a sink takes no more than so many new tickets in a day."""
        return any(one.name == sink and one.kind.is_limited for one in self.sinks)

    def still(self, told: Iterable[str], finding: Finding) -> tuple[str, ...]:
        """The sinks of a ticket that was told in some: those that there still are, and those of the finding's route."""
        known = {sink.name for sink in self.sinks}
        return tuple(dict.fromkeys([*(name for name in told if name in known), *self.route(finding)]))

    def together(self, told: Iterable[str], finding: Finding) -> tuple[str, ...]:
        """The sinks of a ticket of many that was told in some, as `still` is of one: machines get each by itself."""
        told = tuple(told)
        return tuple(n for n in self.still(told, finding) if n in told or n in self.people([n]))


def read_tickets(
    document: Mapping[str, Any], values: PolicyValues, *, controls: Collection[str]
) -> TicketPolicy:
    """The section [tickets] of a policy file; raises PolicyError."""
    table = values.table(document, "tickets")
    values.keys(
        table,
        "tickets",
        optional={"sinks", "routes", "group", "flood", "daily", "reopen_days", "owner_tag"},
    )
    sinks = read_sinks(table, values)
    group = values.typed(table.get("group", Grouping.FLOOD.value), str, "tickets.group")
    if group not in set(Grouping):
        values.fail("tickets.group", f"{group!r} is not one of {', '.join(Grouping)}")
    rows = values.typed(table.get("routes", []), list, "tickets.routes")
    default = TicketPolicy()
    return TicketPolicy(
        sinks=sinks,
        routes=tuple(
            _route(
                row,
                f"tickets.routes[{number}]",
                values,
                sinks={sink.name for sink in sinks},
                controls=controls,
            )
            for number, row in enumerate(rows)
        ),
        group=Grouping(group),
        flood=values.number(table, "tickets.flood", default.flood, low=1, high=_MOST_A_DAY),
        daily=values.number(table, "tickets.daily", default.daily, low=1, high=_MOST_A_DAY),
        reopen_days=values.number(
            table, "tickets.reopen_days", default.reopen_days, low=0, high=_LONGEST_REOPEN
        ),
        owner_tag=values.typed(table.get("owner_tag", default.owner_tag), str, "tickets.owner_tag"),
    )


def _route(
    given: Any, where: str, values: PolicyValues, *, sinks: set[str], controls: Collection[str]
) -> Route:
    row = values.typed(given, dict, where)
    values.keys(
        row, where, required={"sinks"}, optional={"severities", "controls", "accounts", "tags", "modes"}
    )
    named = values.strings(row["sinks"], f"{where}.sinks")
    if not named:
        values.fail(f"{where}.sinks", "is empty, so nobody would be told; name at least one sink")
    _known(named, sinks, f"{where}.sinks", values)
    severities = values.strings(row.get("severities", []), f"{where}.severities")
    _known(severities, set(Severity), f"{where}.severities", values)
    chosen = values.strings(row.get("controls", []), f"{where}.controls")
    for name in chosen:
        if name not in controls:
            values.fail(f"{where}.controls", f"there is no control {name!r}; `warden controls` lists them")
    modes = values.strings(row.get("modes", []), f"{where}.modes")
    _known(modes, {Mode.TICKET.word, Mode.REMEDIATE.word}, f"{where}.modes", values)
    tags = values.typed(row.get("tags", {}), dict, f"{where}.tags")
    return Route(
        sinks=tuple(dict.fromkeys(named)),
        severities=frozenset(severities),
        controls=frozenset(chosen),
        accounts=frozenset(values.accounts(row.get("accounts", []), f"{where}.accounts")),
        tags={key: values.typed(value, str, f"{where}.tags.{key}") for key, value in tags.items()},
        modes=frozenset(modes),
    )


def _known(names: list[str], known: set[str], where: str, values: PolicyValues) -> None:
    for name in names:
        if name not in known:
            values.fail(where, f"{name!r} is not known; known are {', '.join(sorted(known))}")
