"""What is imported when it is first asked for is all there, and what cannot be imported is no missing fact."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

from gateways.estate import Estate
from warden.core.errors import ConfigurationError
from warden.core.kinds import KINDS, Need
from warden.core.resource import ResourceType
from warden.gateways import enrichments, rds_reader
from warden.gateways.kinds import READERS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def nothing_asked() -> Iterator[None]:
    """As in a process that starts, and afterwards, too."""
    rds_reader._waves.cache_clear()
    yield
    rds_reader._waves.cache_clear()


def test_each_need_is_answered_by_the_theme_that_says_so() -> None:
    modules = {info.name for info in pkgutil.iter_modules(enrichments.__path__)}
    assert enrichments.THEMES.keys() <= modules
    answers = [
        (need, theme)
        for theme in modules
        for need in getattr(importlib.import_module(f"{enrichments.__name__}.{theme}"), "ANSWERS", {})
    ]
    assert sorted(answers) == sorted(
        (need, theme) for theme, needs in enrichments.THEMES.items() for need in needs
    )
    assert set(enrichments.ANSWERS) == set(Need) == {need for need, _ in answers}
    assert all(callable(enrichments.ANSWERS[need]) for need in Need)


def test_each_kind_has_a_reader() -> None:
    assert set(READERS) == set(ResourceType) == set(KINDS)
    assert all(READERS[resource_type] is READERS[resource_type] for resource_type in ResourceType)
    assert all(hasattr(READERS[resource_type], "describe") for resource_type in ResourceType)


def test_a_theme_that_answers_others_than_are_said_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    theme = importlib.import_module(f"{enrichments.__name__}.alarms")
    monkeypatch.setattr(theme, "ANSWERS", {Need.ALARMS: theme.ANSWERS[Need.ALARMS]})
    with pytest.raises(ConfigurationError, match=r"alarms and THEMES differ in .*[Ff]iring"):
        enrichments._answer(Need.ALARMS)


@pytest.mark.usefixtures("nothing_asked")
def test_an_answer_that_cannot_be_imported_fails_the_visit_and_is_no_missing_fact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(need: Need) -> enrichments.Answer:
        raise KeyError(need)

    with Estate() as estate:
        login = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
        estate.client("rds").create_db_cluster(
            DBClusterIdentifier="orders", Engine="aurora-postgresql", **login
        )
        [resource] = estate.reader().list(ResourceType.DB_CLUSTER, ())
        monkeypatch.setattr(
            rds_reader,
            "ANSWERS",
            type(enrichments.ANSWERS)([Need.ALARMS], broken),  # type: ignore[call-arg]
        )
        with pytest.raises(KeyError):
            estate.reader().enrich(resource, [Need.ALARMS])
