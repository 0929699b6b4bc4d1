"""The audit log of Aurora PostgreSQL really records: pgaudit is loaded, and logs the required statements.

Why it matters
--------------
PostgreSQL's own log says that somebody connected, not what was done. pgaudit adds it, and needs three things:
the library in `shared_preload_libraries`, which only a reboot loads; classes of statements in `pgaudit.log`,
whose default is none; and the extension in each database. An export of the log is complete without any of
them, and Security Hub has no control for it.

This control wants the first two on every member, in effect and not waiting for a reboot. A value that
somebody set in the parameter group of a single instance wins there over the cluster's, so each member counts
by itself. What SQL alone shows is beyond it: whether the extension was created, and `pgaudit.log` that was
set for one role or one database.

Remediation safety
------------------
Disruptive. The plan appends `pgaudit` to the libraries, of which it removes none, and adds the classes that
lack. It writes only to a custom parameter group that no other cluster uses; a cluster that uses a default
group, or shares one, gets a group of its own, attached. Nothing is rebooted: until somebody does, every member
shows `pending-reboot`, and any reboot or failover in between loads the library. So each case needs an approval,
or a line of the policy. Afterwards a ticket tells in which order to reboot, and to create the extension.

References
----------
- Amazon Aurora User Guide, "Using pgAudit to log database activity"
- Amazon Aurora User Guide, "Parameter groups for Amazon Aurora"
- Amazon RDS API Reference, ModifyDBClusterParameterGroup
- Amazon RDS API Reference, DBClusterMember: DBClusterParameterGroupStatus
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import audit, frameworks, own_group, own_group_examples, reboots
from warden.core import group_changes as changes
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    insufficient_data,
    non_compliant,
)
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.resource import Facts, Resource

LIBRARIES, CLASSES = "shared_preload_libraries", "pgaudit.log"
LIBRARY = "pgaudit"
# "The default is none" (pgaudit.log). Of the libraries, only AWS knows the default of an engine version.
_DOCUMENTED = {LIBRARIES: None, CLASSES: "none"}
_NOTHING = "none"


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge library and classes, in the cluster's group and on each member that has values of its own."""
    if verdict := audit.elsewhere(resource, "aurora-postgresql", "pgaudit"):
        return verdict
    group = resource.facts["DBClusterParameterGroup"]
    overridden = changes.overrides(resource, (LIBRARIES, CLASSES))
    values = _values(resource.facts[Need.PARAMETERS], _DOCUMENTED)
    own = {member: {**values, **_values(found, tuple(found))} for member, found in overridden.items()}
    for name in (LIBRARIES, CLASSES):
        if None in {values[name], *(value[name] for value in own.values())}:
            return insufficient_data(f"{resource.ref.id}: AWS does not say what {name} is.")
    faults = [f"in {group}, {fault}" for fault in _faults(values, settings)]
    faults += [
        f"on {member} by its own group, {fault}"
        for member, value in own.items()
        for fault in _faults(value, settings)
        if fault not in _faults(values, settings)
    ]
    if faults:
        return non_compliant(f"{resource.ref.id} does not record what it should: {'; '.join(faults)}.")
    classes = ", ".join(changes.words(values[CLASSES] or ""))
    if pending := _pending(resource, overridden):
        return non_compliant(
            f"{resource.ref.id} does not record it everywhere yet: {LIBRARY} with {classes} in {group}, but pending "
            f"on {', '.join(pending)}."
        )
    return audit.judge_members(resource, f"{LIBRARY} with {classes} in {group}")


def _values(items: Facts, names: Iterable[str]) -> dict[str, str | None]:
    return {name: changes.value_of(items[name], _DOCUMENTED[name]) for name in names}


def _faults(values: Mapping[str, str | None], settings: Mapping[str, Any]) -> list[str]:
    faults = []
    if LIBRARY not in changes.words(values[LIBRARIES] or ""):
        faults.append(f"{LIBRARIES} lacks {LIBRARY}")
    if lacking := audit.lacking(settings["classes"], audit.recorded_classes(values[CLASSES] or "")):
        faults.append(f"{CLASSES} lacks {', '.join(lacking)}")
    return faults


def _pending(resource: Resource, overridden: Mapping[str, Facts]) -> list[str]:
    """The members whose own group, with a value that counts, is not in sync."""
    return [
        f"{member['DBInstanceIdentifier']} ({group['ParameterApplyStatus']})"
        for member in resource.facts[Need.MEMBERS]
        if member["DBInstanceIdentifier"] in overridden
        for group in member["DBParameterGroups"]
        if group["ParameterApplyStatus"] != "in-sync"
    ]


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Append the library and add the classes that lack; reboots, and members' own values, are a person's."""
    values = _values(resource.facts[Need.PARAMETERS], _DOCUMENTED)
    wanted: dict[str, str] = {}
    libraries, classes = values[LIBRARIES] or "", values[CLASSES] or ""
    if LIBRARY not in changes.words(libraries):
        wanted[LIBRARIES] = changes.extended(libraries, [LIBRARY])
    if lacking := audit.lacking(settings["classes"], audit.recorded_classes(classes)):
        kept = [word for word in changes.words(classes) if word != _NOTHING]
        if repeated := [name for name in lacking if name in kept]:
            return Manual(
                f"{CLASSES} is {classes}, which takes {', '.join(repeated)} away again: write it anew, with every "
                "class that you want."
            )
        wanted[CLASSES] = ",".join([*kept, *lacking])
    if wanted:
        return changes.change(resource, wanted, static=True)
    overridden = {
        member: found
        for member, found in changes.overrides(resource, (LIBRARIES, CLASSES)).items()
        if _faults({**values, **_values(found, tuple(found))}, settings)
    }
    if overridden:
        return Manual(
            f"The instance groups of {', '.join(overridden)} have values of their own, which win there. Take them "
            "back, so that the cluster's count; a reboot applies it.",
            (*changes.reset_steps(resource, overridden), *changes.reboot_steps(resource)),
        )
    if told := changes.not_by_reboot(resource):
        return told
    return Manual(
        f"The parameter group loads {LIBRARY} at the next reboot. {reboots.order(resource)} Then, in each database, as "
        "a user with the role rds_superuser: `CREATE EXTENSION IF NOT EXISTS pgaudit;` and see with "
        "`SHOW pgaudit.log;` that no role or database has a value of its own.",
        changes.reboot_steps(resource),
    )


def _parameters(libraries: str | None, classes: str | None, **source: str) -> dict[str, Any]:
    """Items of DescribeDBClusterParameters, for the examples; None is a value that AWS leaves out."""
    return {
        name: {
            "ParameterName": name,
            **({} if value is None else {"ParameterValue": value}),
            "Source": source.get("source", "engine-default" if value is None else "user"),
            "ApplyType": "static" if name == LIBRARIES else "dynamic",
            "DataType": "list",
            "IsModifiable": True,
            "ApplyMethod": "pending-reboot",
        }
        for name, value in ((LIBRARIES, libraries), (CLASSES, classes))
    }


_LOADED = "pg_stat_statements,pgaudit"
_OFF = _parameters("pg_stat_statements", None)


def _member(name: str, status: str, *, writer: bool = False) -> dict[str, Any]:
    return {"DBInstanceIdentifier": name, "IsClusterWriter": writer, "DBClusterParameterGroupStatus": status}


def _instance(name: str, status: str = "in-sync") -> dict[str, Any]:
    groups = [{"DBParameterGroupName": f"{name}-own", "ParameterApplyStatus": status}]
    return {"DBInstanceIdentifier": name, "DBParameterGroups": groups}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The audit log of Aurora PostgreSQL records the required statements on every member",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.5"),
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.PARAMETERS, Need.MEMBERS, Need.MEMBER_PARAMETERS),
    settings=(
        Setting(
            name="classes",
            default=["ddl", "role"],
            doc="The classes of statements that pgaudit logs at least; `all` is every one of them.",
            choices=(*audit.CLASSES, audit.EVERY_CLASS),
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=changes.permits(
            ResourceType.DB_CLUSTER,
            (
                (LIBRARIES, changes.STATIC, changes.Extends(LIBRARIES, (LIBRARY,))),
                (CLASSES, changes.DYNAMIC, changes.Extends(CLASSES, audit.CLASSES, nothing=_NOTHING)),
            ),
        ),
        safety=Safety.DISRUPTIVE,
        needs=(Need.PARAMETER_GROUP_USERS, *own_group.NEEDS),
    ),
    fix="""\
See which libraries the group loads now, and keep them all:

    aws rds describe-db-cluster-parameters --db-cluster-parameter-group-name GROUP --region {region} \\
        --query "Parameters[?ParameterName=='shared_preload_libraries'].ParameterValue"

Append pgaudit to them, where LIBRARIES stands here, and name the classes of statements:

    aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --region {region} --parameters \\
        'ParameterName=shared_preload_libraries,ParameterValue="LIBRARIES,pgaudit",ApplyMethod=pending-reboot' \\
        'ParameterName=pgaudit.log,ParameterValue="ddl,role",ApplyMethod=immediate'

Reboot the writer of {id}, then each reader, in a moment that you choose:

    aws rds reboot-db-instance --db-instance-identifier INSTANCE --region {region}

Then run `CREATE EXTENSION IF NOT EXISTS pgaudit;` in each database.

Make it last: CloudFormation `Parameters: {shared_preload_libraries: "pg_stat_statements,pgaudit"}` of
`AWS::RDS::DBClusterParameterGroup`; Terraform `parameter` blocks of `aws_rds_cluster_parameter_group`, with
`apply_method = "pending-reboot"` for the libraries.
""",
    examples=(
        Example(
            name="loaded, with the required classes",
            facts={"Parameters": _parameters(_LOADED, "ddl,role")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="every class, in capitals and with spaces",
            facts={"Parameters": _parameters("pgaudit, pg_stat_statements", "ALL")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="every class but one that is not required",
            facts={"Parameters": _parameters(_LOADED, "all,-misc")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="every class but a required one",
            facts={"Parameters": _parameters(_LOADED, "all,-role")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a class that is taken away again",
            facts={"Parameters": _parameters(_LOADED, "ddl,role,-role")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not loaded, and the default of the classes is none",
            facts={"Parameters": _OFF},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a library of a similar name is another one",
            facts={"Parameters": _parameters("pgaudit_analyze", "ddl,role")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="loaded, and told to log nothing",
            facts={"Parameters": _parameters(_LOADED, "none")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member is just taking it over",
            facts={
                "Parameters": _parameters(_LOADED, "ddl,role"),
                "DBClusterMembers": [_member("orders-1", "applying", writer=True)],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the library waits for a reboot",
            facts={
                "Parameters": _parameters(_LOADED, "ddl,role"),
                "DBClusterMembers": [
                    _member("orders-2", "in-sync"),
                    _member("orders-1", "pending-reboot", writer=True),
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's own group logs less, and wins there",
            facts={
                "Parameters": _parameters(_LOADED, "ddl,role"),
                "Members": [_instance("orders-1"), _instance("orders-2")],
                "MemberParameters": {"orders-1": {}, "orders-2": {CLASSES: _parameters("", "none")[CLASSES]}},
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's own group logs more",
            facts={
                "Parameters": _parameters(_LOADED, "ddl,role"),
                "Members": [_instance("orders-1"), _instance("orders-2")],
                "MemberParameters": {"orders-1": {}, "orders-2": {CLASSES: _parameters("", "all")[CLASSES]}},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a member's own group is right, and waits for a reboot",
            facts={
                "Parameters": _parameters(_LOADED, "ddl,role"),
                "Members": [_instance("orders-1"), _instance("orders-2", "pending-reboot")],
                "MemberParameters": {
                    "orders-1": {},
                    "orders-2": {LIBRARIES: _parameters(_LOADED, "")[LIBRARIES]},
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *own_group_examples.examples(
            ResourceType.DB_CLUSTER,
            {"Parameters": _OFF},
            {LIBRARIES: _LOADED, CLASSES: "ddl,role"},
        ),
        Example(
            name="loaded by any instance that is created",
            facts={"Parameters": _parameters(_LOADED, "ddl,role"), "DBClusterMembers": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="which libraries are the default is not told",
            facts={"Parameters": _parameters(None, "ddl,role")},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a Multi-AZ DB cluster has other parameters",
            facts={"Engine": "postgres"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the parameters of the members could not be read",
            facts={"Parameters": _parameters(_LOADED, "ddl,role")},
            missing=("MemberParameters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
