"""`warden stop` and `warden resume`: the STOP row that every write reads first."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from warden.core.errors import ConfigurationError, StoppedError
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.rows import Stop
from warden.gateways.errors import UNREADABLE, translate
from warden.gateways.ledger import DynamoLedger
from warden.gateways.state import DynamoState

_NO_ANSWER: tuple[type[Exception], ...] = (*UNREADABLE, ValueError)
"""An answer that is none, and an endpoint that is no address."""


def run(*, stopping: bool, reason: str, stack: str, region: str | None, profile: str | None) -> int:
    """Set or remove the STOP row of a deployment, and record who did so and why."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        if not session.region_name:
            msg = (
                "no Region is configured; give --region, or set AWS_DEFAULT_REGION or a profile with a region"
            )
            raise ConfigurationError(msg)
        identity = session.client("sts").get_caller_identity()
        state_table, ledger_table = _tables(session, stack)
    except ProfileNotFound as error:
        raise ConfigurationError(str(error)) from None
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(str(translate(error, "warden stop"))) from None
    except _NO_ANSWER as error:
        msg = f"AWS could not be asked for the stack: {type(error).__name__}: {error}"
        raise ConfigurationError(msg) from None
    set_stop(
        session.client("dynamodb"),
        state_table=state_table,
        ledger_table=ledger_table,
        deployment=f"deployment/{identity['Account']}/{session.region_name}",
        by=identity["Arn"],
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


def _tables(session: boto3.session.Session, stack: str) -> tuple[str, str]:
    client = session.client("cloudformation")
    names = []
    for logical_id in ("StateTable", "LedgerTable"):
        try:
            answer = client.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        except ClientError as error:
            msg = f"the stack {stack!r} in {session.region_name} has no {logical_id}: {error}; give --stack, --region"
            raise ConfigurationError(msg) from None
        names.append(str(answer["StackResourceDetail"].get("PhysicalResourceId", "")))
    print(f"{stack}: {', '.join(names)}", file=sys.stderr)
    return names[0], names[1]
