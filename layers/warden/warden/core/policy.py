"""What this organisation wants: modes, settings, limits, exemptions; and the strict parser of policy.toml.

The parser refuses what it does not know, and names file, key and remedy: a typing error in an exemption or a
mode must not pass as a wish.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from warden.core import caution, memory, open_sessions, preflight
from warden.core.dataclass import dataclass
from warden.core.decision import Mode
from warden.core.errors import PolicyError
from warden.core.kinds import KINDS
from warden.core.policy_values import PolicyValues
from warden.core.request_policy import read_requests
from warden.core.resource import ResourceRef
from warden.core.ticket_policy import TicketPolicy, read_tickets
from warden.core.tokens import Rate
from warden.core.windows import DAYS, ChangeWindow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.control import Control, Declaration, Setting
    from warden.core.resource import Resource

_UNIQUE_ID = re.compile(r"(AROA|AIDA)[A-Z0-9]{12,60}")
_LONGEST_APPROVAL = 24 * 90
_A_DAY = 24
_HALF_AN_HOUR, _AN_HOUR = 30, 60
_A_WEEK = 7 * 24
_WHOLE = 100
_RESOURCE_ID = re.compile(r"(cluster|db)-[A-Z0-9]{20,40}|cluster-[0-9a-f]{16,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Drift that somebody accepts, for a reason and until a day."""

    control: str
    """A control's id, or `*` for all of one resource."""
    resource: str
    """The immutable resource id, the ARN where AWS has none, or empty for the whole account."""
    account: str
    owner: str
    reason: str
    expires: date

    def covers(self, control: str, resource: Resource, now: datetime) -> bool:
        """Whether it covers this control of this resource at this moment; the day it names is its last."""
        return now.date() <= self.expires and self.concerns(
            control, account=resource.ref.account, key=resource.key
        )

    def concerns(self, control: str, *, account: str, key: str) -> bool:
        """Whether it is about this control of the resource with this key, whether or not it has expired."""
        if self.control not in {"*", control} or (self.account and self.account != account):
            return False
        return not self.resource or key.endswith(f"/{self.resource}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of the estate in which the mode is lower: by account, Region or tag."""

    name: str
    mode: Mode
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    owner_grace: timedelta | None = None
    """How long the owner of a stack has the first word here; None for what `limits` says."""

    def holds(self, resource: Resource) -> bool:
        """Whether the resource lies in it: every condition that is given must hold."""
        return (
            (not self.accounts or resource.ref.account in self.accounts)
            and (not self.regions or resource.home in self.regions)
            and all(resource.tags.get(key) == value for key, value in self.tags.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A span of time in which nothing but containment is written."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be written."""

    writes_per_hour: int = 20
    """For one account and Region; calls of one operation for one finding count once."""
    containment_writes_per_hour: int = 50
    """A reserve of their own for controls that close an open door."""
    attempts: int = 3
    """Remediations of one finding within `attempts_window_hours` before it counts as flapping."""
    attempts_window_hours: int = 24
    owner_grace_hours: int = 0
    """How long the owner of a stack has before Warden writes to what the stack owns."""
    writes_per_hour_per_control: int = 10
    """Of these, by one control; containment has no such limit."""
    share_percent: int = 20
    """The same, of the resources that the last sweep evaluated for it."""
    share_floor: int = 5
    """So many writes an hour are never too large a share."""
    circuit_failures: int = 3
    """Fixes of one control on as many resources that fail, within `attempts_window_hours`, before it is stopped."""
    verify_minutes: int = 60
    """So long a fix that AWS accepted may take to show its effect."""

    def of(self, *, containment: bool) -> int:
        """How many writes an hour may bring: those that close an open door have a reserve of their own."""
        return self.containment_writes_per_hour if containment else self.writes_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """When a database is left alone."""

    alarms: bool = True
    """While a CloudWatch alarm about it fires."""
    failover_minutes: int = _HALF_AN_HOUR
    """So long after a failover; 0 for not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What an approval must be to count."""

    valid_hours: int = _A_WEEK
    """How long one holds, if no change window makes it hold longer."""
    never: frozenset[str] = frozenset()
    """Unique ids of roles and users that approve nothing, such as those of deployment pipelines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The parsed policy file."""

    version: str
    """The hash of the file; it goes into every decision and ledger entry."""
    default_mode: Mode
    modes: Mapping[str, Mode]
    settings: Mapping[str, Mapping[str, Any]]
    """For every control, complete."""
    limits: Limits = field(default_factory=Limits)
    allow_costs: frozenset[str] = frozenset()
    allow_disruption: frozenset[str] = frozenset()
    scopes: tuple[Scope, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    approvals: Approvals = field(default_factory=Approvals)
    health: Health = field(default_factory=Health)
    requests: Rate = field(default_factory=Rate)
    remember: timedelta = memory.LONGEST
    """So long a sweep may go by what events keep current; zero where it reads everything each time."""
    change_windows: tuple[ChangeWindow, ...] = ()
    canary: caution.CanarySetting = field(default_factory=caution.CanarySetting)
    day_one: caution.DayOne = field(default_factory=caution.DayOne)
    undo: caution.Undo = field(default_factory=caution.Undo)
    preflight: preflight.Setting = field(default_factory=preflight.Setting)
    data_api: tuple[open_sessions.Access, ...] = ()
    """The clusters whose writer is asked who is connected without TLS."""
    tickets: TicketPolicy = field(default_factory=TicketPolicy)

    def mode(self, control: str, resource: Resource, ceiling: Mode) -> Mode:
        """The lowest of the control's mode, those of the scopes that hold the resource, and the ceiling."""
        mode = min(self.modes.get(control, self.default_mode), ceiling)
        return (
            min([mode, *(scope.mode for scope in self.scopes if scope.holds(resource))])
            if self.scopes
            else mode
        )

    def is_enabled(self, control: str) -> bool:
        """Whether the control is judged at all."""
        return control in self.settings

    def exemption(self, control: str, resource: Resource, now: datetime) -> Exemption | None:
        """The exemption that covers this control of this resource now."""
        # A large account has a thousand of them, most of other controls.
        about_it = [one for one in self.exemptions if one.control in (control, "*")]
        return next((one for one in about_it if one.covers(control, resource, now)), None)

    def ending(self, now: datetime, *, within: timedelta) -> list[Exemption]:
        """The exemptions whose last day comes within so long, or is today; those that are over are no news."""
        today = now.date()
        return [one for one in self.exemptions if today <= one.expires <= today + within]

    def freeze(self, now: datetime) -> Freeze | None:
        """The freeze that is on now."""
        return next((freeze for freeze in self.freezes if freeze.start <= now < freeze.end), None)

    def is_outside_windows(self, now: datetime) -> bool:
        """Whether what can disturb clients has to wait for a change window; where none is named, never."""
        return bool(self.change_windows) and not any(window.is_open(now) for window in self.change_windows)

    @property
    def attempts_window(self) -> timedelta:
        """The window in which attempts are counted."""
        return timedelta(hours=self.limits.attempts_window_hours)

    @property
    def verify_within(self) -> timedelta:
        """How long a fix may take to show its effect."""
        return timedelta(minutes=self.limits.verify_minutes)

    def owner_grace(self, resource: Resource) -> timedelta:
        """How long the owner of a stack has the first word: the longest that a scope of the resource gives."""
        given = [s.owner_grace for s in self.scopes if s.owner_grace is not None and s.holds(resource)]
        return max(given, default=timedelta(hours=self.limits.owner_grace_hours))


def parse_policy(
    text: str, *, controls: Iterable[Control | Declaration], source: str = "policy.toml"
) -> Policy:
    """Read a policy file; raises PolicyError naming file, key and remedy."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{source}: not valid TOML: {error}"
        raise PolicyError(msg) from None
    return _Parser(source, {control.id: control for control in controls}).parse(
        document, version=hashlib.sha256(text.encode()).hexdigest()[:16]
    )


class _Parser(PolicyValues):
    """Walks the document once, remembering where it is for the error."""

    def __init__(self, source: str, controls: Mapping[str, Control | Declaration]) -> None:
        super().__init__(source)
        self._controls = controls

    def parse(self, document: Mapping[str, Any], *, version: str) -> Policy:
        self.keys(
            document,
            "",
            required={"version"},
            optional={
                "defaults",
                "baseline",
                "limits",
                "allow",
                "controls",
                "scopes",
                "exemptions",
                "freezes",
                "approvals",
                "health",
                "requests",
                "change_windows",
                "canary",
                "day_one",
                "undo",
                "preflight",
                "tickets",
            },
        )
        if document["version"] != 1:
            self.fail("version", f"{document['version']!r} is not known; this Warden reads version 1")
        defaults = self.table(document, "defaults")
        self.keys(defaults, "defaults", optional={"mode", "enabled"})
        enabled = self.typed(defaults.get("enabled", True), bool, "defaults.enabled")
        baseline = self.table(document, "baseline")
        tables = self.table(document, "controls")
        for name in tables:
            self._known_control(name, f"controls.{name}")
        allow = self.table(document, "allow")
        self.keys(allow, "allow", optional={"costs", "disruption"})
        return Policy(
            version=version,
            default_mode=self._mode(defaults.get("mode", "observe"), "defaults.mode"),
            modes={
                name: self._mode(self.table(tables, name, "controls.")["mode"], f"controls.{name}.mode")
                for name in tables
                if "mode" in self.table(tables, name, "controls.")
            },
            settings=self._settings(tables, baseline, enabled=enabled),
            limits=self._limits(self.table(document, "limits")),
            allow_costs=self._control_list(allow, "costs"),
            allow_disruption=self._control_list(allow, "disruption"),
            scopes=tuple(self._scope(*row) for row in self.rows(document, "scopes")),
            exemptions=tuple(self._exemption(*row) for row in self.rows(document, "exemptions")),
            freezes=tuple(self._freeze(*row) for row in self.rows(document, "freezes")),
            approvals=self._approvals(self.table(document, "approvals")),
            health=self._health(self.table(document, "health")),
            requests=read_requests(document, self),
            remember=memory.read_remembering(document, self),
            change_windows=tuple(self._change_window(*row) for row in self.rows(document, "change_windows")),
            canary=caution.canary(self.table(document, "canary"), self),
            day_one=caution.day_one(self.table(document, "day_one"), self),
            undo=caution.undo(self.table(document, "undo"), self),
            preflight=preflight.read(self.table(document, "preflight"), self),
            data_api=open_sessions.read(self.table(document, "preflight"), self),
            tickets=read_tickets(document, self, controls=self._controls),
        )

    # --- sections -----------------------------------------------------------------------------------------

    def _settings(
        self, tables: Mapping[str, Any], baseline: Mapping[str, Any], *, enabled: bool
    ) -> dict[str, Mapping[str, Any]]:
        """The settings of what is judged; `enabled` speaks for the controls that have no table."""
        shared = {s.name: s for control in self._controls.values() for s in control.settings if s.shared}
        self.keys(baseline, "baseline", optional=set(shared))
        settings: dict[str, Mapping[str, Any]] = {}
        for name, control in self._controls.items():
            table = self.table(tables, name, "controls.")
            where = f"controls.{name}"
            own = {s.name for s in control.settings if not s.shared}
            self.keys(table, where, optional=own | {"mode", "enabled"})
            if not self.typed(table.get("enabled", enabled or name in tables), bool, f"{where}.enabled"):
                continue
            settings[name] = {
                s.name: self._setting(baseline if s.shared else table, s, "baseline" if s.shared else where)
                for s in control.settings
            }
        return settings

    def _setting(self, table: Mapping[str, Any], setting: Setting, where: str) -> Any:
        if setting.name not in table:
            return setting.default
        key = f"{where}.{setting.name}"
        value = self.typed(table[setting.name], type(setting.default), key)
        match value:
            case bool():
                return value
            case int():
                self._number(value, setting, key)
            case str():
                self._text(value, setting, key)
            case list():
                for item in self.strings(value, key):
                    self._text(item, setting, key)
            case dict():
                self.keys(value, key, optional=set(setting.default))
                for engine, items in value.items():
                    for item in self.strings(items, f"{key}.{engine}"):
                        self._text(item, setting, f"{key}.{engine}")
                return {**setting.default, **value}
        return value

    def _number(self, value: int, setting: Setting, key: str) -> None:
        if setting.minimum is not None and value < setting.minimum:
            self.fail(key, f"{value} is below {setting.minimum}")
        if setting.maximum is not None and value > setting.maximum:
            self.fail(key, f"{value} is above {setting.maximum}")

    def _text(self, value: str, setting: Setting, key: str) -> None:
        if setting.choices and value not in setting.choices:
            self.fail(key, f"{value!r} is not one of {', '.join(setting.choices)}")
        if setting.pattern and not re.fullmatch(setting.pattern, value):
            self.fail(key, f"{value!r} does not match {setting.pattern}; {setting.doc}")

    def _limits(self, table: Mapping[str, Any]) -> Limits:
        names = set(Limits.__dataclass_fields__)
        self.keys(table, "limits", optional=names)
        values: dict[str, int] = {}
        for name in table:
            values[name] = self.typed(table[name], int, f"limits.{name}")
            lowest = 0 if name in {"owner_grace_hours", "writes_per_hour"} else 1
            if values[name] < lowest:
                self.fail(f"limits.{name}", f"{values[name]} is below {lowest}")
        if values.get("share_percent", 1) > _WHOLE:
            self.fail("limits.share_percent", f"{values['share_percent']} is above {_WHOLE}")
        return Limits(**values)

    def _scope(self, row: Mapping[str, Any], where: str) -> Scope:
        self.keys(
            row,
            where,
            required={"name", "mode"},
            optional={"accounts", "regions", "tags", "owner_grace_hours"},
        )
        tags = self.typed(row.get("tags", {}), dict, f"{where}.tags")
        scope = Scope(
            name=self.typed(row["name"], str, f"{where}.name"),
            mode=self._mode(row["mode"], f"{where}.mode"),
            accounts=frozenset(self.accounts(row.get("accounts", []), f"{where}.accounts")),
            regions=frozenset(self.strings(row.get("regions", []), f"{where}.regions")),
            tags={key: self.typed(value, str, f"{where}.tags.{key}") for key, value in tags.items()},
            owner_grace=timedelta(
                hours=self.number(row, f"{where}.owner_grace_hours", 0, low=0, high=_LONGEST_APPROVAL)
            )
            if "owner_grace_hours" in row
            else None,
        )
        if not (scope.accounts or scope.regions or scope.tags):
            self.fail(where, "has no condition; give accounts, regions or tags, or use defaults.mode")
        return scope

    def _exemption(self, row: Mapping[str, Any], where: str) -> Exemption:
        self.keys(
            row,
            where,
            required={"control", "owner", "reason", "expires"},
            optional={"resource", "account"},
        )
        control = self.typed(row["control"], str, f"{where}.control")
        if control != "*":
            self._known_control(control, f"{where}.control")
        resource = self.typed(row.get("resource", ""), str, f"{where}.resource")
        account = self.typed(row.get("account", ""), str, f"{where}.account")
        if account:
            self.accounts([account], f"{where}.account")
        if not resource and not account:
            self.fail(where, "covers nothing in particular; give a resource or an account")
        if not resource and control == "*":
            self.fail(where, "would exempt a whole account from everything; name a control or a resource")
        self._exempt_resource(resource, f"{where}.resource")
        for key in ("owner", "reason"):
            if not self.typed(row[key], str, f"{where}.{key}").strip():
                self.fail(f"{where}.{key}", "is empty; an exemption needs an owner and a reason")
        expires = row["expires"]
        if isinstance(expires, datetime) or not isinstance(expires, date):
            self.fail(f"{where}.expires", f"{expires!r} is not a day; write it as 2027-01-31, without quotes")
        return Exemption(
            control=control,
            resource=resource,
            account=account,
            owner=row["owner"],
            reason=row["reason"],
            expires=expires,
        )

    def _exempt_resource(self, resource: str, where: str) -> None:
        if not resource or _RESOURCE_ID.fullmatch(resource):
            return
        try:
            ref = ResourceRef.from_arn(resource)
        except ValueError as error:
            self.fail(where, f"is neither an immutable resource id (cluster-…, db-…) nor an ARN: {error}")
        immutable = KINDS[ref.resource_type].immutable_id
        if immutable is not None:
            self.fail(
                where,
                f"names a {KINDS[ref.resource_type].name} by its ARN, which a rename could pass on; "
                f"give its {immutable}",
            )

    def _freeze(self, row: Mapping[str, Any], where: str) -> Freeze:
        self.keys(row, where, required={"from", "until", "reason"})
        start = self.moment(row["from"], f"{where}.from")
        end = self.moment(row["until"], f"{where}.until")
        if end <= start:
            self.fail(f"{where}.until", "is not after from")
        return Freeze(start=start, end=end, reason=self.typed(row["reason"], str, f"{where}.reason"))

    def _approvals(self, table: Mapping[str, Any]) -> Approvals:
        self.keys(table, "approvals", optional={"valid_hours", "never"})
        hours = self.typed(table.get("valid_hours", _A_WEEK), int, "approvals.valid_hours")
        if not 1 <= hours <= _LONGEST_APPROVAL:
            self.fail("approvals.valid_hours", f"{hours} is not between 1 and {_LONGEST_APPROVAL}")
        never = self.strings(table.get("never", []), "approvals.never")
        for name in never:
            if not _UNIQUE_ID.fullmatch(name):
                self.fail(
                    "approvals.never",
                    f"{name!r} is not the unique id of a role or user (AROA…, AIDA…); "
                    "`aws iam get-role --role-name NAME --query Role.RoleId` tells it",
                )
        return Approvals(valid_hours=hours, never=frozenset(never))

    def _health(self, table: Mapping[str, Any]) -> Health:
        self.keys(table, "health", optional={"alarms", "failover_minutes"})
        minutes = self.typed(table.get("failover_minutes", _HALF_AN_HOUR), int, "health.failover_minutes")
        if not 0 <= minutes <= _AN_HOUR:
            self.fail("health.failover_minutes", f"{minutes} is not between 0 and {_AN_HOUR}")
        return Health(
            alarms=self.typed(table.get("alarms", True), bool, "health.alarms"), failover_minutes=minutes
        )

    def _change_window(self, row: Mapping[str, Any], where: str) -> ChangeWindow:
        self.keys(row, where, required={"days", "from", "hours"})
        days = self.strings(row["days"], f"{where}.days")
        if not days:
            self.fail(f"{where}.days", f"is empty; choose of {', '.join(DAYS)}")
        for day in days:
            if day not in DAYS:
                self.fail(f"{where}.days", f"{day!r} is not a day; choose of {', '.join(DAYS)}")
        start = row["from"]
        if not isinstance(start, time) or start.tzinfo is not None:
            self.fail(f"{where}.from", f"{start!r} is not a time of day; write it as 01:30:00, in UTC")
        hours = self.typed(row["hours"], int, f"{where}.hours")
        if not 1 <= hours <= _A_DAY:
            self.fail(f"{where}.hours", f"{hours} is not between 1 and {_A_DAY}")
        return ChangeWindow(days=frozenset(days), start=start, hours=hours)

    # --- values -------------------------------------------------------------------------------------------

    def _mode(self, value: Any, where: str) -> Mode:
        try:
            return Mode.parse(self.typed(value, str, where))
        except ValueError as error:
            self.fail(where, str(error))

    def _control_list(self, table: Mapping[str, Any], key: str) -> frozenset[str]:
        names = self.strings(table.get(key, []), f"allow.{key}")
        for name in names:
            self._known_control(name, f"allow.{key}")
        return frozenset(names)

    def _known_control(self, name: str, where: str) -> None:
        if name not in self._controls:
            self.fail(where, f"there is no control {name!r}; `warden controls` lists them")
