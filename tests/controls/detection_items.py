"""What watches over the databases of `items`: log groups, subscriptions, trails, GuardDuty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/everything"
SIEM = f"arn:aws:logs:{REGION}:210987654321:destination:siem"
_NAME = "/aws/rds/cluster/orders/postgresql"

LOG_GROUP: Mapping[str, Any] = {
    "logGroupName": _NAME,
    "creationTime": 1772440200000,
    "retentionInDays": 400,
    "metricFilterCount": 0,
    "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{_NAME}:*",
    "logGroupArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{_NAME}",
    "storedBytes": 73400320,
    "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
    "logGroupClass": "STANDARD",
}

OF_A_LOG_GROUP: Mapping[str, Any] = {
    Need.SUBSCRIPTION_FILTERS: [
        {
            "filterName": "siem",
            "logGroupName": _NAME,
            "filterPattern": "",
            "destinationArn": SIEM,
            "distribution": "ByLogStream",
            "creationTime": 1772440200000,
        }
    ],
    Need.SUBSCRIPTION_POLICIES: [],
}

OF_THE_ACCOUNT: Mapping[str, Any] = {
    Need.DELETIONS: [],
    Need.EVENT_SUBSCRIPTIONS: [
        {
            "CustomerAwsId": ACCOUNT,
            "CustSubscriptionId": "everything",
            "SnsTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:databases",
            "Status": "active",
            "Enabled": True,
            "EventSubscriptionArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:es:everything",
        }
    ],
    Need.TRAILS: [
        {
            "Name": "everything",
            "TrailARN": TRAIL,
            "HomeRegion": REGION,
            "IsMultiRegionTrail": True,
            "LogFileValidationEnabled": True,
            "IsLogging": True,
            "EventSelectors": [
                {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}
            ],
            "AdvancedEventSelectors": [],
        }
    ],
    Need.DETECTORS: [
        {
            "DetectorId": "12abc34d567e8fa901bc2d34e56789f0",
            "Status": "ENABLED",
            "Features": [{"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}],
        }
    ],
    Need.GUARDDUTY_ADMINISTRATOR: None,
}
