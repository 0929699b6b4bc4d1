"""Universal targets of EventBridge Scheduler: a schedule makes a call of AWS's by itself, in the name of its role.

"Arn - The complete service ARN, including the API operation you want to target" and "Input - A well-formed JSON you
specify with the request parameters" (EventBridge Scheduler User Guide, "Using universal targets"). The parameters are
spelled as the AWS SDK for Java spells them: `DbClusterIdentifier`, where the API says `DBClusterIdentifier`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from moto.core.utils import get_service_model

from console.local.identity import acting_as, assumed_role
from console.local.intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from console.local.naming import Deployment

_SERVICE: Final = "scheduler.amazonaws.com"
_MARK: Final = ":scheduler:::aws-sdk:"
_ARNS: Final[Mapping[tuple[str, str], str]] = {
    ("rds", "ModifyDBClusterParameterGroup"): "cluster-pg:{DBClusterParameterGroupName}",
}
"""The calls that the local AWS makes for a schedule, each with what IAM checks it against."""


class DeliveryError(Exception):
    """A delivery that AWS would give up at once, with the error code that it reports."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalCall:
    """One call as the API spells it."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    resource: str

    @property
    def action(self) -> str:
        """What IAM calls it."""
        return f"{self.service}:{self.operation}"


def is_one(target_arn: str) -> bool:
    """Whether a target is a call and not a queue or a function."""
    return _MARK in target_arn


def check(logical_id: str, target_arn: str, text: str | None) -> None:
    """Refuse what the local AWS cannot do, and what the Scheduler would only find out when it is due."""
    service, operation = _named(target_arn)
    if (service, operation) not in _ARNS:
        raise TemplateError(f"{logical_id}: the local AWS makes no call {service}:{operation} for a schedule")
    try:
        _spelled(_model(service, operation).input_shape, json.loads(text or "{}"))
    except (ValueError, DeliveryError) as error:
        raise TemplateError(f"{logical_id}: its Input is no request of {operation}: {error}") from error


def read(target_arn: str, payload: str, deployment: Deployment) -> UniversalCall:
    """Read a call; DeliveryError where the service has no such parameter."""
    service, operation = _named(target_arn)
    parameters = _spelled(_model(service, operation).input_shape, json.loads(payload))
    rest = _ARNS[service, operation].format_map(parameters)
    return UniversalCall(
        service=service,
        operation=operation,
        parameters=parameters,
        resource=deployment.arn(service, rest),
    )


def make(call: UniversalCall, client: Callable[[str], Any], *, role_arn: str, schedule_arn: str) -> None:
    """Make a call in the name of a schedule's role; what AWS answers, but for a refusal, is for nobody."""
    session = schedule_arn.rpartition("/")[2][:64]
    with acting_as(assumed_role(role_arn, session, invoked_by=_SERVICE)):
        try:
            getattr(client(call.service), xform_name(call.operation))(**call.parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DeliveryError(code, error.response["Error"]["Message"]) from error
        except ParamValidationError as error:
            raise DeliveryError("INVALID_PARAMETER", str(error)) from error


def _named(target_arn: str) -> tuple[str, str]:
    service, _, action = target_arn.partition(_MARK)[2].partition(":")
    return service, action[:1].upper() + action[1:]


def _model(service: str, operation: str) -> Any:
    return get_service_model(service).operation_model(operation)


def _spelled(shape: Any, value: Any) -> Any:
    """A request in the API's own spelling, whatever letters of a name the SDK for Java writes small."""
    match shape.type_name:
        case "structure":
            names = {_java(name): name for name in shape.members}
            if unknown := set(value) - set(names):
                raise DeliveryError("INVALID_PARAMETER", f"there is no {', '.join(sorted(unknown))}")
            return {names[key]: _spelled(shape.members[names[key]], item) for key, item in value.items()}
        case "list":
            return [_spelled(shape.member, item) for item in value]
        case _:
            return value


def _java(name: str) -> str:
    """A member as the SDK for Java names it: of two capitals at the beginning, the second is small."""
    return name[0] + name[1].lower() + name[2:] if name[:2].isupper() else name
