"""Proxies, tags, and whatever else is small: what moto has no operation for."""

from __future__ import annotations

from typing import Any

from console.local.rds.call import Call, check_identifier, conflicting, merge_tags, named, refuse, tag_list
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

_MISSING = {
    "cluster": ("DBClusterNotFoundFault", "DBCluster"),
    "db": ("DBInstanceNotFound", "DBInstance"),
    "cluster-snapshot": ("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot"),
    "snapshot": ("DBSnapshotNotFound", "DBSnapshot"),
    "db-proxy": ("DBProxyNotFoundFault", "DBProxy"),
    "global-cluster": ("GlobalClusterNotFoundFault", "GlobalCluster"),
    "cluster-pg": ("DBParameterGroupNotFound", "DBClusterParameterGroup"),
    "pg": ("DBParameterGroupNotFound", "DBParameterGroup"),
    "subgrp": ("DBSubnetGroupNotFoundFault", "DBSubnetGroup"),
    "es": ("SubscriptionNotFound", "EventSubscription"),
}


def find(call: Call, name: str) -> Any:
    """Find a proxy by name, or answer as AWS does."""
    proxy = call.backend.db_proxies.get(name)
    if proxy is None:
        refuse(
            "DBProxyNotFoundFault",
            f"The specified proxy name {name} doesn't correspond to a proxy owned by your Amazon Web Services"
            " account in the specified Amazon Web Services Region.",
        )
    return proxy


def present(call: Call, proxy: Any) -> dict[str, Any]:
    """Render a DBProxy."""
    item: dict[str, Any] = {
        "DBProxyName": proxy.db_proxy_name,
        "DBProxyArn": proxy.arn,
        "Status": call.world.status_of(proxy, proxy.status),
        "EngineFamily": proxy.engine_family,
        "VpcId": proxy.vpc_id,
        "VpcSecurityGroupIds": list(proxy.vpc_security_group_ids),
        "VpcSubnetIds": list(proxy.vpc_subnet_ids),
        "Auth": [dict(one) for one in proxy.auth],
        "RoleArn": proxy.role_arn,
        "Endpoint": proxy.endpoint,
        "RequireTLS": bool(proxy.require_tls),
        "IdleClientTimeout": proxy.idle_client_timeout,
        "DebugLogging": bool(proxy.debug_logging),
        "CreatedDate": proxy.created_date,
        "UpdatedDate": proxy.updated_date,
    }
    return item | extras(proxy).members


def create(call: Call) -> dict[str, Any]:
    """Answer CreateDBProxy."""
    check_identifier(call["DBProxyName"], "DBProxyName")
    proxy = call.backend.create_db_proxy(
        db_proxy_name=call["DBProxyName"],
        engine_family=call["EngineFamily"],
        auth=call.get("Auth", []),
        role_arn=call["RoleArn"],
        vpc_subnet_ids=call["VpcSubnetIds"],
        vpc_security_group_ids=call.get("VpcSecurityGroupIds"),
        require_tls=call.get("RequireTLS", False),
        idle_client_timeout=call.get("IdleClientTimeout", 1800),
        debug_logging=call.get("DebugLogging", False),
        tags=tag_list(call.get("Tags")),
    )

    def done() -> None:
        call.world.tell("RDS-EVENT-0203", proxy, name=proxy.db_proxy_name)

    call.world.occupy(proxy, "creating", call.world.lifecycle.creating, done)
    return {"DBProxy": present(call, proxy) | {"Status": "creating"}}


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBProxies."""
    wanted = call.get("DBProxyName")
    return {"DBProxies": [find(call, wanted)] if wanted else list(call.backend.db_proxies.values())}


def modify(call: Call) -> dict[str, Any]:
    """Answer ModifyDBProxy."""
    proxy = find(call, call["DBProxyName"])
    now = call.world.status_of(proxy, proxy.status)
    if now != "available":
        refuse("InvalidDBProxyStateFault", f"DB proxy {proxy.db_proxy_name} is not available: {now}")
    for parameter, attribute in {
        "RequireTLS": "require_tls",
        "DebugLogging": "debug_logging",
        "IdleClientTimeout": "idle_client_timeout",
        "RoleArn": "role_arn",
        "SecurityGroups": "vpc_security_group_ids",
        "Auth": "auth",
    }.items():
        if call.has(parameter):
            setattr(proxy, attribute, call[parameter])
    if call.has("NewDBProxyName"):
        check_identifier(call["NewDBProxyName"], "NewDBProxyName")
        if call["NewDBProxyName"] in call.backend.db_proxies:
            refuse("DBProxyAlreadyExistsFault", f"DB proxy {call['NewDBProxyName']} already exists.")
        del call.backend.db_proxies[proxy.db_proxy_name]
        proxy.db_proxy_name = call["NewDBProxyName"]
        call.backend.db_proxies[proxy.db_proxy_name] = proxy
    proxy.updated_date = call.naive_now()
    call.world.occupy(proxy, "modifying", call.world.lifecycle.modifying)
    return {"DBProxy": present(call, proxy) | {"Status": "modifying"}}


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteDBProxy."""
    proxy = find(call, call["DBProxyName"])
    del call.backend.db_proxies[proxy.db_proxy_name]
    call.world.tell("RDS-EVENT-0205", proxy, name=proxy.db_proxy_name)
    return {"DBProxy": present(call, proxy) | {"Status": "deleting"}}


def _tagged(call: Call) -> Any:
    """Find what an ARN names, in the account and Region that it names."""
    arn = call["ResourceName"]
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds":  # noqa: PLR2004 - arn:partition:rds:region:account:type:id
        refuse("InvalidParameterValue", f"Invalid resource name: {arn}")
    kind = parts[5]
    if parts[4] != call.account or (parts[3] and parts[3] != call.region):
        refuse(
            "InvalidParameterValue",
            f"The specified resource name does not match an RDS resource in this region: {arn}",
        )
    backend = call.backend if parts[3] else call.backend_in("us-east-1")
    resource = backend._find_resource(kind, named(arn))  # noqa: SLF001 - moto's one index by ARN
    if resource is None:
        code, noun = _MISSING.get(kind, ("InvalidParameterValue", "Resource"))
        refuse(code, f"{noun} {named(arn)} not found.")
    return resource


def add_tags(call: Call) -> dict[str, Any]:
    """Answer AddTagsToResource."""
    resource = _tagged(call)
    new = tag_list(call.get("Tags"))
    for tag in new:
        if tag["Key"].lower().startswith("aws:"):
            refuse("InvalidParameterValue", "Tag keys cannot start with the reserved prefix aws:.")
    resource.tags = merge_tags(resource.tags, new)
    return {}


def remove_tags(call: Call) -> dict[str, Any]:
    """Answer RemoveTagsFromResource."""
    resource = _tagged(call)
    gone = set(call.get("TagKeys", []))
    resource.tags = [tag for tag in resource.tags if tag["Key"] not in gone]
    return {}


def list_tags(call: Call) -> dict[str, Any]:
    """Answer ListTagsForResource."""
    return {"TagList": list(_tagged(call).tags)}


def create_subscription(call: Call) -> dict[str, Any]:
    """Answer CreateEventSubscription."""
    if call["SubscriptionName"] in call.backend.event_subscriptions:
        refuse("SubscriptionAlreadyExist", f"Subscription {call['SubscriptionName']} already exists.")
    call.backend.create_event_subscription(
        {
            "subscription_name": call["SubscriptionName"],
            "sns_topic_arn": call["SnsTopicArn"],
            "source_type": call.get("SourceType"),
            "event_categories": call.get("EventCategories", []),
            "source_ids": call.get("SourceIds", []),
            "enabled": call.get("Enabled", True),
            "tags": tag_list(call.get("Tags")),
        }
    )
    return {"EventSubscription": call.backend.event_subscriptions[call["SubscriptionName"]]}


def modify_subscription(call: Call) -> dict[str, Any]:
    """Answer ModifyEventSubscription."""
    subscription = call.backend.event_subscriptions.get(call["SubscriptionName"])
    if subscription is None:
        refuse("SubscriptionNotFound", f"Subscription {call['SubscriptionName']} not found.")
    if call.has("SourceType") and subscription.source_ids:
        conflicting("The source type cannot be changed while the subscription names sources.")
    for parameter, attribute in {
        "SnsTopicArn": "sns_topic_arn",
        "SourceType": "source_type",
        "EventCategories": "event_categories",
        "Enabled": "enabled",
    }.items():
        if call.has(parameter):
            setattr(subscription, attribute, call[parameter])
    return {"EventSubscription": subscription}


TOPIC = Topic(
    name="proxies",
    operations={
        "CreateDBProxy": create,
        "DescribeDBProxies": describe,
        "ModifyDBProxy": modify,
        "DeleteDBProxy": delete,
        "AddTagsToResource": add_tags,
        "RemoveTagsFromResource": remove_tags,
        "ListTagsForResource": list_tags,
        "CreateEventSubscription": create_subscription,
        "ModifyEventSubscription": modify_subscription,
    },
    presenters={"DBProxy": present},
    corrections=(
        Correction(
            name="proxies-modified",
            why="moto has no ModifyDBProxy, so TLS can be neither required nor dropped",
            reference="ModifyDBProxyRequest.RequireTLS",
            words=(
                "Whether Transport Layer Security (TLS) encryption is required for connections to the proxy."
            ),
        ),
        Correction(
            name="tags-of-what-exists",
            why="moto tags resources that do not exist",
            reference="AddTagsToResource",
            words="Adds metadata tags to an Amazon RDS resource.",
        ),
        Correction(
            name="subscriptions-enabled",
            why="moto creates event subscriptions that are switched off",
            reference="CreateEventSubscriptionMessage.Enabled",
            words="Specifies whether to activate the subscription.",
        ),
        Correction(
            name="subscriptions-modified",
            why="moto has no ModifyEventSubscription",
            reference="ModifyEventSubscription",
            words="Modifies an existing RDS event notification subscription.",
        ),
    ),
)
