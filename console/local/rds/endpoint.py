"""The front door of the local RDS: every call of anybody's is answered, recorded and told about here."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.serialize import get_serializer_class
from moto.core.utils import camelcase_to_underscores, get_service_model, method_names_from_class

from console.local.calls import STATUS_OF, Faults, RecordedCall, Recorder
from console.local.events import Record, Trail
from console.local.rds import rendering
from console.local.rds.call import Call
from console.local.rds.catalogue import OPERATIONS, PRESENTERS

if TYPE_CHECKING:
    from console.local.identity import UserIdentity
    from console.local.rds.state import World

Wire = tuple[int, dict[str, Any], str | bytes]


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """Answers calls that moto has parsed, with AWS's operations where there are any, else with moto's."""

    world: World
    trail: Trail
    faults: Faults
    recorder: Recorder

    def answer(self, response: Any, identity: UserIdentity) -> Wire:
        """Answer one call."""
        call = Call(
            operation=str(response._get_action()),  # noqa: SLF001 - moto names the operation nowhere else
            parameters=_plain(getattr(response, "params", {})),
            region=response.region,
            account=response.current_account,
            world=self.world,
            response=response,
        )
        self.world.agenda.run(self.world.now())
        if response.is_werkzeug_request:
            self._note(call, identity)
        operation = get_service_model("rds").operation_model(call.operation)
        rendered: dict[str, Any] | None = None
        error: ServiceException | None = None
        self.trail.hold()
        try:
            rendered = self._perform(call, operation, identity)
            wire = _serialized(response, operation, rendered)
        except ServiceException as refusal:
            error = refusal
            wire = _refused(response, refusal)
        except BaseException:
            self.trail.release(None)
            raise
        status, headers, body = wire
        request_id = str(uuid.uuid4())
        headers = {**headers, "status": str(status), "x-amzn-RequestId": request_id}
        body = re.sub(r"(?<=<RequestId>).*(?=</RequestId>)", request_id, str(body))
        self.trail.release(
            Record(
                operation=operation,
                parameters=call.parameters,
                region=call.region,
                account=call.account,
                identity=identity,
                user_agent=response.headers.get("User-Agent", ""),
                request_id=request_id,
                response=rendered,
                error_code=error.code if error else None,
                error_message=error.message if error else None,
            )
        )
        self.world.agenda.run(self.world.now())
        return status, headers, body

    def _perform(self, call: Call, operation: Any, identity: UserIdentity) -> dict[str, Any]:
        refusal = self.faults.take("rds", call.operation, identity)
        if refusal is not None:
            raise refusal
        handler = OPERATIONS.get(call.operation)
        result = handler(call) if handler is not None else _ask_moto(call)
        return rendering.render(call, operation, PRESENTERS, rendering.page(call, operation, result))

    def _note(self, call: Call, identity: UserIdentity) -> None:
        """Record a call from another process; those of this one are recorded as they leave their client."""
        self.recorder.note(
            RecordedCall(
                service="rds",
                operation=call.operation,
                parameters=dict(call.parameters),
                region=call.region,
                identity=identity,
            )
        )


def _plain(value: Any) -> Any:
    """Turn moto's request, which answers to two spellings of every name, into AWS's names alone."""
    if hasattr(value, "original_dict"):
        value = value.original_dict()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def _ask_moto(call: Call) -> dict[str, Any]:
    response = call.response
    method = camelcase_to_underscores(call.operation)
    if method not in method_names_from_class(type(response)):
        raise NotImplementedError(f"Neither moto nor this package has {call.operation}.")
    result = getattr(response, method)().result
    return result if isinstance(result, dict) else {} if result is None else vars(result)


def _serialized(response: Any, operation: Any, rendered: dict[str, Any]) -> Wire:
    serializer = get_serializer_class("rds", "query")(operation_model=operation)
    serialized = serializer.serialize(rendered)
    headers = {**serialized["headers"], **response.response_headers}
    return serialized["status_code"], headers, serialized["body"]


def _refused(response: Any, refusal: ServiceException) -> Wire:
    status, headers, body = response.serialized(ActionResult(refusal))
    return STATUS_OF.get(refusal.code, status), headers, body
