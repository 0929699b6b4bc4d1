"""boto3 clients, one per service, account and Region, made when first asked for.

The only module that makes clients. Today every account is the function's own; a member account's role can be
assumed here one day without anybody else noticing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "rds": (
        "DescribeDBClusters",
        "DescribeDBInstances",
        "DescribeDBClusterSnapshots",
        "DescribeDBSnapshots",
        "DescribeDBClusterSnapshotAttributes",
        "DescribeDBSnapshotAttributes",
        "DescribeGlobalClusters",
        "DescribeDBProxies",
        "DescribeDBClusterParameterGroups",
        "DescribeDBClusterParameters",
        "DescribeEngineDefaultClusterParameters",
        "DescribeDBEngineVersions",
        "DescribeBlueGreenDeployments",
        "ModifyDBCluster",
        "ModifyDBInstance",
        "ModifyGlobalCluster",
        "ModifyDBClusterParameterGroup",
        "ModifyDBClusterSnapshotAttribute",
        "ModifyDBSnapshotAttribute",
        "CopyDBSnapshot",
    ),
    "dynamodb": ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "TransactWriteItems"),
    "sqs": ("SendMessage",),
    "sns": ("Publish",),
    "sts": ("GetCallerIdentity",),
}
"""Every AWS operation that the package calls; the layer's botocore is trimmed to these."""

# Adaptive: botocore's own client-side rate limiting on top of retries, since RDS shares twelve requests a
# second with all of the customer's other tools.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "adaptive", "max_attempts": 4},
    user_agent_extra="aurora-warden",
)


class Clients:
    """Makes and keeps clients."""

    def __init__(self, *, account: str, profile: str | None = None) -> None:
        self._account = account
        self._session = boto3.session.Session(profile_name=profile)
        self._clients: dict[tuple[str, str, str], Any] = {}

    def get(self, service: str, *, account: str, region: str) -> Any:
        """The client for a service in an account and Region."""
        if account != self._account:
            msg = f"no role is configured for account {account}; this deployment governs {self._account}"
            raise LookupError(msg)
        key = (service, account, region)
        if key not in self._clients:
            # The stubs know one overload per service name; here the name is data.
            make: Any = self._session.client
            self._clients[key] = make(service, region_name=region, config=_CONFIG)
        return self._clients[key]
