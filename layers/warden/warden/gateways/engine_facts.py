"""What AWS says of engines, versions and instance classes: the same for every database, and for as long as we live.

A function lives for hours, and AWS changes these facts by new versions and over months. So each is asked for once in
a process, by events and sweeps alike.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from warden.gateways.rds import Rds

T = TypeVar("T")

_OF_VERSION = (
    *("EngineVersion", "Status", "DBParameterGroupFamily", "ExportableLogTypes"),
    *("SupportsCertificateRotationWithoutRestart", "SupportedCACertificateIdentifiers"),
)
_OF_TARGET = ("EngineVersion", "IsMajorVersionUpgrade")
_OF_CLASS = ("SupportsPerformanceInsights", "SupportsEnhancedMonitoring")


class EngineFacts:
    """Facts about engines, each with the calls that it takes the first time."""

    def __init__(self, api: Rds) -> None:
        self._api = api
        self._known: dict[Hashable, Any] = {}
        self._unsupported: dict[str, UnsupportedError] = {}
        self._locks: dict[str, threading.Lock] = {}

    def defaults(self, operation: str, family: str) -> dict[str, dict[str, Any]]:
        """The defaults of a parameter group family by name, as an item of a group would give them.

        One call for each hundred parameters of the family.
        """
        return self._once(operation, family, lambda: self._read_defaults(operation, family))

    def versions(self, engine: str, version: str) -> list[dict[str, Any]]:
        """The engine versions that a version names, as a rule one: one call.

        "IncludeAll" finds versions that are no longer offered.
        """
        operation = "DescribeDBEngineVersions"
        return self._once(
            operation,
            (engine, version),
            lambda: [
                _version(item)
                for item in self._api.every(operation, Engine=engine, EngineVersion=version, IncludeAll=True)
            ],
        )

    def major_versions(self, engine: str) -> list[dict[str, Any]]:
        """Until when AWS supports each major version: one call for each engine."""
        operation = "DescribeDBMajorEngineVersions"
        return self._once(
            operation,
            engine,
            lambda: [
                {
                    "MajorEngineVersion": item["MajorEngineVersion"],
                    "SupportedEngineLifecycles": item.get("SupportedEngineLifecycles", []),
                }
                for item in self._api.every(operation, Engine=engine)
            ],
        )

    def class_support(self, engine: str, version: str, instance_class: str) -> dict[str, bool] | None:
        """What a class supports with an engine version; None where it is not offered: one call for the three."""
        operation = "DescribeOrderableDBInstanceOptions"

        def read() -> dict[str, bool] | None:
            options = self._api.every(
                operation, Engine=engine, EngineVersion=version, DBInstanceClass=instance_class
            )
            if not options:
                return None
            return {member: any(option.get(member) for option in options) for member in _OF_CLASS}

        return self._once(operation, (engine, version, instance_class), read)

    def _once(self, operation: str, which: Hashable, read: Callable[[], T]) -> T:
        if operation in self._unsupported:
            # An emulator that does not know the operation does not know it for another version either.
            raise self._unsupported[operation].with_traceback(None)
        key = (operation, which)
        if key not in self._known:
            with self._locks.setdefault(operation, threading.Lock()):
                self._ask(key, read)
        answer: T = self._known[key]
        return answer

    def _ask(self, key: tuple[str, Hashable], read: Callable[[], Any]) -> None:
        if key in self._known:
            return
        operation, _ = key
        if operation in self._unsupported:
            raise self._unsupported[operation].with_traceback(None)
        try:
            self._known[key] = read()
        except UnsupportedError as unsupported:
            self._unsupported[operation] = unsupported
            raise

    def _read_defaults(self, operation: str, family: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        more: dict[str, str] = {}
        while True:
            answer = self._api.call(operation, DBParameterGroupFamily=family, **more)["EngineDefaults"]
            for item in answer.get("Parameters", []):
                found[item["ParameterName"]] = {**item, "Source": item.get("Source", "engine-default")}
            if not answer.get("Marker"):
                return found
            more = {"Marker": answer["Marker"]}


def _version(item: Mapping[str, Any]) -> dict[str, Any]:
    targets = item.get("ValidUpgradeTarget", [])
    return {
        **{name: item[name] for name in _OF_VERSION if name in item},
        "ValidUpgradeTarget": [{name: one[name] for name in _OF_TARGET} for one in targets],
    }
