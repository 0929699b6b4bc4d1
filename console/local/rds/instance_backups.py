"""DescribeDBInstanceAutomatedBackups: what is kept of instances that are there, and of those that are gone."""

from __future__ import annotations

from typing import Any

from console.local.rds.call import Call, filtered, refuse
from console.local.rds.registry import Correction, Topic


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBInstanceAutomatedBackups: one item for each instance of which an automated snapshot is kept."""
    live = {one.dbi_resource_id for one in call.backend.databases.values()}
    kept = {
        one.dbi_resource_id: one
        for one in call.backend.database_snapshots.values()
        if one.snapshot_type == "automated"
    }
    name, resource_id = call.get("DBInstanceIdentifier"), call.get("DbiResourceId")
    found = [
        one
        for one in kept.values()
        if (name is None or one.db_instance_identifier == name.lower())
        and (resource_id is None or one.dbi_resource_id.lower() == resource_id.lower())
    ]
    if resource_id and not found:
        refuse("DBInstanceAutomatedBackupNotFound", f"DBInstanceAutomatedBackup {resource_id} not found.")

    def status(one: Any) -> str:
        return "active" if one.dbi_resource_id in live else "retained"

    found = filtered(
        call,
        found,
        {
            "status": lambda one: {status(one)},
            "db-instance-id": lambda one: {one.db_instance_identifier},
            "dbi-resource-id": lambda one: {one.dbi_resource_id},
        },
    )
    return {
        "DBInstanceAutomatedBackups": [
            {
                "DBInstanceArn": f"arn:aws:rds:{call.region}:{call.account}:db:{one.db_instance_identifier}",
                "DbiResourceId": one.dbi_resource_id,
                "DBInstanceIdentifier": one.db_instance_identifier,
                "Region": call.region,
                "Engine": one.engine,
                "Status": status(one),
            }
            for one in found
        ]
    }


TOPIC = Topic(
    name="instance-backups",
    operations={"DescribeDBInstanceAutomatedBackups": describe},
    corrections=(
        Correction(
            name="retained-instance-backups",
            why="moto names no immutable id, and filters by no status",
            reference="DBInstanceAutomatedBackup.DbiResourceId",
            words="The resource ID for the source DB instance, which can't be changed",
        ),
    ),
)
