"""What every control of required tags shows of itself: each kind of resource has the same tags."""

from __future__ import annotations

from typing import Final

from warden.core.control import ComplianceType, Example

OWNER: Final = {"required_tags": ["owner", "environment=prod", "environment=test"]}
"""Settings that ask for an owner, and for one of two environments."""
TAGGED: Final = [{"Key": "owner", "Value": "orders-team"}, {"Key": "environment", "Value": "prod"}]
"""Tags that have them."""


def examples(engine: str) -> tuple[Example, ...]:
    """The examples that hold for any kind of resource, of an engine that the control judges."""
    return (
        Example(
            name="every key is there, with a value that will do",
            facts={"Engine": engine, "TagList": TAGGED},
            settings=OWNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key is missing",
            facts={"TagList": TAGGED[1:]},
            settings=OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no tag at all",
            facts={"TagList": []},
            settings=OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a value that the policy does not list",
            facts={"TagList": [TAGGED[0], {"Key": "environment", "Value": "prd"}]},
            settings=OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the key in another case is another key",
            facts={"TagList": [{"Key": "Owner", "Value": "orders-team"}, TAGGED[1]]},
            settings=OWNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a tag without a value has the key",
            facts={"Engine": engine, "TagList": [{"Key": "owner"}]},
            settings={"required_tags": ["owner"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="any tag will do",
            facts={"Engine": engine, "TagList": [{"Key": "team", "Value": "orders"}]},
            settings={"required_tags": ["*"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="any tag would do, and AWS alone gave one",
            facts={"TagList": [{"Key": "aws:cloudformation:stack-name", "Value": "orders"}]},
            settings={"required_tags": ["*"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the policy names no tag",
            facts={"TagList": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the tags are not known",
            facts={},
            settings=OWNER,
            missing=("TagList",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    )
