"""What a person is told to do: commands that a shell can take as they stand."""

from __future__ import annotations

import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource

# A sweep writes the same words for each of a thousand databases.
_quoted = lru_cache(maxsize=4096)(shlex.quote)


def command(
    resource: Resource,
    name: str,
    /,
    options: Mapping[str, str | bool | Sequence[str] | None],
    *,
    service: str = "rds",
    region: str = "",
) -> str:
    """One `aws` command of a service, as a rule `aws rds`, in the resource's Region, quoted for a shell.

    An option whose value is None is left out; True and False become the flag and its `--no-` form.
    """
    words = ["aws", service, *name.split()]
    for option, value in options.items():
        match value:
            case None:
                continue
            case True:
                words.append(f"--{option}")
            case False:
                words.append(f"--no-{option}")
            case str():
                words += [f"--{option}", _quoted(value)]
            case _:
                words += [f"--{option}", *(_quoted(word) for word in value)]
    return " ".join([*words, "--region", region or resource.home or resource.ref.region])
