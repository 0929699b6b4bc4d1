"""Each stage on the way to a parameter group of its own, as facts: examples of the controls that go there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import own_group
from warden.core.control import ComplianceType, Example
from warden.core.kinds import Need
from warden.core.procedure import Record
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "arn:aws:rds:eu-west-1:123456789012"
_NONCE = "5f3c6a0e9b1d4c7f8a2e6b0d1c3f5a79"
_OURS = f"{own_group.DESCRIPTION} {_NONCE}"
_USERS = {
    ResourceType.DB_CLUSTER: (Need.PARAMETER_GROUP_USERS, "cluster"),
    ResourceType.DB_INSTANCE: (Need.INSTANCE_GROUP_USERS, "db"),
}


def _own(description: str | None = _OURS, *, recorded: bool = True, **other: Any) -> dict[str, Any]:
    record = Record(
        arn=f"{_HERE}:pg:warden-example",
        serves=f"{_HERE}:db:example",
        serves_key="example",
        controls=(),
        # The first call has been made, or nothing would be there to go on with.
        pledge="",
        nonce=_NONCE,
        announced_at=datetime(2026, 11, 24, 8, tzinfo=UTC),
    )
    return {
        Need.OWN_GROUP: {
            "Description": description,
            "Values": {},
            "Users": [],
            "Record": record if recorded else None,
            **other,
        }
    }


def _default(resource_type: ResourceType, family: str) -> dict[str, Any]:
    if resource_type is ResourceType.DB_CLUSTER:
        return {"DBClusterParameterGroup": f"default.{family or 'aurora-postgresql16'}"}
    name = f"default.{family or 'postgres16'}"
    return {"DBParameterGroups": [{"DBParameterGroupName": name, "ParameterApplyStatus": "in-sync"}]}


def examples(
    resource_type: ResourceType, drift: Mapping[str, Any], wanted: Mapping[str, str], *, family: str = ""
) -> tuple[Example, ...]:
    """The stages for a kind: `drift` are the facts of a parameter that is not as it should be, `wanted` its value."""
    default = {**drift, **_default(resource_type, family)}
    need, kind = _USERS[resource_type]
    own = {ResourceType.DB_CLUSTER: "orders", ResourceType.DB_INSTANCE: "billing"}[resource_type]
    shared = {**drift, need: [f"{_HERE}:{kind}:{own}", f"{_HERE}:{kind}:reports"]}
    full = {"DBClusterParameterGroups": {"Used": 50, "Max": 50}, "DBParameterGroups": {"Used": 50, "Max": 50}}
    stages: Mapping[str, Mapping[str, Any]] = {
        "off in a default group, and nothing is begun": {**default, **_own(None, recorded=False)},
        "off in a default group, and its own one is made": {**default, **_own()},
        "off in a default group, and its own one is set": {**default, **_own(Values=dict(wanted))},
        "off in a shared group, and nothing is begun": {**shared, **_own(None, recorded=False)},
        "off in a default group, and another has the name of its own one": {
            **default,
            **_own("Reports", recorded=False),
        },
        "off in a default group, and somebody uses its own one": {**default, **_own(Users=["reports"])},
        "off in a default group, and somebody changed its own one": {
            **default,
            **_own(Values={"log_statement": "all"}),
        },
        "off in a default group, and there is no room for another": {
            **default,
            **_own(None, recorded=False),
            Need.QUOTAS: full,
        },
    }
    return tuple(
        Example(name=name, facts=facts, expect=ComplianceType.NON_COMPLIANT) for name, facts in stages.items()
    )
