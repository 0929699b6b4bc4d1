"""Cold starts as whole processes: import, clients and the first event of each function, beside plain boto3.

    python -m tools.benchmark.cold http://127.0.0.1:5001 PYTHON PYTHONPATH

`PYTHON` runs the functions with the `PYTHONPATH` of a built layer, or of the sources; with a built layer, as they were
built beside it. The plain process imports boto3, makes a client of RDS and describes one cluster; it runs in this
environment.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from tools.benchmark.fleet import CONTROLS, CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"  # moto's
CLUSTER = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:c00000"
_TABLES: Mapping[str, tuple[str, str, str]] = {
    "findings": ("resource_key", "control", "S"),
    "ledger": ("chain", "sequence", "N"),
    "state": ("pk", "sk", "S"),
}
_PLAIN = "import boto3; print(boto3.client('rds').describe_db_clusters(DBClusterIdentifier='c00000')['DBClusters'])"
_FUNCTION = """
import json, sys
import app
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"
    def get_remaining_time_in_millis(self): return 900000
print(json.dumps(app.handler(json.loads(sys.argv[1]), Context())))
"""


class Start(NamedTuple):
    """One whole process."""

    seconds: float
    cpu: float


def start(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Start:
    """Run a process to its end; its output is kept from everybody unless it fails."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(  # noqa: S603 - our own functions
        arguments, cwd=cwd, env=dict(environment), capture_output=True, text=True, check=False
    )
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(took, cpu)


def prepare(endpoint: str) -> dict[str, str]:
    """Make tables and queues, and return the environment of the functions."""
    make: Any = boto3.client
    dynamodb, sqs = (make(name, endpoint_url=endpoint, **CREDENTIALS) for name in ("dynamodb", "sqs"))
    existing = dynamodb.list_tables()["TableNames"]
    for name, (hash_key, range_key, kind) in _TABLES.items():
        if name in existing:
            continue
        more: dict[str, Any] = {}
        attributes = [(hash_key, "S"), (range_key, kind)]
        if name == "findings":
            attributes.append(("arn", "S"))
            more = {
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by_arn",
                        "KeySchema": [{"AttributeName": "arn", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ]
            }
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": of} for key, of in attributes],
            **more,
        )
    urls = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("triggers", "remediations", "tickets")
    }
    return {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "PYTHONDONTWRITEBYTECODE": "1",
        "POWERTOOLS_METRICS_NAMESPACE": "AuroraWarden",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "WARNING",
        "WARDEN_ACCOUNT_ID": ACCOUNT,
        "WARDEN_POLICY_FILE": str(ROOT / "layers/policy/policy.toml"),
        "WARDEN_MODE_CEILING": "observe",
        "WARDEN_FINDINGS_TABLE": "findings",
        "WARDEN_LEDGER_TABLE": "ledger",
        "WARDEN_STATE_TABLE": "state",
        "WARDEN_APPROVALS_TABLE": "approvals",
        "WARDEN_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:none",
        "WARDEN_TRIGGERS_QUEUE_URL": urls["triggers"],
        "WARDEN_REMEDIATIONS_QUEUE_URL": urls["remediations"],
        "WARDEN_TICKETS_QUEUE_URL": urls["tickets"],
    }


def events() -> dict[str, dict[str, Any]]:
    """The first event of each function: one cluster, or what leads to as little."""
    return {
        "evaluate": {"resource": CLUSTER},
        "sweep": {"job": "due"},
        "ticket": _delivered(
            {"event": "open", "resource_key": "none", "control": CONTROLS[0], "revision": 0}
        ),
        # Decided by another policy: it is read no further, and judged again.
        "remediate": _delivered(
            {
                "resource": CLUSTER,
                "resource_key": "",
                "controls": [CONTROLS[0]],
                "policy_version": "",
                "cause": {},
            }
        ),
    }


def _delivered(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as SQS delivers it to a function."""
    return {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(message)}]}


def measured(endpoint: str, python: str, python_path: str, times: int) -> Iterator[tuple[str, list[Start]]]:
    """Each kind of process with its starts: plain boto3 first, then the functions."""
    environment = prepare(endpoint)
    plain = [start([sys.executable, "-c", _PLAIN], ROOT, environment) for _ in range(times)]
    yield "import boto3, an RDS client, one describe", plain
    for name, event in events().items():
        with_path = {**environment, "PYTHONPATH": python_path}
        command = [python, "-c", _FUNCTION, json.dumps(event)]
        yield (
            f"{name}, its first event",
            [start(command, _folder(name, Path(python_path)), with_path) for _ in range(times)],
        )


def _folder(function: str, python_path: Path) -> Path:
    """Where a function's `app.py` is: beside the layer, where both are built."""
    built = python_path.parent.with_name(f"{function.capitalize()}Function")
    return built if built.is_dir() else ROOT / "functions" / function


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each kind of process."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.cold")
    parser.add_argument("endpoint")
    parser.add_argument("python")
    parser.add_argument("python_path")
    parser.add_argument("--times", type=int, default=7)
    arguments = parser.parse_args(argv)
    for name, starts in measured(
        arguments.endpoint, arguments.python, arguments.python_path, arguments.times
    ):
        wall, cpu = median(s.seconds for s in starts), median(s.cpu for s in starts)
        print(f"{name:<44}{wall * 1000:>7.0f} ms{cpu * 1000:>7.0f} ms CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
