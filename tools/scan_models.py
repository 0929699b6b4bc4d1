"""Put the models of the operations that Warden calls where `warden scan` looks for them; run by `make setup`.

With them come the endpoints of their services: the whole file is 1.2 MB of JSON, which takes 25 ms to read.
"""

from __future__ import annotations

import shutil
import sys

import botocore
from botocore.loaders import Loader

from console import paths
from console.scan import OPERATIONS_OF_A_SCAN
from tools.service_model import trim_endpoints
from tools.trim_layer import write_json, write_services


def main() -> int:
    """Write them, unless they are there."""
    operations = OPERATIONS_OF_A_SCAN
    target = paths.models(operations, botocore.__version__)
    if not target.is_dir():
        shutil.rmtree(target.parent, ignore_errors=True)
        unfinished = target.with_name("unfinished")
        loader = Loader()
        prefixes = {one["endpointPrefix"] for one in write_services(loader, unfinished, operations)}
        write_json(unfinished / "endpoints.json", trim_endpoints(loader.load_data("endpoints"), prefixes))
        # botocore's own extras are in the models already, and speak of shapes that these no longer have.
        for model in list(unfinished.glob("*/*/*-[12].json")):
            model.with_name(f"{model.stem}.sdk-extras.json").write_text("{}", encoding="utf-8")
        unfinished.rename(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
