"""The instance's server certificate comes from an approved authority and is not about to expire.

Why it matters
--------------
A client that checks the server's certificate, as each should, can connect only while that certificate is
valid and comes from an authority that the client trusts. The day it expires, every such client is cut off at
once; that happened to whoever still ran on `rds-ca-2019`. Those who then turn the check off trade an outage
for a connection that anybody may read.

At half of its life AWS renews a certificate by itself where the engine version does so without a restart,
and elsewhere offers to as pending maintenance; one that comes close to its end all the same waits for
somebody. An instance is judged by its own certificate: an override that an account sets with
ModifyCertificates decides only what new instances get. Members of a cluster have certificates of their own
and are judged like all others.

Remediation safety
------------------
Disruptive. Clients that do not trust the new authority are refused, so each change needs an approval or a
line of the policy that allows it: give them AWS's bundle of certificates first. Warden changes the authority
only where the engine version does so without a restart, to the first approved one that it supports. The
change waits for the instance's maintenance window, so that nothing else that is queued is applied with it; it
comes sooner where Warden writes it together with a change that is made with ApplyImmediately.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: CACertificateIdentifier
- Amazon RDS API Reference, CertificateDetails: CAIdentifier, ValidTill
- Amazon RDS API Reference, DBEngineVersion: SupportsCertificateRotationWithoutRestart
- Amazon RDS User Guide, "Rotating your SSL/TLS certificate"
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core import certificates, engines, frameworks, guidance, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the authority, then until when the certificate is valid; a queued change to an approved one counts."""
    if verdict := scope.outside(resource):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        # "This setting doesn't apply to RDS Custom DB instances" (ModifyDBInstance).
        return not_applicable(
            f"{resource.ref.id} is an RDS Custom instance, whose owner installs certificates."
        )
    live = resource.facts["CACertificateIdentifier"]
    queued = resource.facts["PendingModifiedValues"].get("CACertificateIdentifier")
    approved = settings["approved_authorities"]
    if (queued or live) not in approved:
        return non_compliant(
            f"{resource.ref.id} has a certificate of {live}, which the policy does not approve."
            if queued is None
            else f"{resource.ref.id} will have a certificate of {queued}, which the policy does not approve."
        )
    if queued not in {None, live}:
        return compliant(
            f"{resource.ref.id} will have a certificate of {queued}, once a queued change is applied."
        )
    valid_till = Facts(resource.facts["CertificateDetails"])["ValidTill"]
    days = settings["minimum_days"]
    if valid_till < resource.observed_at + timedelta(days=days):
        return non_compliant(
            f"{resource.ref.id} has a certificate of {live} that is valid until {valid_till:%Y-%m-%d}; the policy "
            f"wants {days} days more."
        )
    return compliant(
        f"{resource.ref.id} has a certificate of {live} that is valid until {valid_till:%Y-%m-%d}."
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Change to the first approved authority that the engine version takes, where that restarts nothing."""
    live = resource.facts["CACertificateIdentifier"]
    approved = settings["approved_authorities"]
    if live in approved:
        return _renewal(resource, live)
    wanted = next((name for name in approved if certificates.supported(resource.facts, name)), None)
    if wanted is None:
        return Manual(
            f"This engine version takes none of {', '.join(approved)}: upgrade it, or approve an authority that it "
            "takes.",
            (
                guidance.command(
                    resource,
                    "describe-db-engine-versions",
                    {
                        "engine": resource.facts["Engine"],
                        "engine-version": resource.facts["EngineVersion"],
                        "query": "DBEngineVersions[].SupportedCACertificateIdentifiers",
                    },
                ),
            ),
        )
    if scope.is_multi_az_member(resource):
        return Manual(
            "AWS refuses to modify a single instance of a Multi-AZ DB cluster: change the authority of the cluster.",
            (_of_cluster(resource, wanted),),
        )
    if not certificates.rotates_without_restart(resource.facts):
        return Manual(
            "This engine version restarts to change its certificate, which somebody must choose the moment for.",
            (_of_instance(resource, wanted),),
        )
    return Plan(
        (
            Call(
                "ModifyDBInstance",
                {
                    "DBInstanceIdentifier": resource.facts["DBInstanceIdentifier"],
                    "CACertificateIdentifier": wanted,
                },
            ),
        )
    )


def _renewal(resource: Resource, authority: str) -> Manual:
    """The authority is right and its certificate nearly over: AWS offers a new one as pending maintenance."""
    return Manual(
        f"AWS offers a new certificate of {authority} as pending maintenance: look whether it is there, and opt in. "
        "Some engine versions restart for it.",
        (
            guidance.command(
                resource,
                "describe-pending-maintenance-actions",
                {"resource-identifier": resource.ref.arn},
            ),
            guidance.command(
                resource,
                "apply-pending-maintenance-action",
                {
                    "resource-identifier": resource.ref.arn,
                    # "Valid Values: ca-certificate-rotation ..." (ApplyPendingMaintenanceAction: ApplyAction).
                    "apply-action": "ca-certificate-rotation",
                    "opt-in-type": "next-maintenance",
                },
            ),
        ),
    )


def _of_instance(resource: Resource, authority: str) -> str:
    return guidance.command(
        resource,
        "modify-db-instance",
        {
            "db-instance-identifier": resource.facts["DBInstanceIdentifier"],
            "ca-certificate-identifier": authority,
        },
    )


def _of_cluster(resource: Resource, authority: str) -> str:
    return guidance.command(
        resource,
        "modify-db-cluster",
        {
            "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
            "ca-certificate-identifier": authority,
        },
    )


def _certificate(authority: str, year: int, month: int, day: int) -> dict[str, Any]:
    return {
        "CACertificateIdentifier": authority,
        "CertificateDetails": {
            "CAIdentifier": authority,
            "ValidTill": datetime(year, month, day, tzinfo=UTC),
        },
    }


_OLD = _certificate("rds-ca-2019", 2024, 8, 22)

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Instances have a server certificate of an approved authority that is not about to expire",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.prowler("rds_instance_certificate_expiration"),
        frameworks.nist("SC-8", "SC-8(1)", "SC-12", "SC-17"),
        frameworks.hipaa("164.312(e)(1)"),
        frameworks.iso_27001("A.8.24"),
        frameworks.soc_2("CC6.7"),
    ),
    settings=(
        Setting(
            name="approved_authorities",
            default=["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"],
            doc="The certificate authorities that instances may have, the preferred one first.",
            pattern=certificates.CA_PATTERN,
        ),
        Setting(
            name="minimum_days",
            default=90,
            doc="For how many days a certificate must still be valid. AWS renews certificates, or offers to, at half "
            "of their life.",
            minimum=1,
            maximum=365,
        ),
    ),
    silent="a certificate expires by itself",
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBInstance",
                required={
                    "DBInstanceIdentifier": SameAs("DBInstanceIdentifier"),
                    "CACertificateIdentifier": certificates.OtherAuthority(),
                },
            ),
        ),
        safety=Safety.DISRUPTIVE,
        needs=(Need.CERTIFICATE_ROTATION,),
    ),
    fix="""\
Give AWS's bundle of certificates to every client first. Then look which authorities the engine version takes, and
whether it changes them without a restart:

    aws rds describe-db-engine-versions --engine ENGINE --engine-version VERSION --region {region} \\
        --query "DBEngineVersions[].[SupportedCACertificateIdentifiers,SupportsCertificateRotationWithoutRestart]"

Change the authority in the next maintenance window; add --apply-immediately for now, which also applies whatever
else is queued on the instance:

    aws rds modify-db-instance --db-instance-identifier {id} --ca-certificate-identifier rds-ca-rsa2048-g1 \\
        --region {region}

Let new instances have it, too:

    aws rds modify-certificates --certificate-identifier rds-ca-rsa2048-g1 --region {region}

Make it last: CloudFormation `CACertificateIdentifier: rds-ca-rsa2048-g1` of `AWS::RDS::DBInstance`; Terraform
`ca_cert_identifier = "rds-ca-rsa2048-g1"` of `aws_db_instance` or `aws_rds_cluster_instance`.
""",
    examples=(
        Example(
            name="an approved authority and a year to go",
            facts=_certificate("rds-ca-ecc384-g1", 2027, 11, 20),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a certificate that AWS did not renew",
            facts=_certificate("rds-ca-rsa2048-g1", 2026, 12, 1),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a certificate that AWS renews at half of its life, and the policy wants that long",
            facts=_certificate("rds-ca-rsa2048-g1", 2027, 3, 1),
            settings={"minimum_days": 180},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="an authority that has expired", facts=_OLD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="an authority that this organisation does not approve",
            facts=_certificate("rds-ca-rsa2048-g1", 2027, 11, 20),
            settings={"approved_authorities": ["rds-ca-rsa4096-g1"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a change to an approved one is queued",
            facts={**_OLD, "PendingModifiedValues": {"CACertificateIdentifier": "rds-ca-rsa2048-g1"}},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a change to another is queued",
            facts={"PendingModifiedValues": {"CACertificateIdentifier": "rds-ca-2019"}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an engine version that restarts to change",
            facts={
                **_OLD,
                Need.CERTIFICATE_ROTATION: {
                    "SupportsCertificateRotationWithoutRestart": False,
                    "SupportedCACertificateIdentifiers": ["rds-ca-2019", "rds-ca-rsa2048-g1"],
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an engine version that takes no approved one",
            facts={
                **_OLD,
                Need.CERTIFICATE_ROTATION: {
                    "SupportsCertificateRotationWithoutRestart": True,
                    "SupportedCACertificateIdentifiers": ["rds-ca-2019"],
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of an Aurora cluster has a certificate of its own",
            facts={**_OLD, "Engine": "aurora-postgresql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster is changed at its cluster",
            facts={**_OLD, "Engine": "postgres", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="RDS Custom has certificates of its owner",
            facts={**_OLD, "Engine": "custom-oracle-ee"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="AWS does not say until when it is valid",
            facts={"CertificateDetails": {"CAIdentifier": "rds-ca-rsa2048-g1"}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the certificate is not known",
            facts={},
            missing=("CertificateDetails",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
