"""Jira: issues with a workflow, a search that lags behind, and people who use it in their own words."""

from __future__ import annotations

import base64
import re
from typing import Any

from fakes.trackers.server import TrackerAnswer, TrackerRequest

TO_DO = {"id": "1", "name": "Zu erledigen", "statusCategory": {"key": "new"}}
DOING = {"id": "3", "name": "In Arbeit", "statusCategory": {"key": "indeterminate"}}
DONE = {"id": "5", "name": "Fertig", "statusCategory": {"key": "done"}}
DECLINED = {"id": "6", "name": "Won't Do", "statusCategory": {"key": "done"}}
RESOLUTIONS = ["Won't Do", "Erledigt"]
_BOUND = re.compile(r'project = "([A-Z0-9_]+)" AND labels = "([^"]+)" ORDER BY created ASC')


def _to(status: dict[str, Any], identifier: str, *, asks: bool = False) -> dict[str, Any]:
    fields = {"resolution": {"required": True, "allowedValues": [{"name": name} for name in RESOLUTIONS]}}
    return {
        "id": identifier,
        "name": f"Nach {status['name']}",
        "to": status,
        "fields": fields if asks else {},
    }


class Jira:
    """One project; of the cloud, or of a Data Center."""

    def __init__(self, *, cloud: bool = True) -> None:
        self.host = "acme.atlassian.net" if cloud else "jira.acme.example"
        self.specification = "jira_cloud.yaml" if cloud else "jira_data_center.yaml"
        self._root = f"/rest/api/{3 if cloud else 2}/"
        self.password = "s3cret-token"
        self.cloud = cloud
        self.issues: dict[str, dict[str, Any]] = {}
        self.unindexed: set[str] = set()
        """Issues that a search does not know yet."""
        self.lagging = False
        self.empty_pages = 0
        """Pages of a search that are empty, and not the last."""
        self.links: list[tuple[str, str]] = []
        self.has_links = True
        self.permissions = {
            "BROWSE_PROJECTS",
            "CREATE_ISSUES",
            "EDIT_ISSUES",
            "ADD_COMMENTS",
            "TRANSITION_ISSUES",
        }
        self.workflow = {
            "1": [_to(DECLINED, "91"), _to(DOING, "11")],
            "3": [_to(DECLINED, "91"), _to(DONE, "31", asks=True), _to(TO_DO, "12")],
            "5": [_to(TO_DO, "41")],
            "6": [_to(TO_DO, "41")],
        }

    def person(self, number: str, status: dict[str, Any], resolution: str | None, name: str = "Ann") -> None:
        """Somebody moves an issue by hand."""
        issue = self.issues[number]
        issue["fields"]["status"] = status
        issue["fields"]["resolution"] = {"name": resolution} if resolution else None
        issue["changelog"].append(
            {
                "created": f"2026-11-24T10:{len(issue['changelog']):02}:00.000+0000",
                "author": {"displayName": name},
                "items": [{"field": "status", "toString": status["name"]}],
            }
        )

    def answer(self, request: TrackerRequest) -> TrackerAnswer:  # noqa: PLR0911 - a return for each call
        said = request.headers.get("authorization", "")
        pair = base64.b64encode(f"warden@acme.example:{self.password}".encode()).decode()
        if said != (f"Basic {pair}" if self.cloud else f"Bearer {self.password}"):
            return TrackerAnswer(401, {"errorMessages": [f"{said} is not valid"], "errors": {}})
        match [request.method, *request.path.removeprefix(self._root).split("/")]:
            case ["POST", "issue"]:
                return self._create(request.json["fields"])
            case ["POST", "issueLink"]:
                if not self.has_links:
                    return TrackerAnswer(
                        404, {"errorMessages": ["Issue linking is currently disabled"], "errors": {}}
                    )
                self.links.append((request.json["inwardIssue"]["id"], request.json["outwardIssue"]["id"]))
                return TrackerAnswer(201)
            case ["POST", "search", *_]:
                return self._search(request.json)
            case ["GET", "mypermissions"]:
                names = request.query["permissions"].split(",")
                has = {name: {"key": name, "havePermission": name in self.permissions} for name in names}
                return TrackerAnswer(200, {"permissions": has})
            case ["GET", "project", "OPS"]:
                return TrackerAnswer(200, {"key": "OPS", "issueTypes": [{"name": "Task"}, {"name": "Bug"}]})
            case [_, "issue", number, *rest] if number in self.issues:
                return self._issue(request, self.issues[number], rest)
        return TrackerAnswer(
            404, {"errorMessages": ["Issue does not exist or you do not have permission"], "errors": {}}
        )

    def _create(self, fields: dict[str, Any]) -> TrackerAnswer:
        if fields["project"]["key"] != "OPS":
            return TrackerAnswer(
                400, {"errorMessages": [], "errors": {"project": "valid project is required"}}
            )
        number = str(10_001 + len(self.issues))
        self.issues[number] = {
            "id": number,
            "key": f"OPS-{len(self.issues) + 1}",
            "fields": {
                **fields,
                "status": TO_DO,
                "resolution": None,
                "created": f"2026-11-24T09:00:{len(self.issues):02}.000+0000",
            },
            "comments": [],
            "changelog": [],
        }
        if self.lagging:
            self.unindexed.add(number)
        issue = self.issues[number]
        return TrackerAnswer(201, {"id": number, "key": issue["key"], "self": f"https://{self.host}/x"})

    def _search(self, body: dict[str, Any]) -> TrackerAnswer:
        jql, page = body["jql"], int(body.get("nextPageToken", "0"))
        found = _BOUND.fullmatch(jql)
        if page < self.empty_pages:
            return TrackerAnswer(200, {"issues": [], "nextPageToken": str(page + 1)})
        if not found:
            return TrackerAnswer(400, {"errorMessages": [f"Error in the JQL Query: {jql}"], "errors": {}})
        issues = [
            {key: issue[key] for key in ("id", "key", "fields")}
            for issue in self.issues.values()
            if found[2] in issue["fields"]["labels"] and issue["id"] not in self.unindexed
        ]
        return TrackerAnswer(200, {"issues": issues, "isLast": True})

    def _issue(self, request: TrackerRequest, issue: dict[str, Any], rest: list[str]) -> TrackerAnswer:
        match [request.method, *rest]:
            case ["GET"]:
                told = {key: issue[key] for key in ("id", "key", "fields")}
                if request.query.get("expand") == "changelog":
                    told["changelog"] = {"histories": issue["changelog"]}
                return TrackerAnswer(200, told)
            case ["PUT"]:
                issue["fields"].update(request.json["fields"])
                return TrackerAnswer(204)
            case ["POST", "comment"]:
                issue["comments"].append(request.json["body"])
                return TrackerAnswer(201, {"id": "1"})
            case ["GET", "transitions"]:
                return TrackerAnswer(200, {"transitions": self.workflow[issue["fields"]["status"]["id"]]})
            case ["POST", "transitions"]:
                return self._move(issue, request.json)
        return TrackerAnswer(405, {"errorMessages": ["no such method"], "errors": {}})

    def _move(self, issue: dict[str, Any], body: dict[str, Any]) -> TrackerAnswer:
        for one in self.workflow[issue["fields"]["status"]["id"]]:
            if one["id"] == body["transition"]["id"]:
                asked = (body.get("fields") or {}).get("resolution")
                if bool(asked) is not ("resolution" in one["fields"]):
                    return TrackerAnswer(
                        400, {"errorMessages": [], "errors": {"resolution": "not on the screen"}}
                    )
                issue["fields"]["status"] = one["to"]
                issue["fields"]["resolution"] = asked
                return TrackerAnswer(204)
        return TrackerAnswer(
            400, {"errorMessages": ["the transition is not valid for the issue"], "errors": {}}
        )
