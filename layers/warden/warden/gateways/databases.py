"""Everything that answers on a port for a database, with its security groups: clusters, instances, proxies.

Three lists, which a sweep shares; AWS has no filter by security group for any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.kinds import Need
from warden.core.resource import ResourceRef
from warden.core.security_groups import attached_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from warden.core.resource import Resource
    from warden.gateways.reads import Reads

# A proxy answers on the default port of its engine family, which nobody can change (RDS User Guide, "RDS Proxy
# concepts and terminology"); DescribeDBProxies does not name it.
_PROXIES = {"MYSQL": ("mysql", 3306), "POSTGRESQL": ("postgres", 5432), "SQLSERVER": ("sqlserver-se", 1433)}


def behind(resource: Resource) -> list[Mapping[str, Any]]:
    """The databases behind a security group, as `database_list` gives them."""
    return list(resource.facts[Need.GUARDED_DATABASES])


def database_list(reads: Reads) -> list[dict[str, Any]]:
    """Clusters, stand-alone instances and proxies: Arn, Name, Engine, Port, SecurityGroups, PubliclyAccessible.

    Members of a cluster have its port and its groups, and each its own public flag: the cluster's item says
    whether any has it. A port that AWS does not name yet is None.
    """
    return reads.once(("databases",), lambda: _databases(reads))


def _databases(reads: Reads) -> list[dict[str, Any]]:
    public: set[str] = set()
    stand_alone: list[dict[str, Any]] = []
    for item in reads.whole("DescribeDBInstances"):
        if not (cluster := item.get("DBClusterIdentifier")):
            stand_alone.append(_stand_alone(item))
        elif item.get("PubliclyAccessible"):
            public.add(cluster)
    return [
        *_clusters(reads.whole("DescribeDBClusters"), public),
        *stand_alone,
        *_proxies(reads.whole("DescribeDBProxies")),
    ]


def _by_group(reads: Reads) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for item in database_list(reads):
        for group in dict.fromkeys(item["SecurityGroups"]):
            found.setdefault(group, []).append(item)
    return found


def guarded_by(reads: Reads, group: str) -> list[dict[str, Any]]:
    """What has a security group, as `database_list` gives it."""
    return reads.once(("databases by group",), lambda: _by_group(reads)).get(group, [])


def _clusters(clusters: Iterable[Mapping[str, Any]], public: Collection[str]) -> Iterator[dict[str, Any]]:
    for item in clusters:
        name = item["DBClusterIdentifier"]
        yield {
            "Arn": item["DBClusterArn"],
            "Name": name,
            "Engine": item["Engine"],
            "Port": item.get("Port") or None,
            "SecurityGroups": attached_ids(item.get("VpcSecurityGroups", [])),
            # A Multi-AZ DB cluster has the flag itself.
            "PubliclyAccessible": name in public or bool(item.get("PubliclyAccessible")),
        }


def _stand_alone(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Arn": item["DBInstanceArn"],
        "Name": item["DBInstanceIdentifier"],
        "Engine": item["Engine"],
        # "DbInstancePort: ... If the DB instance is part of a DB cluster, this can be a different port"; as a rule it
        # is 0, and the endpoint, which is there once the instance is made, has the port.
        "Port": item.get("Endpoint", {}).get("Port") or item.get("DbInstancePort") or None,
        "SecurityGroups": attached_ids(item.get("VpcSecurityGroups", [])),
        "PubliclyAccessible": bool(item.get("PubliclyAccessible")),
    }


def _proxies(proxies: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in proxies:
        engine, port = _PROXIES[item["EngineFamily"]]
        yield {
            "Arn": item["DBProxyArn"],
            "Name": item["DBProxyName"],
            "Engine": engine,
            "Port": port,
            "SecurityGroups": attached_ids(item.get("VpcSecurityGroupIds", [])),
            # "You can't make an RDS proxy publicly accessible" (RDS User Guide, "Quotas and limitations").
            "PubliclyAccessible": False,
        }


def groups_in_use(reads: Reads) -> set[str]:
    """The ids of all security groups that a database or a proxy has."""
    return {group for item in database_list(reads) for group in item["SecurityGroups"]}


def users_of(reads: Reads, group: str) -> Iterator[ResourceRef]:
    """What has a security group."""
    for item in guarded_by(reads, group):
        yield ResourceRef.from_arn(item["Arn"])


def users_of_cluster_groups(reads: Reads) -> Mapping[str, list[str]]:
    """The ARNs of the clusters that use each parameter group: the list of clusters."""

    def read() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in reads.whole("DescribeDBClusters"):
            if group := item.get("DBClusterParameterGroup"):
                found.setdefault(group, []).append(item["DBClusterArn"])
        return found

    return reads.once(("users of cluster groups",), read)


def users_of_instance_groups(reads: Reads) -> Mapping[str, list[str]]:
    """The ARNs of the instances that use each parameter group: the list of instances."""

    def read() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in reads.whole("DescribeDBInstances"):
            for group in item.get("DBParameterGroups", []):
                found.setdefault(group["DBParameterGroupName"], []).append(item["DBInstanceArn"])
        return found

    return reads.once(("users of instance groups",), read)


def users_of_subnet_groups(reads: Reads, names: Collection[str]) -> Iterator[ResourceRef]:
    """The clusters and instances in any of some DB subnet groups: two lists, or none where there is no name.

    A cluster's item holds the name of its group, an instance's the group.
    """
    if not names:
        return
    for item in reads.whole("DescribeDBClusters"):
        if item.get("DBSubnetGroup") in names:
            yield ResourceRef.from_arn(item["DBClusterArn"])
    for item in reads.whole("DescribeDBInstances"):
        if (item.get("DBSubnetGroup") or {}).get("DBSubnetGroupName") in names:
            yield ResourceRef.from_arn(item["DBInstanceArn"])


def users_of_subnets(reads: Reads, subnets: Collection[str]) -> Iterator[ResourceRef]:
    """The clusters and instances that may stand in any of some subnets: the list of subnet groups, and the above."""
    if not subnets:
        return
    names = {
        item["DBSubnetGroupName"]
        for item in reads.whole("DescribeDBSubnetGroups")
        if any(subnet["SubnetIdentifier"] in subnets for subnet in item["Subnets"])
    }
    yield from users_of_subnet_groups(reads, names)
