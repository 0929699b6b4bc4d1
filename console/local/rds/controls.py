"""What a test or a demo can do to the local RDS that no API call can: hold, settle, seed."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.rds.models import DBCluster, DBInstance, rds_backends

from console.local.identity import ACCOUNT_ID
from console.local.rds import cluster_changes, clusters, instance_changes, instances, snapshots
from console.local.rds.call import Call, named
from console.local.rds.encryption import UNENCRYPTED
from console.local.rds.state import Busy, Lifecycle, World, extras

if TYPE_CHECKING:
    from collections.abc import Iterator

_STORES = {
    "cluster": "clusters",
    "db": "databases",
    "cluster-snapshot": "cluster_snapshots",
    "snapshot": "database_snapshots",
    "global-cluster": "global_clusters",
}


class RdsControls:
    """The hand that moves the local RDS."""

    def __init__(self, world: World, region: str) -> None:
        """Control the RDS of one account, with a Region for what names none."""
        self._world = world
        self._region = region

    @property
    def lifecycle(self) -> Lifecycle:
        """How long resources take from one state to the next."""
        return self._world.lifecycle

    @lifecycle.setter
    def lifecycle(self, lifecycle: Lifecycle) -> None:
        self._world.lifecycle = lifecycle

    def hold(self, arn: str, status: str = "modifying", seconds: float | None = None) -> None:
        """Let a resource report a busy status, and refuse changes as AWS does, for a while or until released."""
        until = None if seconds is None else self._world.now() + timedelta(seconds=seconds)
        extras(self._find(arn)).busy = Busy(status=status, until=until)

    def release(self, arn: str) -> None:
        """Let a resource be available again."""
        extras(self._find(arn)).busy = None

    def settle(self) -> None:
        """Let everything that is under way be over, whatever time it would have taken."""
        while (last := self._world.agenda.last()) is not None:
            self._world.agenda.run(last)
        for resource in self._everything():
            extras(resource).busy = None

    def maintenance_window(self, arn: str | None = None) -> None:
        """Apply what waits for the maintenance window, of one resource or of all."""
        for resource in list(self._everything()) if arn is None else [self._find(arn)]:
            own = extras(resource)
            changes, own.waiting = own.waiting, {}
            if changes and isinstance(resource, DBCluster):
                cluster_changes.settle(self._world, resource, changes)
            elif changes and isinstance(resource, DBInstance):
                instance_changes.settle(self._world, resource, changes)

    def take_automated_snapshot(self, arn: str) -> str:
        """Take the automated snapshot of a cluster or an instance that its backup window would bring."""
        resource = self._find(arn)
        started, done = ("0168", "0169") if isinstance(resource, DBCluster) else ("0090", "0091")
        store = "cluster_snapshots" if isinstance(resource, DBCluster) else "database_snapshots"
        held = getattr(resource.backend, store)
        before = set(held)
        snapshots.back_up(resource, self._world.now())
        snapshot = next(one for name, one in held.items() if name not in before)
        self._world.tell(f"RDS-EVENT-{started}", snapshot)
        self._world.tell(f"RDS-EVENT-{done}", snapshot)
        return str(snapshot.arn)

    def create_legacy_unencrypted(
        self,
        identifier: str,
        *,
        engine: str = "aurora-postgresql",
        region: str | None = None,
        **settings: Any,
    ) -> str:
        """Seed a cluster from before encryption was the default, silently; of any version, also a retired one.

        `settings` carry the names of CreateDBCluster. Its snapshots and clones are unencrypted, too.
        """
        defaults = {"MasterUsername": "dbadmin", "MasterUserPassword": "legacy-password"}
        asked = {**defaults, **settings, "DBClusterIdentifier": identifier, "Engine": engine}
        call = self._call("CreateDBCluster", asked, region)
        with self.lenient():
            clusters.check_new(call, identifier)
            cluster = clusters.build(call, asked, encrypted=UNENCRYPTED)
        cluster.save_automated_backup()
        return str(cluster.arn)

    def create_legacy_unencrypted_instance(
        self, identifier: str, *, engine: str = "postgres", region: str | None = None, **settings: Any
    ) -> str:
        """Seed a stand-alone instance silently; of any version, also a retired one."""
        defaults = {
            "MasterUsername": "dbadmin",
            "MasterUserPassword": "legacy-password",
            "DBInstanceClass": "db.r6g.large",
            "AllocatedStorage": 20,
        }
        asked = {**defaults, **settings, "DBInstanceIdentifier": identifier, "Engine": engine}
        call = self._call("CreateDBInstance", asked, region)
        with self.lenient():
            instances.check_new(call, identifier)
            instance = instances.build(call, asked, encrypted=UNENCRYPTED)
        return str(instance.arn)

    def overlay(self, arn: str, **members: Any) -> None:
        """Let a resource's description say something that no operation here can make it say.

        For states that only AWS itself brings about; a member that is None is left out.
        """
        extras(self._find(arn)).members |= members

    @contextmanager
    def lenient(self) -> Iterator[None]:
        """Let engine versions pass that AWS does not offer any more."""
        before, self._world.lenient = self._world.lenient, True
        try:
            yield
        finally:
            self._world.lenient = before

    def _call(self, operation: str, parameters: dict[str, Any], region: str | None) -> Call:
        return Call(
            operation=operation,
            parameters=parameters,
            region=region or self._region,
            account=ACCOUNT_ID,
            world=self._world,
        )

    def _find(self, arn: str) -> Any:
        _, _, _, region, account, kind, _ = arn.split(":", 6)
        backend = rds_backends[account][region or "us-east-1"]
        if kind == "db-proxy":
            return next(proxy for proxy in backend.db_proxies.values() if proxy.arn == arn)
        return getattr(backend, _STORES[kind])[named(arn)]

    def _everything(self) -> Iterator[Any]:
        for regions in rds_backends.values():
            for backend in regions.values():
                for store in _STORES.values():
                    yield from list(getattr(backend, store).values())
                yield from list(backend.db_proxies.values())
