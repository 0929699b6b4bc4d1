"""`warden ledger verify` and `warden ledger heads`: each way to tamper with the table shows, if it can."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scanning.runs import REGION, Run, run
from warden.core import heads
from warden.core.ledger import EntryKind, LedgerEntry, chained

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scanning.books import Books

Capsys = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHAIN = f"123456789012/{REGION}/AWS::RDS::DBCluster/cluster-ORDERS"
OTHER = f"123456789012/{REGION}/AWS::RDS::DBCluster/cluster-BILLING"


def entry(number: int, chain: str = CHAIN) -> LedgerEntry:
    return LedgerEntry(
        at=NOW + timedelta(minutes=number),
        actor="evaluate",
        chain=chain,
        kind=EntryKind.FINDING,
        control="cluster_tls_enforced",
        arn=f"arn:aws:rds:{REGION}:123456789012:cluster:orders",
        after={"workflow": "NEW", "number": number},
    )


@pytest.fixture
def books(at_hand: Books) -> Books:
    """Two chains, of five entries and of two."""
    for number in range(1, 6):
        at_hand.ledger.append(entry(number))
    for number in range(1, 3):
        at_hand.ledger.append(entry(number, OTHER))
    return at_hand


def verify(capsys: Capsys, *arguments: str) -> Run:
    return run(capsys, "ledger", "verify", *arguments)


def export(capsys: Capsys, tmp_path: Path) -> str:
    done = run(capsys, "ledger", "heads")
    assert done.status == 0
    file = tmp_path / "heads.json"
    file.write_text(done.out, encoding="utf-8")
    return str(file)


# --- what is whole --------------------------------------------------------------------------------------------


def test_a_whole_ledger_is_told_with_its_counts(books: Books, capsys: Capsys) -> None:
    done = verify(capsys)
    assert (done.status, done.out) == (0, "Every chain is whole: 7 entries in 2 chains.\n")
    card = verify(capsys, "--format", "json")
    assert card.status == 0
    assert card.card == {"version": 1, "chains": 2, "entries": 7, "kept_heads": 0, "wrong": []}
    assert {call.operation for call in books.aws.calls if call.service == "dynamodb"} & {
        "PutItem",
        "DeleteItem",
        "UpdateItem",
    } == set(), "it reads, and does nothing else"


@pytest.mark.usefixtures("stack")
def test_an_empty_ledger_is_whole(capsys: Capsys) -> None:
    done = verify(capsys)
    assert (done.status, done.out) == (0, "The ledger is empty.\n")


def test_entries_of_before_the_version_of_the_code_was_kept_are_whole(books: Books, capsys: Capsys) -> None:
    chain = "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-OLD"
    old = {name: value for name, value in entry(1, chain).to_json().items() if name != "code_version"}
    row = {
        "chain": {"S": chain},
        "sequence": {"N": "1"},
        "previous": {"S": "0" * 64},
        "hash": {"S": chained(old, sequence=1, previous="0" * 64)},
        "entry": {"S": json.dumps(old, sort_keys=True)},
    }
    books.put(row)
    books.set_head(row)
    books.ledger.append(entry(2, chain))
    assert verify(capsys).status == 0


def test_a_ledger_that_grows_while_it_is_read_is_whole(
    books: Books, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warden.gateways.ledger import DynamoLedger

    whole = DynamoLedger.heads

    def heads_and_then_an_entry(self: DynamoLedger) -> Any:
        found = whole(self)
        books.ledger.append(entry(6))
        return found

    monkeypatch.setattr(DynamoLedger, "heads", heads_and_then_an_entry)
    assert verify(capsys).status == 0


# --- what was done to it --------------------------------------------------------------------------------------


def edit(books: Books) -> None:
    row = books.rows(CHAIN)[2]
    books.put({**row, "entry": {"S": row["entry"]["S"].replace('"NEW"', '"RESOLVED"')}})


def edit_and_hash(books: Books) -> None:
    row = books.rows(CHAIN)[2]
    changed = {**json.loads(row["entry"]["S"]), "actor": "somebody else"}
    hashed = chained(changed, sequence=3, previous=row["previous"]["S"])
    books.put({**row, "entry": {"S": json.dumps(changed)}, "hash": {"S": hashed}})


def make_nonsense(books: Books) -> None:
    books.put({**books.rows(CHAIN)[2], "entry": {"S": "{"}})


def strip(books: Books) -> None:
    row = books.rows(CHAIN)[2]
    books.put({name: row[name] for name in ("chain", "sequence")})


def delete_first(books: Books) -> None:
    books.delete(books.rows(CHAIN)[0])


def delete_middle(books: Books) -> None:
    for row in books.rows(CHAIN)[1:3]:
        books.delete(row)


def delete_last(books: Books) -> None:
    books.delete(books.rows(CHAIN)[-1])


def delete_last_and_head(books: Books) -> None:
    books.delete(books.rows(CHAIN)[-1])
    books.delete_head(CHAIN)


def swap(books: Books) -> None:
    _, second, third, *_ = books.rows(CHAIN)
    books.put({**second, "sequence": third["sequence"]})
    books.put({**third, "sequence": second["sequence"]})


def forged(books: Books, sequence: str) -> dict[str, Any]:
    """An entry that follows the one before it, as whoever knows the hash can make it."""
    number = float(sequence) if "." in sequence else int(sequence)
    before = [row for row in books.rows(CHAIN) if float(row["sequence"]["N"]) < number][-1]
    document, previous = entry(99).to_json(), before["hash"]["S"]
    return {
        "chain": {"S": CHAIN},
        "sequence": {"N": sequence},
        "previous": {"S": previous},
        "hash": {"S": chained(document, sequence=number, previous=previous)},  # type: ignore[arg-type]
        "entry": {"S": json.dumps(document)},
    }


def forge_at_the_end(books: Books) -> None:
    books.put(forged(books, "6"))


def forge_in_between(books: Books) -> None:
    books.put(forged(books, "2.5"))


def forge_over(books: Books) -> None:
    books.put(forged(books, "3"))


def forge_a_chain(books: Books) -> None:
    for row in books.rows(CHAIN)[:1]:
        books.put({**row, "chain": {"S": "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-NONE"}})


def copy_a_chain(books: Books) -> None:
    for row in books.rows(CHAIN):
        copied = {**row, "chain": {"S": "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-NONE"}}
        books.put(copied)
        books.set_head(copied)


def take_the_head_to_pieces(books: Books) -> None:
    books.dynamodb.put_item(
        TableName=books.names["StateTable"],
        Item={"pk": {"S": f"ledger#{CHAIN}"}, "sk": {"S": "head"}, "sequence": {"S": "5"}},
    )


def nest(books: Books) -> None:
    books.put({**books.rows(CHAIN)[2], "entry": {"S": "[" * 100_000}})


def delete_all_but_the_head(books: Books) -> None:
    for row in books.rows(CHAIN):
        books.delete(row)


@pytest.mark.parametrize(
    ("harm", "sequence", "what"),
    [
        (edit, 3, "Entry 3 was changed after it was written."),
        (edit_and_hash, 4, "Entry 4 does not follow the entry that stands before it."),
        (make_nonsense, 3, "Entry 3 was changed after it was written."),
        (nest, 3, "Entry 3 was changed after it was written."),
        (take_the_head_to_pieces, 1, "The head names entry 0, and the chain goes on to 5."),
        (strip, 3, "Entry 3 was changed after it was written."),
        (delete_first, 1, "Entry 1 is missing."),
        (delete_middle, 2, "Entries 2 to 3 are missing."),
        (delete_last, 5, "Entry 5 is missing at the end."),
        (delete_last_and_head, 4, "The chain has entries up to 4 and no head."),
        (swap, 2, "Entry 2 was changed after it was written."),
        (forge_at_the_end, 6, "The head names entry 5, and the chain goes on to 6."),
        (forge_in_between, 3, "Entry 3 does not follow the entry that stands before it."),
        (forge_over, 4, "Entry 4 does not follow the entry that stands before it."),
        (forge_a_chain, 1, "The chain has entries up to 1 and no head."),
        (copy_a_chain, 1, "Entry 1 is one of another chain."),
        (delete_all_but_the_head, 1, "Entries 1 to 5 are missing at the end."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_was_done_shows(
    books: Books, capsys: Capsys, harm: Callable[[Books], None], sequence: int, what: str
) -> None:
    harm(books)
    done = verify(capsys)
    assert done.status == 1
    assert what in done.out
    assert OTHER not in done.out
    assert "1 chains are not as they were written" in done.out
    card = verify(capsys, "--format", "json")
    assert card.status == 1
    assert (sequence, what) in {(one["sequence"], one["what"]) for one in card.card["wrong"]}


# --- with heads that were kept elsewhere ----------------------------------------------------------------------


def cut_and_roll_back(books: Books) -> None:
    books.delete(books.rows(CHAIN)[-1])
    books.set_head(books.rows(CHAIN)[-1])


def remove_the_chain(books: Books) -> None:
    delete_all_but_the_head(books)
    books.delete_head(CHAIN)


def write_anew(books: Books) -> None:
    remove_the_chain(books)
    for number in range(11, 17):
        books.ledger.append(entry(number))


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (cut_and_roll_back, "Entry 5 is missing at the end, by the kept head."),
        (remove_the_chain, "Entries 1 to 5 are missing at the end, by the kept head."),
        (write_anew, "Entry 5 is not the one that the kept head names: the chain was written anew."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_leaves_a_whole_chain_shows_by_the_kept_head_alone(
    books: Books, capsys: Capsys, tmp_path: Path, harm: Callable[[Books], None], what: str
) -> None:
    file = export(capsys, tmp_path)
    harm(books)
    assert verify(capsys).status == 0
    done = verify(capsys, "--heads", file)
    assert done.status == 1
    assert f"{CHAIN}: {what}" in done.out


def test_a_kept_head_lets_a_chain_grow(books: Books, capsys: Capsys, tmp_path: Path) -> None:
    file = export(capsys, tmp_path)
    books.ledger.append(entry(6))
    books.ledger.append(entry(1, "deployment/123456789012/eu-west-1"))
    done = verify(capsys, "--heads", file)
    assert done.status == 0
    assert done.out == "Every chain is whole: 9 entries in 3 chains; 2 compared with a kept head.\n"


def test_the_heads_are_those_of_the_table_with_time_and_place(books: Books, capsys: Capsys) -> None:
    card = run(capsys, "ledger", "heads").card
    assert (card["version"], card["account"], card["region"]) == (1, "123456789012", REGION)
    assert datetime.fromisoformat(card["at"]).tzinfo is not None
    assert card["heads"] == {
        chain: {"sequence": head.sequence, "hash": head.hash} for chain, head in books.ledger.heads().items()
    }
    assert set(card["heads"]) == {CHAIN, OTHER}


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[]", "is not what `warden ledger heads` prints"),
        ('{"version": 1}', "is not what `warden ledger heads` prints"),
        ('{"version": 1, "account": "1", "region": "x", "heads": []}', "is not what"),
        (
            '{"version": 1, "account": "210987654321", "region": "eu-west-1", "heads": {}}',
            "is of 210987654321, eu-west-1; the stack is in 123456789012, eu-west-1",
        ),
    ],
)
def test_heads_that_cannot_be_compared_are_told(capsys: Capsys, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "heads.json"
    file.write_text(text, encoding="utf-8")
    done = verify(capsys, "--heads", str(file))
    assert (done.status, done.out) == (2, "")
    assert why in done.err


@pytest.mark.usefixtures("books")
def test_heads_that_are_not_there_are_told(capsys: Capsys) -> None:
    done = verify(capsys, "--heads", "nowhere.json")
    assert (done.status, done.out) == (2, "")
    assert "nowhere.json: cannot be read" in done.err


# --- what cannot be read --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["Scan", "Query"])
def test_a_ledger_that_cannot_be_read_is_not_called_whole(
    books: Books, capsys: Capsys, operation: str
) -> None:
    books.aws.faults.deny(f"dynamodb:{operation}")
    done = verify(capsys)
    assert (done.status, done.out) == (2, "")
    assert f"is not authorized to perform: dynamodb:{operation}" in done.err


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("verb", ["verify", "heads"])
def test_a_stack_that_does_not_exist_is_told_so(capsys: Capsys, verb: str) -> None:
    done = run(capsys, "ledger", verb, "--stack", "elsewhere")
    assert (done.status, done.out) == (2, "")
    assert "the stack 'elsewhere' in eu-west-1 has no LedgerTable" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("verify", "--since", "1d"), ("heads", "--format", "json"), ("--heads", "x"), ("--limit", "-1")],
    ids=" ".join,
)
def test_options_that_mean_nothing_are_refused(capsys: Capsys, arguments: tuple[str, ...]) -> None:
    done = run(capsys, "ledger", *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: warden ledger")


# --- against what the daily job has logged --------------------------------------------------------------------


def logged(books: Books) -> None:
    """What a reconciliation logs, among other lines."""
    books.log(
        {"message": "decided"},
        *({"message": heads.MESSAGE, **line} for line in heads.lines(books.ledger.heads())),
    )


def cut_off(books: Books, chain: str, *, left: int) -> None:
    """Remove the end of a chain, and set its head back; all of it, where nothing is left."""
    rows = books.rows(chain)
    for row in rows[left:]:
        books.delete(row)
    if left:
        books.set_head(rows[left - 1])
    else:
        books.delete_head(chain)


@pytest.mark.parametrize("left", [3, 0], ids=["its end", "all of it"])
def test_a_chain_that_was_cut_off_with_its_head_shows_by_what_was_logged(
    books: Books, capsys: Capsys, left: int
) -> None:
    logged(books)
    assert verify(capsys, "--logged", "3").status == 0
    books.ledger.append(entry(6))
    assert verify(capsys, "--logged", "3").status == 0, "it may have grown since"
    cut_off(books, CHAIN, left=left)

    assert verify(capsys).status == 0, "nothing shows without it"
    done = verify(capsys, "--logged", "3", "--format", "json")
    assert done.status == 1
    assert {wrong["chain"] for wrong in done.card["wrong"]} == {CHAIN}
    assert done.card["kept_heads"] == 2


def test_a_line_that_says_less_takes_nothing_back(books: Books, capsys: Capsys) -> None:
    logged(books)
    cut_off(books, CHAIN, left=2)
    logged(books)

    assert verify(capsys, "--logged", "3").status == 1


def test_a_line_that_says_something_else_shows(books: Books, capsys: Capsys) -> None:
    logged(books)
    books.log({"message": heads.MESSAGE, "part": 1, "of": 1, "heads": {CHAIN: [5, "0" * 64]}})

    done = verify(capsys, "--logged", "3")
    assert done.status == 1
    assert "two heads of entry 5" in done.out


@pytest.mark.parametrize("line", [None, {"message": heads.MESSAGE, "heads": 3}])
def test_a_log_without_heads_is_no_clean_record(
    books: Books, capsys: Capsys, line: dict[str, Any] | None
) -> None:
    if line is not None:
        books.log(line)
    assert verify(capsys, "--logged", "3").status == 2
