"""What the local CloudTrail records of services beside RDS, in the shapes of the samples in events/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from console.local.aws import LocalAws
from console.local.events import RECORDED_AS
from console.local.identity import acting_as, assumed_role
from console.local.witness import TOLD
from warden.core.trigger.other_apis import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = Path(__file__).resolve().parents[2] / "events"
ROLE = "arn:aws:iam::123456789012:role/warden/remediate-role"
CONNECT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "rds-db:connect", "Resource": "*"}]}
)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(region="us-east-1") as made:
        yield made


def told(aws: LocalAws, name: str) -> dict[str, Any]:
    """The last event about a call."""
    return next(event for event in reversed(aws.events) if event["detail"]["eventName"] == name)


def sample(name: str) -> dict[str, Any]:
    (path,) = (path for path in EVENTS.rglob(f"{name}.json") if path.parent.name != "ignored")
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event


def paths(value: Any, at: str = "") -> set[str]:
    """Every path of a value, whatever stands there."""
    if isinstance(value, dict):
        return {at, *(found for key, item in value.items() for found in paths(item, f"{at}.{key}"))}
    if isinstance(value, list):
        return {at, *(found for item in value for found in paths(item, f"{at}[]"))}
    return {at}


def is_like(aws: LocalAws, name: str, *more: str, of: str = "") -> None:
    """A record here has the paths of the sample, and no others but those that are named."""
    here, there = told(aws, name), sample(of or name)
    assert {key: here[key] for key in ("detail-type", "source")} == {
        key: there[key] for key in ("detail-type", "source")
    }
    assert here["detail"]["eventSource"] == there["detail"]["eventSource"]
    for part in ("requestParameters", "responseElements"):
        found, wanted = paths(here["detail"][part]), paths(there["detail"][part])
        assert {path for path in found - wanted if path.rpartition(".")[2] not in more} == set(), part
        required = {path for path in wanted if path.count(".") == 1}
        assert {path for path in required - found if path[1:] not in more} == set(), part


def test_every_call_that_warden_asks_for_is_recorded_here() -> None:
    told_as = {RECORDED_AS.get(service, service): calls for service, calls in TOLD.items()}
    for source, calls in CALLS.items():
        assert set(calls) <= told_as[source.removesuffix(".amazonaws.com")]


def test_rules_of_security_groups_are_recorded_as_ec2_has_it(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    is_like(aws, "CreateSecurityGroup", "securityGroupArn")
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])["SecurityGroupRules"]
    is_like(aws, "AuthorizeSecurityGroupIngress", "tagSet")
    detail = told(aws, "AuthorizeSecurityGroupIngress")["detail"]
    (recorded,) = detail["requestParameters"]["ipPermissions"]["items"]
    assert recorded["ipRanges"] == {"items": [{"cidrIp": "0.0.0.0/0"}]}
    assert recorded["groups"] == recorded["ipv6Ranges"] == recorded["prefixListIds"] == {}
    (answered,) = detail["responseElements"]["securityGroupRuleSet"]["items"]
    assert (answered["groupId"], answered["isEgress"]) == (group, False)

    name = made[0]["SecurityGroupRuleId"]
    changed = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIpv4": "10.0.0.0/8"}
    ec2.modify_security_group_rules(
        GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": name, "SecurityGroupRule": changed}]
    )
    is_like(aws, "ModifySecurityGroupRules")
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[name])
    is_like(
        aws,
        "RevokeSecurityGroupIngress",
        "revokedSecurityGroupRuleSet",
        of="RevokeSecurityGroupIngress_by_warden",
    )
    ec2.delete_security_group(GroupId=group)
    is_like(aws, "DeleteSecurityGroup")


def test_the_older_form_of_a_rule_stands_flat_beside_an_empty_list(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="0.0.0.0/0"
    )
    is_like(
        aws,
        "AuthorizeSecurityGroupIngress",
        *("groupId", "groupName", "tagSet"),
        of="AuthorizeSecurityGroupIngress_by_name",
    )


def test_routes_acls_and_prefix_lists_are_recorded(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, GatewayId=gateway, DestinationCidrBlock="0.0.0.0/0")
    is_like(aws, "CreateRoute")
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    is_like(aws, "DeleteRoute")
    made = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    is_like(aws, "AssociateRouteTable")
    made = ec2.replace_route_table_association(AssociationId=made, RouteTableId=table)["NewAssociationId"]
    is_like(aws, "ReplaceRouteTableAssociation", "associationState")
    ec2.disassociate_route_table(AssociationId=made)
    is_like(aws, "DisassociateRouteTable")

    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=90,
        Protocol="6",
        PortRange={"From": 1, "To": 2},
        RuleAction="allow",
        CidrBlock="0.0.0.0/0",
        Egress=False,
    )
    is_like(aws, "CreateNetworkAclEntry")
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=90, Egress=False)
    is_like(aws, "DeleteNetworkAclEntry")

    prefixes = ec2.create_managed_prefix_list(PrefixListName="a", MaxEntries=3, AddressFamily="IPv4")[
        "PrefixList"
    ]
    ec2.modify_managed_prefix_list(
        PrefixListId=prefixes["PrefixListId"], CurrentVersion=1, AddEntries=[{"Cidr": "10.0.0.0/8"}]
    )
    is_like(aws, "ModifyManagedPrefixList", "tagSet", "prefixListArn")


def test_calls_about_keys_name_the_key_beside_the_request(aws: LocalAws) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]
    named = [{"accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    kms.disable_key(KeyId=key["KeyId"])
    is_like(aws, "DisableKey")
    assert told(aws, "DisableKey")["detail"]["resources"] == named
    assert list(told(aws, "DisableKey")["detail"]).index("resources") > 0
    kms.enable_key(KeyId=key["KeyId"])
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy="{}")
    is_like(aws, "PutKeyPolicy", "bypassPolicyLockoutSafetyCheck")
    kms.create_grant(
        KeyId=key["Arn"], GranteePrincipal="arn:aws:iam::444455556666:root", Operations=["Decrypt"]
    )
    is_like(aws, "CreateGrant", "keyId")
    assert "grantToken" not in told(aws, "CreateGrant")["detail"]["responseElements"]
    kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=7)
    is_like(aws, "ScheduleKeyDeletion", "keyState", "pendingWindowInDays")
    kms.cancel_key_deletion(KeyId=key["Arn"])
    is_like(aws, "CancelKeyDeletion")
    assert {event["detail"]["resources"][0]["ARN"] for event in aws.events} == {key["Arn"]}


def test_a_secret_is_recorded_without_what_it_holds(aws: LocalAws) -> None:
    secrets = aws.client("secretsmanager")
    arn = secrets.create_secret(Name="prod/db", SecretString="correct-horse")["ARN"]
    is_like(aws, "CreateSecret", "description", "forceOverwriteReplicaSecret")
    assert told(aws, "CreateSecret")["detail"]["responseElements"]["arn"] == arn
    secrets.put_resource_policy(SecretId="prod/db", ResourcePolicy='{"Version":"2012-10-17","Statement":[]}')
    is_like(aws, "PutResourcePolicy", "blockPublicPolicy")
    assert told(aws, "PutResourcePolicy")["detail"]["responseElements"]["aRN"] == arn
    secrets.tag_resource(SecretId=arn, Tags=[{"Key": "holds", "Value": "database"}])
    is_like(aws, "TagResource")
    secrets.delete_secret(SecretId=arn)
    is_like(aws, "DeleteSecret", "recoveryWindowInDays", "forceDeleteWithoutRecovery")
    assert "correct-horse" not in json.dumps(aws.events)


def test_log_groups_trails_and_detectors_are_recorded(aws: LocalAws) -> None:
    logs, name = aws.client("logs"), "/aws/rds/cluster/orders/audit"
    logs.create_log_group(logGroupName=name)
    is_like(aws, "CreateLogGroup")
    logs.put_retention_policy(logGroupName=name, retentionInDays=1)
    is_like(aws, "PutRetentionPolicy")
    logs.delete_retention_policy(logGroupName=name)
    is_like(aws, "DeleteRetentionPolicy")
    aws.client("s3").create_bucket(Bucket="records")
    aws.client("cloudtrail").create_trail(Name="account", S3BucketName="records")
    is_like(aws, "CreateTrail", "isMultiRegionTrail", "enableLogFileValidation")
    aws.client("cloudtrail").stop_logging(Name="account")
    is_like(aws, "StopLogging")
    detector = aws.client("guardduty").create_detector(Enable=True)["DetectorId"]
    is_like(aws, "CreateDetector")
    aws.client("guardduty").update_detector(
        DetectorId=detector, Features=[{"Name": "RDS_LOGIN_EVENTS", "Status": "DISABLED"}]
    )
    is_like(aws, "UpdateDetector", "enable")


def test_backups_alarms_and_topics_are_recorded(aws: LocalAws) -> None:
    backup = aws.client("backup")
    rule = {
        "RuleName": "daily",
        "TargetBackupVaultName": "databases",
        "ScheduleExpression": "cron(0 5 ? * * *)",
    }
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})[
        "BackupPlanId"
    ]
    selection = backup.create_backup_selection(
        BackupPlanId=plan,
        BackupSelection={
            "SelectionName": "by-tag",
            "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
            "ListOfTags": [
                {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "nightly"}
            ],
        },
    )["SelectionId"]
    is_like(aws, "CreateBackupSelection", "creatorRequestId")
    backup.delete_backup_selection(BackupPlanId=plan, SelectionId=selection)
    is_like(aws, "DeleteBackupSelection")
    backup.delete_backup_plan(BackupPlanId=plan)
    is_like(aws, "DeleteBackupPlan")

    alarms = aws.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName="orders-cpu",
        ActionsEnabled=True,
        AlarmActions=["arn:aws:sns:us-east-1:123456789012:databases"],
        MetricName="CPUUtilization",
        Namespace="AWS/RDS",
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": "orders"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=5,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
    )
    is_like(aws, "PutMetricAlarm")
    alarms.put_composite_alarm(
        AlarmName="orders",
        ActionsEnabled=True,
        AlarmActions=["arn:aws:sns:us-east-1:123456789012:databases"],
        AlarmRule='ALARM("orders-cpu")',
    )
    is_like(aws, "PutCompositeAlarm")
    alarms.disable_alarm_actions(AlarmNames=["orders-cpu"])
    is_like(aws, "DisableAlarmActions")
    alarms.enable_alarm_actions(AlarmNames=["orders-cpu"])
    is_like(aws, "EnableAlarmActions")
    alarms.delete_alarms(AlarmNames=["orders"])
    is_like(aws, "DeleteAlarms")

    topic = aws.client("sns").create_topic(Name="databases")["TopicArn"]
    aws.client("sns").set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=CONNECT.replace("rds-db:connect", "sns:Publish"),
    )
    is_like(aws, "SetTopicAttributes")
    aws.client("sns").delete_topic(TopicArn=topic)
    is_like(aws, "DeleteTopic")


def test_iam_is_recorded_in_one_region_alone(aws: LocalAws) -> None:
    aws.client("iam").create_policy(PolicyName="connect", PolicyDocument=CONNECT)
    is_like(aws, "CreatePolicy", "permissionsBoundaryUsageCount")
    assert told(aws, "CreatePolicy")["region"] == "us-east-1"


def test_elsewhere_nobody_hears_of_iam() -> None:
    with LocalAws(region="eu-west-1") as aws:
        aws.client("iam").create_policy(PolicyName="connect", PolicyDocument=CONNECT)
        assert aws.events == []


def test_a_refused_call_says_so_and_a_denied_one_shows_nothing_else(aws: LocalAws) -> None:
    with pytest.raises(ClientError):
        aws.client("ec2").delete_security_group(GroupId="sg-0123456789abcdef0")
    detail = told(aws, "DeleteSecurityGroup")["detail"]
    assert detail["errorCode"] == "Client.InvalidGroup.NotFound"
    assert detail["responseElements"] is None
    aws.faults.deny("CreateSecret")
    with pytest.raises(ClientError):
        aws.client("secretsmanager").create_secret(Name="a", SecretString="b")
    detail = told(aws, "CreateSecret")["detail"]
    assert (detail["errorCode"], detail["requestParameters"]) == ("AccessDeniedException", None)


def test_the_caller_is_named_and_reading_is_not_recorded(aws: LocalAws) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:warden-remediate"
    with acting_as(assumed_role(ROLE, "warden", lambda_function_arn=function)):
        aws.client("kms").create_key()
        aws.client("kms").list_keys()
        aws.client("ec2").describe_vpcs()
    assert [event["detail"]["eventName"] for event in aws.events] == ["CreateKey"]
    identity = aws.events[0]["detail"]["userIdentity"]
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == ROLE


def test_a_call_from_another_process_is_recorded_too(aws: LocalAws) -> None:
    import boto3

    with aws.serve() as server:
        boto3.client(
            "kms",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ).create_key()
    assert told(aws, "CreateKey")["detail"]["responseElements"]["keyMetadata"]["enabled"] is True
