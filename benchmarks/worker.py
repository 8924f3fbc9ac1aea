"""The process of one contender: prepares, says so, then does a repeat for every "go" it reads.

Started by `benchmarks.run`, with one argument, JSON. Between repeats it waits for its standard
input and computes nothing; it ends when that is closed. Every answer is one line of JSON:
`{"ready": true}`, a repeat's `{"figure": ..., "by_cpu": ...}`, or `{"error": "..."}`, the last.
"""

import importlib
import json
import os
import pathlib
import sys
import traceback

from benchmarks.groups import Setting


def main(argument):
    # What libraries print goes to the log; only answers go to the orchestrator.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(**values):
        print(json.dumps(values), file=answers)

    task = json.loads(argument)
    paths = (task[key] and pathlib.Path(task[key]) for key in ("data", "vocabulary"))
    setting = Setting(*paths, quick=task["quick"])
    try:
        groups = importlib.import_module(task["module"]).GROUPS
        group = next(group for group in groups if group.name == task["group"])
        repeat = group.contenders[task["contender"]](setting)
        answer(ready=True)
        for _ in sys.stdin:
            answer(**repeat())
    except Exception as error:
        traceback.print_exc()
        lines = str(error).strip().splitlines()
        answer(error=f"{type(error).__name__}: {lines[-1] if lines else ''}")
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
