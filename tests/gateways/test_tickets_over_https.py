"""From drift to a tracker behind HTTPS and back, with a fault at every request: one ticket, which follows the drift."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fakes.trackers import Fault, TrackerAnswer, desk
from pipeline.world import World
from warden.core.sinks import SinkConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fakes.trackers import Server
    from fakes.trackers.desk import Desk
    from warden.pipeline.ticket import Ticketer

THOROUGH = os.environ.get("WARDEN_SIMULATE") == "all"
TRACKERS = ("jira", "jira-data-center", "servicenow", "github")
POLICY = "version = 1\n[defaults]\nmode = 'ticket'\n[tickets]\ngroup = 'finding'\n"
FAULTS: dict[str, Callable[[], Fault]] = {
    "reset": lambda: Fault(resets=True),
    "reset after commit": lambda: Fault(resets=True, commits=True),
    "half an answer": lambda: Fault(breaks_off=True, commits=True),
    "500 after commit": lambda: Fault(answer=TrackerAnswer(500, b"<html>"), commits=True),
    "503": lambda: Fault(answer=TrackerAnswer(503, None, {"Retry-After": "120"})),
    "429": lambda: Fault(answer=TrackerAnswer(429, {"message": "slow"}, {"Retry-After": "7"})),
    "401": lambda: Fault(answer=TrackerAnswer(401, {"message": "no"})),
    "403": lambda: Fault(answer=TrackerAnswer(403, {"message": "no"})),
    "404": lambda: Fault(answer=TrackerAnswer(404, {"message": "Not Found"})),
    "400": lambda: Fault(answer=TrackerAnswer(400, {"message": "bad"})),
    "a login page": lambda: Fault(answer=TrackerAnswer(200, b"<!doctype html><html>")),
    "a login page after commit": lambda: Fault(answer=TrackerAnswer(200, b"<html>"), commits=True),
    "nothing": lambda: Fault(answer=TrackerAnswer(200, b"")),
    "nothing after commit": lambda: Fault(answer=TrackerAnswer(204, b""), commits=True),
    "an empty object": lambda: Fault(answer=TrackerAnswer(200, b"{}")),
    "half of JSON": lambda: Fault(answer=TrackerAnswer(200, b'{"id": "1')),
    "a redirect": lambda: Fault(answer=TrackerAnswer(302, None, {"Location": "https://login.example/"})),
}


class Https(World):
    """A deployment with one tracker of a kind."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(POLICY)
        self.desk: Desk = desk.desk(server, name)
        self.name = name
        self.policy = replace(
            self.policy,
            tickets=replace(self.policy.tickets, sinks=(SinkConfig(name=name, type=name),)),
        )
        for holder in (self.desk.sink._api, self.desk.sink._api._secrets):
            for clock in ("_now", "_clock"):
                if hasattr(holder, clock):
                    setattr(holder, clock, self.clock)

    @property
    def ticketer(self) -> Ticketer:
        made = super().ticketer
        courier = replace(made.courier, notifiers={}, trackers={self.name: self.desk.sink})
        return replace(made, courier=courier)

    @property
    def kept(self) -> list[dict[str, Any]]:
        system = self.desk.system
        return list((system.issues if hasattr(system, "issues") else system.records).values())

    def is_open(self, ticket: dict[str, Any]) -> bool:
        if "fields" in ticket:
            return bool(ticket["fields"]["status"]["statusCategory"]["key"] != "done")
        return ticket["state"] in {"1", "2", "open"}

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.clock.advance(minutes=5)
            self.tick()

    def live(self) -> None:
        """Drift that is told, told anew, put right, back, and put right again."""
        ref = self.cluster(DeletionProtection=False)
        for protected in (False, True, False, True):
            self.aws.update(ref, DeletionProtection=protected)
            self.clock.advance(minutes=1)
            self.look(ref)
            self.tell()
            self.ticks(1)


def each_fault(server: Server, name: str, fault: str, *, every: int) -> Iterator[tuple[int, Https]]:
    """The same life with the fault at some of its requests, with time enough after it."""
    whole = Https(server, name)
    whole.live()
    count = len(whole.desk.server.requests)
    # Another part of them for each fault.
    for at in range(sum(fault.encode()) % every, count, every):
        world = Https(server, name)
        server.faults.append(replace(FAULTS[fault](), after=at))
        world.live()
        for _ in range(90):
            # At most seven hours: what is parked is tried again by itself.
            if not world.tickets.backlog(name):
                break
            world.ticks(1)
        yield at, world


def check(server: Server, name: str, fault: str, *, every: int = 1) -> None:
    for at, world in each_fault(server, name, fault, every=every):
        where = f"{fault} at request {at}: {server.requests[at][1].method} {server.requests[at][1].path}"
        assert len(world.kept) == 1, where
        assert [one for one in world.kept if world.is_open(one)] == [], where
        assert world.tickets.backlog(name) == [], where
        assert world.tick().refused == {}, where
        assert server.refused == [], where


@pytest.mark.parametrize("name", TRACKERS)
def test_a_ticket_follows_the_drift_whatever_breaks_after_it_was_made(trackers: Server, name: str) -> None:
    check(trackers, name, "reset after commit", every=3)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", TRACKERS)
def test_a_ticket_follows_the_drift_whatever_a_tracker_answers_once(
    trackers: Server, name: str, fault: str
) -> None:
    check(trackers, name, fault, every=1 if THOROUGH else 4)
