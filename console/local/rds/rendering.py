"""From moto's objects to AWS's members, and from whole lists to pages."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from moto.core.serialize import AttributePickerContext, XFormedAttributePicker

from console.local.rds.call import Call, invalid
from console.local.rds.registry import Correction, Presenter, Topic

_LEAST, _MOST = 20, 100


def page(call: Call, operation: Any, result: dict[str, Any]) -> dict[str, Any]:
    """Cut an answer to the page that was asked for, if the operation has pages."""
    shape = operation.output_shape
    if shape is None or operation.input_shape is None or "MaxRecords" not in operation.input_shape.members:
        return result
    if "Marker" not in shape.members:
        wrapped = [
            (name, member)
            for name, member in shape.members.items()
            if member.type_name == "structure" and "Marker" in member.members
        ]
        if not wrapped:
            return result
        name, inner = wrapped[0]
        return {**result, name: _cut(call, inner, result[name])}
    return _cut(call, shape, result)


def _cut(call: Call, shape: Any, result: dict[str, Any]) -> dict[str, Any]:
    most = call.get("MaxRecords", _MOST)
    if not _LEAST <= most <= _MOST:
        invalid(f"Invalid value {most} for MaxRecords. Must be between {_LEAST} and {_MOST}")
    names = [name for name, member in shape.members.items() if member.type_name == "list"]
    if len(names) != 1:
        return result
    first = _place(call)
    everything = list(result.get(names[0]) or [])
    cut = {**result, names[0]: everything[first : first + most], "Marker": None}
    if first + most < len(everything):
        cut["Marker"] = base64.b64encode(f"{call.operation}:{first + most}".encode()).decode()
    return cut


def _place(call: Call) -> int:
    marker = call.get("Marker")
    if not marker:
        return 0
    try:
        operation, _, place = base64.b64decode(marker, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        operation, place = "", ""
    if operation != call.operation or not place.isdecimal():
        invalid("Invalid or expired marker.")
    return int(place)


def render(
    call: Call, operation: Any, presenters: dict[str, Presenter], result: dict[str, Any]
) -> dict[str, Any]:
    """Turn an answer with moto's objects in it into plain members of the API's."""
    if operation.output_shape is None:
        return {}
    rendered = _Renderer(call, operation, presenters).structure(operation.output_shape, result)
    return {} if rendered is None else rendered


class _Renderer:
    """Walks an output shape; what has a presenter is presented, everything else is picked as moto would."""

    def __init__(self, call: Call, operation: Any, presenters: dict[str, Presenter]) -> None:
        self._call = call
        self._operation = operation
        self._presenters = presenters
        self._pick = XFormedAttributePicker()

    def structure(self, shape: Any, value: Any) -> dict[str, Any]:
        presenter = self._presenters.get(shape.name)
        if presenter is not None and not isinstance(value, dict):
            value = presenter(self._call, value)
        is_plain = isinstance(value, dict) and all(name in shape.members for name in value)
        item: dict[str, Any] = {}
        for name, member in shape.members.items():
            found = value.get(name) if is_plain else self._picked(shape, member, value, name)
            if found is not None:
                item[name] = self.value(member, found)
        return item

    def value(self, shape: Any, value: Any) -> Any:
        if shape.type_name == "structure":
            return self.structure(shape, value)
        if shape.type_name == "list":
            return [self.value(shape.member, one) for one in value]
        if shape.type_name == "map":
            return {key: self.value(shape.value, one) for key, one in value.items()}
        return value

    def _picked(self, shape: Any, member: Any, value: Any, name: str) -> Any:
        member.parent = shape
        return self._pick(
            AttributePickerContext(
                obj=value,
                key=name,
                shape=member,
                operation_model=self._operation,
                service_model=self._operation.service_model,
                key_path=f"{self._operation.name}.{shape.name}",
            )
        )


TOPIC = Topic(
    name="rendering",
    corrections=(
        Correction(
            name="pages",
            why="moto answers most lists in one piece, so nothing learns to turn the page",
            reference="DescribeDBClustersMessage.MaxRecords",
            words=(
                "If more records exist than the specified MaxRecords value, a pagination token called a marker is"
                " included in the response so you can retrieve the remaining results. Default: 100 Constraints:"
                " Minimum 20, maximum 100"
            ),
        ),
        Correction(
            name="markers",
            why="moto ignores a marker and starts again",
            reference="DescribeDBClusterSnapshotsMessage.Marker",
            words=(
                "If this parameter is specified, the response includes only records beyond the marker, up to the"
                " value specified by MaxRecords."
            ),
        ),
    ),
)
