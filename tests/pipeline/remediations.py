"""Worlds in which a remediation is due, and what may happen while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.world import ALICE, PROTECTION, REMEDIATE_ALL, TLS, World

if TYPE_CHECKING:
    from warden.core.resource import ResourceRef

TLS_TOO = REMEDIATE_ALL.replace("[allow]\n", '[allow]\ndisruption = ["small_tls"]\n')


def drifted(policy: str = REMEDIATE_ALL, **members) -> tuple[World, ResourceRef]:
    """A cluster whose drift is decided and in the queue."""
    world = World(policy)
    ref = world.cluster(**(members or {"DeletionProtection": False}))
    world.look(ref, principal=ALICE)
    assert len(world.queues.remediations) == 1
    return world, ref


def two_calls() -> tuple[World, ResourceRef]:
    """A cluster that takes a ModifyDBCluster and then a ModifyDBClusterParameterGroup."""
    world = World(TLS_TOO)
    ref = world.cluster(DeletionProtection=False)
    world.without_tls()
    world.look(ref)
    assert world.queues.remediations[0].controls == (PROTECTION, TLS)
    return world, ref


def between(
    world: World, method: str, action, *, port: str = "writer", after: int = 1, instead: bool = False
) -> None:
    """Do something immediately after the n-th call of a method of a port, or instead of it."""
    calls = [0]

    class Hook:
        def __init__(self, wrapped):
            self._wrapped = wrapped

        def __getattr__(self, name):
            attribute = getattr(self._wrapped, name)
            if name != method:
                return attribute

            def call(*args, **kwargs):
                if calls[0] == after - 1 and instead:
                    calls[0] += 1
                    return action()
                answer = attribute(*args, **kwargs)
                calls[0] += 1
                if calls[0] == after and not instead:
                    action()
                return answer

            return call

    world.wrap = lambda name, wrapped: Hook(wrapped) if name == port else wrapped


def failing(error: Exception):
    def action():
        raise error

    return action


def operations(world: World) -> list[str]:
    return [call.operation for call in world.aws.calls]


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(entry["control"], entry["after"]["status"]) for entry in world.ledger.of_kind("outcome")]
