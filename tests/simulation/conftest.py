from __future__ import annotations

from stack.conftest import _clients_are_made_once, deploy, fresh_clients

__all__ = ["_clients_are_made_once", "deploy", "fresh_clients"]
