"""Every API call that passes: recorded for tests of least privilege, throttled or denied on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS
from moto.core.exceptions import ServiceException

from console.local.identity import DEFAULT_IDENTITY, UserIdentity, current_identity

_RATE_EXCEEDED = "Rate exceeded"
_CALL = "console.local.calls"
# What the wire carries with codes that no service model declares.
STATUS_OF = {
    "AccessDenied": 403,
    "AccessDeniedException": 400,
    "InternalFailure": 500,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "RequestExpired": 400,
}


class Refusal(ServiceException):  # type: ignore[misc] # moto has no types
    """An error of AWS's; a class of our own, because moto looks for models beside the class of an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """One call as its caller made it: the service, the operation, boto3's parameters, and who called."""

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    identity: UserIdentity
    answer: dict[str, Any] = field(default_factory=dict)
    """What AWS answered, of operations that later calls refer to by what they answered."""

    @property
    def action(self) -> str:
        """The name that an IAM policy would have to allow, where it is that of the operation."""
        return f"{self.service}:{self.operation}"


class Recorder:
    """The calls that were made, in order; it can be switched off."""

    def __init__(self) -> None:
        """Start recording."""
        self.calls: list[RecordedCall] = []
        self.enabled = True

    def note(self, call: RecordedCall) -> None:
        """Keep a call."""
        if self.enabled:
            self.calls.append(call)


class Listeners:
    """Who hears of the calls that botocore's clients of this process make."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.recorders: list[Recorder] = []

    def __call__(self, *, params: dict[str, Any], model: Any, context: Any, **_: Any) -> None:
        """Hear of one call; the name and the arguments are botocore's."""
        if not self.recorders:
            return
        call = RecordedCall(
            service=model.service_model.service_name,
            operation=model.name,
            parameters=dict(params),
            region=(context or {}).get("client_region", ""),
            identity=current_identity() or DEFAULT_IDENTITY,
        )
        if context is not None:
            context[_CALL] = call
        for recorder in self.recorders:
            recorder.note(call)

    def answered(self, *, parsed: dict[str, Any], context: Any, **_: Any) -> None:
        """Hear of the answer to one; the name and the arguments are botocore's."""
        call = (context or {}).get(_CALL)
        if call is not None and isinstance(parsed, dict):
            call.answer.update(parsed)


# Like moto's own hook: present in every session made from now on, and deaf until somebody listens.
LISTENERS = Listeners()
BUILTIN_HANDLERS.append(("provide-client-params.*.*", LISTENERS))
# Whoever asks for the results of a query names it by the id that starting it answered.
BUILTIN_HANDLERS.append(("after-call.cloudwatch-logs.StartQuery", LISTENERS.answered))


@dataclass(slots=True)
class _Fault:
    code: str
    message: str
    left: int


@dataclass(slots=True)
class Faults:
    """Refusals that a test asks for, by operation, of one service (`rds:ModifyDBCluster`) or of any."""

    _injected: dict[str, list[_Fault]] = field(default_factory=dict)
    _denied: set[str] = field(default_factory=set)

    def inject(self, operation: str, error_code: str, times: int = 1, message: str | None = None) -> None:
        """Let the next calls of an operation fail with a code, for example `Throttling`."""
        text = message or (_RATE_EXCEEDED if "hrottl" in error_code else f"Injected {error_code}.")
        self._injected.setdefault(operation, []).append(_Fault(error_code, text, times))

    def deny(self, operation: str) -> None:
        """Answer AccessDenied to an operation until it is allowed again."""
        self._denied.add(operation)

    def allow(self, operation: str) -> None:
        """Take a denial back."""
        self._denied.discard(operation)

    def clear(self) -> None:
        """Forget all refusals."""
        self._injected.clear()
        self._denied.clear()

    def take(self, service: str, operation: str, identity: UserIdentity) -> Refusal | None:
        """Say what a call is refused with, if it is."""
        names = (operation, f"{service}:{operation}")
        if self._denied.intersection(names):
            return Refusal(
                "AccessDenied" if service == "rds" else "AccessDeniedException",
                f"User: {identity.arn} is not authorized to perform: {service}:{operation} because no"
                f" identity-based policy allows the {service}:{operation} action",
            )
        for name in names:
            waiting = self._injected.get(name, [])
            while waiting and waiting[0].left <= 0:
                waiting.pop(0)
            if waiting:
                waiting[0].left -= 1
                return Refusal(waiting[0].code, waiting[0].message)
        return None


class EveryCode(list[str]):
    """The codes that moto takes for known although no model has them: here, any."""

    def __contains__(self, _: object) -> bool:
        """Say yes; tests inject whatever AWS might answer."""
        return True
