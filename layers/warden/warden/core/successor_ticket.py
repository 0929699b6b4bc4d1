"""What a person reads of a cluster's successor: why there is none, what it costs, and how to cut over to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import conditions, engines, guidance, procedure
from warden.core import successor_calls as calls
from warden.core.kinds import Need
from warden.core.plan import Manual

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from warden.core.resource import Facts, Resource

_LONGEST = 63
_BEFORE = "-before-cut-over"


def impediment(facts: Facts) -> str:
    """Why Warden prepares no successor of this cluster, as a sentence; empty where it can."""
    return _by_its_kind(facts) or _by_what_it_belongs_to(facts)


def _by_its_kind(facts: Facts) -> str:
    if facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (
            "A Multi-AZ DB cluster is restored with all of its instances at once, which Warden does not do."
        )
    if facts["EngineMode"] not in {None, "provisioned"}:
        return f"Warden makes no cluster of the engine mode {facts['EngineMode']}."
    if facts["ClusterScalabilityType"] == "limitless":
        return "An Aurora Limitless Database has shard groups, which no snapshot restores."
    if len(procedure.carried(facts["TagList"])) > calls.MOST_TAGS:
        return f"It has more than {calls.MOST_TAGS} tags: a successor could not have them and Warden's own."
    return ""


def _by_what_it_belongs_to(facts: Facts) -> str:
    if (world := facts["GlobalClusterIdentifier"]) is not None:
        return f"It belongs to the global database {world}, whose clusters are moved together."
    if (source := facts["ReplicationSourceIdentifier"]) is not None:
        return f"It replicates from {source}, and a successor would not."
    if conditions.is_in_blue_green(facts[Need.BLUE_GREEN]):
        return "A blue/green deployment holds it: finish that first."
    if facts["DomainMemberships"]:
        return "It is joined to a directory, by a role that Warden may not pass."
    return ""


def cost(facts: Facts) -> str:
    """What a successor costs, as a sentence."""
    classes = ", ".join(str(member["DBInstanceClass"]) for member in calls.members(facts))
    made = f"its instances ({classes})" if classes else "no instance"
    return (
        "From the first call on until one of the two is deleted, the successor costs as much as the cluster itself: "
        f"{made}, and its storage. In us-east-1 a db.r6g.large is 0.26 USD an hour, Serverless v2 0.12 USD for each "
        "ACU and hour, and 1 GB of storage 0.10 USD a month; the snapshot is 0.021 USD a month for each GB."
    )


def notice(facts: Facts, name: str) -> str:
    """What it means to approve the calls."""
    return (
        f"The calls prepare {name} beside {facts['DBClusterIdentifier']}, which is not changed; no client notices. A "
        "ticket then says how to cut over. What is written in between is not in the successor."
    )


def cut_over_already(names: Sequence[str]) -> Manual:
    """A successor that has got another name: it has taken over, as far as its tag says so."""
    said = " and ".join(names)
    return Manual(
        f"By its tag {calls.SUCCESSOR_OF}, {said} is the successor of this cluster. Once you are sure that nothing is "
        "missing there, and nobody connects here, delete this one with a final snapshot; Warden deletes neither.",
        done=True,
    )


def cut_over(resource: Resource, successor: Mapping[str, Any], seen: Mapping[str, Any]) -> Manual:
    """The steps that are left to a person."""
    facts = resource.facts
    identifier, name = facts["DBClusterIdentifier"], successor["DBClusterIdentifier"]
    snapshot = seen["Snapshot"]
    taken = f"{snapshot['SnapshotCreateTime']:%Y-%m-%d %H:%M} UTC" if snapshot else "its snapshot"
    differs = _differences(facts, successor)
    prepared = (
        f"The successor {name} is prepared, available, and encrypted as the policy wants; nothing of {identifier} was "
        f"changed. What was written after {taken} is not in it. {_catching_up(facts)}"
    )
    in_the_outage = (
        "First bring over what a restore cannot carry, which the first commands below do, and look at parameters, "
        "users and extensions. Then, in an outage window: stop all writers; let it catch up; rename "
        f"{identifier} and its instances out of the way, and the successor and its instances to their names, by the "
        "rest of the commands, each once the one before is available. The endpoints follow the names: clients connect "
        "again, after a minute or so for the DNS."
    )
    afterwards = (
        "Change what names the old cluster by its resource id: policies for rds-db:connect, the targets of proxies, "
        "secrets, alarms, event subscriptions, plans of AWS Backup, zero-ETL integrations. Tell CloudFormation or "
        "Terraform by importing the successor in place of the old cluster. When you are sure, delete the old cluster "
        f"with a final snapshot, and the snapshot {name}. Warden deletes none of them."
    )
    otherwise = f" It differs in: {', '.join(differs)}." if differs else ""
    return Manual(
        f"{prepared}{otherwise} {in_the_outage} {afterwards}",
        (*_brought_over(resource, name), *_renamed(resource, name)),
        done=True,
    )


def _catching_up(facts: Facts) -> str:
    if facts["Engine"].endswith("mysql"):
        return (
            "To bring it over, replicate from the binary log: the events of the successor's writer tell the position. "
            "Or delete the successor and its snapshot, stop all writers, and approve this once more."
        )
    return (
        "To bring it over, use logical replication that was set up before the snapshot. Or delete the successor and "
        "its snapshot, stop all writers, and approve this once more."
    )


def _differences(facts: Facts, successor: Mapping[str, Any]) -> list[str]:
    """What of the restore's settings the successor has otherwise than the original."""
    names = (
        *("DBClusterParameterGroup", "DBSubnetGroup", "Port", "EngineVersion", "BackupRetentionPeriod"),
        *("IAMDatabaseAuthenticationEnabled", "CopyTagsToSnapshot", "PreferredBackupWindow"),
        "ServerlessV2ScalingConfiguration",
    )
    differs = [name for name in names if facts[name] != successor.get(name)]
    if sorted(facts["EnabledCloudwatchLogsExports"]) != sorted(
        successor.get("EnabledCloudwatchLogsExports", [])
    ):
        differs.append("EnabledCloudwatchLogsExports")
    if calls.groups(facts) != calls.groups(successor):
        differs.append("VpcSecurityGroups")
    if public := [
        one["DBInstanceIdentifier"] for one in facts[Need.MEMBERS] if one.get("PubliclyAccessible")
    ]:
        differs.append(f"public access, which {' and '.join(sorted(public))} has and no instance there")
    if scaled := calls.auto_scaled(facts):
        differs.append(
            f"the readers of Aurora Auto Scaling ({', '.join(scaled)}), which is to be set up there"
        )
    return differs


def _brought_over(resource: Resource, name: str) -> Iterator[str]:
    """What RestoreDBClusterFromSnapshot does not take, or takes a role to be passed for, which Warden may not."""
    facts, cluster = resource.facts, {"db-cluster-identifier": name}
    yield guidance.command(
        resource,
        "modify-db-cluster",
        {**cluster, "preferred-maintenance-window": facts["PreferredMaintenanceWindow"]},
    )
    for role in facts["AssociatedRoles"]:
        yield guidance.command(
            resource,
            "add-role-to-db-cluster",
            {**cluster, "role-arn": role["RoleArn"], "feature-name": role.get("FeatureName") or None},
        )
    if calls.stated(facts, "HttpEndpointEnabled"):
        arn = resource.ref.beside(resource.ref.resource_type, name).arn
        yield guidance.command(resource, "enable-http-endpoint", {"resource-arn": arn})
    if (secret := facts["MasterUserSecret"]) is not None:
        options = {
            "manage-master-user-password": True,
            "master-user-secret-kms-key-id": secret.get("KmsKeyId"),
        }
        yield guidance.command(
            resource, "modify-db-cluster", {**cluster, **options, "apply-immediately": True}
        )
    if calls.stated(facts, "DatabaseInsightsMode") == "advanced":
        days = str(facts["PerformanceInsightsRetentionPeriod"] or 465)
        options = {"database-insights-mode": "advanced", "enable-performance-insights": True}
        yield guidance.command(
            resource,
            "modify-db-cluster",
            {**cluster, **options, "performance-insights-retention-period": days},
        )
    if calls.stated(facts, "ActivityStreamStatus") == "started":
        arn = resource.ref.beside(resource.ref.resource_type, name).arn
        key = str(facts["ActivityStreamKmsKeyId"])
        mode = str(facts["ActivityStreamMode"])
        yield guidance.command(
            resource, "start-activity-stream", {"resource-arn": arn, "mode": mode, "kms-key-id": key}
        )


def _renamed(resource: Resource, name: str) -> Iterator[str]:
    """The old ones out of the way first: no two clusters or instances of an account have one name."""
    identifier = resource.facts["DBClusterIdentifier"]
    members = calls.members(resource.facts)
    names = [(member["DBInstanceIdentifier"], calls.member_name(member)) for member in members]
    yield _rename(resource, "cluster", identifier, _before(identifier))
    yield from (_rename(resource, "instance", old, _before(old)) for old, _ in names)
    yield _rename(resource, "cluster", name, identifier)
    yield from (_rename(resource, "instance", new, old) for old, new in names)


def _before(identifier: str) -> str:
    return identifier[: _LONGEST - len(_BEFORE)].rstrip("-") + _BEFORE


def _rename(resource: Resource, kind: str, old: str, new: str) -> str:
    return guidance.command(
        resource,
        f"modify-db-{kind}",
        {f"db-{kind}-identifier": old, f"new-db-{kind}-identifier": new, "apply-immediately": True},
    )
