"""What procedures take beside their calls: a record before a thing is made, whom it serves, when nobody wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import ComplianceType
from warden.core.decision import Action
from warden.core.errors import ResourceGoneError, WardenError
from warden.core.plan import Manual, digest, written
from warden.core.procedure import Record, is_named_so, makes, stays, with_nonce
from warden.core.resource import ResourceRef, ResourceType
from warden.pipeline.restraints import Restraints

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from warden.core.plan import Call
    from warden.core.resource import Resource
    from warden.pipeline.judge import Judge, Judgement
    from warden.pipeline.ports import Brakes, Findings, Reader, Temporaries
    from warden.pipeline.remediate import Remediator


DONE = "Its procedure has come to its end."
"""Why nobody wants what a procedure made, where all of it is done."""


def announced(call: Call, concerned: Sequence[Judgement], resource: Resource, by: Remediator) -> Call:
    """Write down what a call is about to make, and give the call as it is made: with the nonce of the record.

    What an earlier visit has announced, and perhaps made, keeps its nonce: else what it made could not be known again.
    """
    if call.operation == "CreateDBInstance":
        return _of_own_cluster(call, resource, by)
    if not makes(call):
        return call
    arn = written(call, resource.ref, region=resource.home).arn
    pledge = digest((call,))
    before = by.temporaries.get(arn)
    if before is not None and before.pledge == pledge and not before.resource_id:
        return with_nonce(call, before.nonce)
    record = Record(
        arn=arn,
        serves=resource.ref.arn,
        serves_key=resource.key,
        controls=tuple(judgement.control.id for judgement in concerned),
        pledge=pledge,
        nonce=by.new_owner(),
        announced_at=by.clock(),
        stays=stays(call),
    )
    by.temporaries.put(record, over=before)
    return with_nonce(call, record.nonce)


def _of_own_cluster(call: Call, resource: Resource, by: Remediator) -> Call:
    """An instance of a cluster that a procedure made bears that one's nonce; others are no procedure's."""
    cluster = resource.ref.beside(ResourceType.DB_CLUSTER, call.parameters["DBClusterIdentifier"])
    record = by.temporaries.get(cluster.arn)
    return call if record is None else with_nonce(call, record.nonce)


def served_by(ref: ResourceRef, temporaries: Temporaries) -> list[ResourceRef]:
    """What a thing that a procedure made, or its snapshot, serves: an event about the one is about the other."""
    if not is_named_so(ref):
        return []
    record = temporaries.get(ref.arn)
    if record is None and ref.resource_type is ResourceType.DB_CLUSTER_SNAPSHOT:
        # The snapshot of a temporary cluster has the cluster's name.
        record = temporaries.get(ref.beside(ResourceType.DB_CLUSTER, ref.id).arn)
    return [] if record is None else [ResourceRef.from_arn(record.serves)]


def unwanted(
    record: Record,
    *,
    judge: Judge,
    reader: Reader,
    findings: Findings,
    brakes: Brakes,
    now: datetime,
    until_done: bool = False,
) -> str:
    """Why nobody wants what a procedure made any more, as a sentence; empty where it is wanted, or not known.

    `until_done`: what cannot go on now is wanted all the same, for as long as its drift is there and it is not done.
    """
    ref = ResourceRef.from_arn(record.serves)
    try:
        resource = reader.read(ref, judge.needs(ref.resource_type))
    except ResourceGoneError:
        return f"{ref.id} exists no more."
    except WardenError:
        return ""
    if resource.key != record.serves_key:
        return f"{ref.id} exists no more; another resource has its name."
    evaluations = [one for one in judge.evaluate(resource) if one.control.id in record.controls]
    if not evaluations:
        return f"The policy does not enable {', '.join(record.controls)} any more."
    resource, judgements = judge.decide(
        resource,
        evaluations,
        findings=findings.of_resource(resource.key),
        now=now,
        restraints=Restraints(brakes, policy=judge.policy, resource=resource, now=now),
    )
    if resource.facts.missing or any(_is_wanted(one, until_done=until_done) for one in judgements):
        return ""
    decided = ", ".join(f"{one.control.id}: {one.decision.reason}" for one in judgements)
    done = any(_is_done(one) for one in judgements)
    return DONE if done else f"It is decided otherwise now ({decided})."


def _is_wanted(judgement: Judgement, *, until_done: bool) -> bool:
    if judgement.evaluation.compliance is ComplianceType.INSUFFICIENT_DATA:
        return True
    if judgement.decision.action in {Action.REMEDIATE, Action.DEFER}:
        return True
    drifted = judgement.evaluation.compliance is ComplianceType.NON_COMPLIANT
    return until_done and drifted and not _is_done(judgement)


def _is_done(judgement: Judgement) -> bool:
    return isinstance(judgement.plan, Manual) and judgement.plan.done
