"""AWS as it answers when it refuses."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Http:
    status_code: int


@contextmanager
def answering(client: Any, operation: str, code: str) -> Iterator[None]:
    """Let the service of a client refuse an operation."""
    answer = (
        Http(400),
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
    )
    event = f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    handler: Any = lambda **_: answer  # noqa: E731 - botocore's stubs do not know that an answer may be given
    client.meta.events.register(event, handler, "answering")
    try:
        yield
    finally:
        client.meta.events.unregister(event, unique_id="answering")
