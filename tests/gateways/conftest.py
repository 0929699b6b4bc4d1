"""moto in process, with clients that are made once: making one takes longer than all that a test asks of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from fakes.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-west-1"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def dynamodb(_aws: None) -> DynamoDBClient:
    return boto3.client("dynamodb", region_name=REGION)


@pytest.fixture(scope="session")
def sqs(_aws: None) -> SQSClient:
    return boto3.client("sqs", region_name=REGION)


@pytest.fixture(scope="session")
def sns(_aws: None) -> SNSClient:
    return boto3.client("sns", region_name=REGION)


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> Iterator[Tables]:
    """Three empty tables, for one test."""
    number = next(_numbers)
    tables = Tables(f"findings-{number}", f"ledger-{number}", f"state-{number}")
    tables.create(dynamodb)
    yield tables
    tables.delete(dynamodb)
