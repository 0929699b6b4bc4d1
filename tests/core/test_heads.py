"""The heads of the ledger as log lines tell them, and what is made of these again."""

from __future__ import annotations

import json

import pytest

from warden.core.heads import lines, told
from warden.core.ledger import Head


def test_all_heads_come_back_however_many_lines_they_take() -> None:
    heads = {
        f"123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-{n:026}": Head(sequence=n + 1, hash=f"{n:064}")
        for n in range(1201)
    }
    written = [json.dumps(line) for line in lines(heads)]

    assert [(json.loads(line)["part"], json.loads(line)["of"]) for line in written] == [
        (1, 3),
        (2, 3),
        (3, 3),
    ]
    assert max(map(len, written)) < 128 * 1024
    assert told(map(json.loads, written)) == (heads, [])
    assert list(lines({})) == []


def test_the_furthest_counts_and_a_contradiction_shows() -> None:
    found = [
        {"heads": {"a": [3, "x"], "b": [1, "y"]}},
        {"heads": {"a": [2, "z"]}},
        {"heads": {"b": [1, "n"]}},
    ]

    assert told(found) == ({"a": Head(sequence=3, hash="x"), "b": Head(sequence=1, hash="y")}, [("b", 1)])
    assert told(reversed(found))[0]["a"] == Head(sequence=3, hash="x")


@pytest.mark.parametrize(
    "line", [{}, {"heads": {"a": [1]}}, {"heads": {"a": ["one", "x"]}}, {"heads": {"a": 1}}]
)
def test_what_is_none_of_ours_is_refused(line: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        told([line])
