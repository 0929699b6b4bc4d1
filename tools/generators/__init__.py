"""Generators: one module per kind of generated text, found and run by `tools.generate`.

A generator is a module with

    def generate() -> Mapping[Path, str]     the full text of every file that it writes, by absolute path
    OWNED: tuple[Path, ...] = ()             optional: directories that hold nothing but what it generates

Where it owns a part of a file, it takes the file's `current_text` and replaces what is between its markers
(both in `tools.markers`). It writes nothing itself: so the same run serves `make generate`, which writes, and
`make check`, which compares. A file in an OWNED directory that is no longer generated is stale too.
A module whose name begins with an underscore is a helper, not a generator.
"""
