"""RDS as AWS runs it, on moto's state: every difference is a named correction with AWS's words for it."""
