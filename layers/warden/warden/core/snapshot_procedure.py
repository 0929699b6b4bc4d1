"""How a cluster snapshot is encrypted: restored with a key to a cluster without instances, and snapshotted again.

"If you copy an unencrypted DB cluster snapshot and specify a value for the KmsKeyId parameter, an error is returned"
(CopyDBClusterSnapshot). Each visit makes the next call:

1. restore the snapshot to a temporary cluster, with the key, in private subnets, behind a closed security group;
2. once that is available, and encrypted as wanted: snapshot it, with the original's tags;
3. once that is available, and encrypted as wanted: share it with those of the original's accounts that are approved;
4. delete the temporary cluster. Whatever goes wrong on the way ends here as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core import encryption, guidance, procedure, quotas
from warden.core.dataclass import dataclass
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

# "Must contain from 1 to 63 letters, numbers, or hyphens" (CreateDBClusterSnapshot, RestoreDBClusterFromSnapshot).
NAME_LIMIT = 63
NEEDS = (
    Need.RESTORE_ACCOUNTS,
    Need.ENCRYPTION_PROCEDURE,
    Need.QUOTAS,
    Need.SUBNET_GROUPS,
    Need.INBOUND_RULES,
    Need.ALIAS_KEYS,
)
COST = (
    "The encrypted copy is a full one: in us-east-1, 0.021 USD for each GB that is kept for a month. Until it is made, "
    "the temporary cluster costs 0.10 USD a month for each GB of its storage, and each restore 0.20 USD for a million "
    "requests; it has no instances."
)
_ARN, _NAME = "DBClusterSnapshotArn", "DBClusterSnapshotIdentifier"
_MAKING = frozenset({"creating", "copying"})
# What a cluster goes through by itself on its way to `available` (Aurora User Guide, "Viewing Aurora DB cluster
# status"); any other status is none that it comes out of.
_PASSING = frozenset(
    {
        "deleting",
        "creating",
        "migrating",
        "backing-up",
        "preparing-data-migration",
        "modifying",
        "maintenance",
    }
)


@dataclass(frozen=True, slots=True)
class _World:
    """What there is of the procedure."""

    resource: Resource
    settings: Mapping[str, Any]
    name: str
    pledge: tuple[Call, ...]
    temporary: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    record: procedure.Record | None

    def another_key(self, item: Mapping[str, Any]) -> str:
        return encryption.with_another_key(
            item, self.settings["kms_key"], self.resource.facts[Need.ALIAS_KEYS]
        )

    @property
    def shares(self) -> list[str]:
        """Of the original's accounts, those that are approved: `all` is never among them."""
        approved = {*self.settings["approved_accounts"], self.resource.ref.account}
        own = self.resource.ref.account
        return sorted(set(self.resource.facts[Need.RESTORE_ACCOUNTS]) & approved - {own})


def plan(resource: Resource, settings: Mapping[str, Any], control: str) -> Plan | Manual | Wait:
    """The next call; what is to be waited for; or what is left to a person."""
    world = _world(resource, settings, control)
    if world.temporary is not None:
        return _with_temporary(world, world.temporary)
    if world.result is not None:
        return _with_result(world, world.result)
    if waits := procedure.unseen(world.record, resource.observed_at):
        return waits
    if manual := quotas.lacking(resource, "DBClusters", "ManualClusterSnapshots") or _no_place(world):
        return manual
    return procedure.first(world.pledge[0], world.pledge, world.record, cost=COST)


def pledge(resource: Resource, settings: Mapping[str, Any], control: str) -> tuple[Call, ...]:
    """All calls of the procedure, from the first to the last."""
    return _world(resource, settings, control).pledge


def _world(resource: Resource, settings: Mapping[str, Any], control: str) -> _World:
    facts = resource.facts
    seen = facts[Need.ENCRYPTION_PROCEDURE]
    name = encryption.copy_name(facts[_NAME], limit=NAME_LIMIT)
    world = _World(resource, settings, name, (), seen["Temporary"], seen["Result"], seen["Record"])
    shares = [_share(name, world.shares)] if world.shares else []
    calls = (_restore(world, control), _snapshot(world), *shares, *procedure.clean_up(name).calls)
    return replace(world, pledge=calls)


# --- the calls --------------------------------------------------------------------------------------------


def _restore(world: _World, control: str) -> Call:
    facts, settings = world.resource.facts, world.settings
    return Call(
        "RestoreDBClusterFromSnapshot",
        {
            "DBClusterIdentifier": world.name,
            "SnapshotIdentifier": facts[_NAME],
            "Engine": facts["Engine"],
            "EngineVersion": facts["EngineVersion"],
            "KmsKeyId": settings["kms_key"],
            "DBSubnetGroupName": settings["temporary_subnet_group"],
            "VpcSecurityGroupIds": [settings["temporary_security_group"]],
            "DeletionProtection": False,
            "Tags": procedure.tags(control, facts[_ARN]),
        },
    )


def _snapshot(world: _World) -> Call:
    return Call(
        "CreateDBClusterSnapshot",
        {
            "DBClusterSnapshotIdentifier": world.name,
            "DBClusterIdentifier": world.name,
            "Tags": [
                *procedure.carried(world.resource.facts["TagList"]),
                {"Key": procedure.COPY_OF, "Value": world.resource.facts[_ARN]},
            ],
        },
    )


def _share(name: str, accounts: list[str]) -> Call:
    return Call(
        "ModifyDBClusterSnapshotAttribute",
        {"DBClusterSnapshotIdentifier": name, "AttributeName": "restore", "ValuesToAdd": accounts},
    )


# --- where it stands --------------------------------------------------------------------------------------


def _no_place(world: _World) -> Manual | None:
    """Why there is no place that nobody can reach, as the policy names it; None where there is one."""
    name, group = world.settings["temporary_subnet_group"], world.settings["temporary_security_group"]
    subnets = world.resource.facts[Need.SUBNET_GROUPS].get(name)
    rules = world.resource.facts[Need.INBOUND_RULES].get(group)
    if subnets is None or rules is None:
        absent = name if subnets is None else group
        return Manual(f"The policy's baseline names {absent}, which this Region has not.")
    if subnets["Public"]:
        return Manual(
            f"The subnet group {name} of the policy has public subnets ({', '.join(subnets['Public'])}): "
            "nothing is restored there."
        )
    if rules["Inbound"]:
        return Manual(
            f"The security group {group} of the policy has inbound rules: nothing is restored there."
        )
    if rules["VpcId"] != subnets["VpcId"]:
        return Manual(
            f"The security group {group} and the subnet group {name} of the policy are of two VPCs."
        )
    return None


def _with_temporary(world: _World, temporary: Mapping[str, Any]) -> Plan | Manual | Wait:
    if why := procedure.objection(temporary, world.record):
        return Manual(
            f"There is a cluster {world.name}, and {why}. Warden leaves it alone, and encrypts nothing as long as it "
            "has that name."
        )
    status = temporary["Status"]
    if status in _PASSING:
        return Wait(f"The temporary cluster {world.name} is {status}.", world.pledge)
    of_another = world.record is not None and world.record.pledge != digest(world.pledge[:1])
    if status != "available" or of_another or world.another_key(temporary):
        return procedure.clean_up(world.name, world.pledge, cost=COST)
    if world.result is None:
        return procedure.go_on(world.pledge[1], world.pledge, cost=COST)
    return _with_both(world, temporary, world.result)


def _with_both(world: _World, temporary: Mapping[str, Any], result: Mapping[str, Any]) -> Plan | Wait:
    is_its_snapshot = result["DbClusterResourceId"] == temporary["DbClusterResourceId"]
    if is_its_snapshot and not _objection(world, result):
        if result["Status"] in _MAKING:
            return Wait(f"The encrypted snapshot {world.name} is being made.", world.pledge)
        missing = sorted(set(world.shares) - set(result["RestoreAccounts"]))
        if result["Status"] == "available" and missing:
            return procedure.go_on(_share(world.name, missing), world.pledge, cost=COST)
    return procedure.clean_up(world.name, world.pledge, cost=COST)


def _objection(world: _World, result: Mapping[str, Any]) -> str:
    tags = {tag["Key"]: tag.get("Value", "") for tag in result["TagList"]}
    if tags.get(procedure.COPY_OF) != world.resource.facts[_ARN]:
        return "it is not tagged as its copy"
    return world.another_key(result) if result["Status"] == "available" else ""


def _with_result(world: _World, result: Mapping[str, Any]) -> Manual | Wait:
    original = world.resource.facts[_NAME]
    if why := _objection(world, result):
        return Manual(
            f"There is a snapshot {world.name}, which would be the encrypted copy, but {why}. Rename or delete it, and "
            "Warden makes one."
        )
    if result["Status"] in _MAKING:
        return Wait(f"The encrypted snapshot {world.name} is being made.", world.pledge)
    if result["Status"] != "available":
        return Manual(
            f"The encrypted snapshot {world.name} is {result['Status']}: delete it, and Warden makes one."
        )
    return Manual(
        f"The encrypted copy {world.name} exists, with the tags of {original} and its approved accounts: when you no "
        f"longer need the unencrypted original, delete it; else exempt it.",
        (
            guidance.command(
                world.resource,
                "delete-db-cluster-snapshot",
                {"db-cluster-snapshot-identifier": original},
            ),
        ),
        done=True,
    )


# --- for the write guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrivateSubnetGroup:
    """For the write guard: a subnet group of the Region whose subnets are all private."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse one that is not there, and one with a public subnet."""
        group = facts[Need.SUBNET_GROUPS].get(value)
        if group is None:
            return f"there is no subnet group {value!r}"
        return f"{value!r} has public subnets" if group["Public"] else None


@dataclass(frozen=True, slots=True)
class ClosedSecurityGroup:
    """For the write guard: one security group that lets nobody in."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse none, several, one that is not there, and one with an inbound rule."""
        if not isinstance(value, list) or len(value) != 1:
            return f"{value!r} is not one security group"
        group = facts[Need.INBOUND_RULES].get(value[0])
        if group is None:
            return f"there is no security group {value[0]!r}"
        return f"{value[0]!r} lets somebody in" if group["Inbound"] else None


_COPY = encryption.CopyName(_NAME, NAME_LIMIT)
CLEAN_UP = Permit(
    operation="DeleteDBCluster",
    required={"DBClusterIdentifier": _COPY, "SkipFinalSnapshot": Only((True,))},
)
PERMITS = (
    Permit(
        operation="RestoreDBClusterFromSnapshot",
        required={
            "DBClusterIdentifier": _COPY,
            "SnapshotIdentifier": SameAs(_NAME),
            "Engine": SameAs("Engine"),
            "EngineVersion": SameAs("EngineVersion"),
            "KmsKeyId": encryption.CustomerKey(),
            "DBSubnetGroupName": PrivateSubnetGroup(),
            "VpcSecurityGroupIds": ClosedSecurityGroup(),
            "DeletionProtection": Only((False,)),
            "Tags": procedure.OwnTags(_ARN),
        },
        # "To create an RDS resource using a customer managed key, a user must have permissions to call the following
        # operations on the customer managed key: kms:CreateGrant, kms:DescribeKey" (Amazon RDS User Guide, "AWS KMS key
        # management"); tags at creation take AddTagsToResource (Service Authorization Reference).
        dependent_actions=("kms:CreateGrant", "kms:DescribeKey", "rds:AddTagsToResource"),
    ),
    Permit(
        operation="CreateDBClusterSnapshot",
        required={
            "DBClusterSnapshotIdentifier": _COPY,
            "DBClusterIdentifier": _COPY,
            "Tags": procedure.CopyTags(_ARN),
        },
        dependent_actions=("rds:AddTagsToResource",),
    ),
    Permit(
        operation="ModifyDBClusterSnapshotAttribute",
        required={
            "DBClusterSnapshotIdentifier": _COPY,
            "AttributeName": Only(("restore",)),
            "ValuesToAdd": encryption.SharedAccounts(),
        },
    ),
    CLEAN_UP,
)
