"""Server certificates: valid for a year, and renewed at half of it, as AWS does where nothing restarts for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

if TYPE_CHECKING:
    from console.local.rds.call import Call
    from console.local.rds.state import World

_LIFE = timedelta(days=365)
_RENEWED_AFTER = _LIFE / 2


def details(call: Call, instance: Any) -> dict[str, Any]:
    """Render a CertificateDetails: of the first certificate of the present authority, or of its last renewal."""
    issued = extras(instance).certified or instance.created
    renewals = max((call.naive_now() - issued) // _RENEWED_AFTER, 0)
    return {
        "CAIdentifier": instance.ca_certificate_identifier,
        "ValidTill": issued + renewals * _RENEWED_AFTER + _LIFE,
    }


def issue(world: World, instance: Any) -> None:
    """Give an instance a new certificate."""
    extras(instance).certified = world.now().replace(tzinfo=None)


TOPIC = Topic(
    name="certificates",
    corrections=(
        Correction(
            name="certificates-end",
            why="moto's certificates have no end, so none can be about to expire",
            reference="CertificateDetails.ValidTill",
            words="The expiration date of the DB instance’s server certificate.",  # noqa: RUF001 - AWS's apostrophe
        ),
    ),
)
