"""Jira issues, in the cloud (developer.atlassian.com/cloud/jira/platform/rest/v3) and in a Data Center (REST v2)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from warden.core.errors import (
    AmbiguousError,
    LaterError,
    RejectedError,
    SinkRefusedError,
    TicketClosedError,
    TicketGoneError,
    WardenError,
)
from warden.core.rendering.harmless import defused, one_line, uncalculated
from warden.core.ticket import Handle, Remote, RemoteState
from warden.core.ticket_room import cut
from warden.gateways.sinks.jira_workflow import DONE, between, category, closing, reopening, resolution

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.ticket import Ticket
    from warden.gateways.sinks.api import Api
    from warden.gateways.sinks.jira_dialects import Dialect
    from warden.gateways.sinks.jira_workflow import Words

SUMMARY_LIMIT = 255
"""Characters: "Summary must be less than 255 characters" counts the last one in."""
LABEL = "aurora-warden"
_STEPS = 4
"""Transitions to done, at most."""
_PERMISSIONS = ("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES")


class Jira:
    """Issues of one project; implements `ports.Tracker`."""

    def __init__(
        self,
        api: Api,
        dialect: Dialect,
        *,
        site: str,
        project: str,
        issue_type: str,
        words: Words,
        labels: Sequence[str] = (),
        priorities: Mapping[str, str] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Take `site`, where people see issues, and the priority for each severity, where there should be one."""
        self._api = api
        self._dialect = dialect
        self._site = site.rstrip("/")
        self._project = project
        self._issue_type = issue_type
        self._words = words
        self._labels = list(labels)
        self._priorities = dict(priorities or {})
        self._extra = dict(fields or {})

    def find(self, ticket: Ticket) -> Handle | None:
        """The oldest issue with the ticket's labels: a clone has them too. Jira's index is some seconds behind."""
        jql = f'project = "{self._project}" AND labels = "{_label(ticket)}" ORDER BY created ASC'
        found = self._dialect.search(self._api, jql, ("labels", "created"))
        ours = [
            issue
            for issue in found
            if {LABEL, _label(ticket)} <= set((issue.get("fields") or {}).get("labels") or ())
        ]
        ours.sort(key=lambda issue: (str(issue["fields"].get("created")), int(issue["id"])))
        return self._handle(ours[0]) if ours else None

    def create(self, ticket: Ticket) -> Handle:
        """Create an issue."""
        fields: dict[str, Any] = {
            **self._extra,
            "project": {"key": self._project},
            "issuetype": {"name": self._issue_type},
            "labels": [_label(ticket), LABEL, *self._labels],
            **self._texts(ticket),
        }
        if priority := self._priorities.get(ticket.severity):
            fields["priority"] = {"name": priority}
        issue = self._call("POST", "issue", body={"fields": fields}, creates=True)
        if not isinstance(issue, dict) or not {"id", "key"} <= issue.keys():
            msg = f"Jira did not say which issue it created in {self._project}"
            raise AmbiguousError(msg)
        if ticket.previous:
            # The text names it too, and not every Jira has links of this name.
            with suppress(WardenError):
                link = {"inwardIssue": {"id": issue["id"]}, "outwardIssue": {"id": ticket.previous.id}}
                self._call("POST", "issueLink", body={"type": {"name": "Relates"}, **link})
        return self._handle(issue)

    def update(self, handle: Handle, ticket: Ticket) -> None:
        """Write summary and description anew."""
        self._call("PUT", "issue", handle.id, body={"fields": self._texts(ticket)}, of_ticket=True)

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        """Comment on the issue."""
        del ticket
        body = {"body": self._dialect.comment(text)}
        self._call("POST", "issue", handle.id, "comment", body=body, creates=True, of_ticket=True)

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        """Move it to done, in more than one step if need be, up to date; why is said below it."""
        status = self._status(handle)
        if category(status) == DONE:
            return True
        seen = {str(status.get("id"))}
        for number in range(_STEPS):
            transitions = self._transitions(handle)
            last = closing(transitions, self._words)
            step = last or between(transitions, seen)
            if step is None:
                break
            if number == 0:
                # Before it is closed: many a workflow lets nobody edit what is.
                self.update(handle, ticket)
            self._move(handle, step, resolution(step, self._words) if last else {})
            if last:
                self._confirm(handle, done=True)
                return True
            seen.add(str(step["to"].get("id")))
        msg = f"{handle.url or handle.id}: no transition leads to a status of the category done; set resolve_transition"
        raise RejectedError(msg)

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        """Move it out of done."""
        del ticket
        if category(self._status(handle)) == DONE:
            step = reopening(self._transitions(handle), self._words)
            if step is None:
                # Its workflow ends here.
                msg = f"{handle.url or handle.id}: no transition leads out of its status"
                raise TicketClosedError(msg)
            self._move(handle, step, {})
            self._confirm(handle, done=False)

    def remote(self, handle: Handle) -> Remote:
        """How it stands, read by its id: that is never behind, as a search is."""
        try:
            fields, issue = self._fields(handle, "status,resolution", expand="changelog")
        except TicketGoneError:
            return Remote(RemoteState.GONE)
        status, resolved = fields["status"], fields.get("resolution") or {}
        if category(status) != DONE:
            return Remote(RemoteState.OPEN)
        reason = str(resolved.get("name") or status.get("name") or "")
        refused = self._words.is_wont_fix(resolved.get("name")) or self._words.is_wont_fix(status.get("name"))
        state = RemoteState.WONT_FIX if refused else RemoteState.CLOSED
        return Remote(state, by=_last_mover(issue), reason=reason)

    def check(self) -> str:
        """See whether the account may do in the project what tickets need."""
        query = {"projectKey": self._project, "permissions": ",".join(_PERMISSIONS)}
        has = self._call("GET", "mypermissions", query=query).get("permissions")
        if not isinstance(has, dict):
            msg = "Jira did not say what the account may do"
            raise LaterError(msg)
        missing = [name for name in _PERMISSIONS if not (has.get(name) or {}).get("havePermission")]
        if missing:
            msg = f"the account lacks permissions in the project {self._project}: {', '.join(missing)}"
            raise SinkRefusedError(msg)
        try:
            project = self._call("GET", "project", self._project) or {}
        except SinkRefusedError:
            # The permissions are there, and the first create will say whether the type is.
            return f"whether the project has the issue type {self._issue_type!r}"
        types = [str(one.get("name")) for one in project.get("issueTypes") or ()]
        if types and self._issue_type not in types:
            msg = f"the project {self._project} has no issue type {self._issue_type!r}; it has {', '.join(types)}"
            raise SinkRefusedError(msg)
        return ""

    def _call(self, method: str, *path: str, **options: Any) -> Any:
        return self._api.call(method, *self._dialect.root, *path, **options)

    def _texts(self, ticket: Ticket) -> dict[str, Any]:
        # "The summary is invalid because it contains newline characters."
        summary = cut(uncalculated(defused(one_line(ticket.title))), SUMMARY_LIMIT - 1)
        return {"summary": summary, "description": self._dialect.description(ticket)}

    def _status(self, handle: Handle) -> Mapping[str, Any]:
        status: Mapping[str, Any] = self._fields(handle, "status")[0]["status"]
        return status

    def _fields(self, handle: Handle, names: str, **more: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields of an issue, its status among them, and all that is told of it."""
        issue = self._call("GET", "issue", handle.id, query={"fields": names, **more}, of_ticket=True)
        fields = issue.get("fields")
        if not isinstance(fields, dict) or not category(fields.get("status")):
            msg = f"{handle.url or handle.id}: Jira did not say how it stands"
            raise LaterError(msg)
        return fields, issue

    def _transitions(self, handle: Handle) -> list[dict[str, Any]]:
        query = {"expand": "transitions.fields"}
        found = self._call("GET", "issue", handle.id, "transitions", query=query, of_ticket=True)
        if not isinstance(found.get("transitions"), list):
            msg = f"{handle.url or handle.id}: Jira did not say which transitions there are"
            raise LaterError(msg)
        transitions: list[dict[str, Any]] = found["transitions"]
        return transitions

    def _move(self, handle: Handle, transition: Mapping[str, Any], fields: dict[str, Any]) -> None:
        body = {"transition": {"id": str(transition["id"])}, **({"fields": fields} if fields else {})}
        self._call("POST", "issue", handle.id, "transitions", body=body, of_ticket=True)

    def _confirm(self, handle: Handle, *, done: bool) -> None:
        """See that it was moved: Jira answers with nothing, and a workflow may move it on by itself."""
        if (category(self._status(handle)) == DONE) is not done:
            msg = (
                f"{handle.url or handle.id}: Jira took the transition, and its status is not of that category"
            )
            raise LaterError(msg, alone=True)

    def _handle(self, issue: Mapping[str, Any]) -> Handle:
        # The id stays when an issue is moved to another project; the key does not.
        return Handle(id=str(issue["id"]), url=f"{self._site}/browse/{issue['key']}")


def _label(ticket: Ticket) -> str:
    return f"{LABEL}-{ticket.id}"


def _last_mover(issue: Mapping[str, Any]) -> str:
    """Who last changed the status, as far as the history is told."""
    moves = [
        one
        for one in (issue.get("changelog") or {}).get("histories") or ()
        if any(item.get("field") == "status" for item in one.get("items") or ())
    ]
    if not moves:
        return ""
    last = max(moves, key=lambda one: str(one.get("created")))
    author = last.get("author") or {}
    return str(author.get("displayName") or author.get("name") or "")
