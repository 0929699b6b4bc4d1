"""What moto's KMS and Secrets Manager do unlike AWS, as far as Warden reads or writes it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.rds.models import MasterUserSecret
from moto.secretsmanager.models import SecretsManagerBackend

from console.local.rds.registry import Patch

if TYPE_CHECKING:
    from collections.abc import Callable

_ROTATE = SecretsManagerBackend.rotate_secret
_CREATE: Callable[..., Any] = vars(MasterUserSecret)["_create_secret"]
_CANCEL = SecretsManagerBackend.cancel_rotate_secret
_A_WEEK = 7


def _by_any_name(name: str) -> Patch:
    """Let an operation take a key's ARN: "Specify the key ID or key ARN of the KMS key"; moto knows the id alone."""
    original: Callable[..., Any] = vars(KmsBackend)[name]

    def replacement(self: Any, key_id: str, *more: Any, **named: Any) -> Any:
        return original(self, self.any_id_to_key_id(key_id), *more, **named)

    return Patch(target=KmsBackend, attribute=name, replacement=replacement)


def _cancel_key_deletion(self: Any, key_id: str) -> None:
    """Refuse what nobody scheduled; otherwise "the key state of the KMS key is Disabled" (CancelKeyDeletion)."""
    key = self.keys[self.any_id_to_key_id(key_id)]
    if key.key_state != "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    key.key_state, key.enabled, key.deletion_date = "Disabled", False, None


def _enable_key_rotation(self: Any, key_id: str) -> None:
    """Turn rotation on, of an enabled key alone: the errors of EnableKeyRotation say so."""
    key = self.keys[self.any_id_to_key_id(key_id)]
    if key.key_state != "Enabled":
        code = "DisabledException" if key.key_state == "Disabled" else "KMSInvalidStateException"
        raise JsonRESTError(code, f"{key.arn} is {key.key_state}.")
    key.key_rotation_status = True


def _rotate_secret(self: Any, secret_id: str, *more: Any, **named: Any) -> Any:
    """Set the schedule, and rotate nothing unless asked: moto makes a new version whatever RotateImmediately says.

    "Specifies whether to rotate the secret immediately or wait until the next scheduled rotation window"
    (RotateSecret.RotateImmediately). Where a function rotates, moto runs it, and its versions stay.
    """
    if named.get("rotate_immediately", True) or named.get("rotation_lambda_arn"):
        return _ROTATE(self, secret_id, *more, **named)
    secret = self.secrets[secret_id]
    kept = copy.deepcopy(secret.versions), secret.default_version_id, secret.last_rotation_date
    answer = _ROTATE(self, secret_id, *more, **named)
    secret.versions, secret.default_version_id, secret.last_rotation_date = kept
    return answer


def _create_managed_secret(self: Any, kms_key_id: str | None) -> Any:
    """Make the secret of a master user, with the rotation that RDS gives it: moto's has none.

    "By default, RDS rotates managed secrets every seven days" (Amazon RDS User Guide, "Password management with
    Amazon RDS and AWS Secrets Manager").
    """
    secret = _CREATE(self, kms_key_id)
    secret.rotation_requested = secret.rotation_enabled = True
    secret.auto_rotate_after_days = _A_WEEK
    secret.next_rotation_date = secret.created_date + _A_WEEK * 86_400
    return secret


def _cancel_rotation(self: Any, secret_id: str) -> str:
    """Turn rotation off, whoever rotates: moto wants a function of Lambda, which a managed secret has not.

    "Turns off automatic rotation, and if a rotation is currently in progress, cancels the rotation"
    (CancelRotateSecret).
    """
    secret = self.secrets[secret_id] if self._is_valid_identifier(secret_id) else None
    if secret is None or secret.owning_service is None:
        return str(_CANCEL(self, secret_id))
    secret.rotation_enabled, secret.next_rotation_date = False, None
    return str(secret.to_short_dict())


PATCHES: tuple[Patch, ...] = (
    Patch(target=MasterUserSecret, attribute="_create_secret", replacement=_create_managed_secret),
    Patch(target=SecretsManagerBackend, attribute="cancel_rotate_secret", replacement=_cancel_rotation),
    _by_any_name("disable_key"),
    _by_any_name("enable_key"),
    _by_any_name("schedule_key_deletion"),
    Patch(target=KmsBackend, attribute="cancel_key_deletion", replacement=_cancel_key_deletion),
    Patch(target=KmsBackend, attribute="enable_key_rotation", replacement=_enable_key_rotation),
    Patch(target=SecretsManagerBackend, attribute="rotate_secret", replacement=_rotate_secret),
)
