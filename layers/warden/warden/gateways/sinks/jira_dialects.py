"""What differs between Jira Cloud (REST v3) and Jira Data Center (REST v2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Protocol

from warden.core.errors import LaterError
from warden.core.rendering import adf, wiki

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warden.core.ticket import Ticket
    from warden.gateways.secrets import Secret
    from warden.gateways.sinks.api import Api


class Dialect(Protocol):
    """How one Jira is spoken to."""

    root: tuple[str, ...]
    """The segments that every path begins with."""

    def authorization(self, secret: Secret) -> dict[str, str]:
        """The headers that prove who we are."""
        ...

    def description(self, ticket: Ticket) -> Any:
        """The ticket's text as an issue's description."""
        ...

    def comment(self, text: str) -> Any:
        """Plain text as a comment's body."""
        ...

    def search(self, api: Api, jql: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """The issues that a query finds, the first of them where there are many."""
        ...


_FOUND = 50
"""Issues on a page; of one label there is one, or two after an accident."""
_PAGES = 5


class Cloud:
    """Jira Cloud: Atlassian Document Format, and an account's e-mail with an API token."""

    root: tuple[str, ...] = ("rest", "api", "3")

    def authorization(self, secret: Secret) -> dict[str, str]:
        """Basic, as "Basic auth for REST APIs" has it; scoped tokens too, under api.atlassian.com/ex/jira/."""
        pair = f"{secret['email']}:{secret['token']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def description(self, ticket: Ticket) -> Any:
        """A document."""
        return adf.document(ticket)

    def comment(self, text: str) -> Any:
        """A document."""
        return adf.comment(text)

    def search(self, api: Api, jql: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """By `POST search/jql`; the older `search` "is being removed" (CHANGE-2046).

        A page may be short, or empty, and not the last: only the absence of `nextPageToken` says that.
        """
        body: dict[str, Any] = {"jql": jql, "maxResults": _FOUND, "fields": list(fields)}
        issues: list[dict[str, Any]] = []
        for _ in range(_PAGES):
            found = _answered(api.call("POST", *self.root, "search", "jql", body=body))
            issues += found["issues"]
            if found.get("isLast") or not (token := found.get("nextPageToken")):
                break
            body = {**body, "nextPageToken": token}
        return issues


class DataCenter:
    """Jira Data Center: wiki markup, and a personal access token."""

    root: tuple[str, ...] = ("rest", "api", "2")

    def authorization(self, secret: Secret) -> dict[str, str]:
        """Bearer, as "Using personal access tokens" has it."""
        return {"Authorization": f"Bearer {secret['token']}"}

    def description(self, ticket: Ticket) -> Any:
        """Wiki markup."""
        return wiki.text(ticket)

    def comment(self, text: str) -> Any:
        """Wiki markup."""
        return wiki.comment(text)

    def search(self, api: Api, jql: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        """By `POST search`."""
        body = {"jql": jql, "startAt": 0, "maxResults": _FOUND, "fields": list(fields)}
        issues: list[dict[str, Any]] = _answered(api.call("POST", *self.root, "search", body=body))["issues"]
        return issues


def _answered(found: Any) -> dict[str, Any]:
    """What a search answered; LaterError where that says nothing, so that nobody takes it for "there is none"."""
    if not isinstance(found, dict) or not isinstance(found.get("issues"), list):
        msg = "Jira answered a search without saying which issues it found"
        raise LaterError(msg)
    return found
