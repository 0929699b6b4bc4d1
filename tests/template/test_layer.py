"""The layer as Lambda gets it: trimmed, and yet whole for every operation that is called."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.regions import EndpointResolver
from botocore.serialize import create_serializer
from samtranslator.yaml_helper import yaml_parse

from tools.artifact_sizes import zipped_size
from tools.trim_layer import declared_operations, write_versions
from warden.controls import all_controls
from warden.core.version import code_version, package_version

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(botocore.__file__).parent / "data"
SERVICES = sorted(declared_operations())
CALLS = [(service, name) for service in SERVICES for name in sorted(declared_operations()[service])]
EIGHT_MEGABYTES = 8 * 1024 * 1024


def build(directory: Path) -> Path:
    command = [
        "make",
        "--directory",
        str(ROOT / "layers/warden"),
        "build-WardenLayer",
        f"ARTIFACTS_DIR={directory}",
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own build
    assert built.returncode == 0, built.stderr
    return directory / "python"


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("layer"))


@cache
def model_in(data: Path, service: str) -> ServiceModel:
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model(service, "service-2"), service_name=service)


@pytest.fixture
def whole_and_trimmed(layer: Path, request: pytest.FixtureRequest) -> tuple[OperationModel, OperationModel]:
    service, operation = request.param
    whole, trimmed = model_in(INSTALLED, service), model_in(layer / "botocore/data", service)
    return whole.operation_model(operation), trimmed.operation_model(operation)


each_call = pytest.mark.parametrize(
    "whole_and_trimmed", CALLS, indirect=True, ids=[f"{service}-{name}" for service, name in CALLS]
)


def everything(shape: Shape | None, above: tuple[str, ...] = ()) -> Any:
    """Return all that serialising and parsing can read of a shape, to its leaves; a cycle ends in a name."""
    if shape is None or shape.name in above:
        return shape and shape.name
    above = (*above, shape.name)
    parts: dict[str, Any] = {}
    if isinstance(shape, StructureShape):
        parts = {name: everything(member, above) for name, member in shape.members.items()}
    elif isinstance(shape, ListShape):
        parts = {"member": everything(shape.member, above)}
    elif isinstance(shape, MapShape):
        parts = {"key": everything(shape.key, above), "value": everything(shape.value, above)}
    metadata = {name: value for name, value in shape.metadata.items() if name != "deprecatedMessage"}
    return shape.name, shape.type_name, shape.serialization, metadata, parts


def sample(shape: Shape, above: tuple[str, ...] = ()) -> Any:
    """Return a value with every member set (of a union one), but for those that repeat a shape within itself."""
    above = (*above, shape.name)
    if isinstance(shape, StructureShape):
        members = {name: member for name, member in shape.members.items() if member.name not in above}
        if shape.is_tagged_union:
            # Of a union AWS sends exactly one member, and botocore refuses more.
            members = dict(list(members.items())[:1])
        return {name: sample(member, above) for name, member in members.items()}
    if isinstance(shape, ListShape):
        return [] if shape.member.name in above else [sample(shape.member, above)]
    if isinstance(shape, MapShape):
        return {} if shape.value.name in above else {"key": sample(shape.value, above)}
    leaves = {
        "boolean": True,
        "timestamp": datetime(2026, 1, 2, tzinfo=UTC),
        "blob": b"blob",
        "string": shape.name,
    }
    return leaves.get(shape.type_name, 7)


def as_text(value: object) -> str:
    """Return a leaf as AWS writes it in XML and, where JSON has no type for it, in JSON."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def response_to(operation: OperationModel) -> dict[str, Any]:
    """Return an HTTP response as AWS would write it, with every output member set."""
    shape = operation.output_shape
    protocol = operation.service_model.resolved_protocol
    if protocol in {"json", "rest-json"}:
        body = json.dumps(on_the_wire(sample(shape), shape) if shape else {}, default=as_text)
    else:
        assert protocol in {"query", "ec2"}, f"teach this test how {protocol} writes a response"
        inner = "".join(xml(sample(shape), shape)) if shape else ""
        if protocol == "query" and shape and "resultWrapper" in shape.serialization:
            inner = (
                f"<{shape.serialization['resultWrapper']}>{inner}</{shape.serialization['resultWrapper']}>"
            )
        body = f"<R>{inner}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></R>"
    return {"status_code": 200, "headers": {}, "body": body.encode()}


def on_the_wire(value: Any, shape: Shape) -> Any:
    """Return a JSON value under the names that AWS gives its members, which some services spell otherwise."""
    if isinstance(shape, StructureShape):
        return {
            member.serialization.get("name", name): on_the_wire(value[name], member)
            for name, member in shape.members.items()
            if name in value
        }
    if isinstance(shape, ListShape):
        return [on_the_wire(item, shape.member) for item in value]
    if isinstance(shape, MapShape):
        return {name: on_the_wire(item, shape.value) for name, item in value.items()}
    return value


def xml(value: Any, shape: Shape) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            tag = member.serialization.get("name", name)
            flat = isinstance(member, ListShape | MapShape) and member.serialization.get("flattened")
            inner = "".join(xml(value[name], member)) if name in value else ""
            yield inner if flat else f"<{tag}>{inner}</{tag}>"
    elif isinstance(shape, ListShape):
        tag = shape.member.serialization.get("name", "member")
        yield from (f"<{tag}>{''.join(xml(item, shape.member))}</{tag}>" for item in value)
    elif isinstance(shape, MapShape):
        key, item = (
            part.serialization.get("name", name)
            for part, name in ((shape.key, "key"), (shape.value, "value"))
        )
        for name, inner in value.items():
            yield f"<entry><{key}>{name}</{key}><{item}>{''.join(xml(inner, shape.value))}</{item}></entry>"
    else:
        yield as_text(value)


@each_call
def test_a_called_operation_keeps_every_member_of_input_output_and_errors(
    whole_and_trimmed: tuple[OperationModel, OperationModel],
) -> None:
    whole, trimmed = whole_and_trimmed
    assert everything(trimmed.input_shape) == everything(whole.input_shape)
    assert everything(trimmed.output_shape) == everything(whole.output_shape)
    assert [everything(error) for error in trimmed.error_shapes] == [
        everything(error) for error in whole.error_shapes
    ]


@each_call
def test_a_called_operation_is_serialised_the_same(
    whole_and_trimmed: tuple[OperationModel, OperationModel],
) -> None:
    whole, trimmed = (
        create_serializer(
            operation.service_model.resolved_protocol, include_validation=False
        ).serialize_to_request(sample(operation.input_shape) if operation.input_shape else {}, operation)
        for operation in whole_and_trimmed
    )
    assert trimmed == whole


@each_call
def test_a_response_to_a_called_operation_is_parsed_the_same(
    whole_and_trimmed: tuple[OperationModel, OperationModel],
) -> None:
    response = response_to(whole_and_trimmed[0])
    whole, trimmed = (
        create_parser(operation.service_model.resolved_protocol).parse(response, operation.output_shape)  # type: ignore[arg-type]  # None is parsed, the stub forgot it
        for operation in whole_and_trimmed
    )
    assert trimmed == whole
    expected = whole_and_trimmed[0].output_shape
    assert set(trimmed) - {"ResponseMetadata"} == set(expected.members if expected else ())


def test_no_operation_is_kept_that_is_not_called(layer: Path) -> None:
    kept = {service: model_in(layer / "botocore/data", service).operation_names for service in SERVICES}
    assert kept == {service: sorted(names) for service, names in declared_operations().items()}


def test_no_service_is_kept_that_is_not_called(layer: Path) -> None:
    assert sorted(path.name for path in (layer / "botocore/data").iterdir() if path.is_dir()) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_endpoints_are_those_of_the_whole_file_in_every_region(layer: Path, service: str) -> None:
    prefix = model_in(INSTALLED, service).endpoint_prefix
    whole, trimmed = (
        EndpointResolver(json.loads((data / "endpoints.json").read_text()))
        for data in (INSTALLED, layer / "botocore/data")
    )
    assert trimmed.get_available_partitions() == whole.get_available_partitions()
    for partition in whole.get_available_partitions():
        regions = whole.get_available_endpoints(prefix, partition, allow_non_regional=True)
        assert trimmed.get_available_endpoints(prefix, partition, allow_non_regional=True) == regions
        for region in [*regions, "eu-future-9"]:
            assert trimmed.construct_endpoint(prefix, region) == whole.construct_endpoint(prefix, region)


ALONE = """
import importlib, json, pathlib, sys
import botocore.awsrequest, botocore.httpsession, botocore.session

layer = pathlib.Path(sys.argv[1])
operations = json.loads(sys.argv[2])
assert pathlib.Path(botocore.__file__).is_relative_to(layer), botocore.__file__
session = botocore.session.Session()
session.set_credentials("a", "b")
assert pathlib.Path(botocore.httpsession.where()).is_relative_to(layer)
assert pathlib.Path(botocore.httpsession.where()).stat().st_size > 100_000

class Body:
    def __init__(self, content): self.content = content
    def stream(self, **options): yield self.content

for service, names in operations.items():
    client = session.create_client(service, region_name="eu-west-1")
    assert sorted(client.meta.method_to_api_mapping.values()) == sorted(names)
    prefix = client.meta.service_model.endpoint_prefix
    assert client.meta.endpoint_url.startswith(f"https://{prefix}."), client.meta.endpoint_url

rds = session.create_client("rds", region_name="eu-west-1")
def answer(request, **kwargs):
    assert request.url == "https://rds.eu-west-1.amazonaws.com/", request.url
    assert b"Action=DescribeDBClusters" in request.body.encode()
    xml = b'''<DescribeDBClustersResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBClustersResult>
    <DBClusters><DBCluster><DBClusterIdentifier>orders</DBClusterIdentifier><BackupRetentionPeriod>7</BackupRetentionPeriod>
    </DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>'''
    return botocore.awsrequest.AWSResponse(request.url, 200, {}, Body(xml))
rds.meta.events.register("before-send.rds.DescribeDBClusters", answer)
if "DescribeDBClusters" in operations["rds"]:
    cluster = rds.describe_db_clusters()["DBClusters"][0]
    assert cluster == {"DBClusterIdentifier": "orders", "BackupRetentionPeriod": 7}, cluster

for path in sorted((layer / "warden").rglob("*.py")):
    importlib.import_module(".".join(path.relative_to(layer).with_suffix("").parts).removesuffix(".__init__"))
"""


def test_the_layer_works_alone(layer: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(layer),
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-S", "-c", ALONE, str(layer), json.dumps(declared_operations())],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_layer_holds_nothing_that_depends_on_this_machine(layer: Path) -> None:
    unwanted = [
        path.relative_to(layer)
        for path in layer.rglob("*")
        if path.suffix == ".dist-info" or path.name in {"bin", ".lock"}
    ]
    compiled = [path.name for path in layer.rglob("*.so") if "aarch64" not in path.name]
    assert (unwanted, compiled) == ([], [])


def test_bytecode_is_that_of_the_runtime_alone_and_says_where_the_layer_will_be(layer: Path) -> None:
    """Without a Python of the runtime's version on this machine there is none, and the build says so."""
    compiled = list(layer.rglob("*.pyc"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^RUNTIME +:= (\d)\.(\d+)$", makefile, re.MULTILINE)
    assert version is not None
    tag = "".join(("cpython-", *version.groups()))
    assert {path.name.split(".")[1] for path in compiled} <= {tag}
    if compiled:
        assert len(compiled) == len(list(layer.rglob("*.py")))
        path = layer / "warden/__pycache__" / f"wiring.{tag}.pyc"
        # PEP 552: the lowest bit says that it goes by a hash, the next that the hash is to be compared.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 1
        assert b"/opt/python/warden/wiring.py" in path.read_bytes()
        assert str(layer).encode() not in path.read_bytes()


def interpreter() -> str:
    """Lambda's Python, where this machine has one."""
    version = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nRUNTIME      := ")[2].split()[0]
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = shutil.which(f"python{version}", path=os.pathsep.join(map(str, homes.glob(f"{version}.*/bin"))))
    found = found or shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"no Python {version} is here")
    return found


def test_lambdas_python_takes_the_bytecode_of_an_unzipped_layer_whatever_its_times(
    layer: Path, tmp_path: Path
) -> None:
    python = interpreter()
    shutil.make_archive(str(tmp_path / "layer"), "zip", layer)
    shutil.unpack_archive(tmp_path / "layer.zip", tmp_path / "python")
    for number, path in enumerate(sorted((tmp_path / "python").rglob("*.py"))):
        os.utime(path, (number, number))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "python"), "HOME": str(tmp_path)}
    done = subprocess.run(  # noqa: S603 - our own layer
        [python, "-v", "-S", "-c", "import warden.telemetry, warden.wiring, warden.pipeline.evaluate"],
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = re.findall(rf"# code object from '?({re.escape(str(tmp_path))}[^'\n]*)", done.stderr)
    assert len(loaded) > 150
    assert {Path(path).suffix for path in loaded} == {".pyc"}


def test_the_layer_says_which_code_it_is_without_reading_it(layer: Path, tmp_path: Path) -> None:
    versions = json.loads((layer / "warden/versions.json").read_text(encoding="utf-8"))
    assert versions["package"] == package_version()
    assert versions["controls"] == {one.module: code_version(one.module) for one in all_controls()}
    (tmp_path / "warden").mkdir()
    with pytest.raises(ValueError, match="is not a copy of"):
        write_versions(tmp_path / "warden")
    code = (
        "import pathlib; pathlib.Path.read_bytes = None\n"
        "from warden.core.version import code_version, package_version\n"
        f"print(package_version(), code_version({all_controls()[0].module!r}))"
    )
    done = subprocess.run(  # noqa: S603 - our own layer
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(layer), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [package_version(), code_version(all_controls()[0].module)]


def test_building_again_gives_the_same_files(layer: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    names = sorted(path.relative_to(layer) for path in layer.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    _, different, unreadable = filecmp.cmpfiles(layer, again, names, shallow=False)
    assert (different, unreadable) == ([], [])


def test_evaluate_with_its_layers_is_well_below_eight_megabytes(layer: Path, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "functions/evaluate", tmp_path / "function", ignore=shutil.ignore_patterns("__pycache__")
    )
    size = (
        zipped_size(layer.parent) + zipped_size(tmp_path / "function") + zipped_size(ROOT / "layers/policy")
    )
    assert size < EIGHT_MEGABYTES, f"{size / 1024:,.0f} kB zipped"


def test_the_layer_is_built_for_the_runtime_and_architecture_of_the_functions(layer: Path) -> None:
    functions = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Globals"]["Function"]
    makefile = (ROOT / "layers/warden/Makefile").read_text(encoding="utf-8")
    version = functions["Runtime"].removeprefix("python")
    [platform] = [{"arm64": "aarch64", "x86_64": "x86_64"}[name] for name in functions["Architectures"]]
    assert f"--python-version {version} --python-platform {platform}-manylinux2014" in makefile
    assert f"RUNTIME      := {version}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    compiling = (ROOT / "tools/runtime.mk").read_text(encoding="utf-8")
    assert f"python find --no-project --system {version} " in compiling
    assert f"versions/{version}.*/bin/python{version} " in compiling
