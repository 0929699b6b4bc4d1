"""Cut a botocore service model down to the operations that are called, losing nothing that a call needs.

boto3 with its data is 17 MB zipped, nearly all of it models of services and operations that are never called,
and documentation. What is left here is complete for what is called: every shape that can be reached from the
input, the output or an error of a kept operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

# Keys that botocore reads only to render docstrings.
_PROSE = ("documentation", "documentationUrl", "examples", "deprecatedMessage", "deprecatedSince")


class UnknownOperationError(LookupError):
    """An operation is declared that the service's model does not have."""


def trim_service(model: Mapping[str, Any], operations: Sequence[str]) -> dict[str, Any]:
    """Return the model with these operations, the shapes that they reach, and no prose."""
    unknown = sorted(set(operations) - model["operations"].keys())
    if unknown:
        service = model["metadata"].get("serviceId", "service")
        raise UnknownOperationError(f"{service} has no operation {', '.join(unknown)}")
    kept = {name: _without_prose(model["operations"][name]) for name in sorted(operations)}
    shapes = {name: _shape(model["shapes"][name]) for name in sorted(_reachable(model, kept))}
    rest = {key: value for key, value in model.items() if key not in {"operations", "shapes", *_PROSE}}
    return {**rest, "operations": kept, "shapes": shapes}


def trim_paginators(paginators: Mapping[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """Return the paginators of these operations."""
    kept = {name: value for name, value in paginators["pagination"].items() if name in operations}
    return {**paginators, "pagination": kept}


def trim_endpoints(endpoints: Mapping[str, Any], endpoint_prefixes: Collection[str]) -> dict[str, Any]:
    """Return the partitions with all their Regions, and the endpoints of these services alone.

    The whole file is 1.2 MB of JSON, which botocore parses at every cold start.
    """
    partitions = [
        {
            **partition,
            "services": {
                name: value for name, value in partition["services"].items() if name in endpoint_prefixes
            },
        }
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _reachable(model: Mapping[str, Any], operations: Mapping[str, Any]) -> set[str]:
    """Return the names of the shapes that the operations reach, directly or through other shapes."""
    waiting = [
        reference["shape"] for operation in operations.values() for reference in _references(operation)
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        shape = model["shapes"][name]
        waiting.extend(member["shape"] for member in shape.get("members", {}).values())
        waiting.extend(shape[part]["shape"] for part in ("member", "key", "value") if part in shape)
    return reached


def _references(operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the references to shapes that an operation makes itself."""
    one = [operation[part] for part in ("input", "output") if part in operation]
    return [*one, *operation.get("errors", [])]


def _shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shape without prose; a *member* that happens to be called `documentation` stays."""
    plain = _without_prose(shape)
    if "members" in plain:
        plain["members"] = {name: _without_prose(member) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in plain:
            plain[part] = _without_prose(shape[part])
    return plain


def _without_prose(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node without the keys that only documentation is made of."""
    return {key: value for key, value in node.items() if key not in _PROSE}
