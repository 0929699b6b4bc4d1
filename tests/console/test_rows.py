"""The rows of a card, of which a large account has more than memory should hold."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from console import rows
from console.rows import Json, NoRoomError, Rows

MANY = 40_000


def row(number: int) -> dict[str, Any]:
    return {
        "name": f"prod/db/ä{number}\n\"'",
        "evidence": Json('{"Tags": ["a"]}'),
        "decision": {"action": "TICKET"},
        "manual": "x" * 200,
    }


def expected(number: int) -> dict[str, Any]:
    return {**row(number), "evidence": {"Tags": ["a"]}}


def filled(count: int) -> Rows:
    made = Rows()
    for number in range(count):
        made.add(row(number))
    return made


@pytest.mark.parametrize("count", [0, 1, 7, MANY], ids=str)
def test_what_was_added_comes_as_it_was_added_however_much_there_is(count: int) -> None:
    made = filled(count)

    assert len(made) == count
    assert all(found == expected(number) for number, found in enumerate(made))
    assert sum(1 for _ in made) == count


def test_an_order_is_kept_and_more_may_be_added_after_a_look() -> None:
    made = Rows()
    for number in (3, 1, 2):
        made.add(row(number), order=number)
    assert list(made) == [expected(1), expected(2), expected(3)]

    made.add(row(0), order=0)

    assert list(made) == [expected(0), expected(1), expected(2), expected(3)]


def test_a_text_is_json_with_each_field_in_a_line_of_its_own() -> None:
    [text] = filled(1).texts()

    assert json.loads(text) == expected(0)
    assert [line[:7] for line in text.splitlines()[2:-1]] == ['      "'] * 4


class Full(io.BytesIO):
    """A disk that has no room."""

    def write(self, _: Any) -> int:
        raise OSError(28, "No space left on device")


def test_where_there_is_no_room_it_says_so_and_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows.tempfile, "SpooledTemporaryFile", lambda **_: Full())

    with pytest.raises(NoRoomError, match=r"No space left on device.*TMPDIR"):
        filled(MANY)
