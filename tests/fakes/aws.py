"""RDS in memory, for tests of the pipeline: a world of Describe items that reads see and writes change.

It holds databases, snapshots, clusters' parameter groups and global clusters: as much as the pipeline's own
behaviour needs, whatever the number of controls. How AWS refuses its operations it knows, too. What it does not know
it refuses to pretend: an unknown need or parameter fails the test. Every control meets the local AWS instead
(tests/stack).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fakes import aws_calls
from warden.core import engines, guard
from warden.core.errors import (
    AccessDeniedError,
    MissingFactError,
    RefusedError,
    RejectedError,
    ResourceBusyError,
    ResourceGoneError,
    ThrottledError,
    TransientError,
)
from warden.core.kinds import KINDS, Need, resource_key
from warden.core.plan import written
from warden.core.resource import Deployment, Facts, Resource, ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from warden.core.guard import Permit
    from warden.core.plan import Call
    from warden.core.trigger import Lookup

HERE = Deployment(account="123456789012", region="eu-west-1")


def _supported(version: str, *, until: datetime) -> list[dict[str, Any]]:
    """Standard support of whatever major version it is, for ten years to come."""
    return [
        {
            "MajorEngineVersion": version.partition(".")[0],
            "SupportedEngineLifecycles": [
                {
                    "LifecycleSupportName": "open-source-rds-standard-support",
                    "LifecycleSupportStartDate": until,
                    "LifecycleSupportEndDate": until + timedelta(days=3650),
                }
            ],
        }
    ]


@dataclass(slots=True)
class _Failure:
    what: str
    error: Exception
    times: int | None
    arn: str | None


class FakeAws:
    """Implements `ports.Reader` and `ports.Writer` over one account and Region."""

    def __init__(self, clock: Callable[[], datetime], *, deployment: Deployment = HERE) -> None:
        self.clock = clock
        self.deployment = deployment
        self.items: dict[ResourceRef, dict[str, Any]] = {}
        self.parameter_groups: dict[str, dict[str, dict[str, Any]]] = {}
        self.restore_accounts: dict[ResourceRef, list[str]] = {}
        self.blue_green: list[dict[str, Any]] = []
        self.uses: dict[ResourceRef, list[ResourceRef]] = {}
        """What uses a thing that databases share, other than a parameter group."""
        self.backup_plans: list[dict[str, Any]] = []
        """The plans of AWS Backup, as the reader gives them of one resource."""
        self.events: dict[ResourceRef, list[dict[str, Any]]] = {}
        self.firing: dict[ResourceRef, list[str]] = {}
        """What RDS reported of a database lately."""
        self.log_types: dict[str, list[str]] = {}
        """By engine, where they are not the documented ones."""
        self.memory: dict[ResourceRef, dict[Need, Any]] = {}
        """What lists give of a resource instead of what is so, as a reader does that remembers."""
        self.refreshed: list[str] = []
        """The ARNs of what was read after all."""
        self.calls: list[Call] = []
        """The writes that AWS accepted."""
        self.attempts: list[Call] = []
        """All writes, refused ones too."""
        self.reads: list[tuple[str, frozenset[Need]]] = []
        """The ARNs that were described one by one, and what else was asked."""
        self._failures: list[_Failure] = []
        self._rejected: dict[str, str] = {}
        self._hidden: dict[tuple[str | None, str], str] = {}

    # --- the world ----------------------------------------------------------------------------------------

    def add(
        self, resource_type: ResourceType, item: Mapping[str, Any], *, restore_accounts: Sequence[str] = ()
    ) -> ResourceRef:
        """Make a resource of a Describe item, which is copied."""
        ref = ResourceRef.from_arn(item[KINDS[resource_type].arn])
        self.items[ref] = copy.deepcopy(dict(item))
        if restore_accounts:
            self.restore_accounts[ref] = list(restore_accounts)
        return ref

    def add_parameter_group(self, name: str, parameters: Mapping[str, str | Mapping[str, Any]]) -> None:
        """Make a DB cluster parameter group: values, or whole items of DescribeDBClusterParameters."""
        self.parameter_groups[name] = {
            parameter: {
                "ParameterName": parameter,
                "Source": "engine-default",
                "ApplyType": "dynamic",
                "DataType": "string",
                "IsModifiable": True,
                **({"ParameterValue": given} if isinstance(given, str) else given),
            }
            for parameter, given in parameters.items()
        }

    def update(self, ref: ResourceRef, **members: Any) -> None:
        """Change members of a Describe item behind Warden's back; None removes one."""
        item = self.items[ref]
        for name, value in members.items():
            if value is None:
                item.pop(name, None)
            else:
                item[name] = copy.deepcopy(value)

    def remove(self, ref: ResourceRef) -> None:
        """Delete a resource."""
        del self.items[ref]
        self.restore_accounts.pop(ref, None)

    def rename(self, ref: ResourceRef, name: str) -> ResourceRef:
        """Give a resource another name; what survives a rename survives."""
        kind = KINDS[ref.resource_type]
        item = self.items.pop(ref)
        item[kind.identifier] = name
        item[kind.arn] = f"{ref.arn.removesuffix(ref.id)}{name}"
        if ref.resource_type is ResourceType.DB_CLUSTER:
            for member in self.of_type(ResourceType.DB_INSTANCE).values():
                if member.get("DBClusterIdentifier") == ref.id:
                    member["DBClusterIdentifier"] = name
        return self.add(ref.resource_type, item)

    def of_type(self, resource_type: ResourceType) -> dict[ResourceRef, dict[str, Any]]:
        """The live items of one type, by reference."""
        return {ref: item for ref, item in sorted(self.items.items()) if ref.resource_type is resource_type}

    def settle(self) -> None:
        """Let everything that AWS is busy with come to its end."""
        for ref, item in self.items.items():
            status = KINDS[ref.resource_type].status
            if status is not None and item.get(status) in {"creating", "modifying", "copying"}:
                item[status] = "available"

    # --- what goes wrong ----------------------------------------------------------------------------------

    def fail(
        self, what: str, error: Exception, *, times: int | None = None, ref: ResourceRef | None = None
    ) -> None:
        """Raise `error` from an operation (`ModifyDBCluster`), a method (`read`, `list`, `resolve`) or a need.

        Always, or the next `times`; everywhere, or for one resource.
        """
        self._failures.append(_Failure(what, error, times, None if ref is None else ref.arn))

    def throttle(self, what: str, *, times: int | None = None, ref: ResourceRef | None = None) -> None:
        """AWS asks us to slow down."""
        self.fail(what, ThrottledError(f"rds:{what}: Throttling: Rate exceeded"), times=times, ref=ref)

    def deny(self, what: str, *, times: int | None = None, ref: ResourceRef | None = None) -> None:
        """The role may not."""
        error = AccessDeniedError(f"rds:{what}: AccessDenied: not authorized", code="AccessDenied")
        self.fail(what, error, times=times, ref=ref)

    def busy(self, what: str, *, times: int | None = None, ref: ResourceRef | None = None) -> None:
        """AWS refuses the operation though the status looked well: something was faster."""
        error = ResourceBusyError(
            f"rds:{what}: InvalidDBClusterStateFault: not available", code="InvalidState"
        )
        self.fail(what, error, times=times, ref=ref)

    def reject(self, parameter: str, why: str = "InvalidParameterCombination: not possible here") -> None:
        """Refuse every call that has this parameter."""
        self._rejected[parameter] = why

    def hide(
        self, fact: str, why: str = "AWS's answer does not hold it", *, ref: ResourceRef | None = None
    ) -> None:
        """Make a fact, a member or an enrichment, one that is not known."""
        self._hidden[None if ref is None else ref.arn, fact] = why

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._failures.clear()
        self._rejected.clear()
        self._hidden.clear()

    def _raise(self, what: str, arn: str) -> None:
        for failure in self._failures:
            if failure.what == what and failure.arn in {None, arn} and failure.times != 0:
                if failure.times is not None:
                    failure.times -= 1
                raise failure.error

    # --- reading ------------------------------------------------------------------------------------------

    def read(self, ref: ResourceRef, needs: Collection[Need]) -> Resource:
        self.reads.append((ref.arn, frozenset(needs)))
        self._raise("read", ref.arn)
        return self.enrich(self._resource(ref), needs)

    def enrich(self, resource: Resource, needs: Collection[Need]) -> Resource:
        self._raise("enrich", resource.ref.arn)
        return self._enriched(resource, needs, passing=())

    def afresh(self, resource: Resource) -> Resource:
        self.refreshed.append(resource.ref.arn)
        facts, known, missing = resource.facts.opened()
        try:
            self._raise("afresh", resource.ref.arn)
        except TransientError as error:
            for need in resource.remembered:
                del known[need]
                missing[need] = str(error)
            return resource.with_facts(facts)._replace(remembered=frozenset())
        needs = [Need(need) for need in sorted(resource.remembered)]
        return self._enriched(resource, needs, passing=(TransientError,))._replace(remembered=frozenset())

    def resolve(self, lookup: Lookup) -> ResourceRef | None:
        self._raise("resolve", lookup.resource_id)
        kind = KINDS[lookup.resource_type]
        if kind.immutable_id is None:
            return ResourceRef.build(
                lookup.resource_type,
                partition=self.deployment.partition,
                region=lookup.region,
                account=lookup.account,
                name=lookup.resource_id,
            )
        found = (
            ref
            for ref, item in self.of_type(lookup.resource_type).items()
            if item.get(kind.immutable_id) == lookup.resource_id
        )
        return next(found, None)

    def users(self, ref: ResourceRef) -> list[ResourceRef]:
        self._raise("users", ref.arn)
        match ref.resource_type:
            case ResourceType.DB_CLUSTER_PARAMETER_GROUP:
                clusters = self.of_type(ResourceType.DB_CLUSTER)
                return [
                    user for user, item in clusters.items() if item.get("DBClusterParameterGroup") == ref.id
                ]
            case ResourceType.DB_PARAMETER_GROUP:
                instances = self.of_type(ResourceType.DB_INSTANCE)
                return [
                    user
                    for user, item in instances.items()
                    if any(
                        group["DBParameterGroupName"] == ref.id for group in item.get("DBParameterGroups", [])
                    )
                ]
            case _:
                return list(self.uses.get(ref, ()))

    def list(
        self,
        resource_type: ResourceType,
        needs: Collection[Need],
        *,
        but: Callable[[str], bool] | None = None,
        complete: Callable[[Resource], Resource] | None = None,
    ) -> Iterator[Resource]:
        del complete  # whoever visits it does so, too
        for ref in self.of_type(resource_type):
            self._raise("list", ref.arn)
            if self.deployment.refusal(ref) is None:
                resource = self._resource(ref)
                known = but is not None and but(resource.key)
                yield (
                    resource
                    if known
                    else self._recalled(self._enriched(resource, needs, passing=(TransientError,)), needs)
                )

    def _recalled(self, resource: Resource, needs: Collection[Need]) -> Resource:
        remembered = {
            need: value for need, value in self.memory.get(resource.ref, {}).items() if need in needs
        }
        facts = resource.facts.with_more(copy.deepcopy(remembered))
        return resource.with_facts(facts)._replace(remembered=frozenset(remembered))

    def _resource(self, ref: ResourceRef) -> Resource:
        kind = KINDS[ref.resource_type]
        if ref not in self.items:
            msg = f"rds:{kind.describe}: there is no {kind.name} {ref.id}"
            raise ResourceGoneError(msg)
        item = copy.deepcopy(self.items[ref])
        immutable = ref.arn if kind.immutable_id is None else str(item.get(kind.immutable_id) or ref.arn)
        missing = {fact: why for (arn, fact), why in self._hidden.items() if arn in {None, ref.arn}}
        return Resource(
            ref=ref,
            facts=Facts({**copy.deepcopy(dict(kind.omitted)), **item}, missing),
            observed_at=self.clock(),
            key=resource_key(
                kind.resource_type, account=ref.account, region=ref.region, immutable_id=immutable
            ),
            tags={tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or []},
            home=ref.region or self._home(item),
        )

    def _home(self, item: Mapping[str, Any]) -> str:
        writers = (member for member in item.get("GlobalClusterMembers", []) if member.get("IsWriter"))
        writer = next(writers, None)
        return ResourceRef.from_arn(writer["DBClusterArn"]).region if writer else self.deployment.region

    def _enriched(
        self, resource: Resource, needs: Collection[Need], *, passing: tuple[type[Exception], ...]
    ) -> Resource:
        facts, known, missing = resource.facts.opened()
        unknown: tuple[type[Exception], ...] = (RefusedError, MissingFactError, *passing)
        for need in needs:
            try:
                self._raise(need, resource.ref.arn)
                known[need] = copy.deepcopy(self._answer(need, resource))
            except unknown as error:
                missing[need] = str(error)
        return resource.with_facts(facts)

    @property
    def needs(self) -> frozenset[Need]:
        """What it can answer."""
        return frozenset(self._answers())

    def _answer(self, need: Need, resource: Resource) -> Any:
        return self._answers()[need](resource.ref, resource.facts)

    def _answers(self) -> dict[Need, Callable[[ResourceRef, Facts], Any]]:
        return {
            Need.PARAMETERS: lambda _, facts: Facts(self.parameter_group(facts["DBClusterParameterGroup"])),
            Need.EXPORTABLE_LOG_TYPES: lambda _, facts: self._log_types(facts["Engine"]),
            Need.RESTORE_ACCOUNTS: lambda ref, _: self.restore_accounts.get(ref, []),
            Need.MEMBERS: lambda ref, _: self._having(ResourceType.DB_INSTANCE, DBClusterIdentifier=ref.id),
            Need.CLASS_SUPPORT: self._class_support,
            Need.PARAMETER_GROUP_USERS: lambda _, facts: [
                item["DBClusterArn"]
                for item in self._having(
                    ResourceType.DB_CLUSTER, DBClusterParameterGroup=facts["DBClusterParameterGroup"]
                )
            ],
            Need.BACKUP_PLANS: lambda *_: self.backup_plans,
            Need.DELETIONS: lambda *_: [],
            Need.RECOVERY_POINTS: lambda *_: [],
            Need.BACKUP_OPT_IN: lambda *_: True,
            Need.RECENT_EVENTS: lambda ref, _: self.events.get(ref, []),
            Need.FIRING_ALARMS: lambda ref, _: self.firing.get(ref, []),
            Need.BLUE_GREEN: lambda ref, _: [
                item for item in self.blue_green if ref.arn in {item.get("Source"), item.get("Target")}
            ],
            Need.GLOBAL_CLUSTER: lambda *_: None,
            # Of procedures, nothing is begun.
            Need.SUCCESSOR: lambda *_: {
                **dict.fromkeys(("Cluster", "Snapshot", "Record", "SnapshotRecord")),
                "Others": [],
                "Members": [],
            },
            Need.QUOTAS: lambda *_: {},
            Need.SUBNET_GROUPS: lambda *_: {},
            Need.INBOUND_RULES: lambda *_: {},
            Need.ALIAS_KEYS: lambda *_: {},
            Need.ENGINE_STATUS: lambda *_: "available",
            Need.UPGRADE_TARGETS: lambda *_: [],
            Need.SUPPORT_DATES: lambda _, facts: _supported(facts["EngineVersion"], until=self.clock()),
            Need.ENCRYPTED_COPIES: lambda _, facts: self._having(
                ResourceType.DB_SNAPSHOT,
                Encrypted=True,
                DbiResourceId=facts["DbiResourceId"],
                OriginalSnapshotCreateTime=facts["OriginalSnapshotCreateTime"],
            ),
        }

    def _class_support(self, ref: ResourceRef, facts: Facts) -> dict[str, dict[str, bool]]:
        """Every class supports everything."""
        of_cluster = ref.resource_type is ResourceType.DB_CLUSTER
        items = self._having(ResourceType.DB_INSTANCE, DBClusterIdentifier=ref.id) if of_cluster else [facts]
        everything = {"SupportsPerformanceInsights": True, "SupportsEnhancedMonitoring": True}
        return {item["DBInstanceClass"]: everything for item in items}

    def _having(self, resource_type: ResourceType, **members: Any) -> Sequence[dict[str, Any]]:
        items = self.of_type(resource_type).values()
        return [item for item in items if all(item.get(name) == value for name, value in members.items())]

    def _log_types(self, engine: str) -> Sequence[str]:
        return self.log_types.get(engine) or sorted(engines.DOCUMENTED_LOG_TYPES[engines.family(engine)])

    def parameter_group(self, name: str) -> dict[str, dict[str, Any]]:
        """The live parameters of a group, by name."""
        if name not in self.parameter_groups:
            msg = f"rds:DescribeDBClusterParameters: DBClusterParameterGroupNotFound: {name}"
            raise ResourceGoneError(msg, code="DBClusterParameterGroupNotFound")
        return self.parameter_groups[name]

    # --- writing ------------------------------------------------------------------------------------------

    def apply(self, call: Call, resource: Resource, permits: Sequence[Permit]) -> str:
        self.attempts.append(call)
        guard.check(call, permits, resource)
        self._raise(call.operation, resource.ref.arn)
        aws_calls.check_parameters(call)
        for parameter, why in self._rejected.items():
            if parameter in call.parameters:
                msg = f"rds:{call.operation}: {why} ({parameter})"
                raise RejectedError(msg, code=why.partition(":")[0])
        target = written(call, resource.ref, region=self.deployment.region)
        aws_calls.make(self, call, target)
        self.calls.append(call)
        return f"request-{len(self.calls)}"
