"""How CloudTrail spells the requests and answers of each service.

Every member has botocore's name with its first character in lower case, but EC2's, whose names are those of its
XML, and whose lists stand in an object with the one member `items`. Some of EC2's newer operations, and both
spellings of a secret's ARN, are as recorded events have them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_SCHEMA = "http://ec2.amazonaws.com/doc/2016-11-15/"
# Operations of EC2 that are recorded in an object called like the request, with the API's own capitals.
_WRAPPED = frozenset({"ModifySecurityGroupRules", "ModifyManagedPrefixList"})
# What EC2's members are called in records, where that is not their name in its XML.
_RENAMED = {
    ("CreateNetworkAclEntry", "Protocol"): "aclProtocol",
    ("CreateNetworkAclEntry", "IcmpTypeCode"): "icmpTypeCode",
    ("ReplaceNetworkAclEntry", "Protocol"): "aclProtocol",
    ("ReplaceNetworkAclEntry", "IcmpTypeCode"): "icmpTypeCode",
    ("RevokeSecurityGroupIngress", "SecurityGroupRuleIds"): "securityGroupRuleIds",
}
# What EC2 records as empty though nobody sent it.
_EMPTY = {
    "AuthorizeSecurityGroupIngress": ("ipPermissions",),
    "RevokeSecurityGroupIngress": ("ipPermissions",),
    "CreateNetworkAclEntry": ("icmpTypeCode", "portRange"),
    "ReplaceNetworkAclEntry": ("icmpTypeCode", "portRange"),
}
# Secrets Manager's answers to these are recorded with `arn`; its others with `aRN`, as the rule has it.
_LOWER_ARN = frozenset({"CreateSecret", "PutSecretValue"})
# What CloudTrail leaves out of an answer: with the token of a grant its holder could use the key at once.
_LEFT_OUT = frozenset({"GrantToken"})


def lower_first(name: str) -> str:
    """Spell a member as CloudTrail does: botocore's name with its first character in lower case."""
    return name[:1].lower() + name[1:]


def _moment(value: Any) -> str:
    """Print a time as it stands inside CloudTrail's requests and responses, which is not ISO 8601."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    hour = value.hour % 12 or 12
    return f"{value:%b} {value.day}, {value.year} {hour}:{value:%M}:{value:%S} {value:%p}"


def cased(shape: Any, value: Any, *, fill: bool = False, hide: bool = False) -> Any:
    """Rewrite a request or an answer as CloudTrail shows it.

    `fill` adds the primitives of RDS's API that nobody sent; `hide` replaces secrets.
    """
    match shape.type_name:
        case "structure":
            cased_value: Any = {}
            for name, member in shape.members.items():
                given = value.get(name)
                if given is None and fill and member.name == "Boolean":
                    given = False  # a primitive of the API's, which has a value even if nobody sent one
                if given is not None:
                    cased_value[lower_first(name)] = cased(member, given, fill=fill, hide=hide)
        case "list":
            cased_value = [cased(shape.member, one, fill=fill, hide=hide) for one in value]
        case "timestamp":
            cased_value = _moment(value)
        case _:
            cased_value = _HIDDEN if hide and _is_secret(shape) else value
    return cased_value


def _is_secret(shape: Any) -> bool:
    """Say whether a value must not be seen: a password of RDS's, or what a secret holds."""
    return shape.name in {"SensitiveString", "SecretStringType", "SecretBinaryType"}


def _unwrapped(shape: Any, value: Any) -> Any:
    """Drop the one member of an answer iff the API's model calls its shape a wrapper."""
    if shape is None or value is None:
        return None
    members = list(shape.members.items())
    if len(members) == 1:
        name, member = members[0]
        if member._shape_model.get("wrapper"):  # noqa: SLF001 - botocore exposes every trait but this one
            return cased(member, value.get(name))
    return cased(shape, value)


def request_of(operation: Any, parameters: dict[str, Any]) -> Any:
    """Spell a request."""
    shape = operation.input_shape
    service = operation.service_model.service_name
    if service != "ec2":
        return cased(shape, parameters, fill=service == "rds", hide=True)
    if operation.name in _WRAPPED:
        return {f"{operation.name}Request": _as_sent(shape, parameters)}
    empty: dict[str, Any] = {name: {} for name in _EMPTY.get(operation.name, ())}
    return {**empty, **_of_ec2(shape, parameters, operation.name)}


def response_of(operation: Any, response: dict[str, Any] | None, *, request_id: str) -> Any:
    """Spell an answer; None where the operation has none."""
    service = operation.service_model.service_name
    if service == "ec2":
        return _answer_of_ec2(operation, response or {}, request_id)
    if service == "rds":
        return _unwrapped(operation.output_shape, response)
    if operation.output_shape is None or not operation.output_shape.members:
        return None
    kept = {name: value for name, value in (response or {}).items() if name not in _LEFT_OUT}
    answer = cased(operation.output_shape, kept)
    if operation.name in _LOWER_ARN and "aRN" in answer:
        answer["arn"] = answer.pop("aRN")
    return answer or None


def _answer_of_ec2(operation: Any, response: dict[str, Any], request_id: str) -> dict[str, Any]:
    shape = operation.output_shape
    answer = {} if shape is None else _of_ec2(shape, response, operation.name)
    if operation.name in _WRAPPED:
        return {f"{operation.name}Response": {"xmlns": _SCHEMA, "requestId": request_id, **answer}}
    done = answer.pop("return", True)
    said = (
        {} if operation.name in {"AssociateRouteTable", "ReplaceRouteTableAssociation"} else {"_return": done}
    )
    return {"requestId": request_id, **said, **answer}


def _of_ec2(shape: Any, value: Any, operation: str) -> Any:
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            known = _RENAMED.get((operation, name)) or lower_first(member.serialization.get("name") or name)
            if value.get(name) is not None:
                found[known] = _of_ec2(member, value[name], operation)
            elif shape.name == "IpPermission" and member.type_name == "list":
                found[known] = {}
        return found
    if shape.type_name == "list":
        items = [_of_ec2(shape.member, one, operation) for one in value]
        if shape.member.type_name != "structure":
            items = [{"securityGroupRuleId": one} for one in items]
        return {"items": items} if items else {}
    return _moment(value) if shape.type_name == "timestamp" else value


def _as_sent(shape: Any, value: Any) -> Any:
    """Spell what stands in a wrapped request: the API's own names, and each item of a list with its number."""
    if shape.type_name != "structure":
        return value
    found = {}
    for name, member in shape.members.items():
        if value.get(name) is None:
            continue
        known = member.serialization.get("name") or name
        if member.type_name == "list":
            items = [{**_as_sent(member.member, one), "tag": at} for at, one in enumerate(value[name], 1)]
            found[known] = items[0] if len(items) == 1 else items
        else:
            found[known] = _as_sent(member, value[name])
    return found
