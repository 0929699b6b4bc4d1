"""A deployment's tables in a stack that CloudFormation made, and what its steps have written into them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console import deployed
from scanning.runs import REGION
from warden.gateways.approvals import DynamoApprovals
from warden.gateways.brakes import DynamoBrakes
from warden.gateways.findings import DynamoFindings
from warden.gateways.ledger import DynamoLedger
from warden.gateways.state import DynamoState
from warden.gateways.tickets import DynamoTickets

if TYPE_CHECKING:
    from console.local.aws import LocalAws
    from pipeline.world import World

STACK = "aurora-warden"
DEPLOYMENT = f"deployment/123456789012/{REGION}"


def _table(keys: dict[str, str], index: tuple[str, str, str] | None = None) -> dict[str, Any]:
    hash_key, range_key = keys
    types = keys | (dict.fromkeys(index[1:], "S") if index else {})
    made: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        "KeySchema": _schema(hash_key, range_key),
    }
    if index:
        name, *of = index
        made["GlobalSecondaryIndexes"] = [
            {"IndexName": name, "KeySchema": _schema(*of), "Projection": {"ProjectionType": "ALL"}}
        ]
    return {"Type": "AWS::DynamoDB::Table", "Properties": made}


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


TEMPLATE = {
    "Parameters": {
        "ModeCeiling": {"Type": "String", "Default": "remediate"},
        "PolicyFile": {"Type": "String", "Default": "policy.toml"},
    },
    "Resources": {
        "FindingsTable": _table({"resource_key": "S", "control": "S"}, ("by_arn", "arn", "control")),
        "LedgerTable": _table({"chain": "S", "sequence": "N"}),
        "StateTable": _table({"pk": "S", "sk": "S"}),
        "SweepLogGroup": {"Type": "AWS::Logs::LogGroup"},
        "ApprovalsTable": _table({"approver": "S", "request": "S"}, ("by_request", "request", "approver")),
    },
}


@dataclass(frozen=True, slots=True)
class Books:
    """The tables of the stack."""

    aws: LocalAws
    names: dict[str, str]

    @classmethod
    def make(cls, aws: LocalAws, **parameters: str) -> Books:
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(TEMPLATE),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        return cls(aws, {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found})

    @property
    def dynamodb(self) -> Any:
        return self.aws.client("dynamodb")

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(self.dynamodb, self.names["LedgerTable"], self.names["StateTable"])

    @property
    def findings(self) -> DynamoFindings:
        return DynamoFindings(self.dynamodb, self.names["FindingsTable"])

    @property
    def state(self) -> DynamoState:
        return DynamoState(self.dynamodb, self.names["StateTable"])

    @property
    def tickets(self) -> DynamoTickets:
        return DynamoTickets(self.dynamodb, self.names["StateTable"], self.ledger)

    @property
    def approvals(self) -> DynamoApprovals:
        return DynamoApprovals(self.dynamodb, self.names["ApprovalsTable"], self.names["StateTable"])

    def kept_by(self, world: World) -> World:
        """Have the steps of a world write here."""
        ports: dict[str, Any] = {
            "findings": self.findings,
            "ledger": self.ledger,
            "state": self.state,
            "brakes": DynamoBrakes(self.dynamodb, self.names["StateTable"]),
            "tickets": self.tickets,
        }
        for name, port in ports.items():
            setattr(world, name, port)
        return world

    def found(self, *names: str, **_options: Any) -> deployed.Deployed:
        """As `deployed.find` finds it, with clients that cost nothing to ask for again."""
        return deployed.Deployed(
            session=self.aws,  # type: ignore[arg-type]  # as much of a session as is needed
            account="123456789012",
            region=REGION,
            arn="arn:aws:sts::123456789012:assumed-role/dba/carol",
            user_id="AROA3RX7T65BFEXAMPLE:carol",
            names={name: self.names[name] for name in names},
        )

    def set_parameter(self, name: str, value: str) -> None:
        """Deploy the stack with another value of a parameter."""
        self.aws.client("cloudformation").update_stack(
            StackName=STACK,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": name, "ParameterValue": value}],
        )

    def log(self, *lines: dict[str, Any]) -> None:
        """Have the daily job write to its log, as Lambda does."""
        logs, group = self.aws.client("logs"), self.names["SweepLogGroup"]
        if not logs.describe_log_streams(logGroupName=group)["logStreams"]:
            logs.create_log_stream(logGroupName=group, logStreamName="stream")
        now = int(self.aws.clock.now().timestamp() * 1000)
        events = [{"timestamp": now, "message": json.dumps(line)} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=events)

    # --- what somebody with too many rights can do --------------------------------------------------------

    def rows(self, chain: str) -> list[dict[str, Any]]:
        """The items of a chain, as DynamoDB has them, in their order."""
        rows = self.dynamodb.scan(TableName=self.names["LedgerTable"])["Items"]
        mine = [row for row in rows if row["chain"]["S"] == chain]
        return sorted(mine, key=lambda row: float(row["sequence"]["N"]))

    def put(self, row: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.names["LedgerTable"], Item=row)

    def delete(self, row: dict[str, Any]) -> None:
        key = {name: row[name] for name in ("chain", "sequence")}
        self.dynamodb.delete_item(TableName=self.names["LedgerTable"], Key=key)

    def set_head(self, row: dict[str, Any]) -> None:
        """Have the head of a chain name one of its entries."""
        head = {"pk": {"S": f"ledger#{row['chain']['S']}"}, "sk": {"S": "head"}}
        self.dynamodb.put_item(
            TableName=self.names["StateTable"],
            Item={**head, "sequence": row["sequence"], "hash": row["hash"]},
        )

    def delete_head(self, chain: str) -> None:
        self.dynamodb.delete_item(
            TableName=self.names["StateTable"], Key={"pk": {"S": f"ledger#{chain}"}, "sk": {"S": "head"}}
        )
