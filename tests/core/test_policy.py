from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from warden.core.control import Control, Example, Setting, Severity, compliant
from warden.core.decision import Mode
from warden.core.errors import PolicyError
from warden.core.policy import parse_policy
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
RESOURCE_ID = "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def control(name, *settings):
    return Control(
        module=f"controls.{name}",
        doc="",
        title="",
        resource_type=ResourceType.DB_CLUSTER,
        severity=Severity.HIGH,
        evaluate=lambda resource, settings: compliant("."),
        fix="",
        examples=(Example(name="", facts={}, expect="COMPLIANT"),),
        settings=settings,
    )


CONTROLS = (
    control(
        "cluster_a",
        Setting(name="days", default=7, doc="", minimum=1, maximum=35),
        Setting(name="accounts", default=[], doc="twelve digits", shared=True, pattern=r"\d{12}"),
    ),
    control(
        "cluster_b",
        Setting(name="required", default={"mysql": ["error"], "postgres": []}, doc=""),
        Setting(name="level", default="low", doc="", choices=("low", "high")),
        Setting(name="strict", default=False, doc=""),
    ),
)


def resource(tags=None, *, arn=ARN, key=f"123456789012/eu-west-1/AWS::RDS::DBCluster/{RESOURCE_ID}"):
    ref = ResourceRef.from_arn(arn)
    return Resource(
        ref=ref, facts=Facts({}), observed_at=NOW, key=key, tags=tags or {}, home=ref.region or "eu-west-1"
    )


def parse(text):
    return parse_policy(f"version = 1\n{text}", controls=CONTROLS, source="policy.toml")


def test_an_empty_policy_observes_with_the_defaults_of_the_controls():
    policy = parse("")

    assert policy.mode("cluster_a", resource(), Mode.REMEDIATE) is Mode.OBSERVE
    assert policy.settings["cluster_a"] == {"days": 7, "accounts": []}
    assert policy.settings["cluster_b"] == {
        "required": {"mysql": ["error"], "postgres": []},
        "level": "low",
        "strict": False,
    }


def test_settings_come_from_the_controls_table_and_shared_ones_from_the_baseline():
    policy = parse(
        """
        [baseline]
        accounts = ["111122223333"]
        [controls.cluster_a]
        days = 35
        [controls.cluster_b]
        required = { mysql = ["audit"] }
        level = "high"
        strict = true
        """
    )

    assert policy.settings["cluster_a"] == {"days": 35, "accounts": ["111122223333"]}
    assert policy.settings["cluster_b"]["required"] == {"mysql": ["audit"], "postgres": []}


def test_the_mode_is_the_lowest_of_control_scope_and_ceiling():
    policy = parse(
        """
        [defaults]
        mode = "remediate"
        [controls.cluster_b]
        mode = "ticket"
        [[scopes]]
        name = "production"
        mode = "observe"
        tags = { env = "prod" }
        """
    )

    assert policy.mode("cluster_a", resource(), Mode.REMEDIATE) is Mode.REMEDIATE
    assert policy.mode("cluster_a", resource(), Mode.TICKET) is Mode.TICKET
    assert policy.mode("cluster_b", resource(), Mode.REMEDIATE) is Mode.TICKET
    assert policy.mode("cluster_a", resource({"env": "prod"}), Mode.REMEDIATE) is Mode.OBSERVE


def test_a_scope_holds_only_where_all_of_its_conditions_do():
    policy = parse(
        """
        [defaults]
        mode = "remediate"
        [[scopes]]
        name = "one"
        mode = "ticket"
        accounts = ["123456789012"]
        regions = ["us-east-1"]
        """
    )

    assert policy.mode("cluster_a", resource(), Mode.REMEDIATE) is Mode.REMEDIATE


def test_a_disabled_control_is_not_judged():
    policy = parse("[controls.cluster_a]\nenabled = false")

    assert not policy.is_enabled("cluster_a")
    assert policy.is_enabled("cluster_b")


EXEMPTION = f"""
[[exemptions]]
control = "cluster_a"
resource = "{RESOURCE_ID}"
owner = "data team"
reason = "migration"
expires = 2026-12-01
"""


def test_an_exemption_covers_its_resource_until_the_end_of_its_last_day():
    policy = parse(EXEMPTION)

    assert policy.exemption("cluster_a", resource(), NOW).owner == "data team"
    assert policy.exemption("cluster_a", resource(), datetime(2026, 12, 1, 23, 59, tzinfo=UTC))
    assert policy.exemption("cluster_a", resource(), datetime(2026, 12, 2, tzinfo=UTC)) is None
    assert policy.exemption("cluster_b", resource(), NOW) is None
    assert policy.exemption("cluster_a", resource(key="123456789012/eu-west-1/x/cluster-OTHER"), NOW) is None


def test_an_exemption_of_an_account_covers_one_control_there():
    policy = parse(
        """
        [[exemptions]]
        control = "cluster_a"
        account = "123456789012"
        owner = "a"
        reason = "b"
        expires = 2027-01-01
        """
    )

    assert policy.exemption("cluster_a", resource(), NOW)
    other = resource(arn="arn:aws:rds:eu-west-1:999999999999:cluster:orders")
    assert policy.exemption("cluster_a", other, NOW) is None
    assert policy.exemptions[0].expires == date(2027, 1, 1)


def test_a_freeze_is_on_from_its_start_to_before_its_end():
    policy = parse('[[freezes]]\nfrom = 2026-11-24T12:00:00Z\nuntil = 2026-11-25\nreason = "launch"')

    assert policy.freeze(NOW).reason == "launch"
    assert policy.freeze(datetime(2026, 11, 25, tzinfo=UTC)) is None


def test_the_version_changes_with_every_byte():
    assert parse("").version == parse("").version
    assert parse("").version != parse("# a remark").version


WRONG = [
    ("[defaults]\nmod = 'ticket'", "defaults.mod", "known are enabled, mode"),
    ("[defaults]\nmode = 'fix'", "defaults.mode", "choose observe, ticket or remediate"),
    ("[defaults]\nmode = 1", "defaults.mode", "is not a str"),
    ("defaults = 1", "defaults", "is not a dict"),
    ("[controls.cluster_z]\nmode = 'ticket'", "controls.cluster_z", "there is no control 'cluster_z'"),
    ("[controls.cluster_a]\ndays = '7'", "controls.cluster_a.days", "is not a int"),
    ("[controls.cluster_a]\ndays = true", "controls.cluster_a.days", "is not a int"),
    ("[controls.cluster_a]\ndays = 0", "controls.cluster_a.days", "is below 1"),
    ("[controls.cluster_a]\ndays = 36", "controls.cluster_a.days", "is above 35"),
    ("[controls.cluster_a]\naccounts = []", "controls.cluster_a.accounts", "is not a key that exists here"),
    ("[controls.cluster_b]\nlevel = 'mid'", "controls.cluster_b.level", "is not one of low, high"),
    (
        "[controls.cluster_b]\nrequired = { oracle = [] }",
        "controls.cluster_b.required.oracle",
        "known are mysql",
    ),
    (
        "[controls.cluster_b]\nrequired = { mysql = 'error' }",
        "controls.cluster_b.required.mysql",
        "is not a list",
    ),
    ("[controls.cluster_b]\nenabled = 'no'", "controls.cluster_b.enabled", "is not a bool"),
    ("[baseline]\naccounts = ['1234']", "baseline.accounts", "does not match"),
    ("[baseline]\naccount = []", "baseline.account", "known are accounts"),
    ("[limits]\nattempts = 0", "limits.attempts", "is below 1"),
    ("[limits]\nwrites = 5", "limits.writes", "is not a key that exists here"),
    ("[allow]\ncosts = ['cluster_z']", "allow.costs", "there is no control"),
    ("[[scopes]]\nname = 'x'\nmode = 'ticket'", "scopes[0]", "has no condition"),
    ("[[scopes]]\nname = 'x'\nmode = 'ticket'\naccounts = ['12']", "scopes[0].accounts", "twelve digits"),
    (EXEMPTION.replace("owner", "ownr"), "exemptions[0].owner", "is missing; it is required"),
    (EXEMPTION.replace("expires = 2026-12-01", ""), "exemptions[0].expires", "is missing; it is required"),
    (EXEMPTION.replace("2026-12-01", "'2026-12-01'"), "exemptions[0].expires", "without quotes"),
    (EXEMPTION.replace("data team", " "), "exemptions[0].owner", "is empty"),
    (EXEMPTION.replace("cluster_a", "cluster_z"), "exemptions[0].control", "there is no control"),
    (EXEMPTION.replace(RESOURCE_ID, ""), "exemptions[0]", "covers nothing in particular"),
    (
        EXEMPTION.replace(RESOURCE_ID, "orders"),
        "exemptions[0].resource",
        "is neither an immutable resource id",
    ),
    (EXEMPTION.replace(RESOURCE_ID, ARN), "exemptions[0].resource", "give its DbClusterResourceId"),
    (
        "[[exemptions]]\ncontrol='*'\naccount='123456789012'\nowner='a'\nreason='b'\nexpires=2027-01-01",
        "exemptions[0]",
        "would exempt a whole account from everything",
    ),
    (
        "[[freezes]]\nfrom = 2026-12-02\nuntil = 2026-12-01\nreason = 'x'",
        "freezes[0].until",
        "is not after from",
    ),
    ("[[freezes]]\nfrom = 'x'\nuntil = 2026-12-01\nreason = 'x'", "freezes[0].from", "is not a date or time"),
    ("surprise = 1", "surprise", "is not a key that exists here"),
    ("[broken", "policy.toml", "not valid TOML"),
]


@pytest.mark.parametrize(("text", "key", "remedy"), WRONG)
def test_what_is_wrong_is_refused_with_file_key_and_remedy(text, key, remedy):
    with pytest.raises(PolicyError) as refusal:
        parse(text)

    assert "policy.toml: " in str(refusal.value)
    assert key in str(refusal.value)
    assert remedy in str(refusal.value)


def test_another_version_of_the_format_is_refused():
    with pytest.raises(PolicyError, match="this Warden reads version 1"):
        parse_policy("version = 2", controls=CONTROLS)
    with pytest.raises(PolicyError, match="version: is missing"):
        parse_policy("", controls=CONTROLS)


def test_a_snapshot_is_exempted_by_its_arn_since_aws_gives_it_no_other_id():
    arn = "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:before-migration"
    policy = parse(EXEMPTION.replace(RESOURCE_ID, arn))

    covered = resource(arn=arn, key=f"123456789012/eu-west-1/AWS::RDS::DBClusterSnapshot/{arn}")
    assert policy.exemption("cluster_a", covered, NOW)


def test_what_has_no_table_is_not_judged_where_the_defaults_say_so():
    policy = parse(
        """
        [defaults]
        enabled = false
        [controls.cluster_b]
        """
    )
    assert set(policy.settings) == {"cluster_b"}
    assert not policy.is_enabled("cluster_a")

    policy = parse(
        "[defaults]\nenabled = false\n[controls.cluster_a]\nenabled = true\n[controls.cluster_b]\nenabled = false"
    )
    assert set(policy.settings) == {"cluster_a"}

    assert set(parse("[defaults]\nenabled = true").settings) == {"cluster_a", "cluster_b"}


def test_whether_a_control_is_judged_is_a_yes_or_a_no():
    with pytest.raises(PolicyError, match=r"policy\.toml: defaults\.enabled: "):
        parse('[defaults]\nenabled = "no"')
