"""What the tests of the local RDS share: the API reference, and databases to try things on."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from console.local.rds.catalogue import CORRECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = {correction.name for correction in CORRECTIONS}


def corrects(*names: str) -> Callable[[Any], Any]:
    """Tie a test to the corrections that it shows at work."""
    unknown = set(names) - _NAMES
    if unknown:
        raise ValueError(f"no such correction: {sorted(unknown)}")
    return lambda test: test


@cache
def _model() -> dict[str, Any]:
    loader = botocore.session.get_session().get_component("data_loader")
    model: dict[str, Any] = loader.load_service_model("rds", "service-2")
    return model


def plain(text: str) -> str:
    """Take the markup out of a documentation string."""
    inline = re.sub(r"</?(?:a|b|code|i)\b[^>]*>", "", text)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", inline))).strip()


def api_reference(place: str) -> str:
    """Read what botocore's copy of the API reference says at a place."""
    model = _model()
    shape, _, member = place.partition(".")
    if member:
        return plain(model["shapes"][shape]["members"][member]["documentation"])
    if shape in model["operations"]:
        return plain(model["operations"][shape]["documentation"])
    return plain(model["shapes"][shape]["documentation"])


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> str:
    """Make a call that AWS refuses with a code, and give its message."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return str(error["Message"])


def a_cluster(rds: Any, name: str = "orders", **settings: Any) -> dict[str, Any]:
    """Create a cluster and describe it."""
    rds.create_db_cluster(
        **{
            "DBClusterIdentifier": name,
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.6",
            "MasterUsername": "dbadmin",
            "MasterUserPassword": "correct-horse",
        }
        | settings
    )
    return the_cluster(rds, name)


def the_cluster(rds: Any, name: str = "orders") -> dict[str, Any]:
    """Describe a cluster."""
    found: dict[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return found


def a_member(rds: Any, name: str, cluster: str = "orders", **settings: Any) -> dict[str, Any]:
    """Add an instance to a cluster and describe it."""
    rds.create_db_instance(
        **{
            "DBInstanceIdentifier": name,
            "DBClusterIdentifier": cluster,
            "Engine": "aurora-postgresql",
            "DBInstanceClass": "db.r6g.large",
        }
        | settings
    )
    return the_instance(rds, name)


def an_instance(rds: Any, name: str = "reports", **settings: Any) -> dict[str, Any]:
    """Create a stand-alone instance and describe it."""
    rds.create_db_instance(
        **{
            "DBInstanceIdentifier": name,
            "Engine": "postgres",
            "EngineVersion": "16.6",
            "DBInstanceClass": "db.r6g.large",
            "AllocatedStorage": 20,
            "MasterUsername": "dbadmin",
            "MasterUserPassword": "correct-horse",
        }
        | settings
    )
    return the_instance(rds, name)


def the_instance(rds: Any, name: str) -> dict[str, Any]:
    """Describe an instance."""
    found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


def all_pages(operation: Callable[..., Any], key: str, **parameters: Any) -> list[dict[str, Any]]:
    """Read a list to its end, page by page."""
    found: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        answer = operation(**parameters, **marker)
        found += answer[key]
        if "Marker" not in answer:
            return found
        marker = {"Marker": answer["Marker"]}
