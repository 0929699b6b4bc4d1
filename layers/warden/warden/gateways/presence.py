"""Whether something of AWS is there, as a check of a sink sees it: by a read that the sink itself does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden.core.errors import SinkRefusedError
from warden.gateways.errors import DENIED, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def unseen(operation: str, look: Callable[[], Any], *, what: str, missing: Collection[str]) -> str:
    """What could not be seen: nothing, or whether `what` is there, where we may not look.

    The right to look is not the right to tell, so its absence refuses nothing. Raises SinkRefusedError where AWS
    answers with a code of `missing`.
    """
    with translated(operation):
        try:
            look()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in missing:
                msg = f"there is no {what}: {operation}: {error}"
                raise SinkRefusedError(msg) from error
            if code in DENIED:
                return f"whether the {what} is there: {operation}: {error}"
            raise
    return ""
