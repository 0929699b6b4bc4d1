"""The log group of a database is encrypted with a customer managed key.

Why it matters
--------------
The logs of a database hold its statements, its users and where they come from. CloudWatch Logs encrypts them
with a key of its own, which opens to everybody who may read logs. With a customer managed key a reader needs
that key as well; its policy says who that is, each use shows in CloudTrail, and disabling it closes the log.

Only log groups of RDS are judged whose database exists. Any key that is associated is a customer managed one,
since CloudWatch Logs takes no other; the policy may name those that count.

Remediation safety
------------------
Safe. Warden associates the key that the policy names, and only with a group that has none. It applies to
what comes in from then on; readers then need `kms:Decrypt`. The key policy must let CloudWatch Logs use the
key, `logs.REGION.amazonaws.com` with the log group as encryption context: where it does not, AWS refuses, and
Warden tells. A key that is deleted later takes the log with it. Another key than the approved ones is left to
a person, who knows what is encrypted with it.

References
----------
- Amazon CloudWatch Logs API Reference, AssociateKmsKey
- Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance
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
)
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

# "The Amazon Resource Name (ARN) of the KMS key" (AssociateKmsKey): an alias is none.
KEY_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+"


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key, if there is one."""
    key, approved = resource.facts["kmsKeyId"], settings["approved_keys"]
    if key is None:
        return non_compliant(f"{resource.ref.id} is encrypted with no key of yours.")
    if approved and key not in approved:
        return non_compliant(f"{resource.ref.id} is encrypted with {key}, which the policy does not approve.")
    return compliant(f"{resource.ref.id} is encrypted with {key}.")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Associate the key that the policy names for this Region, where there is none."""
    approved = settings["approved_keys"]
    keys = [key for key in settings["keys"] if _is_of(key, resource) and (not approved or key in approved)]
    if (live := resource.facts["kmsKeyId"]) is not None:
        return Manual(
            f"It has a key, {live}: what came in so far stays encrypted with it, so it must live on for as long as "
            "that is kept. Approve it in the policy, or associate another for what comes in from now on.",
            (_associate(resource, keys[0] if keys else "YOUR-KEY"),),
        )
    if not keys:
        return Manual(
            f"The policy names no key for logs in {resource.home or resource.ref.region} that it approves: add one to "
            "keys, or associate one by hand. Its key policy must let CloudWatch Logs use it.",
            (_associate(resource, "YOUR-KEY"),),
        )
    return Plan(
        (
            Call(
                "AssociateKmsKey",
                {"logGroupName": resource.facts["logGroupName"], "kmsKeyId": keys[0]},
            ),
        )
    )


def _is_of(key: str, resource: Resource) -> bool:
    """Whether a key lies in the log group's Region: CloudWatch Logs takes no other."""
    return key.split(":")[3] == resource.ref.region


def _associate(resource: Resource, key: str) -> str:
    return guidance.command(
        resource,
        "associate-kms-key",
        {"log-group-name": resource.facts["logGroupName"], "kms-key-id": key},
        service="logs",
    )


@dataclass(frozen=True, slots=True)
class FirstKey:
    """For the write guard: the ARN of a KMS key, for a log group that has none."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse aliases and whatever is no key, and to take the place of another key."""
        if not isinstance(value, str) or not re.fullmatch(KEY_ARN, value):
            return f"{value!r} is not the ARN of a KMS key"
        live = facts["kmsKeyId"]
        return None if live is None else f"the log group has the key {live}"


_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_OTHER = "arn:aws:kms:eu-west-1:123456789012:key/99999999-4e5f-4a6b-8c9d-0e1f2a3b4c5d"

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Log groups of databases are encrypted with a customer managed key",
    resource_type=ResourceType.LOG_GROUP,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.config("cloudwatch-log-group-encrypted"),
        frameworks.prowler("cloudwatch_log_group_kms_encryption_enabled"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=(
        Setting(
            name="keys",
            default=[],
            doc="The ARNs of the KMS keys that Warden encrypts log groups with, one for each Region. Empty: it "
            "encrypts nothing.",
            pattern=KEY_ARN,
        ),
        Setting(
            name="approved_keys",
            default=[],
            doc="The ARNs of the KMS keys that log groups may be encrypted with. Empty: any key will do.",
            pattern=KEY_ARN,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="AssociateKmsKey",
                required={"logGroupName": SameAs("logGroupName"), "kmsKeyId": FirstKey()},
            ),
        ),
        safety=Safety.SAFE,
    ),
    fix="""\
Let CloudWatch Logs use the key in its key policy, and associate it:

    aws logs associate-kms-key --log-group-name {id} --kms-key-id YOUR-KEY --region {region}

Make it last: CloudFormation `KmsKeyId: YOUR-KEY` of `AWS::Logs::LogGroup`; Terraform `kms_key_id` of
`aws_cloudwatch_log_group`. Create the group before the export is enabled, and RDS uses it.
""",
    examples=(
        Example(name="encrypted with a key", facts={"kmsKeyId": _KEY}, expect=ComplianceType.COMPLIANT),
        Example(
            name="encrypted with an approved key",
            facts={"kmsKeyId": _KEY},
            settings={"approved_keys": [_KEY]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="encrypted with a key that is not approved",
            facts={"kmsKeyId": _OTHER},
            settings={"keys": [_KEY], "approved_keys": [_KEY]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no key, and the policy names one for this Region",
            facts={"kmsKeyId": None},
            settings={"keys": [_KEY.replace("eu-west-1", "us-east-1"), _KEY]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no key, and the policy does not approve the one that it names",
            facts={"kmsKeyId": None},
            settings={"keys": [_KEY], "approved_keys": [_OTHER]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no key, and the policy names one for another Region",
            facts={"kmsKeyId": None},
            settings={"keys": [_KEY.replace("eu-west-1", "us-east-1")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the key is not known",
            facts={},
            missing=("kmsKeyId",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
