"""AWS's error codes, translated once into the errors of `core.errors`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from warden.core.errors import (
    AccessDeniedError,
    RefusedError,
    RejectedError,
    ResourceBusyError,
    ResourceGoneError,
    ThrottledError,
    TransientError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# The wire codes of botocore's rds model: some shapes keep the suffix `Fault` in their code, some drop it.
_GONE = frozenset(
    {
        "DBClusterNotFoundFault",
        "DBInstanceNotFound",
        "DBInstanceNotFoundFault",
        "DBClusterSnapshotNotFoundFault",
        "DBSnapshotNotFound",
        "DBSnapshotNotFoundFault",
        "GlobalClusterNotFoundFault",
        "DBProxyNotFoundFault",
        "DBClusterParameterGroupNotFound",
        "DBParameterGroupNotFound",
        "BlueGreenDeploymentNotFoundFault",
    }
)
_BUSY = frozenset(
    {
        "InvalidDBClusterStateFault",
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidDBClusterSnapshotStateFault",
        "InvalidDBSnapshotState",
        "InvalidGlobalClusterStateFault",
        "InvalidDBProxyStateFault",
        "InvalidDBParameterGroupState",
        # What a procedure makes has one name: an earlier call made it, and it is not described yet.
        "DBClusterAlreadyExistsFault",
        "DBClusterSnapshotAlreadyExistsFault",
        "DBSnapshotAlreadyExists",
        "DBParameterGroupAlreadyExists",
    }
)
DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthFailure",
        # SNS and DynamoDB pass on what KMS said.
        "AuthorizationError",
        "KMSAccessDenied",
        "KmsAccessDenied",
        "KMSKeyNotAccessibleFault",
        "OptInRequired",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
    }
)
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "Throttled",
        "KMSThrottling",
        "KmsThrottled",
    }
)
_UNSUPPORTED = frozenset(
    {"NotImplemented", "NotImplementedException", "InvalidAction", "UnknownOperationException"}
)
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501


def translate(error: ClientError | BotoCoreError, operation: str) -> Exception:
    """The error of ours that says what AWS's error means for us."""
    if isinstance(error, ParamValidationError):
        return RejectedError(f"{operation}: {error}", code="ParamValidation")
    if not isinstance(error, ClientError):
        return TransientError(f"{operation}: {error}")
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    said = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    message = f"{operation}: {code}: {said}"
    kinds: tuple[tuple[frozenset[str], type[RefusedError]], ...] = (
        (_GONE, ResourceGoneError),
        (_BUSY, ResourceBusyError),
        (DENIED | _CREDENTIALS, AccessDeniedError),
        (_UNSUPPORTED, UnsupportedError),
    )
    for codes, kind in kinds:
        if code in codes:
            return kind(message, code=code)
    if code in THROTTLED:
        return ThrottledError(message)
    if status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED:
        return TransientError(message)
    kind = UnsupportedError if status == _NOT_IMPLEMENTED else RejectedError
    return kind(message, code=code)


# What botocore raises where an answer is not what the operation answers: a page of HTML, half an answer, bytes.
UNREADABLE: tuple[type[Exception], ...] = (ResponseParserError, UnicodeDecodeError, LookupError)


@contextmanager
def translated(operation: str, *, emulator: bool = False) -> Iterator[None]:
    """Raise ours for AWS's.

    An emulator answers an operation that it does not know with a page of HTML; AWS does so when it is unwell.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if emulator and _is_no_answer(error):
            raise unreadable(operation, emulator=True) from error
        raise translate(error, operation) from error
    except UNREADABLE as error:
        raise unreadable(operation, emulator=emulator) from error


def _is_no_answer(error: Exception) -> bool:
    """Whether an error is a page of HTML: botocore then has no code but the status."""
    return isinstance(error, ClientError) and str(error.response.get("Error", {}).get("Code", "")) == "404"


def unreadable(operation: str, *, emulator: bool) -> Exception:
    """The error of ours for an answer that is none."""
    if emulator:
        return UnsupportedError(f"{operation}: this endpoint does not implement it")
    return TransientError(f"{operation}: the answer could not be read")


def is_emulator(endpoint: str) -> bool:
    """Whether an endpoint is none of AWS's own (api.aws is the dual-stack name)."""
    host = urlsplit(endpoint).hostname or ""
    return not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonwebservices.com.cn"))
