"""`warden stop` and `warden resume`: the STOP row that every write reads first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from console import deployed
from warden.core.errors import ConfigurationError, StoppedError
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.rows import Stop
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
        deployment=f"deployment/{found.account}/{found.region}",
        by=found.arn,
        reason=reason,
        stopping=stopping,
    )
    if stopping:
        print(f"{stack}: no write starts from now on. `warden resume --reason …` ends it.")
    else:
        print(f"{stack}: writes go on. What waited is judged again within minutes.")
    return 0


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
