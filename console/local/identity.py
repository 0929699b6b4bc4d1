"""Who is calling: the userIdentity that CloudTrail writes, and a context that says whose turn it is."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCOUNT_ID = "123456789012"


class IdentityType(StrEnum):
    """The kinds of caller that the local AWS knows, in CloudTrail's words."""

    IAM_USER = "IAMUser"
    ASSUMED_ROLE = "AssumedRole"
    AWS_SERVICE = "AWSService"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserIdentity:
    """A caller, with what CloudTrail records about it and the address and agent it calls from."""

    type: IdentityType
    principal_id: str = ""
    arn: str = ""
    account_id: str = ACCOUNT_ID
    access_key_id: str = ""
    user_name: str = ""
    session_issuer: Mapping[str, str] = field(default_factory=dict)
    lambda_function_arn: str | None = None
    invoked_by: str | None = None
    source_ip_address: str = "203.0.113.10"
    user_agent: str | None = None

    def as_cloudtrail(self, *, now: datetime) -> dict[str, Any]:
        """Render the userIdentity element as CloudTrail does: absent parts are absent, not null."""
        if self.type is IdentityType.AWS_SERVICE:
            return {"type": str(self.type), "invokedBy": self.invoked_by}
        identity: dict[str, Any] = {
            "type": str(self.type),
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account_id,
            "accessKeyId": self.access_key_id,
        }
        if self.user_name:
            identity["userName"] = self.user_name
        if self.session_issuer:
            began = (now - timedelta(minutes=11)).strftime("%Y-%m-%dT%H:%M:%SZ")
            identity["sessionContext"] = {
                "sessionIssuer": dict(self.session_issuer),
                "attributes": {"creationDate": began, "mfaAuthenticated": "false"},
            }
        if self.invoked_by:
            identity["invokedBy"] = self.invoked_by
        if self.lambda_function_arn:
            identity["inScopeOf"] = {
                "issuerType": "AWS::Lambda::Function",
                "credentialsIssuedTo": self.lambda_function_arn,
            }
        return identity

    def agent(self, *, sent: str) -> str:
        """Name the user agent: the caller's own, or what was sent, marked if a Lambda function sent it."""
        if self.user_agent is not None:
            return self.user_agent
        return f"{sent} exec-env/AWS_Lambda_python3.13" if self.lambda_function_arn else sent


def _unique_id(prefix: str, name: str) -> str:
    """Derive the id that IAM would have given, so that one name always has one id."""
    return prefix + hashlib.sha256(name.encode()).hexdigest()[:17].upper()


def _access_key(prefix: str, name: str) -> str:
    """Derive an access key id, which is shorter by one than every other id of IAM's."""
    return _unique_id(prefix, f"key of {name}")[:20]


def iam_user(name: str, *, account_id: str = ACCOUNT_ID) -> UserIdentity:
    """Make an IAM user with a long-lived access key: CloudTrail writes no sessionContext for it."""
    return UserIdentity(
        type=IdentityType.IAM_USER,
        principal_id=_unique_id("AIDA", f"{account_id}/{name}"),
        arn=f"arn:aws:iam::{account_id}:user/{name}",
        account_id=account_id,
        access_key_id=_access_key("AKIA", f"{account_id}/{name}"),
        user_name=name,
    )


def assumed_role(
    role_arn: str, session: str, *, lambda_function_arn: str | None = None, invoked_by: str | None = None
) -> UserIdentity:
    """Make a session of a role; the issuer's ARN keeps the role's path, the session's ARN has none."""
    account_id, _, role_path = role_arn.removeprefix("arn:aws:iam::").partition(":role/")
    role_name = role_path.rpartition("/")[2]
    role_id = _unique_id("AROA", role_arn)
    return UserIdentity(
        type=IdentityType.ASSUMED_ROLE,
        principal_id=f"{role_id}:{session}",
        arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session}",
        account_id=account_id,
        access_key_id=_access_key("ASIA", f"{role_arn}/{session}"),
        session_issuer={
            "type": "Role",
            "principalId": role_id,
            "arn": role_arn,
            "accountId": account_id,
            "userName": role_name,
        },
        lambda_function_arn=lambda_function_arn,
        invoked_by=invoked_by,
        source_ip_address=invoked_by or "203.0.113.10",
        user_agent=invoked_by,
    )


def aws_service(name: str) -> UserIdentity:
    """Make an AWS service that acts on its own behalf, for example `backup.amazonaws.com`."""
    return UserIdentity(
        type=IdentityType.AWS_SERVICE, invoked_by=name, source_ip_address=name, user_agent=name
    )


DEFAULT_IDENTITY = iam_user("local")
_CALLER: ContextVar[UserIdentity | None] = ContextVar("console.local.identity", default=None)


def current_identity() -> UserIdentity | None:
    """Say who acts in this context, or None where nobody said so."""
    return _CALLER.get()


@contextmanager
def acting_as(identity: UserIdentity) -> Iterator[UserIdentity]:
    """Let the calls made inside the block be this caller's."""
    token = _CALLER.set(identity)
    try:
        yield identity
    finally:
        _CALLER.reset(token)
