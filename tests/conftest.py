from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay as long as the process: nobody has to look through them for garbage."""
    gc.collect()
    gc.freeze()
