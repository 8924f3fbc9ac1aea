"""Both READMEs: the same code, structure and figures, and nothing that is not there.

The road in Python runs as it stands, in a folder that holds what it reads, with smaller numbers.
"""

import ast
import importlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from absl import flags

import keras_bert as kb
from keras_bert.cli.main import COMMANDS

ROOT = pathlib.Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb"))
PAGES = (*READMES, "CHANGELOG.md", "CONTRIBUTING.md", "saved_models/README.md", *NOTEBOOKS)

# What a README says -> what the test runs: less of the same. Each must be there once.
SMALLER = {
    'named("small"': 'named("tiny"',
    "size=30_000": "size=300",
    "sequence_length=128, batch_size=256": "sequence_length=32, batch_size=8",
    "steps_per_epoch=1_000, epochs=100": "steps_per_epoch=2, epochs=2",
}


def text_of(page):
    """The text of a page; of a notebook, that of its cells."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".ipynb"):
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", text_of(page), flags=re.DOTALL)


def sections(page):
    """A README part by part: its heading's level and its text."""
    outside_code = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    parts = re.split(r"^(#+) (.*)\n", outside_code, flags=re.MULTILINE)[1:]
    return list(zip(parts[::3], parts[2::3], strict=True))


def test_both_have_the_same_code():
    english, chinese = (blocks(page, "python") for page in READMES)
    assert len(english) == len(chinese) > 0
    for one, other in zip(english, chinese, strict=True):
        assert ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))  # comments may differ
    english, chinese = (blocks(page, "sh") for page in READMES)
    assert english == chinese != []
    assert [text_of(page).count("```") for page in READMES] == [4, 4]


def test_both_have_the_same_structure():
    english, chinese = (sections(page) for page in READMES)
    assert [level for level, _ in english] == [level for level, _ in chinese]
    for (_, one), (_, other) in zip(english, chinese, strict=True):
        assert [row.count("|") for row in re.findall(r"^\|.*", one, flags=re.MULTILINE)] == [
            row.count("|") for row in re.findall(r"^\|.*", other, flags=re.MULTILINE)
        ]


def test_both_have_the_same_figures_and_names():
    for (_, one), (_, other) in zip(*(sections(page) for page in READMES), strict=True):
        for pattern in (r"\d[\d,.]*(?<![.,])", r"`[^`]+`"):
            found, translated = (sorted(re.findall(pattern, part)) for part in (one, other))
            assert found == translated


def test_links_lead_somewhere():
    for page in set(PAGES) - set(NOTEBOOKS):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text_of(page)):
            assert (ROOT / page).parent.joinpath(target).exists(), f"{page}: {target}"
    for page in READMES:
        for name in re.findall(r"`(\d\d_\w+\.ipynb)`", text_of(page)):
            assert f"notebooks/{name}" in NOTEBOOKS


@pytest.mark.parametrize("page", PAGES)
def test_every_public_name_exists(page):
    for name in set(re.findall(r"\bkb((?:\.\w+)+)", text_of(page))):
        value = kb
        for part in name.split(".")[1:]:
            value = getattr(value, part)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_flag_exists(page):
    text = text_of(page).replace("\\\n", " ")
    for command, rest in re.findall(r"keras-bert ([a-z_]+)([^\n`]*)", text):
        assert command in COMMANDS, f"{page}: keras-bert {command}"
        values = flags.FlagValues()
        importlib.import_module(f"keras_bert.cli.{command}").define(values)
        words = [word for word in shlex.split(rest) if word.startswith("-")]
        if "--help" in words:
            continue
        known = [word.split("=")[0].removeprefix("--") for word in words]
        assert [name for name in known if name not in values] == [], f"{page}: {command}"
        if words:  # a whole command: the values fit and nothing required is missing
            values([f"keras-bert {command}", *words])


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_exists(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    wanted = re.findall(r"(?:`|^    )make (?:[A-Z]+=\S+ )?([a-z-]+)", text_of(page), re.M)
    assert set(wanted) <= set(targets)


def test_notebooks_are_kept_without_outputs():
    assert len(NOTEBOOKS) == 3
    for page in NOTEBOOKS:
        for cell in json.loads((ROOT / page).read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, page


@pytest.mark.slow
def test_the_road_runs(tmp_path):
    """Raw text to answers: what stands in the README, on texts made here."""
    code = "\n".join(blocks("README.md", "python"))
    for said, run in SMALLER.items():
        assert code.count(said) == 1, said
        code = code.replace(said, run)
    (tmp_path / "corpus").mkdir()
    nouns, praise, blame = ("film", "story", "cast"), ("gripping", "fine"), ("dull", "poor")
    for number in range(2):
        documents = [
            f"the {noun} number {number} is {word}.\nwe saw the {word} {noun} today.\n"
            for noun in nouns
            for word in (*praise, *blame)
        ]
        (tmp_path / f"corpus/{number}.txt").write_text("\n".join(documents), encoding="utf-8")
    for name in ("train.tsv", "dev.tsv"):
        rows = [f"a {word} {noun}\tpositive" for word in praise for noun in nouns]
        rows += [f"a {word} {noun}\tnegative" for word in blame for noun in nouns]
        (tmp_path / name).write_text("\n".join(["text\tlabel", *rows]) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (answer,) = ast.literal_eval(done.stdout.strip().split("\n")[-1])
    assert answer["label"] in ("negative", "positive") and 0.5 <= answer["score"] <= 1
    assert (tmp_path / "runs/pretrained/model.safetensors").is_file()
    assert (tmp_path / "saved_models/mood/1/saved_model.pb").is_file()
