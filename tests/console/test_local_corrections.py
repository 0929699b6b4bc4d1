from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto.rds.models import DBCluster
from moto.rds.responses import RDSResponse

from console.local.aws import LocalAws
from console.local.rds.catalogue import CORRECTIONS, OPERATIONS, TOPICS
from local_rds import api_reference

if TYPE_CHECKING:
    from console.local.rds.registry import Correction

_TESTS = Path(__file__).parent
_USE = re.compile(r"@corrects\(([^)]*)\)")


@pytest.mark.parametrize("correction", CORRECTIONS, ids=lambda one: one.name)
def test_the_api_reference_demands_it_in_these_words(correction: Correction):
    assert correction.words in api_reference(correction.reference)


def test_every_correction_is_shown_at_work_by_a_test():
    shown = {
        name
        for file in _TESTS.glob("test_local_*.py")
        for use in _USE.findall(file.read_text())
        for name in re.findall(r'"([^"]+)"', use)
    }
    assert {correction.name for correction in CORRECTIONS} - shown == set()


def test_names_are_unique_and_say_why():
    names = [correction.name for correction in CORRECTIONS]
    assert len(names) == len(set(names))
    assert all(correction.why for correction in CORRECTIONS)


def test_no_operation_is_answered_twice():
    assert sum(len(topic.operations) for topic in TOPICS) == len(OPERATIONS)


def test_moto_gets_its_own_code_back_at_the_end_of_the_block():
    before = (vars(RDSResponse.__mro__[1])["_dispatch"], vars(DBCluster)["save_automated_backup"])
    with LocalAws():
        assert vars(DBCluster)["save_automated_backup"] is not before[1]
    assert (vars(RDSResponse.__mro__[1])["_dispatch"], vars(DBCluster)["save_automated_backup"]) == before
