"""Procedures: remediations of several visits, each of which looks at the world and makes the next call.

What a procedure makes for itself has a name that follows from the resource it serves, tags that say so, and a
`Record` in the State table, written before the call that makes it. Only the three together make it ours: whoever may
tag a database must not be able to have it deleted, or exempted from controls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.plan import Call, Plan, Stage, Wait, digest
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warden.core.decision import Situation
    from warden.core.plan import Manual
    from warden.core.resource import Facts

PREFIX = "warden-"
"""What the names of all things begin with that procedures make."""
_OURS = "warden:"
PROCEDURE, SERVES, NONCE = "warden:procedure", "warden:serves", "warden:nonce"
"""The tags of what a procedure makes: the control, the ARN that it serves, and a word that nobody else knew before."""
COPY_OF = "warden:copy-of"
"""The tag of what stays: the ARN of the snapshot that it is an encrypted copy of."""

CREATES = frozenset(
    {
        "RestoreDBClusterFromSnapshot",
        "CopyDBSnapshot",
        "CreateDBClusterParameterGroup",
        "CopyDBClusterParameterGroup",
        "CreateDBParameterGroup",
        "CopyDBParameterGroup",
    }
)
"""Calls that make a thing of a procedure's: a record is written before them."""
TEMPORARY_TYPES = frozenset({ResourceType.DB_CLUSTER})
"""Kinds of which a procedure may delete what it made."""

UNSEEN = timedelta(minutes=15)
"""So long after its creation nothing is concluded from that a thing cannot be seen: descriptions lag behind."""
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What Warden knows of a thing that it makes: written before the call, completed by the id that AWS gives."""

    arn: str
    serves: str
    """The ARN of the resource whose finding is put right."""
    serves_key: str
    """Its immutable key: the chain of the ledger."""
    controls: tuple[str, ...]
    pledge: str
    """The hash of the call that makes it: another key or another network is another procedure."""
    nonce: str
    announced_at: datetime
    resource_id: str = ""
    """The immutable id of what was made; empty until AWS has answered, or where the kind has none."""
    stays: bool = False
    """Whether it is made to stay: then nobody but a person deletes it, whatever becomes of the procedure."""


def is_named_so(ref: ResourceRef) -> bool:
    """Whether a name is one that a procedure may have given: worth looking for a record, and no more."""
    return ref.id.startswith(PREFIX)


def claim(ref: ResourceRef, tagged: Mapping[str, str]) -> str:
    """What name and tags say of a thing that a procedure has made for a while, as a sentence; empty where they do not.

    For whoever sees no records: it tells people where to look, and exempts nothing.
    """
    if ref.resource_type not in TEMPORARY_TYPES or not is_named_so(ref) or not tagged.get(NONCE):
        return ""
    if not tagged.get(PROCEDURE) or not tagged.get(SERVES):
        return ""
    return (
        f"Its name and tags say that Warden made it for a while, for {tagged[PROCEDURE]} of {tagged[SERVES]}; only the "
        "deployment knows whether that is so."
    )


def event_about(made: ResourceRef, event_name: str) -> str:
    """The name of an event about what a procedure made, where it leads to a look at what that serves."""
    return f"{made.id}: {event_name}"


def is_about_made(event_name: str) -> bool:
    """Whether an event's name is one of `event_about`: whoever caused it did nothing to what was looked at."""
    return event_name.startswith(PREFIX) and ": " in event_name


def objection(item: Mapping[str, Any], record: Record | None) -> str:
    """Why a cluster is not surely the one that Warden made, as half a sentence; empty where it surely is."""
    if record is None:
        return "Warden has no record of having made it"
    tags = {tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or []}
    ref = ResourceRef.from_arn(item["DBClusterArn"])
    if ref.arn != record.arn or not is_named_so(ref):
        return f"the record is about {record.arn}"
    if tags.get(SERVES) != record.serves or not record.nonce or tags.get(NONCE) != record.nonce:
        return "its tags are not those that Warden gave it"
    if item.get("DBClusterMembers") and not record.stays:
        return "it has instances, and Warden made it without any"
    if record.resource_id:
        same = item["DbClusterResourceId"] == record.resource_id
        return "" if same else f"its resource id is not {record.resource_id}, which Warden made"
    # The answer to the call that made it never arrived: nobody could know the nonce before, nor make it earlier.
    made = item["ClusterCreateTime"]
    return "" if made >= record.announced_at - _SKEW else "it is older than Warden's record"


def makes(call: Call) -> bool:
    """Whether a call makes a thing of a procedure's, so that a record is written before it."""
    own = call.operation == "CreateDBClusterSnapshot" and (pairs(call.parameters["Tags"]) or {}).get(
        PROCEDURE
    )
    return call.operation in CREATES or bool(own)


def stays(call: Call) -> bool:
    """Whether what a call makes is protected from the first moment on: Warden protects nothing that it deletes."""
    return call.parameters.get("DeletionProtection") is True


def is_member_of_own(item: Mapping[str, Any], record: Record | None) -> bool:
    """Whether an instance is surely one that Warden made in a cluster of its own that stays, by tags; not public."""
    if record is None or not record.stays or not record.nonce:
        return False
    if "PubliclyAccessible" not in item or item["PubliclyAccessible"]:
        return False
    held = {tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or []}
    return (held.get(SERVES), held.get(NONCE)) == (record.serves, record.nonce)


def tags(control: str, serves: str) -> list[dict[str, str]]:
    """The tags of what a procedure makes, but for the nonce, which is added when it is announced."""
    return [{"Key": PROCEDURE, "Value": control}, {"Key": SERVES, "Value": serves}]


def carrier(call: Call) -> str:
    """The parameter that carries the nonce of what a call makes: its tags, else its description; empty: none does."""
    return next((name for name in call.parameters if name == "Tags" or name.endswith("Description")), "")


def with_nonce(call: Call, nonce: str) -> Call:
    """The call as it is made: what has tags gets the nonce among them, what has a description at its end."""
    name = carrier(call)
    if not name:
        return call
    value = call.parameters[name]
    carried: Any = [*value, {"Key": NONCE, "Value": nonce}] if name == "Tags" else f"{value} {nonce}"
    return replace(call, parameters={**call.parameters, name: carried})


def nonce_of(call: Call) -> str:
    """The nonce that a call carries; empty where it has none."""
    name = carrier(call)
    if name == "Tags":
        return next((tag["Value"] for tag in call.parameters[name] if tag["Key"] == NONCE), "")
    return str(call.parameters[name]).rpartition(" ")[2] if name else ""


def carried(live: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """A resource's tags for its copy: those of AWS can be given by nobody else, and ours are about the original."""
    return [
        {"Key": tag["Key"], "Value": tag.get("Value", "")}
        for tag in sorted(live, key=lambda tag: tag["Key"])
        if not tag["Key"].lower().startswith(("aws:", "rds:", _OURS))
    ]


def first(call: Call, pledge: Sequence[Call], record: Record | None, *, cost: str) -> Plan:
    """The plan of the first call; one that an earlier visit announced, and perhaps made, goes on."""
    resumes = record is not None and record.pledge == digest(pledge[:1]) and not record.resource_id
    return Plan((call,), cost=cost, pledge=tuple(pledge), stage=Stage.GO_ON if resumes else Stage.BEGIN)


def go_on(call: Call, pledge: Sequence[Call], *, cost: str = "") -> Plan:
    """The plan of a later call."""
    return Plan((call,), cost=cost, pledge=tuple(pledge), stage=Stage.GO_ON)


def clean_up(name: str, pledge: Sequence[Call] = (), *, cost: str = "") -> Plan:
    """The plan that takes the temporary cluster away, without a snapshot: its data are the original's."""
    call = Call("DeleteDBCluster", {"DBClusterIdentifier": name, "SkipFinalSnapshot": True})
    return Plan((call,), cost=cost, pledge=tuple(pledge), stage=Stage.CLEAN_UP)


def unseen(record: Record | None, now: datetime) -> Wait | None:
    """To be waited for: it was made moments ago, and is not described yet."""
    if record is None or not record.resource_id or now - record.announced_at >= UNSEEN:
        return None
    return Wait("What was made moments ago is not described yet.")


def identity(plan: Plan | Wait) -> tuple[Call, ...]:
    """The calls by which an approval knows a plan: all of the procedure's, or just its calls."""
    return plan.pledge or (plan.calls if isinstance(plan, Plan) else ())


def eased(situation: Situation, planned: Plan | Manual | Wait) -> Situation:
    """What a procedure that has begun has not to ask again, and what its clean-up has not to wait for.

    A clean-up deletes an empty thing of Warden's own, and there is at most one for each creation that the budget has
    counted: freeze, window, health and budget are for what touches somebody's database. STOP and leases hold it, too.
    """
    stage = planned.stage if isinstance(planned, Plan) else Stage.WHOLE
    if isinstance(planned, Wait):
        return situation._replace(flapping=False, owner_first=False, busy=True)
    if stage is Stage.GO_ON:
        return situation._replace(flapping=False, owner_first=False)
    if stage is Stage.WHOLE and isinstance(planned, Plan) and planned.pledge:
        # Several calls that one approval names, each of which is made once: three of them are no drift that returns.
        return situation._replace(flapping=False)
    if stage is not Stage.CLEAN_UP:
        return situation
    return situation._replace(
        flapping=False,
        refused=False,
        unverified=False,
        circuit_open=False,
        owner_first=False,
        looking=False,
        approval_missing=False,
        unknown_state=False,
        busy=False,
        settling=False,
        pending=False,
        frozen=False,
        outside_window=False,
        unhealthy=False,
        canary=False,
        budget_spent=False,
    )


# --- for the write guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnTags:
    """For the write guard: the tags that a procedure gives, of this resource, and no others."""

    arn: str
    """The fact that holds the resource's ARN."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another resource's ARN, further tags, and a tag twice."""
        given = pairs(value)
        if given is None or set(given) - {PROCEDURE, SERVES, NONCE} or not {PROCEDURE, SERVES} <= set(given):
            return f"{value!r} are not the tags of a procedure"
        return (
            None if given[SERVES] == facts[self.arn] else f"{given[SERVES]!r} is not the resource's own ARN"
        )


@dataclass(frozen=True, slots=True)
class CopyTags:
    """For the write guard: tags that the original has, and the one that says of what it is a copy."""

    arn: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse a tag that the original has not, and a copy of something else."""
        given = pairs(value)
        if given is None or given.get(COPY_OF) != facts[self.arn]:
            return f"{value!r} does not say of what it is a copy"
        live = {tag["Key"]: tag.get("Value", "") for tag in facts["TagList"]}
        foreign = {key: tag for key, tag in given.items() if key != COPY_OF and live.get(key) != tag}
        return f"{sorted(foreign)!r} are not tags of the original" if foreign else None


def pairs(value: Any) -> dict[str, str] | None:
    """A parameter's tags by their keys; None where it holds none, or one twice."""
    if not isinstance(value, list) or not all(
        isinstance(tag, dict) and set(tag) == {"Key", "Value"} for tag in value
    ):
        return None
    pairs = {tag["Key"]: tag["Value"] for tag in value}
    return pairs if len(pairs) == len(value) else None
