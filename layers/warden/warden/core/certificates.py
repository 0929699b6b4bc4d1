"""Server certificates: which authorities are approved, and which change of them restarts nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.kinds import Need

if TYPE_CHECKING:
    from warden.core.resource import Facts

CA_PATTERN = r"rds-ca-[a-z0-9-]+"
"""How AWS names its certificate authorities for databases."""


def supported(facts: Facts, authority: str) -> bool:
    """Whether this engine version takes certificates of the authority."""
    return authority in facts[Need.CERTIFICATE_ROTATION]["SupportedCACertificateIdentifiers"]


def rotates_without_restart(facts: Facts) -> bool:
    """Whether AWS says that this engine version changes its certificate while it runs."""
    return facts[Need.CERTIFICATE_ROTATION]["SupportsCertificateRotationWithoutRestart"] is True


@dataclass(frozen=True, slots=True)
class OtherAuthority:
    """For the write guard: another authority that the engine version takes, where no restart follows."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse what is no authority, the present one, an unsupported one, and any change that restarts."""
        if not isinstance(value, str) or not re.fullmatch(CA_PATTERN, value):
            return f"{value!r} is not the name of a certificate authority"
        if value == facts["CACertificateIdentifier"]:
            return f"{value!r} is the present certificate authority"
        if not supported(facts, value):
            return f"{value!r} is not supported by the engine version"
        return None if rotates_without_restart(facts) else f"a change to {value!r} restarts the database"
