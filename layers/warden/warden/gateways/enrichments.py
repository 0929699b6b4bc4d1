"""The reads beyond a Describe item that a control may ask for, each with the calls that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.errors import UnsupportedError
from warden.core.kinds import Need
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.resource import Resource
    from warden.gateways.rds import Rds

_DEFAULT_GROUP = "default."


class Enrichments:
    """Answers needs; with `bulk`, from whole lists that are read once."""

    def __init__(self, rds: Rds, *, bulk: bool) -> None:
        self._rds = rds
        self._bulk = bulk
        self._lists: dict[str, list[dict[str, Any]]] = {}
        self._parameters: dict[str, Facts] = {}
        self._families: dict[str, str] = {}
        self._answers: Mapping[Need, Callable[[Resource], Any]] = {
            Need.PARAMETERS: self._cluster_parameters,
            Need.EXPORTABLE_LOG_TYPES: self._exportable_log_types,
            Need.RESTORE_ACCOUNTS: self._restore_accounts,
            Need.MEMBERS: self._members,
            Need.PARAMETER_GROUP_USERS: self._parameter_group_users,
            Need.BLUE_GREEN: self._blue_green,
            Need.ENCRYPTED_COPIES: self._encrypted_copies,
        }

    def get(self, need: Need, resource: Resource) -> Any:
        """The value of one enrichment; raises the errors of `core.errors`, or MissingFactError."""
        return self._answers[need](resource)

    def whole(self, operation: str) -> list[dict[str, Any]]:
        """A whole list: one call for each hundred items, once where reads are shared."""
        if not self._bulk:
            return self._rds.every(operation)
        if operation not in self._lists:
            self._lists[operation] = self._rds.every(operation)
        return self._lists[operation]

    def _cluster_parameters(self, resource: Resource) -> Facts:
        """One call for each custom group, and one list of defaults for each family.

        A `default.` group cannot be modified, so nobody can have set anything there.
        """
        group = str(resource.facts["DBClusterParameterGroup"])
        if group in self._parameters:
            return self._parameters[group].fresh()
        is_default = group.startswith(_DEFAULT_GROUP)
        user = {} if is_default else self._rds.cluster_parameters_set_by_users(group)
        defaults, otherwise = self._defaults(resource, group)
        facts = Facts({**defaults, **user}, otherwise=otherwise)
        if self._bulk:
            self._parameters[group] = facts
        return facts.fresh()

    def _defaults(self, resource: Resource, group: str) -> tuple[dict[str, dict[str, Any]], str]:
        try:
            family = self._family(group)
            defaults = self._rds.default_cluster_parameters(family)
        except UnsupportedError as error:
            # No AWS endpoint: a local emulator. What the documentation gives as off may be taken as off; what it
            # gives as on is left unknown, since a pass must be read and not assumed.
            engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
            return engines.documented_off(engine, version), str(error)
        # The same parameter as an item of DescribeDBClusterParameters would give it.
        items = {
            name: {**item, "Source": item.get("Source", "engine-default")} for name, item in defaults.items()
        }
        return items, f"the parameter group family {family} does not hold it"

    def _family(self, group: str) -> str:
        if group.startswith(_DEFAULT_GROUP):
            return group.removeprefix(_DEFAULT_GROUP)
        if self._bulk and not self._families:
            self._families = {
                item["DBClusterParameterGroupName"]: item["DBParameterGroupFamily"]
                for item in self.whole("DescribeDBClusterParameterGroups")
            }
        if group not in self._families:
            items = self._rds.every("DescribeDBClusterParameterGroups", DBClusterParameterGroupName=group)
            self._families[group] = str(items[0]["DBParameterGroupFamily"])
        return self._families[group]

    def _exportable_log_types(self, resource: Resource) -> list[str]:
        """One call for each engine version."""
        engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
        try:
            return self._rds.exportable_log_types(engine, version)
        except UnsupportedError:
            # No AWS endpoint. The API reference names these types for the engine without regard to a version.
            documented = engines.DOCUMENTED_LOG_TYPES.get(engines.family(engine))
            if documented is None:
                raise
            return sorted(documented)

    def _restore_accounts(self, resource: Resource) -> list[str]:
        """One call for each manual snapshot; only manual snapshots can be shared, so others are not asked."""
        if resource.facts["SnapshotType"] != "manual":
            return []
        if resource.ref.resource_type is ResourceType.DB_CLUSTER_SNAPSHOT:
            answer = self._rds.call(
                "DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=resource.ref.id
            )
            attributes = answer["DBClusterSnapshotAttributesResult"].get("DBClusterSnapshotAttributes", [])
        else:
            answer = self._rds.call("DescribeDBSnapshotAttributes", DBSnapshotIdentifier=resource.ref.id)
            attributes = answer["DBSnapshotAttributesResult"].get("DBSnapshotAttributes", [])
        return [
            value
            for attribute in attributes
            if attribute["AttributeName"] == "restore"
            for value in attribute.get("AttributeValues", [])
        ]

    def _members(self, resource: Resource) -> list[dict[str, Any]]:
        """One call for each cluster, or the shared list of instances."""
        name = resource.facts["DBClusterIdentifier"]
        if not self._bulk:
            return self._rds.every(
                "DescribeDBInstances", Filters=[{"Name": "db-cluster-id", "Values": [name]}]
            )
        return [item for item in self.whole("DescribeDBInstances") if item.get("DBClusterIdentifier") == name]

    def _parameter_group_users(self, resource: Resource) -> list[str]:
        """The list of clusters: DescribeDBClusters has no filter for a parameter group."""
        group = resource.facts["DBClusterParameterGroup"]
        return [
            item["DBClusterArn"]
            for item in self.whole("DescribeDBClusters")
            if item.get("DBClusterParameterGroup") == group
        ]

    def _blue_green(self, resource: Resource) -> list[dict[str, Any]]:
        """The list of blue/green deployments: usually one short page."""
        arn = resource.ref.arn
        return [
            item
            for item in self.whole("DescribeBlueGreenDeployments")
            if arn in {item.get("Source"), item.get("Target")}
            or any(arn in detail.values() for detail in item.get("SwitchoverDetails", []))
        ]

    def _encrypted_copies(self, resource: Resource) -> list[dict[str, Any]]:
        """The manual snapshots of the same instance: one call. `core.encryption` knows which are copies."""
        name = resource.facts["DBInstanceIdentifier"]
        return self._rds.every("DescribeDBSnapshots", DBInstanceIdentifier=name, SnapshotType="manual")
