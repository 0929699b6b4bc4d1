"""Where to look further in AWS's console: the resource, and the event that changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from warden.core.resource import ResourceRef, ResourceType
from warden.core.sections import Link
from warden.core.trigger import Source

if TYPE_CHECKING:
    from warden.core.finding import Finding

# "AWS Management Console endpoints" of the partitions (AWS General Reference; China and GovCloud user guides).
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_PAGES = {
    ResourceType.DB_CLUSTER: "rds/home?region={region}#database:id={id};is-cluster=true",
    ResourceType.DB_INSTANCE: "rds/home?region={region}#database:id={id};is-cluster=false",
    ResourceType.GLOBAL_CLUSTER: "rds/home?region={region}#databases:",
    ResourceType.DB_CLUSTER_SNAPSHOT: "rds/home?region={region}#snapshots-list:",
    ResourceType.DB_SNAPSHOT: "rds/home?region={region}#snapshots-list:",
    ResourceType.DB_PROXY: "rds/home?region={region}#proxies:",
    ResourceType.SECURITY_GROUP: "ec2/home?region={region}#SecurityGroup:groupId={id}",
    ResourceType.KMS_KEY: "kms/home?region={region}#/kms/keys/{id}",
    ResourceType.SECRET: "secretsmanager/listsecrets?region={region}",
    ResourceType.LOG_GROUP: "cloudwatch/home?region={region}#logsV2:log-groups",
}


def console(partition: str, region: str) -> str:
    """The address of the console in a Region; empty in a partition that has none of its own."""
    host = _CONSOLES.get(partition, "")
    return f"https://{region}.{host}" if host else ""


def links(finding: Finding) -> tuple[Link, ...]:
    """The resource's page, where the console has one, and the event that CloudTrail recorded."""
    ref = ResourceRef.from_arn(finding.arn)
    region = ref.region or _HOME.get(ref.partition, "")
    home = console(ref.partition, region)
    if not home:
        return ()
    found = []
    if page := _PAGES.get(ref.resource_type):
        place = page.format(region=region, id=quote(ref.id, safe="", errors="replace"))
        found.append(Link("The resource in the AWS console", f"{home}/{place}"))
    event = str(finding.cause.get("event_id", ""))
    if event and finding.cause.get("source") == Source.CLOUDTRAIL:
        place = f"cloudtrailv2/home?region={region}#/events/{quote(event, safe='', errors='replace')}"
        found.append(Link("The change in CloudTrail", f"{home}/{place}"))
    return tuple(found)
