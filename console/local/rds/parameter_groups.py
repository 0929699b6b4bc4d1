"""Parameter groups: default groups, the families' full lists, and what AWS lets nobody change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import DBClusterParameterGroup, DBParameterGroup

from console.local.rds import engines
from console.local.rds.call import Call, conflicting, invalid, named, refuse, tag_list
from console.local.rds.parameters import Definition, definitions
from console.local.rds.registry import Correction, Topic
from console.local.rds.releases import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = ("engine-default", "system", "user")


def is_default(name: str) -> bool:
    """Say whether a name is that of a default group."""
    return name.startswith("default.")


def default_name(engine: str, version: str) -> str:
    """Name the default group of a version."""
    return f"default.{engines.family_of(engine, version)}"


def _default_family(call: Call, name: str) -> str | None:
    family = name.removeprefix("default.")
    is_known = call.world.lenient or family in engines.families() or family.startswith("neptune")
    return family if is_default(name) and is_known else None


def cluster_group(call: Call, name: str) -> Any:
    """Find a cluster parameter group; default groups come into being when first asked for."""
    key = named(name)
    groups = call.backend.db_cluster_parameter_groups
    if key not in groups:
        family = _default_family(call, key)
        if family is None:
            refuse("DBParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}")
        groups[key] = DBClusterParameterGroup(
            backend=call.backend,
            db_cluster_parameter_group_name=key,
            description=f"Default cluster parameter group for {family}",
            db_parameter_group_family=family,
        )
    return groups[key]


def instance_group(call: Call, name: str) -> Any:
    """Find a DB parameter group; default groups come into being when first asked for."""
    key = named(name)
    groups = call.backend.db_parameter_groups
    if key not in groups:
        family = _default_family(call, key)
        if family is None:
            refuse("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}")
        groups[key] = DBParameterGroup(
            backend=call.backend,
            db_parameter_group_name=key,
            description=f"Default parameter group for {family}",
            db_parameter_group_family=family,
        )
    return groups[key]


def attachable_cluster_group(call: Call, name: str, engine: str, version: str) -> Any:
    """Find a group for a cluster, or refuse one that is missing or of another family."""
    key = named(name)
    if key not in call.backend.db_cluster_parameter_groups and _default_family(call, key) is None:
        refuse("DBClusterParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}")
    group = cluster_group(call, name)
    family = engines.family_of(engine, version)
    if engines.has_versions(engine) and group.db_parameter_group_family != family:
        conflicting(
            f"The Parameter Group {group.name} with DBParameterGroupFamily {group.db_parameter_group_family}"
            f" cannot be used for this cluster. Please use a Parameter Group with DBParameterGroupFamily {family}"
        )
    return group


def attachable_instance_group(call: Call, name: str, engine: str, version: str) -> Any:
    """Find a group for an instance, or refuse one that is missing or of another family."""
    group = instance_group(call, name)
    family = engines.family_of(engine, version)
    if engines.has_versions(engine) and group.family != family:
        conflicting(
            f"The Parameter Group {group.name} with DBParameterGroupFamily {group.family} cannot be used for"
            f" this instance. Please use a Parameter Group with DBParameterGroupFamily {family}"
        )
    return group


def present_cluster_group(_: Call, group: Any) -> dict[str, Any]:
    """Render a DBClusterParameterGroup."""
    return {
        "DBClusterParameterGroupName": group.name,
        "DBParameterGroupFamily": group.db_parameter_group_family,
        "Description": group.description,
        "DBClusterParameterGroupArn": group.arn,
    }


def present_instance_group(_: Call, group: Any) -> dict[str, Any]:
    """Render a DBParameterGroup."""
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": group.arn,
    }


def known(group: Any) -> dict[str, Definition]:
    """List a group's parameters by name."""
    is_cluster = isinstance(group, DBClusterParameterGroup)
    family = group.db_parameter_group_family if is_cluster else group.family
    return definitions(family, cluster=is_cluster)


def _items(group: Any) -> Iterator[dict[str, Any]]:
    is_cluster = isinstance(group, DBClusterParameterGroup)
    family = group.db_parameter_group_family if is_cluster else group.family
    first = next((one.version for one in engines.versions() if one.family == family), None)
    for name, definition in known(group).items():
        mine = group.parameters.get(name)
        if mine is None:
            item = definition.item()
        else:
            item = definition.item(value=mine["ParameterValue"], method=mine["ApplyMethod"])
        if is_cluster:
            item["SupportedEngineModes"] = ["provisioned"]
        if first is not None:
            item["MinimumEngineVersion"] = first
        yield item


def _selected(call: Call, group: Any) -> list[dict[str, Any]]:
    source = call.get("Source")
    if source is not None and source not in _SOURCES:
        invalid(f"Invalid source: {source}. Valid values are: {', '.join(_SOURCES)}")
    items = [item for item in _items(group) if source is None or item["Source"] == source]
    for condition in call.get("Filters", []):
        if condition["Name"] != "parameter-name":
            invalid(f"Unrecognized filter name: {condition['Name']}")
        items = [item for item in items if item["ParameterName"] in condition["Values"]]
    return items


def describe_cluster_parameters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterParameters."""
    return {"Parameters": _selected(call, cluster_group(call, call["DBClusterParameterGroupName"]))}


def describe_instance_parameters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBParameters."""
    return {"Parameters": _selected(call, instance_group(call, call["DBParameterGroupName"]))}


def _describe_defaults(call: Call, *, cluster: bool) -> dict[str, Any]:
    family = call["DBParameterGroupFamily"]
    defaults = definitions(family, cluster=cluster)
    if not defaults:
        invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    return {
        "EngineDefaults": {
            "DBParameterGroupFamily": family,
            "Parameters": [one.item() for one in defaults.values()],
        }
    }


def describe_cluster_defaults(call: Call) -> dict[str, Any]:
    """Answer DescribeEngineDefaultClusterParameters."""
    return _describe_defaults(call, cluster=True)


def describe_instance_defaults(call: Call) -> dict[str, Any]:
    """Answer DescribeEngineDefaultParameters."""
    return _describe_defaults(call, cluster=False)


def describe_cluster_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterParameterGroups."""
    name = call.get("DBClusterParameterGroupName")
    groups = call.backend.db_cluster_parameter_groups
    found = [cluster_group(call, name)] if name else [groups[key] for key in sorted(groups)]
    return {"DBClusterParameterGroups": found}


def describe_instance_groups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBParameterGroups."""
    name = call.get("DBParameterGroupName")
    groups = call.backend.db_parameter_groups
    found = [instance_group(call, name)] if name else [groups[key] for key in sorted(groups)]
    return {"DBParameterGroups": found}


def _check_new_group(call: Call, name: str, parameter: str, family: str) -> None:
    check_name(name, parameter)
    engine_has_versions = any(family.startswith(engine) for engine in DEFAULTS)
    if engine_has_versions and family not in engines.families():
        invalid(f"ParameterGroupFamily {family} is not a valid parameter group family")
    if not call.get("Description"):
        invalid("The parameter Description must be provided and must not be blank.")


def check_name(name: str, parameter: str) -> None:
    """Refuse the names of default groups, which are no identifiers."""
    if is_default(name):
        invalid(
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must"
            " contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two"
            " consecutive hyphens."
        )


def create_cluster_group(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterParameterGroup."""
    name = call["DBClusterParameterGroupName"].lower()
    _check_new_group(call, name, "DBClusterParameterGroupName", call["DBParameterGroupFamily"])
    group = call.backend.create_db_cluster_parameter_group(
        name, call["DBParameterGroupFamily"], call["Description"], tag_list(call.get("Tags"))
    )
    return {"DBClusterParameterGroup": group}


def create_instance_group(call: Call) -> dict[str, Any]:
    """Answer CreateDBParameterGroup."""
    name = call["DBParameterGroupName"].lower()
    _check_new_group(call, name, "DBParameterGroupName", call["DBParameterGroupFamily"])
    group = call.backend.create_db_parameter_group(
        {
            "db_parameter_group_name": name,
            "db_parameter_group_family": call["DBParameterGroupFamily"],
            "description": call["Description"],
            "tags": tag_list(call.get("Tags")),
        }
    )
    return {"DBParameterGroup": group}


def copy_cluster_group(call: Call) -> dict[str, Any]:
    """Answer CopyDBClusterParameterGroup."""
    source = cluster_group(call, call["SourceDBClusterParameterGroupIdentifier"])
    _refuse_default(source, "copied")
    name = call["TargetDBClusterParameterGroupIdentifier"].lower()
    check_name(name, "TargetDBClusterParameterGroupIdentifier")
    group = call.backend.create_db_cluster_parameter_group(
        name,
        source.db_parameter_group_family,
        call["TargetDBClusterParameterGroupDescription"],
        tag_list(call.get("Tags")),
    )
    group.parameters = {key: dict(value) for key, value in source.parameters.items()}
    return {"DBClusterParameterGroup": group}


def copy_instance_group(call: Call) -> dict[str, Any]:
    """Answer CopyDBParameterGroup."""
    source = instance_group(call, call["SourceDBParameterGroupIdentifier"])
    _refuse_default(source, "copied")
    name = call["TargetDBParameterGroupIdentifier"].lower()
    check_name(name, "TargetDBParameterGroupIdentifier")
    group = call.backend.create_db_parameter_group(
        {
            "db_parameter_group_name": name,
            "db_parameter_group_family": source.family,
            "description": call["TargetDBParameterGroupDescription"],
            "tags": tag_list(call.get("Tags")),
        }
    )
    group.parameters = {key: dict(value) for key, value in source.parameters.items()}
    return {"DBParameterGroup": group}


def _refuse_default(group: Any, participle: str) -> None:
    if is_default(group.name):
        invalid(f"The default parameter group {group.name} cannot be {participle}.")


def users(call: Call, group: Any) -> list[Any]:
    """List the clusters or instances that a group is attached to."""
    if isinstance(group, DBClusterParameterGroup):
        return [one for one in call.backend.clusters.values() if one.parameter_group.lower() == group.name]
    return [
        one
        for one in call.backend.databases.values()
        if (one.db_parameter_group_name or default_name(one.engine, one.engine_version)).lower() == group.name
    ]


def _delete(call: Call, group: Any, groups: Any) -> dict[str, Any]:
    _refuse_default(group, "deleted")
    if users(call, group):
        refuse(
            "InvalidDBParameterGroupState", "One or more database instances are still members of this group."
        )
    del groups[group.name]
    return {}


def delete_cluster_group(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterParameterGroup."""
    group = cluster_group(call, call["DBClusterParameterGroupName"])
    return _delete(call, group, call.backend.db_cluster_parameter_groups)


def delete_instance_group(call: Call) -> dict[str, Any]:
    """Answer DeleteDBParameterGroup."""
    group = instance_group(call, call["DBParameterGroupName"])
    return _delete(call, group, call.backend.db_parameter_groups)


_C = "DBClusterParameterGroup"
TOPIC = Topic(
    name="parameter_groups",
    operations={
        "DescribeDBClusterParameters": describe_cluster_parameters,
        "DescribeDBParameters": describe_instance_parameters,
        "DescribeEngineDefaultClusterParameters": describe_cluster_defaults,
        "DescribeEngineDefaultParameters": describe_instance_defaults,
        "DescribeDBClusterParameterGroups": describe_cluster_groups,
        "DescribeDBParameterGroups": describe_instance_groups,
        "CreateDBClusterParameterGroup": create_cluster_group,
        "CreateDBParameterGroup": create_instance_group,
        "CopyDBClusterParameterGroup": copy_cluster_group,
        "CopyDBParameterGroup": copy_instance_group,
        "DeleteDBClusterParameterGroup": delete_cluster_group,
        "DeleteDBParameterGroup": delete_instance_group,
    },
    presenters={_C: present_cluster_group, "DBParameterGroup": present_instance_group},
    corrections=(
        Correction(
            name="parameter-lists",
            why="moto lists only what somebody set; AWS lists every parameter of the family, with its source",
            reference="DescribeDBClusterParameters",
            words="Returns the detailed parameter list for a particular DB cluster parameter group.",
        ),
        Correction(
            name="parameter-source-filter",
            why="moto ignores Source, so an override cannot be told from a default",
            reference="DescribeDBClusterParametersMessage.Source",
            words="A specific source to return parameters for.",
        ),
        Correction(
            name="parameter-name-filter",
            why="moto ignores Filters",
            reference="DescribeDBClusterParametersMessage.Filters",
            words="The only supported filter is parameter-name.",
        ),
        Correction(
            name="engine-default-parameters",
            why="moto does not know what an engine's parameters are before anybody changes them",
            reference="DescribeEngineDefaultClusterParameters",
            words="Returns the default engine and system parameter information for the cluster database engine.",
        ),
        Correction(
            name="default-groups-exist",
            why="moto names a default group in every cluster and finds none of them",
            reference="CreateDBClusterMessage.DBClusterParameterGroupName",
            words=(
                "If you don't specify a value, then the default DB cluster parameter group for the specified"
                " DB engine and version is used."
            ),
        ),
        Correction(
            name="default-groups-stay",
            why="moto lets a default group be changed",
            reference="CreateDBClusterParameterGroup",
            words=(
                "To provide custom values for any of the parameters, you must modify the group after creating"
                " it using ModifyDBClusterParameterGroup."
            ),
        ),
        Correction(
            name="default-groups-not-copied",
            why="moto copies a default group",
            reference="CopyDBClusterParameterGroup",
            words="You can't copy a default DB cluster parameter group.",
        ),
        Correction(
            name="default-groups-not-deleted",
            why="moto deletes a default group",
            reference="DeleteDBClusterParameterGroupMessage.DBClusterParameterGroupName",
            words="You can't delete a default DB cluster parameter group.",
        ),
        Correction(
            name="attached-groups-not-deleted",
            why="moto deletes a group under the clusters that use it",
            reference="DeleteDBClusterParameterGroupMessage.DBClusterParameterGroupName",
            words="Can't be associated with any DB clusters.",
        ),
        Correction(
            name="groups-match-the-family",
            why="moto attaches a group of any family to any engine",
            reference="CreateDBClusterParameterGroupMessage.DBParameterGroupFamily",
            words=(
                "can be applied only to a DB cluster running a database engine and engine version compatible"
                " with that DB cluster parameter group family."
            ),
        ),
    ),
)
