"""What KMS says of the keys that a resource names, and of a key itself; each key is asked about once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import RefusedError
from warden.core.kinds import Need
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

_POLICY = "default"
"""The one name that a key's own policy has."""


def _storage_key(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each key."""
    return _key(reads, resource.facts["KmsKeyId"])


def _insights_key(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each key."""
    return _key(reads, resource.facts["PerformanceInsightsKMSKeyId"])


def _master_secret_key(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each key."""
    secret = resource.facts["MasterUserSecret"]
    return None if secret is None else _key(reads, secret.get("KmsKeyId"))


def _key(reads: Reads, key_id: str | None) -> dict[str, Any] | None:
    return None if key_id is None else keys.described(reads, key_id)


def _aliases(reads: Reads, resource: Resource) -> dict[str, list[str]]:
    """The ARNs of the aliases of each key that the resource names, by the key's ARN.

    One call for each hundred aliases of the account, or for each key where reads are not shared.
    """
    return {arn: _aliases_of(reads, arn) for arn in _named(reads, resource)}


def _aliases_of(reads: Reads, key_arn: str) -> list[str]:
    return reads.once(("aliases of", key_arn), lambda: _read_aliases(reads, key_arn))


def _read_aliases(reads: Reads, key_arn: str) -> list[str]:
    key_id = ResourceRef.from_arn(key_arn).id
    # Of keys of other accounts nobody tells: "Enter a KMS key in your Amazon Web Services account".
    aliases = (
        reads.by("ListAliases", "TargetKeyId", Limit=100).get(key_id, [])
        if reads.bulk
        else reads.api.every("ListAliases", KeyId=key_id, Limit=100)
    )
    return sorted(str(item["AliasArn"]) for item in aliases if item.get("TargetKeyId") == key_id)


def _named(reads: Reads, resource: Resource) -> list[str]:
    facts = resource.facts
    names = [facts["KmsKeyId"]]
    if resource.ref.resource_type in {ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE}:
        names += [facts["PerformanceInsightsKMSKeyId"], (facts["MasterUserSecret"] or {}).get("KmsKeyId")]
    described = (keys.described_if_there(reads, name) for name in dict.fromkeys(names) if name)
    return [
        str(metadata["Arn"])
        for metadata in described
        if metadata is not None and metadata["AWSAccountId"] == resource.ref.account
    ]


def _key_users(reads: Reads, resource: Resource) -> dict[str, Any]:
    """The lists of clusters, instances and snapshots."""
    uses = keys.uses(reads).get(resource.ref.arn, keys.Uses())
    return {"Count": uses.count, "Some": uses.some}


def _key_policy(reads: Reads, resource: Resource) -> str | None:
    """One call for each key. Of a resource that names no key there is none to ask about."""
    if resource.ref.resource_type is ResourceType.KMS_KEY:
        return None if resource.facts["KeyState"] is None else _policy_of(reads, resource.ref.arn)
    key_id = resource.facts["KmsKeyId"]
    return None if key_id is None else _policy_of(reads, str(keys.described(reads, key_id)["Arn"]))


def _policy_of(reads: Reads, key_arn: str) -> str:
    policy: str = reads.once(
        ("key policy", key_arn),
        lambda: reads.api.call("GetKeyPolicy", KeyId=key_arn, PolicyName=_POLICY)["Policy"],
    )
    return policy


def _key_grants(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each hundred grants of a key; those to services of AWS are left out.

    RDS makes some for every database, so that the others are few. A key that is not there has none.
    """
    if resource.facts["KeyState"] is None:
        return []
    return [
        {name: value for name, value in grant.items() if name != "CreationDate"}
        for grant in reads.api.every("ListGrants", KeyId=resource.ref.arn, Limit=100)
        if "GranteeServicePrincipal" not in grant and not _is_service(str(grant.get("GranteePrincipal", "")))
    ]


def _is_service(principal: str) -> bool:
    return principal.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _key_rotation(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each key; None of one that cannot rotate, or is not there."""
    if resource.facts["KeyState"] is None:
        return None
    try:
        answer = reads.api.call("GetKeyRotationStatus", KeyId=resource.ref.arn)
    except RefusedError as error:
        if error.code == "UnsupportedOperationException":
            return None
        raise
    return {name: answer[name] for name in ("KeyRotationEnabled", "RotationPeriodInDays") if name in answer}


ANSWERS: Mapping[Need, Answer] = {
    Need.STORAGE_KEY: _storage_key,
    Need.INSIGHTS_KEY: _insights_key,
    Need.MASTER_SECRET_KEY: _master_secret_key,
    Need.KEY_ALIASES: _aliases,
    Need.KEY_USERS: _key_users,
    Need.KEY_POLICY: _key_policy,
    Need.KEY_GRANTS: _key_grants,
    Need.KEY_ROTATION: _key_rotation,
}
