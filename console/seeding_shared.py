"""What databases share and lean on, put onto the local AWS under the id that an event names, drifted as far as may be.

AWS draws the ids of keys, groups and tables, so that nobody can ask for one: they are made as anybody makes them, and
given the wanted id in moto's own tables before anything refers to them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from warden.core.database_secrets import MANAGED_PREFIX
from warden.core.log_groups import source
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from console.local.stack import LocalStack

_ANYWHERE = "0.0.0.0/0"
_PORT = 5432
# "Secrets Manager automatically adds ... six random characters at the end of the secret ARN" (CreateSecret.Name).
_SECRET_END = re.compile(r"-[A-Za-z0-9]{6}$")
USER: Final = "seeded-user"
"""The name of the database that uses what is seeded."""


class SharedSeeder:
    """Makes one shared thing and a cluster that uses it."""

    def __init__(
        self, stack: LocalStack, cluster: Callable[..., str], instance: Callable[[str], str]
    ) -> None:
        """Seed with functions that make a cluster (its settings by name) and an instance, and return ARNs."""
        self._stack = stack
        self._cluster = cluster
        self._instance = instance
        self._users = 0

    @property
    def makers(self) -> Mapping[ResourceType, Callable[[str], str]]:
        """What makes each type: from its id to the name of what was made."""
        return {
            ResourceType.KMS_KEY: self._key,
            ResourceType.SECRET: self._secret,
            ResourceType.SECURITY_GROUP: self._security_group,
            ResourceType.LOG_GROUP: self._log_group,
            ResourceType.ACCOUNT: self._account,
            ResourceType.DB_SUBNET_GROUP: self._subnet_group,
            ResourceType.ROUTE_TABLE: self._route_table,
            ResourceType.NETWORK_ACL: self._network_acl,
            ResourceType.PREFIX_LIST: self._prefix_list,
        }

    def _use(self, **settings: Any) -> str:
        """Make a cluster that uses what was made."""
        self._users += 1
        return self._cluster(f"{USER}-{self._users}", **settings)

    def _backend(self, service: str) -> Any:
        return get_backend(service)[self._stack.aws.account][self._stack.region]

    @property
    def _ec2(self) -> Any:
        return self._stack.client("ec2")

    @property
    def _vpc(self) -> str:
        return str(self._ec2.describe_vpcs()["Vpcs"][0]["VpcId"])

    @property
    def _subnets(self) -> list[str]:
        return [subnet["SubnetId"] for subnet in self._ec2.describe_subnets()["Subnets"]]

    def _key(self, name: str) -> str:
        kms = self._stack.client("kms")
        made = kms.create_key(MultiRegion=name.startswith("mrk-"))["KeyMetadata"]["KeyId"]
        key = _renamed(self._backend("kms").keys, made, name)
        key.id, key.arn = name, key.arn.replace(made, name)
        return self._use(StorageEncrypted=True, KmsKeyId=key.arn)

    def _secret(self, name: str) -> str:
        secrets = self._backend("secretsmanager").secrets
        if name.startswith(MANAGED_PREFIX):
            arn = self._use(ManageMasterUserPassword=True)
            cluster = get_backend("rds")[self._stack.aws.account][self._stack.region].clusters[
                arn.rpartition(":")[2]
            ]
            secret = cluster.master_user_secret.secret
        else:
            client = self._stack.client("secretsmanager")
            made = client.create_secret(
                Name=_SECRET_END.sub("", name), SecretString='{"username": "steward"}'
            )
            secret = secrets[made["ARN"]]
        if _SECRET_END.search(name):
            secret.arn = f"{secret.arn.rpartition(':secret:')[0]}:secret:{name}"
        return str(secret.arn)

    def _security_group(self, name: str, **permission: Any) -> str:
        made = self._ec2.create_security_group(GroupName=name, Description="seeded", VpcId=self._vpc)[
            "GroupId"
        ]
        group = _renamed(self._backend("ec2").groups[self._vpc], made, name)
        group.id = group.group_id = name
        source_of = permission or {"IpRanges": [{"CidrIp": _ANYWHERE}]}
        self._ec2.authorize_security_group_ingress(
            GroupId=name,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": _PORT, "ToPort": _PORT, **source_of}],
        )
        self._use(VpcSecurityGroupIds=[name])
        return name

    def _log_group(self, name: str) -> str:
        found = source(name)
        if found is not None:
            make = {ResourceType.DB_CLUSTER: self._cluster, ResourceType.DB_INSTANCE: self._instance}
            make[found.resource_type](found.database)
        else:
            name = f"/aws/rds/cluster/{self._use().rpartition(':')[2]}/postgresql"
        self._stack.client("logs").create_log_group(logGroupName=name)
        return name

    def _account(self, name: str) -> str:
        """An account is judged for its databases: one is enough."""
        self._use()
        return name

    def _subnet_group(self, name: str) -> str:
        self._stack.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription="seeded", SubnetIds=self._subnets
        )
        self._use(DBSubnetGroupName=name)
        return name

    def _route_table(self, name: str) -> str:
        made = self._ec2.create_route_table(VpcId=self._vpc)["RouteTable"]["RouteTableId"]
        _renamed(self._backend("ec2").route_tables, made, name).id = name
        for subnet in self._subnets:
            self._ec2.associate_route_table(RouteTableId=name, SubnetId=subnet)
        gateway = self._ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self._ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self._vpc)
        self._ec2.create_route(RouteTableId=name, DestinationCidrBlock=_ANYWHERE, GatewayId=gateway)
        self._use()
        return name

    def _network_acl(self, name: str) -> str:
        made = self._ec2.create_network_acl(VpcId=self._vpc)["NetworkAcl"]["NetworkAclId"]
        _renamed(self._backend("ec2").network_acls, made, name).id = name
        for acl in self._ec2.describe_network_acls()["NetworkAcls"]:
            for association in acl["Associations"]:
                self._ec2.replace_network_acl_association(
                    AssociationId=association["NetworkAclAssociationId"], NetworkAclId=name
                )
        self._ec2.create_network_acl_entry(
            NetworkAclId=name,
            RuleNumber=100,
            Protocol="-1",
            RuleAction="allow",
            Egress=False,
            CidrBlock=_ANYWHERE,
        )
        self._use()
        return name

    def _prefix_list(self, name: str) -> str:
        made = self._ec2.create_managed_prefix_list(
            PrefixListName="seeded",
            MaxEntries=5,
            AddressFamily="IPv4",
            Entries=[{"Cidr": _ANYWHERE, "Description": "everybody"}],
        )["PrefixList"]["PrefixListId"]
        _renamed(self._backend("ec2").managed_prefix_lists, made, name).id = name
        self._security_group(f"sg-{name[3:]}", PrefixListIds=[{"PrefixListId": name}])
        return name


def _renamed(table: dict[str, Any], made: str, wanted: str) -> Any:
    """Move an entry of one of moto's tables to another id; returns it."""
    entry = table.pop(made)
    table[wanted] = entry
    return entry
