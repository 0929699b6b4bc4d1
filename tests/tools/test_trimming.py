from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore
import dateutil
import pytest
import urllib3
from botocore import handlers

from tools.service_model import UnknownOperationError, trim_endpoints, trim_paginators, trim_service
from tools.strip_examples import without_examples
from tools.trim_packages import defer_parser, drop_docstrings, drop_http2, trim_handlers
from warden.controls import all_controls

MODEL = {
    "version": "2.0",
    "metadata": {"serviceId": "Made Up"},
    "documentation": "About the service.",
    "operations": {
        "Describe": {
            "name": "Describe",
            "documentation": "About.",
            "input": {"shape": "In"},
            "output": {"shape": "Out", "resultWrapper": "R"},
            "errors": [{"shape": "Fault"}],
        },
        "Delete": {"name": "Delete", "input": {"shape": "Other"}},
    },
    "shapes": {
        "In": {
            "type": "structure",
            "members": {"documentation": {"shape": "Text", "documentation": "A member!"}},
        },
        "Out": {"type": "structure", "members": {"Tree": {"shape": "Tree"}, "Map": {"shape": "Map"}}},
        "Tree": {
            "type": "structure",
            "members": {"Children": {"shape": "Trees"}},
            "documentation": "Recursive.",
        },
        "Trees": {"type": "list", "member": {"shape": "Tree", "locationName": "T"}},
        "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Number"}},
        "Text": {"type": "string"},
        "Number": {"type": "integer"},
        "Fault": {"type": "structure", "members": {}, "exception": True},
        "Other": {"type": "structure", "members": {}},
    },
}


def test_a_trimmed_model_has_the_shapes_that_its_operations_reach_and_no_other() -> None:
    trimmed = trim_service(MODEL, ["Describe"])
    assert sorted(trimmed["operations"]) == ["Describe"]
    assert sorted(trimmed["shapes"]) == ["Fault", "In", "Map", "Number", "Out", "Text", "Tree", "Trees"]
    assert trimmed["metadata"] == MODEL["metadata"]


def test_prose_goes_and_a_member_called_documentation_stays() -> None:
    trimmed = trim_service(MODEL, ["Describe"])
    assert "documentation" not in trimmed
    assert "documentation" not in trimmed["operations"]["Describe"]
    assert "documentation" not in trimmed["shapes"]["Tree"]
    assert trimmed["shapes"]["In"]["members"] == {"documentation": {"shape": "Text"}}


def test_the_model_that_was_given_is_not_changed() -> None:
    trim_service(MODEL, ["Describe"])
    assert MODEL["documentation"] == "About the service."
    assert MODEL["shapes"]["Tree"]["documentation"] == "Recursive."  # type: ignore[index]  # a literal, typed loosely


def test_an_operation_that_the_service_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(UnknownOperationError, match="Made Up has no operation Reboot"):
        trim_service(MODEL, ["Describe", "Reboot"])


def test_paginators_of_other_operations_go() -> None:
    assert trim_paginators({"pagination": {"A": {"x": 1}, "B": {}}}, ["A"]) == {"pagination": {"A": {"x": 1}}}


def test_regions_stay_when_services_go() -> None:
    partition = {"partition": "aws", "regions": {"eu-west-1": {}}, "services": {"rds": {}, "ec2": {}}}
    trimmed = trim_endpoints({"version": 3, "partitions": [partition]}, ["rds"])
    assert trimmed["partitions"] == [{**partition, "services": {"rds": {}}}]


_CLIENT = """
import sys
import botocore
from botocore.session import Session
client = Session().create_client("sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="s")
assert botocore.__file__.startswith(sys.path[0]), botocore.__file__
print(repr(str(client.get_caller_identity.__doc__)), client.can_paginate("get_caller_identity"))
"""


def test_without_its_docstrings_botocore_makes_clients_all_the_same(tmp_path: Path) -> None:
    copied = tmp_path / "botocore"
    shutil.copytree(
        Path(botocore.__file__).parent, copied, ignore=shutil.ignore_patterns("data", "__pycache__")
    )
    (copied / "data").symlink_to(Path(botocore.__file__).parent / "data")
    drop_docstrings(copied / "docs")
    assert sorted(path.name for path in (copied / "docs").iterdir()) == [
        "__init__.py",
        "docstring.py",
        "utils.py",
    ]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{_CLIENT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.strip() == "'' False"


def test_without_its_http2_urllib3_connects_all_the_same(tmp_path: Path) -> None:
    shutil.copytree(Path(urllib3.__file__).parent, tmp_path / "urllib3")
    drop_http2(tmp_path / "urllib3" / "http2")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import socket, threading, urllib3\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "def serve():\n"
        "    accepted, _ = listening.accept()\n"
        "    accepted.recv(65536)\n"
        "    accepted.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok')\n"
        "threading.Thread(target=serve).start()\n"
        "answer = urllib3.request('GET', f'http://127.0.0.1:{listening.getsockname()[1]}/')\n"
        "print(answer.data.decode(), urllib3.__file__, 'importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.split() == ["ok", str(tmp_path / "urllib3" / "__init__.py"), "False"]


def test_dateutil_parses_all_the_same_once_something_is_parsed(tmp_path: Path) -> None:
    shutil.copytree(Path(dateutil.__file__).parent, tmp_path / "dateutil")
    defer_parser(tmp_path / "dateutil" / "parser")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import botocore.utils, botocore.credentials\n"
        "print('dateutil.parser._parser' in sys.modules)\n"
        "for text in ('Mon, 02 Mar 2026 04:05:06 GMT', '2026-03-02T04:05:06Z', '1772424306'):\n"
        "    print(botocore.utils.parse_timestamp(text).astimezone().timestamp())\n"
        "print(botocore.credentials.parse('2026-03-02T04:05:06Z').timestamp())\n"
        "try:\n    botocore.utils.parse_timestamp('no time')\n"
        "except ValueError as error:\n    print(error)\n"
        "print(sys.modules['dateutil'].__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    first, *moments, wrong, file = done.stdout.splitlines()
    assert first == "False"
    assert moments == ["1772424306.0"] * 4
    assert "Invalid timestamp" in wrong
    assert file.startswith(str(tmp_path))


def test_of_botocores_handlers_those_of_our_services_and_of_all_stay_in_their_order() -> None:
    source = Path(handlers.__file__).read_text(encoding="utf-8")

    def listed(text: str) -> list[tuple[str, object, int]]:
        # Of the source: moto adds handlers of its own to the module.
        module: dict[str, Any] = {"__name__": "botocore.handlers"}
        exec(text, module)  # noqa: S102 - botocore's own source
        return [
            (one[0], getattr(one[1], "__qualname__", type(one[1]).__name__), len(one))
            for one in module["BUILTIN_HANDLERS"]
        ]

    whole, kept = listed(source), listed(trim_handlers(source, {"rds", "ec2", "iam"}))
    assert [one for one in whole if one in kept] == kept
    gone = {one[0] for one in whole if one not in kept}
    assert not {event for event in gone if len(event.split(".")) == 1}
    assert not {event for event in gone if event.split(".")[1] in {"*", "rds", "ec2", "iam"}} - {
        event for event in gone if event.startswith("docs.")
    }
    assert {"before-parameter-build.s3.UploadPart", "before-call.apigateway"} <= gone


@pytest.mark.parametrize(
    "source", ["HANDLERS = []", "BUILTIN_HANDLERS = tuple()", "BUILTIN_HANDLERS = [one]"]
)
def test_handlers_that_are_not_as_expected_stop_the_build(source: str) -> None:
    with pytest.raises(ValueError, match="botocore"):
        trim_handlers(source, {"rds"})


def test_a_control_without_its_examples_is_the_same_control_on_the_same_lines() -> None:
    for control in all_controls():
        source = Path(sys.modules[control.module].__file__ or "").read_text(encoding="utf-8")
        stripped = without_examples(source)
        module: dict[str, Any] = {"__name__": control.module}
        exec(compile(stripped, control.module, "exec"), module)  # noqa: S102 - our own control
        made = module["CONTROL"]
        assert made.examples == ()
        assert len(stripped.splitlines()) == len(source.splitlines())
        for name in (
            "id",
            "title",
            "resource_type",
            "severity",
            "fix",
            "frameworks",
            "needs",
            "settings",
            "silent",
        ):
            assert getattr(made, name) == getattr(control, name), (control.id, name)
        assert made.evaluate.__code__.co_firstlineno == control.evaluate.__code__.co_firstlineno
        assert made.evaluate.__code__.co_code == control.evaluate.__code__.co_code


@pytest.mark.parametrize(
    "source", ["CONTROL = Control(id=1)", "A = Control(examples=())\nB = Control(examples=())"]
)
def test_a_control_whose_examples_are_not_found_stops_the_build(source: str) -> None:
    with pytest.raises(ValueError, match="not one"):
        without_examples(source)
