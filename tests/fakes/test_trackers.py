"""The specifications refuse what a vendor would refuse: a fake that takes everything would prove nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from fakes.trackers import TrackerRequest
from fakes.trackers.server import Specification

ISSUE: dict[str, Any] = {
    "fields": {
        "project": {"key": "OPS"},
        "issuetype": {"name": "Task"},
        "summary": "x",
        "description": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": []}]},
        "labels": ["a"],
    }
}
JSON = {"content-type": "application/json"}
GITHUB = {**JSON, "user-agent": "x", "x-github-api-version": "2022-11-28"}


def wrong(
    name: str, path: str, body: Any, *, method: str = "POST", query: Any = None, headers: Any = JSON
) -> str:
    encoded = b"" if body is None else json.dumps(body).encode()
    return Specification.named(name).check(TrackerRequest(method, path, query or {}, headers, encoded))


def changed(change: Any) -> Any:
    body = copy.deepcopy(ISSUE)
    change(body["fields"])
    return body


def test_what_is_right_is_taken() -> None:
    assert wrong("jira_cloud.yaml", "/rest/api/3/issue", ISSUE) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("summary"),
        lambda fields: fields.update(reporter={"name": "x"}),
        lambda fields: fields.update(summary="two\nlines"),
        lambda fields: fields.update(summary="x" * 256),
        lambda fields: fields.update(labels=["two words"]),
        lambda fields: fields.update(description="plain text"),
        lambda fields: fields["description"].update(version=2),
        lambda fields: fields["description"]["content"].append({"type": "mention"}),
        lambda fields: fields["description"]["content"][0].update(content=[{"type": "text", "text": ""}]),
        lambda fields: fields["description"]["content"][0].update(marks=[]),
        lambda fields: fields["description"]["content"].append(
            {"type": "codeBlock", "content": [{"type": "text", "text": "x", "marks": [{"type": "strong"}]}]}
        ),
        lambda fields: fields["description"]["content"].append({"type": "bulletList", "content": []}),
    ],
)
def test_jira_refuses(change: Any) -> None:
    assert wrong("jira_cloud.yaml", "/rest/api/3/issue", changed(change))


@pytest.mark.parametrize(
    ("name", "path", "body", "options"),
    [
        ("jira_cloud.yaml", "/rest/api/3/search", {"jql": "x"}, {}),
        ("jira_cloud.yaml", "/rest/api/3/search/jql", {"jql": "x", "startAt": 0}, {}),
        ("jira_cloud.yaml", "/rest/api/3/mypermissions", None, {"method": "GET"}),
        ("jira_data_center.yaml", "/rest/api/2/issue", ISSUE, {}),
        ("servicenow.yaml", "/api/now/table/incident", {"short_description": "x" * 161}, {}),
        ("servicenow.yaml", "/api/now/table/incident", {"short_description": "x", "u_own": "x"}, {}),
        (
            "servicenow.yaml",
            "/api/now/table/incident",
            None,
            {"method": "GET", "query": {"sysparm_query": "correlation_id=x^ORnumber!=1"}},
        ),
        ("github.yaml", "/repos/a/b/issues", {"title": "x"}, {"headers": JSON}),
        ("github.yaml", "/repos/a/b/issues", {"labels": []}, {"headers": GITHUB}),
        ("github.yaml", "/repos/a/b/issues", {"title": "x", "labels": ["x" * 51]}, {"headers": GITHUB}),
        ("github.yaml", "/repos/a/b/issues/1", {"state": "done"}, {"method": "PATCH", "headers": GITHUB}),
        ("github.yaml", "/repos/a/b/issues", None, {"method": "GET", "headers": GITHUB, "query": {"q": "x"}}),
        ("pagerduty.yaml", "/v2/enqueue", {"routing_key": "0" * 32, "event_action": "resolve"}, {}),
        ("pagerduty.yaml", "/v2/enqueue", {"routing_key": "0" * 32, "event_action": "trigger"}, {}),
        ("slack.yaml", "/services/a/b/c", {"text": "x", "blocks": []}, {}),
        ("slack.yaml", "/services/a/b/c", {"channel": "#x", "text": "x"}, {}),
        (
            "slack.yaml",
            "/services/a/b/c",
            {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
            {},
        ),
        (
            "slack.yaml",
            "/services/a/b/c",
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
            {},
        ),
    ],
)
def test_the_others_refuse(name: str, path: str, body: Any, options: dict[str, Any]) -> None:
    assert wrong(name, path, body, **options)
