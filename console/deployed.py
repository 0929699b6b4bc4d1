"""A deployment in an account, as a command on a laptop finds it: by the names that CloudFormation gave to things."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from console import paths
from warden import wiring
from warden.core.errors import ConfigurationError
from warden.gateways.errors import UNREADABLE, translate, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy import Policy

_NO_ANSWER: tuple[type[Exception], ...] = (*UNREADABLE, ValueError)
"""An answer that is none, and an endpoint that is no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """Who asks, of which stack, and what its resources are called."""

    session: boto3.session.Session
    account: str
    region: str
    arn: str
    """The caller, as STS names them."""
    user_id: str
    """The caller's `aws:userid` (GetCallerIdentity.UserId)."""
    names: Mapping[str, str]
    """Physical ids by logical ids."""

    def client(self, service: str) -> Any:
        """A client of the caller's."""
        made: Any = self.session.client
        return made(service)


def find(*names: str, command: str, stack: str, region: str | None, profile: str | None) -> Deployed:
    """Find a deployment and those of its resources; raises ConfigurationError saying what to give."""
    try:
        session = boto3.session.Session(profile_name=profile, region_name=region)
        if not session.region_name:
            msg = (
                "no Region is configured; give --region, or set AWS_DEFAULT_REGION or a profile with a region"
            )
            raise ConfigurationError(msg)
        identity = session.client("sts").get_caller_identity()
        client = session.client("cloudformation")
        found = {name: _physical(client, stack, name) for name in names}
    except ProfileNotFound as error:
        raise ConfigurationError(str(error)) from None
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(str(translate(error, command))) from None
    except _NO_ANSWER as error:
        msg = f"AWS could not be asked for the stack: {type(error).__name__}: {error}"
        raise ConfigurationError(msg) from None
    print(f"{stack}: {', '.join(found.values())}", file=sys.stderr)
    return Deployed(
        session=session,
        account=identity["Account"],
        region=session.region_name,
        arn=identity["Arn"],
        user_id=identity["UserId"],
        names=found,
    )


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource of a stack."""

    logical: str
    type: str
    physical: str


def resources(found: Deployed, stack: str) -> list[StackResource]:
    """Everything that a stack has made; raises the errors of `core.errors` where that cannot be read."""
    with translated("cloudformation:ListStackResources"):
        pages = found.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        return [
            StackResource(one["LogicalResourceId"], one["ResourceType"], one.get("PhysicalResourceId", ""))
            for page in pages
            for one in page["StackResourceSummaries"]
            if one.get("LogicalResourceId")
        ]


def parameters(found: Deployed, stack: str) -> dict[str, str]:
    """The values of a stack's parameters; raises the errors of `core.errors` where they cannot be read."""
    with translated("cloudformation:DescribeStacks"):
        answer = found.client("cloudformation").describe_stacks(StackName=stack)
    return {one["ParameterKey"]: one["ParameterValue"] for one in answer["Stacks"][0].get("Parameters", ())}


def policy(named_by: Mapping[str, str], file: str | None) -> Policy:
    """The policy that is given, else the one of this checkout that a stack's parameters name.

    Raises ConfigurationError or PolicyError.
    """
    named = paths.POLICY.with_name(named_by.get("PolicyFile", paths.POLICY.name))
    return wiring.load_policy(named if file is None else file)


def _physical(client: Any, stack: str, name: str) -> str:
    try:
        answer = client.describe_stack_resource(StackName=stack, LogicalResourceId=name)
    except ClientError as error:
        msg = (
            f"the stack {stack!r} in {client.meta.region_name} has no {name}: {error}; give --stack, --region"
        )
        raise ConfigurationError(msg) from None
    return str(answer["StackResourceDetail"].get("PhysicalResourceId", ""))
