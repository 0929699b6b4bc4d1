"""A warm event: what one CloudTrail event about a cluster takes of an `evaluate` that has seen some before.

    python -m tools.benchmark.warm

One process of the function handles blocks of events, as the triggers queue delivers them, and after each block makes
the same calls once more, with the same clients and nothing around them: no control, no thread, no trigger. The
difference of the processor time of an event and of its calls is Warden's own. On one core, for the 512 MB of `evaluate`
are a third of one in Lambda: four threads on two cores take twice the time, waiting for each other. With the same
clients, because Warden reads answers faster than botocore does, and that must not look like time that its controls do
not take.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tools.benchmark import cold, rig
from tools.benchmark.rig import ROOT

if TYPE_CHECKING:
    from tools.benchmark.rig import Served

_SAMPLE = ROOT / "events/cloudtrail/ModifyDBCluster_deletion_protection_off.json"
_HANDLING = """
import contextlib, json, os, sys, time, urllib.request
import botocore.client
import app

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
_BLOCKS, _EVENTS = 15, 5
queue = "arn:aws:sqs:eu-west-1:123456789012:triggers"
url, event = sys.argv[1], json.loads(sys.argv[2])
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"
    def get_remaining_time_in_millis(self): return 900000

def handle(number):
    body = json.dumps({**event, "id": f"{event['id'][:-6]}{number:06}"})
    record = {"messageId": str(number), "eventSource": "aws:sqs", "eventSourceARN": queue, "body": body}
    answer = app.handler({"Records": [record]}, Context())
    assert not answer["batchItemFailures"], answer

def counted():
    with urllib.request.urlopen(url + "/counted") as answer:
        return json.load(answer)

made, call = [], botocore.client.BaseClient._make_api_call
def noted(client, operation, asked):
    made.append((client, operation, asked))
    return call(client, operation, asked)
for number in range(3):
    handle(number)
botocore.client.BaseClient._make_api_call = noted
handle(3)
botocore.client.BaseClient._make_api_call = call
events, calls, seen, wall = [], [], {}, []
for block in range(_BLOCKS):
    counted()
    began, before = time.perf_counter(), time.process_time()
    for number in range(_EVENTS):
        handle(10 + block * _EVENTS + number)
    events.append((time.process_time() - before) / _EVENTS)
    wall.append((time.perf_counter() - began) / _EVENTS)
    for name, count in counted().items():
        seen[name] = seen.get(name, 0) + count
    before = time.process_time()
    for _ in range(_EVENTS):
        for client, operation, asked in made:
            with contextlib.suppress(Exception):
                call(client, operation, asked)
    calls.append((time.process_time() - before) / _EVENTS)
told = {"events": events, "calls": calls, "wall": wall,
        "seen": {name: count / (_BLOCKS * _EVENTS) for name, count in seen.items()}}
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Warm:
    """An event by the medians of blocks: calls by operation, and milliseconds."""

    calls: dict[str, float]
    cpu: float
    """Of everything."""
    own: float
    """Of what is not its calls."""
    wall: float

    @property
    def of_calls(self) -> float:
        """Of the same calls alone."""
        return self.cpu - self.own


def event() -> dict[str, Any]:
    """A change of the first cluster of the fleet."""
    text = _SAMPLE.read_text(encoding="utf-8").replace("orders-prod", "c00000")
    return dict(json.loads(text))


def measured(served: Served) -> Warm:
    """Handle events in a process of its own."""
    python, variables = rig.function(served.url, cold.prepare(served.url))
    command = [python, "-c", _HANDLING, served.url, json.dumps(event())]
    _, told = rig.told(command, variables, ROOT / "functions/evaluate")
    # A block of events and the block of its calls follow each other, and are disturbed alike.
    own = [event - calls for event, calls in zip(told["events"], told["calls"], strict=True)]
    return Warm(told["seen"], *(1000 * median(values) for values in (told["events"], own, told["wall"])))


def lines(served: Served, times: int) -> list[str]:
    """The table of a warm event: of several processes the one whose own time is the middle one."""
    runs = [measured(served) for _ in range(times)]
    calls = runs[-1].calls
    services = ", ".join(
        f"{count:g} to {service}"
        for service, count in sorted(rig.by_service(calls).items(), key=lambda one: -one[1])
    )
    middle = sorted(runs, key=lambda run: run.own)[len(runs) // 2]
    shown = (f"{value:.1f}" for value in (middle.cpu, middle.of_calls, middle.own, middle.wall))
    return rig.table(
        ("one event about a cluster", "calls", "CPU ms", "of the same calls", "Warden's own", "wall ms"),
        [(services, f"{sum(calls.values()):g}", *shown)],
    )


def main() -> int:
    """Print the table, and the calls by operation."""
    with rig.served(50) as served:
        print(*lines(served, 3), sep="\n")
        for name, count in sorted(measured(served).calls.items()):
            print(f"  {name} {count:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
