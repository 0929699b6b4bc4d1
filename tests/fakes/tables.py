"""The DynamoDB tables of template.yaml, for tests that run against moto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables."""

    findings: str
    ledger: str
    state: str
    approvals: str = "approvals"

    def create(self, client: DynamoDBClient) -> None:
        client.create_table(
            TableName=self.findings,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "resource_key", "KeyType": "HASH"},
                {"AttributeName": "control", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("resource_key", "control", "arn")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_arn",
                    "KeySchema": [
                        {"AttributeName": "arn", "KeyType": "HASH"},
                        {"AttributeName": "control", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        client.create_table(
            TableName=self.ledger,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "chain", "KeyType": "HASH"},
                {"AttributeName": "sequence", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "chain", "AttributeType": "S"},
                {"AttributeName": "sequence", "AttributeType": "N"},
            ],
        )
        client.create_table(
            TableName=self.state,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        client.create_table(
            TableName=self.approvals,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "approver", "KeyType": "HASH"},
                {"AttributeName": "request", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("approver", "request")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_request",
                    "KeySchema": [
                        {"AttributeName": "request", "KeyType": "HASH"},
                        {"AttributeName": "approver", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
