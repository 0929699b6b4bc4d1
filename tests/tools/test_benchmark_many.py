"""The servers of `make bench-linear`: they answer what moto answers, and for each copy of its fleet alike."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from tools.benchmark import counting
from tools.benchmark.fleet import CREDENTIALS, Fleet
from tools.benchmark.many import Copies, Many
from tools.benchmark.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 3
LISTS = [
    ("rds", "DescribeDBClusters", "DBClusters"),
    ("rds", "DescribeDBInstances", "DBInstances"),
    ("rds", "DescribeDBClusterSnapshots", "DBClusterSnapshots"),
    ("rds", "DescribeDBClusterParameterGroups", "DBClusterParameterGroups"),
    ("secretsmanager", "ListSecrets", "SecretList"),
    ("ec2", "DescribeSecurityGroups", "SecurityGroups"),
    ("ec2", "DescribeSecurityGroupRules", "SecurityGroupRules"),
    ("kms", "ListAliases", "Aliases"),
    ("logs", "DescribeLogGroups", "logGroups"),
]


@contextmanager
def serving(server: counting.Counting) -> Iterator[str]:
    http = counting.serve(server, 0)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = Fleet(f"http://{host}:{port}", SIZE)
    made.seed()
    yield made
    server.stop()


def ask(url: str, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    make: Any = boto3.client
    answer = make(service, endpoint_url=url, **CREDENTIALS)._make_api_call(operation, parameters)
    for item in (*answer.get("DBClusters", ()), *answer.get("DBInstances", ())):
        # Of moto, the moment at which it is asked.
        item.pop("LatestRestorableTime", None)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def many(fleet: Fleet, count: int) -> Many:
    return Many(fleet.endpoint, Copies(fleet.size, frozenset(fleet.own)), count)


@pytest.mark.slow
def test_one_copy_is_what_moto_answers(fleet: Fleet) -> None:
    with serving(counting.Counting(fleet.endpoint)) as moto, serving(many(fleet, 1)) as copied:
        for service, operation, _ in LISTS:
            assert ask(copied, service, operation) == ask(moto, service, operation), operation
        named = {"DBClusterIdentifier": "c00001"}
        assert ask(copied, "rds", "DescribeDBClusters", **named) == ask(
            moto, "rds", "DescribeDBClusters", **named
        )


@pytest.mark.slow
def test_each_copy_has_other_names_and_its_own_drift(fleet: Fleet) -> None:
    server = many(fleet, 4)
    with serving(server) as copied:
        clusters = ask(copied, "rds", "DescribeDBClusters")["DBClusters"]
        ids = {cluster["DbClusterResourceId"] for cluster in clusters}
        instances = ask(copied, "rds", "DescribeDBInstances")["DBInstances"]
        groups = {
            (group["GroupId"], group["GroupName"])
            for group in ask(copied, "ec2", "DescribeSecurityGroups")["SecurityGroups"]
        }
        key = clusters[-1].get("KmsKeyId") or clusters[-2]["KmsKeyId"]

        assert [cluster["DBClusterIdentifier"] for cluster in clusters] == [
            f"c{number:05}" for number in range(4 * SIZE)
        ]
        assert len(ids) == 4 * SIZE
        assert len({one["DbiResourceId"] for one in instances}) == len(instances)
        assert {cluster["VpcSecurityGroups"][0]["VpcSecurityGroupId"] for cluster in clusters} <= {
            group for group, _ in groups
        }
        assert sum(name == "default" for _, name in groups) == 1, "what is shared is there once"
        assert ask(copied, "kms", "DescribeKey", KeyId=key)["KeyMetadata"]["Arn"] == key
        unprotected = {
            cluster["DBClusterIdentifier"] for cluster in clusters if not cluster["DeletionProtection"]
        }
        assert unprotected == {
            server.copies.told(name, copy)
            for control, name in fleet.wrong
            for copy in range(4)
            if control == "cluster_deletion_protection_enabled"
        }


def test_a_cluster_of_a_copy_is_asked_of_moto_by_the_name_that_it_has_there() -> None:
    own = "12345678-1234-1234-1234-123456789012"
    copies = Copies(100, frozenset({own}))
    told = copies.told(f"prod/db/c00042-AbCdEf {own} sg-0123456789abcdef0", 7)

    assert told == "prod/db/c00742-AbCdEf 00075678-1234-1234-1234-123456789012 sg-0123456789abcdef0"
    assert copies.asked(told) == (f"prod/db/c00042-AbCdEf {own} sg-0123456789abcdef0", frozenset({7}))


# --- rows -----------------------------------------------------------------------------------------------------

TABLE: dict[str, Any] = {
    "TableName": "rows",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "arn")],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_arn",
            "KeySchema": [{"AttributeName": "arn", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def row(key: str, sort: str, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, "sk": {"S": sort}, **more}


def written(item: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return "PutItem", {"TableName": "rows", "Item": item, **more}


UNSAID = {"ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics"}
ABSENT: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
KNOWN: dict[str, Any] = {
    "ConditionExpression": "attribute_not_exists(pk) OR #n <= :n",
    "ExpressionAttributeNames": {"#n": "n"},
    "ExpressionAttributeValues": {":n": {"N": "3"}},
}
SCRIPT: list[tuple[str, dict[str, Any]]] = [
    written(row("a", "2", arn={"S": "x"}, n={"N": "3"}), **ABSENT),
    written(row("a", "2"), **ABSENT),
    written(row("a", "1", arn={"S": "y"}, n={"N": "10"})),
    written(row("b", "1", arn={"S": "x"}, text={"S": "one two"})),
    written(row("a", "1", arn={"S": "x"}, n={"N": "4"}), **KNOWN),
    written(row("a", "2", arn={"S": "x"}, n={"N": "4"}), **KNOWN),
    ("GetItem", {"TableName": "rows", "Key": row("a", "2")}),
    ("GetItem", {"TableName": "rows", "Key": row("z", "2")}),
    (
        "UpdateItem",
        {
            "TableName": "rows",
            "Key": row("c", "1"),
            "UpdateExpression": "ADD #count :one SET expires_at = :at",
            "ExpressionAttributeNames": {"#count": "count"},
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":at": {"N": "9"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    (
        "Query",
        {
            "TableName": "rows",
            "KeyConditionExpression": "pk = :a AND begins_with(sk, :one)",
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":one": {"S": "1"}},
        },
    ),
    (
        "Query",
        {
            "TableName": "rows",
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
            "ScanIndexForward": False,
            "Limit": 1,
        },
    ),
    (
        "Query",
        {
            "TableName": "rows",
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
            "ScanIndexForward": False,
            "ExclusiveStartKey": row("a", "2"),
        },
    ),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "rows", "Item": row("d", "1")}},
                {"Put": {"TableName": "rows", "Item": row("a", "1"), **ABSENT}},
            ]
        },
    ),
    ("GetItem", {"TableName": "rows", "Key": row("d", "1")}),
    (
        "BatchWriteItem",
        {
            "RequestItems": {
                "rows": [
                    {"PutRequest": {"Item": row("e", "1", n={"N": "1"})}},
                    {"DeleteRequest": {"Key": row("b", "1")}},
                ]
            }
        },
    ),
    (
        "BatchGetItem",
        {"RequestItems": {"rows": {"Keys": [row("e", "1"), row("b", "1")], "ConsistentRead": True}}},
    ),
    ("DeleteItem", {"TableName": "rows", "Key": row("a", "1")}),
    (
        "Scan",
        {
            "TableName": "rows",
            "FilterExpression": "NOT (contains(#t, :two) AND pk <> :a)",
            "ExpressionAttributeNames": {"#t": "text"},
            "ExpressionAttributeValues": {":two": {"S": "two"}, ":a": {"S": "a"}},
        },
    ),
    ("Scan", {"TableName": "rows", "ProjectionExpression": "sk"}),
]


@pytest.mark.slow
def test_rows_are_kept_as_moto_keeps_them(fleet: Fleet) -> None:
    make: Any = boto3.client
    moto, ours = make("dynamodb", endpoint_url=fleet.endpoint, **CREDENTIALS), Rows()
    moto.create_table(**TABLE)
    assert ours.answer("CreateTable", json.dumps(TABLE).encode())[0] == 200

    for operation, asked in SCRIPT:
        try:
            wanted = moto._make_api_call(operation, asked)
        except ClientError as error:
            wanted = error.response["Error"]["Code"]
        status, body = ours.answer(operation, json.dumps(asked).encode())
        told = json.loads(body)
        if status != 200:
            told = told["__type"].partition("#")[2]
        else:
            wanted = {name: wanted[name] for name in wanted if name not in UNSAID}
        assert told == wanted, (operation, asked)


def test_rows_refuse_what_they_do_not_know() -> None:
    rows = Rows()
    rows.answer("CreateTable", json.dumps(TABLE).encode())
    asked = {"TableName": "rows", "Item": row("a", "1"), "ConditionExpression": "size(sk) = :n"}

    assert rows.answer("PutItem", json.dumps(asked).encode())[0] == 400
    assert rows.answer("ExecuteStatement", b"{}")[0] == 400


def test_a_page_of_rows_ends_after_a_megabyte_and_the_next_begins_there() -> None:
    rows, found, start = Rows(), [], None
    rows.answer("CreateTable", json.dumps(TABLE).encode())
    for number in range(5):
        item = row("a", str(number), body={"S": "x" * 390_000})
        rows.answer("PutItem", json.dumps({"TableName": "rows", "Item": item}).encode())
    pages = 0
    while pages == 0 or start:
        more = {"ExclusiveStartKey": start} if start else {}
        answer = json.loads(rows.answer("Scan", json.dumps({"TableName": "rows", **more}).encode())[1])
        found += [item["sk"]["S"] for item in answer["Items"]]
        start = answer.get("LastEvaluatedKey")
        pages += 1

    assert (found, pages) == (["0", "1", "2", "3", "4"], 2)
