"""AWS on this machine: moto in this process, corrected, with clients that cost nothing to ask for again."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from threading import RLock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import boto3
import botocore.loaders
import moto.core.errors
import moto.core.responses
import moto.kms.models
import moto.rds.models
import moto.secretsmanager.models
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber
from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.models.amis import AmiBackend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.rds.responses import RDSResponse

from console.local import (
    alarms,
    backup,
    detection,
    insights,
    keys_and_secrets,
    lookups,
    network_filters,
    ticket_sinks,
    witness,
)
from console.local.calls import LISTENERS, STATUS_OF, EveryCode, Faults, RecordedCall, Recorder
from console.local.events import Emit, Event, Trail
from console.local.identity import ACCOUNT_ID, DEFAULT_IDENTITY, UserIdentity, current_identity
from console.local.rds.catalogue import PATCHES
from console.local.rds.controls import RdsControls
from console.local.rds.endpoint import Endpoint
from console.local.rds.registry import Patch, Patches
from console.local.rds.state import Clock, Lifecycle, SystemClock, World
from warden.gateways import clients, pace, together

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_PASSWORD = "secret"  # noqa: S105 - the local AWS checks no signature
_ENVIRONMENT_WITHOUT = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN")
_CLIENTS: dict[tuple[str, str, int], Any] = {}
_SESSIONS: list[boto3.Session] = []
_LOADERS: dict[str, Any] = {}
_PRIVATE_KEYS: dict[str, Any] = {}
_MAKE_PRIVATE_KEY = moto.kms.models.generate_private_key
_CREATE_LOADER = botocore.loaders.create_loader
_WARDENS_LOADER: Any = clients._Loader  # noqa: SLF001 - as a function has it, which makes one session and no more
_METHOD_NAMES = moto.core.responses.method_names_from_class


def _shared_loader(search_path_string: str | None = None) -> Any:
    """Give every session of this process one loader of service models, which are slow to read."""
    key = search_path_string or ""
    if key not in _LOADERS:
        loader = _CREATE_LOADER(search_path_string)
        _LOADERS[key] = (loader, list(loader.search_paths))
    loader, paths = _LOADERS[key]
    loader.search_paths[:] = paths  # boto3 appends its own path for each session
    return loader


@cache
def _wardens_loader() -> Any:
    """Give every session that Warden makes in this process one loader, too."""
    return _WARDENS_LOADER()


@cache
def _method_names(of: type) -> list[str]:
    """List a class's methods once; moto does so for each request."""
    names: list[str] = _METHOD_NAMES(of)
    return names


def _private_key(key_spec: str) -> Any:
    """Make a private key once for each kind: moto makes one for symmetric keys, too, which takes longer than a test."""
    if key_spec not in _PRIVATE_KEYS:
        _PRIVATE_KEYS[key_spec] = _MAKE_PRIVATE_KEY(key_spec)
    return _PRIVATE_KEYS[key_spec]


def _no_machine_images(_: Any) -> None:
    """Spare every new account the reading of machine images, which take longer than most tests."""


class _Moto(MockAWS):  # type: ignore[misc] # moto has no types
    """Moto without its hold on the `requests` library, which nothing here uses and which takes longest."""

    def reset(self) -> None:
        """Empty the account."""
        BackendDict.reset()
        reset_model_data()

    def _enable_patching(self, reset: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's signature
        botocore_stubber.enabled = True
        if reset:
            self.reset()

    def _disable_patching(self, remove_data: bool) -> None:  # noqa: FBT001 - moto's signature
        botocore_stubber.enabled = False
        if remove_data:
            self.reset()


class Server(AbstractContextManager["Server"]):
    """The same AWS as an HTTP endpoint, for callers in other processes."""

    def __init__(self, port: int) -> None:
        """Listen on this machine alone; port 0 takes a free one."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        self._server.start()
        host, bound = self._server.get_host_and_port()
        self.port = bound
        self.url = f"http://{host}:{bound}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()

    def __exit__(self, *_: object) -> None:
        """Stop listening at the end of the block."""
        self.stop()


class LocalAws(AbstractContextManager["LocalAws"]):
    """An AWS account that lives as long as the block; its clock, events, refusals and calls are at hand."""

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        clock: Clock | None = None,
        emit: Emit | None = None,
        lifecycle: Lifecycle | None = None,
        record_calls: bool = True,
    ) -> None:
        """Set the account up; nothing happens before the block begins."""
        self.region = region
        self.account = ACCOUNT_ID
        self.clock: Clock = clock or SystemClock()
        self.faults = Faults()
        self._recorder = Recorder()
        self._recorder.enabled = record_calls
        self._trail = Trail(self.clock, emit)
        self._world = World(
            clock=self.clock, announce=self._trail.announce, lifecycle=lifecycle or Lifecycle()
        )
        self.rds = RdsControls(self._world, region)
        self._endpoint = Endpoint(
            world=self._world, trail=self._trail, faults=self.faults, recorder=self._recorder
        )
        self._identities: dict[str, UserIdentity] = {}
        self._patches = Patches()
        self._environment: dict[str, str | None] = {}
        self._lock = RLock()
        self._mock = _Moto(config={"core": {**default_user_config["core"], "reset_boto3_session": False}})

    # ---- life ------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Begin: fake credentials, moto, then the corrections."""
        self._set_environment()
        self._mock.start()
        others = (
            alarms,
            backup,
            detection,
            insights,
            keys_and_secrets,
            lookups,
            network_filters,
            ticket_sinks,
        )
        more = (patch for module in others for patch in module.PATCHES)
        self._patches.apply((*PATCHES, *more, *self._own_patches()))
        LISTENERS.recorders.append(self._recorder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: moto gets its own code back, and the process its environment."""
        LISTENERS.recorders.remove(self._recorder)
        self._mock.stop()
        self._patches.revert()
        self._restore_environment()

    def reset(self) -> None:
        """Empty the account: resources, plans, events, calls and refusals."""
        self._mock.reset()
        self._world.agenda.clear()
        self._world.told.clear()
        self._trail.clear()
        self.faults.clear()
        self._recorder.calls.clear()

    # ---- callers ---------------------------------------------------------------------------------------

    def client(self, service: str, region: str | None = None, *, attempts: int = 1) -> Any:
        """Give a boto3 client; asked again, the same one, also by the next account of this process.

        `attempts` is how often botocore tries: once, so that an injected refusal comes through at once.
        """
        key = (service, region or self.region, attempts)
        if key not in _CLIENTS:
            if not _SESSIONS:
                _SESSIONS.append(
                    boto3.Session(aws_access_key_id="LOCALAWSLOCALAWSLOCA", aws_secret_access_key=_PASSWORD)
                )
            _CLIENTS[key] = _SESSIONS[0].client(
                service,  # type: ignore[call-overload] # any service of moto's
                region_name=key[1],
                config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
            )
        return _CLIENTS[key]

    def credentials(self, identity: UserIdentity) -> dict[str, str]:
        """Give a caller in another process environment variables by which it will be known."""
        self._identities[identity.access_key_id] = identity
        return {
            "AWS_ACCESS_KEY_ID": identity.access_key_id,
            "AWS_SECRET_ACCESS_KEY": _PASSWORD,
            "AWS_DEFAULT_REGION": self.region,
        }

    def serve(self, port: int = 0) -> Server:
        """Open this account over HTTP; use the result as a block, or stop it."""
        return Server(port)

    # ---- what happened ---------------------------------------------------------------------------------

    @property
    def calls(self) -> list[RecordedCall]:
        """The API calls made so far, of all services."""
        return self._recorder.calls

    @property
    def record_calls(self) -> bool:
        """Whether calls are being recorded."""
        return self._recorder.enabled

    @record_calls.setter
    def record_calls(self, enabled: bool) -> None:
        self._recorder.enabled = enabled

    @property
    def events(self) -> list[Event]:
        """The events sent so far, in order."""
        return self._trail.events

    @property
    def emit(self) -> Emit | None:
        """Where events go besides `events`."""
        return self._trail.emit

    @emit.setter
    def emit(self, emit: Emit | None) -> None:
        self._trail.emit = emit

    # ---- inside ----------------------------------------------------------------------------------------

    def _own_patches(self) -> tuple[Patch, ...]:
        def naive_now() -> datetime:
            return self.clock.now().astimezone(UTC).replace(tzinfo=None)

        return (
            Patch(target=BaseResponse, attribute="_dispatch", replacement=self._dispatcher()),
            Patch(target=moto.rds.models, attribute="utcnow", replacement=naive_now),
            # When secrets were made and rotated: moto asks the machine's clock.
            Patch(
                target=moto.secretsmanager.models,
                attribute="time",
                replacement=SimpleNamespace(time=lambda: self.clock.now().timestamp()),
            ),
            Patch(target=backup, attribute="now", replacement=self.clock.now),
            Patch(target=ticket_sinks, attribute="now", replacement=self.clock.now),
            Patch(target=pace, attribute="paced", replacement=False),
            # Answers come from this process, and moto is not made for several at a time.
            Patch(target=together, attribute="threads", replacement=1),
            Patch(target=lookups, attribute="recorded", replacement=lambda: self._trail.events),
            Patch(
                target=moto.core.errors,
                attribute="COMMON_ERROR_CODES",
                replacement=EveryCode(moto.core.errors.COMMON_ERROR_CODES),
            ),
            Patch(target=botocore.loaders, attribute="create_loader", replacement=_shared_loader),
            Patch(target=clients, attribute="_Loader", replacement=_wardens_loader),
            Patch(target=moto.core.responses, attribute="method_names_from_class", replacement=_method_names),
            Patch(target=AmiBackend, attribute="_load_amis", replacement=_no_machine_images),
            Patch(target=moto.kms.models, attribute="generate_private_key", replacement=_private_key),
        )

    def _dispatcher(self) -> Callable[..., Any]:
        """Make the method that every request to every service of moto's passes through."""

        def dispatch(response: Any, request: Any, full_url: Any = None, headers: Any = None) -> Any:
            with self._lock:
                response.setup_class(request, full_url, headers)
                identity = self._caller(response)
                if isinstance(response, RDSResponse):
                    return self._endpoint.answer(response, identity)
                service = str(response.boto3_service_name)
                operation = str(response._get_action())  # noqa: SLF001 - moto names the operation nowhere else
                refusal = self.faults.take(service, operation, identity)
                if refusal is None:
                    wire = response.call_action()
                else:
                    status, answer_headers, body = response.serialized(ActionResult(refusal))
                    wire = (STATUS_OF.get(refusal.code, status), answer_headers, body)
                wire = witness.with_an_id(service, wire)
                if witness.is_told(service, operation, region=self.region):
                    self._trail.tell(witness.record_of(response, operation, wire, identity))
                return wire

        return dispatch

    def _caller(self, response: Any) -> UserIdentity:
        """Say who calls: whoever acts in this context, else the owner of the access key."""
        in_context = current_identity()
        if in_context is not None:
            return in_context
        return self._identities.get(response.get_access_key(), DEFAULT_IDENTITY)

    def _set_environment(self) -> None:
        wanted: dict[str, str | None] = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        wanted |= dict.fromkeys(_ENVIRONMENT_WITHOUT)
        for name, value in wanted.items():
            self._environment[name] = os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def _restore_environment(self) -> None:
        for name, value in self._environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self._environment.clear()
