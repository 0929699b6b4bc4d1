"""Ticket systems that keep state, speak their own dialects over TLS, and check each request against a specification."""

from fakes.trackers.server import Fault, Server, TrackerAnswer, TrackerRequest

__all__ = ["Fault", "Server", "TrackerAnswer", "TrackerRequest"]
