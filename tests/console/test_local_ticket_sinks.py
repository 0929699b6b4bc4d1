"""What the local AWS answers for OpsItems and findings where moto does not, by the words of the API reference."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from local_rds import plain

if TYPE_CHECKING:
    from console.local.aws import LocalAws

DEDUP = {"/aws/dedup": {"Type": "SearchableString", "Value": '{"dedupString":"a"}'}}
ITEM = {"Title": "a", "Description": "b", "Source": "c", "OperationalData": DEDUP}


@cache
def _model(service: str) -> Any:
    loader = botocore.session.get_session().get_component("data_loader")
    return loader.load_service_model(service, "service-2")


def says(service: str, shape: str, words: str, member: str = "") -> bool:
    found = _model(service)["shapes"][shape]
    found = found["members"][member] if member else found
    return words in plain(found["documentation"])


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def ssm(local: LocalAws) -> Any:
    return local.client("ssm")


def test_an_ops_item_that_exists_is_no_second_one(ssm: Any) -> None:
    assert says("ssm", "OpsItemAlreadyExistsException", "The OpsItem already exists")
    first = ssm.create_ops_item(**ITEM)["OpsItemId"]
    with pytest.raises(ClientError) as refused:
        ssm.create_ops_item(**ITEM)
    assert refused.value.response["OpsItemId"] == first
    ssm.update_ops_item(OpsItemId=first, Status="Resolved")
    assert ssm.create_ops_item(**ITEM)["OpsItemId"] != first


def test_keys_of_operational_data_may_not_begin_as_aws_s_own(ssm: Any) -> None:
    words = "Operational data keys can't begin with the following: amazon, aws, amzn, ssm, /amazon, /aws, /amzn, /ssm."
    assert says("ssm", "CreateOpsItemRequest", words, "OperationalData")
    data = {"aws-warden": {"Type": "String", "Value": "x"}}
    wrong = {**ITEM, "OperationalData": data}
    assert code(ssm.create_ops_item, **wrong) == "OpsItemInvalidParameterException"


def test_only_searchable_data_is_found(ssm: Any) -> None:
    words = "Searchable data means that all users with access to the OpsItem Overview page"
    assert says("ssm", "CreateOpsItemRequest", words, "OperationalData")
    data = {"a": {"Type": "SearchableString", "Value": "1"}, "b": {"Type": "String", "Value": "1"}}
    ssm.create_ops_item(**{**ITEM, "OperationalData": data})

    def found(key: str) -> int:
        value = f'{{"key":"{key}","value":"1"}}'
        filters = [{"Key": "OperationalData", "Operator": "Equal", "Values": [value]}]
        return len(ssm.describe_ops_items(OpsItemFilters=filters)["OpsItemSummaries"])

    assert (found("a"), found("b")) == (1, 0)


def test_an_ops_item_that_is_not_there_is_not_found(ssm: Any) -> None:
    assert says("ssm", "OpsItemNotFoundException", "The specified OpsItem ID doesn't exist")
    assert code(ssm.get_ops_item, OpsItemId="oi-0123456789ab") == "OpsItemNotFoundException"


def test_a_finding_that_is_not_known_is_not_processed(local: LocalAws) -> None:
    shape = "BatchUpdateFindingsResponse"
    assert says("securityhub", shape, "The list of findings that were not updated.", "UnprocessedFindings")
    answer = local.client("securityhub").batch_update_findings(
        FindingIdentifiers=[{"Id": "x", "ProductArn": "y"}], Workflow={"Status": "NOTIFIED"}
    )
    assert answer["ProcessedFindings"] == []
    assert len(answer["UnprocessedFindings"]) == 1
