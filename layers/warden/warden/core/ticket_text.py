"""What a person should read about a finding, or about many: the sections of a ticket, put together."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

from warden.core import preflight
from warden.core.dataclass import dataclass
from warden.core.deep_links import links
from warden.core.frameworks import by_framework
from warden.core.ledger import plain
from warden.core.resource import ResourceRef
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph, Section
from warden.core.ticket import Resolution, Ticket, TicketState, ticket_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.sections import Block
    from warden.core.ticket import Handle

# What is left out first where a sink has too little room.
_EVIDENCE, _FRAMEWORKS, _REASONS, _CALLS, _DEEDS, _HELP = 6, 5, 4, 3, 2, 1

_WHY = {
    "mode": "The policy says that a person decides about this.",
    "no_remediation": "Warden has no unattended remediation for what it found.",
    "policy": "Warden has been trying to put this right for a whole day: writes are stopped, or AWS takes none now.",
    "flapping": "Warden has put this right several times, and somebody keeps changing it back.",
    "refused": "The remediation was refused a short while ago, and nothing has changed since.",
    "unverified": "AWS accepted the remediation, and no look since has shown its effect.",
    "circuit_open": "The fixes of this control failed on several databases; it waits for `warden acknowledge`.",
    "owner_first": "A stack owns this resource; its owner has the first word.",
    "preflight": "It could not be found out, for a whole day, who connects without TLS.",
    "needs_approval": "The remediation can disturb clients or costs money, and needs an approval.",
    "blast_radius": "Warden has written as much as the policy allows, and waits for `warden acknowledge`.",
    "busy": "The database was not ready for the change for a whole day.",
    "pending": "Changes that somebody queued were in the way for a whole day.",
    "unknown_state": "It could not be read, for a whole day, whether the database may be written to.",
    "outside_window": "It waits for the next change window.",
    "frozen": "A freeze was on for a whole day.",
    "unhealthy": "The database was not healthy for a whole day.",
    "remediation_failed": "The remediation was refused by AWS.",
}

# What Warden goes on to do by itself, by the reason of the decision; for every other it waits for a person.
_WILL = {
    "policy": "Warden goes on trying, and resolves this ticket when it has got through.",
    "owner_first": "When the owner's time is over, Warden puts it right itself.",
    "blast_radius": "After `warden acknowledge`, the next look puts it right.",
    "preflight": "Warden looks again every hour.",
    "busy": "Warden looks again every hour, and puts it right as soon as the database takes changes.",
    "pending": "Warden looks again every hour, and puts it right as soon as nothing is queued.",
    "unknown_state": "Warden looks again every hour.",
    "outside_window": "In the next change window, Warden puts it right.",
    "frozen": "When the freeze is over, Warden puts it right.",
    "unhealthy": "Warden looks again every hour, and puts it right once the database is healthy.",
    "needs_approval": "With an approval, Warden makes the calls below once, at its next look.",
}
_WILL_NOT = "Warden writes nothing about this, looks again at every change and sweep, and resolves this ticket itself."

# What the tools write into the user agents of their calls.
_TOOLS = {"Terraform": "terraform", "CloudFormation": "cloudformation", "Pulumi": "pulumi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is known about a ticket beside its findings."""

    state: TicketState = TicketState.OPEN
    resolution: Resolution = Resolution.FIXED
    owner: str = ""
    opened_at: Any = None
    """When the ticket was opened; None for as long ago as the finding was first observed."""
    generation: int = 1
    incarnation: int = 1
    previous: Handle | None = None
    note: str = ""
    """What a person did in a tracker, such as asking for an exemption."""
    revision: int = 0


def digest(finding: Finding, *, note: str = "") -> str:
    """Changes when there is something new to tell about an open finding."""
    told = [
        finding.annotation,
        finding.decision.get("action"),
        finding.decision.get("reason"),
        plain(list(finding.plan)),
        finding.manual,
        *([note] if note else []),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def ticket(
    finding: Finding,
    control: Control | None,
    state: TicketState = TicketState.OPEN,
    story: Story | None = None,
) -> Ticket:
    """The ticket of one finding; a control that no longer exists leaves the fix empty."""
    story = story or Story(state=state)
    ref = ResourceRef.from_arn(finding.arn)
    return Ticket(
        id=ticket_id(finding.id, generation=story.generation, incarnation=story.incarnation),
        state=story.state,
        title=f"[{finding.severity}] {ref.id} does not meet: {finding.title}",
        summary=_summary(finding, story),
        sections=tuple(section for section in _sections(finding, control, story) if section.blocks),
        severity=finding.severity,
        control=finding.control,
        account=ref.account,
        region=ref.region,
        owner=story.owner or ref.account,
        opened_at=story.opened_at or finding.first_observed,
        findings=(finding,),
        fix=filled(control.fix, ref) if control else "",
        frameworks=frameworks_of(control),
        resolution=story.resolution,
        previous=story.previous,
        revision=story.revision,
    )


def filled(fix: str, ref: ResourceRef) -> str:
    """How to fix it by hand, with the resource's own names in the commands."""
    for placeholder, value in (
        ("{id}", ref.id),
        ("{arn}", ref.arn),
        ("{region}", ref.region),
        ("{account}", ref.account),
    ):
        fix = fix.replace(placeholder, value)
    return fix


def frameworks_of(control: Control | None) -> tuple[str, ...]:
    """A line for each framework: its name, and what of it the control maps to."""
    if control is None:
        return ()
    return tuple(f"{name} {', '.join(numbers)}" for name, numbers in by_framework(control.frameworks).items())


def _summary(finding: Finding, story: Story) -> str:
    if story.state is not TicketState.RESOLVED:
        return finding.annotation
    when = finding.resolved_at or finding.last_observed
    return {
        Resolution.FIXED: f"{finding.annotation}\nResolved at {when:%Y-%m-%d %H:%M} UTC; nothing is left to do.",
        Resolution.GONE: f"{finding.annotation}\nResolved at {when:%Y-%m-%d %H:%M} UTC; nothing is left to do.",
        Resolution.EXEMPT: f"{finding.annotation}\nAn exemption of the policy covers it now; nobody has to act.",
        Resolution.UNDONE: f"{finding.annotation}\nSomebody took Warden's change back on purpose, and it is left so.",
        Resolution.DISABLED: f"{finding.annotation}\nThe policy judges this control no more; nobody has to act.",
    }[story.resolution]


def _sections(finding: Finding, control: Control | None, story: Story) -> Iterable[Section]:
    """In the order of reading: what, why now, what to do, then what stands behind it."""
    ref = ResourceRef.from_arn(finding.arn)
    yield Section(heading="", blocks=(_facts(finding, ref, story),))
    is_open = story.state is not TicketState.RESOLVED
    if is_open:
        yield from _what_to_do(finding, control, ref, story)
        if why := why_it_matters(control):
            yield Section(heading="Why it matters", blocks=_paragraphs(why), weight=_REASONS)
    if finding.attempts:
        yield _what_was_done(finding)
    if finding.evidence:
        heading = "What was read" if is_open else "The evidence"
        lines = [f"{key} = {json.dumps(plain(value))}" for key, value in finding.evidence.items()]
        yield Section(heading=heading, blocks=(Code("\n".join(lines)),), weight=_EVIDENCE)
    if is_open and (frameworks := frameworks_of(control)):
        yield Section(heading="Frameworks", blocks=(Bullets(frameworks),), weight=_FRAMEWORKS)
    yield Section(
        heading="Where to look", blocks=(Links(links(finding)), Code(f"warden ledger {finding.arn}"))
    )


def _what_to_do(
    finding: Finding, control: Control | None, ref: ResourceRef, story: Story
) -> Iterable[Section]:
    reason = str(finding.decision.get("reason", ""))
    why = [Paragraph(_WHY.get(reason, reason)), Paragraph(_WILL.get(reason, _WILL_NOT))]
    yield Section(heading="Why this is a ticket", blocks=tuple(why))
    if story.note:
        yield Section(heading="What somebody did in a tracker", blocks=(Paragraph(story.note),))
    yield from _whose(finding)
    yield Section(heading="What a person has to know", blocks=_commands_apart(finding.manual), weight=_DEEDS)
    if finding.plan:
        calls = [f"{call['operation']} {json.dumps(call['parameters'])}" for call in finding.plan]
        yield Section(heading="What Warden would call", blocks=(Code("\n".join(calls)),), weight=_CALLS)
    if looked := preflight.answer_of(finding.decision.get("preflight")):
        seen = (Code("\n".join(looked.lines)),) if looked.lines else ()
        yield Section(
            heading="Who connects without TLS", blocks=(Paragraph(looked.sentence), *seen), weight=_CALLS
        )
    if reason == "needs_approval" and (request := finding.decision.get("request")):
        yield _how_to_approve(finding, str(request))
    if control:
        blocks = _indented_apart(filled(control.fix, ref))
        yield Section(heading="How to fix it by hand", blocks=blocks, weight=_HELP)
    yield _how_to_exempt(finding, ref, story)


def _facts(finding: Finding, ref: ResourceRef, story: Story) -> Facts:
    who = finding.cause.get("principal")
    rows = [
        ("Control", f"{finding.control} ({finding.severity})"),
        ("Resource", f"{ref.id} ({finding.resource_type})"),
        ("ARN", finding.arn),
        ("Account", f"{ref.account}   Region: {ref.region or 'global'}"),
        ("Owner", story.owner if story.owner != ref.account else ""),
        ("Since", f"{finding.first_observed:%Y-%m-%d %H:%M} UTC"),
        ("Changed by", f"{who} ({finding.cause.get('event_name')}), as the event claims" if who else ""),
        ("Before this", (story.previous.url or story.previous.id) if story.previous else ""),
    ]
    return Facts(tuple((name, value) for name, value in rows if value))


def _whose(finding: Finding) -> Iterable[Section]:
    """Who keeps changing it back, and where it would have to be changed for good."""
    blocks: list[Block] = []
    if finding.decision.get("reason") == "flapping" and finding.reverts:
        yield Section(
            heading="Who changed it back, as the events claim",
            blocks=(Bullets(tuple(_who(cause) for cause in finding.reverts)),),
        )
    tool = next((name for name, sign in _TOOLS.items() if _used(finding.reverts, sign)), "")
    if stack := finding.decision.get("owner_stack"):
        blocks.append(
            Paragraph(f"The CloudFormation stack {stack} owns it: change its template, as shown below.")
        )
    elif finding.decision.get("reason") == "flapping" and tool:
        blocks.append(Paragraph(f"{tool} changed it back: change its configuration, as shown below."))
    yield Section(heading="Where it is kept", blocks=tuple(blocks))


def _used(causes: Iterable[Mapping[str, Any]], sign: str) -> bool:
    return any(
        sign in f"{cause.get('user_agent', '')} {cause.get('principal', '')}".lower() for cause in causes
    )


def _who(cause: Mapping[str, Any]) -> str:
    """One revert in a line: when, who, what, with which tool, from where."""
    parts = [str(cause["at"])[:16].replace("T", " "), cause.get("principal") or "nobody that an event names"]
    parts += [f"({cause['event_name']})"] if cause.get("event_name") else []
    parts += [f"with {cause['user_agent']}"] if cause.get("user_agent") else []
    parts += [f"from {cause['source_ip']}"] if cause.get("source_ip") else []
    return " ".join(parts)


def _how_to_approve(finding: Finding, request: str) -> Section:
    """Both answers, ready to be copied: the id stands for the calls above and for no others."""
    blocks: list[Block] = [
        Paragraph("To let Warden make exactly these calls, once, or to tell it not to:"),
    ]
    if cost := finding.decision.get("cost"):
        blocks.append(Paragraph(str(cost)))
    commands = f"warden approve {request} --reason '...'\nwarden reject {request} --reason '...'"
    return Section(heading="How to approve", blocks=(*blocks, Code(commands)))


def _what_was_done(finding: Finding) -> Section:
    """What Warden wrote for this finding, and the way back: the ledger names the entry of each write."""
    count, last = len(finding.attempts), finding.attempts[-1]
    times = "once" if count == 1 else f"{count} times"
    done = Paragraph(
        f"Warden wrote to it {times}, the last time at {last:%Y-%m-%d %H:%M} UTC. The ledger shows each write, "
        "with the name by which it can be taken back:"
    )
    commands = Code(f"warden ledger {finding.arn}\nwarden undo ENTRY --reason '...'")
    return Section(heading="What Warden did", blocks=(done, commands), weight=_DEEDS)


def _how_to_exempt(finding: Finding, ref: ResourceRef, story: Story) -> Section:
    """The lines of policy that accept the drift: whoever may change the policy may exempt, and nobody else."""
    name = finding.resource_key.rpartition("/")[2]
    resource = finding.arn if finding.resource_key.endswith(finding.arn) else name
    lines = [
        "[[exemptions]]",
        f'control = "{finding.control}"',
        *([f'account = "{ref.account}"'] if resource == ref.account else [f'resource = "{resource}"']),
        f"owner = {json.dumps(story.owner or ref.account)}",
        'reason = "..."',
        "expires = ...  # a day, such as 2027-01-31",
    ]
    told = Paragraph("To accept it for a time, a pull request to the policy file with:")
    return Section(heading="How to exempt it", blocks=(told, Code("\n".join(lines))), weight=_DEEDS)


# --- texts as blocks --------------------------------------------------------------------------------------


def why_it_matters(control: Control | None) -> str:
    """The section of that name of a control's page; empty where there is none."""
    lines = (control.doc or "").splitlines() if control else []
    for number, (line, underline) in enumerate(itertools.pairwise(lines)):
        if line == "Why it matters" and underline and set(underline) == {"-"}:
            rest = lines[number + 2 :]
            ends = (i for i, below in enumerate(rest) if below and set(below) == {"-"})
            return "\n".join(rest[: next(ends, len(rest) + 1) - 1]).strip()
    return ""


def _paragraphs(text: str) -> tuple[Block, ...]:
    return tuple(Paragraph(" ".join(part.split())) for part in text.split("\n\n") if part.strip())


def _commands_apart(text: str) -> tuple[Block, ...]:
    """Lines that are commands as code, the others as sentences."""
    parts = itertools.groupby(
        text.splitlines(), key=lambda line: line.lstrip().startswith(("aws ", "warden "))
    )
    return _blocks((is_code, list(lines)) for is_code, lines in parts)


def _indented_apart(text: str) -> tuple[Block, ...]:
    """Lines that are indented as code, the others as sentences, a paragraph each."""
    parts = itertools.groupby(
        text.splitlines(), key=lambda line: line.startswith("    ") if line.strip() else None
    )
    return _blocks((bool(is_code), list(lines)) for is_code, lines in parts if is_code is not None)


def _blocks(parts: Iterable[tuple[bool, Sequence[str]]]) -> tuple[Block, ...]:
    return tuple(
        Code("\n".join(line.strip() for line in lines)) if is_code else Paragraph("\n".join(lines))
        for is_code, lines in parts
    )
