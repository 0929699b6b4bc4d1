"""Lists and findings of a fleet in little memory: what is taken of them is what was put in."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controls.items import CLUSTER, INSTANCE
from fakes import NOW
from gateways.test_findings import finding
from warden.core.resource import ResourceType
from warden.gateways.findings import PackedFindings, from_row, to_row
from warden.gateways.packed import Index, Items, Packer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.finding import Finding

CLUSTERS = "123456789012/eu-west-1/AWS::RDS::DBCluster/"
MANY = 1000


def instances(number: int) -> Iterator[dict[str, Any]]:
    for index in range(number):
        yield {
            **INSTANCE,
            "DBInstanceIdentifier": f"db-{index}",
            "DBClusterIdentifier": f"c{index // 2}",
            "TagList": [{"Key": "index", "Value": f"{index}"}],
            "LatestRestorableTime": NOW - timedelta(minutes=index),
        }


def findings(number: int) -> Iterator[Finding]:
    for index in range(number):
        for control in ("cluster_tls_enforced", "cluster_storage_encrypted"):
            yield finding(
                resource_key=f"{CLUSTERS}cluster-{index}",
                control=control,
                annotation=f"c{index} is not as it should be.",
                evidence={"TagList": CLUSTER["TagList"], "Members": [INSTANCE["Endpoint"], f"c{index}-1"]},
                last_observed=NOW + timedelta(minutes=index),
                revision=index + 1,
            )


# --- items ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [0, 3, 100])
def test_what_is_taken_of_a_list_is_what_was_put_in(plain: int) -> None:
    listed = list(instances(9))
    items = Items(listed[:4], plain=plain)
    items.extend(listed[4:])

    assert list(items) == listed
    assert [items[place] for place in range(len(items))] == listed


def test_an_item_that_has_nothing_of_the_others_is_kept_all_the_same() -> None:
    odd = {"Blob": "".join(chr(200 + index % 5000) for index in range(60_000)), "None": None, "When": NOW}
    assert list(Items([{}, odd, {}], plain=0)) == [{}, odd, {}]


def test_who_changes_an_item_that_was_packed_changes_nobody_else_s() -> None:
    items = Items(instances(2), plain=0)
    items[1]["TagList"].clear()
    assert items[1]["TagList"] == [{"Key": "index", "Value": "1"}]


def test_the_items_of_a_value_are_found_in_their_order() -> None:
    items = Items(instances(9), plain=2)
    of_cluster = Index(items, lambda item: (item["DBClusterIdentifier"],))

    assert [item["DBInstanceIdentifier"] for item in of_cluster["c2"]] == ["db-4", "db-5"]
    assert (of_cluster.get("none", []), len(of_cluster)) == ([], 5)


def test_an_item_may_have_several_values_and_a_value_no_item() -> None:
    items = Items([{"Groups": ["a", "b"]}, {"Groups": ["b"]}], plain=0)
    of_group = Index(items, lambda item: item["Groups"], known=("b", "c"))

    assert {group: len(of_group[group]) for group in of_group} == {"a": 1, "b": 2, "c": 0}


def test_what_was_packed_by_a_long_sample_is_read_by_it() -> None:
    packer = Packer()
    words = [f"{index % 7} {'x' * (index % 11)} {index}\n" * 5000 for index in range(3)]
    assert [packer.unpack(packer.pack(text)) for text in words] == words


def held(make: Any) -> tuple[Any, int]:
    """What was made, and how many bytes of memory are held since then."""
    tracemalloc.start()
    try:
        made = make()
        return made, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_thousand_items_take_less_room_than_a_hundred_that_are_kept_as_they_are() -> None:
    items, packed = held(lambda: Items(instances(MANY), plain=0))
    plain, whole = held(lambda: list(instances(100)))
    assert (len(items), len(plain)) == (MANY, 100)
    assert packed < whole


# --- findings ---------------------------------------------------------------------------------------------


def packed(*kept: Finding) -> PackedFindings:
    return PackedFindings(map(to_row, kept), [ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE])


def test_the_findings_of_a_resource_are_taken_once() -> None:
    kept = [replace(one, resource_type=str(ResourceType.DB_CLUSTER)) for one in findings(5)]
    read = packed(*kept)

    assert read.take(f"{CLUSTERS}cluster-3") == {one.control: one for one in kept[6:8]}
    assert read.take(f"{CLUSTERS}cluster-3") == {}
    assert read.left(ResourceType.DB_CLUSTER) == [f"{CLUSTERS}cluster-{index}" for index in (0, 1, 2, 4)]


def test_what_is_dropped_is_not_left() -> None:
    read = packed(*findings(1))
    read.drop(f"{CLUSTERS}cluster-0")
    read.drop(f"{CLUSTERS}never-there")
    assert read.left(ResourceType.DB_CLUSTER) == []


def test_findings_of_other_types_and_of_strange_keys_are_let_go() -> None:
    other = finding(resource_key=CLUSTERS.replace("DBCluster", "DBProxy") + "prx-1")
    strange = finding(resource_key="cluster-1")
    read = packed(other, strange)

    assert [read.left(kind) for kind in ResourceType] == [[]] * len(ResourceType)
    assert read.take(other.resource_key) == read.take(strange.resource_key) == {}


def test_findings_take_less_than_a_tenth_of_the_room_that_they_would_take_as_they_are() -> None:
    rows = [to_row(one) for one in findings(MANY // 2)]
    _, small = held(lambda: PackedFindings(rows, [ResourceType.DB_CLUSTER]))
    _, large = held(lambda: list(map(from_row, rows)))
    assert small < large / 10
