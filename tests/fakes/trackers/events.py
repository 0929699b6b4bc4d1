"""What takes events and messages, and is asked nothing: PagerDuty, Slack, Teams, and a receiver of ours."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from fakes.trackers.server import TrackerAnswer, TrackerRequest


class PagerDuty:
    """One integration."""

    host = "events.pagerduty.com"
    specification = "pagerduty.yaml"

    def __init__(self) -> None:
        self.key = "0123456789abcdef0123456789abcdef"
        self.alerts: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    def answer(self, request: TrackerRequest) -> TrackerAnswer:
        if len(request.body) > 512_000:
            return TrackerAnswer(413, b"Request entity too large")
        event = request.json
        if event["routing_key"] != self.key:
            wrong = {
                "status": "invalid event",
                "message": "Event object is invalid",
                "errors": ["Invalid routing key"],
            }
            return TrackerAnswer(400, wrong)
        if request.path.startswith("/v2/change"):
            self.changes.append(event)
            return TrackerAnswer(202, {"status": "success", "message": "Change event processed"})
        self.events.append(event)
        key, action = event["dedup_key"], event["event_action"]
        if action == "trigger" or key in self.alerts:
            self.alerts[key] = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}[
                action
            ]
        return TrackerAnswer(202, {"status": "success", "message": "Event processed", "dedup_key": key})


class Slack:
    """One incoming webhook."""

    host = "hooks.slack.com"
    specification = "slack.yaml"

    def __init__(self) -> None:
        self.path = "/services/T00000000/B00000000/s3cretpath"
        self.messages: list[dict[str, Any]] = []

    def answer(self, request: TrackerRequest) -> TrackerAnswer:
        if request.path != self.path:
            return TrackerAnswer(404, b"no_service")
        if not request.json.get("text") and not request.json.get("blocks"):
            return TrackerAnswer(400, b"no_text")
        self.messages.append(request.json)
        return TrackerAnswer(200, b"ok")


class Teams:
    """The webhook of one workflow."""

    host = "prod-12.westeurope.logic.azure.com"
    specification = "teams.yaml"

    def __init__(self) -> None:
        self.path = "/workflows/0123/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cretsignature"
        self.cards: list[dict[str, Any]] = []
        self.sizes: list[int] = []

    def answer(self, request: TrackerRequest) -> TrackerAnswer:
        if request.query.get("sig") != "s3cretsignature":
            return TrackerAnswer(
                401, {"error": {"code": "DirectApiInvalidAuthorizationScheme", "message": "no"}}
            )
        if request.method == "GET":
            return TrackerAnswer(405, {"error": {"code": "MethodNotAllowed"}})
        # "Webhook message delivery failed with error: ... 413": 28 KB.
        if len(request.body) > 28 * 1024:
            return TrackerAnswer(413)
        self.sizes.append(len(request.body))
        self.cards.append(request.json["attachments"][0]["content"])
        return TrackerAnswer(202)


class Receiver:
    """Verifies signatures as the documentation tells it to."""

    host = "tickets.acme.example"
    specification = "webhook.yaml"

    def __init__(self) -> None:
        self.key = "s3cret-shared-key"
        self.deliveries: dict[str, dict[str, Any]] = {}

    def answer(self, request: TrackerRequest) -> TrackerAnswer:
        signed = request.headers["warden-timestamp"].encode() + b"." + request.body
        expected = "v1=" + hmac.new(self.key.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["warden-signature"]):
            return TrackerAnswer(401, {"message": "the signature is wrong"})
        if request.json["type"] == "ticket":
            self.deliveries[request.headers["warden-delivery"]] = request.json
        return TrackerAnswer(204)
