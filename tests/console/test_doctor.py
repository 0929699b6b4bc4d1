"""`warden doctor` on a stack of the local AWS: what works, what does not, and that each line says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from console import deployed
from console.doctor import sinks as doctor_sinks
from console.local.aws import LocalAws
from fakes.trackers import Fault, TrackerAnswer, desk
from fakes.trackers.events import PagerDuty, Teams
from fakes.trackers.github import GitHub
from fakes.trackers.jira import Jira
from scanning.runs import REGION, Run, run
from warden.core import probe
from warden.core.control import ComplianceType
from warden.core.finding import Finding, WorkflowStatus
from warden.core.resource import Deployment
from warden.core.rows import Stop
from warden.core.ticket_rows import Errand, SinkHealth
from warden.gateways.findings import DynamoFindings
from warden.gateways.probe import DynamoWatch
from warden.gateways.state import DynamoState
from warden.gateways.tickets import DynamoTickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.trackers import Server

Capsys = pytest.CaptureFixture[str]
NAME = "aurora-warden"
_KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
RESOURCES: dict[str, Any] = {
    "Topic": {"Type": "AWS::SNS::Topic"},
    "TriggersQueue": {"Type": "AWS::SQS::Queue"},
    "TicketsDeadLetterQueue": {"Type": "AWS::SQS::Queue"},
    "StateTable": {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            "KeySchema": _KEYS,
        },
    },
    "RdsEventRule": {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "State": "ENABLED",
            "EventPattern": {"source": ["aws.rds"]},
            "Targets": [{"Id": "TriggersQueue", "Arn": {"Fn::GetAtt": ["TriggersQueue", "Arn"]}}],
        },
    },
    "TicketRole": {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    },
}
PARAMETERS = ("PolicyFile", "ModeCeiling", "TicketSecretArns")
POLICY = """
version = 1

[defaults]
mode = "ticket"

[baseline]
kms_key = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
"""
GITHUB = '[[tickets.sinks]]\ntype = "github"\nsecret = "warden/github"\nrepository = "acme/ops"\n'
JIRA = (
    '[[tickets.sinks]]\ntype = "jira"\nsecret = "warden/jira"\nsite = "https://acme.atlassian.net"\n'
    'project = "OPS"\n'
)
SNS = '[[tickets.sinks]]\ntype = "sns"\n'


class Stack:
    """A deployment, with what moto has no word for answered here."""

    def __init__(
        self, aws: LocalAws, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.aws = aws
        self.server = server
        self.file = tmp_path / "policy.toml"
        self.jira, self.github = Jira(), GitHub()
        server.reset(self.jira, self.github)
        self.denied: dict[str, str] = {}
        self.others: dict[str, Any] = {"iam": SimpleNamespace(simulate_principal_policy=self._simulated)}
        monkeypatch.setattr(deployed.Deployed, "client", lambda found, service: self.client(service))
        monkeypatch.setattr(doctor_sinks, "connect", server.connect)
        self.arns: list[str] = []

    def client(self, service: str) -> Any:
        return self.others.get(service) or self.aws.client(service)

    def _simulated(self, **asked: Any) -> dict[str, Any]:
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": (asked.get("ResourceArns") or ["*"])[0],
                "EvalDecision": "implicitDeny" if action in self.denied else "allowed",
                **({self.denied[action]: {"AllowedByOrganizations": False}} if action in self.denied else {}),
            }
            for action in asked["ActionNames"]
        ]
        return {"EvaluationResults": results}

    def secret(self, name: str, value: dict[str, str]) -> None:
        made = self.aws.client("secretsmanager").create_secret(
            Name=f"warden/{name}", SecretString=json.dumps(value)
        )
        self.arns.append(made["ARN"])

    def deploy(self, *sinks: str, ceiling: str = "ticket", **more: Any) -> None:
        self.file.write_text(POLICY + "\n".join(sinks), encoding="utf-8")
        template = {
            "Parameters": {name: {"Type": "String", "Default": ""} for name in PARAMETERS},
            "Resources": {**RESOURCES, **more},
        }
        given = {"PolicyFile": "policy.toml", "ModeCeiling": ceiling, "TicketSecretArns": ",".join(self.arns)}
        self.aws.client("cloudformation").create_stack(
            StackName=NAME,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )

    def physical(self, logical: str) -> str:
        answer = self.aws.client("cloudformation").describe_stack_resource(
            StackName=NAME, LogicalResourceId=logical
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    def trail(self, **selector: Any) -> None:
        self.aws.client("s3").create_bucket(
            Bucket="trails", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        trails = self.aws.client("cloudtrail")
        trails.create_trail(Name="everything", S3BucketName="trails", IsMultiRegionTrail=True)
        trails.start_logging(Name="everything")
        chosen = {"ReadWriteType": "All", "IncludeManagementEvents": True, **selector}
        trails.put_event_selectors(TrailName="everything", EventSelectors=[chosen])


@pytest.fixture
def stack(person: None, trackers: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with LocalAws(region=REGION) as aws:
        yield Stack(aws, trackers, tmp_path, monkeypatch)


@pytest.fixture
def doctor(stack: Stack, capsys: Capsys) -> Callable[..., Run]:
    def see(*arguments: str) -> Run:
        return run(capsys, "doctor", "--policy", str(stack.file), *arguments)

    return see


def failed(done: Run) -> dict[str, str]:
    return {line["what"]: line["todo"] for line in done.card["lines"] if line["health"] == "failed"}


def healthy(stack: Stack) -> None:
    stack.secret("jira", {"email": "warden@acme.example", "token": stack.jira.password})
    stack.secret("github", {"token": stack.github.password})
    stack.deploy(JIRA, GITHUB, SNS)
    stack.trail()
    sns = stack.aws.client("sns")
    sns.subscribe(TopicArn=stack.physical("Topic"), Protocol="email", Endpoint="ops@acme.example")


def test_a_healthy_stack_has_nothing_that_failed(stack: Stack, doctor: Callable[..., Run]) -> None:
    healthy(stack)
    done = doctor()
    assert done.status == 0, done.out
    for said in (
        "RdsEventRule is enabled",
        "sink jira",
        "sink github",
        "sink sns",
        "everything records the calls",
    ):
        assert said in done.out
    assert "FAIL" not in done.out
    assert stack.jira.issues == {}
    assert stack.github.issues == {}
    assert stack.server.refused == []


def test_what_no_check_can_see_is_not_said_to_be_well(stack: Stack, doctor: Callable[..., Run]) -> None:
    teams = Teams()
    stack.server.reset(teams)
    stack.secret("teams", {"url": f"https://{teams.host}{teams.path}"})
    sink = f'[[tickets.sinks]]\ntype = "teams"\nsecret = "warden/teams"\nhost = "{teams.host}"\n'
    stack.deploy(SNS, sink)
    stack.trail()
    done = doctor("--sink", "teams", "--sink", "sns", "--format", "json")
    assert done.status == 0, done.out
    told = {line["area"]: line for line in done.card["lines"] if line["area"].startswith("sink")}
    assert told["sink sns"]["health"] == "fine"
    assert told["sink teams"]["health"] == "unknown"
    assert "not checked: whether the workflow runs" in told["sink teams"]["what"]
    assert "--sink teams --write" in told["sink teams"]["todo"]
    assert teams.cards == []


def test_writing_creates_and_closes_one_ticket_in_each(stack: Stack, doctor: Callable[..., Run]) -> None:
    healthy(stack)
    done = doctor("--write", "--format", "json")
    assert done.status == 0, done.out
    [issue] = stack.jira.issues.values()
    assert issue["fields"]["status"]["name"] == "Fertig"
    assert "test" in issue["fields"]["summary"]
    [other] = stack.github.issues.values()
    assert other["state"] == "closed"
    assert stack.server.refused == []


@pytest.mark.parametrize(("page", "told"), [('["HIGH"]', True), ("[]", False)])
def test_a_pager_rings_for_the_test(stack: Stack, doctor: Callable[..., Run], page: str, told: bool) -> None:
    pager = PagerDuty()
    stack.server.reset(pager)
    stack.secret("pagerduty", {"routing_key": pager.key})
    stack.deploy(SNS, f'[[tickets.sinks]]\ntype = "pagerduty"\nsecret = "warden/pagerduty"\npage = {page}\n')
    stack.trail()
    done = doctor("--sink", "pagerduty", "--write")
    assert done.status == 0, done.out
    assert ("trigger" in [event["event_action"] for event in pager.events]) == told
    assert ("not that it is open" in done.out) != told
    assert "triggered" not in pager.alerts.values()


def test_one_sink_that_fails_is_named_and_holds_up_no_other(stack: Stack, doctor: Callable[..., Run]) -> None:
    healthy(stack)
    stack.jira.password = "rotated"
    done = doctor("--format", "json")
    assert done.status == 1
    [(what, todo)] = failed(done).items()
    assert "401" in what
    assert "secret" in todo
    assert [line["area"] for line in done.card["lines"] if line["area"].startswith("sink")] == [
        "sink jira",
        "sink github",
        "sink sns",
    ]


@pytest.mark.parametrize(
    ("fault", "said", "todo"),
    [
        (Fault(answer=TrackerAnswer(503)), "503", "can be reached"),
        (Fault(resets=True), "GET acme.atlassian.net", "can be reached"),
        (Fault(answer=TrackerAnswer(403, {"errorMessages": ["no"]})), "may not do this", "Do what it says"),
    ],
)
def test_each_trouble_says_what_to_do(
    stack: Stack, doctor: Callable[..., Run], fault: Fault, said: str, todo: str
) -> None:
    healthy(stack)
    stack.server.faults.append(fault)
    done = doctor("--sink", "jira", "--format", "json")
    assert done.status == 1
    [(what, what_to_do)] = failed(done).items()
    assert said in what
    assert todo in what_to_do


def test_what_the_deployment_could_not_tell_a_sink_is_said(stack: Stack, doctor: Callable[..., Run]) -> None:
    healthy(stack)
    tickets = DynamoTickets(stack.aws.client("dynamodb"), stack.physical("StateTable"))
    since = datetime.now(UTC) - timedelta(hours=2)
    tickets.set_health(SinkHealth(sink="jira", refused="401: the token has ended", since=since))
    tickets.write(
        Errand(ticket="a|b", sink="jira", due_at=since, first_at=since, error="401: the token has ended")
    )
    done = doctor("--sink", "jira", "--format", "json")
    assert done.status == 1
    told = failed(done)
    assert "it rests since it said: 401: the token has ended" in told
    assert "1 ticket(s) wait for it for more than an hour: 401: the token has ended" in told


def test_a_secret_that_is_missing_or_not_listed_is_named(stack: Stack, doctor: Callable[..., Run]) -> None:
    stack.arns.append(desk.arn_of("github"))
    stack.deploy(JIRA, GITHUB)
    done = doctor("--sink", "jira", "--sink", "github", "--format", "json")
    told = " ".join(failed(done))
    assert "TicketSecretArns" in told
    assert desk.arn_of("github") in told


def test_what_is_broken_in_the_way_of_events_is_found(stack: Stack, doctor: Callable[..., Run]) -> None:
    stack.others["lambda"] = SimpleNamespace(
        get_event_source_mapping=lambda UUID: {"State": "Disabled", "EventSourceArn": "arn:q"},  # noqa: N803 - boto3's
        get_function_configuration=lambda FunctionName: {"State": "Failed", "StateReason": "the key is gone"},  # noqa: N803
    )
    stack.others["scheduler"] = SimpleNamespace(
        get_schedule=lambda Name: {"State": "DISABLED", "ScheduleExpression": "rate(1 hour)"}  # noqa: N803 - boto3's
    )
    stack.deploy(SNS)
    resources = deployed.resources
    added = [
        deployed.StackResource("EvaluateFunction", "AWS::Lambda::Function", "f"),
        deployed.StackResource("EvaluateFunctionTriggers", "AWS::Lambda::EventSourceMapping", "u"),
        deployed.StackResource("EverythingSchedule", "AWS::Scheduler::Schedule", "s"),
    ]
    events, sqs = stack.aws.client("events"), stack.aws.client("sqs")
    events.remove_targets(Rule=stack.physical("RdsEventRule"), Ids=["TriggersQueue"])
    sqs.send_message(QueueUrl=stack.physical("TicketsDeadLetterQueue"), MessageBody="x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployed, "resources", lambda found, name: [*resources(found, name), *added])
        done = doctor("--format", "json")
    assert done.status == 1
    told = failed(done)
    for said in (
        "RdsEventRule is enabled and has no target",
        "TicketsDeadLetterQueue holds 1 message(s) that nobody could handle",
        "EvaluateFunction is Failed, its update Successful: the key is gone",
        "EvaluateFunctionTriggers is disabled: nobody reads arn:q",
        "EverythingSchedule is disabled",
        "there is none",
    ):
        assert said in told
    assert all(told.values())


@pytest.mark.parametrize(
    ("selector", "works"),
    [({}, True), ({"ReadWriteType": "ReadOnly"}, False), ({"IncludeManagementEvents": False}, False)],
)
def test_a_trail_that_leaves_out_what_writes_is_no_trail(
    stack: Stack, doctor: Callable[..., Run], selector: dict[str, Any], works: bool
) -> None:
    stack.deploy(SNS)
    stack.trail(**selector)
    done = doctor("--format", "json")
    assert ("leaves out the calls" not in " ".join(failed(done))) is works


def test_a_rule_that_is_disabled_and_writes_that_are_stopped_are_to_be_looked_at(
    stack: Stack, doctor: Callable[..., Run]
) -> None:
    healthy(stack)
    stack.aws.client("events").disable_rule(Name=stack.physical("RdsEventRule"))
    state = DynamoState(stack.aws.client("dynamodb"), stack.physical("StateTable"))
    state.set_stop(Stop(by="ann", reason="migration", at=stack.aws.clock.now()))
    done = doctor()
    assert done.status == 0
    assert "look  rules" in done.out
    assert "stopped by ann: migration" in done.out


def test_what_a_boundary_takes_away_is_found(stack: Stack, doctor: Callable[..., Run]) -> None:
    stack.denied = {"sns:Publish": "OrganizationsDecisionDetail"}
    healthy(stack)
    done = doctor("--format", "json")
    assert done.status == 1
    [what] = failed(done)
    assert "TicketRole may not sns:Publish" in what
    assert "service control policy" in what


def test_what_may_not_be_read_is_said_and_fails_nothing(stack: Stack, doctor: Callable[..., Run]) -> None:
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SimulatePrincipalPolicy")

    stack.others["iam"] = SimpleNamespace(simulate_principal_policy=denied)
    healthy(stack)
    done = doctor("--format", "json")
    assert done.status == 0
    [line] = [line for line in done.card["lines"] if line["health"] == "unknown"]
    assert "SimulatePrincipalPolicy" in line["what"]
    assert line["todo"]


def test_a_sink_that_there_is_not_is_refused(stack: Stack, doctor: Callable[..., Run]) -> None:
    healthy(stack)
    done = doctor("--sink", "nowhere")
    assert (done.status, done.out) == (2, "")
    assert "github, jira, sns" in done.err


def test_without_a_stack_it_says_what_to_give(stack: Stack, doctor: Callable[..., Run]) -> None:
    stack.file.write_text(POLICY, encoding="utf-8")
    done = doctor()
    assert (done.status, done.out) == (2, "")
    assert "--stack" in done.err


GROUP = "aurora-warden-probe"


@pytest.fixture
def _group(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moto's CloudFormation cannot make."""
    listed = deployed.resources
    group = deployed.StackResource("ProbeParameterGroup", "AWS::RDS::DBClusterParameterGroup", GROUP)
    monkeypatch.setattr(deployed, "resources", lambda *of: [*listed(*of), group])


def probed(stack: Stack, *, hours_ago: float | None) -> None:
    """A stack whose probe became a finding so long ago; never, where it did not."""
    keys = [("resource_key", "HASH"), ("control", "RANGE")]
    findings = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    }
    stack.deploy(SNS, FindingsTable={"Type": "AWS::DynamoDB::Table", "Properties": findings})
    if hours_ago is None:
        return
    ref = probe.ref_of(GROUP, Deployment("123456789012", REGION))
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    finding = Finding(
        resource_key=probe.key_of(ref),
        control=probe.CONTROL.id,
        arn=ref.arn,
        resource_type=ref.resource_type,
        severity="LOW",
        title=probe.CONTROL.title,
        workflow=WorkflowStatus.NEW,
        compliance=ComplianceType.NON_COMPLIANT,
        annotation="It drifted.",
        evidence={},
        first_observed=at,
        last_observed=at,
        cause={"at": (at - timedelta(seconds=95)).isoformat()},
    )
    DynamoFindings(stack.client("dynamodb"), stack.physical("FindingsTable")).put(finding)


@pytest.mark.usefixtures("_group")
@pytest.mark.parametrize(
    ("hours_ago", "health", "said"),
    [
        (3, "fine", "was a finding 95 s after the call"),
        (27, "failed", "no event of the synthetic drift has become a finding since"),
        (None, "failed", "nobody has waited"),
    ],
)
def test_the_way_of_an_event_as_a_whole_is_proved_by_the_probe(
    stack: Stack, doctor: Callable[..., Run], hours_ago: float | None, health: str, said: str
) -> None:
    probed(stack, hours_ago=hours_ago)
    [line] = [one for one in doctor("--format", "json").card["lines"] if one["area"] == "probe"]
    assert line["health"] == health
    assert said in line["what"]
    assert bool(line["todo"]) is (health != "fine")


@pytest.mark.usefixtures("_group")
def test_a_first_probe_is_waited_for(stack: Stack, doctor: Callable[..., Run]) -> None:
    probed(stack, hours_ago=None)
    watch = DynamoWatch(stack.client("dynamodb"), stack.physical("StateTable"))
    watch.begin(datetime.now(UTC))
    watch.begin(datetime.now(UTC) + timedelta(days=3))
    [line] = [one for one in doctor("--format", "json").card["lines"] if one["area"] == "probe"]
    assert (line["health"], "is waited for since" in line["what"]) == ("warning", True)
