"""The template as a deployment would leave it."""

from __future__ import annotations

import pytest

from console.local.intrinsics import TemplateError
from console.local.template import load_template, read_template
from fakes.small_stack import TEMPLATE

RDS_CLUSTERS = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"


def resources(text, **parameters):
    header = "Transform: AWS::Serverless-2016-10-31\n"
    return read_template(header + text, parameters).resources


@pytest.fixture(scope="module")
def stack():
    return read_template(TEMPLATE)


@pytest.fixture(scope="module")
def remediating():
    return read_template(TEMPLATE, {"ModeCeiling": "remediate", "Delay": 0})


def test_a_template_is_read_from_a_file(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    assert load_template(path, {"Delay": "60"}).resources["Triggers"].properties["DelaySeconds"] == "60"


def test_a_reference_to_a_queue_is_its_url(stack):
    queue = stack.resources["Triggers"]
    assert stack.outputs["TriggersUrl"] == f"https://sqs.eu-west-1.amazonaws.com/123456789012/{queue.name}"


def test_a_name_that_the_template_leaves_open_is_always_the_same(stack):
    again = read_template(TEMPLATE, {"Delay": 7})
    assert stack.resources["Triggers"].name == again.resources["Triggers"].name
    assert stack.resources["Triggers"].name.startswith("aurora-warden-Triggers-")


def test_a_generated_name_of_a_fifo_queue_ends_as_it_must(stack):
    assert stack.resources["RemediationsDead"].name.endswith(".fifo")


def test_a_name_in_the_template_is_kept(stack):
    assert stack.resources["Remediations"].arn == (
        "arn:aws:sqs:eu-west-1:123456789012:aurora-warden-remediations.fifo"
    )


def test_the_place_of_deployment_is_in_every_arn():
    elsewhere = read_template(
        TEMPLATE.replace("eu-west-1", "us-gov-west-1"), region="us-gov-west-1", account_id="999999999999"
    )
    assert elsewhere.resources["Rows"].arn.startswith(
        "arn:aws-us-gov:dynamodb:us-gov-west-1:999999999999:table/"
    )


def test_the_environment_of_a_function_is_resolved_to_texts(stack):
    function = stack.functions["Evaluate"]
    assert function.environment == {
        "MODE_CEILING": "observe",
        "TABLE": stack.resources["Rows"].name,
        "REMEDIATIONS": stack.resources["Remediations"].ref,
        "TICKETS": stack.resources["Tickets"].ref,
        "TOPIC": stack.resources["Alerts"].arn,
        "ROLE_HINT": f"{stack.resources['Rows'].arn}/eu-west-1",
        "LIMIT": "25",
        "STRICT": "true",
    }


def test_a_variable_without_a_value_appears_when_its_condition_holds(remediating):
    assert remediating.functions["Evaluate"].environment["ONLY_WHEN_REMEDIATING"] == "yes"


def test_a_function_keeps_the_paths_of_its_code(stack):
    function = stack.functions["Evaluate"]
    assert (function.code_uri, function.layer_uris) == ("functions/evaluate", ("layers/code",))
    assert (function.handler, function.timeout) == ("app.handler", 30)


def test_a_function_is_found_by_name_arn_and_alias(stack):
    function = stack.functions["Sweep"]
    for reference in ("Sweep", function.name, function.arn, f"{function.arn}:live"):
        assert stack.function(reference) == function
    assert stack.function("Nobody") is None


def test_a_resource_whose_condition_fails_is_not_deployed(stack, remediating):
    assert "Hourly" not in stack.resources
    assert "Hourly" in remediating.resources
    assert stack.outputs["OnlyWhenNot"] == "no"
    assert "OnlyWhenNot" not in remediating.outputs


def test_mappings_and_the_functions_on_lists_are_resolved(stack):
    assert stack.outputs["RetentionDays"] == 14
    assert stack.outputs["SecondPart"] == "eu"


def test_a_role_gathers_what_is_granted_inline_and_by_policies_of_their_own(stack):
    role = stack.roles["EvaluateRole"]
    assert role.allows("rds:DescribeDBClusters", RDS_CLUSTERS)
    assert role.allows("sqs:SendMessage", stack.resources["Tickets"].arn)
    assert not role.allows("sqs:SendMessage", stack.resources["Triggers"].arn)
    assert stack.roles["TicketRole"].allows("sqs:ReceiveMessage", stack.resources["Tickets"].arn)


def test_a_role_has_the_managed_policies_that_sam_attaches(stack):
    assert stack.roles["EvaluateRole"].allows("sqs:ReceiveMessage", stack.resources["Triggers"].arn)
    assert not stack.roles["SweepRole"].allows("sqs:ReceiveMessage", stack.resources["Triggers"].arn)


def test_a_statement_is_limited_to_its_resources(remediating):
    role = remediating.roles["RemediateRole"]
    assert role.allows("rds:ModifyDBCluster", RDS_CLUSTERS)
    assert not role.allows("rds:ModifyDBCluster", RDS_CLUSTERS.replace("eu-west-1", "eu-west-2"))
    assert not role.allows("rds:DeleteDBCluster", RDS_CLUSTERS)


def test_sam_events_become_event_source_mappings_and_schedules(stack):
    mapping = stack.resources["EvaluateFromTriggers"].properties
    assert mapping["EventSourceArn"] == stack.resources["Triggers"].arn
    schedule = stack.resources["SweepDaily"].properties
    assert schedule["Target"]["Arn"] == stack.functions["Sweep"].arn


def test_a_value_outside_the_allowed_ones_is_refused():
    with pytest.raises(TemplateError, match="Parameter 'ModeCeiling' must be one of AllowedValues"):
        read_template(TEMPLATE, {"ModeCeiling": "delete"})


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        ("{Type: Number, MinValue: 1}", "0", "must be a number not less than 1"),
        ("{Type: Number, MaxValue: 9}", "10", "must be a number not greater than 9"),
        ("{Type: Number}", "ten", "must be a number"),
        ("{Type: String, MinLength: 3}", "ab", "must contain at least 3 characters"),
        ("{Type: String, MaxLength: 3}", "abcd", "must contain at most 3 characters"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", "A", r"must match pattern \[a-z\]\+"),
        ("{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: lower case}", "A", "lower case"),
        ("{Type: CommaDelimitedList, AllowedValues: [a, b]}", "a,c", "must be one of AllowedValues"),
        ("{Type: 'AWS::SSM::Parameter::Value<String>'}", "/x", "is read from SSM"),
    ],
)
def test_a_value_that_breaks_a_constraint_is_refused(declared, value, reason):
    text = f"Parameters: {{P: {declared}}}\nResources: {{T: {{Type: AWS::SNS::Topic}}}}"
    with pytest.raises(TemplateError, match=reason):
        resources(text, P=value)


def test_a_parameter_that_the_template_does_not_have_is_refused():
    with pytest.raises(TemplateError, match=r"Parameters: \[Nothing\] do not exist in the template"):
        read_template(TEMPLATE, {"Nothing": "x"})


def test_a_parameter_without_default_needs_a_value():
    text = "Parameters: {P: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}"
    with pytest.raises(TemplateError, match=r"Parameters: \[P\] must have values"):
        resources(text)


def test_a_list_parameter_is_a_list():
    text = """
Parameters: {Keys: {Type: CommaDelimitedList, Default: 'a, b'}}
Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Join ['+', !Ref Keys]}}}
"""
    assert resources(text)["T"].properties["DisplayName"] == "a+b"


def test_a_rule_of_the_template_forbids_a_combination_of_values():
    text = """
Parameters: {Mode: {Type: String, Default: remediate}, Topic: {Type: String, Default: ''}}
Rules:
  NeedsTopic:
    RuleCondition: !Equals [!Ref Mode, remediate]
    Assertions:
      - {Assert: !Not [!Equals [!Ref Topic, '']], AssertDescription: remediation needs a topic}
Resources: {T: {Type: AWS::SNS::Topic}}
"""
    assert "T" in resources(text, Mode="observe")
    with pytest.raises(TemplateError, match="NeedsTopic: remediation needs a topic"):
        resources(text)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("!Ref Nowhere", r"unresolved resource dependency \[Nowhere\]"),
        ("!GetAtt Nowhere.Arn", r"unresolved resource dependency \[Nowhere\]"),
        ("!GetAtt T.Colour", "AWS::SNS::Topic has no attribute Colour"),
        ("!If [Nowhere, a, b]", "unresolved condition dependency Nowhere"),
        ("!ImportValue elsewhere", "Fn::ImportValue cannot be resolved"),
        ("!FindInMap [A, B, C]", "unable to get mapping for A::B::C"),
        ("!Select [3, [a, b]]", "Fn::Select cannot select item 3 of 2"),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_the_resource_that_wants_it(value, reason):
    text = f"Resources: {{T: {{Type: AWS::SNS::Topic}}, Q: {{Type: AWS::SQS::Queue, Properties: {{A: {value}}}}}}}"
    with pytest.raises(TemplateError, match=f"Q: {reason}"):
        resources(text)


def test_names_that_wait_for_each_other_are_refused():
    text = """
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt B.TopicName}}
  B: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt A.TopicName}}
"""
    with pytest.raises(TemplateError, match="circular dependency between resources: B, A"):
        resources(text)


def test_a_dependency_on_nothing_is_refused():
    with pytest.raises(TemplateError, match="T depends on Nowhere"):
        resources("Resources: {T: {Type: AWS::SNS::Topic, DependsOn: Nowhere}}")


def test_what_the_sam_transform_refuses_is_refused():
    text = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler}}}"
    with pytest.raises(TemplateError, match="the SAM transform refuses the template"):
        resources(text)


def test_another_transform_is_refused():
    text = "Transform: AWS::LanguageExtensions\nResources: {T: {Type: AWS::SNS::Topic}}"
    with pytest.raises(TemplateError, match="cannot run the transform AWS::LanguageExtensions"):
        read_template(text)


def test_a_substitution_leaves_literals_alone():
    text = "Resources: {T: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Sub '${!Literal} ${AWS::AccountId}'}}}"
    assert resources(text)["T"].properties["DisplayName"] == "${Literal} 123456789012"


def test_reading_once_more_gives_the_same_template_and_shares_nothing_that_changes():
    first = read_template(TEMPLATE)
    first.resources["Triggers"].properties["DelaySeconds"] = 1
    assert read_template(TEMPLATE).resources["Triggers"].properties["DelaySeconds"] == "45"
