"""Our reading of XML answers is botocore's: each operation that we call, with every member that its model has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest
from botocore.parsers import ResponseParserError, ResponseParserFactory
from botocore.session import Session

from warden.gateways.clients import OPERATIONS, moment
from warden.gateways.xml_answers import Parsers

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

_SESSION = Session()
_TEXTS = {"boolean": "true", "integer": "7", "long": "8", "float": "1.5", "double": "2.5"}
_TEXTS |= {"timestamp": "2026-11-24T10:00:00.123Z", "blob": "aGk="}


def _models() -> list[OperationModel]:
    models = []
    for service, operations in OPERATIONS.items():
        model = _SESSION.get_service_model(service)
        if model.protocol in {"query", "ec2"}:
            models += [model.operation_model(name) for name in operations]
    return models


def _element(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"


def _inside(shape: Shape, depth: int) -> str:
    """All members of a shape, lists with two items, to a depth."""
    deepest = depth > 7
    match "" if deepest and shape.type_name in {"structure", "list", "map"} else shape.type_name:
        case "":
            return ""
        case "structure":
            return (
                "".join(_member(name, of, depth) for name, of in shape.members.items())
                + "<NobodyKnowsThis>1</NobodyKnowsThis>"
            )
        case "list":
            return 2 * _element(
                shape.member.serialization.get("name", "member"), _inside(shape.member, depth + 1)
            )
        case "map":
            key = _element(shape.key.serialization.get("name", "key"), "k")
            return _element("entry", key + _element(shape.value.serialization.get("name", "value"), "v"))
    return escape(_TEXTS.get(shape.type_name, "a & <b>"))


def _member(name: str, shape: Shape, depth: int) -> str:
    called = shape.serialization.get("name", name)
    if shape.serialization.get("flattened") and shape.type_name == "list":
        called = shape.member.serialization.get("name", called)
        return 2 * _element(called, _inside(shape.member, depth + 1))
    return _element(called, _inside(shape, depth + 1))


def _answer(operation: OperationModel, inside: str) -> bytes:
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    body = _element(wrapper, inside) if wrapper else inside
    request = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata><requestId>r</requestId>"
    return f'<Answer xmlns="http://example.com/doc/">{body}{request}</Answer>'.encode()


def _both(operation: OperationModel, body: bytes, status: int = 200) -> tuple[Any, Any]:
    answers = []
    for factory in (Parsers(), ResponseParserFactory()):
        factory.set_parser_defaults(timestamp_parser=moment)
        parser = factory.create_parser(operation.service_model.protocol)
        response = {"status_code": status, "headers": {"x": "y"}, "body": body}
        answers.append(parser.parse(response, operation.output_shape))
    return answers[0], answers[1]


def test_each_answer_is_read_as_botocore_reads_it() -> None:
    models = [model for model in _models() if model.output_shape is not None]
    assert len(models) > 40
    for operation in models:
        full = _inside(operation.output_shape, 0)
        for inside in (full, ""):
            ours, botocores = _both(operation, _answer(operation, inside))
            assert ours == botocores, operation.name


def test_an_element_that_comes_twice_is_read_as_botocore_reads_it() -> None:
    operation = _SESSION.get_service_model("rds").operation_model("DescribeDBClusters")
    twice = "<DBClusters><DBCluster><Engine>a</Engine></DBCluster></DBClusters>"
    twice += "<DBClusters><DBCluster><Engine>b</Engine></DBCluster></DBClusters>"
    ours, botocores = _both(operation, _answer(operation, twice))
    assert ours == botocores


@pytest.mark.parametrize("service", ["rds", "ec2"])
def test_errors_are_read_as_botocore_reads_them(service: str) -> None:
    operation = _SESSION.get_service_model(service).operation_model(
        {"rds": "DescribeDBClusters", "ec2": "DescribeSecurityGroups"}[service]
    )
    error = "<Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
    body = f"<Response><Errors>{error}</Errors>{error}<RequestID>r</RequestID><RequestId>r</RequestId></Response>"
    ours, botocores = _both(operation, body.encode(), status=400)
    assert ours == botocores
    assert ours["Error"]["Code"] == "Throttling"


def test_half_an_answer_is_no_answer() -> None:
    operation = _SESSION.get_service_model("rds").operation_model("DescribeDBClusters")
    with pytest.raises(ResponseParserError):
        _both(operation, b"<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters>")
