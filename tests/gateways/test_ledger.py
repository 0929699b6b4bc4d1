from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import NOW, MemoryLedger
from warden.core.errors import ConflictError, RejectedError, ThrottledError
from warden.core.ledger import (
    GENESIS,
    EntryKind,
    Head,
    LedgerEntry,
    Link,
    chained,
    link,
    redacted,
    verify,
)
from warden.gateways.items import conditional
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

CHAIN = "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC"


def entry(number: int = 1, **changes: Any) -> LedgerEntry:
    base = LedgerEntry(
        at=NOW,
        actor="evaluate",
        chain=CHAIN,
        kind=EntryKind.FINDING,
        control="cluster_tls_enforced",
        after={"workflow": "NEW", "number": number},
    )
    return replace(base, **changes)


@pytest.fixture
def dynamo_ledger(dynamodb: DynamoDBClient, tables: Tables) -> DynamoLedger:
    return DynamoLedger(dynamodb, tables.ledger, tables.state)


@pytest.fixture(params=["dynamodb", "memory"])
def ledger(request: pytest.FixtureRequest) -> DynamoLedger | MemoryLedger:
    if request.param == "memory":
        return MemoryLedger()
    made: DynamoLedger = request.getfixturevalue("dynamo_ledger")
    return made


# --- what every ledger does -------------------------------------------------------------------------------


def test_entries_are_read_in_the_order_in_which_they_came(ledger: DynamoLedger | MemoryLedger) -> None:
    for number in range(1, 13):
        ledger.append(entry(number))
    links = list(ledger.read(CHAIN))
    assert [item.sequence for item in links] == list(range(1, 13))
    assert [item.entry["after"]["number"] for item in links] == list(range(1, 13))
    assert links[0].entry == entry().to_json()


def test_what_was_written_verifies(ledger: DynamoLedger | MemoryLedger) -> None:
    for number in range(1, 5):
        ledger.append(entry(number, evidence={"Float": 0.1, "None": None, "Text": "ü\ud800", "At": NOW}))
    assert verify(ledger.read(CHAIN), ledger.head(CHAIN)) == []


def test_the_chains_that_have_grown_since_are_known_by_their_heads(
    ledger: DynamoLedger | MemoryLedger,
) -> None:
    ledger.append(entry(chain="old", at=NOW - timedelta(hours=2)))
    ledger.append(entry(chain="new", at=NOW - timedelta(hours=2)))
    ledger.append(entry(chain="new"))
    assert ledger.active(NOW - timedelta(hours=1)) == {"new": ledger.head("new")}
    assert set(ledger.active(NOW - timedelta(hours=3))) == {"new", "old"}


def test_a_head_of_before_its_time_was_kept_is_not_left_out(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    dynamo_ledger.append(entry())
    key: Any = {"pk": {"S": f"ledger#{CHAIN}"}, "sk": {"S": "head"}}
    dynamodb.update_item(
        TableName=tables.state,
        Key=key,
        UpdateExpression="REMOVE #at",
        ExpressionAttributeNames={"#at": "at"},
    )
    assert set(dynamo_ledger.active(NOW + timedelta(days=1))) == {CHAIN}


def test_the_first_entry_follows_nothing(ledger: DynamoLedger | MemoryLedger) -> None:
    ledger.append(entry())
    (first,) = ledger.read(CHAIN)
    assert first.previous == GENESIS
    assert first.hash == chained(entry().to_json(), sequence=1, previous=GENESIS)
    assert ledger.head(CHAIN) == Head(sequence=1, hash=first.hash)


def test_chains_do_not_touch_each_other(ledger: DynamoLedger | MemoryLedger) -> None:
    ledger.append(entry())
    ledger.append(entry(chain="deployment"))
    ledger.append(entry(2))
    assert {chain: head.sequence for chain, head in ledger.heads().items()} == {CHAIN: 2, "deployment": 1}
    assert len(list(ledger.read("deployment"))) == 1
    assert list(ledger.read("unknown")) == []
    assert ledger.head("unknown") is None


def test_an_entry_above_the_size_of_an_item_is_kept_without_what_is_large(
    ledger: DynamoLedger | MemoryLedger,
) -> None:
    large = {"Members": ["x" * 1000] * 500, "Engine": "aurora-mysql"}
    ledger.append(
        entry(evidence=large, before=large, cause={"principal": "arn:aws:iam::123456789012:user/ada"})
    )
    ((kept,)) = [item.entry for item in ledger.read(CHAIN)]
    assert len(json.dumps(kept)) < 400_000
    assert kept["evidence"]["Engine"] == "aurora-mysql"
    assert "left_out" in kept["evidence"]["Members"]
    assert kept["cause"] == {"principal": "arn:aws:iam::123456789012:user/ada"}
    assert verify(ledger.read(CHAIN), ledger.head(CHAIN)) == []


def test_secrets_do_not_enter_the_ledger(ledger: DynamoLedger | MemoryLedger) -> None:
    ledger.append(entry(before={"PendingModifiedValues": {"MasterUserPassword": "hunter2"}}))
    assert "hunter2" not in json.dumps([item.entry for item in ledger.read(CHAIN)])


# --- what DynamoDB adds -----------------------------------------------------------------------------------


@contextmanager
def interfering(client: DynamoDBClient, act: Callable[[], None]) -> Iterator[None]:
    """Let another writer act between our read of the head and our transaction, without end to it itself."""
    active = True

    def between(**_: Any) -> None:
        nonlocal active
        if active:
            active = False
            act()
            active = True

    client.meta.events.register("before-call.dynamodb.TransactWriteItems", between, "interfering")
    try:
        yield
    finally:
        client.meta.events.unregister("before-call.dynamodb.TransactWriteItems", unique_id="interfering")


def test_an_append_that_lost_the_race_follows_the_winner(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    other = DynamoLedger(dynamodb, tables.ledger, tables.state)
    winners = iter([entry(1), entry(2)])

    def act() -> None:
        if winner := next(winners, None):
            other.append(winner)

    with interfering(dynamodb, act):
        dynamo_ledger.append(entry(3))
    links = list(dynamo_ledger.read(CHAIN))
    assert [item.entry["after"]["number"] for item in links] == [1, 2, 3]
    assert verify(links, dynamo_ledger.head(CHAIN)) == []


def test_an_append_that_always_loses_says_so_and_leaves_nothing(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    other = DynamoLedger(dynamodb, tables.ledger, tables.state)
    with (
        interfering(dynamodb, lambda: other.append(entry(0))),
        pytest.raises(ConflictError, match=f"{CHAIN} did not take an entry"),
    ):
        dynamo_ledger.append(entry(1))
    links = list(dynamo_ledger.read(CHAIN))
    assert {item.entry["after"]["number"] for item in links} == {0}
    assert verify(links, dynamo_ledger.head(CHAIN)) == []


@pytest.mark.parametrize("before", [0, 1])
def test_an_entry_that_vanishes_meanwhile_leaves_a_gap_that_is_not_filled(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger, before: int
) -> None:
    for _ in range(before):
        dynamo_ledger.append(entry())
    other = DynamoLedger(dynamodb, tables.ledger, tables.state)
    winners = iter([entry(2)])

    def act() -> None:
        if winner := next(winners, None):
            other.append(winner)
            key: Any = {"chain": {"S": CHAIN}, "sequence": {"N": str(before + 1)}}
            dynamodb.delete_item(TableName=tables.ledger, Key=key)

    with interfering(dynamodb, act):
        dynamo_ledger.append(entry(3))
    assert verify(dynamo_ledger.read(CHAIN), dynamo_ledger.head(CHAIN)) == [f"Entry {before + 1} is missing."]


def test_a_head_that_was_set_back_takes_no_entry_over_an_old_one(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    dynamo_ledger.append(entry(1))
    key = {"pk": {"S": f"ledger#{CHAIN}"}, "sk": {"S": "head"}}
    old = dynamodb.get_item(TableName=tables.state, Key=key)["Item"]
    dynamo_ledger.append(entry(2))
    dynamodb.put_item(TableName=tables.state, Item=old)
    with pytest.raises(ConflictError, match="warden ledger verify"):
        dynamo_ledger.append(entry(3))
    links = list(dynamo_ledger.read(CHAIN))
    assert [item.entry["after"]["number"] for item in links] == [1, 2]
    assert verify(links, dynamo_ledger.head(CHAIN)) == ["The head names entry 1, and the chain goes on to 2."]


def test_what_is_done_to_the_table_shows(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    for number in range(1, 4):
        dynamo_ledger.append(entry(number))
    key: Any = {"chain": {"S": CHAIN}, "sequence": {"N": "2"}}
    item = dynamodb.get_item(TableName=tables.ledger, Key=key)["Item"]
    dynamodb.delete_item(TableName=tables.ledger, Key=key)
    assert verify(dynamo_ledger.read(CHAIN), dynamo_ledger.head(CHAIN)) == ["Entry 2 is missing."]
    item["entry"] = {"S": item["entry"]["S"].replace("NEW", "RESOLVED")}
    dynamodb.put_item(TableName=tables.ledger, Item=item)
    assert verify(dynamo_ledger.read(CHAIN), dynamo_ledger.head(CHAIN)) == [
        "Entry 2 was changed after it was written."
    ]


def test_long_chains_are_read_page_by_page(dynamo_ledger: DynamoLedger) -> None:
    for number in range(1, 6):
        dynamo_ledger.append(entry(number, evidence={"large": "x" * 300_000}))
    assert [item.sequence for item in dynamo_ledger.read(CHAIN)] == [1, 2, 3, 4, 5]


def test_heads_hold_no_other_row_of_the_state_table(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_ledger: DynamoLedger
) -> None:
    dynamodb.put_item(TableName=tables.state, Item={"pk": {"S": "stop"}, "sk": {"S": "stop"}})
    dynamo_ledger.append(entry())
    assert set(dynamo_ledger.heads()) == {CHAIN}


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient, tables: Tables) -> None:
    with pytest.raises(RejectedError, match="ResourceNotFoundException"):
        DynamoLedger(dynamodb, tables.ledger, "absent").append(entry())
    with pytest.raises(RejectedError, match="ResourceNotFoundException"):
        DynamoLedger(dynamodb, "absent", tables.state).append(entry())


@pytest.mark.parametrize(
    ("reasons", "kind"),
    [
        (["None", "ConditionalCheckFailed"], ConflictError),
        (["TransactionConflict", "None"], ConflictError),
        (["None", "ThrottlingError"], ThrottledError),
        (["ProvisionedThroughputExceeded"], ThrottledError),
        (["ValidationError"], RejectedError),
    ],
)
def test_a_cancelled_transaction_is_told_by_its_reasons(
    dynamodb: DynamoDBClient, reasons: list[str], kind: type[Exception]
) -> None:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    with pytest.raises(kind), conditional("dynamodb:TransactWriteItems"):
        raise dynamodb.exceptions.TransactionCanceledException(response, "TransactWriteItems")


# --- verifying --------------------------------------------------------------------------------------------


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for number in range(1, length + 1):
        links.append(link(entry(number).to_json(), links[-1].head if links else None))
    return links


def test_an_empty_chain_without_a_head_is_whole() -> None:
    assert verify([], None) == []


def test_a_chain_that_was_removed_shows_by_its_head() -> None:
    assert verify([], chain(3)[-1].head) == ["Entries 1 to 3 are missing at the end."]


def test_a_removed_head_shows() -> None:
    assert verify(chain(3), None) == ["The chain has entries up to 3 and no head."]


def test_a_chain_that_was_written_anew_shows_by_a_head_that_was_kept() -> None:
    other: list[Link] = []
    for number in (1, 7, 3):
        other.append(link(entry(number).to_json(), other[-1].head if other else None))
    assert verify(other, other[-1].head) == []
    assert verify(other, chain(3)[-1].head) == [
        "Entry 3 is not the one that the head names: the chain was written anew."
    ]


def test_an_entry_whose_hash_was_made_to_fit_shows_by_the_next() -> None:
    links = chain(3)
    links[1] = link({**links[1].entry, "actor": "mallory"}, links[0].head)
    assert verify(links, links[-1].head) == ["Entry 3 does not follow the entry that stands before it."]


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(2, 6),
    harm=st.sampled_from(["edit", "remove", "swap", "repeat", "cut", "add", "renumber"]),
    data=st.data(),
)
def test_no_harm_goes_unseen(length: int, harm: str, data: st.DataObject) -> None:
    links = chain(length)
    head = links[-1].head
    at = data.draw(st.integers(0, length - 1), label="at")
    other = data.draw(st.integers(0, length - 1).filter(lambda other: other != at), label="other")
    match harm:
        case "edit":
            links[at] = replace(links[at], entry={**links[at].entry, "control": "another"})
        case "remove":
            del links[at]
        case "swap":
            links[at], links[other] = links[other], links[at]
        case "repeat":
            links.insert(other, links[at])
        case "cut":
            del links[at:]
        case "add":
            links.append(link(entry(99).to_json(), links[-1].head))
        case "renumber":
            links[at] = replace(links[at], entry=links[other].entry)
    assert verify(links, head) != []


# --- secrets ----------------------------------------------------------------------------------------------

SECRET = "s3cr3t-V4lue"
SIGNED = f"https://rds.eu-west-1.amazonaws.com/?Action=CopyDBSnapshot&X-Amz-Signature={SECRET}"


@pytest.mark.parametrize(
    "key",
    ["MasterUserPassword", "masterUserPassword", "PreSignedUrl", "TdeCredentialPassword", "SecretString",
     "secret_access_key", "sessionToken"],
)  # fmt: skip
def test_the_value_of_a_secret_member_is_left_out(key: str) -> None:
    assert redacted({"outer": [{key: SECRET}]}) == {"outer": [{key: "(redacted)"}]}
    assert redacted({key: {"nested": [SECRET]}}) == {key: "(redacted)"}


def test_what_only_sounds_like_a_secret_stays() -> None:
    facts = {
        "ManageMasterUserPassword": True,
        "MasterUserSecret": {"SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!x"},
        "Parameters": {"password_encryption": "scram-sha-256", "rds.accepted_password_auth_method": "md5"},
        "Url": "https://docs.aws.amazon.com/x?topic=signature",
    }
    assert redacted(facts) == facts


def test_a_signed_url_is_left_out_of_a_sentence() -> None:
    assert redacted(f"copied from {SIGNED}, it seems") == "copied from (redacted) it seems"


@settings(max_examples=60, deadline=None)
@given(
    path=st.lists(st.sampled_from(["list", "before", "Parameters"]), max_size=4),
    leaf=st.sampled_from([{"MasterUserPassword": SECRET}, SIGNED, {"Note": f"see {SIGNED}"}]),
    place=st.sampled_from(["before", "after", "evidence", "cause"]),
)
def test_no_secret_is_found_anywhere_in_an_entry(path: list[str], leaf: Any, place: str) -> None:
    for step in path:
        leaf = [leaf] if step == "list" else {step: leaf}
    changes: dict[str, Any] = {place: {"value": leaf}}
    document = entry(**changes).to_json()
    assert SECRET not in json.dumps(document)


def test_redacting_a_long_text_takes_time_in_proportion() -> None:
    # A pattern that tries every beginning of a long word takes seconds for this, and minutes for an item.
    text = "x" * 30_000
    before = time.process_time()
    assert redacted(text) == text
    assert time.process_time() - before < 0.5
