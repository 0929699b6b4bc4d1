"""What moto lacks of CloudWatch Logs, CloudTrail and GuardDuty, as far as Warden reads or writes it."""

from __future__ import annotations

import json
from typing import Any

from moto.cloudtrail.models import Trail
from moto.core.exceptions import JsonRESTError
from moto.guardduty.models import Detector
from moto.guardduty.responses import GuardDutyResponse
from moto.kms.models import kms_backends
from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

from console.local.rds.registry import Patch

_POLICIES = "warden_account_policies"


def _associate_kms_key(self: Any) -> str:
    """Associate a key with a log group.

    "If you attempt to associate a KMS key with a log group but the KMS key does not exist or the KMS key is
    disabled, you receive an InvalidParameterException error" (AssociateKmsKey). Whether the key's policy lets
    CloudWatch Logs use it is not looked at.
    """
    name, key = self._get_param("logGroupName"), self._get_param("kmsKeyId")
    groups = self.logs_backend.groups
    if name not in groups:
        raise ResourceNotFoundException
    keys = kms_backends[self.current_account][self.region].keys
    known = keys.get(str(key).rpartition("/")[2])
    if known is None or known.arn != key or not known.enabled:
        raise JsonRESTError(
            "InvalidParameterException", f"The specified KMS key does not exist or is not enabled: {key}"
        )
    groups[name].kms_key_id = key
    return ""


def _disassociate_kms_key(self: Any) -> str:
    """Let what comes from now on be encrypted "with the default CloudWatch Logs method" (DisassociateKmsKey)."""
    groups, name = self.logs_backend.groups, self._get_param("logGroupName")
    if name not in groups:
        raise ResourceNotFoundException
    groups[name].kms_key_id = None
    return ""


def _policies(response: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """The policies of the account, kept on moto's own backend, so that they go when it goes."""
    backend = response.logs_backend
    if not hasattr(backend, _POLICIES):
        setattr(backend, _POLICIES, {})
    found: dict[tuple[str, str], dict[str, Any]] = getattr(backend, _POLICIES)
    return found


def _put_account_policy(self: Any) -> str:
    """Keep a policy by its type and name, as PutAccountPolicy does."""
    names = ("policyName", "policyType", "policyDocument", "scope", "selectionCriteria")
    given = {name: value for name in names if (value := self._get_param(name)) is not None}
    policy = {"scope": "ALL", **given, "accountId": self.current_account}
    _policies(self)[policy["policyType"], policy["policyName"]] = policy
    return json.dumps({"accountPolicy": policy})


def _describe_account_policies(self: Any) -> str:
    """List the policies of a type."""
    wanted = self._get_param("policyType")
    found = [policy for (kind, _), policy in _policies(self).items() if kind == wanted]
    return json.dumps({"accountPolicies": found})


_update = Detector.update


def _update_features(
    self: Any,
    enable: Any,
    finding_publishing_frequency: Any,
    data_sources: Any,
    features: list[dict[str, Any]] | None,
) -> None:
    """Update the features that are given, and no others: moto would forget them."""
    if features is not None:
        given = {feature["name"]: feature for feature in features}
        kept = [feature for feature in self.features if feature["name"] not in given]
        features = [*kept, *given.values()]
    _update(self, enable, finding_publishing_frequency, data_sources, features)


def _administrator(self: Any) -> str:
    """Name the administrator in the members of AWS's answer: moto's begin with capitals, and nobody reads them."""
    backend = self.guardduty_backend
    backend.get_detector(self.path.split("/")[-2])
    accounts = backend.admin_account_ids
    found = {"accountId": accounts[0], "relationshipStatus": "Enabled"} if accounts else None
    return json.dumps({} if found is None else {"administrator": found})


def _selectors(self: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Select what a trail records.

    "By default, trails created without specific event selectors are configured to log all read and write
    management events" (PutEventSelectors), and that is what GetEventSelectors answers.
    """
    basic, advanced = self.event_selectors, self.advanced_event_selectors
    if not basic and not advanced:
        everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
        basic = [{**everything, "DataResources": [], "ExcludeManagementEventSources": []}]
    return basic, advanced


PATCHES = (
    Patch(target=GuardDutyResponse, attribute="get_administrator_account", replacement=_administrator),
    Patch(target=Trail, attribute="get_event_selectors", replacement=_selectors),
    Patch(target=LogsResponse, attribute="associate_kms_key", replacement=_associate_kms_key),
    Patch(target=LogsResponse, attribute="disassociate_kms_key", replacement=_disassociate_kms_key),
    Patch(target=LogsResponse, attribute="put_account_policy", replacement=_put_account_policy),
    Patch(target=LogsResponse, attribute="describe_account_policies", replacement=_describe_account_policies),
    Patch(target=Detector, attribute="update", replacement=_update_features),
)
