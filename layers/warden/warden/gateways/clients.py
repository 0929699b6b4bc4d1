"""botocore clients, one per service, account and Region, made when first asked for.

The only module that makes clients. Today every account is the function's own; a member account's role can be
assumed here one day without anybody else noticing.
"""

from __future__ import annotations

import json
import os
import threading
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any

import botocore
import botocore.session
from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.hooks import EVENT_ALIASES
from botocore.loaders import JSONFileLoader, Loader
from botocore.utils import parse_timestamp

from warden.core.errors import ConfigurationError
from warden.gateways.requests import quicken
from warden.gateways.xml_answers import Parsers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from warden.gateways.pace import Pace

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "rds-data": ("ExecuteStatement",),
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
        "DescribeDBParameterGroups",
        "DescribeDBParameters",
        "DescribeEngineDefaultParameters",
        "DescribeEngineDefaultClusterParameters",
        "DescribeDBEngineVersions",
        "DescribeDBMajorEngineVersions",
        "DescribeOrderableDBInstanceOptions",
        "DescribeBlueGreenDeployments",
        "DescribeDBSubnetGroups",
        "DescribeEventSubscriptions",
        "DescribeEvents",
        "DescribeDBClusterAutomatedBackups",
        "DescribeDBInstanceAutomatedBackups",
        "DescribeAccountAttributes",
        "AddTagsToResource",
        "ModifyDBCluster",
        "ModifyDBInstance",
        "CreateDBInstance",
        "ModifyGlobalCluster",
        "ModifyDBClusterParameterGroup",
        "ModifyDBParameterGroup",
        "ModifyDBProxy",
        "DisableHttpEndpoint",
        "ModifyDBClusterSnapshotAttribute",
        "ModifyDBSnapshotAttribute",
        "CopyDBSnapshot",
        "RestoreDBClusterFromSnapshot",
        "CreateDBClusterSnapshot",
        "DeleteDBCluster",
        "CreateDBClusterParameterGroup",
        "CopyDBClusterParameterGroup",
        "CreateDBParameterGroup",
        "CopyDBParameterGroup",
        "RebootDBInstance",
        "RebootDBCluster",
        "CreateEventSubscription",
    ),
    "ec2": (
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "GetManagedPrefixListEntries",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeNetworkAcls",
        "RevokeSecurityGroupIngress",
    ),
    "logs": (
        "DescribeLogGroups",
        "DescribeSubscriptionFilters",
        "DescribeAccountPolicies",
        "StartQuery",
        "GetQueryResults",
        "PutRetentionPolicy",
        "AssociateKmsKey",
    ),
    "cloudwatch": ("DescribeAlarms", "PutMetricAlarm"),
    "cloudtrail": ("DescribeTrails", "GetTrailStatus", "GetEventSelectors", "LookupEvents"),
    "guardduty": ("ListDetectors", "GetDetector", "GetAdministratorAccount", "UpdateDetector"),
    "backup": (
        "ListBackupPlans",
        "GetBackupPlan",
        "ListBackupSelections",
        "GetBackupSelection",
        "DescribeRegionSettings",
        "ListBackupVaults",
        "ListRecoveryPointsByBackupVault",
    ),
    "iam": ("GetAccountAuthorizationDetails",),
    "kms": (
        "DescribeKey",
        "ListResourceTags",
        "ListAliases",
        "GetKeyPolicy",
        "ListGrants",
        "GetKeyRotationStatus",
        "CancelKeyDeletion",
        "EnableKeyRotation",
    ),
    "secretsmanager": (
        "DescribeSecret",
        "ListSecrets",
        "GetResourcePolicy",
        "RotateSecret",
        "GetSecretValue",
    ),
    "dynamodb": (
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchWriteItem",
        "TransactWriteItems",
    ),
    "sqs": ("SendMessage",),
    "sns": ("GetTopicAttributes", "Publish"),
    "ssm": ("CreateOpsItem", "UpdateOpsItem", "GetOpsItem", "DescribeOpsItems"),
    "securityhub": ("BatchImportFindings", "BatchUpdateFindings", "DescribeHub"),
    "events": ("DescribeEventBus", "PutEvents"),
    "sts": ("GetCallerIdentity",),
}
"""Every AWS operation that the package calls; the layer's botocore is trimmed to these."""

SERVICE_OF: Mapping[str, str] = {
    operation: service for service, operations in OPERATIONS.items() for operation in operations
}
"""The service of each operation; no two services that we call have one of the same name."""

_HANDLED = frozenset(
    name
    for service in (*OPERATIONS, "sts", "sso", "sso-oidc", "signin")
    for name in (service, EVENT_ALIASES.get(service, service))
)
"""The services that are called, as events call them; with the last four botocore gets credentials."""

_ALIASES = {alias: service for alias, service in EVENT_ALIASES.items() if service in _HANDLED}
"""Other names of these services in events: botocore would look for those of all in the name of each event."""

# How fast RDS is asked is `pace`'s business, which adapts for all functions together. botocore would make a user agent
# for each request anew, of a dozen parts; it takes as long as to sign the request.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 4},
    user_agent=f"aurora-warden Botocore/{botocore.__version__}",
)


class _Files(JSONFileLoader):
    """Reads models to plain dictionaries, which keep their order, too, in half the time of botocore's."""

    def load_file(self, file_path: str) -> Any:
        """The data of a file, whose path is given without `.json`; None where there is none."""
        try:
            with open(f"{file_path}.json", "rb") as file:  # noqa: PTH123 - a path is made for each otherwise
                return json.load(file)
        except FileNotFoundError:
            return super().load_file(file_path)


class _Loader(Loader):
    """Finds models and endpoints where botocore keeps them."""

    FILE_LOADER_CLASS = _Files


class _Models(_Loader):
    """Finds models and endpoints in a directory, cut from botocore's, and everything else where botocore keeps it."""

    def __init__(self, models: Path) -> None:
        super().__init__(extra_search_paths=[str(models)])
        self._models = str(models)
        self._services = sorted(path.name for path in models.iterdir() if path.is_dir())

    def list_available_services(self, type_name: str) -> list[str]:
        """The services of the directory: for each client botocore would look through four hundred of its own."""
        del type_name
        return self._services

    def is_builtin_path(self, path: str) -> bool:
        """Whether botocore ships it: endpoints of somebody else count for more than the rules of a service."""
        return path.startswith(self._models) or bool(super().is_builtin_path(path))


class _Later:
    """Stands for a client that is not made yet."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def moment(value: Any) -> datetime:
    """A timestamp of an answer. Of RDS's lists dates are a third of what parsing takes by botocore's own parser."""
    if isinstance(value, str) and value.endswith("Z"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return parse_timestamp(value)


def _add_handlers(emitter: Any) -> None:
    """Register botocore's own handlers, but those of services that are not called: each client copies all of them.

    More than half are of S3, or write documents.
    """
    register = {REGISTER_FIRST: emitter.register_first, REGISTER_LAST: emitter.register_last}
    for event, handler, *when in BUILTIN_HANDLERS:
        about, _, rest = event.partition(".")
        service = rest.partition(".")[0]
        if about != "docs" and (service in {"", "*"} or service in _HANDLED):
            register.get(when[0] if when else None, emitter.register)(event, handler)


def _session(profile: str | None, models: Path | None) -> Any:
    # boto3 would add resources and transfers to S3, and takes longer to import than all of Warden.
    session = botocore.session.Session(include_builtin_handlers=False, profile=profile)
    events = session.get_component("event_emitter")
    events._event_aliases = _ALIASES  # noqa: SLF001 - botocore keeps them for itself
    _add_handlers(events)
    loader = _Models(models) if models is not None and models.is_dir() else _Loader()
    session.register_component("data_loader", loader)
    parsers = Parsers()
    parsers.set_parser_defaults(timestamp_parser=moment)
    session.register_component("response_parser_factory", parsers)
    return session


class Clients:
    """Makes and keeps clients."""

    def __init__(
        self,
        *,
        account: str,
        profile: str | None = None,
        on_call: Callable[[str], None] | None = None,
        pace: Callable[[], Pace] | None = None,
        models: Path | None = None,
    ) -> None:
        self._account = account
        self._pace = pace
        self._on_call = on_call
        self._session = _session(profile, models)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.RLock()

    def of(
        self,
        account: str,
        *,
        on_call: Callable[[str], None] | None = None,
        pace: Callable[[], Pace] | None = None,
    ) -> Clients:
        """Others, with the same credentials: to find those, a profile may have to ask AWS."""
        others = copy(self)
        others._account, others._on_call, others._pace = account, on_call, pace  # noqa: SLF001 - ours
        others._clients, others._lock = {}, threading.RLock()  # noqa: SLF001 - ours
        return others

    def get(self, service: str, *, account: str, region: str) -> Any:
        """The client for a service in an account and Region."""
        if account != self._account:
            msg = f"no role is configured for account {account}; this deployment governs {self._account}"
            raise LookupError(msg)
        key = (service, account, region)
        if key not in self._clients:
            # Clients may be used by many threads at a time; what makes them may not.
            with self._lock:
                if key not in self._clients:
                    self._clients[key] = self._make(service, region)
        return self._clients[key]

    def later(self, service: str, *, account: str, region: str) -> Any:
        """The same, made when the first call is made: most events send nothing to a queue."""
        return _Later(lambda: self.get(service, account=account, region=region))

    def identify(self, region: str) -> tuple[str, str]:
        """The account and the partition that the credentials belong to."""
        identity = self._make("sts", region).get_caller_identity()
        return str(identity["Account"]), str(identity["Arn"]).split(":", 2)[1]

    def default_regions(self) -> list[str]:
        """The Region of the AWS configuration; raises ConfigurationError where there is none."""
        # botocore reads AWS_DEFAULT_REGION; the other SDKs, and Lambda, say AWS_REGION.
        region = self._session.get_config_variable("region") or os.environ.get("AWS_REGION")
        if not region:
            msg = (
                "no Region is configured; give --region, or set AWS_DEFAULT_REGION or a profile with a region"
            )
            raise ConfigurationError(msg)
        return [region]

    def _make(self, service: str, region: str) -> Any:
        client = self._session.create_client(service, region_name=region, config=_CONFIG)
        quicken(client)
        if self._pace is not None and service == "rds":
            self._pace().watch(client)
        if self._on_call is not None:
            # before-send sees every attempt, retries included: that is what counts against AWS's quotas.
            client.meta.events.register(f"before-send.{service}", self._count)
        return client

    def _count(self, event_name: str = "", **_: Any) -> None:
        service, operation = event_name.split(".", 2)[1:]
        if self._on_call is not None:
            with self._lock:
                self._on_call(f"{service}:{operation}")
