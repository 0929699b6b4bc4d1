"""The ports that databases listen on: those that anybody would try first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import engines
from warden.core.control import Verdict, compliant, insufficient_data, non_compliant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

# ModifyDBInstance.DBPortNumber and CreateDBCluster.Port. The reference gives 3306 for all of Aurora; what is created as
# Aurora PostgreSQL, or restored, also listens on PostgreSQL's own.
_DEFAULTS: Mapping[str, frozenset[int]] = {
    "aurora-mysql": frozenset({3306}),
    "aurora-postgresql": frozenset({3306, 5432}),
    "db2": frozenset({50000}),
    "mariadb": frozenset({3306}),
    "mysql": frozenset({3306}),
    "oracle": frozenset({1521}),
    "postgres": frozenset({5432}),
    "sqlserver": frozenset({1433}),
}


def judge(resource: Resource, port: int) -> Verdict:
    """Whether the port is another than the engine's default."""
    engine = resource.facts["Engine"]
    defaults = _DEFAULTS.get(engines.family(engine))
    if defaults is None:
        return insufficient_data(f"{resource.ref.id} runs {engine}, whose default port Warden does not know.")
    if port in defaults:
        return non_compliant(f"{resource.ref.id} listens on {port}, a default port of {engine}.")
    return compliant(f"{resource.ref.id} listens on {port}, which is no default port of {engine}.")
