"""The table of RDS's API against AWS's own model of it."""

from __future__ import annotations

import botocore.session
import pytest

from warden.core.resource import ResourceType
from warden.core.trigger.rds_api import OPERATIONS, OTHERS, READ_ONLY_PREFIXES

RDS = botocore.session.get_session().get_service_model("rds")
MUTATING = sorted(name for name in RDS.operation_names if not name.startswith(READ_ONLY_PREFIXES))
PLACES = [
    (api, place, path)
    for api, places in OPERATIONS.items()
    for place in places
    for path in (*place.paths, *place.resource_ids)
]


def cased(shape):
    return {name[0].lower() + name[1:]: member for name, member in shape.members.items()}


def answer(operation):
    """The members of responseElements: the only member is left out when the model marks it as a wrapper."""
    members = list(operation.output_shape.members.values()) if operation.output_shape else []
    if len(members) == 1 and members[0]._shape_model.get("wrapper"):
        return cased(members[0])
    return cased(operation.output_shape) if members else {}


def test_every_mutating_operation_of_rds_is_in_the_table_or_among_those_that_name_none_of_ours():
    assert len(MUTATING) > 110
    assert [name for name in MUTATING if name not in OPERATIONS and name not in OTHERS] == []


def test_the_table_holds_no_operation_that_aws_does_not_know_or_that_changes_nothing():
    assert sorted({*OPERATIONS, *OTHERS} - set(MUTATING)) == []


def test_no_operation_is_in_both():
    assert set(OPERATIONS) & set(OTHERS) == set()


@pytest.mark.parametrize(("api", "place", "path"), PLACES, ids=[f"{api}-{path}" for api, _, path in PLACES])
def test_a_path_of_the_table_leads_to_a_string_of_the_model(api, place, path):
    operation = RDS.operation_model(api)
    root, *steps = path.split(".")
    members = cased(operation.input_shape) if root == "in" else answer(operation)
    shape = None
    for step in steps:
        shape = members[step.removesuffix("[]")]
        if step.endswith("[]"):
            assert shape.type_name == "list"
            shape = shape.member
        members = cased(shape) if shape.type_name == "structure" else {}
    assert shape is not None
    assert shape.type_name == "string"


# The words by which the model's members name a resource of ours. `SourceArn` of an integration or an export is
# left out on purpose: neither shows in the description of the database.
WORDS = {
    ResourceType.DB_CLUSTER: ("dBClusterIdentifier", "dbClusterIdentifier", "dBClusterArn"),
    ResourceType.DB_INSTANCE: ("dBInstanceIdentifier", "dBInstanceArn"),
    ResourceType.DB_CLUSTER_SNAPSHOT: ("dBClusterSnapshotIdentifier", "dBClusterSnapshotArn"),
    ResourceType.DB_SNAPSHOT: ("dBSnapshotIdentifier", "dBSnapshotArn"),
    ResourceType.GLOBAL_CLUSTER: ("globalClusterIdentifier",),
    ResourceType.DB_CLUSTER_PARAMETER_GROUP: ("dBClusterParameterGroupName",),
    ResourceType.DB_PARAMETER_GROUP: ("dBParameterGroupName",),
    ResourceType.DB_SUBNET_GROUP: ("dBSubnetGroupName",),
}


@pytest.mark.parametrize("api", [api for api in MUTATING if api in OPERATIONS])
def test_an_operation_that_must_be_given_one_of_our_resources_has_a_place_for_it(api):
    operation = RDS.operation_model(api)
    required = {name[0].lower() + name[1:] for name in operation.input_shape.required_members}
    covered = {place.resource_type for place in OPERATIONS[api]}
    for resource_type, words in WORDS.items():
        # What a snapshot or a replica is made of is not changed by the call.
        source = {"CreateDBClusterSnapshot", "CreateDBSnapshot", "DeleteTenantDatabase"}
        if required & set(words) and not (api in source and resource_type not in covered):
            assert resource_type in covered


def test_a_place_without_a_path_looks_at_all_of_its_type():
    assert {place.resource_type for places in OPERATIONS.values() for place in places if not place.paths} == {
        ResourceType.DB_PROXY,
        # Of which there is one.
        ResourceType.ACCOUNT,
    }


def test_every_operation_but_one_has_a_place_that_is_never_silent():
    silent = [api for api, places in OPERATIONS.items() if all(place.optional for place in places)]
    assert silent == ["DeleteTenantDatabase"]
