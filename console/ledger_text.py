"""An entry of the ledger as lines for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from console import reasons
from warden.core.undo import Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.ledger import Link

_WIDEST = 300


def lines(chain: str, link: Link) -> Iterator[str]:
    """When, what and of what; then what decided, why, what was written, and by which versions."""
    return map(harmless, _lines(chain, link))


def harmless(line: str) -> str:
    """A line that moves no cursor and colours nothing: parts of it come from strangers."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)


def _lines(chain: str, link: Link) -> Iterator[str]:
    entry = link.entry
    name = str(entry.get("arn", "")).rpartition(":")[2]
    control = str(entry.get("control", "")).replace(",", ", ")
    yield "  ".join(
        part for part in (when(entry.get("at")), str(entry.get("kind", "?")), control, name) if part
    )
    yield from (f"    {line}" for line in _told(entry))
    if cause := mapping(entry.get("cause")):
        yield f"    cause: {cause_text(cause)}"
    yield f"    by {entry.get('actor', '?')}{_versions(entry)}"
    yield f"    entry {link.sequence} of {chain}"
    if not isinstance(Write.of(entry), str):
        yield f"    to take it back: warden undo {chain}@{link.sequence} --reason '...'"


def when(at: object) -> str:
    """A time of the ledger, to the second."""
    text = str(at)
    return f"{text[:10]} {text[11:19]} UTC" if text.endswith("+00:00") else text


def _told(entry: Mapping[str, Any]) -> Iterator[str]:
    before, after = mapping(entry.get("before")), mapping(entry.get("after"))
    match entry.get("kind"):
        case "finding":
            was = before.get("workflow")
            yield (f"{was} → " if was else "") + f"{after.get('workflow')}: {after.get('annotation', '')}"
            if (said := before.get("annotation")) and said != after.get("annotation"):
                yield f"before: {said}"
            yield from _facts("read", entry.get("evidence"))
        case "decision":
            yield f"{after.get('action')} because of {after.get('reason')}: {reasons.why(after)}"
            if before:
                yield f"before: {before.get('action')} because of {before.get('reason')}"
            yield from _calls(after.get("plan"))
            yield from str(after.get("manual", "")).splitlines()
        case "intent":
            yield from _calls(after.get("calls"))
            yield from _facts("before", before)
        case "outcome":
            yield f"{after.get('status')} {after.get('operation')}" + _answer(after)
            yield from _calls(after.get("calls"))
            yield from _facts("before", before)
            if "undoes" in after:
                yield f"it takes entry {after['undoes']} back"
        case "undo":
            yield f"{after.get('status')}: entry {after.get('undoes')} was not taken back: {after.get('why')}"
        case "verification":
            shows = (
                "the fix holds" if after.get("status") == "SUCCEEDED" else "no effect of the fix has shown"
            )
            yield f"{after.get('status')}: {shows}; AWS accepted it at {when(after.get('applied_at'))}"
            yield from _facts("read", entry.get("evidence"))
        case _:
            yield cut(json.dumps(after, sort_keys=True, ensure_ascii=False))
    yield from (f"approved for {control} by {approver(one)}" for control, one in _approvals(after))


def _approvals(after: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((control, mapping(one)) for control, one in mapping(after.get("approvals")).items())
    if "approval" in after:
        yield "it", mapping(after["approval"])


def approver(approval: Mapping[str, Any]) -> str:
    """Who approved, when and why."""
    who = approval.get("arn") or approval.get("approver")
    return f"{who} at {when(approval.get('at'))}: {approval.get('reason')}"


def cause_text(cause: Mapping[str, Any]) -> str:
    """Who did what, when, with which tool and from where, as far as the event said."""
    who = str(cause.get("principal", ""))
    own = " (Warden itself)" if cause.get("own") else ""
    parts = [
        f"{cause.get('event_name') or 'an event'} ({cause.get('source', '?')})"
        + (f" by {who}{own}" if who else ""),
        f"at {when(cause.get('at'))}",
        f"with {cause['user_agent']}" if cause.get("user_agent") else "",
        f"from {cause['source_ip']}" if cause.get("source_ip") else "",
        f"event {cause['event_id']}" if cause.get("event_id") else "",
    ]
    return ", ".join(part for part in parts if part)


def call_text(call: Mapping[str, Any]) -> str:
    """One call: its operation and parameters."""
    return f"{call.get('operation')} {json.dumps(call.get('parameters'), sort_keys=True, ensure_ascii=False)}"


def cut(text: str) -> str:
    """The beginning of what is long; `--format json` has it whole."""
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}… ({len(text) - _WIDEST} more characters)"


def _calls(calls: object) -> Iterator[str]:
    if isinstance(calls, list):
        yield from (cut(f"call: {call_text(call)}") for call in calls if isinstance(call, dict))


def _facts(word: str, facts: object) -> Iterator[str]:
    for name, value in mapping(facts).items():
        yield cut(f"{word}: {name} = {json.dumps(value, sort_keys=True, ensure_ascii=False)}")


def _answer(after: Mapping[str, Any]) -> str:
    if request := after.get("request_id"):
        return f", request id {request}"
    return f": {after['error']}" if after.get("error") else ""


def _versions(entry: Mapping[str, Any]) -> str:
    names = (("control", "control_version"), ("policy", "policy_version"), ("code", "code_version"))
    told = [f"{word} {entry[member]}" for word, member in names if entry.get(member)]
    return f"; {', '.join(told)}" if told else ""


def mapping(value: object) -> dict[str, Any]:
    """A member of an entry that should be a mapping; somebody may have made something else of it."""
    return value if isinstance(value, dict) else {}
