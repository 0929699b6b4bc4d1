"""Brakes in memory; they pass the same tests as those in DynamoDB."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from warden.core.brakes import Canary, Spent, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.brakes import Payment

Where = tuple[str, str]


class MemoryBrakes:
    """Implements `ports.Brakes`."""

    def __init__(self) -> None:
        self._writes: Counter[tuple[Where, str, datetime]] = Counter()
        self._of_controls: Counter[tuple[Where, str, datetime, str]] = Counter()
        self._latches: dict[Where, set[str]] = defaultdict(set)
        self._failures: dict[tuple[Where, str], dict[str, datetime]] = {}
        self._circuits: dict[Where, dict[str, datetime]] = defaultdict(dict)
        self._canaries: dict[Where, dict[str, Canary]] = defaultdict(dict)
        self._acknowledged: dict[Where, set[tuple[str, str]]] = defaultdict(set)
        self._census: dict[Where, dict[str, int]] = {}

    def standing(self, account: str, region: str) -> Standing:
        here = (account, region)
        return Standing(
            latched=frozenset(self._latches[here]),
            circuits=dict(self._circuits[here]),
            canaries=dict(self._canaries[here]),
            acknowledged=frozenset(self._acknowledged[here]),
            census=self._census.get(here, {}),
        )

    def spent(self, account: str, region: str, *, budget: str, now: datetime) -> Spent:
        hour = ((account, region), budget, _hour(now))
        of_controls = {key[-1]: count for key, count in self._of_controls.items() if key[:-1] == hour}
        return Spent(writes=self._writes[hour], by_control=of_controls)

    def spend(self, account: str, region: str, payment: Payment, *, now: datetime) -> bool:
        hour = ((account, region), payment.budget, _hour(now))
        if self._writes[hour] >= payment.limit:
            return False
        if any(self._of_controls[*hour, control] >= limit for control, limit in payment.controls.items()):
            return False
        self._writes[hour] += 1
        self._of_controls.update((*hour, control) for control in payment.controls)
        return True

    def latch(self, account: str, region: str, name: str, *, now: datetime) -> None:
        self._latches[account, region].add(name)

    def acknowledge(self, account: str, region: str, *, now: datetime) -> tuple[str, ...]:
        here = (account, region)
        latched, circuits = self._latches.pop(here, set()), self._circuits.pop(here, {})
        if latched:
            for counted in (self._writes, self._of_controls):
                for key in [key for key in counted if (key[0], key[2]) == (here, _hour(now))]:
                    del counted[key]
        for control in circuits:
            self._failures.pop((here, control), None)
        return (*sorted(latched), *(f"circuit of {control}" for control in sorted(circuits)))

    def note_failure(
        self,
        account: str,
        region: str,
        *,
        control: str,
        resource_key: str,
        now: datetime,
        window: timedelta,
        limit: int,
    ) -> bool:
        here = (account, region)
        recent = {
            key: at for key, at in self._failures.get((here, control), {}).items() if at > now - window
        } | {resource_key: now}
        self._failures[here, control] = recent
        if len(recent) < limit or control in self._circuits[here]:
            return False
        self._circuits[here][control] = now
        return True

    def begin_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> bool:
        canary = self._canaries[account, region].setdefault(
            control, Canary(resource_key=resource_key, begun_at=now)
        )
        return canary.resource_key == resource_key or canary.verified_at is not None

    def verify_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> None:
        canary = self._canaries[account, region].get(control)
        if canary is not None and canary.resource_key == resource_key and canary.verified_at is None:
            self._canaries[account, region][control] = replace(canary, verified_at=now)

    def drop_canary(self, account: str, region: str, *, control: str, resource_key: str) -> None:
        canary = self._canaries[account, region].get(control)
        if canary is not None and canary.resource_key == resource_key and canary.verified_at is None:
            del self._canaries[account, region][control]

    def acknowledge_day_one(
        self, account: str, region: str, pairs: Iterable[tuple[str, str]], *, now: datetime
    ) -> None:
        self._acknowledged[account, region].update(pairs)

    def take_census(self, account: str, region: str, counts: Mapping[str, int], *, now: datetime) -> None:
        self._census[account, region] = dict(counts)


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
