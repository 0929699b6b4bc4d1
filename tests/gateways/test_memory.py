"""What sweeps remember: the rows of the State table, and which calls a second list needs no more."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from console.local.clock import MovableClock
from fakes import NOW
from fakes.tables import Tables
from gateways.estate import REGION, Estate
from warden.core.kinds import Need
from warden.core.memory import LONGEST, Recalled
from warden.core.resource import Deployment, ResourceRef, ResourceType
from warden.gateways.clients import Clients
from warden.gateways.memory import Announcements, Memory
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:orders"
PASSWORD = "correct-horse-battery"


def memory(
    client: Any, tables: Tables, *, now: datetime = NOW, interval: timedelta = timedelta(hours=6)
) -> Memory:
    return Memory(
        client,
        tables.state,
        account=ACCOUNT,
        region=REGION,
        clock=lambda: now,
        longest=LONGEST,
        interval=interval,
    )


def announcements(client: Any, tables: Tables) -> Announcements:
    return Announcements(client, tables.state, account=ACCOUNT, region=REGION)


def learn(kept: Memory, arn: str = ARN, value: Any = (), *, seen: str = "", read_at: datetime = NOW) -> None:
    kept.learn(arn, seen=seen, value=list(value), read_at=read_at)
    kept.flush()


# --- the rows -----------------------------------------------------------------------------------------------


def test_what_one_sweep_learned_another_recalls(dynamodb: Any, tables: Tables) -> None:
    learn(memory(dynamodb, tables), value=["all"])
    later = memory(dynamodb, tables, now=NOW + timedelta(minutes=10))
    assert later.recall(ARN, seen="") == Recalled(["all"])
    assert later.recall(f"{ARN}-2", seen="") is None


def test_another_account_or_region_is_another_memory(dynamodb: Any, tables: Tables) -> None:
    learn(memory(dynamodb, tables))
    other = Memory(
        dynamodb,
        tables.state,
        account="210987654321",
        region=REGION,
        clock=lambda: NOW,
        longest=LONGEST,
        interval=timedelta(hours=6),
    )
    assert other.recall(ARN, seen="") is None


def test_what_the_list_page_says_otherwise_is_not_recalled(dynamodb: Any, tables: Tables) -> None:
    learn(memory(dynamodb, tables), seen="made on Monday")
    assert memory(dynamodb, tables).recall(ARN, seen="made on Tuesday") is None
    assert memory(dynamodb, tables).recall(ARN, seen="made on Monday") == Recalled([])


def test_what_an_event_told_of_is_not_recalled_until_it_was_read_again(dynamodb: Any, tables: Tables) -> None:
    learn(memory(dynamodb, tables))
    announcements(dynamodb, tables).announce(ARN, NOW + timedelta(minutes=1))
    later = NOW + timedelta(minutes=10)
    assert memory(dynamodb, tables, now=later).recall(ARN, seen="") is None

    learn(memory(dynamodb, tables, now=later), read_at=later)
    assert memory(dynamodb, tables, now=later).recall(ARN, seen="") == Recalled([])


def test_an_event_that_comes_before_what_was_read_is_written_counts(dynamodb: Any, tables: Tables) -> None:
    """A sweep reads, somebody changes it, the event comes, and only then the sweep writes what it had read."""
    sweep = memory(dynamodb, tables)
    sweep.learn(ARN, seen="", value=[], read_at=NOW)
    announcements(dynamodb, tables).announce(ARN, NOW + timedelta(seconds=30))
    sweep.flush()
    assert memory(dynamodb, tables, now=NOW + timedelta(hours=1)).recall(ARN, seen="") is None


def test_an_event_about_one_thing_leaves_the_others(dynamodb: Any, tables: Tables) -> None:
    kept = memory(dynamodb, tables)
    learn(kept)
    learn(kept, f"{ARN}-2")
    announcements(dynamodb, tables).announce(f"{ARN}-2", NOW + timedelta(minutes=1))
    later = memory(dynamodb, tables, now=NOW + timedelta(minutes=10))
    assert later.recall(ARN, seen="") is not None


def test_distrust_ends_everything(dynamodb: Any, tables: Tables) -> None:
    learn(memory(dynamodb, tables))
    announcements(dynamodb, tables).distrust(NOW + timedelta(minutes=1))
    assert memory(dynamodb, tables, now=NOW + timedelta(minutes=10)).recall(ARN, seen="") is None


def test_a_thousand_things_are_written_in_batches_and_all_recalled(dynamodb: Any, tables: Tables) -> None:
    kept = memory(dynamodb, tables)
    for number in range(110):
        kept.learn(f"{ARN}-{number}", seen="", value=["x" * 1000], read_at=NOW)
    kept.learn(f"{ARN}-0", seen="", value=["again"], read_at=NOW)
    kept.flush()
    later = memory(dynamodb, tables)
    assert all(later.recall(f"{ARN}-{number}", seen="") for number in range(110))
    assert later.recall(f"{ARN}-0", seen="") == Recalled(["again"])
    assert kept.failures == later.failures == []


def test_large_values_are_written_in_batches_that_a_request_holds(dynamodb: Any, tables: Tables) -> None:
    kept = memory(dynamodb, tables)
    for number in range(24):
        kept.learn(f"{ARN}-{number}", seen="", value="x" * 380_000, read_at=NOW)
    kept.flush()
    later = memory(dynamodb, tables)
    assert all(later.recall(f"{ARN}-{number}", seen="") for number in range(24))
    assert kept.failures == []


def test_what_no_item_can_hold_is_not_remembered(dynamodb: Any, tables: Tables) -> None:
    kept = memory(dynamodb, tables)
    learn(kept, value=["x" * 400_000])
    assert memory(dynamodb, tables).recall(ARN, seen="") is None
    assert kept.failures == []


def test_what_would_be_older_than_a_day_at_the_next_sweep_is_read_now(dynamodb: Any, tables: Tables) -> None:
    """By sweeps seven hours apart, what is 21 hours old would be 28 hours old then, whoever else was read lately."""
    for number in range(50):
        learn(memory(dynamodb, tables), f"{ARN}-{number}")
    begun = NOW + timedelta(hours=21)
    for minutes in (5, 50, 120):
        learn(memory(dynamodb, tables), f"{ARN}-{minutes}-ago", read_at=begun - timedelta(minutes=minutes))
    later = memory(dynamodb, tables, now=begun, interval=timedelta(hours=7))
    assert not any(later.recall(f"{ARN}-{number}", seen="") for number in range(50))
    assert later.recall(f"{ARN}-5-ago", seen="") is not None


def test_rows_end(dynamodb: Any, tables: Tables) -> None:
    """TTL deletes them: a snapshot that is gone is not remembered for ever."""
    learn(memory(dynamodb, tables))
    announcements(dynamodb, tables).announce(ARN, NOW)
    items = dynamodb.scan(TableName=tables.state)["Items"]
    assert [int(item["expires_at"]["N"]) for item in items] == [
        int((NOW + timedelta(days=2)).timestamp())
    ] * 2


class Refusing:
    """A DynamoDB that refuses, or leaves something unprocessed a few times."""

    def __init__(self, client: Any, *, code: str = "", unprocessed: int = 0) -> None:
        self._client = client
        self._code = code
        self.unprocessed = unprocessed
        self.asked: Counter[str] = Counter()

    def query(self, **parameters: Any) -> Any:
        self.asked["Query"] += 1
        if self._code:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "Query")
        return self._client.query(**parameters)

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:  # noqa: N803 - AWS's name
        self.asked["BatchWriteItem"] += 1
        if self._code:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "BatchWriteItem")
        [(table, requests)] = RequestItems.items()
        left: dict[str, list[Any]] = {}
        if self.unprocessed:
            self.unprocessed -= 1
            left, requests = {table: requests[1:]}, requests[:1]
        self._client.batch_write_item(RequestItems={table: requests})
        return {"UnprocessedItems": left}


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServerError", "ThrottlingException"])
def test_a_memory_that_fails_costs_requests_and_nothing_else(
    dynamodb: Any, tables: Tables, code: str
) -> None:
    refusing = Refusing(dynamodb, code=code)
    kept = memory(refusing, tables)
    assert kept.recall(ARN, seen="") is None
    assert kept.recall(f"{ARN}-2", seen="") is None
    assert refusing.asked["Query"] == 1, "and is not asked again for each thing"
    learn(kept)
    assert kept.failures[0].startswith("What earlier sweeps read could not be recalled: dynamodb:Query")


def test_what_dynamodb_leaves_unprocessed_is_sent_again(dynamodb: Any, tables: Tables) -> None:
    kept = memory(Refusing(dynamodb, unprocessed=2), tables)
    for number in range(5):
        kept.learn(f"{ARN}-{number}", seen="", value=[], read_at=NOW)
    kept.flush()
    later = memory(dynamodb, tables)
    assert all(later.recall(f"{ARN}-{number}", seen="") for number in range(5))


def test_what_it_never_takes_is_read_again(dynamodb: Any, tables: Tables) -> None:
    kept = memory(Refusing(dynamodb, unprocessed=100), tables)
    for number in range(5):
        kept.learn(f"{ARN}-{number}", seen="", value=[], read_at=NOW)
    kept.flush()
    assert memory(dynamodb, tables).recall(f"{ARN}-4", seen="") is None


def test_a_row_that_is_none_of_ours_ends_nothing(dynamodb: Any, tables: Tables) -> None:
    pk = f"memory#{ACCOUNT}#{REGION}"
    for sk in ("read#x", "announced#y", "other"):
        dynamodb.put_item(TableName=tables.state, Item={"pk": {"S": pk}, "sk": {"S": sk}})
    for sk, at in (("read#number", {"N": "5"}), ("read#local", {"S": "2026-11-24T10:00:00"})):
        row = {"pk": {"S": pk}, "sk": {"S": sk}, "read_at": at, "value": {"N": "1"}, "seen": {"S": ""}}
        dynamodb.put_item(TableName=tables.state, Item=row)
    row = {"pk": {"S": pk}, "sk": {"S": "read#z"}, "value": {"N": "1"}, "seen": {"S": ""}}
    dynamodb.put_item(TableName=tables.state, Item={**row, "read_at": {"S": NOW.isoformat()}})
    learn(memory(dynamodb, tables))
    assert memory(dynamodb, tables).recall(ARN, seen="") == Recalled([])
    for name in ("x", "number", "local"):
        assert memory(dynamodb, tables).recall(name, seen="") is None


# --- the reader ---------------------------------------------------------------------------------------------


class Remembering:
    """The local AWS, read by one sweep after another."""

    def __init__(self, estate: Estate, tables: Tables, clock: MovableClock) -> None:
        self.estate = estate
        self.tables = tables
        self.clock = clock
        self.rds = estate.client("rds")
        dynamodb = estate.client("dynamodb")
        tables.create(dynamodb)
        self.dynamodb = dynamodb
        self.announcements = Announcements(dynamodb, tables.state, account=estate.aws.account, region=REGION)

    def later(self) -> None:
        self.clock.advance(600)

    def reader(self) -> RdsReader:
        """That of one sweep."""
        account = self.estate.aws.account
        return RdsReader(
            Rds(Clients(account=account), account=account, region=REGION),
            deployment=Deployment(account, REGION),
            clock=self.clock.now,
            bulk=True,
            memory=Memory(
                self.dynamodb,
                self.tables.state,
                account=account,
                region=REGION,
                clock=self.clock.now,
                longest=LONGEST,
                interval=timedelta(hours=6),
            ),
        )

    def sweep(self, *kinds: ResourceType, afresh: bool = False) -> tuple[dict[str, Any], Counter[str]]:
        """What lists give by ARN, and the calls to RDS that this took."""
        reader = self.reader()
        self.estate.aws.calls.clear()
        found = {
            resource.ref.arn: reader.afresh(resource) if afresh else resource
            for kind in kinds
            for resource in reader.list(kind, NEEDS[kind])
        }
        return found, Counter(call.operation for call in self.estate.aws.calls if call.service == "rds")


T = ResourceType
NEEDS = {
    T.DB_SNAPSHOT: [Need.RESTORE_ACCOUNTS],
    T.DB_CLUSTER_SNAPSHOT: [Need.RESTORE_ACCOUNTS],
    T.DB_CLUSTER: [Need.MEMBERS, Need.PARAMETERS, Need.MEMBER_PARAMETERS],
    T.DB_INSTANCE: [Need.INSTANCE_PARAMETERS],
}
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": PASSWORD}


@pytest.fixture
def remembering() -> Iterator[Remembering]:
    clock = MovableClock(NOW)
    with Estate(clock=clock) as estate:
        yield Remembering(estate, Tables("findings", "ledger", "state"), clock)


def instance(remembering: Remembering, name: str = "billing", **members: Any) -> None:
    remembering.rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=20,
        **LOGIN,
        **members,
    )
    remembering.estate.aws.rds.settle()


def snapshot(remembering: Remembering, name: str = "monday") -> str:
    made = remembering.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="billing")
    remembering.estate.aws.rds.settle()
    return str(made["DBSnapshot"]["DBSnapshotArn"])


def share(remembering: Remembering, name: str = "monday") -> None:
    remembering.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
    )


def test_a_snapshots_shares_are_not_asked_for_again(remembering: Remembering) -> None:
    instance(remembering)
    arn = snapshot(remembering)
    first, calls = remembering.sweep(T.DB_SNAPSHOT)
    assert calls == {"DescribeDBSnapshots": 1, "DescribeDBSnapshotAttributes": 1}
    remembering.later()

    second, calls = remembering.sweep(T.DB_SNAPSHOT)

    assert calls == {"DescribeDBSnapshots": 1}
    assert second[arn].remembered == {Need.RESTORE_ACCOUNTS}
    assert first[arn].remembered == frozenset()
    assert second[arn].facts[Need.RESTORE_ACCOUNTS] == first[arn].facts[Need.RESTORE_ACCOUNTS] == []


def test_what_is_new_is_read(remembering: Remembering) -> None:
    instance(remembering)
    snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    remembering.later()
    arn = snapshot(remembering, "tuesday")
    share(remembering, "tuesday")

    found, calls = remembering.sweep(T.DB_SNAPSHOT)

    assert calls["DescribeDBSnapshotAttributes"] == 1
    assert found[arn].facts[Need.RESTORE_ACCOUNTS] == ["all"]


def test_a_later_snapshot_of_the_same_name_is_another(remembering: Remembering) -> None:
    """RDS lets a name be used again; the deletion's event may have been lost."""
    instance(remembering)
    arn = snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    remembering.later()
    remembering.rds.delete_db_snapshot(DBSnapshotIdentifier="monday")
    snapshot(remembering)
    share(remembering)

    found, _ = remembering.sweep(T.DB_SNAPSHOT)

    assert found[arn].facts[Need.RESTORE_ACCOUNTS] == ["all"]


def test_what_an_event_told_of_is_read(remembering: Remembering) -> None:
    instance(remembering)
    arn = snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    share(remembering)
    remembering.announcements.announce(arn, remembering.clock.now() + timedelta(minutes=1))
    remembering.later()

    found, _ = remembering.sweep(T.DB_SNAPSHOT)

    assert found[arn].facts[Need.RESTORE_ACCOUNTS] == ["all"]
    assert found[arn].remembered == frozenset()


def test_afresh_reads_what_was_remembered_and_remembers_that(remembering: Remembering) -> None:
    instance(remembering)
    arn = snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    share(remembering)
    remembering.later()

    found, calls = remembering.sweep(T.DB_SNAPSHOT, afresh=True)

    assert found[arn].facts[Need.RESTORE_ACCOUNTS] == ["all"]
    assert found[arn].remembered == frozenset()
    assert calls["DescribeDBSnapshotAttributes"] == 1
    remembering.later()
    found, calls = remembering.sweep(T.DB_SNAPSHOT)
    assert calls == {"DescribeDBSnapshots": 1}
    assert found[arn].facts[Need.RESTORE_ACCOUNTS] == ["all"]


def test_a_snapshot_that_went_while_it_was_read_afresh_lacks_the_fact(remembering: Remembering) -> None:
    instance(remembering)
    arn = snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    remembering.later()
    reader = remembering.reader()
    [listed] = (one for one in reader.list(T.DB_SNAPSHOT, [Need.RESTORE_ACCOUNTS]) if one.ref.arn == arn)
    remembering.rds.delete_db_snapshot(DBSnapshotIdentifier="monday")

    read = reader.afresh(listed)

    assert (listed.ref.arn, listed.remembered) == (arn, {Need.RESTORE_ACCOUNTS})
    assert Need.RESTORE_ACCOUNTS not in read.facts
    assert "DBSnapshotNotFound" in read.facts.missing[Need.RESTORE_ACCOUNTS]


def test_what_is_looked_for_by_name_or_for_a_plan_is_read_as_it_is(remembering: Remembering) -> None:
    """A plan is what is told and written, and a clean-up deletes: neither goes by memory."""
    instance(remembering)
    arn = snapshot(remembering)
    remembering.sweep(T.DB_SNAPSHOT)
    share(remembering)
    remembering.later()
    reader = remembering.reader()
    [listed] = (one for one in reader.list(T.DB_SNAPSHOT, []) if one.ref.arn == arn)

    planned = reader.enrich(listed, [Need.RESTORE_ACCOUNTS])
    read = reader.read(listed.ref, [Need.RESTORE_ACCOUNTS])

    assert planned.facts[Need.RESTORE_ACCOUNTS] == read.facts[Need.RESTORE_ACCOUNTS] == ["all"]
    assert planned.remembered == read.remembered == frozenset()


def fleet(remembering: Remembering) -> None:
    """Two clusters with a member each, and an instance of its own, all in custom groups."""
    for name, family in (("orders", "aurora-postgresql16"),):
        remembering.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description=name
        )
        remembering.rds.create_db_parameter_group(
            DBParameterGroupName=f"{name}-members", DBParameterGroupFamily=family, Description=name
        )
    remembering.rds.create_db_parameter_group(
        DBParameterGroupName="billing", DBParameterGroupFamily="postgres16", Description="billing"
    )
    for name in ("orders-1", "orders-2"):
        remembering.rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            EngineVersion="16.4",
            DBClusterParameterGroupName="orders",
            **LOGIN,
        )
        remembering.rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-a",
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
            DBParameterGroupName="orders-members",
        )
    instance(remembering, DBParameterGroupName="billing", EngineVersion="16.4")


def demand_tls(remembering: Remembering, value: str, how: str = "immediate") -> None:
    remembering.rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="orders",
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": value, "ApplyMethod": how}],
    )


def tls(resource: Any) -> str:
    return str(resource.facts[Need.PARAMETERS]["rds.force_ssl"]["ParameterValue"])


GROUPS = ("DescribeDBClusterParameters", "DescribeDBParameters")


def test_a_groups_parameters_are_not_asked_for_again(remembering: Remembering) -> None:
    fleet(remembering)
    demand_tls(remembering, "1")
    first, calls = remembering.sweep(T.DB_CLUSTER, T.DB_INSTANCE)
    assert {name: calls[name] for name in GROUPS} == {GROUPS[0]: 1, GROUPS[1]: 2}
    remembering.later()

    second, calls = remembering.sweep(T.DB_CLUSTER, T.DB_INSTANCE)

    assert {name: calls[name] for name in GROUPS} == {GROUPS[0]: 0, GROUPS[1]: 0}
    cluster = f"arn:aws:rds:{REGION}:{remembering.estate.aws.account}:cluster:orders-2"
    assert second[cluster].remembered == {Need.PARAMETERS, Need.MEMBER_PARAMETERS}
    assert tls(first[cluster]) == tls(second[cluster]) == "1"
    for arn, resource in second.items():
        for need in NEEDS[resource.ref.resource_type]:
            assert plain(resource.facts[need]) == plain(first[arn].facts[need])


def plain(value: Any) -> Any:
    """Facts as they are, whatever holds them."""
    if hasattr(value, "items"):
        return {key: plain(value[key]) for key in value}
    return value


def test_a_group_that_an_event_told_of_is_read_once_for_all_its_users(remembering: Remembering) -> None:
    fleet(remembering)
    demand_tls(remembering, "1")
    remembering.sweep(T.DB_CLUSTER)
    demand_tls(remembering, "0")
    group = ResourceRef.build(
        T.DB_CLUSTER_PARAMETER_GROUP,
        partition="aws",
        region=REGION,
        account=remembering.estate.aws.account,
        name="orders",
    )
    remembering.announcements.announce(group.arn, remembering.clock.now() + timedelta(minutes=1))
    remembering.later()

    found, calls = remembering.sweep(T.DB_CLUSTER)

    assert {tls(resource) for resource in found.values()} == {"0"}
    assert {name: calls[name] for name in GROUPS} == {GROUPS[0]: 1, GROUPS[1]: 0}


def test_a_database_that_is_not_in_sync_with_its_group_has_the_group_read(
    remembering: Remembering,
) -> None:
    """`pending-reboot` tells of a change, even where its event was lost."""
    fleet(remembering)
    demand_tls(remembering, "1")
    remembering.sweep(T.DB_CLUSTER)
    demand_tls(remembering, "0", "pending-reboot")
    remembering.later()

    found, calls = remembering.sweep(T.DB_CLUSTER)

    assert {tls(resource) for resource in found.values()} == {"0"}
    assert calls[GROUPS[0]] == 1


def test_a_group_is_read_afresh_once_and_counts_for_those_that_come_later(remembering: Remembering) -> None:
    fleet(remembering)
    demand_tls(remembering, "1")
    remembering.sweep(T.DB_CLUSTER)
    demand_tls(remembering, "0")
    remembering.later()

    found, calls = remembering.sweep(T.DB_CLUSTER, afresh=True)

    assert {tls(resource) for resource in found.values()} == {"0"}
    assert {name: calls[name] for name in GROUPS} == {GROUPS[0]: 1, GROUPS[1]: 1}
