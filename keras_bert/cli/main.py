"""`keras-bert COMMAND --flag=value ...`: finds the command, reads its flags, reports errors."""

import importlib
import os
import re
import sys

from absl import flags

# Command -> what it does, in one line. The module of a command has the command's name and holds
# `REQUIRED`, names of flags that must be given, `define(values)`, which declares all flags, and
# `main(values)`, which does the work.
COMMANDS = {
    "demo": "learn from the documentation on this machine, raw text to served model",
    "vocab": "train a vocabulary from text files",
    "prepare": "turn text files into shuffled shards of tokens, on Apache Beam",
    "pretrain": "train BERT on text files: masked LM and next sentence",
    "data_service": "make pretraining data for other machines, with tf.data service",
    "finetune": "train a model of a task from a model directory and a data set",
    "multitask": "train several tasks on one backbone, batches mixed by given rates",
    "evaluate": "measure a model of a task on a data set",
    "predict": "answer raw texts with an exported SavedModel",
    "convert": "read a checkpoint of any kind and write it as another",
    "export": "turn a model directory into a SavedModel that takes raw text",
}


def run():
    """Entry point of the console script."""
    sys.exit(main(sys.argv[1:]))


def main(arguments):
    """Runs a command line.

    Args:
        arguments: list of str, the command and its flags.

    Returns:
        int, the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
    """
    if not arguments or arguments[0] in ("help", "--help", "-h", "--helpfull"):
        print(_usage())
        return 0 if arguments else 2
    name = arguments[0]
    if name not in COMMANDS:
        return _fail("", f"unknown command {name!r}; expected one of {', '.join(COMMANDS)}", 2)
    # Device banners are no news to a user of the command line; errors arrive as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    command = importlib.import_module(f"keras_bert.cli.{name}")
    values = flags.FlagValues()
    command.define(values)
    flags.mark_flags_as_required(command.REQUIRED, flag_values=values)
    if any(argument in ("--help", "-h", "--helpfull") for argument in arguments[1:]):
        print(_help(name, command, values))
        return 0
    try:
        left = values([f"keras-bert {name}", *arguments[1:]])[1:]
    except flags.Error as error:
        return _fail(name, f"{error}. See keras-bert {name} --help", 2)
    if left:
        return _fail(
            name, f"unexpected argument {left[0]!r}: everything is a --flag. See --help", 2
        )
    try:
        command.main(values)
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return _fail(name, "interrupted", 130)
    except Exception as error:  # a line says what a user can use; the variable shows the rest
        if os.environ.get("KERAS_BERT_TRACEBACK"):
            raise
        return _fail(name, str(error) or type(error).__name__, 1)
    return 0


def _fail(name, message, code):
    # Keras dresses the message of an error inside a layer in colours and paragraphs.
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    message = " ".join(message.split())
    print(f"{f'keras-bert {name}'.strip()}: error: {message}", file=sys.stderr)
    return code


def _usage():
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        ["usage: keras-bert COMMAND --flag=value ...", "", *lines, "", "keras-bert COMMAND --help"]
    )


def _help(name, command, values):
    lines = [f"keras-bert {name}: {COMMANDS[name]}", "", command.__doc__.strip(), "", "flags:"]
    required = command.REQUIRED
    for flag in [*required, *sorted(set(values) - set(required))]:
        default = values[flag].default_as_str
        note = "required" if flag in required else f"default {default}".replace("'", "")
        lines.append(f"  --{flag}" + (f" ({note})" if flag in required or default else ""))
        lines.append(f"      {values[flag].help}")
    return "\n".join(lines)


if __name__ == "__main__":
    run()
