"""The calls to AWS: pages followed, errors translated.

`Rds` knows AWS's operations and nothing of controls; `rds_reader` makes resources of what it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore import xform_name

from warden.core.dataclass import dataclass
from warden.gateways.clients import SERVICE_OF
from warden.gateways.engine_facts import EngineFacts
from warden.gateways.errors import is_emulator, translated, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.gateways.clients import Clients


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a list operation keeps its items, and how it asks for the next page."""

    items: str
    token: str = "Marker"  # noqa: S105 - the name of a member of the answer
    asks: str = ""
    """The request's parameter for the token, where it is not called like the answer's."""


PAGING: Mapping[str, Paging] = {
    "DescribeDBClusters": Paging("DBClusters"),
    "DescribeDBInstances": Paging("DBInstances"),
    "DescribeDBClusterSnapshots": Paging("DBClusterSnapshots"),
    "DescribeDBSnapshots": Paging("DBSnapshots"),
    "DescribeGlobalClusters": Paging("GlobalClusters"),
    "DescribeDBProxies": Paging("DBProxies"),
    "DescribeDBClusterParameterGroups": Paging("DBClusterParameterGroups"),
    "DescribeDBParameterGroups": Paging("DBParameterGroups"),
    "DescribeDBClusterParameters": Paging("Parameters"),
    "DescribeDBParameters": Paging("Parameters"),
    "DescribeDBEngineVersions": Paging("DBEngineVersions"),
    "DescribeDBMajorEngineVersions": Paging("DBMajorEngineVersions"),
    "DescribeOrderableDBInstanceOptions": Paging("OrderableDBInstanceOptions"),
    "DescribeBlueGreenDeployments": Paging("BlueGreenDeployments"),
    "DescribeEventSubscriptions": Paging("EventSubscriptionsList"),
    "DescribeEvents": Paging("Events"),
    "DescribeDBClusterAutomatedBackups": Paging("DBClusterAutomatedBackups"),
    "DescribeDBInstanceAutomatedBackups": Paging("DBInstanceAutomatedBackups"),
    "LookupEvents": Paging("Events", "NextToken"),
    "ListBackupPlans": Paging("BackupPlansList", "NextToken"),
    "ListBackupVaults": Paging("BackupVaultList", "NextToken"),
    "ListRecoveryPointsByBackupVault": Paging("RecoveryPoints", "NextToken"),
    "ListBackupSelections": Paging("BackupSelectionsList", "NextToken"),
    "DescribeLogGroups": Paging("logGroups", "nextToken"),
    "DescribeSubscriptionFilters": Paging("subscriptionFilters", "nextToken"),
    "DescribeAccountPolicies": Paging("accountPolicies", "nextToken"),
    "ListResourceTags": Paging("Tags", "NextMarker", "Marker"),
    "ListAliases": Paging("Aliases", "NextMarker", "Marker"),
    "ListGrants": Paging("Grants", "NextMarker", "Marker"),
    "ListSecrets": Paging("SecretList", "NextToken"),
    "DescribeDBSubnetGroups": Paging("DBSubnetGroups"),
    "DescribeSecurityGroups": Paging("SecurityGroups", "NextToken"),
    "DescribeSecurityGroupRules": Paging("SecurityGroupRules", "NextToken"),
    "GetManagedPrefixListEntries": Paging("Entries", "NextToken"),
    "DescribeNetworkInterfaces": Paging("NetworkInterfaces", "NextToken"),
    "DescribeRouteTables": Paging("RouteTables", "NextToken"),
    "DescribeNetworkAcls": Paging("NetworkAcls", "NextToken"),
}


class Rds:
    """AWS in one account and Region."""

    def __init__(self, clients: Clients, *, account: str, region: str) -> None:
        self._clients = clients
        self._account = account
        self._region = region
        self.engines = EngineFacts(self)

    def pages(self, operation: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        """Every page of a Describe operation: a hundred items each, the default of MaxRecords and its maximum."""
        paging = PAGING[operation]
        more: dict[str, str] = {}
        while True:
            answer = self.call(operation, **more, **parameters)
            yield answer[paging.items]
            token = answer.get(paging.token)
            if not token:
                return
            more = {paging.asks or paging.token: token}

    def every(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a Describe operation."""
        return [item for page in self.pages(operation, **parameters) for item in page]

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, with errors translated."""
        service = SERVICE_OF[operation]
        client = self._clients.get(service, account=self._account, region=self._region)
        emulator = is_emulator(client.meta.endpoint_url)
        with translated(f"{service}:{operation}", emulator=emulator):
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
        if operation in PAGING and PAGING[operation].items not in answer:
            # A list is there even where it is empty: without it this is no answer, and must not pass for "nothing".
            raise unreadable(f"{service}:{operation}", emulator=emulator)
        return answer
