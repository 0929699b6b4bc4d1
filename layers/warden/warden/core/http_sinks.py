"""The sinks that are reached by HTTPS, as the policy file declares them."""

from __future__ import annotations

from warden.core.sink_types import Option, SinkType

_HOST = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?"
_ADDRESS = rf"https://{_HOST}(/[A-Za-z0-9._~/-]*)?"
_SECRET = Option(
    name="secret",
    default="",
    required=True,
    pattern=r"[A-Za-z0-9/_+=.@-]{1,256}",
    doc="the name of a secret whose ARN the parameter TicketSecretArns lists",
)
_LABELS = Option(
    name="labels", default=[], pattern=r"[^\s\"]{1,50}", doc="labels beside Warden's own; without spaces"
)
_WONT_FIX = ["Won't Do", "Won't Fix", "Wontfix", "Declined", "Rejected", "Cannot Reproduce"]

_JIRA = (
    Option(
        name="site",
        default="",
        required=True,
        pattern=_ADDRESS,
        doc="where people see issues, such as https://example.atlassian.net",
    ),
    Option(
        name="api",
        default="",
        pattern=rf"|{_ADDRESS}",
        doc="where the API is, if elsewhere, such as https://api.atlassian.com/ex/jira/<cloud id> for scoped tokens",
    ),
    _SECRET,
    Option(name="project", default="", required=True, pattern=r"[A-Z][A-Z0-9_]{1,254}", doc="its key"),
    Option(name="issue_type", default="Task", pattern=r".{1,60}", doc="the name of the issues' type"),
    _LABELS,
    Option(
        name="priorities",
        default={},
        pattern=r".{1,60}",
        doc="the name of a priority for each severity; a severity without one gets the project's default",
    ),
    Option(
        name="fields",
        default={},
        pattern=r"(?s).{1,4000}",
        may_be_json=True,
        doc="fields that the project requires: a text, or JSON where the field is none",
    ),
    Option(
        name="resolve_transition",
        default="",
        pattern=r".{0,255}",
        doc="the name of the transition that closes; empty for one to a status of the category done",
    ),
    Option(
        name="reopen_transition",
        default="",
        pattern=r".{0,255}",
        doc="the name of the transition that opens again; empty for one out of the category done",
    ),
    Option(
        name="resolution",
        default="",
        pattern=r".{0,255}",
        doc="the resolution to set where the transition asks for one; empty for the first that is not in wont_fix",
    ),
    Option(
        name="wont_fix",
        default=_WONT_FIX,
        pattern=r".{1,255}",
        doc="resolutions and statuses by which somebody says that nothing will be done",
    ),
)

HTTP_SINKS: tuple[SinkType, ...] = (
    SinkType(name="jira", doc="issues of Jira Cloud", keeps_tickets=True, options=_JIRA),
    SinkType(
        name="jira-data-center",
        doc="issues of Jira Data Center",
        keeps_tickets=True,
        options=_JIRA,
    ),
    SinkType(
        name="servicenow",
        doc="incidents of ServiceNow",
        keeps_tickets=True,
        options=(
            Option(
                name="site",
                default="",
                required=True,
                pattern=_ADDRESS,
                doc="the instance, such as https://example.service-now.com",
            ),
            _SECRET,
            Option(
                name="table",
                default="incident",
                pattern=r"[a-z][a-z0-9_]{0,79}",
                doc="a table that has the states of incidents",
            ),
            Option(
                name="close_code",
                default="Solution provided",
                pattern=r".{1,100}",
                doc="what a resolved record gets; instances differ, and `warden doctor` compares",
            ),
            Option(
                name="wont_fix",
                default=[
                    "No resolution provided",
                    "Not Solved (Not Reproducible)",
                    "Not Solved (Too Costly)",
                ],
                pattern=r".{1,100}",
                doc="close codes by which somebody says that nothing will be done",
            ),
            Option(
                name="fields",
                default={},
                pattern=r"(?s).{1,4000}",
                doc="fields that new records get, such as caller_id and assignment_group",
            ),
        ),
    ),
    SinkType(
        name="github",
        doc="issues of a repository of GitHub",
        keeps_tickets=True,
        options=(
            Option(
                name="repository",
                default="",
                required=True,
                pattern=r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}",
                doc="owner/name",
            ),
            Option(
                name="api",
                default="https://api.github.com",
                pattern=_ADDRESS,
                doc="where the API is; of GitHub Enterprise Server https://<host>/api/v3",
            ),
            _SECRET,
            _LABELS,
        ),
    ),
    SinkType(
        name="pagerduty",
        doc="pages of PagerDuty for what is grave or failed, change events for what Warden put right",
        # A page is never put off to a summary, and what does not page is not sent.
        is_limited=False,
        tells_changes=True,
        options=(
            _SECRET,
            Option(
                name="api",
                default="https://events.pagerduty.com",
                pattern=_ADDRESS,
                doc="where events go; in the EU service region https://events.eu.pagerduty.com",
            ),
            Option(
                name="page",
                default=["CRITICAL"],
                choices=("CRITICAL", "HIGH", "MEDIUM", "LOW"),
                doc="the severities that page; what failed always does",
            ),
            Option(name="changes", default=True, doc="whether successful remediations become change events"),
        ),
    ),
    SinkType(
        name="slack",
        doc="messages to a channel of Slack, by an incoming webhook",
        options=(
            _SECRET,
            Option(name="host", default="hooks.slack.com", pattern=_HOST, doc="the host of the webhook"),
        ),
    ),
    SinkType(
        name="teams",
        doc="cards to a channel of Teams, by the webhook of a workflow",
        options=(
            _SECRET,
            Option(
                name="host", default="", required=True, pattern=_HOST, doc="the host of the webhook's address"
            ),
        ),
    ),
    SinkType(
        name="webhook",
        doc="JSON to an address of yours, signed with a shared key",
        is_limited=False,
        is_machine=True,
        options=(
            Option(name="url", default="", required=True, pattern=_ADDRESS, doc="where it goes"),
            _SECRET,
        ),
    ),
)
