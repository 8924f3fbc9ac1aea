"""Which system wrote a model directory, and where in it the transformer's files lie."""

import glob
import json
import os


def preset_kind(folder):
    """Tells a model directory's layout by the files in it.

    - `modules.json`: sentence-transformers;
    - `config.json` with the keys `module` and `class_name`, or without one a `tokenizer.json`
      with them: KerasHub;
    - any other `config.json`: Hugging Face;
    - no `config.json`, but `bert_config.json` or `*.ckpt*.index`: Google's TF1 release;
    - a tokenizer alone (`tokenizer.json`, `tokenizer_config.json` or `vocab.txt`): Hugging Face.

    Args:
        folder: str or path-like, a folder on this machine.

    Returns:
        str: `"huggingface"`, `"google"`, `"keras_hub"` or `"sentence_transformers"`.

    Raises:
        FileNotFoundError: no such folder, or nothing in it that tells.
        ValueError: a file that tells is not a JSON object.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> open(os.path.join(folder, "bert_config.json"), "w").close()
        >>> preset_kind(folder)
        'google'
    """
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        kind = "is a file" if os.path.exists(folder) else "does not exist"
        raise FileNotFoundError(f"{folder!r} {kind}; expected a model directory")
    if _has(folder, "modules.json"):
        return "sentence_transformers"
    if _has(folder, "config.json"):
        return "keras_hub" if _is_keras_hub(folder, "config.json") else "huggingface"
    if _has(folder, "bert_config.json"):
        return "google"
    if glob.glob(os.path.join(glob.escape(folder), "*.ckpt*.index")):
        return "google"
    if _has(folder, "tokenizer.json"):
        return "keras_hub" if _is_keras_hub(folder, "tokenizer.json") else "huggingface"
    if _has(folder, "tokenizer_config.json") or _has(folder, "vocab.txt"):
        return "huggingface"
    names = sorted(os.listdir(folder))
    found = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    raise FileNotFoundError(
        f"{folder!r} is no model directory: it holds {found or 'nothing'}; expected config.json "
        "(Hugging Face, KerasHub), bert_config.json or *.ckpt.index (Google), modules.json "
        "(sentence-transformers), or a tokenizer's tokenizer.json or vocab.txt"
    )


def transformer_folder(folder):
    """The folder of a sentence-transformers directory that holds the transformer's own files.

    Args:
        folder: str or path-like, with `modules.json`.

    Returns:
        str: `folder` itself, as newer versions write it, or one within, such as `0_Transformer`.

    Raises:
        ValueError: `modules.json` is not what sentence-transformers writes, names no transformer,
            or leads out of the folder.
        FileNotFoundError: there is no such folder.
    """
    folder = os.fspath(folder)
    path = os.path.join(folder, "modules.json")
    modules = read_json(path, list)
    for module in modules:
        if not isinstance(module, dict) or not isinstance(module.get("type"), str):
            raise ValueError(f"{path!r}: expected objects with `type` and `path`; got {module!r}")
    found = [module for module in modules if module["type"].endswith(".Transformer")]
    if len(found) != 1 or not isinstance(found[0].get("path", ""), str):
        types = ", ".join(module["type"] for module in modules)
        raise ValueError(f"{path!r} names {types or 'no modules'}; expected one Transformer")
    name = os.path.normpath(found[0].get("path", ""))
    if os.path.isabs(name) or name.split(os.sep)[0] == "..":
        raise ValueError(f"{path!r} names the folder {found[0]['path']!r}; expected one within")
    inner = os.path.normpath(os.path.join(folder, name))
    if not os.path.isdir(inner):
        raise FileNotFoundError(f"{path!r} names the folder {inner!r}, which does not exist")
    return inner


def read_json(path, expected=dict):
    """Reads a JSON file that holds a value of one type.

    Args:
        path: str or path-like.
        expected: type, `dict` (default) or `list`.

    Raises:
        ValueError: the file is not JSON in UTF-8, or holds a value of another type.
        OSError: it cannot be read.
    """
    path = os.fspath(path)
    with open(path, encoding="utf-8") as file:
        try:
            value = json.load(file)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path!r} is not JSON: {error}") from error
    if not isinstance(value, expected):
        name = {dict: "object", list: "array"}[expected]
        raise ValueError(f"{path!r} holds a {type(value).__name__}; expected a JSON {name}")
    return value


def _has(folder, name):
    return os.path.isfile(os.path.join(folder, name))


def _is_keras_hub(folder, name):
    values = read_json(os.path.join(folder, name))
    return "module" in values and ("class_name" in values or "registered_name" in values)
