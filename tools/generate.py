"""Write everything that is generated from the code, or say which file is stale.

python -m tools.generate            write what has changed
python -m tools.generate --check    write nothing; name each stale file and exit 1

A generator is a module in `tools/generators/`; that package's docstring is its interface. They run in the
order of their names.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tools.markers import pending_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
_GENERATORS = "tools.generators"
_DIFF_LINES = 12


class Generator(NamedTuple):
    """One module of `tools/generators/`."""

    name: str
    generate: Callable[[], Mapping[Path, str]]
    owned: tuple[Path, ...] = ()


class Change(NamedTuple):
    """One file that is not on disk what the generators say; a None is an absent file."""

    path: Path
    on_disk: str | None
    wanted: str | None


def discover(package: str = _GENERATORS) -> list[Generator]:
    """Return every generator of the package, in the order in which they run."""
    found = []
    for info in sorted(
        pkgutil.iter_modules(importlib.import_module(package).__path__), key=lambda info: info.name
    ):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        if not callable(getattr(module, "generate", None)):
            raise TypeError(f"{module.__name__} has no generate(): see the docstring of {package}")
        found.append(Generator(info.name, module.generate, tuple(getattr(module, "OWNED", ()))))
    return found


def collect(generators: Iterable[Generator]) -> dict[Path, str | None]:
    """Run the generators; return each generated file's text, or None for a file that should be gone."""
    texts: dict[Path, str] = {}
    owned: list[Path] = []
    with pending_texts(texts):
        for generator in generators:
            for path, text in generator.generate().items():
                if not path.is_absolute():
                    raise ValueError(f"generator {generator.name} returned the relative path {path}")
                texts[path] = text if text.endswith("\n") else text + "\n"
            owned.extend(generator.owned)
    orphans = {path for directory in owned for path in directory.rglob("*") if path.is_file()} - texts.keys()
    return {**texts, **dict.fromkeys(orphans)}


def changes(texts: Mapping[Path, str | None]) -> list[Change]:
    """Return the files that differ on disk, sorted by path."""
    found = []
    for path, wanted in sorted(texts.items()):
        on_disk = path.read_text(encoding="utf-8") if path.exists() else None
        if on_disk != wanted:
            found.append(Change(path=path, on_disk=on_disk, wanted=wanted))
    return found


def apply(found: Iterable[Change]) -> None:
    """Write or remove each changed file."""
    for change in found:
        if change.wanted is None:
            change.path.unlink()
        else:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            change.path.write_text(change.wanted, encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Generate, or with --check compare; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description="Write what is generated.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    check = parser.parse_args(argv).check
    generators = discover()
    texts = collect(generators)
    found = changes(texts)
    if not check:
        apply(found)
    for change in found:
        name = change.path.relative_to(ROOT) if change.path.is_relative_to(ROOT) else change.path
        if check:
            print(f"stale: {name}\n{_excerpt(change)}", file=sys.stderr)
        else:
            print(f"{'removed' if change.wanted is None else 'wrote'} {name}")
    if check and found:
        print("run `make generate` and commit the result", file=sys.stderr)
        return 1
    print(f"{len(texts)} generated files are current ({len(generators)} generators)")
    return 0


def _excerpt(change: Change) -> str:
    """Return the first lines of the difference: enough to see what is stale."""
    on_disk, wanted = (change.on_disk or "").splitlines(), (change.wanted or "").splitlines()
    lines = list(difflib.unified_diff(on_disk, wanted, "on disk", "generated", lineterm="", n=1))
    rest = len(lines) - _DIFF_LINES
    shown = lines[:_DIFF_LINES] + ([f"… {rest} more lines"] if rest > 0 else [])
    return "\n".join(f"    {line}" for line in shown)


if __name__ == "__main__":
    sys.exit(main())
