"""Trim a directory of installed packages to what the Lambda functions use; run by layers/warden/Makefile.

    python -m tools.trim_layer BUILD/WardenLayer/python

| what | becomes |
| --- | --- |
| botocore's service models | the operations of `warden.gateways.clients`, with every shape they reach |
| its endpoints | every Region, those services |
| paginators | of those operations; waiters and examples go, for nothing here waits in a Lambda function |
| what a start imports for nothing | less: see `tools/trim_packages.py` |
| Warden's own code | with `versions.json`, by which the ledger says what judged and what wrote |
| its controls | without their examples, which are tests |
| `*.dist-info`, `bin`, `__pycache__` | gone |

Other code is left alone, and so is botocore's cacert.pem, without which no TLS connection is verified. The Makefile
compiles what is left: see `tools/runtime.mk`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader
from botocore.utils import hyphenize_service_id

import warden
from tools.service_model import trim_endpoints, trim_paginators, trim_service
from tools.strip_examples import strip_examples
from tools.trim_packages import trim_packages
from warden.controls import all_controls
from warden.core.version import VERSIONS, code_version, package_version
from warden.gateways.clients import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Read once when a client is made; the rest of botocore/data is one directory per service.
_GLOBAL_FILES = ("partitions.json", "sdk-default-configuration.json", "_retry.json")
_ENDPOINT_RULES = "endpoint-rule-set-1"
_JUNK = ("**/__pycache__", "**/*.pyc", "*.dist-info", "bin", ".lock")


def trim(python: Path, operations: Mapping[str, Sequence[str]]) -> None:
    """Trim the directory in place: botocore to these operations."""
    _drop_junk(python)
    services = trim_botocore(python / "botocore" / "data", operations)
    trim_packages(python, services)
    write_versions(python / "warden")
    strip_examples(python / "warden" / "controls")


def write_versions(package: Path) -> None:
    """Write down which code this is; raises ValueError where it is not the code that builds the layer."""
    ours = Path(warden.__path__[0])
    if differing := _differing(ours, package):
        msg = f"{package} is not a copy of {ours}: {', '.join(differing)}"
        raise ValueError(msg)
    controls = {control.module: code_version(control.module) for control in all_controls()}
    write_json(package / VERSIONS, {"package": package_version(), "controls": controls})


def _differing(ours: Path, copied: Path) -> list[str]:
    """The modules that two copies of the package do not have alike."""
    names = {path.relative_to(root).as_posix() for root in (ours, copied) for path in root.rglob("*.py")}
    return sorted(
        name
        for name in names
        if not ((ours / name).is_file() and (copied / name).is_file())
        or (ours / name).read_bytes() != (copied / name).read_bytes()
    )


def trim_botocore(data: Path, operations: Mapping[str, Sequence[str]]) -> set[str]:
    """Rewrite botocore's data directory so that it holds these services and operations alone.

    Returns all names that botocore has for these services. Files are written uncompressed: the zip compresses
    them anyway, and a cold start need not gunzip them.
    """
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    trimmed = data.with_name("data.trimmed")
    shutil.rmtree(trimmed, ignore_errors=True)
    written = write_services(loader, trimmed, operations)
    prefixes = {one["endpointPrefix"] for one in written}
    write_json(trimmed / "endpoints.json", trim_endpoints(loader.load_data("endpoints"), prefixes))
    for name in _GLOBAL_FILES:
        shutil.copyfile(data / name, trimmed / name)
    shutil.rmtree(data)
    trimmed.rename(data)
    ids = {hyphenize_service_id(one["serviceId"]) for one in written}
    return {*operations, *prefixes, *ids, *(one.get("signingName", "") for one in written)} - {""}


def write_services(
    loader: Loader, data: Path, operations: Mapping[str, Sequence[str]]
) -> list[Mapping[str, Any]]:
    """Write the models of these services, cut to these operations; returns what they say of themselves."""
    written = []
    for service, names in operations.items():
        model = loader.load_service_model(service, "service-2")
        written.append(model["metadata"])
        directory = data / service / loader.determine_latest_version(service, "service-2")
        write_json(directory / "service-2.json", trim_service(model, names))
        write_json(directory / f"{_ENDPOINT_RULES}.json", loader.load_service_model(service, _ENDPOINT_RULES))
        paginators = trim_paginators(_paginators(loader, service), names)
        if paginators["pagination"]:
            write_json(directory / "paginators-1.json", paginators)
    return written


def declared_operations() -> dict[str, tuple[str, ...]]:
    """Return the operations that the gateways call, by service, as they declare them."""
    return dict(OPERATIONS)


def main(argv: Sequence[str] | None = None) -> int:
    """Trim the directory that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.trim_layer", description="Trim a layer's packages."
    )
    parser.add_argument("python", type=Path, help="the layer's `python` directory, packages installed")
    arguments = parser.parse_args(argv)
    python = arguments.python
    before = _size(python)
    trim(python, declared_operations())
    print(f"trimmed {python.name}: {before // 1024:,} kB to {_size(python) // 1024:,} kB, unzipped")
    return 0


def _paginators(loader: Loader, service: str) -> Mapping[str, Any]:
    """Return a service's paginators; not every service has them."""
    try:
        paginators: Mapping[str, Any] = loader.load_service_model(service, "paginators-1")
    except DataNotFoundError:
        return {"pagination": {}}
    return paginators


def _drop_junk(python: Path) -> None:
    """Remove what an installation leaves that no import reads."""
    for path in [path for pattern in _JUNK for path in python.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON without spaces to a new file: installed files may be links into a cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


def _size(directory: Path) -> int:
    """Return the bytes of all files below the directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
