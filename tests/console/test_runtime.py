"""The stack at work: who is invoked with what, when, and what becomes of the messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.local.clock import MovableClock
from console.local.intrinsics import TemplateError
from console.local.runtime import LocalRuntime, RunawayError
from console.local.template import read_template
from fakes.small_stack import TEMPLATE, cluster_event

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Lambda:
    """Stands in for the handlers: remembers what it was asked, and answers as told."""

    def __init__(self, answers=None):
        self.calls = []
        self.answers = answers or {}

    def __call__(self, function, event):
        self.calls.append((function, event))
        answer = self.answers.get(function)
        return answer(event) if callable(answer) else answer

    def bodies(self, function):
        return [
            [json.loads(item["body"]) for item in event["Records"]]
            for name, event in self.calls
            if name == function
        ]


def deploy(answers=None, *, before="", after="", **parameters):
    assert before in TEMPLATE
    functions = Lambda(answers)
    template = read_template(TEMPLATE.replace(before, after) if before else TEMPLATE, parameters)
    return LocalRuntime(template, MovableClock(START), functions), functions


def seconds(invocations):
    return [(item.at - START).total_seconds() for item in invocations]


def failing(*wanted):
    """Report the messages of a batch whose bodies are among the wanted ones as failed."""

    def answer(event):
        failed = [item["messageId"] for item in event["Records"] if json.loads(item["body"]) in wanted]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    return answer


def crash(event):
    raise RuntimeError("no database")


def remediation(runtime, group, number):
    runtime.queues["Remediations"].send(
        json.dumps(f"{group}{number}"), group_id=group, deduplication_id=f"{group}{number}"
    )


def test_an_event_reaches_the_function_after_the_delay_and_the_batching_window():
    runtime, functions = deploy()
    runtime.put(cluster_event())
    done = runtime.run_until_idle()
    assert seconds(done) == [50]
    assert functions.bodies("Evaluate") == [[cluster_event()]]
    assert runtime.clock.now() == START + timedelta(seconds=50)
    assert runtime.queues["Triggers"].messages == ()


def test_events_of_one_window_are_one_batch():
    runtime, functions = deploy()
    for name in ("orders", "billing"):
        runtime.put(cluster_event(name))
        runtime.advance(2)
    runtime.run_until_idle()
    assert functions.bodies("Evaluate") == [[cluster_event("orders"), cluster_event("billing")]]


def test_a_full_batch_does_not_wait_for_its_window():
    runtime, functions = deploy()
    for number in range(12):
        runtime.put(cluster_event(f"c{number}"))
    done = runtime.run_until_idle()
    assert seconds(done) == [45, 50]
    assert [len(batch) for batch in functions.bodies("Evaluate")] == [10, 2]


def test_only_the_messages_that_failed_come_again():
    runtime, functions = deploy({"Ticket": None, "Evaluate": failing(2)})
    for number in (1, 2, 3):
        runtime.queues["Triggers"].send(json.dumps(number), delay_seconds=0)
    done = runtime.run_until_idle(max_time=timedelta(seconds=200))
    assert functions.bodies("Evaluate") == [[1, 2, 3], [2]]
    assert seconds(done) == [5, 185]
    assert len(done[0].failed_messages) == 1


def test_a_function_that_raises_gets_its_whole_batch_again():
    runtime, functions = deploy({"Evaluate": crash})
    for number in (1, 2):
        runtime.queues["Triggers"].send(json.dumps(number), delay_seconds=0)
    done = runtime.run_until_idle(max_time=timedelta(seconds=200))
    assert functions.bodies("Evaluate") == [[1, 2], [1, 2]]
    assert str(done[0].error) == "no database"
    assert len(done[0].failed_messages) == 2


def test_what_keeps_failing_ends_in_the_dead_letter_queue():
    runtime, functions = deploy({"Evaluate": crash})
    runtime.put(cluster_event())
    runtime.run_until_idle()
    assert len(functions.bodies("Evaluate")) == 3
    assert runtime.queues["TriggersDead"].bodies == (cluster_event(),)
    assert runtime.queues["Triggers"].messages == ()


def test_a_mapping_without_partial_responses_does_not_read_the_answer():
    runtime, functions = deploy({"Ticket": failing(1)})
    runtime.queues["Tickets"].send("1")
    runtime.run_until_idle()
    assert (functions.bodies("Ticket"), runtime.queues["Tickets"].messages) == ([[1]], ())


@pytest.mark.parametrize(
    "answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"ok": True}]
)
def test_an_answer_that_names_no_failure_is_a_success(answer):
    runtime, _ = deploy({"Evaluate": answer})
    runtime.queues["Triggers"].send("1", delay_seconds=0)
    runtime.advance(10)
    assert runtime.queues["Triggers"].messages == ()


@pytest.mark.parametrize(
    "answer",
    [
        "done",
        ["x"],
        {"batchItemFailures": "x"},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"messageId": "x"}]},
        {"batchItemFailures": ["x"]},
        {"batchItemFailures": [{"itemIdentifier": "of another batch"}]},
    ],
)
def test_an_answer_that_lambda_cannot_read_fails_the_whole_batch(answer):
    runtime, _ = deploy({"Evaluate": answer})
    for number in (1, 2):
        runtime.queues["Triggers"].send(str(number), delay_seconds=0)
    [invocation] = runtime.advance(10)
    assert len(invocation.failed_messages) == 2
    assert runtime.queues["Triggers"].in_flight == 2


def test_an_answer_that_is_no_json_fails_the_invocation():
    runtime, _ = deploy({"Evaluate": {"at": START}})
    runtime.queues["Triggers"].send("1", delay_seconds=0)
    [invocation] = runtime.advance(10)
    assert isinstance(invocation.error, TypeError)
    assert runtime.queues["Triggers"].in_flight == 1


def test_a_handler_cannot_change_what_is_remembered_of_its_event():
    def clear(event):
        event["Records"][0].clear()

    runtime, _ = deploy({"Ticket": clear})
    runtime.queues["Tickets"].send('"text"')
    [invocation] = runtime.run_until_idle()
    assert invocation.event["Records"][0]["body"] == '"text"'


def test_a_failure_in_a_fifo_queue_keeps_its_group_in_order_and_lets_others_pass():
    runtime, functions = deploy({"Remediate": failing("a1")})
    for group, number in (("a", 1), ("a", 2), ("b", 1)):
        remediation(runtime, group, number)
    runtime.run_until_idle()
    assert functions.bodies("Remediate") == [["a1"], ["b1"], ["a1"], ["a2"]]
    assert runtime.queues["RemediationsDead"].bodies == ("a1",)


def test_a_function_that_recovers_goes_on_in_order():
    state = {"broken": True}

    def recover(event):
        if state.pop("broken", False):
            raise RuntimeError("lost connection")

    runtime, functions = deploy({"Remediate": recover})
    for number in (1, 2):
        remediation(runtime, "a", number)
    done = runtime.run_until_idle()
    assert functions.bodies("Remediate") == [["a1"], ["a1"], ["a2"]]
    assert seconds(done) == [0, 180, 180]


def test_a_mapping_that_is_not_enabled_invokes_nobody():
    runtime, functions = deploy(before="BatchSize: 5", after="Enabled: false")
    runtime.queues["Tickets"].send("1")
    assert runtime.run_until_idle() == []
    assert functions.calls == []


def test_a_filter_of_a_mapping_drops_what_it_does_not_want():
    criteria = """FilterCriteria: {Filters: [{Pattern: '{"body": {"kind": ["open"]}}'}]}"""
    runtime, functions = deploy(before="BatchSize: 5", after=criteria)
    for body in ('{"kind": "open"}', '{"kind": "close"}', "no json"):
        runtime.queues["Tickets"].send(body)
    runtime.run_until_idle()
    assert functions.bodies("Ticket") == [[{"kind": "open"}]]
    assert runtime.queues["Tickets"].messages == ()


def test_idle_is_when_no_message_is_left_whatever_the_schedules_say():
    runtime, functions = deploy()
    assert runtime.run_until_idle() == []
    assert (runtime.clock.now(), functions.calls) == (START, [])
    assert runtime.next_due() == START + timedelta(minutes=5)
    assert runtime.next_due(schedules=False) is None


def test_a_schedule_that_falls_due_on_the_way_to_a_message_runs():
    runtime, functions = deploy({"Remediate": crash})
    runtime.advance(250)
    remediation(runtime, "a", 1)
    runtime.run_until_idle()
    assert [function for function, _ in functions.calls] == ["Remediate", "Sweep", "Remediate", "Sweep"]
    assert functions.calls[1][1] == {"tick": "2026-03-01T12:05:00Z"}


def test_waiting_ends_at_the_latest_time_that_was_allowed():
    runtime, _ = deploy()
    runtime.put(cluster_event())
    assert runtime.run_until_idle(max_time=timedelta(seconds=30)) == []
    assert runtime.clock.now() == START
    assert seconds(runtime.run_until_idle(max_time=timedelta(seconds=50))) == [50]


def test_time_passes_to_the_second_that_was_asked_for():
    runtime, functions = deploy()
    runtime.advance(299)
    assert functions.calls == []
    runtime.advance(1)
    assert functions.calls == [("Sweep", {"tick": "2026-03-01T12:05:00Z"})]
    assert runtime.clock.now() == START + timedelta(minutes=5)


def test_a_step_does_one_thing_that_is_due_now():
    runtime, _ = deploy()
    runtime.queues["Tickets"].send("1")
    runtime.queues["Remediations"].send("2", group_id="a", deduplication_id="2")
    assert [runtime.step().function for _ in range(2)] == ["Ticket", "Remediate"]
    assert runtime.step() is None


def test_functions_that_keep_each_other_busy_are_stopped():
    runtime, _ = deploy({"Ticket": lambda event: runtime.queues["Tickets"].send("again").message_id})
    runtime.queues["Tickets"].send("1")
    with pytest.raises(RunawayError, match="20 invocations and no end, the last of Ticket"):
        runtime.run_until_idle(max_invocations=20)


def test_a_failed_asynchronous_invocation_is_tried_twice_again_and_then_kept():
    runtime, functions = deploy({"Sweep": crash})
    runtime.run_schedule("SweepDaily")
    done = runtime.run_until_idle()
    assert seconds(done) == [0, 60, 180]
    assert [event for _, event in functions.calls] == [{"sweep": "full"}] * 3
    [message] = runtime.queues["Undelivered"].messages
    assert json.loads(message.body) == {"sweep": "full"}
    assert message.attributes["ErrorMessage"]["StringValue"] == "no database"


def test_an_asynchronous_invocation_that_recovers_is_done():
    state = {"broken": True}

    def recover(event):
        if state.pop("broken", False):
            raise RuntimeError("throttled")

    runtime, _ = deploy({"Sweep": recover})
    runtime.run_schedule("SweepDaily")
    assert seconds(runtime.run_until_idle()) == [0, 60]
    assert (len(runtime.asynchronous), runtime.queues["Undelivered"].messages) == (0, ())


def test_a_destination_learns_of_an_invocation_that_failed_for_good():
    runtime, _ = deploy(
        {"Sweep": crash},
        before="      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Undelivered.Arn}\n",
        after="      EventInvokeConfig:\n        MaximumRetryAttempts: 0\n"
        "        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Undelivered.Arn}}\n",
    )
    runtime.run_schedule("SweepDaily")
    assert len(runtime.run_until_idle()) == 1
    [record] = runtime.queues["Undelivered"].bodies
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestPayload"] == {"sweep": "full"}
    assert record["responsePayload"] == {"errorMessage": "no database", "errorType": "RuntimeError"}


def test_an_event_that_is_too_old_is_not_tried_again():
    runtime, _ = deploy(
        {"Sweep": crash},
        before="      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Undelivered.Arn}\n",
        after="      EventInvokeConfig: {MaximumEventAgeInSeconds: 90}\n",
    )
    runtime.run_schedule("SweepDaily")
    assert seconds(runtime.run_until_idle()) == [0, 60]
    assert len(runtime.asynchronous.discarded) == 1


def test_a_function_can_be_called_directly():
    runtime, functions = deploy({"Evaluate": {"findings": 2}})
    invocation = runtime.call("Evaluate", cluster_event())
    assert (invocation.response, invocation.source) == ({"findings": 2}, "direct")
    assert functions.calls == [("Evaluate", cluster_event())]
    with pytest.raises(TemplateError, match="no function 'Nobody'"):
        runtime.call("Nobody", {})


def test_every_invocation_is_remembered():
    runtime, _ = deploy()
    runtime.put(cluster_event())
    runtime.advance(400)
    assert [(item.function, item.source) for item in runtime.invocations] == [
        ("Evaluate", runtime.queues["Triggers"].settings.arn),
        ("Sweep", "asynchronous"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (
            "VisibilityTimeout: 180\n      RedrivePolicy: {deadLetterTargetArn: !GetAtt TriggersDead",
            "VisibilityTimeout: 20\n      RedrivePolicy: {deadLetterTargetArn: !GetAtt TriggersDead",
            "EvaluateFromTriggers: queue visibility timeout: 20 seconds is less than function timeout: 30 seconds",
        ),
        (
            "BatchSize: 1,",
            "BatchSize: 20,",
            "RemediateFromRemediations: a FIFO queue allows batches of 10, not 20",
        ),
        ("BatchSize: 1,", "MaximumBatchingWindowInSeconds: 5,", "a FIFO queue allows no batching window"),
        ("BatchSize: 5}", "BatchSize: 50}", "FromTickets: a batch of more than 10 needs a batching window"),
        (
            "MaximumConcurrency: 2",
            "MaximumConcurrency: 1",
            "the maximum concurrency 1 is not between 2 and 1000",
        ),
        (
            "sqs:DeleteMessage, sqs:GetQueueAttributes]\n                Resource: !GetAtt Remediations.Arn",
            "sqs:GetQueueAttributes]\n                Resource: !GetAtt Remediations.Arn",
            "RemediateFromRemediations: the execution role does not have permissions to call sqs:DeleteMessage",
        ),
        (
            "TriggersDead.Arn",
            "RemediationsDead.Arn",
            "Triggers: a dead-letter queue must be of the same kind",
        ),
        ("maxReceiveCount: 3", "maxReceiveCount: 0", "Triggers: maxReceiveCount 0 is not between 1 and 1000"),
        (
            "DelaySeconds: !Ref Delay",
            "DelaySeconds: 901",
            "Triggers: delay_seconds 901 is not between 0 and 900",
        ),
        (
            "${AWS::StackName}-remediations.fifo",
            "${AWS::StackName}-remediations",
            "is not one for a FIFO queue",
        ),
        (
            "Properties: {MessageRetentionPeriod: 1209600}",
            "Properties: {ContentBasedDeduplication: true}",
            "Undelivered: only a FIFO queue deduplicates by content",
        ),
        (
            "          SqsParameters: {MessageGroupId: events}\n",
            "",
            "DatabaseEvents: target audit: a FIFO queue needs SqsParameters",
        ),
        (
            "DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}\n        - Id: audit",
            "DeadLetterConfig: {Arn: !GetAtt Audit.Arn}\n        - Id: audit",
            "DatabaseEvents: target triggers: a dead-letter queue of EventBridge must be a standard queue",
        ),
        (
            "MaximumRetryAttempts: 185",
            "MaximumRetryAttempts: 186",
            "DatabaseEvents: MaximumRetryAttempts 186",
        ),
        ("    Timeout: 30", "    Timeout: 901", "Sweep: the timeout 901 is not between 1 and 900"),
        (
            "Principal: {Service: lambda.amazonaws.com}",
            "Principal: {Service: ec2.amazonaws.com}",
            "Remediate: the role RemediateRole does not trust lambda",
        ),
        (
            "EventSourceArn: !GetAtt Tickets.Arn",
            "EventSourceArn: 'arn:aws:sqs:eu-west-1:123456789012:gone'",
            "FromTickets: no queue arn:aws:sqs",
        ),
        (
            "EventSourceArn: !GetAtt Tickets.Arn",
            "EventSourceArn: !Sub '${Rows.Arn}/stream/1'",
            "FromTickets: the local AWS maps SQS queues only",
        ),
        ("FunctionName: !Ref Ticket", "FunctionName: nobody", "FromTickets: no function 'nobody'"),
    ],
)
def test_what_cloudformation_would_fail_to_create_stops_the_deployment(before, after, reason):
    with pytest.raises(TemplateError, match=reason):
        deploy(before=before, after=after)
