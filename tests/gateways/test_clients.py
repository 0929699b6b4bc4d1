"""Clients are made in less time than botocore takes, and are the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.handlers import BUILTIN_HANDLERS
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session

from warden.gateways.clients import OPERATIONS, _Files, _Loader, _session

if TYPE_CHECKING:
    from pathlib import Path

_MADE = ("creating-client-class", "getattr", "needs-retry", "before-send", "response-received", "after-call")
"""Events that botocore makes of a service or an operation, with those that its own handlers wait for."""


def emitter() -> Any:
    return _session(None, None).get_component("event_emitter")


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_every_event_of_what_is_called_has_the_name_that_botocore_gives_it(service: str) -> None:
    model = Session().get_service_model(service)
    ours, theirs = emitter(), EventAliaser(HierarchicalEmitter())
    assert len(ours._event_aliases) < len(theirs._event_aliases), "botocore keeps them elsewhere now"
    kinds = {event.partition(".")[0] for event, *_ in BUILTIN_HANDLERS}.union(_MADE)
    of = {service, model.service_id.hyphenize(), model.endpoint_prefix, model.signing_name}
    names = [
        f"{kind}.{name}{rest}"
        for kind in kinds
        for name in of
        for operation in OPERATIONS[service]
        for rest in ("", f".{operation}", f".{xform_name(operation)}")
    ]
    assert [ours._alias_event_name(name) for name in names] == [theirs._alias_event_name(n) for n in names]


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_a_model_is_read_as_botocore_reads_it_in_the_same_order(service: str) -> None:
    for kind in ("service-2", "endpoint-rule-set-1"):
        ours, theirs = (loader.load_service_model(service, kind) for loader in (_Loader(), Loader()))
        assert json.dumps(ours) == json.dumps(theirs)


def test_a_file_is_read_as_botocore_reads_it_whether_it_is_compressed_or_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "endpoints")
    assert _Files().load_file(path) is None
    (tmp_path / "endpoints.json").write_text('{"b": {"\N{SNOWMAN}": [1]}, "a": null}', encoding="utf-8")
    found = _Files().load_file(path)
    assert list(found.items()) == list(JSONFileLoader().load_file(path).items())
    assert type(found) is dict, "the plain one, which is read in half the time"
    (tmp_path / "endpoints.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="Expecting"):
        _Files().load_file(path)
