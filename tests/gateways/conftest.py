"""moto in process, with clients that are made once: making one takes longer than all that a test asks of it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from fakes.tables import Tables
from fakes.trackers import desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from fakes.trackers import Server

REGION = "eu-west-1"


@functools.cache
def _client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty AWS, for one test: a longer mock would keep the state of every other one in this process alive."""
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> DynamoDBClient:
    client: DynamoDBClient = _client("dynamodb")
    return client


@pytest.fixture
def sqs(aws: None) -> SQSClient:
    client: SQSClient = _client("sqs")
    return client


@pytest.fixture
def sns(aws: None) -> SNSClient:
    client: SNSClient = _client("sns")
    return client


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> Tables:
    """The tables, empty."""
    tables = Tables("findings", "ledger", "state")
    tables.create(dynamodb)
    return tables


@pytest.fixture(scope="session")
def trackers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that is every ticket system in turn."""
    server = desk.start(tmp_path_factory.mktemp("trackers"))
    yield server
    server.close()
