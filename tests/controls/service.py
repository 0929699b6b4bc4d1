"""The service models in botocore: what operations take, and what they answer."""

from __future__ import annotations

import functools
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate
import botocore.waiter

from warden.gateways.clients import SERVICE_OF


@functools.cache
def model(service: str = "rds") -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(
        botocore.loaders.Loader().load_service_model(service, "service-2"), service
    )


@functools.cache
def waiters(service: str = "rds") -> botocore.waiter.WaiterModel:
    return botocore.waiter.WaiterModel(botocore.loaders.Loader().load_service_model(service, "waiters-2"))


def input_of(operation: str, service: str = "") -> Any:
    """The shape of what an operation takes; of one that Warden calls, the service is known."""
    return model(service or SERVICE_OF.get(operation, "rds")).operation_model(operation).input_shape


@functools.cache
def item_of(describe: str) -> Any:
    """The shape of one item that a Describe operation answers with."""
    output: Any = model(SERVICE_OF[describe]).operation_model(describe).output_shape
    lists = [member for member in output.members.values() if member.type_name == "list"]
    structures = [member for member in output.members.values() if member.type_name == "structure"]
    if len(output.members) == 1 and structures:
        return structures[0]
    if describe in {"DescribeSecret", "GetCallerIdentity"}:
        return output
    [items] = lists
    return items.member


def objections(value: Any, shape: Any) -> str:
    """What is wrong with a value of a shape: types, what is required, and names that the model does not have."""
    report = botocore.validate.ParamValidator().validate(value, shape).generate_report()
    return "\n".join(filter(None, [str(report), *_unknown(value, shape, "")]))


def _unknown(value: Any, shape: Any, path: str) -> list[str]:
    """ParamValidator lets pass what it does not know."""
    if shape.type_name == "structure":
        return [
            text
            for name, item in value.items()
            for text in (
                _unknown(item, shape.members[name], f"{path}.{name}")
                if name in shape.members
                else [f"{path}.{name} is not in the model"]
            )
        ]
    if shape.type_name == "list":
        return [text for n, item in enumerate(value) for text in _unknown(item, shape.member, f"{path}[{n}]")]
    return []
