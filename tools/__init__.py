"""Build helpers and generators: run from the repository's root as `python -m tools.NAME`, never deployed."""
