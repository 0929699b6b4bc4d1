"""The harness itself, on a handler of its own: what it says of the built functions can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.rie import EmulatedFunction, Function, unpack_layers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("emulation")]

APP = """
import os, sys, time
from importlib.util import find_spec
from pathlib import Path
import from_a_layer
calls = 0

def handler(event, context):
    global calls
    calls += 1
    if event.get("raise"):
        raise LookupError("no such cluster")
    if event.get("hang"):
        time.sleep(60)
    print("handled", event)
    return {
        "calls": calls,
        "name": context.function_name,
        "layer": from_a_layer.NAME,
        "policy": Path(os.environ["POLICY"]).read_text(),
        "stage": os.environ["STAGE"],
        "secret": os.environ.get("NOT_FOR_LAMBDA"),
        "third_party": [name for name in ("boto3", "pytest", "moto") if find_spec(name)],
    }
"""


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Function:
    root = tmp_path_factory.mktemp("emulator")
    files = {
        "code/app.py": APP,
        "layer-1/python/from_a_layer.py": "NAME = 'below'",
        "layer-2/policy/policy.toml": "mode = 'observe'",
        "layer-2/python/from_a_layer.py": "NAME = 'above'",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Function(
        name="aurora-warden-example",
        code=root / "code",
        opt=unpack_layers([root / "layer-1", root / "layer-2"], into=root / "opt"),
        environment={"POLICY": "/opt/policy/policy.toml", "STAGE": "test"},
        timeout=2,
    )


@pytest.fixture
def running(
    function: Function, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmulatedFunction]:
    monkeypatch.setenv("NOT_FOR_LAMBDA", "x")
    with EmulatedFunction(function, scratch=tmp_path) as emulated:
        yield emulated


def test_a_handler_sees_its_layers_its_variables_and_nothing_of_this_machine(
    running: EmulatedFunction,
) -> None:
    assert running.invoke({"id": 1}).payload == {
        "calls": 1,
        "name": "aurora-warden-example",
        "layer": "above",
        "policy": "mode = 'observe'",
        "stage": "test",
        "secret": None,
        "third_party": [],
    }
    assert "handled {'id': 1}" in running.logs


def test_an_execution_environment_stays_warm_between_invocations(running: EmulatedFunction) -> None:
    assert [running.invoke({}).payload["calls"] for _ in range(3)] == [1, 2, 3]


def test_an_exception_of_the_handler_is_the_answer(running: EmulatedFunction) -> None:
    answer = running.invoke({"raise": True})
    assert answer.error_type == "LookupError"
    assert answer.payload["errorMessage"] == "no such cluster"
    assert running.invoke({}).error_type is None


def test_a_handler_that_hangs_is_stopped_at_its_timeout(running: EmulatedFunction) -> None:
    assert "Task timed out after 2.00 seconds" in running.invoke({"hang": True}).payload


def test_a_handler_that_cannot_be_imported_is_an_error_and_not_a_hang(
    function: Function, tmp_path: Path
) -> None:
    empty = tmp_path / "opt"
    empty.mkdir()
    broken = Function(name="broken", code=function.code, opt=empty, environment={}, timeout=2)
    with EmulatedFunction(broken, scratch=tmp_path) as emulated:
        assert emulated.invoke({}).error_type == "Runtime.ImportModuleError"


def test_no_bytecode_is_left_in_the_artifact(running: EmulatedFunction, function: Function) -> None:
    running.invoke({})
    assert list(function.code.rglob("*.pyc")) == []
