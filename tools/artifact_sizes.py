"""Print how large each built function and layer is, zipped as for Lambda.

python -m tools.artifact_sizes .aws-sam/build
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def artifacts(build: Path) -> list[Path]:
    """Return the directory of every function and layer below `.aws-sam/build`."""
    return sorted(path for path in build.iterdir() if path.is_dir())


def zipped_size(directory: Path) -> int:
    """Return the bytes of a zip of the directory, compressed as `sam deploy` does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, mode="w", compression=zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(directory))
    return buffer.getbuffer().nbytes


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each artifact of the build that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.artifact_sizes")
    parser.add_argument("build", type=Path)
    for directory in artifacts(parser.parse_args(argv).build):
        print(f"{directory.name:<24}{zipped_size(directory) / 1024:>9,.1f} kB zipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
