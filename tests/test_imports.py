"""Reads the imports of every file, those inside functions too, and keeps the house.

Arrows run downward only: a room may use the rooms named beside it, and itself.
"""

import ast
import pathlib
import re
import sys

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1] / "keras_bert"
FILES = sorted(PACKAGE.rglob("*.py"))

# Helpers with the standard library alone, which any room may use.
LOWEST = {
    "added_token_files",
    "atomic",
    "preset_folder",
    "preset_kind",
    "unpacking",
    "vocabulary_files",
    "data/fingerprint",
    "text/files",
    "text/zstd",
}
# Extras that a helper may reach for inside a function.
EXTRAS = {"huggingface_hub", "zstandard"}
BELOW = {
    "lowest": set(),
    "config": set(),
    "layers": {"config"},
    "checkpoints": {"config", "lowest"},
    "models": {"checkpoints", "config", "layers", "lowest", "training"},
    "training": {"config", "lowest", "plots"},
    "text": {"config", "lowest"},
    "data": {"config", "lowest", "text"},
    "plots": set(),
}
BELOW["serving"] = {*BELOW["data"], "checkpoints", "data", "layers", "models", "training"}
BELOW["export"] = BELOW["serving"]
# The uppermost three may use the public face, `kb`, as users do.
BELOW["demo"] = {*BELOW["serving"], "export", "keras_bert", "plots", "serving"}
BELOW["jobs"] = BELOW["demo"]
BELOW["cli"] = {*BELOW["demo"], "demo", "jobs"}

# No room but these may name these libraries at all, not even inside a function.
ONLY_IN = {
    "tensorflow": {"text", "data", "serving", "export", "demo", "cli"},
    "tensorflow_text": {"text", "serving", "export"},
    "keras": {
        "layers",
        "models",
        "training",
        "checkpoints",
        "data",
        "text",
        "export",
        "demo",
        "cli",
    },
    "keras_hub": {"checkpoints", "models"},
    "tensorflow_datasets": {"data"},
    "tensorflow_serving": {"export", "serving"},
    "absl": {"cli"},
}

LATE_TENSORFLOW = (
    "checkpoints/google",
    "checkpoints/google_files",
    "models/adversarial",
    "models/micro_batches",
    "models/steps",
    "models/unfilled",
    "training/distribution",
    "training/event_files",
    "training/exchange",
    "training/optimizers",
    "training/peak",
    "training/precision",
)


def place(path):
    """Returns a file's name without ending, from the package down, and its room."""
    name = path.relative_to(PACKAGE).with_suffix("").as_posix()
    return name, "lowest" if name in LOWEST else name.split("/")[0]


def imports(path):
    """Yields (module, inside a function) for every import, by statement or by name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where arrows go"
            # `from keras_bert import text` names a module by its last part.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Rooms that load on first use name their modules in strings.
            names = [node.value] if re.fullmatch(r"keras_bert(\.\w+)+", node.value) else []
        else:
            continue
        for name in names:
            yield name, id(node) in inside


def room_of(module):
    """Returns the room of ours that a module name leads to, or None for other libraries."""
    parts = module.split(".")
    if parts[0] != "keras_bert":
        return None
    if {"/".join(parts[1:2]), "/".join(parts[1:3])} & LOWEST:
        return "lowest"
    return parts[1] if len(parts) > 1 else "keras_bert"


@pytest.mark.parametrize("path", FILES, ids=lambda path: place(path)[0])
def test_arrows_run_downward(path):
    name, room = place(path)
    if name == "__init__":
        assert all(
            module.split(".")[0] in (*sys.stdlib_module_names, "keras_bert")
            for module, _ in imports(path)
        )
        assert not any(
            isinstance(node, ast.ImportFrom) and node.module.startswith("keras_bert")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
        return
    assert room in BELOW, f"{name}: a room that DESIGN.md does not know"
    for module, _ in imports(path):
        other = room_of(module)
        allowed = sorted(BELOW[room])
        assert other is None or other == room or other in allowed, (
            f"{name} imports {module}: {room} may use {allowed}"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: place(path)[0])
def test_libraries_stay_in_their_rooms(path):
    name, room = place(path)
    for module, inside in imports(path):
        library = module.split(".")[0]
        allowed = ONLY_IN.get(library)
        if room in ("checkpoints", "models", "training") and library == "tensorflow":
            # They run on any backend; only these reach for TensorFlow, and late.
            assert name in LATE_TENSORFLOW and inside, name
            continue
        assert allowed is None or room in allowed, f"{name} imports {module}"
        if room in ("config", "lowest"):
            own = library in sys.stdlib_module_names or library == "keras_bert"
            assert own or (library in EXTRAS and inside), f"{name} imports {module}"


def test_the_test_sees_imports(tmp_path):
    """The reader itself: statements, functions and names in strings."""
    path = tmp_path / "file.py"
    path.write_text(
        "import os.path\nfrom keras_bert import data\nROOM = 'keras_bert.models.backbone'\n"
        "def f():\n    import tensorflow as tf\n    from keras_bert.text.files import x\n"
    )
    found = dict(imports(path))
    assert found == {
        "os.path": False,
        "keras_bert.data": False,
        "keras_bert.models.backbone": False,
        "tensorflow": True,
        "keras_bert.text.files.x": True,
    }
    assert [room_of(module) for module in sorted(found)] == ["data", "models", "lowest", None, None]
    assert room_of("keras_bert.atomic.write") == "lowest"
    assert room_of("keras_bert.text.tokenizer.BertTokenizer") == "text"
    assert FILES and all(path.suffix == ".py" for path in FILES)
