"""ServiceNow: a table of incidents with the states of the product."""

from __future__ import annotations

import base64
from typing import Any

from fakes.trackers.server import TrackerAnswer, TrackerRequest


class ServiceNow:
    """One instance."""

    host = "acme.service-now.com"
    specification = "servicenow.yaml"

    def __init__(self) -> None:
        self.password = "s3cret-password"
        self.records: dict[str, dict[str, Any]] = {}
        self.heeds_queries = True
        """Whether it knows the fields of a query; an instance that does not leaves the condition out."""
        self.close_codes = ["Solution provided", "No resolution provided"]

    def answer(self, request: TrackerRequest) -> TrackerAnswer:
        pair = base64.b64encode(f"warden:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            error = {"message": "User Not Authenticated", "detail": "Required to provide Auth information"}
            return TrackerAnswer(401, {"error": error, "status": "failure"})
        match [request.method, *request.segments[3:]]:
            case ["GET", "sys_choice"]:
                return TrackerAnswer(200, {"result": [{"value": code} for code in self.close_codes]})
            case ["GET", "incident"]:
                return TrackerAnswer(200, {"result": self._found(request)})
            case ["POST", "incident"]:
                number = f"{len(self.records) + 1:032x}"
                self.records[number] = {
                    "sys_id": number,
                    "number": f"INC{len(self.records):07}",
                    "state": "1",
                    "notes": [],
                    **request.json,
                }
                return self._told(self.records[number], request, 201)
            case [_, "incident", number] if number in self.records:
                return self._record(request, self.records[number])
        error = {
            "message": "No Record found",
            "detail": "Record doesn't exist or ACL restricts the record retrieval",
        }
        return TrackerAnswer(404, {"error": error, "status": "failure"})

    def person(self, number: str, **fields: str) -> None:
        """Somebody edits a record by hand."""
        self.records[number].update(fields)

    def _found(self, request: TrackerRequest) -> list[dict[str, Any]]:
        wanted = request.query.get("sysparm_query", "").removeprefix("correlation_id=").partition("^")[0]
        wanted = wanted if self.heeds_queries else ""
        found = [one for one in self.records.values() if wanted in {"", one.get("correlation_id")}]
        return [self._fields(one, request) for one in found[: int(request.query["sysparm_limit"])]]

    def _record(self, request: TrackerRequest, record: dict[str, Any]) -> TrackerAnswer:
        if request.method == "PATCH":
            body = dict(request.json)
            if record["state"] == "7":
                return TrackerAnswer(403, {"error": {"message": "Operation Failed", "detail": "closed"}})
            if body.get("state") == "6" and body.get("close_code") not in self.close_codes:
                detail = "Data Policy Exception: Resolution code is mandatory"
                return TrackerAnswer(403, {"error": {"message": "Operation Failed", "detail": detail}})
            if note := body.pop("work_notes", None):
                record["notes"].append(note)
            record.update(body)
        return self._told(record, request, 200)

    def _told(self, record: dict[str, Any], request: TrackerRequest, status: int) -> TrackerAnswer:
        return TrackerAnswer(status, {"result": self._fields(record, request)})

    def _fields(self, record: dict[str, Any], request: TrackerRequest) -> dict[str, Any]:
        wanted = request.query.get("sysparm_fields", "").split(",")
        return {name: record.get(name, "") for name in wanted}
