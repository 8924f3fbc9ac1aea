"""The demo's corpus: docstrings of the libraries installed beside this one, with their library.

They are on every user's machine, need no download, and carry a true label. Standard library only,
so that worker processes start fast.
"""

import ast
import concurrent.futures
import dataclasses
import hashlib
import importlib.util
import inspect
import multiprocessing
import pathlib
import re
import sysconfig

# Label -> folders read. TensorFlow ships an old copy of Keras: read twice, it would carry two
# labels. Tests and vendored code say little about the library they lie in.
LIBRARIES = ("python", "numpy", "tensorflow", "keras", "keras_hub")
SKIPPED_FOLDERS = {"tests", "test", "testing", "_vendor", "site-packages", "idlelib", "lib2to3"}
SKIPPED_PARTS = {"tensorflow": ("python/keras", "compiler", "lite", "include", "_api", "core")}
# A shorter docstring is a signature or a stub rather than prose.
SHORTEST = 80
HELD_OUT_SHARE = 0.08


@dataclasses.dataclass(frozen=True)
class Document:
    """One docstring: its library and its sentences, wrapped lines joined and code left out."""

    library: str
    sentences: tuple

    @property
    def text(self):
        """The sentences as one line."""
        return " ".join(self.sentences)


def gather(workers=2, libraries=LIBRARIES):
    """Reads the docstrings of installed libraries, duplicates removed.

    Args:
        workers: int, processes that parse. Default 2.
        libraries: sequence of str, those read. Default all of `LIBRARIES`.

    Returns:
        list of `Document`, in an order that depends on the installed files alone.
    """
    files = [(library, str(path)) for library in libraries for path in _files(library)]
    chunks = [files[i::16] for i in range(16)]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        found = [pair for chunk in pool.map(_documents_of_files, chunks) for pair in chunk]
    unique = {}
    for document in sorted(found, key=lambda document: (document.text, document.library)):
        unique.setdefault(_fingerprint(document.text), document)
    return sorted(unique.values(), key=lambda document: _fingerprint(document.text))


def split(documents):
    """Parts documents into training and held-out ones by their text's hash.

    A held-out document most of whose sentences also stand in training documents (boilerplate that
    libraries repeat) is dropped: it would not measure anything.

    Returns:
        A pair of lists of `Document`: training, held out.
    """
    training, held_out = [], []
    for document in documents:
        number = int(_fingerprint(document.text)[:8], 16) / 0xFFFFFFFF
        (held_out if number < HELD_OUT_SHARE else training).append(document)
    seen = {_fingerprint(sentence) for document in training for sentence in document.sentences}
    held_out = [
        document
        for document in held_out
        if sum(_fingerprint(sentence) in seen for sentence in document.sentences)
        <= len(document.sentences) // 2
    ]
    return training, held_out


def write_corpus(documents, path):
    """Writes documents in the corpus format: a sentence a line, an empty line after each."""
    text = "".join("\n".join(document.sentences) + "\n\n" for document in documents)
    pathlib.Path(path).write_text(text, encoding="utf-8")


def _files(library):
    if library == "python":
        root = pathlib.Path(sysconfig.get_paths()["stdlib"])
    else:
        root = pathlib.Path(importlib.util.find_spec(library).origin).parent
    skipped = SKIPPED_PARTS.get(library, ())
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if SKIPPED_FOLDERS.isdisjoint(relative.parts) and not relative.as_posix().startswith(
            skipped
        ):
            yield path


def _documents_of_files(files):
    documents = []
    for library, path in files:
        try:
            tree = ast.parse(pathlib.Path(path).read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue  # a template or a file of another Python; the demo reads what parses
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node, clean=False)
                if text and len(text) >= SHORTEST:
                    sentences = tuple(prose_sentences(inspect.cleandoc(text)))
                    if len(sentences) >= 2:
                        documents.append(Document(library, sentences))
    return documents


def prose_sentences(text):
    """Returns the sentences of a docstring: code and markup out, wrapped lines joined."""
    from keras_bert.text.sentences import split_sentences

    text = re.sub(r"```.*?(```|$)", " ", text, flags=re.DOTALL)
    sentences = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if any(line.lstrip().startswith((">>>", "...", "|", "+-")) for line in lines):
            continue
        # A line that names an argument or is an item of a list begins a passage of its own; the
        # others go on with the one before.
        passages = []
        for line in lines:
            starts = not passages or re.match(r"\s*([-*] |\w+: |\w+ : )", line)
            if starts:
                passages.append(line.strip())
            else:
                passages[-1] += " " + line.strip()
        for passage in passages:
            if not re.fullmatch(r"[\W_]*", passage):
                sentences += split_sentences(re.sub(r"\s+", " ", passage.replace("`", "")))
    return sentences


def _fingerprint(text):
    words = re.sub(r"[\W_]+", " ", text.lower()).strip()
    return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()
