"""CloudTrail's eye on the services beside RDS: which of their calls are recorded here, and how they are read."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from botocore.parsers import create_parser
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.utils import get_service_model
from moto.kms.models import kms_backends

from console.local.events import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.local.identity import UserIdentity

Wire = tuple[int, dict[str, Any], str | bytes]

_REFUSED = 400
_REQUEST_ID = re.compile(r"(?<=<requestId>)[^<]*(?=</requestId>)", re.IGNORECASE)
_GLOBAL = {"iam": "us-east-1"}
"""Where the calls of a service without Regions are recorded, in the partition `aws`, and nowhere else."""

TOLD: Mapping[str, frozenset[str]] = {
    service: frozenset(names.split())
    for service, names in {
        "ec2": (
            "CreateSecurityGroup DeleteSecurityGroup AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress "
            "ModifySecurityGroupRules ModifyManagedPrefixList CreateRoute ReplaceRoute DeleteRoute "
            "AssociateRouteTable ReplaceRouteTableAssociation DisassociateRouteTable CreateNetworkAclEntry "
            "ReplaceNetworkAclEntry DeleteNetworkAclEntry ReplaceNetworkAclAssociation"
        ),
        "kms": (
            "CreateKey DisableKey EnableKey ScheduleKeyDeletion CancelKeyDeletion PutKeyPolicy EnableKeyRotation "
            "DisableKeyRotation ImportKeyMaterial DeleteImportedKeyMaterial CreateGrant RevokeGrant"
        ),
        "secretsmanager": (
            "CreateSecret UpdateSecret PutSecretValue RotateSecret CancelRotateSecret PutResourcePolicy "
            "DeleteResourcePolicy DeleteSecret RestoreSecret TagResource UntagResource"
        ),
        "logs": (
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey "
            "DisassociateKmsKey PutSubscriptionFilter DeleteSubscriptionFilter PutAccountPolicy DeleteAccountPolicy"
        ),
        "cloudtrail": "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging PutEventSelectors",
        "guardduty": "CreateDetector UpdateDetector DeleteDetector",
        "iam": "CreatePolicy CreatePolicyVersion PutRolePolicy PutUserPolicy PutGroupPolicy",
        "backup": (
            "UpdateBackupPlan DeleteBackupPlan CreateBackupSelection DeleteBackupSelection UpdateRegionSettings "
            "DeleteRecoveryPoint DisassociateRecoveryPoint PutBackupVaultLockConfiguration "
            "DeleteBackupVaultLockConfiguration PutBackupVaultAccessPolicy DeleteBackupVaultAccessPolicy"
        ),
        "cloudwatch": "PutMetricAlarm PutCompositeAlarm DeleteAlarms DisableAlarmActions EnableAlarmActions",
        "sns": "DeleteTopic SetTopicAttributes AddPermission RemovePermission",
    }.items()
}
"""The calls of each service whose records are known well enough to be made here. AWS records every call."""


def is_told(service: str, operation: str, *, region: str) -> bool:
    """Say whether a call is recorded, in a Region whose bus can hear of it."""
    return operation in TOLD.get(service, ()) and _GLOBAL.get(service, region) == region


def with_an_id(service: str, wire: Wire) -> Wire:
    """Give an answer of EC2 an id of its own: moto has one for all requests, and AWS logs each under the caller's."""
    status, headers, body = wire
    if service != "ec2":
        return wire
    text = body.decode() if isinstance(body, bytes) else body
    return status, headers, _REQUEST_ID.sub(str(uuid.uuid4()), text)


def record_of(response: Any, operation: str, wire: Wire, identity: UserIdentity) -> Record:
    """Make the record of a call that moto has answered, from what came over the wire and what went back."""
    service = str(response.boto3_service_name)
    model = get_service_model(service)
    found = model.operation_model(operation)
    status, headers, body = wire
    answer = {
        "status_code": status,
        "headers": {name.lower(): str(value) for name, value in headers.items()},
        "body": body.encode() if isinstance(body, str) else body,
    }
    parsed = create_parser(_protocol(response, model)).parse(answer, found.output_shape)
    metadata = parsed.pop("ResponseMetadata", {})
    error = parsed.get("Error", {}) if status >= _REFUSED else {}
    parameters = _parameters(response, model, found)
    return Record(
        operation=found,
        parameters=parameters,
        region=_GLOBAL.get(service, response.region),
        account=response.current_account,
        identity=identity,
        user_agent=response.headers.get("User-Agent", ""),
        request_id=metadata.get("RequestId") or str(uuid.uuid4()),
        response=None if error else parsed,
        error_code=error.get("Code"),
        error_message=error.get("Message"),
        resources=_key(response, parsed, parameters) if service == "kms" and not error else (),
    )


def _protocol(response: Any, model: Any) -> str:
    """The protocol that the caller chose, of the several that a service may speak."""
    return str(determine_request_protocol(model, response.normalized_request.content_type))


def _parameters(response: Any, model: Any, operation: Any) -> dict[str, Any]:
    request = response.normalized_request
    parser = PROTOCOL_PARSERS[_protocol(response, model)](operation)
    read: dict[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": response.uri_match,
        }
    )
    return read


def _key(response: Any, answer: dict[str, Any], parameters: dict[str, Any]) -> tuple[str, ...]:
    """The ARN of the key that a call of KMS was about, whatever the caller called it."""
    name = answer.get("KeyMetadata", {}).get("Arn") or parameters.get("KeyId")
    keys = kms_backends[response.current_account][response.region]
    known = keys.keys.get(keys.any_id_to_key_id(name)) if name else None
    return () if known is None else (known.arn,)
