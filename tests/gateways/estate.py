"""A local AWS with the real reader, judge and writer over it: real resources, judged, fixed, judged again."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from console.local.aws import LocalAws
from warden.controls import all_controls
from warden.core.evaluation import Evaluation, evaluate, plan
from warden.core.kinds import KINDS
from warden.core.plan import Manual, Plan
from warden.core.resource import Deployment, ResourceRef
from warden.gateways.clients import Clients
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader
from warden.gateways.rds_writer import RdsWriter

if TYPE_CHECKING:
    from types import TracebackType

    from console.local.rds.state import Clock
    from warden.core.control import Control
    from warden.core.plan import Call
    from warden.core.resource import Resource

REGION = "eu-west-1"
CONTROLS = {control.id: control for control in all_controls()}


class Estate(AbstractContextManager["Estate"]):
    """One account in one Region, with eyes and hands."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.aws = LocalAws(region=REGION, clock=clock)

    def __enter__(self) -> Self:
        self.aws.__enter__()
        self._api = Rds(Clients(account=self.aws.account), account=self.aws.account, region=REGION)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.aws.__exit__(kind, error, trace)

    def client(self, service: str) -> Any:
        """A boto3 client of somebody who is not Warden."""
        return self.aws.client(service)

    def reader(self, *, bulk: bool = False) -> RdsReader:
        """The reader that the functions use."""
        return RdsReader(
            self._api,
            deployment=Deployment(self.aws.account, REGION),
            clock=self.aws.clock.now,
            bulk=bulk,
        )

    def writer(self) -> RdsWriter:
        """The writer that `remediate` uses, which refuses what no control declares."""
        return RdsWriter(self._api)

    def read(self, control: Control, arn: str) -> Resource:
        """A resource with what the control, its plan and its guard need."""
        more = control.remediation.needs if control.remediation is not None else ()
        return self.reader().read(ResourceRef.from_arn(arn), (*control.needs, *more))

    def judged(self, control_id: str, arn: str, **settings: Any) -> Evaluation:
        """What a control says of a resource now, alone and, the same, within a sweep."""
        control = CONTROLS[control_id]
        wanted = {**control.defaults(), **settings}
        found = evaluate(control, self.read(control, arn), wanted)
        swept = {
            resource.ref.arn: evaluate(control, resource, wanted)
            for resource in self.reader(bulk=True).list(control.resource_type, control.needs)
        }
        assert (swept[arn].compliance, swept[arn].annotation) == (found.compliance, found.annotation)
        assert found.error == ""
        return found

    def listed(self, control_id: str) -> list[str]:
        """The ids of what a sweep judges with a control."""
        kind = CONTROLS[control_id].resource_type
        assert KINDS[kind].resource_type is kind
        return sorted(resource.ref.id for resource in self.reader(bulk=True).list(kind, ()))

    def planned(self, control_id: str, arn: str, **settings: Any) -> Plan | Manual:
        """What the control's remediation would write."""
        control = CONTROLS[control_id]
        return plan(control, self.read(control, arn), {**control.defaults(), **settings})

    def apply(self, control_id: str, arn: str, call: Call) -> None:
        """Make one call through the write guard, for a control."""
        control = CONTROLS[control_id]
        assert control.remediation is not None
        self.writer().apply(call, self.read(control, arn), control.remediation.permits)

    def fixed(self, control_id: str, arn: str, **settings: Any) -> Evaluation:
        """Apply the plan through the write guard, and judge again."""
        planned = self.planned(control_id, arn, **settings)
        assert isinstance(planned, Plan), planned
        for call in planned.calls:
            self.apply(control_id, arn, call)
        return self.judged(control_id, arn, **settings)
