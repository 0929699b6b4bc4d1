"""The probe's parameter group as AWS shows it, and since when somebody waits for its findings."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from warden.core import probe
from warden.core.dataclass import dataclass
from warden.core.errors import ConflictError
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.resource import Resource, ResourceRef
    from warden.gateways.rds import Rds
    from warden.gateways.rds_reader import RdsReader

_KEY = {"pk": "probe", "sk": "probe"}


@dataclass(frozen=True, slots=True)
class ProbeReader:
    """Implements `ports.ProbeGroup`."""

    reader: RdsReader
    api: Rds

    def read(self, ref: ResourceRef) -> Resource:
        """The group, with what somebody set in it; raises ResourceGoneError where there is none."""
        group = self.reader.read(ref, ())
        items = self.api.every(
            "DescribeDBClusterParameters", DBClusterParameterGroupName=ref.id, Source="user"
        )
        values = {item["ParameterName"]: item.get("ParameterValue", "") for item in items}
        return group.with_facts(group.facts.with_more({probe.SET: values}))


@dataclass(frozen=True, slots=True)
class DynamoWatch:
    """One row of the State table; implements `ports.Watch`."""

    client: DynamoDBClient
    table: str

    def since(self) -> datetime | None:
        """Since when findings of the probe are waited for; None where nobody has waited yet."""
        with translated("dynamodb:GetItem"):
            answer = self.client.get_item(TableName=self.table, Key=encode(_KEY), ConsistentRead=True)
        return datetime.fromisoformat(decode(answer["Item"])["since"]) if "Item" in answer else None

    def begin(self, now: datetime) -> None:
        """Wait from now on, unless somebody does."""
        row: dict[str, str | int | bool] = {**_KEY, "since": now.isoformat()}
        try:
            with conditional("dynamodb:PutItem"):
                self.client.put_item(
                    TableName=self.table, Item=encode(row), ConditionExpression="attribute_not_exists(pk)"
                )
        except ConflictError:
            return
