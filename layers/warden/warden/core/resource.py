"""What an event names and what AWS then says about it: types, references, facts.

First nouns of the flow: `ResourceRef` is an identity, `Resource` an identity with facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError

if TYPE_CHECKING:
    from datetime import datetime


class ResourceType(StrEnum):
    """CloudFormation's and Config's names of the resource types that Warden knows."""

    DB_CLUSTER = "AWS::RDS::DBCluster"
    DB_INSTANCE = "AWS::RDS::DBInstance"
    DB_CLUSTER_SNAPSHOT = "AWS::RDS::DBClusterSnapshot"
    DB_SNAPSHOT = "AWS::RDS::DBSnapshot"
    GLOBAL_CLUSTER = "AWS::RDS::GlobalCluster"
    DB_PROXY = "AWS::RDS::DBProxy"
    DB_CLUSTER_PARAMETER_GROUP = "AWS::RDS::DBClusterParameterGroup"
    DB_PARAMETER_GROUP = "AWS::RDS::DBParameterGroup"
    DB_SUBNET_GROUP = "AWS::RDS::DBSubnetGroup"
    ROUTE_TABLE = "AWS::EC2::RouteTable"
    NETWORK_ACL = "AWS::EC2::NetworkAcl"
    PREFIX_LIST = "AWS::EC2::PrefixList"
    SECURITY_GROUP = "AWS::EC2::SecurityGroup"
    KMS_KEY = "AWS::KMS::Key"
    SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - the name of a resource type
    LOG_GROUP = "AWS::Logs::LogGroup"
    ACCOUNT = "AWS::::Account"
    """The account in one Region: GuardDuty, CloudTrail, event subscriptions."""


# The resource part of an RDS ARN (RDS User Guide, "Amazon Resource Names (ARNs) in Amazon RDS").
ARN_TYPES: Mapping[str, ResourceType] = {
    "cluster": ResourceType.DB_CLUSTER,
    "db": ResourceType.DB_INSTANCE,
    "cluster-snapshot": ResourceType.DB_CLUSTER_SNAPSHOT,
    "snapshot": ResourceType.DB_SNAPSHOT,
    "global-cluster": ResourceType.GLOBAL_CLUSTER,
    "db-proxy": ResourceType.DB_PROXY,
    "cluster-pg": ResourceType.DB_CLUSTER_PARAMETER_GROUP,
    "pg": ResourceType.DB_PARAMETER_GROUP,
    "subgrp": ResourceType.DB_SUBNET_GROUP,
}
ARN_TYPE_OF: Mapping[ResourceType, str] = {value: key for key, value in ARN_TYPES.items()}

# Service and beginning of the resource part (Service Authorization Reference, "Resource types" of each service).
_FORMS: Mapping[ResourceType, tuple[str, str]] = {
    **{resource_type: ("rds", f"{word}:") for word, resource_type in ARN_TYPES.items()},
    ResourceType.SECURITY_GROUP: ("ec2", "security-group/"),
    ResourceType.ROUTE_TABLE: ("ec2", "route-table/"),
    ResourceType.NETWORK_ACL: ("ec2", "network-acl/"),
    ResourceType.PREFIX_LIST: ("ec2", "prefix-list/"),
    ResourceType.KMS_KEY: ("kms", "key/"),
    ResourceType.SECRET: ("secretsmanager", "secret:"),
    ResourceType.LOG_GROUP: ("logs", "log-group:"),
    ResourceType.ACCOUNT: ("iam", "root"),
}
_SERVICES = frozenset(service for service, _ in _FORMS.values())
_FORMS_OF: Mapping[str, tuple[tuple[ResourceType, str], ...]] = {
    name: tuple((kind, prefix) for kind, (service, prefix) in _FORMS.items() if service == name)
    for name in _SERVICES
}
_UNNAMED = frozenset({"", *(prefix for _, prefix in _FORMS.values() if prefix[-1] in ":/")})
_WITHOUT_REGION = frozenset({ResourceType.GLOBAL_CLUSTER, ResourceType.ACCOUNT})
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True, order=True)
class ResourceRef:
    """The identity of one resource: its type and its ARN."""

    resource_type: ResourceType
    arn: str
    id: str = field(init=False, repr=False, compare=False)
    """The identifier within the account, Region and type; of an account, its twelve digits."""

    def __post_init__(self) -> None:
        # Every sentence about a resource begins with it.
        rest = self.arn.split(":", _ARN_PARTS - 1)[-1]
        name = rest[len(_FORMS[self.resource_type][1]) :] or self.account
        object.__setattr__(self, "id", name)

    @classmethod
    def from_arn(cls, arn: str) -> Self:
        """Read an ARN; a ValueError says why when it names nothing that Warden knows."""
        # Automated snapshots have a colon in their id (…:cluster-snapshot:rds:orders-2026-…).
        parts = arn.split(":", _ARN_PARTS - 1)
        if len(parts) != _ARN_PARTS or parts[0] != "arn" or parts[-1] in _UNNAMED:
            msg = f"{arn!r} is not an ARN of the form arn:partition:service:region:account:resource"
            raise ValueError(msg)
        *head, rest = parts
        service = head[2]
        if service not in _SERVICES:
            msg = f"{arn!r} is an ARN of the service {service!r}, not of {', '.join(sorted(_SERVICES))}"
            raise ValueError(msg)
        for resource_type, prefix in _FORMS_OF[service]:
            if rest.startswith(prefix):
                return cls(
                    resource_type, ":".join([*head, prefix + _normal(resource_type, rest[len(prefix) :])])
                )
        known = ", ".join(prefix.rstrip(":/") for _, prefix in _FORMS_OF[service])
        msg = f"{arn!r} has the resource type {rest.partition(':')[0]!r}; known are {known}"
        raise ValueError(msg)

    @classmethod
    def build(
        cls, resource_type: ResourceType, *, partition: str, region: str, account: str, name: str
    ) -> Self:
        """Make the reference of a resource that is known by its name, or by its ARN."""
        if name.startswith("arn:"):
            return cls.from_arn(name)
        service, prefix = _FORMS[resource_type]
        home = "" if resource_type in _WITHOUT_REGION else region
        rest = prefix if resource_type is ResourceType.ACCOUNT else prefix + name
        return cls.from_arn(f"arn:{partition}:{service}:{home}:{account}:{rest}")

    def beside(self, resource_type: ResourceType, name: str) -> ResourceRef:
        """The resource of another type and name in the same account and Region."""
        return self.build(
            resource_type, partition=self.partition, region=self.region, account=self.account, name=name
        )

    @property
    def partition(self) -> str:
        """The partition, such as `aws`, `aws-cn` or `aws-us-gov`."""
        return self.arn.split(":", 2)[1]

    @property
    def region(self) -> str:
        """The Region; empty for a global cluster."""
        return self.arn.split(":", 4)[3]

    @property
    def account(self) -> str:
        """The twelve digits of the owning account."""
        return self.arn.split(":", 5)[4]

    def __str__(self) -> str:
        return self.arn


def _normal(resource_type: ResourceType, identifier: str) -> str:
    """An identifier as AWS keeps it: one resource must not have two references.

    RDS stores identifiers in lower case, whatever case the caller wrote, but for the generated ids of proxies;
    the ARN of a log group often carries the `:*` that means its streams.
    """
    service = _FORMS[resource_type][0]
    if service == "rds" and resource_type is not ResourceType.DB_PROXY:
        return identifier.lower()
    return identifier.removesuffix(":*") if resource_type is ResourceType.LOG_GROUP else identifier


class Facts(Mapping[str, Any]):
    """What is known about one resource: AWS's own Describe item and the enrichments that were asked for.

    Subscripting a fact that is not known raises MissingFactError with the reason. Each top-level key that was
    read is remembered, so that the evidence of an evaluation records itself. Facts may hold facts (the
    parameters of a group): then only what was read of them is evidence.
    """

    __slots__ = ("_known", "_missing", "_otherwise", "read")

    def __init__(
        self,
        known: Mapping[str, Any],
        missing: Mapping[str, str] | None = None,
        *,
        otherwise: str = "AWS's answer does not hold it",
    ) -> None:
        self._known = known
        # An empty one too: whoever `opened` these adds to it.
        self._missing: Mapping[str, str] = {} if missing is None else missing
        self._otherwise = otherwise
        # What was read; of facts within these facts, what was read of them. Who judges by many controls gives each
        # an empty one, and keeps it: a look at the same facts is cheaper than facts of its own for each control.
        self.read: dict[str, Facts | None] = {}

    def __getitem__(self, key: str) -> Any:
        if key in self._missing:
            self.read[key] = None
            raise MissingFactError(key, self._missing[key])
        try:
            value = self._known[key]
        except KeyError:
            self.read[key] = None
            raise MissingFactError(key, self._otherwise) from None
        if type(value) is Facts:
            return self._within(key, value)
        self.read[key] = None
        return value

    def _within(self, key: str, value: Facts) -> Facts:
        inner = self.read.get(key)
        if inner is None:
            inner = self.read[key] = value.fresh()
        return inner

    def __contains__(self, key: object) -> bool:
        return key in self._known and key not in self._missing

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def missing(self) -> Mapping[str, str]:
        """The facts that were asked for and could not be had, each with its reason."""
        return self._missing

    def fresh(self) -> Facts:
        """The same facts with nothing read yet."""
        return Facts(self._known, self._missing, otherwise=self._otherwise)

    def evidence(self, read: Mapping[str, Facts | None] | None = None) -> dict[str, Any]:
        """What was read, with values, or what `read` says that was; a missing fact appears with its reason."""
        taken = self.read if read is None else read
        return {key: self._evidence_of(key, taken[key]) for key in sorted(taken)}

    def _evidence_of(self, key: str, inner: Facts | None) -> Any:
        if key in self._missing or key not in self._known:
            return {"missing": self._missing.get(key, self._otherwise)}
        return self._known[key] if inner is None else inner.evidence()

    def opened(self) -> tuple[Facts, dict[str, Any], dict[str, str]]:
        """These facts over copies of what is known and what is missing: whoever asks adds to them what AWS says."""
        known, missing = dict(self._known), dict(self._missing)
        return Facts(known, missing, otherwise=self._otherwise), known, missing

    def with_more(self, known: Mapping[str, Any]) -> Facts:
        """These facts and more of them."""
        return Facts({**self._known, **known}, self._missing, otherwise=self._otherwise)


class Resource(NamedTuple):
    """One resource as AWS described it at a moment; a tuple, since each control is given one of its own."""

    ref: ResourceRef
    facts: Facts
    observed_at: datetime
    key: str
    """The immutable identity: account, Region, type and the id that survives a rename (or the ARN)."""
    tags: Mapping[str, str] = MappingProxyType({})
    home: str = ""
    """The Region whose deployment acts on it: the ref's own, or for a global cluster its writer's."""
    remembered: frozenset[str] = frozenset()
    """The facts that an earlier sweep has read: see `core.memory`."""

    def with_facts(self, facts: Facts) -> Resource:
        """This resource with other facts."""
        return Resource(self.ref, facts, self.observed_at, self.key, self.tags, self.home, self.remembered)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The account and the Region that one deployment of Warden governs."""

    account: str
    region: str
    partition: str = "aws"

    @property
    def chain(self) -> str:
        """The chain of the ledger that holds what is about the deployment as a whole."""
        return f"deployment/{self.account}/{self.region}"

    def refusal(self, ref: ResourceRef) -> str | None:
        """Why this deployment does not govern the resource, or None when it does."""
        if ref.partition != self.partition:
            return f"partition {ref.partition} is not {self.partition}"
        if ref.account != self.account:
            return f"account {ref.account} is not {self.account}, the one this deployment governs"
        if ref.region and ref.region != self.region:
            return f"Region {ref.region} is not {self.region}, the one this deployment governs"
        return None
