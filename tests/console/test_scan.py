"""`warden scan` against the corrected local AWS, in process and over HTTP, and against moto as it is."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from console import paths
from console.local.aws import LocalAws
from console.local.clock import MovableClock
from scanning.fleets import JUDGED, PASSWORD, POLICY, Fleet
from scanning.runs import CREDENTIALS, REGION, client, empty, moto_server, run, scan, warden
from scanning.wounded import PAGE, Answer, Wounded
from stack.waiting import waits_take_no_time
from warden.controls import all_controls
from warden.wiring import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROTECTED = "cluster_deletion_protection_enabled"
PRIVATE = "instance_not_publicly_accessible"
UNSHARED = "cluster_snapshot_not_public"
GLOBAL = "global_cluster_deletion_protection_enabled"
KEYS = [
    "version",
    "account",
    "regions",
    "policy_version",
    "resources",
    "api_calls",
    "evaluations",
    "findings",
    "not_evaluated",
]
"""As docs/reference/scan-json.md lists them."""
_LISTS = [
    "DescribeDBClusters",
    "DescribeDBInstances",
    "DescribeDBClusterSnapshots",
    "DescribeDBSnapshots",
    "DescribeGlobalClusters",
]
Capsys = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of nobody's, and no configuration."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def _no_waiting() -> Iterator[None]:
    with waits_take_no_time(MovableClock(datetime.now(UTC))):
        yield


@pytest.fixture
def aws(_no_waiting: None) -> Iterator[LocalAws]:
    """The corrected AWS, in this process."""
    with LocalAws(region=REGION) as local:
        # Made now, and kept: a client goes where AWS_ENDPOINT_URL pointed when it was made.
        local.client("rds")
        local.client("rds", "us-east-1")
        yield local


@pytest.fixture
def wounded(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wounded]:
    """The corrected AWS over HTTP, behind an endpoint that can be unwell."""
    with aws.serve() as server, Wounded(server.url) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        yield endpoint


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """moto as it is, in a process of its own: what it does not know, it does not know."""
    with moto_server() as url:
        yield url


@pytest.fixture
def plain(server: str, monkeypatch: pytest.MonkeyPatch, _no_waiting: None) -> str:
    """The same, empty, and the place that `warden` looks at."""
    empty(server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    return server


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """A policy file that asks for what the random fleets toss coins about."""
    file = tmp_path / "policy.toml"
    file.write_text(POLICY, encoding="utf-8")
    return str(file)


def a_cluster(rds: Any, name: str = "orders", **settings: Any) -> dict[str, Any]:
    made = rds.create_db_cluster(
        **{
            "DBClusterIdentifier": name,
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.6",
            "MasterUsername": "steward",
            "MasterUserPassword": PASSWORD,
            **settings,
        }
    )
    return dict(made["DBCluster"])


def an_instance(rds: Any, name: str = "reports", **settings: Any) -> dict[str, Any]:
    made = rds.create_db_instance(
        **{
            "DBInstanceIdentifier": name,
            "Engine": "postgres",
            "DBInstanceClass": "db.m6g.large",
            "AllocatedStorage": 20,
            "MasterUsername": "steward",
            "MasterUserPassword": PASSWORD,
            **settings,
        }
    )
    return dict(made["DBInstance"])


def a_group(rds: Any, name: str, value: str = "1") -> None:
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-postgresql16", Description="TLS"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": value, "ApplyMethod": "immediate"}],
    )


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_card_has_the_documented_keys_and_nothing_stands_beside_it(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"))
    done = scan(capsys)
    card = done.card
    assert list(card) == KEYS
    assert (card["version"], card["account"], card["regions"]) == (1, "123456789012", [REGION])
    assert card["resources"]["AWS::RDS::DBCluster"] == 1
    assert list(card["evaluations"]) == ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"]
    assert card["evaluations"]["NON_COMPLIANT"] == len(card["findings"])
    assert (done.status, done.err) == (1, "")
    finding = next(one for one in card["findings"] if one["control"] == PROTECTED)
    assert finding["decision"] == {"action": "REMEDIATE", "reason": "policy", "would": "REMEDIATE"}
    assert finding["plan"] == [
        {
            "operation": "ModifyDBCluster",
            "parameters": {"DBClusterIdentifier": "orders", "DeletionProtection": True},
        }
    ]
    assert finding["evidence"]["DeletionProtection"] is False


def test_the_gravest_come_first(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"))
    an_instance(aws.client("rds"), PubliclyAccessible=True)
    ranks = [one["severity"] for one in scan(capsys).card["findings"]]
    order = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    assert ranks == sorted(ranks, key=order.index)
    assert ranks[0] == "CRITICAL"


@pytest.mark.slow
def test_a_process_of_its_own_over_http_says_the_same(
    wounded: Wounded, aws: LocalAws, capsys: Capsys
) -> None:
    a_cluster(aws.client("rds"))
    here = scan(capsys, controls=(PROTECTED, UNSHARED))
    there = warden(
        *("scan", "--format", "json", "--control", PROTECTED, "--control", UNSHARED),
        AWS_ENDPOINT_URL=wounded.url,
    )
    assert there.card == here.card
    assert (there.status, there.err) == (1, "")


OF_A_PROCEDURE = {
    "warden:procedure": "cluster_snapshot_encrypted",
    "warden:serves": "arn:aws:rds:us-west-2:123456789012:cluster-snapshot:orders-2026",
    "warden:nonce": "0a1b2c",
}


@pytest.mark.parametrize(
    ("name", "tags", "says"),
    [
        ("warden-orders-2026", OF_A_PROCEDURE, True),
        ("orders-2026", OF_A_PROCEDURE, False),
        ("warden-orders-2026", {**OF_A_PROCEDURE, "warden:serves": ""}, False),
        ("warden-orders-2026", {}, False),
    ],
)
def test_what_a_procedure_seems_to_have_made_is_said_and_stays_a_finding(
    aws: LocalAws, capsys: Capsys, name: str, tags: dict[str, str], *, says: bool
) -> None:
    """A scan sees no records, and a tag alone exempts nothing."""
    tagged = [{"Key": key, "Value": value} for key, value in tags.items()]
    a_cluster(aws.client("rds"), name, Tags=tagged)

    [finding] = scan(capsys, controls=(PROTECTED,)).card["findings"]

    assert finding["compliance"] == "NON_COMPLIANT"
    assert ("made it for a while, for cluster_snapshot_encrypted" in finding["annotation"]) is says


def test_a_scan_writes_nothing(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"))
    made = len(aws.calls)
    scan(capsys)
    operations = {call.operation for call in aws.calls[made:]}
    assert len(operations) > 5
    assert {
        name for name in operations if not name.startswith(("Describe", "Get", "List", "Lookup"))
    } == set()


def test_all_lists_what_is_compliant_or_not_applicable_as_well(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"), DeletionProtection=True)
    without, with_all = scan(capsys, controls=(PROTECTED,)), scan(capsys, "--all", controls=(PROTECTED,))
    assert (without.status, without.card["findings"]) == (0, [])
    assert [one["compliance"] for one in with_all.card["findings"]] == ["COMPLIANT"]
    assert with_all.status == 0


def test_text_is_for_people(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"))
    done = run(capsys, "scan", "--control", PROTECTED)
    assert done.status == 1
    assert "REMEDIATE because of policy" in done.out
    assert 'ModifyDBCluster {"DBClusterIdentifier": "orders", "DeletionProtection": true}' in done.out
    assert "Account 123456789012, eu-west-1: 1 DBCluster." in done.out


def test_csv_has_a_row_for_each_finding_and_each_gap(aws: LocalAws, capsys: Capsys) -> None:
    a_cluster(aws.client("rds"))
    aws.faults.deny("rds:DescribeDBInstances")
    done = run(capsys, "scan", "--format", "csv", "--control", PROTECTED, "--control", PRIVATE)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["control"], row["compliance"], row["action"]) for row in rows] == [
        (PROTECTED, "NON_COMPLIANT", "REMEDIATE"),
        (PRIVATE, "INSUFFICIENT_DATA", ""),
    ]
    assert rows[0]["resource"] == "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
    assert "ModifyDBCluster" in rows[0]["plan"]


# --- exit statuses and choices ------------------------------------------------------------------------------------


def test_an_empty_account_is_clean(aws: LocalAws, capsys: Capsys) -> None:
    done = scan(capsys)
    assert (done.status, done.card["resources"], done.card["findings"]) == (0, {}, [])
    text = run(capsys, "scan", "--control", PROTECTED)
    assert (text.status, "nothing to judge" in text.out) == (0, True)
    assert aws.calls


def test_a_gap_is_not_clean(aws: LocalAws, capsys: Capsys) -> None:
    aws.faults.deny("rds:DescribeDBClusters")
    done = scan(capsys, controls=(PROTECTED,))
    assert done.status == 2
    assert "AccessDenied" in done.unjudged[PROTECTED]
    assert "Grant the action" in done.unjudged[PROTECTED]


def test_regions_are_scanned_each_once_and_a_global_cluster_where_its_writer_is(
    aws: LocalAws, capsys: Capsys
) -> None:
    here, there = aws.client("rds"), aws.client("rds", "us-east-1")
    cluster = a_cluster(here)
    a_cluster(there, "far")
    here.create_global_cluster(
        GlobalClusterIdentifier="worldwide", SourceDBClusterIdentifier=cluster["DBClusterArn"]
    )
    arguments = ["--region", "us-east-1", "--region", REGION, "--region", "us-east-1"]
    card = scan(capsys, *arguments, controls=(PROTECTED, GLOBAL)).card
    assert card["regions"] == ["us-east-1", REGION]
    found = {(one["region"], one["resource"].rpartition(":")[2]) for one in card["findings"]}
    assert found == {("us-east-1", "far"), (REGION, "orders"), (REGION, "worldwide")}
    assert card["resources"] == {"AWS::RDS::DBCluster": 2, "AWS::RDS::GlobalCluster": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--control", "no_such_control"], "--control no_such_control: there is no such control"),
        (["--policy", "/nowhere/policy.toml"], "/nowhere/policy.toml: the policy file cannot be read"),
        (["--profile", "nobody"], "The config profile (nobody) could not be found"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    aws: LocalAws, capsys: Capsys, arguments: list[str], said: str
) -> None:
    done = run(capsys, "scan", "--format", "json", *arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert aws.calls == []


def test_a_disabled_control_is_refused(aws: LocalAws, capsys: Capsys, tmp_path: Path) -> None:
    file = tmp_path / "disabling.toml"
    file.write_text(f"version = 1\n[controls.{PROTECTED}]\nenabled = false\n", encoding="utf-8")
    done = scan(capsys, "--policy", str(file), controls=(PROTECTED,))
    assert (done.status, done.out) == (2, "")
    assert "the policy disables this control" in done.err
    a_cluster(aws.client("rds"))
    judged = {one["control"] for one in scan(capsys, "--all", "--policy", str(file)).card["findings"]}
    assert judged
    assert PROTECTED not in judged


@pytest.mark.usefixtures("plain")
def test_nobody_is_told_so(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = scan(capsys)
    assert (done.status, done.out) == (2, "")
    assert "Unable to locate credentials" in done.err


@pytest.mark.usefixtures("plain")
def test_no_region_is_told_so(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    done = scan(capsys)
    assert (done.status, done.out) == (2, "")
    assert "no Region is configured" in done.err
    assert scan(capsys, "--region", REGION, controls=(PROTECTED,)).status == 0


@pytest.mark.slow
@pytest.mark.parametrize("region", ["eu west 1", "", "-"])
@pytest.mark.parametrize("place", ["alone", "second"])
def test_a_region_that_is_none_is_told_so(aws: LocalAws, capsys: Capsys, region: str, place: str) -> None:
    a_cluster(aws.client("rds"))
    first = [f"--region={REGION}"] if place == "second" else []
    done = scan(capsys, *first, f"--region={region}", controls=(PROTECTED,))
    if place == "alone":
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("warden: AWS could not be asked who we are: ")
    else:
        assert done.drifted == {(PROTECTED, "orders")}, "the other Region is scanned all the same"
        assert PROTECTED in done.unjudged


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("address", ["nonsense", "http://", "http://127.0.0.1:99999999", "ftp://127.0.0.1"])
def test_an_endpoint_that_is_no_address_is_told_so(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    done = scan(capsys)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("warden: AWS could not be asked who we are: ")


@pytest.mark.usefixtures("_no_waiting")
def test_a_dead_endpoint_is_told_so(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    with Wounded("http://127.0.0.1:9") as gone:
        url = gone.url
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    done = scan(capsys)
    assert (done.status, done.out) == (2, "")
    assert "Could not connect" in done.err


# --- an AWS that is unwell ----------------------------------------------------------------------------------------


def test_what_is_denied_costs_only_what_depends_on_it(
    wounded: Wounded, aws: LocalAws, capsys: Capsys
) -> None:
    rds = aws.client("rds")
    a_group(rds, "own")
    a_cluster(rds, DBClusterParameterGroupName="own")
    an_instance(rds, PubliclyAccessible=True)
    aws.faults.deny("rds:DescribeDBInstances")
    aws.faults.deny("rds:DescribeDBClusterParameters")
    done = scan(capsys, controls=(PROTECTED, PRIVATE, "cluster_tls_enforced"))
    assert done.status == 1
    assert done.drifted == {(PROTECTED, "orders")}
    assert set(done.unjudged) == {PRIVATE, "cluster_tls_enforced"}
    assert all("is not authorized to perform" in why for why in done.unjudged.values())
    assert done.card["evaluations"]["INSUFFICIENT_DATA"] == 1
    assert "DescribeDBClusters" in wounded.seen


_SICK = {
    "a page of HTML": Answer(200, PAGE, "text/html"),
    "a gateway's page of HTML": Answer(502, PAGE, "text/html"),
    "an error without a body": Answer(500),
    "nothing": Answer(200),
    "half an answer": Answer(200, b"<DescribeDBClustersResponse><DescribeDBClustersResult><DBCl"),
    "another answer": Answer(200, b"<Bonjour><a>1</a></Bonjour>"),
    "JSON": Answer(200, b'{"DBClusters": 7}', "application/json"),
    "bytes": Answer(200, bytes(range(256)), "application/octet-stream"),
    "a hung up line": Answer(0),
    "a teapot": Answer(418, b"<Error><Code>Teapot</Code></Error>"),
}
_OFTEN = {"a page of HTML"}
_SICKNESSES = [name if name in _OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in _SICK]


@pytest.mark.slow
@pytest.mark.parametrize("sickness", _SICKNESSES)
@pytest.mark.parametrize("operation", ["DescribeDBClusters", "DescribeDBClusterSnapshotAttributes"])
def test_an_answer_that_is_none_is_a_gap_and_no_traceback(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, operation: str, sickness: str
) -> None:
    rds = aws.client("rds")
    a_cluster(rds)
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="monday", DBClusterIdentifier="orders")
    an_instance(rds, PubliclyAccessible=True)
    wounded.answers[operation] = _SICK[sickness]
    done = scan(capsys, controls=(PROTECTED, UNSHARED, PRIVATE))
    assert (PRIVATE, "reports") in done.drifted, "the other kinds are scanned all the same"
    lost = PROTECTED if operation == "DescribeDBClusters" else UNSHARED
    assert lost not in {control for control, _ in done.drifted}
    assert lost in done.unjudged
    assert "KeyError" not in done.unjudged[lost], "a reason is for people"
    assert done.err == ""


@pytest.mark.slow
@pytest.mark.parametrize("sickness", _SICKNESSES)
def test_an_endpoint_that_cannot_say_who_we_are_is_told_so(
    wounded: Wounded, capsys: Capsys, sickness: str
) -> None:
    wounded.answers["GetCallerIdentity"] = _SICK[sickness]
    done = scan(capsys)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("warden: AWS could not be asked who we are")


@pytest.mark.slow
@pytest.mark.parametrize("sickness", _SICKNESSES)
def test_everything_that_is_unwell_at_once_is_one_big_gap(
    wounded: Wounded, aws: LocalAws, capsys: Capsys, sickness: str
) -> None:
    a_cluster(aws.client("rds"))
    scan(capsys, controls=(PROTECTED,))
    wounded.answers |= dict.fromkeys(set(wounded.seen) - {"GetCallerIdentity"}, _SICK[sickness])
    wounded.answers |= dict.fromkeys((*_LISTS, "DescribeDBProxies", "ListSecrets"), _SICK[sickness])
    done = scan(capsys)
    assert done.status == 2
    assert list(done.card) == KEYS
    assert done.drifted == set(), "what cannot be read is no finding"
    policy = load_policy(paths.POLICY)
    assert set(done.unjudged) == {control.id for control in all_controls() if policy.is_enabled(control.id)}


@pytest.mark.parametrize(
    "operation", [_LISTS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in _LISTS[1:])]
)
def test_a_list_that_fails_for_good_is_a_gap(aws: LocalAws, capsys: Capsys, operation: str) -> None:
    aws.faults.inject(f"rds:{operation}", "InternalFailure", times=1_000)
    done = scan(capsys)
    assert done.status == 2
    assert all("InternalFailure" in why for why in done.unjudged.values())
    assert done.unjudged


@pytest.mark.parametrize(
    "code", ["Throttling", "RequestLimitExceeded", "InternalFailure", "ServiceUnavailable"]
)
def test_a_refusal_that_passes_is_tried_again_and_counted(aws: LocalAws, capsys: Capsys, code: str) -> None:
    a_cluster(aws.client("rds"))
    aws.faults.inject("rds:DescribeDBClusters", code, times=2)
    done = scan(capsys, controls=(PROTECTED,))
    assert done.drifted == {(PROTECTED, "orders")}
    assert done.card["api_calls"]["rds:DescribeDBClusters"] == 3


def test_what_is_deleted_in_mid_scan_is_a_gap_and_never_a_pass(
    wounded: Wounded, aws: LocalAws, capsys: Capsys
) -> None:
    rds = aws.client("rds")
    a_cluster(rds)
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="monday", DBClusterIdentifier="orders")
    wounded.before["DescribeDBClusterSnapshotAttributes"] = lambda: rds.delete_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="monday"
    )
    done = scan(capsys, "--all", controls=(UNSHARED,))
    assert done.status == 2
    assert "not found" in done.unjudged[UNSHARED]
    judged = {one["resource"].rpartition(":")[2]: one["compliance"] for one in done.card["findings"]}
    assert judged["monday"] == "INSUFFICIENT_DATA"


def test_a_group_that_is_deleted_in_mid_scan_is_a_gap(
    wounded: Wounded, aws: LocalAws, capsys: Capsys
) -> None:
    rds = aws.client("rds")
    a_group(rds, "old")
    a_group(rds, "new")
    a_cluster(rds, DBClusterParameterGroupName="old")

    def replace() -> None:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DBClusterParameterGroupName="new")
        rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="old")

    wounded.before["DescribeDBClusterParameters"] = replace
    done = scan(capsys, controls=("cluster_tls_enforced", PROTECTED))
    assert done.drifted == {(PROTECTED, "orders")}
    assert "cluster_tls_enforced" in done.unjudged


# --- moto as it is ------------------------------------------------------------------------------------------------


def test_a_plain_moto_is_scanned_as_far_as_it_goes_and_the_rest_has_a_reason(
    plain: str, capsys: Capsys
) -> None:
    rds = client(plain)
    a_cluster(rds, EngineVersion="16.3", DeletionProtection=False)
    an_instance(rds, PubliclyAccessible=True)
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="monday", DBClusterIdentifier="orders")
    done = scan(capsys)
    assert (done.status, done.err) == (1, "")
    assert {(PROTECTED, "orders"), (PRIVATE, "reports")} <= done.drifted
    assert all(one["annotation"] for one in done.card["not_evaluated"])


@pytest.mark.usefixtures("plain")
def test_an_empty_plain_moto_is_no_traceback(capsys: Capsys) -> None:
    done = scan(capsys)
    assert (done.card["resources"], done.card["findings"], done.err) == ({}, [], "")
    assert done.status == (2 if done.card["not_evaluated"] else 0)


def test_a_process_of_its_own_prints_json_alone(plain: str) -> None:
    a_cluster(client(plain), EngineVersion="16.3")
    done = warden("scan", "--format", "json", AWS_ENDPOINT_URL=plain)
    assert (done.status, done.err) == (1, "")
    assert list(done.card) == KEYS


# --- fleets whose truth is known ----------------------------------------------------------------------------------

_SEEDS = [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 15))]


def _is_exact(fleet: Fleet, capsys: Capsys, policy: str) -> None:
    done = scan(capsys, "--policy", policy, controls=JUDGED)
    assert done.unjudged == {}
    assert fleet.wrong, "a fleet without drift proves nothing"
    assert done.drifted == fleet.wrong
    assert done.status == 1


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_scan_of_the_corrected_aws_finds_what_is_wrong_and_nothing_else(
    aws: LocalAws, capsys: Capsys, policy: str, seed: int
) -> None:
    fleet = Fleet(aws.client("rds"), Random(seed), corrected=True)  # noqa: S311 - a coin
    fleet.seed(6)
    _is_exact(fleet, capsys, policy)


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_scan_of_a_plain_moto_finds_what_is_wrong_and_nothing_else(
    plain: str, capsys: Capsys, policy: str, seed: int
) -> None:
    fleet = Fleet(client(plain), Random(seed), corrected=False)  # noqa: S311 - a coin
    fleet.seed(4)
    _is_exact(fleet, capsys, policy)


def test_the_fleets_are_about_controls_that_exist() -> None:
    assert set(JUDGED) <= {control.id for control in all_controls()}


# --- what it costs ------------------------------------------------------------------------------------------------

_COUNTED = (PROTECTED, "cluster_tls_enforced", "cluster_log_exports_complete", UNSHARED, PRIVATE)


def _shape(aws: LocalAws, *, clusters: int, instances: int, manual: int, automated: int, groups: int) -> None:
    """A fleet without drift, so that nothing is read for plans."""
    rds = aws.client("rds")
    for number in range(groups):
        a_group(rds, f"group-{number}")
    for number in range(clusters):
        cluster = a_cluster(
            rds,
            f"c{number}",
            DeletionProtection=True,
            DBClusterParameterGroupName=f"group-{number % groups}",
            EnableCloudwatchLogsExports=["postgresql", "iam-db-auth-error"],
        )
    for number in range(instances):
        an_instance(rds, f"i{number}", PubliclyAccessible=False)
    for number in range(manual):
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"s{number}", DBClusterIdentifier="c0")
    # Each cluster had one at its birth.
    for _ in range(automated - clusters):
        aws.rds.take_automated_snapshot(cluster["DBClusterArn"])


def _pages_of_defaults(rds: Any) -> int:
    """How many pages the defaults of the family take."""
    pages = rds.get_paginator("describe_engine_default_cluster_parameters")
    return len(list(pages.paginate(DBParameterGroupFamily="aurora-postgresql16")))


@pytest.mark.parametrize(
    ("shape", "pages"),
    [
        ({"clusters": 3, "instances": 5, "manual": 4, "automated": 7, "groups": 2}, (1, 1, 1)),
        ({"clusters": 101, "instances": 10, "manual": 2, "automated": 101, "groups": 3}, (2, 1, 2)),
        ({"clusters": 1, "instances": 50, "manual": 0, "automated": 1, "groups": 1}, (1, 1, 1)),
    ],
)
def test_a_scan_takes_exactly_so_many_calls(
    aws: LocalAws, capsys: Capsys, shape: dict[str, int], pages: tuple[int, int, int]
) -> None:
    _shape(aws, **shape)
    defaults = _pages_of_defaults(aws.client("rds"))
    card = scan(capsys, controls=_COUNTED).card
    assert card["findings"] == card["not_evaluated"] == []
    assert card["resources"] == {
        "AWS::RDS::DBCluster": shape["clusters"],
        "AWS::RDS::DBInstance": shape["instances"],
        "AWS::RDS::DBClusterSnapshot": shape["manual"] + shape["automated"],
    }
    expected = {
        # A page holds a hundred.
        "rds:DescribeDBClusters": pages[0],
        "rds:DescribeDBInstances": pages[1],
        "rds:DescribeDBClusterSnapshots": pages[2],
        # The only thing that grows with the estate beyond its pages: one for each manual snapshot.
        "rds:DescribeDBClusterSnapshotAttributes": shape["manual"],
        # One for each group that somebody made, however many clusters use it; the rest once.
        "rds:DescribeDBClusterParameters": shape["groups"],
        "rds:DescribeEngineDefaultClusterParameters": defaults,
        "rds:DescribeDBEngineVersions": 1,
    }
    assert card["api_calls"] == dict(sorted((key, count) for key, count in expected.items() if count))


# --- the policies that are shipped --------------------------------------------------------------------------------


def test_a_scan_by_each_policy_finds_what_it_wants_and_no_more(aws: LocalAws, capsys: Capsys) -> None:
    rds = aws.client("rds")
    a_cluster(rds, BackupRetentionPeriod=7, StorageEncrypted=True)
    found = {
        name: {
            control
            for control, resource in scan(
                capsys, "--region", REGION, "--policy", str(paths.POLICY.with_name(name))
            ).drifted
            if resource == "orders"
        }
        for name in ("policy.toml", "essential.toml", "security-hub.toml")
    }
    # A week is what Security Hub asks for, and five are what the audit trail needs.
    retention, protection = "cluster_backup_retention_sufficient", PROTECTED
    assert {retention, protection, "cluster_tls_enforced"} <= found["policy.toml"]
    assert protection in found["essential.toml"] & found["security-hub.toml"]
    for name in ("essential.toml", "security-hub.toml"):
        judged = load_policy(paths.POLICY.with_name(name)).settings
        assert found[name] <= set(judged)
        assert retention not in found[name]
        assert "cluster_tls_enforced" not in found[name]
