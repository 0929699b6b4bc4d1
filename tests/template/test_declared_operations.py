"""Every AWS operation that the gateways call is declared: the layer's botocore is trimmed to those."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from warden.gateways import clients
from warden.gateways.clients import OPERATIONS

GATEWAYS = Path(clients.__file__).parent


@cache
def methods(service: str) -> dict[str, str]:
    """Return the operation of each method that a client of the service has."""
    names = botocore.session.get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def called(source: str, known: set[str]) -> set[str]:
    """Return the client methods that the source names: attributes, and text for getattr or a paginator."""
    nodes = list(ast.walk(ast.parse(source)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return (attributes | texts) & known


def test_calls_are_found_however_they_are_written() -> None:
    source = 'c.get_item(Key=1)\nc.get_paginator("query")\ngetattr(c, "put_item")()\nscanned = "scan it"'
    assert called(source, {"get_item", "query", "put_item", "scan"}) == {"get_item", "query", "put_item"}


@pytest.mark.parametrize("path", sorted(GATEWAYS.rglob("*.py")), ids=lambda path: path.stem)
def test_every_operation_that_a_gateway_calls_is_declared(path: Path) -> None:
    by_method = {method: name for service in OPERATIONS for method, name in methods(service).items()}
    declared = {name for names in OPERATIONS.values() for name in names}
    assert {
        by_method[method] for method in called(path.read_text(encoding="utf-8"), set(by_method))
    } <= declared


def test_no_service_is_declared_with_an_operation_that_it_does_not_have() -> None:
    unknown = {service: set(names) - set(methods(service).values()) for service, names in OPERATIONS.items()}
    assert unknown == {service: set() for service in OPERATIONS}
