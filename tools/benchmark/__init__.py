"""`make bench`: one seeded fleet behind one counting server, and what scans of it cost and find."""
