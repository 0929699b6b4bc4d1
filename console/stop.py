"""`warden stop`, `warden resume`, `warden acknowledge`: what lets a whole deployment write, or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from console import deployed
from warden.core.errors import ConfigurationError, StoppedError
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.resource import Deployment
from warden.core.rows import Stop
from warden.gateways.brakes import DynamoBrakes
from warden.gateways.ledger import DynamoLedger
from warden.gateways.state import DynamoState


def run(*, stopping: bool, reason: str, stack: str, region: str | None, profile: str | None) -> int:
    """Set or remove the STOP row of a deployment, and record who did so and why."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    found = deployed.find(
        "StateTable",
        "LedgerTable",
        command=f"warden {'stop' if stopping else 'resume'}",
        stack=stack,
        region=region,
        profile=profile,
    )
    set_stop(
        found.client("dynamodb"),
        state_table=found.names["StateTable"],
        ledger_table=found.names["LedgerTable"],
        deployment=Deployment(found.account, found.region).chain,
        by=found.arn,
        reason=reason,
        stopping=stopping,
    )
    if stopping:
        print(f"{stack}: no write starts from now on. `warden resume --reason …` ends it.")
    else:
        print(f"{stack}: writes go on. What waited is judged again within minutes.")
    return 0


def acknowledge(*, reason: str, stack: str, region: str | None, profile: str | None) -> int:
    """Open spent budgets and circuits again, and record who did so and why; 1 where nothing was in the way."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    found = deployed.find(
        "StateTable", "LedgerTable", command="warden acknowledge", stack=stack, region=region, profile=profile
    )
    opened = set_acknowledged(
        found.client("dynamodb"),
        state_table=found.names["StateTable"],
        ledger_table=found.names["LedgerTable"],
        account=found.account,
        region=found.region,
        by=found.arn,
        reason=reason,
    )
    if not opened:
        print(f"{stack}: no budget is spent, and no circuit is open; there is nothing to acknowledge.")
        return 1
    print(f"{stack}: open again: {', '.join(opened)}. What waited is judged again within minutes.")
    return 0


def set_acknowledged(
    dynamodb: object,
    *,
    state_table: str,
    ledger_table: str,
    account: str,
    region: str,
    by: str,
    reason: str,
    now: datetime | None = None,
) -> tuple[str, ...]:
    """The record first: a budget must not open without one. Returns what is open again."""
    at = now or datetime.now(UTC)
    state = DynamoState(dynamodb, state_table)  # type: ignore[arg-type]  # a client; the stubs know no base of them
    brakes = DynamoBrakes(dynamodb, state_table)  # type: ignore[arg-type]  # the same
    standing = brakes.standing(account, region)
    held = [*sorted(standing.latched), *(f"circuit of {name}" for name in sorted(standing.circuits))]
    if not held:
        return ()
    DynamoLedger(dynamodb, ledger_table, state_table).append(  # type: ignore[arg-type]  # the same
        LedgerEntry(
            at=at,
            actor=by,
            chain=Deployment(account, region).chain,
            kind=EntryKind.ACKNOWLEDGE,
            before={"held": held},
            after={"held": [], "reason": reason},
        )
    )
    opened = brakes.acknowledge(account, region, now=at)
    _wake(state, at)
    return opened


def set_stop(
    dynamodb: object,
    *,
    state_table: str,
    ledger_table: str,
    deployment: str,
    by: str,
    reason: str,
    stopping: bool,
    now: datetime | None = None,
) -> None:
    """Write the row first, then the ledger: stopping must not wait for the record of it."""
    at = now or datetime.now(UTC)
    state = DynamoState(dynamodb, state_table)  # type: ignore[arg-type]  # a client; the stubs know no base of them
    stopped_before = _is_stopped(state)
    state.set_stop(Stop(by=by, reason=reason, at=at) if stopping else None)
    ledger = DynamoLedger(dynamodb, ledger_table, state_table)  # type: ignore[arg-type]  # the same
    ledger.append(
        LedgerEntry(
            at=at,
            actor=by,
            chain=deployment,
            kind=EntryKind.STOP,
            before={"stopped": stopped_before},
            after={"stopped": stopping, "reason": reason},
        )
    )
    if not stopping:
        _wake(state, at)


def _is_stopped(state: DynamoState) -> bool:
    """Whether writes are stopped; a row that cannot be read stops them, and must not be in the way here."""
    try:
        return state.stop() is not None
    except StoppedError:
        return True


def _wake(state: DynamoState, now: datetime) -> None:
    """Have everything that waits judged with the next tick, however far it has backed off meanwhile."""
    for row in state.due(datetime.max.replace(tzinfo=UTC)):
        if row.due_at > now:
            state.defer(replace(row, due_at=now))
