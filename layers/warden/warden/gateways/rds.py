"""The calls to RDS that read: one method per operation, pages followed, errors translated, answers cached.

`Rds` knows AWS's operations and nothing of controls; `rds_reader` makes resources of what it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore import xform_name

from warden.gateways.errors import is_emulator, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.gateways.clients import Clients

# The list member of each answer, by operation.
_LISTS = {
    "DescribeDBClusters": "DBClusters",
    "DescribeDBInstances": "DBInstances",
    "DescribeDBClusterSnapshots": "DBClusterSnapshots",
    "DescribeDBSnapshots": "DBSnapshots",
    "DescribeGlobalClusters": "GlobalClusters",
    "DescribeDBProxies": "DBProxies",
    "DescribeDBClusterParameterGroups": "DBClusterParameterGroups",
    "DescribeDBClusterParameters": "Parameters",
    "DescribeDBEngineVersions": "DBEngineVersions",
    "DescribeBlueGreenDeployments": "BlueGreenDeployments",
}


class Rds:
    """RDS in one account and Region."""

    def __init__(self, clients: Clients, *, account: str, region: str) -> None:
        self._clients = clients
        self._account = account
        self._region = region
        # Facts about engines do not change while a function lives; these two are kept for its lifetime.
        self._defaults: dict[str, dict[str, dict[str, Any]]] = {}
        self._log_types: dict[tuple[str, str], list[str]] = {}

    def pages(self, operation: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        """Every page of a Describe operation: a hundred items each, the default of MaxRecords and its maximum."""
        marker: str | None = None
        while True:
            more = {} if marker is None else {"Marker": marker}
            answer = self.call(operation, **more, **parameters)
            yield answer.get(_LISTS[operation], [])
            marker = answer.get("Marker")
            if not marker:
                return

    def every(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a Describe operation."""
        return [item for page in self.pages(operation, **parameters) for item in page]

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, with errors translated."""
        client = self._clients.get("rds", account=self._account, region=self._region)
        with translated(f"rds:{operation}", emulator=is_emulator(client.meta.endpoint_url)):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        return answer

    def cluster_parameters_set_by_users(self, group: str) -> dict[str, dict[str, Any]]:
        """The parameters of a group that somebody set, by name: all others have the engine's default."""
        items = self.every("DescribeDBClusterParameters", DBClusterParameterGroupName=group, Source="user")
        return {item["ParameterName"]: item for item in items}

    def default_cluster_parameters(self, family: str) -> dict[str, dict[str, Any]]:
        """The engine's defaults for a parameter group family, by name."""
        if family not in self._defaults:
            marker: str | None = None
            found: dict[str, dict[str, Any]] = {}
            while True:
                more = {} if marker is None else {"Marker": marker}
                answer = self.call(
                    "DescribeEngineDefaultClusterParameters",
                    DBParameterGroupFamily=family,
                    **more,
                )
                defaults = answer["EngineDefaults"]
                found.update({item["ParameterName"]: item for item in defaults.get("Parameters", [])})
                marker = defaults.get("Marker")
                if not marker:
                    break
            self._defaults[family] = found
        return self._defaults[family]

    def exportable_log_types(self, engine: str, version: str) -> list[str]:
        """The log types that an engine version can export; "IncludeAll" finds versions that are no longer sold."""
        key = (engine, version)
        if key not in self._log_types:
            versions = self.every(
                "DescribeDBEngineVersions", Engine=engine, EngineVersion=version, IncludeAll=True
            )
            types = {name for item in versions for name in item.get("ExportableLogTypes", [])}
            self._log_types[key] = sorted(types)
        return self._log_types[key]
