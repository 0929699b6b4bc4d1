"""A stack in bad weather: drift by people and by Terraform, events that come late, twice or never, faults, and time."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.local.identity import iam_user
from console.stop import set_stop
from simulation.invariants import Watch, assert_at_rest, assert_nothing_is_lost
from stack import fleet
from stack.deployed import ACCOUNT, ALICE, BOB, Deployed
from stack.faults import KINDS, Injector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

TERRAFORM = iam_user("terraform")
CLUSTERS = ("orders", "billing", "stock")
DRIFTS: dict[str, dict[str, Any]] = {
    "cluster_deletion_protection_enabled": {"DeletionProtection": False},
    "cluster_backup_retention_sufficient": {"BackupRetentionPeriod": 1},
    "cluster_iam_authentication_enabled": {
        "EnableIAMDatabaseAuthentication": False,
        "ApplyImmediately": True,
    },
}
_ROUNDS = 15
_FAULTY = 0.04
"""The share of calls that a fault meets."""


def arn_of(cluster: str) -> str:
    """The ARN of a cluster of the simulation."""
    return f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:{cluster}"


class Weather:
    """One run, all of it drawn from one seed."""

    def __init__(self, stack: Deployed, random: Random) -> None:
        self.stack = stack
        self.random = random
        self.injector = Injector(stack, self._fault)
        self.watch = Watch(stack, self.injector)
        self.injector.before_call.append(self._meanwhile)
        self.drifts: set[tuple[str, str]] = set()
        self.events: Counter[str] = Counter()
        self.happened: list[str] = []
        """What was done, in order: a failure is read by it."""
        self._calm = False
        self._late: list[dict[str, Any]] = []
        self._nested = 0

    # --- what meets the functions -------------------------------------------------------------------------

    def _fault(self, _number: int, _operation: str) -> str:
        if self._calm or self.random.random() >= _FAULTY:
            return ""
        return self.random.choice(KINDS)

    def _meanwhile(self, operation: str, _parameters: dict[str, Any]) -> None:
        """Now and then a second process remediates with the same message, just before the first one writes."""
        function, event = self.injector.event
        writes = operation == "ModifyDBCluster" and "Records" in event
        if not writes or self._nested or self._calm or self.random.random() > 0.3:
            return
        self._nested += 1
        self.happened.append("the same message is remediated by two at once")
        with contextlib.suppress(RuntimeError):
            self.injector.invoke(function, event)
        self._nested -= 1

    def _event(self, event: dict[str, Any]) -> None:
        """An event comes once, twice, late or never."""
        fate = "once" if self._calm else self.random.choice(("once",) * 6 + ("twice", "late", "never"))
        self.events[fate] += 1
        if fate == "late":
            self._late.append(event)
        for _ in range({"once": 1, "twice": 2}.get(fate, 0)):
            self.stack.put(event)

    # --- what people do -----------------------------------------------------------------------------------

    def _drift(self) -> None:
        self._change(self.random.choice((ALICE, BOB)))

    def _change(self, who: Any) -> None:
        cluster = self.random.choice(CLUSTERS)
        control, settings = self.random.choice(list(DRIFTS.items()))
        self.happened.append(f"{who.arn.rpartition('/')[2]} sets {settings} of {cluster}")
        with self.stack.by(who), contextlib.suppress(Exception):
            # While it is busy AWS refuses this as well.
            self.stack.client("rds").modify_db_cluster(DBClusterIdentifier=cluster, **settings)
            self.drifts.add((control, arn_of(cluster)))

    def _terraform(self) -> None:
        self._change(TERRAFORM)

    def _busy(self) -> None:
        cluster = self.random.choice(CLUSTERS)
        self.happened.append(f"{cluster} is busy")
        self.stack.aws.rds.hold(arn_of(cluster), "backing-up", seconds=self.random.choice((60, 1800, 7200)))

    def _stop(self) -> None:
        self._set_stop(stopping=True)

    def _resume(self) -> None:
        self._set_stop(stopping=False)

    def _set_stop(self, *, stopping: bool) -> None:
        self.happened.append("stop" if stopping else "resume")
        resources = self.stack.template.resources
        set_stop(
            self.stack.client("dynamodb"),
            state_table=resources["StateTable"].name,
            ledger_table=resources["LedgerTable"].name,
            deployment=f"deployment/{ACCOUNT}/{self.stack.region}",
            by=BOB.arn,
            reason="simulated",
            stopping=stopping,
            now=self.stack.now(),
        )

    def _late_events_come(self) -> None:
        self.happened.append(f"{len(self._late)} late events come")
        self.random.shuffle(self._late)
        while self._late:
            self.stack.put(self._late.pop())

    def _time_passes(self) -> None:
        minutes = self.random.choice((1, 6, 20, 90))
        self.happened.append(f"{minutes} minutes pass")
        self.stack.hours_later(minutes / 60)

    def _sweep(self) -> None:
        self.happened.append("sweep")
        self.stack.runtime.call(self.stack.function("sweep").logical_id, {"job": "sweep"})

    # --- a run --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _weather(self) -> Iterator[None]:
        emit, self.stack.aws.emit = self.stack.aws.emit, self._event
        try:
            with self.injector.at_work():
                yield
        finally:
            self.stack.aws.emit = emit

    def run(self) -> None:
        """Bad weather, then calm; then everything must be in order."""
        for cluster in CLUSTERS:
            fleet.cluster(self.stack, cluster)
        doings = [self._drift] * 6 + [self._time_passes] * 4 + [self._terraform] * 2
        doings += [self._busy, self._stop, self._resume, self._resume, self._late_events_come, self._sweep]
        with self._weather():
            for _ in range(_ROUNDS):
                self.random.choice(doings)()
                self.stack.runtime.run_until_idle(max_time=timedelta(minutes=self.random.choice((2, 15))))
            self._calm = True
            self._resume()
            self._late_events_come()
            self.stack.hours_later(2.5)
        self.stack.sweep()
        self.stack.hours_later(2)
        assert self.watch.violations == []
        assert_nothing_is_lost(self.stack, self.drifts)
        assert_at_rest(self.stack)

    def __str__(self) -> str:
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(self.injector.injected.items()))
        events = ", ".join(f"{count} {fate}" for fate, count in sorted(self.events.items()))
        return (
            f"{self.injector.calls} calls, {self.watch.writes} writes; events: {events or 'none'}; "
            f"faults: {faults or 'none'}"
        )
