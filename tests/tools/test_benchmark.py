"""The rig of `make bench`: the server that counts, and how what scanners found is read."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tools.benchmark import cold, counting, money, peers, warm
from tools.benchmark.compare import Row, scans
from warden.core.resource import ResourceRef
from warden.core.trigger import Trigger, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261124/eu-west-1/rds/aws4_request, SignedHeaders=host"


class Moto(BaseHTTPRequestHandler):
    """Answers every list of RDS with 150 clusters at once, as moto does, and a group with a bare parameter."""

    def do_POST(self) -> None:
        asked = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        action = asked["Action"][0]
        items = "".join(
            f"<DBCluster><DBClusterIdentifier>c{n}</DBClusterIdentifier></DBCluster>" for n in range(150)
        )
        inner = f"<DBClusters>{items}</DBClusters>"
        if "Parameters" in action:
            inner = (
                "<Parameters><Parameter><ParameterName>rds.force_ssl</ParameterName></Parameter></Parameters>"
            )
        body = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - http.server says so
        """Say nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def front() -> Iterator[str]:
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Moto)) as behind,
        serving(counting.serve(counting.Counting(behind), 0)) as url,
    ):
        yield url


def ask(url: str, **parameters: str) -> ET.Element:
    request = urllib.request.Request(  # noqa: S310 - our own server
        url, data=urllib.parse.urlencode(parameters).encode(), headers={"Authorization": SIGNED}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
        return ET.fromstring(answer.read())  # noqa: S314 - the same


def counted(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/counted") as answer:  # noqa: S310 - our own server
        return json.load(answer)


def test_a_list_comes_in_pages_of_a_hundred_and_each_page_is_counted(front: str) -> None:
    names, marker, more = [], None, True
    while more:
        asked = {"Marker": marker} if marker else {}
        answer = ask(front, Action="DescribeDBClusters", **asked)
        page = [item.text for item in answer.iter("DBClusterIdentifier")]
        assert len(page) <= 100
        names += page
        marker = answer.findtext(".//Marker")
        more = marker is not None

    assert names == [f"c{number}" for number in range(150)]
    assert counted(front) == {"rds:DescribeDBClusters": 2}
    assert counted(front) == {}, "it begins anew"


def test_parameters_have_the_types_that_moto_leaves_out_and_default_groups_their_defaults(front: str) -> None:
    custom = ask(front, Action="DescribeDBClusterParameters", DBClusterParameterGroupName="own")
    default = ask(
        front, Action="DescribeDBClusterParameters", DBClusterParameterGroupName="default.aurora-mysql8.0"
    )

    assert custom.findtext(".//DataType") == "boolean"
    assert (default.findtext(".//ParameterName"), default.findtext(".//ParameterValue")) == (
        "require_secure_transport",
        "OFF",
    )


def test_what_warden_found_is_read_of_its_card(tmp_path: Path) -> None:
    found = [
        ("cluster_storage_encrypted", "arn:aws:rds:eu-west-1:123456789012:cluster:orders", "NON_COMPLIANT"),
        ("cluster_storage_encrypted", "arn:aws:rds:eu-west-1:123456789012:cluster:fine", "COMPLIANT"),
        ("cluster_engine_supported", "arn:aws:rds:eu-west-1:123456789012:cluster:orders", "NON_COMPLIANT"),
        (
            "security_group_not_open_to_world",
            "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1",
            "NON_COMPLIANT",
        ),
    ]
    card = {"findings": [{"control": c, "resource": r, "compliance": s} for c, r, s in found]}
    (tmp_path / "stdout").write_text(json.dumps(card))

    assert peers.of_warden(tmp_path) == {
        ("cluster_storage_encrypted", "orders"),
        ("security_group_not_open_to_world", "sg-1"),
    }


def test_what_custodian_found_is_read_of_its_files(tmp_path: Path) -> None:
    for control, item in (
        ("cluster_snapshot_not_public", {"DBClusterSnapshotIdentifier": "s", "DBClusterIdentifier": "c"}),
        (
            "secret_rotation_enabled",
            {"ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db/a-x"},
        ),
    ):
        (tmp_path / control).mkdir()
        (tmp_path / control / "resources.json").write_text(json.dumps([item]))

    assert peers.of_custodian(tmp_path) == {
        ("cluster_snapshot_not_public", "s"),
        ("secret_rotation_enabled", "prod/db/a-x"),
    }


def test_what_prowler_found_is_read_of_its_failed_checks(tmp_path: Path) -> None:
    arn = "arn:aws:rds:eu-west-1:123456789012"
    found = [
        ("rds_cluster_storage_encrypted", "FAIL", f"{arn}:cluster:orders"),
        ("rds_cluster_storage_encrypted", "PASS", f"{arn}:cluster:fine"),
        ("rds_instance_transport_encrypted", "FAIL", f"{arn}:db:orders-1"),
        ("rds_snapshots_public_access", "FAIL", f"{arn}:cluster-snapshot:orders-s"),
        (
            "ec2_securitygroup_allow_wide_open_public_ipv4",
            "FAIL",
            "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1",
        ),
    ]
    written = [
        {"metadata": {"event_code": check}, "status_code": status, "resources": [{"uid": uid}]}
        for check, status, uid in found
    ]
    (tmp_path / "found.ocsf.json").write_text(json.dumps(written))

    assert peers.of_prowler(tmp_path) == {
        ("cluster_storage_encrypted", "orders"),
        ("cluster_snapshot_not_public", "orders-s"),
        ("security_group_not_open_to_world", "sg-1"),
    }


def test_the_table_compares_with_the_yardstick_and_with_custodian_on_the_same_fleet() -> None:
    measured: dict[str, Any] = {"seconds": 1.0, "megabytes": 60.0, "precision": 1.0, "recall": 0.5}
    rows = [
        Row(size=1000, name="yardstick: plain boto3", calls=1000, cpu=0.4, **measured),
        Row(size=1000, name="Warden, ten controls", calls=1050, cpu=0.5, **measured),
        Row(size=1000, name="Warden, all controls", calls=2000, cpu=1.0, ten=False, **measured),
        Row(size=1000, name="Custodian, ten policies", calls=3000, cpu=2.0, **measured),
        Row(size=50, name="yardstick: plain boto3", calls=1, cpu=9.9, **measured),
    ]

    assert scans(rows)[2:6] == [
        "| 1,000 | yardstick: plain boto3 | 1,000 | 1.00 | 0.4 | 0.20 | 1.0 | 60 | 1.000 | 0.500 |",
        "| 1,000 | Warden, ten controls | 1,050 | 1.05 | 0.5 | 0.25 | 1.0 | 60 | 1.000 | 0.500 |",
        "| 1,000 | Warden, all controls | 2,000 |  | 1.0 | 0.50 | 1.0 | 60 | 1.000 | 0.500 |",
        "| 1,000 | Custodian, ten policies | 3,000 | 3.00 | 2.0 | 1.00 | 1.0 | 60 | 1.000 | 0.500 |",
    ]


def test_the_warm_event_is_about_the_cluster_that_a_cold_start_looks_at() -> None:
    (trigger,) = parse(warm.event(), received_at=datetime.now(UTC))

    assert isinstance(trigger, Trigger)
    assert trigger.target == ResourceRef.from_arn(cold.CLUSTER)


def test_a_month_costs_what_its_sweeps_and_events_take() -> None:
    swept = {"resources": 100, "rds": 20, "reads": 200.0, "writes": 40.0, "cpu": 1.0}

    # Of 60 requests of a first sweep a later one repeats 20, and a quarter of the other 40, so that each is made daily.
    # 120 sweeps of 2,000 s, 60,000 events of 0.15 GB-seconds; 4.8 million units read and 1.2 million written.
    assert (
        money.lines({**swept, "rds": 60}, swept)[-1] == "| 20,000 | 33 min | 3.33 USD | 1.35 USD | 4.68 USD |"
    )
