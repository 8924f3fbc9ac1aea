"""Commands in processes of their own, with what they cost."""

import os
import pathlib
import subprocess
import sys
import time

COMMAND = pathlib.Path(sys.executable).with_name("keras-bert")


def keras_bert(command, log, **flags):
    """Runs `keras-bert COMMAND --flags`.

    Args:
        command: str.
        log: path that what it prints is appended to.
        **flags: None is left out; a list repeats its flag.

    Returns:
        Dict of `seconds` (wall clock) and `peak_mib` (the most memory the process had, MiB).

    Raises:
        RuntimeError: it failed; the message has its last lines.
    """
    line = [str(COMMAND), command]
    for name, value in flags.items():
        # A list is a flag that is repeated.
        values = value if isinstance(value, list) else [value]
        line += [f"--{name}={each}" for each in values if each is not None]
    started = time.perf_counter()
    with open(log, "a", encoding="utf-8") as output:
        print("$", *line, file=output, flush=True)
        process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT)
        try:
            # Its own figure: RUSAGE_CHILDREN would have the largest of all children so far.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = pathlib.Path(log).read_text(encoding="utf-8").split("\n")[-8:]
        raise RuntimeError(f"{' '.join(line)}: exit code {process.returncode}\n" + "\n".join(lines))
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return {"seconds": time.perf_counter() - started, "peak_mib": usage.ru_maxrss / unit}
