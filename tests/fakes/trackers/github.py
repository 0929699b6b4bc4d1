"""GitHub: issues of one repository."""

from __future__ import annotations

from typing import Any

from fakes.trackers.server import TrackerAnswer, TrackerRequest


class GitHub:
    """One repository, and pull requests between its issues."""

    host = "api.github.com"
    specification = "github.yaml"

    def __init__(self) -> None:
        self.password = "github_pat_s3cret"
        self.issues: dict[int, dict[str, Any]] = {}
        self.permissions = {"pull": True, "triage": True, "push": True}
        self.has_issues = True
        self.pushes = True
        """Whether the token may push: otherwise labels are dropped silently."""

    def person(self, number: str, reason: str, name: str = "ann") -> None:
        """Somebody closes an issue by hand."""
        self.issues[int(number)].update(
            state="closed", state_reason=reason, closed_by={"login": name}, closed_at="2026-11-24T10:00:00Z"
        )

    def add(self, title: str, body: str, *, at: str = "2026-11-24T09:30:00Z", pull: bool = False) -> int:
        """Add an issue, or a pull request, which GitHub lists among them."""
        number = len(self.issues) + 1
        self.issues[number] = {
            "number": number,
            "html_url": f"https://github.com/acme/ops/issues/{number}",
            "title": title,
            "body": body,
            "state": "open",
            "state_reason": None,
            "labels": [],
            "created_at": at,
            "updated_at": at,
            "comments_made": [],
            **({"pull_request": {"url": "https://api.github.com/x"}} if pull else {}),
        }
        return number

    def answer(self, request: TrackerRequest) -> TrackerAnswer:  # noqa: PLR0911 - a return for each call
        if request.headers.get("authorization") != f"Bearer {self.password}":
            return TrackerAnswer(401, {"message": "Bad credentials", "status": "401"})
        match [request.method, *request.segments[1:]]:
            case ["GET", "acme", "ops"]:
                told = {"has_issues": self.has_issues, "archived": False, "permissions": self.permissions}
                return TrackerAnswer(200, told)
            case [_, "acme", "ops", "issues", *_] if not self.has_issues:
                return TrackerAnswer(410, {"message": "Issues are disabled for this repo"})
            case ["GET", "acme", "ops", "issues"]:
                return self._list(request)
            case ["POST", "acme", "ops", "issues"]:
                issue = self.issues[self.add(request.json["title"], request.json["body"])]
                issue["labels"] = [{"name": name} for name in request.json["labels"]] if self.pushes else []
                return TrackerAnswer(201, issue)
            case [_, "acme", "ops", "issues", number, *rest] if int(number) in self.issues:
                return self._issue(request, self.issues[int(number)], rest)
        return TrackerAnswer(404, {"message": "Not Found"})

    def _list(self, request: TrackerRequest) -> TrackerAnswer:
        size, page = int(request.query["per_page"]), int(request.query.get("page", "1"))
        issues = [one for one in self.issues.values() if one["updated_at"] >= request.query.get("since", "")]
        issues.sort(
            key=lambda one: (one["created_at"], one["number"]),
            reverse=request.query.get("direction", "desc") == "desc",
        )
        return TrackerAnswer(200, issues[(page - 1) * size : page * size])

    def _issue(self, request: TrackerRequest, issue: dict[str, Any], rest: list[str]) -> TrackerAnswer:
        if request.method == "POST":
            issue["comments_made"].append(request.json["body"])
            return TrackerAnswer(201, {"id": 1})
        if request.method == "PATCH":
            issue.update(request.json)
        return TrackerAnswer(200, issue)
