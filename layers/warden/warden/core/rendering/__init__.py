"""Tickets as the formats of the systems that show them; each module renders one, and escapes what it must."""
