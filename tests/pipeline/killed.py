"""Run a project and kill the process, as `kill -9` does, at the event numbered by the third argument."""

import os
import signal
import sys
from pathlib import Path

from headway.pipeline.run import run
from headway.project import read


def main() -> None:
    project, out, fatal = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    seen = 0

    def listen(event: object) -> None:
        nonlocal seen
        seen += 1
        sys.stdout.write(f"{seen} {event}\n")
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    run(read(project), out=out, listen=listen)


if __name__ == "__main__":
    main()
