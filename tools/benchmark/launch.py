"""Run a command from a process of almost no size, and write down what the command used.

    python -I -S launch.py usage.json DIRECTORY COMMAND ...

The peak of a process begins with that of its parent, whose memory it has until it becomes the command. So whoever
measures others must be small.
"""

import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Run it."""
    usage_file, directory, *command = sys.argv[1:]
    os.chdir(directory)
    began = time.perf_counter()
    child = os.fork()
    if not child:
        os.execv(command[0], command)  # noqa: S606 - whatever is measured
    _, status, usage = os.wait4(child, 0)
    told = {
        "seconds": time.perf_counter() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
        "status": os.waitstatus_to_exitcode(status),
    }
    Path(usage_file).write_text(json.dumps(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
