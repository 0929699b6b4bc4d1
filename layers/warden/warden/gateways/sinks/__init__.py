"""Ticket systems, a module each; none has an SDK, since each needs a handful of calls."""
