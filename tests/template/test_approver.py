"""What the people who approve may do: see what is asked, and answer under their own name alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.local.template import LocalTemplate

OWN = "${aws:userid}"
WRITES = {
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
}
"""Every action of IAM's that writes items (Service Authorization Reference, "Actions defined by Amazon DynamoDB")."""


def statements(stack: LocalTemplate) -> dict[str, dict[str, Any]]:
    document = stack.resources["ApproverPolicy"].properties["PolicyDocument"]
    return {item["Sid"]: item for item in document["Statement"]}


def test_an_approver_writes_to_nothing_but_their_own_rows(stack: LocalTemplate) -> None:
    writing = {
        name: item
        for name, item in statements(stack).items()
        if not item["Action"].split(":")[1].startswith(("Describe", "Scan", "Query", "GetItem"))
    }
    assert set(writing) == {"AnswerAsOneself", "HaveItLookedAt", "HaveItTakenBack"}
    answer = writing["AnswerAsOneself"]
    assert answer["Action"] == "dynamodb:PutItem"
    assert answer["Resource"] == stack.resources["ApprovalsTable"].arn
    assert answer["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [OWN]}}
    for name, queue in (("HaveItLookedAt", "TriggersQueue"), ("HaveItTakenBack", "RemediationsQueue")):
        sent = writing[name]
        assert (sent["Action"], sent["Resource"]) == ("sqs:SendMessage", stack.resources[queue].arn)


def test_an_approver_sees_notes_of_use_and_no_other_state(stack: LocalTemplate) -> None:
    state = stack.resources["StateTable"].arn
    [about_state] = [item for item in statements(stack).values() if item["Resource"] == state]
    assert about_state["Action"] == "dynamodb:GetItem"
    assert about_state["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["approval#*"]}}


def test_the_table_lets_nobody_answer_as_another_whatever_else_they_may(stack: LocalTemplate) -> None:
    policy = stack.resources["ApprovalsTable"].properties["ResourcePolicy"]["PolicyDocument"]
    [deny] = policy["Statement"]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert set(deny["Action"]) == WRITES
    assert deny["Condition"] == {"ForAnyValue:StringNotEquals": {"dynamodb:LeadingKeys": [OWN]}}


def test_no_function_may_answer(stack: LocalTemplate) -> None:
    table = stack.resources["ApprovalsTable"].arn
    for role in stack.of_type("AWS::IAM::Role"):
        for policy in role.properties.get("Policies", ()):
            for item in policy["PolicyDocument"]["Statement"]:
                if item["Effect"] == "Deny":
                    continue
                resources = item["Resource"] if isinstance(item["Resource"], list) else [item["Resource"]]
                if any(str(resource).startswith(table) for resource in resources):
                    assert item["Action"] == "dynamodb:Query"
