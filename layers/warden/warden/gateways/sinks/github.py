"""GitHub Issues (docs.github.com/rest/issues/issues, API version 2022-11-28); GitHub Enterprise by its own address."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.errors import AmbiguousError, LaterError, SinkRefusedError, TicketGoneError
from warden.core.rendering import markdown
from warden.core.rendering.harmless import defused, one_line, uncalculated, unreferenced
from warden.core.ticket import Handle, Remote, RemoteState
from warden.core.ticket_room import cut, fitted, length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.ticket import Ticket
    from warden.gateways.secrets import Secret
    from warden.gateways.sinks.api import Api

LABEL = "aurora-warden"
TITLE_LIMIT = 256
BODY_LIMIT = 65_536
"""Characters: "body is too long (maximum is 65536 characters)"."""
HEADERS: Mapping[str, str] = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_PAGE = 100
_PAGES = 10
_SLACK = timedelta(hours=1)
"""For a clock that is behind."""


def authorization(secret: Secret) -> dict[str, str]:
    """A fine-grained or classic personal access token, or one of an App's installation."""
    return {"Authorization": f"Bearer {secret['token']}"}


class GitHub:
    """Issues of one repository; implements `ports.Tracker`."""

    def __init__(self, api: Api, *, repository: str, labels: Sequence[str] = ()) -> None:
        """Take the repository as `owner/name`."""
        owner, _, name = repository.partition("/")
        self._api = api
        self._repository = repository
        self._path = ("repos", owner, name)
        self._labels = [LABEL, *labels]

    def find(self, ticket: Ticket) -> Handle | None:
        """The oldest issue with the ticket's mark among those created since it was opened.

        Neither by search, which lags behind, nor by a label for each ticket, which would fill the repository's list;
        labels are also dropped silently from what somebody without push access creates.
        """
        since = ticket.opened_at - _SLACK
        query = {
            "state": "all",
            "sort": "created",
            "direction": "desc",
            "since": _utc(since),
            "per_page": str(_PAGE),
        }
        found = None
        for page in range(1, _PAGES + 1):
            issues = (
                self._api.call("GET", *self._path, "issues", query={**query, "page": str(page)}, expect=list)
                or []
            )
            for issue in issues:
                if _is_ours(issue, ticket):
                    found = issue
            if len(issues) < _PAGE or _time(issues[-1].get("created_at"), since) < since:
                break
        return None if found is None else _handle(found)

    def create(self, ticket: Ticket) -> Handle:
        """Open an issue."""
        issue = self._api.call(
            "POST", *self._path, "issues", body={**_fields(ticket), "labels": self._labels}, creates=True
        )
        if not isinstance(issue, dict) or "number" not in issue:
            msg = f"GitHub did not say which issue it created in {self._repository}"
            raise AmbiguousError(msg)
        return _handle(issue)

    def update(self, handle: Handle, ticket: Ticket) -> None:
        """Write title and text anew."""
        self._patch(handle, _fields(ticket))

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        """Comment on the issue."""
        del ticket
        lines = [markdown.escaped(line) for line in text.splitlines() if line.strip()]
        body = {"body": cut(uncalculated("\n\n".join(lines)), BODY_LIMIT)}
        self._api.call(
            "POST", *self._path, "issues", handle.id, "comments", body=body, creates=True, of_ticket=True
        )

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        """Close it as completed, up to date; why is said below it."""
        if self._read(handle)["state"] != "closed":
            self._patch(handle, {**_fields(ticket), "state": "closed", "state_reason": "completed"})
        return True

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        """Open it again."""
        del ticket
        if self._read(handle)["state"] == "closed":
            self._patch(handle, {"state": "open", "state_reason": "reopened"})

    def remote(self, handle: Handle) -> Remote:
        """How it stands: closed as not planned is "won't fix"."""
        try:
            issue = self._read(handle)
        except TicketGoneError:
            return Remote(RemoteState.GONE)
        if issue["state"] != "closed":
            return Remote(RemoteState.OPEN)
        reason = str(issue.get("state_reason") or "")
        state = RemoteState.WONT_FIX if reason == "not_planned" else RemoteState.CLOSED
        by = str((issue.get("closed_by") or {}).get("login") or "")
        return Remote(state, by=by, reason=reason)

    def check(self) -> str:
        """See whether issues can be created and closed: the repository, its issues, and the token's permissions."""
        self._api.call("GET", *self._path, "issues", query={"state": "all", "per_page": "1"}, expect=list)
        try:
            found = self._api.call("GET", *self._path) or {}
        except SinkRefusedError:
            # Reading issues is enough for a ticket; the rest would only have said more.
            return ""
        if not found.get("has_issues", True) or found.get("archived"):
            msg = f"{self._repository} takes no issues: they are disabled, or it is archived"
            raise SinkRefusedError(msg)
        may = found.get("permissions") or {}
        if may and not (may.get("triage") or may.get("push") or may.get("maintain") or may.get("admin")):
            msg = f"the token may not label and close issues of {self._repository}; give it write access to issues"
            raise SinkRefusedError(msg)
        return ""

    def _read(self, handle: Handle) -> dict[str, Any]:
        issue = self._api.call("GET", *self._path, "issues", handle.id, of_ticket=True)
        if not isinstance(issue, dict) or "state" not in issue:
            msg = f"GitHub did not say how issue {handle.id} of {self._repository} stands"
            raise LaterError(msg)
        return issue

    def _patch(self, handle: Handle, fields: Mapping[str, Any]) -> None:
        issue = (
            self._api.call("PATCH", *self._path, "issues", handle.id, body=dict(fields), of_ticket=True) or {}
        )
        if "number" not in issue or issue.get("state") != fields.get("state", issue.get("state")):
            msg = f"GitHub did not say that issue {handle.id} of {self._repository} is as it should be"
            raise LaterError(msg)


def _fields(ticket: Ticket) -> dict[str, Any]:
    fitting = fitted(ticket, lambda candidate: length(_body(candidate)) <= BODY_LIMIT)
    # A title is shown as text, but turns @names into mentions in mails, and names of emoji into emoji.
    title = cut(uncalculated(unreferenced(defused(one_line(ticket.title)))), TITLE_LIMIT)
    return {"title": title, "body": _body(fitting)}


def _body(ticket: Ticket) -> str:
    before = f"\nFollows #{ticket.previous.id}.\n" if ticket.previous else ""
    return f"{markdown.text(ticket)}{before}\n{_mark(ticket.id)}\n"


def _is_ours(issue: Mapping[str, Any], ticket: Ticket) -> bool:
    """Whether an issue ends with the mark as we write it: who quotes one of ours writes below it."""
    return "pull_request" not in issue and str(issue.get("body") or "").rstrip().endswith(_mark(ticket.id))


def _mark(ticket_id: str) -> str:
    """A comment of HTML, which nobody sees; what others wrote cannot contain one, since `<` is escaped."""
    return f"<!-- aurora-warden {ticket_id} -->"


def _handle(issue: Mapping[str, Any]) -> Handle:
    return Handle(id=str(issue["number"]), url=str(issue.get("html_url") or ""))


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: object, default: Any) -> Any:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return default
