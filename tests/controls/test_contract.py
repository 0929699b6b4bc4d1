"""The contract that every control keeps; a new file in controls/ is held to it without a new test."""

from __future__ import annotations

import functools
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name

from controls import items, service
from warden.controls import all_controls
from warden.core import conditions, connection_lines
from warden.core.control import ComplianceType, Safety, Severity
from warden.core.evaluation import evaluate, plan
from warden.core.guard import check
from warden.core.kinds import KINDS, Need
from warden.core.plan import WRITES, Manual, Plan, Wait
from warden.core.policy import parse_policy
from warden.core.preflight import Question
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.control import Control, Example
    from warden.core.plan import Call
    from warden.core.resource import Resource

CONTROLS = all_controls()
DRIFTED = frozenset({ComplianceType.NON_COMPLIANT})
DECIDED = frozenset({ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT})


def _id(value: Any) -> str:
    return getattr(value, "id", None) or getattr(value, "name", None) or str(value)


each_control = pytest.mark.parametrize("control", CONTROLS, ids=_id)


def _each_example(
    expected: frozenset[ComplianceType],
) -> Callable[[Callable[[Control, Example], None]], Callable[[Control], None]]:
    """Make one test for each control of a test for each example: pytest's own work for thousands takes longer."""

    def decorate(test: Callable[[Control, Example], None]) -> Callable[[Control], None]:
        def over_examples(control: Control) -> None:
            for example in control.examples:
                if example.expect in expected:
                    try:
                        test(control, example)
                    except Exception as error:
                        error.add_note(f"in the example {example.name!r} of {control.id}")
                        raise

        over_examples.__name__ = test.__name__
        return each_control(over_examples)

    return decorate


each_case = _each_example(frozenset(ComplianceType))
each_drift = _each_example(DRIFTED)
each_decided = _each_example(DECIDED)


def assess(control: Control, example: Example, resource: Resource | None = None) -> Any:
    return evaluate(
        control,
        resource or items.example_resource(control, example),
        items.example_settings(control, example),
    )


def planned(control: Control, example: Example) -> Plan | Manual | Wait:
    return plan(control, items.example_resource(control, example), items.example_settings(control, example))


# --- verdicts ---------------------------------------------------------------------------------------------


@each_case
def test_every_example_gets_the_verdict_that_it_expects(control: Control, example: Example) -> None:
    evaluation = assess(control, example)
    assert evaluation.error == ""
    assert evaluation.compliance is example.expect


@each_case
def test_an_annotation_is_one_sentence_that_names_the_resource(control: Control, example: Example) -> None:
    evaluation = assess(control, example)
    assert evaluation.annotation.startswith(evaluation.ref.id)
    assert evaluation.annotation.endswith(".")
    assert not evaluation.annotation.endswith("..")
    assert "\n" not in evaluation.annotation


@each_control
def test_there_are_examples_of_pass_drift_and_a_missing_fact(control: Control) -> None:
    expected = {example.expect for example in control.examples}
    assert {ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT} <= expected
    assert any(e.missing and e.expect is ComplianceType.INSUFFICIENT_DATA for e in control.examples)
    names = [example.name for example in control.examples]
    assert len(names) == len(set(names))


@each_control
def test_the_full_item_alone_is_compliant_or_another_engines(control: Control) -> None:
    resource = items.resource(control.resource_type)
    found = evaluate(control, resource, control.defaults()).compliance
    if found is ComplianceType.NOT_APPLICABLE:
        assert all("Engine" in e.facts for e in control.examples if e.expect is ComplianceType.COMPLIANT)
    else:
        assert found is ComplianceType.COMPLIANT


@each_decided
def test_without_any_fact_that_it_read_the_verdict_is_insufficient_data(
    control: Control, example: Example
) -> None:
    read = assess(control, example).evidence
    assert read
    for fact in read:
        poorer = items.resource(control.resource_type, example.facts, missing=(*example.missing, fact))
        evaluation = assess(control, example, poorer)
        assert evaluation.compliance is ComplianceType.INSUFFICIENT_DATA, fact
        assert evaluation.missing == fact


@each_decided
def test_a_fact_that_aws_simply_left_out_is_no_pass_either(control: Control, example: Example) -> None:
    for fact in assess(control, example).evidence:
        poorer = items.example_resource(control, example)
        known = {name: poorer.facts[name] for name in poorer.facts if name != fact}
        poorer = poorer.with_facts(type(poorer.facts)(known))
        assert assess(control, example, poorer).compliance is ComplianceType.INSUFFICIENT_DATA, fact


@each_case
def test_a_control_reads_what_its_kind_describes_and_what_it_declares(
    control: Control, example: Example
) -> None:
    described_here = set(service.item_of(KINDS[control.resource_type].describe).members)
    assert set(assess(control, example).evidence) <= described_here | set(control.needs)


@each_control
def test_every_declared_need_is_read_by_some_example(control: Control) -> None:
    read = {fact for example in control.examples for fact in assess(control, example).evidence}
    assert set(control.needs) <= read
    if control.remediation is not None:
        drifted = [example for example in control.examples if example.expect is ComplianceType.NON_COMPLIANT]
        assert set(control.remediation.needs) <= {fact for e in drifted for fact in _plan_reads(control, e)}


def _plan_reads(control: Control, example: Example) -> set[str]:
    """What is read to plan, and to find out who is using what is written to."""
    resource = items.example_resource(control, example)
    plan(control, resource, items.example_settings(control, example))
    if control.remediation is not None and control.remediation.preflight is Question.CLEAR_TEXT:
        connection_lines.untold(resource)
    return set(resource.facts.read)


@each_drift
def test_a_plan_reads_what_its_kind_describes_and_what_the_control_declares(
    control: Control, example: Example
) -> None:
    assert control.remediation is not None
    described_here = set(service.item_of(KINDS[control.resource_type].describe).members)
    declared = set(control.needs) | set(control.remediation.needs)
    assert _plan_reads(control, example) <= described_here | declared


@each_drift
def test_a_plan_that_requires_a_setting_is_a_persons_without_it_and_reads_none_of_its_needs(
    control: Control, example: Example
) -> None:
    remediation = control.remediation
    assert remediation is not None
    if not remediation.requires:
        return
    settings = {**items.example_settings(control, example), remediation.requires: ""}
    resource = items.example_resource(control, example)
    planned = plan(control, resource, settings)
    assert isinstance(planned, Manual)
    # What every write needs is there all the same.
    known = {*control.needs, *conditions.WRITE_NEEDS.get(control.resource_type, ())}
    assert not set(resource.facts.read) & (set(remediation.needs) - known)


@pytest.mark.parametrize("resource_type", items.ITEMS, ids=str)
def test_the_full_items_are_what_the_service_model_describes(resource_type: Any) -> None:
    shape = service.item_of(KINDS[resource_type].describe)
    assert service.objections(items.ITEMS[resource_type], shape) == ""


@each_case
def test_the_facts_of_examples_are_what_the_service_model_describes(
    control: Control, example: Example
) -> None:
    shape = service.item_of(KINDS[control.resource_type].describe)
    given = {name: value for name, value in example.facts.items() if name not in set(Need)}
    # What AWS leaves out, and the reader fills in, is None.
    given = {name: value for name, value in given.items() if value is not None}
    always = {name: items.ITEMS[control.resource_type][name] for name in shape.required_members}
    assert service.objections({**always, **given}, shape) == ""


# --- plans ------------------------------------------------------------------------------------------------


@each_drift
def test_drift_leads_to_calls_or_to_a_reason_why_a_person_must_act(
    control: Control, example: Example
) -> None:
    outcome = planned(control, example)
    if isinstance(outcome, Manual):
        assert outcome.why.endswith(".")
        assert "could not be planned" not in outcome.why
        assert "cannot be planned" not in outcome.why
    elif isinstance(outcome, Wait):
        assert outcome.why.endswith(".")
    else:
        assert outcome.calls


@each_drift
def test_planned_calls_are_valid_for_the_api(control: Control, example: Example) -> None:
    for call in _calls(planned(control, example)):
        assert service.objections(dict(call.parameters), service.input_of(call.operation)) == ""


@each_drift
def test_planned_calls_pass_the_write_guard_with_the_controls_own_permits(
    control: Control, example: Example
) -> None:
    assert control.remediation is not None
    for call in _calls(planned(control, example)):
        check(call, control.remediation.permits, items.example_resource(control, example))


@each_control
def test_every_permit_is_needed_by_some_plan(control: Control) -> None:
    assert control.remediation is not None
    calls = [
        call
        for example in control.examples
        if example.expect is ComplianceType.NON_COMPLIANT
        for call in _calls(planned(control, example))
    ]
    for permit in control.remediation.permits:
        made = [call for call in calls if call.operation == permit.operation]
        assert made, f"no example's plan makes the call {permit.operation}"
        used = {name for call in made for name in call.parameters}
        assert used == set(permit.required) | set(permit.optional)
        assert permit.operation in WRITES


@each_control
def test_a_plan_that_costs_says_what(control: Control) -> None:
    assert control.remediation is not None
    for example in control.examples:
        if example.expect is ComplianceType.NON_COMPLIANT and isinstance(
            outcome := planned(control, example), Plan
        ):
            assert bool(outcome.cost) is (control.remediation.safety is Safety.COSTS)
            assert not outcome.cost or (outcome.cost.endswith(".") and "USD" in outcome.cost)


@each_drift
def test_a_plan_that_applies_immediately_is_documented_as_one(control: Control, example: Example) -> None:
    # ApplyImmediately would also apply what somebody else has queued, so a control owes a reason for it.
    if any("ApplyImmediately" in call.parameters for call in _calls(planned(control, example))):
        assert control.doc is not None
        assert "ApplyImmediately" in control.doc.split("Remediation safety")[1].split("References")[0]


@each_control
def test_what_is_contained_is_safe_and_critical(control: Control) -> None:
    assert control.remediation is not None
    if control.remediation.containment:
        assert control.remediation.safety is Safety.SAFE
        assert control.severity is Severity.CRITICAL


@each_control
def test_the_iam_actions_that_a_call_depends_on_have_the_form_of_iam_actions(control: Control) -> None:
    assert control.remediation is not None
    for permit in control.remediation.permits:
        assert all(re.fullmatch(r"[a-z-]+:[A-Z]\w+", action) for action in permit.dependent_actions)


def _calls(outcome: Plan | Manual) -> tuple[Call, ...]:
    return outcome.calls if isinstance(outcome, Plan) else ()


# --- words ------------------------------------------------------------------------------------------------


@each_control
def test_an_id_begins_with_its_kind_and_states_a_condition(control: Control) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", control.id)
    kind = {
        "AWS::RDS::DBCluster": "cluster",
        "AWS::RDS::DBInstance": "instance",
        "AWS::RDS::DBClusterSnapshot": "cluster_snapshot",
        "AWS::RDS::DBSnapshot": "db_snapshot",
        "AWS::RDS::GlobalCluster": "global_cluster",
        "AWS::RDS::DBProxy": "proxy",
        "AWS::KMS::Key": "kms_key",
        "AWS::SecretsManager::Secret": "secret",
        "AWS::EC2::SecurityGroup": "security_group",
        "AWS::::Account": "account",
        "AWS::Logs::LogGroup": "log_group",
    }[control.resource_type]
    assert control.id.startswith(f"{kind}_")


@each_control
def test_a_title_states_the_compliant_condition_briefly(control: Control) -> None:
    assert len(control.title) <= 100
    assert not control.title.endswith(".")
    assert control.title[0].isupper()
    first = control.title.split()[0]
    assert first not in {"Ensure", "Check", "Checks", "Verify", "Make"}


@each_control
def test_the_docstring_is_a_reference_page(control: Control) -> None:
    assert control.doc is not None
    summary, blank, *_ = control.doc.splitlines()
    assert summary.endswith(".")
    assert blank == ""
    headings = re.findall(r"^(.+)\n-+$", control.doc, re.MULTILINE)
    assert headings == ["Why it matters", "Remediation safety", "References"]
    references = control.doc.rpartition("References\n")[2]
    assert re.search(r"^- .*API Reference", references, re.MULTILINE)
    assert all(
        link.startswith("https://docs.aws.amazon.com/") for link in re.findall(r"https?://\S+", control.doc)
    )


@each_control
def test_the_docstring_and_the_declared_safety_do_not_contradict(control: Control) -> None:
    assert control.doc is not None
    assert control.remediation is not None
    section = control.doc.split("Remediation safety\n------------------\n")[1]
    assert re.split(r"\W", section, maxsplit=1)[0].lower() == control.remediation.safety


@each_control
def test_a_control_maps_to_frameworks_without_repetition(control: Control) -> None:
    assert control.frameworks
    assert len(set(control.frameworks)) == len(control.frameworks)


@each_control
def test_the_defaults_of_settings_are_what_a_policy_may_say(control: Control) -> None:
    tables: dict[str, list[str]] = {}
    for setting in control.settings:
        table = "baseline" if setting.shared else f"controls.{control.id}"
        tables.setdefault(table, []).append(f"{setting.name} = {_toml(setting.default)}")
        assert setting.doc.endswith(".")
    lines = ["version = 1", *(line for table, rows in tables.items() for line in (f"[{table}]", *rows))]
    parsed = parse_policy("\n".join(lines), controls=[control])
    assert parsed.settings[control.id] == control.defaults()


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f'"{key}" = {_toml(item)}' for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


def test_a_shared_setting_is_the_same_for_every_control() -> None:
    shared = {setting for control in CONTROLS for setting in map(_frozen, control.settings) if setting[-1]}
    names = [setting[0] for setting in shared]
    assert sorted(names) == sorted(set(names))


def _frozen(setting: Any) -> tuple[Any, ...]:
    return (
        setting.name,
        repr(setting.default),
        setting.doc,
        setting.pattern,
        setting.choices,
        setting.shared,
    )


# --- what people are told to do ---------------------------------------------------------------------------


PLACEHOLDERS = {"id", "arn", "region", "account"}


@each_control
def test_the_fix_has_placeholders_that_tickets_fill_in(control: Control) -> None:
    assert "{id}" in control.fix
    assert set(re.findall(r"\{([a-z_]+)\}", control.fix)) <= PLACEHOLDERS
    assert control.fix.endswith("\n")
    assert "Make it last" in control.fix
    if control.resource_type is ResourceType.GLOBAL_CLUSTER:
        assert "{region}" not in control.fix  # its ARN has none


@each_control
def test_the_commands_of_the_fix_exist(control: Control) -> None:
    commands = _commands(re.sub(r"\{([a-z_]+)\}", r"\1", control.fix))
    assert commands
    for command in commands:
        _assert_command(command)


@each_drift
def test_the_commands_that_a_person_is_told_exist(control: Control, example: Example) -> None:
    outcome = planned(control, example)
    steps = outcome.steps if isinstance(outcome, Manual) else ()
    for step in steps:
        assert _commands(step) == [step]
        _assert_command(step)


def _commands(text: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", "", text)
    return [line.strip() for line in joined.splitlines() if line.strip().startswith("aws ")]


def _assert_command(command: str) -> None:
    """The operation and each option exist in the service's model, and nothing that is required lacks."""
    words = shlex.split(command)
    assert words[0] == "aws"
    of, name = words[1:3]
    if name == "wait":
        waiters = {xform_name(waiter, "-"): waiter for waiter in service.waiters(of).waiter_names}
        operation = service.waiters(of).get_waiter(waiters[words[3]]).operation
    else:
        operations = {xform_name(known, "-"): known for known in service.model(of).operation_names}
        operation = operations[name]
    shape = service.input_of(operation, of)
    options = {xform_name(member, "-"): member for member in shape.members}
    given = [word.removeprefix("--") for word in words if word.startswith("--")]
    members = set()
    for option in given:
        if option in {"region", "query"}:
            continue
        member = options.get(option) or options[option.removeprefix("no-")]
        if option not in options:
            assert shape.members[member].type_name == "boolean"
        members.add(member)
    assert set(shape.required_members) <= members
    assert "region" in given
    assert len(given) == len(set(given))


LASTING = re.compile(r"CloudFormation\s+`(\w+): .*?`\s+of\s+`(AWS::\w+::\w+)`", re.DOTALL)


@each_control
def test_the_lasting_fix_names_a_property_that_cloudformation_has(control: Control) -> None:
    if "CloudFormation `" not in control.fix:
        # No template keeps a snapshot's settings; of anything else the fix says so.
        assert control.resource_type.value.endswith("Snapshot") or "CloudFormation has no " in control.fix
        return
    [(name, resource_type)] = LASTING.findall(control.fix)
    assert name in _cloudformation(resource_type)


@functools.cache
def _cloudformation(resource_type: str) -> frozenset[str]:
    manager = pytest.importorskip("cfnlint.schema.manager")
    schema = manager.ProviderSchemaManager().get_resource_schema("us-east-1", resource_type)
    return frozenset(schema.schema["properties"])
