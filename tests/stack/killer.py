"""Ends the process of a function at one of its calls to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.faults import Injector

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.deployed import Deployed


class Killer(Injector):
    """Ends the process of a function at its nth call to AWS, before or after the call has its effect."""

    def __init__(
        self, stack: Deployed, moment: int, *, after: bool, counts: Callable[[str], bool] = lambda _: True
    ) -> None:
        """`counts`: which operations are moments; a death at a read is one after the last call that changed a thing."""
        self.operations: list[str] = []
        kind = "killed after" if after else "killed before"

        def choose(number: int, operation: str) -> str:
            self.operations.append(operation)
            return kind if number == moment else ""

        super().__init__(stack, choose, counts=lambda operation, *_: counts(operation))

    @property
    def killed(self) -> str:
        """The operation at which it ended; empty where the moment never came."""
        return self.last


def changes(operation: str) -> bool:
    """Whether an operation changes anything, in AWS or in Warden's own tables."""
    return not operation.startswith(("Describe", "Get", "List", "Lookup", "Query", "Scan"))
