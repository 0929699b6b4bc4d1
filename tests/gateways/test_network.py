"""Networks on the local AWS: groups, routes and ACLs made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import CONTROLS, Estate
from warden.core.control import ComplianceType
from warden.core.errors import GuardError, ResourceGoneError
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

# Real reads and writes of thirty estates and more; what they prove is in the examples of the controls too.
pytestmark = pytest.mark.slow

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE = ComplianceType.NOT_APPLICABLE
OPEN = "security_group_not_open_to_world"
CLUSTER = {"Engine": "aurora-postgresql", "EngineVersion": "16.6"}
WORDS = ["cluster", "instance", "proxy"]
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def vpc(estate: Estate) -> str:
    return str(estate.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def group(estate: Estate, name: str) -> str:
    made = estate.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=vpc(estate))
    return str(made["GroupId"])


def let_in(estate: Estate, to: str, *, port: int = 5432, protocol: str = "tcp", **source: Any) -> None:
    ports = {} if protocol == "-1" else {"FromPort": port, "ToPort": port}
    estate.client("ec2").authorize_security_group_ingress(
        GroupId=to, IpPermissions=[{"IpProtocol": protocol, **ports, **source}]
    )


def v4(*cidrs: str) -> dict[str, Any]:
    return {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}


def from_group(name: str) -> dict[str, Any]:
    return {"UserIdGroupPairs": [{"GroupId": name}]}


def cluster(estate: Estate, name: str, *groups: str, **settings: Any) -> str:
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name, VpcSecurityGroupIds=list(groups), **{**CLUSTER, **LOGIN, **settings}
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def member(estate: Estate, name: str, of: str, **settings: Any) -> None:
    estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBClusterIdentifier=of,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        **settings,
    )
    estate.aws.rds.settle()


def instance(estate: Estate, name: str, *groups: str, **settings: Any) -> str:
    made = estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        **{
            **LOGIN,
            "Engine": "postgres",
            "DBInstanceClass": "db.m6g.large",
            "AllocatedStorage": 20,
            "VpcSecurityGroupIds": list(groups),
            "PubliclyAccessible": False,
            **settings,
        },
    )
    estate.aws.rds.settle()
    return str(made["DBInstance"]["DBInstanceArn"])


def proxy(estate: Estate, name: str, *groups: str) -> str:
    subnets = estate.client("ec2").describe_subnets()["Subnets"]
    made = estate.client("rds").create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=[subnet["SubnetId"] for subnet in subnets],
        VpcSecurityGroupIds=list(groups),
        Auth=[
            {"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a"}
        ],
    )
    estate.aws.rds.settle()
    return str(made["DBProxy"]["DBProxyArn"])


def arn_of(name: str) -> str:
    return f"arn:aws:ec2:eu-west-1:123456789012:security-group/{name}"


def sources(estate: Estate, name: str) -> set[str]:
    rules = estate.client("ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [name]}]
    )["SecurityGroupRules"]
    return {
        rule.get("CidrIpv4")
        or rule.get("CidrIpv6")
        or rule.get("PrefixListId")
        or rule["ReferencedGroupInfo"]["GroupId"]
        for rule in rules
        if not rule["IsEgress"]
    }


# --- open to the world ------------------------------------------------------------------------------------


def test_the_world_in_two_halves_is_shut_out_and_everybody_else_stays(estate: Estate) -> None:
    app, databases = group(estate, "app"), group(estate, "databases")
    cluster(estate, "orders", databases)
    member(estate, "orders-1", "orders", PubliclyAccessible=True)
    let_in(estate, databases, **from_group(app))
    let_in(estate, databases, **v4("0.0.0.0/1", "128.0.0.0/1", "198.18.0.0/15", "52.94.76.0/24"))
    before = estate.judged(OPEN, arn_of(databases))
    assert before.compliance is NON_COMPLIANT
    assert "100.00% of the IPv4 Internet" in before.annotation
    assert "port 5432 of orders" in before.annotation
    assert estate.fixed(OPEN, arn_of(databases)).compliance is COMPLIANT
    assert sources(estate, databases) == {app, "198.18.0.0/15", "52.94.76.0/24"}


def test_the_worlds_of_both_versions_and_a_prefix_list_go_in_one_call(estate: Estate) -> None:
    app, databases = group(estate, "app"), group(estate, "databases")
    instance(estate, "billing", databases, Port=15432, PubliclyAccessible=True)
    listed = estate.client("ec2").create_managed_prefix_list(
        PrefixListName="everybody",
        MaxEntries=4,
        AddressFamily="IPv4",
        Entries=[{"Cidr": f"{first}.0.0.0/2"} for first in (0, 64, 128, 192)],
    )["PrefixList"]["PrefixListId"]
    let_in(estate, databases, port=15432, **from_group(app))
    let_in(estate, databases, port=15432, PrefixListIds=[{"PrefixListId": listed}])
    let_in(estate, databases, protocol="-1", Ipv6Ranges=[{"CidrIpv6": "::/0"}])
    let_in(estate, databases, **v4("0.0.0.0/0"))
    planned = estate.planned(OPEN, arn_of(databases))
    assert isinstance(planned, Plan)
    [call] = planned.calls
    assert len(call.parameters["SecurityGroupRuleIds"]) == 2
    assert estate.fixed(OPEN, arn_of(databases)).compliance is COMPLIANT
    # The database does not answer on 5432: that rule opens nothing of it, and is nobody's business here.
    assert sources(estate, databases) == {app, "0.0.0.0/0"}


def test_a_group_that_a_server_has_too_is_left_to_a_person(estate: Estate) -> None:
    app, shared = group(estate, "app"), group(estate, "shared")
    cluster(estate, "orders", shared)
    let_in(estate, shared, **from_group(app))
    let_in(estate, shared, **v4("0.0.0.0/0"))
    ec2 = estate.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[shared])["NetworkInterface"]
    planned = estate.planned(OPEN, arn_of(shared))
    assert isinstance(planned, Manual)
    assert interface["NetworkInterfaceId"] in planned.why
    assert planned.steps[0].startswith(f"aws ec2 revoke-security-group-ingress --group-id {shared}")
    assert sources(estate, shared) == {app, "0.0.0.0/0"}


@pytest.mark.parametrize("others", [(), ("192.0.2.7/32",)])
def test_before_private_databases_alone_it_is_left_to_a_person(
    estate: Estate, others: tuple[str, ...]
) -> None:
    databases = group(estate, "databases")
    cluster(estate, "orders", databases)
    # Another rule, such as that of a bastion, does not say by which the applications come.
    let_in(estate, databases, **v4("0.0.0.0/0", *others))
    planned = estate.planned(OPEN, arn_of(databases))
    assert isinstance(planned, Manual)
    assert planned.why.startswith("No database behind the group has a public address")
    assert planned.steps[0].startswith(f"aws ec2 revoke-security-group-ingress --group-id {databases}")


def test_the_only_way_in_to_a_private_database_beside_a_public_one_is_left_to_a_person(
    estate: Estate,
) -> None:
    databases = group(estate, "databases")
    cluster(estate, "orders", databases)
    instance(estate, "billing", databases, PubliclyAccessible=True)
    let_in(estate, databases, **v4("0.0.0.0/0"))
    planned = estate.planned(OPEN, arn_of(databases))
    assert isinstance(planned, Manual)
    assert "to orders, which has no public address" in planned.why


def test_another_group_of_the_database_is_another_way_in(estate: Estate) -> None:
    app, own, databases = group(estate, "app"), group(estate, "own"), group(estate, "databases")
    cluster(estate, "orders", own, databases)
    instance(estate, "billing", databases, PubliclyAccessible=True)
    let_in(estate, own, **from_group(app))
    let_in(estate, databases, **v4("0.0.0.0/0"))
    assert estate.fixed(OPEN, arn_of(databases)).compliance is COMPLIANT
    assert sources(estate, databases) == set()
    assert estate.judged(OPEN, arn_of(own)).compliance is COMPLIANT


def test_before_a_public_member_the_only_way_in_is_closed_too(estate: Estate) -> None:
    databases = group(estate, "databases")
    cluster(estate, "orders", databases)
    member(estate, "orders-1", "orders", PubliclyAccessible=True)
    let_in(estate, databases, **v4("0.0.0.0/0"))
    assert estate.fixed(OPEN, arn_of(databases)).compliance is COMPLIANT
    assert sources(estate, databases) == set()


def test_a_proxy_is_guarded_on_the_port_of_its_engine(estate: Estate) -> None:
    proxies = group(estate, "proxies")
    proxy(estate, "orders-proxy", proxies)
    let_in(estate, proxies, **v4("10.0.0.0/8", "0.0.0.0/0"))
    found = estate.judged(OPEN, arn_of(proxies))
    assert found.compliance is NON_COMPLIANT
    assert "port 5432 of orders-proxy" in found.annotation
    # "You can't make an RDS proxy publicly accessible": whoever comes by this rule is inside the VPC.
    assert isinstance(estate.planned(OPEN, arn_of(proxies)), Manual)


def test_only_groups_of_databases_are_swept(estate: Estate) -> None:
    app, databases, proxies = group(estate, "app"), group(estate, "databases"), group(estate, "proxies")
    orders, front = cluster(estate, "orders", databases), proxy(estate, "front", proxies)
    assert estate.listed(OPEN) == sorted([databases, proxies])
    users = estate.reader().users
    assert users(ResourceRef.from_arn(arn_of(databases))) == [ResourceRef.from_arn(orders)]
    assert users(ResourceRef.from_arn(arn_of(proxies))) == [ResourceRef.from_arn(front)]
    assert users(ResourceRef.from_arn(arn_of(app))) == []


def test_a_group_that_no_database_has_any_more_is_not_applicable(estate: Estate) -> None:
    lonely = group(estate, "lonely")
    let_in(estate, lonely, **v4("0.0.0.0/0"))
    needs = (Need.GUARDED_DATABASES, Need.SECURITY_GROUP_RULES, Need.PREFIX_LISTS)
    read = estate.reader().read(ResourceRef.from_arn(arn_of(lonely)), needs)
    assert read.facts[Need.GUARDED_DATABASES] == []
    assert read.tags == {}


def test_a_group_that_is_not_there_is_gone(estate: Estate) -> None:
    with pytest.raises(ResourceGoneError, match="there is no security group sg-0123456789abcdef0"):
        estate.reader().read(ResourceRef.from_arn(arn_of("sg-0123456789abcdef0")), ())


def test_the_guard_lets_no_rule_go_that_keeps_the_world_out_already(estate: Estate) -> None:
    app, databases, other = group(estate, "app"), group(estate, "databases"), group(estate, "other")
    cluster(estate, "orders", databases)
    let_in(estate, databases, **from_group(app))
    let_in(estate, databases, **v4("10.0.0.0/8", "0.0.0.0/0"))
    let_in(estate, other, **v4("0.0.0.0/0"))
    control = CONTROLS[OPEN]
    resource = estate.read(control, arn_of(databases))
    assert control.remediation is not None
    rules = estate.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
    passed = set()
    for rule in rules:
        call = Call(
            "RevokeSecurityGroupIngress",
            {"GroupId": databases, "SecurityGroupRuleIds": [rule["SecurityGroupRuleId"]]},
        )
        try:
            check(call, control.remediation.permits, resource)
        except GuardError:
            continue
        passed.add((rule["GroupId"], rule["IsEgress"], rule.get("CidrIpv4")))
    assert passed == {(databases, False, "0.0.0.0/0")}
    elsewhere = Call("RevokeSecurityGroupIngress", {"GroupId": other, "SecurityGroupRuleIds": ["sgr-1"]})
    with pytest.raises(GuardError, match="is not the resource's own"):
        check(elsewhere, control.remediation.permits, resource)


# --- approved sources -------------------------------------------------------------------------------------


def test_a_source_that_nobody_approved_is_named_with_its_rule(estate: Estate) -> None:
    app, databases = group(estate, "app"), group(estate, "databases")
    cluster(estate, "orders", databases)
    let_in(estate, databases, **from_group(app))
    let_in(estate, databases, **v4("10.1.0.0/16", "198.51.100.0/24"))
    control = "security_group_sources_approved"
    found = estate.judged(control, arn_of(databases))
    assert found.compliance is NON_COMPLIANT
    assert "orders: 198.51.100.0/24 (sgr-" in found.annotation
    planned = estate.planned(control, arn_of(databases))
    assert isinstance(planned, Manual)
    assert planned.steps[0].count("sgr-") == 1
    supplier = ["10.0.0.0/8", "198.51.100.0/24"]
    assert estate.judged(control, arn_of(databases), approved_cidrs=supplier).compliance is COMPLIANT


# --- the default group ------------------------------------------------------------------------------------


def default_group(estate: Estate) -> str:
    found = estate.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["default"]}]
    )
    return str(found["SecurityGroups"][0]["GroupId"])


@pytest.mark.parametrize(
    ("kind", "make"), [("cluster", cluster), ("instance", instance), ("proxy", proxy)], ids=WORDS
)
def test_the_default_group_is_taken_off_and_the_others_stay(estate: Estate, kind: str, make: Any) -> None:
    control = f"{kind}_security_group_not_default"
    own, other = group(estate, "databases"), group(estate, "more")
    arn = make(estate, "orders", own, default_group(estate), other)
    assert estate.judged(control, arn).compliance is NON_COMPLIANT
    assert estate.fixed(control, arn).compliance is COMPLIANT
    assert attached(estate, kind) == {own, other}


def attached(estate: Estate, kind: str) -> set[str]:
    rds = estate.client("rds")
    match kind:
        case "cluster":
            item = rds.describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"][0]
        case "instance":
            item = rds.describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"][0]
        case _:
            return set(rds.describe_db_proxies(DBProxyName="orders")["DBProxies"][0]["VpcSecurityGroupIds"])
    return {member["VpcSecurityGroupId"] for member in item["VpcSecurityGroups"]}


@pytest.mark.parametrize(
    ("kind", "make"), [("cluster", cluster), ("instance", instance), ("proxy", proxy)], ids=WORDS
)
def test_the_default_group_alone_is_left_to_a_person(estate: Estate, kind: str, make: Any) -> None:
    control = f"{kind}_security_group_not_default"
    arn = make(estate, "orders", default_group(estate))
    assert estate.judged(control, arn).compliance is NON_COMPLIANT
    planned = estate.planned(control, arn)
    assert isinstance(planned, Manual)
    assert vpc(estate) in planned.steps[0]
    assert " orders " in planned.steps[1]


def test_the_guard_takes_off_no_group_but_the_default_one_and_puts_none_on(estate: Estate) -> None:
    own, other, stranger = group(estate, "databases"), group(estate, "more"), group(estate, "stranger")
    arn = cluster(estate, "orders", own, default_group(estate), other)
    control = CONTROLS["cluster_security_group_not_default"]
    assert control.remediation is not None
    resource = estate.read(control, arn)
    for groups in ([own], [own, other, stranger], [], [stranger]):
        call = Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "VpcSecurityGroupIds": groups})
        with pytest.raises(GuardError):
            check(call, control.remediation.permits, resource)
    call = Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "VpcSecurityGroupIds": [other, own]})
    check(call, control.remediation.permits, resource)


# --- subnets ----------------------------------------------------------------------------------------------


def to_the_internet(estate: Estate, table: str, **destination: str) -> str:
    ec2 = estate.client("ec2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc(estate))
    ec2.create_route(RouteTableId=table, GatewayId=gateway, **destination)
    return str(gateway)


def main_table(estate: Estate) -> str:
    tables = estate.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.main", "Values": ["true"]}]
    )
    return str(tables["RouteTables"][0]["RouteTableId"])


def subnets_of(estate: Estate) -> list[str]:
    return [subnet["SubnetId"] for subnet in estate.client("ec2").describe_subnets()["Subnets"]]


@pytest.mark.parametrize(("kind", "make"), [("cluster", cluster), ("instance", instance)], ids=WORDS[:2])
def test_the_main_route_table_counts_for_subnets_without_one_of_their_own(
    estate: Estate, kind: str, make: Any
) -> None:
    control = f"{kind}_subnets_private"
    arn = make(estate, "orders", group(estate, "databases"))
    assert estate.judged(control, arn).compliance is COMPLIANT
    to_the_internet(estate, main_table(estate), DestinationCidrBlock="0.0.0.0/0")
    found = estate.judged(control, arn)
    assert found.compliance is NON_COMPLIANT
    assert main_table(estate) in found.annotation
    planned = estate.planned(control, arn)
    assert isinstance(planned, Manual)
    assert main_table(estate) in planned.steps[0]

    ec2 = estate.client("ec2")
    own = ec2.create_route_table(VpcId=vpc(estate))["RouteTable"]["RouteTableId"]
    for subnet in subnets_of(estate):
        ec2.associate_route_table(RouteTableId=own, SubnetId=subnet)
    assert estate.judged(control, arn).compliance is COMPLIANT


def test_one_public_subnet_of_many_is_enough(estate: Estate) -> None:
    arn = cluster(estate, "orders", group(estate, "databases"))
    ec2 = estate.client("ec2")
    table = ec2.create_route_table(VpcId=vpc(estate))["RouteTable"]["RouteTableId"]
    subnet = subnets_of(estate)[-1]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    to_the_internet(estate, table, DestinationIpv6CidrBlock="::/0")
    found = estate.judged("cluster_subnets_private", arn)
    assert found.compliance is NON_COMPLIANT
    assert f"{subnet} (by {table})" in found.annotation


@pytest.mark.parametrize(("kind", "make"), [("cluster", cluster), ("instance", instance)], ids=WORDS[:2])
def test_the_default_network_acl_is_no_wall_and_one_with_entries_is(
    estate: Estate, kind: str, make: Any
) -> None:
    control = f"{kind}_network_acl_closed"
    arn = make(estate, "orders", group(estate, "databases"))
    found = estate.judged(control, arn)
    assert found.compliance is NON_COMPLIANT
    planned = estate.planned(control, arn)
    assert isinstance(planned, Manual)

    ec2 = estate.client("ec2")
    [acl] = ec2.describe_network_acls()["NetworkAcls"]
    assert acl["NetworkAclId"] in planned.steps[0]
    ec2.create_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"],
        RuleNumber=90,
        Protocol="6",
        PortRange={"From": 5000, "To": 6000},
        RuleAction="deny",
        CidrBlock="0.0.0.0/0",
        Egress=False,
    )
    assert estate.judged(control, arn).compliance is COMPLIANT


# --- the account ------------------------------------------------------------------------------------------


@pytest.fixture
def account(estate: Estate) -> Estate:
    """The account with a database, without which there is nothing to judge."""
    cluster(estate, "orders")
    return estate


CONNECT = "account_iam_database_connect_restricted"
ACCOUNT = "arn:aws:iam::123456789012:root"
ANY_USER = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/*"


def document(resource: str, action: str = "rds-db:connect") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_there_is_one_account(account: Estate) -> None:
    [found] = account.reader(bulk=True).list(ResourceType.ACCOUNT, ())
    assert found.ref.arn == ACCOUNT
    assert found.home == "eu-west-1"
    assert account.reader().read(found.ref, ()).facts["Account"] == "123456789012"


def test_policies_that_somebody_has_are_read_from_users_groups_roles_and_managed_ones(
    account: Estate,
) -> None:
    iam = account.client("iam")
    assert account.judged(CONNECT, ACCOUNT).compliance is COMPLIANT
    # Nobody has this one yet.
    made = iam.create_policy(PolicyName="logins", PolicyDocument=document("*", "rds-db:*"))["Policy"]["Arn"]
    assert account.judged(CONNECT, ACCOUNT).compliance is COMPLIANT
    iam.create_group(GroupName="developers")
    iam.attach_group_policy(GroupName="developers", PolicyArn=made)
    found = account.judged(CONNECT, ACCOUNT)
    assert found.compliance is NON_COMPLIANT
    assert (
        f"the policy {made}, whose statement 1 lets group/developers log in as any user" in found.annotation
    )
    # A policy that serves as a boundary grants nothing, and an old version of a policy says nothing any more.
    iam.create_policy_version(PolicyArn=made, PolicyDocument=document("*", "s3:GetObject"), SetAsDefault=True)
    assert account.judged(CONNECT, ACCOUNT).compliance is COMPLIANT


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies_are_shown_by_a_command_of_their_own(account: Estate, kind: str) -> None:
    iam = account.client("iam")
    name = {f"{kind.title()}Name": "reports"}
    more = {"AssumeRolePolicyDocument": document("*", "sts:AssumeRole")} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**name, **more, Path="/teams/")
    put = getattr(iam, f"put_{kind}_policy")
    put(**name, PolicyName="connect", PolicyDocument=document(ANY_USER))
    found = account.judged(CONNECT, ACCOUNT)
    assert found.compliance is NON_COMPLIANT
    assert f"connect of {kind}/teams/reports" in found.annotation
    planned = account.planned(CONNECT, ACCOUNT)
    assert isinstance(planned, Manual)
    assert planned.steps == (
        f"aws iam get-{kind}-policy --{kind}-name reports --policy-name connect --region eu-west-1",
    )
    approved = [f"connect of {kind}/teams/reports"]
    assert account.judged(CONNECT, ACCOUNT, approved_policies=approved).compliance is COMPLIANT


def test_administrators_count_where_the_policy_says_so(account: Estate) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="root-like")
    iam.put_user_policy(UserName="root-like", PolicyName="all", PolicyDocument=document("*", "*"))
    assert account.judged(CONNECT, ACCOUNT).compliance is COMPLIANT
    counted = account.judged(CONNECT, ACCOUNT, include_administrators=True)
    assert counted.compliance is NON_COMPLIANT
