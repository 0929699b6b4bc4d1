"""What Secrets Manager says of a secret beyond its description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _secret_policy(reads: Reads, resource: Resource) -> str | None:
    """One call for each secret; None where it has no policy."""
    policy: str | None = reads.api.call("GetResourcePolicy", SecretId=resource.ref.arn).get("ResourcePolicy")
    return policy


ANSWERS: Mapping[Need, Answer] = {Need.SECRET_POLICY: _secret_policy}
