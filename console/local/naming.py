"""What a resource is called once it is deployed: its physical name, and what `Ref` and `Fn::GetAtt` return.

Names that the template leaves open are made deterministic, so that two runs of one template agree.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from console.local.intrinsics import TemplateError, as_bool, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where a stack is deployed, and under which name."""

    account_id: str
    region: str
    stack_name: str

    @property
    def partition(self) -> str:
        """Return the partition of the Region."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def url_suffix(self) -> str:
        """Return the domain of the partition's endpoints."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def pseudo_parameters(self) -> dict[str, object]:
        """Return the values that CloudFormation itself supplies."""
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Region": self.region,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": self.url_suffix,
            "AWS::StackName": self.stack_name,
            "AWS::StackId": self.arn("cloudformation", f"stack/{self.stack_name}/{self.uuid('')}"),
            "AWS::NotificationARNs": [],
        }

    def arn(self, service: str, rest: str, *, separator: str = ":") -> str:
        """Return an ARN in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}{separator}{rest}"

    def uuid(self, logical_id: str) -> str:
        """Return an id of its own for a resource, always the same."""
        digest = hashlib.sha256(f"{self.account_id}/{self.region}/{self.stack_name}/{logical_id}".encode())
        text = digest.hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"

    def generated_name(self, logical_id: str, longest: int) -> str:
        """Return a name as CloudFormation would make one up: stack, logical id and a suffix."""
        digest = hashlib.sha256(f"{self.stack_name}/{logical_id}".encode()).digest()
        suffix = base64.b32encode(digest).decode()[:12]
        return f"{f'{self.stack_name}-{logical_id}'[: longest - len(suffix) - 1]}-{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one resource type is named; ref, arn and attributes are format strings over its identity."""

    name: str | None = None
    arn: str | None = None
    ref: str = "{name}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    longest: int = 64
    suffix: str = ""


_KINDS: Final[Mapping[str, _Kind]] = {
    "AWS::CloudWatch::Alarm": _Kind(name="AlarmName", arn="arn:{partition}:cloudwatch:{at}:alarm:{name}"),
    "AWS::CloudWatch::CompositeAlarm": _Kind(
        name="AlarmName", arn="arn:{partition}:cloudwatch:{at}:alarm:{name}"
    ),
    "AWS::CloudWatch::Dashboard": _Kind(name="DashboardName"),
    "AWS::DynamoDB::Table": _Kind(
        name="TableName",
        arn="arn:{partition}:dynamodb:{at}:table/{name}",
        attributes={
            "StreamArn": "arn:{partition}:dynamodb:{at}:table/{name}/stream/2026-01-01T00:00:00.000",
            "TableId": "{uuid}",
        },
        longest=255,
    ),
    "AWS::Events::EventBus": _Kind(
        name="Name",
        arn="arn:{partition}:events:{at}:event-bus/{name}",
        attributes={"Name": "{name}"},
    ),
    "AWS::Events::Rule": _Kind(name="Name", arn="arn:{partition}:events:{at}:rule/{bus}{name}"),
    "AWS::IAM::ManagedPolicy": _Kind(
        name="ManagedPolicyName",
        arn="arn:{partition}:iam::{account}:policy{path}{name}",
        ref="{arn}",
        attributes={"PolicyArn": "{arn}"},
    ),
    "AWS::IAM::Role": _Kind(
        name="RoleName",
        arn="arn:{partition}:iam::{account}:role{path}{name}",
        attributes={"RoleId": "AROA{id}"},
    ),
    "AWS::KMS::Alias": _Kind(name="AliasName", arn="arn:{partition}:kms:{at}:{name}"),
    "AWS::KMS::Key": _Kind(
        arn="arn:{partition}:kms:{at}:key/{uuid}", ref="{uuid}", attributes={"KeyId": "{uuid}"}
    ),
    "AWS::Lambda::Alias": _Kind(
        name="Name", arn="{function}:{name}", ref="{arn}", attributes={"AliasArn": "{arn}"}
    ),
    "AWS::Lambda::EventSourceMapping": _Kind(
        arn="arn:{partition}:lambda:{at}:event-source-mapping:{uuid}",
        ref="{uuid}",
        attributes={
            "Id": "{uuid}",
            "EventSourceMappingArn": "arn:{partition}:lambda:{at}:event-source-mapping:{uuid}",
        },
    ),
    "AWS::Lambda::Function": _Kind(name="FunctionName", arn="arn:{partition}:lambda:{at}:function:{name}"),
    "AWS::Lambda::LayerVersion": _Kind(
        name="LayerName",
        arn="arn:{partition}:lambda:{at}:layer:{name}:1",
        ref="{arn}",
        attributes={"LayerVersionArn": "{arn}"},
    ),
    "AWS::Lambda::Version": _Kind(
        arn="{function}:1", ref="{arn}", attributes={"Version": "1", "FunctionArn": "{arn}"}
    ),
    "AWS::Logs::LogGroup": _Kind(
        name="LogGroupName", arn="arn:{partition}:logs:{at}:log-group:{name}:*", longest=512
    ),
    "AWS::RDS::DBClusterParameterGroup": _Kind(name="DBClusterParameterGroupName", longest=255),
    "AWS::S3::Bucket": _Kind(
        name="BucketName",
        arn="arn:{partition}:s3:::{name}",
        attributes={
            "DomainName": "{name}.s3.{url_suffix}",
            "RegionalDomainName": "{name}.s3.{region}.{url_suffix}",
        },
        longest=63,
    ),
    "AWS::SNS::Topic": _Kind(
        name="TopicName",
        arn="arn:{partition}:sns:{at}:{name}",
        ref="{arn}",
        attributes={"TopicArn": "{arn}", "TopicName": "{name}"},
        longest=256,
        suffix=".fifo",
    ),
    "AWS::SQS::Queue": _Kind(
        name="QueueName",
        arn="arn:{partition}:sqs:{at}:{name}",
        ref="https://sqs.{region}.{url_suffix}/{account}/{name}",
        attributes={
            "QueueName": "{name}",
            "QueueUrl": "https://sqs.{region}.{url_suffix}/{account}/{name}",
        },
        longest=75,
        suffix=".fifo",
    ),
    "AWS::SSM::Parameter": _Kind(name="Name", longest=1011),
    "AWS::Scheduler::Schedule": _Kind(
        name="Name", arn="arn:{partition}:scheduler:{at}:schedule/{group}/{name}"
    ),
    "AWS::Scheduler::ScheduleGroup": _Kind(
        name="Name", arn="arn:{partition}:scheduler:{at}:schedule-group/{name}"
    ),
    "AWS::SecretsManager::Secret": _Kind(
        name="Name",
        arn="arn:{partition}:secretsmanager:{at}:secret:{name}-{id6}",
        ref="{arn}",
        attributes={"Id": "{arn}"},
        longest=512,
    ),
}
_UNKNOWN: Final = _Kind()
_LOWER: Final = frozenset({"AWS::RDS::DBClusterParameterGroup", "AWS::S3::Bucket"})
"""Whose names AWS keeps in lower case alone."""
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::Events::Rule": ("EventBusName",),
    "AWS::IAM::ManagedPolicy": ("Path",),
    "AWS::IAM::Role": ("Path",),
    "AWS::Lambda::Alias": ("FunctionName",),
    "AWS::Lambda::Version": ("FunctionName",),
    "AWS::SNS::Topic": ("FifoTopic",),
    "AWS::SQS::Queue": ("FifoQueue",),
    "AWS::Scheduler::Schedule": ("GroupName",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A deployed resource's name, its ARN if it has one, and what the intrinsic functions return for it."""

    name: str
    arn: str | None
    ref: str
    attributes: Mapping[str, str]

    def attribute(self, resource_type: str, name: str) -> str:
        """Return an attribute, or refuse one that this model does not know rather than make it up."""
        if name == "Arn" and self.arn is not None:
            return self.arn
        if name not in self.attributes:
            raise TemplateError(f"{resource_type} has no attribute {name} in the local AWS")
        return self.attributes[name]


def identifying_properties(resource_type: str) -> frozenset[str]:
    """Return the properties that take part in a resource's identity, the only ones that `identify` reads."""
    name = _KINDS.get(resource_type, _UNKNOWN).name
    others = _OTHERS.get(resource_type, ())
    return frozenset((*others, name) if name else others)


def identify(
    deployment: Deployment, resource_type: str, logical_id: str, properties: Mapping[str, Any]
) -> Identity:
    """Work out a resource's identity from those of its properties that take part in it, already resolved."""
    kind = _KINDS.get(resource_type, _UNKNOWN)
    fields = {key: as_text(value) for key, value in properties.items()}
    suffix = kind.suffix if _is_fifo(properties) else ""
    given = fields.get(kind.name) if kind.name else None
    uuid = deployment.uuid(logical_id)
    fields |= {
        "partition": deployment.partition,
        "region": deployment.region,
        "account": deployment.account_id,
        "at": f"{deployment.region}:{deployment.account_id}",
        "url_suffix": deployment.url_suffix,
        "uuid": uuid,
        "id": uuid.replace("-", "").upper()[:17],
        "id6": uuid[:6],
        "name": given or _generated(deployment, resource_type, logical_id, kind.longest) + suffix,
        "path": fields.get("Path", "/"),
        "bus": "" if fields.get("EventBusName", "default") == "default" else f"{fields['EventBusName']}/",
        "group": fields.get("GroupName", "default"),
        "function": _function_arn(deployment, fields.get("FunctionName", "")),
    }
    arn = None if kind.arn is None else kind.arn.format_map(fields)
    if arn is not None:
        fields["arn"] = arn
    return Identity(
        name=fields["name"],
        arn=arn,
        ref=kind.ref.format_map(fields),
        attributes={key: text.format_map(fields) for key, text in kind.attributes.items()},
    )


def _generated(deployment: Deployment, resource_type: str, logical_id: str, longest: int) -> str:
    name = deployment.generated_name(logical_id, longest)
    return name.lower() if resource_type in _LOWER else name


def _is_fifo(properties: Mapping[str, Any]) -> bool:
    return as_bool(properties.get("FifoQueue", False)) or as_bool(properties.get("FifoTopic", False))


def _function_arn(deployment: Deployment, name: str) -> str:
    return name if name.startswith("arn:") else deployment.arn("lambda", f"function:{name}")
