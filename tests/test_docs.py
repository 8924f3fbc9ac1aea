"""The pages in docs: the same in both languages, and every example holds what it names."""

import importlib
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest
from absl import flags

import keras_bert as kb
from keras_bert.cli.main import COMMANDS

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
ENGLISH = sorted(path.name for path in DOCS.glob("*.md") if ".zh-CN." not in path.name)
PAGES = sorted(path.name for path in DOCS.glob("*.md"))


def blocks(page, languages):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```(?:{languages})\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def prose(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def shell_scripts():
    """All shell code of the pages: blocks of it, and what a container runs."""
    for page in PAGES:
        yield from ((page, code) for code in blocks(page, "sh|bash"))
    for page in PAGES:
        for document in manifests(page):
            if document["kind"] == "Job":
                for container in document["spec"]["template"]["spec"]["containers"]:
                    assert container["command"] == ["bash", "-c"]
                    yield page, container["args"][0]


def manifests(page):
    yaml = pytest.importorskip("yaml")
    return [each for code in blocks(page, "yaml") for each in yaml.safe_load_all(code)]


@pytest.mark.parametrize("page", ENGLISH)
def test_both_languages_say_the_same(page):
    other = page.replace(".md", ".zh-CN.md")
    assert blocks(page, r"\w+") == blocks(other, r"\w+") != []
    for pattern in (r"^#+ ", r"^\|.*", r"^- "):
        found, translated = (
            [match.count("|") or match for match in re.findall(pattern, prose(p), re.MULTILINE)]
            for p in (page, other)
        )
        assert found == translated
    names, translated = (sorted(re.findall(r"`[^`\n]+`", prose(p))) for p in (page, other))
    assert names == translated


@pytest.mark.parametrize("page", PAGES)
def test_names_links_and_code_are_there(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    for name in set(re.findall(r"\bkb((?:\.\w+)+)", text)):
        value = kb
        for part in name.split(".")[1:]:
            value = getattr(value, part)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / target).exists(), target
    for code in blocks(page, "python"):
        compile(code, page, "exec")


def test_shell_is_shell():
    scripts = list(shell_scripts())
    assert len(scripts) > 8
    for page, code in scripts:
        done = subprocess.run(
            ["bash", "-n"], input=code, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{page}: {done.stderr}"


def test_every_command_and_flag_exists():
    found = 0
    for page, code in shell_scripts():
        code = re.sub(r"\$\{?\w+\}?", "1", code.replace("\\\n", " "))
        for command, rest in re.findall(r"keras-bert ([a-z_]+)([^\n']*)", code):
            assert command in COMMANDS, page
            values = flags.FlagValues()
            module = importlib.import_module(f"keras_bert.cli.{command}")
            module.define(values)
            flags.mark_flags_as_required(module.REQUIRED, flag_values=values)
            words = shlex.split(rest)
            names = [word.split("=")[0].removeprefix("--") for word in words]
            assert [name for name in names if name not in values] == [], f"{page}: {command}"
            values([f"keras-bert {command}", *words])  # the values fit, nothing required is missing
            found += 1
    known = set()
    for command in COMMANDS:
        values = flags.FlagValues()
        importlib.import_module(f"keras_bert.cli.{command}").define(values)
        known.update(values)
    for page in PAGES:
        for name in re.findall(r"`--(\w+)", prose(page)):
            assert name in known, f"{page}: --{name}"
    assert found >= 4 * len(ENGLISH)


@pytest.fixture
def run(tmp_path):
    """Runs a script with stand-ins for the commands around it; returns its code and who ran how."""
    stand_ins = {
        "keras-bert": 'echo "${TF_CONFIG//$\'\\n\'/}|$*" >> "$CALLS/keras-bert"; exit ${CODE:-0}',
        # Four tasks, one after the other; the highest exit code, as Slurm has it.
        "srun": 'shift; worst=0; for SLURM_PROCID in 0 1 2 3; do export SLURM_PROCID; "$@";'
        " code=$?; [ $code -gt $worst ] && worst=$code; done; exit $worst",
        "scontrol": 'if [ "$1" = show ]; then printf "n%s\\n" 1 2 3 4; '
        'else echo "$*" >> "$CALLS/requeued"; fi',
    }
    for name, body in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)

    def run(script, **variables):
        calls = tmp_path / f"calls{len(list(tmp_path.iterdir()))}"
        calls.mkdir()
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        environment |= {"CALLS": str(calls)}
        done = subprocess.run(["bash", "-c", script], env=environment, check=False)
        lines = (calls / "keras-bert").read_text().splitlines()
        return done.returncode, lines, (calls / "requeued").exists()

    return run


def test_slurm_gives_each_task_its_number_and_queues_again(run):
    (script,) = blocks("distributed.md", "bash")
    assert re.search(r"^#SBATCH --signal=TERM@\d+$", script, re.MULTILINE)
    slurm = {"SLURM_JOB_NODELIST": "n[1-4]", "SLURM_JOB_ID": "7"}
    code, calls, requeued = run(script, **slurm)
    assert (code, requeued, len(calls)) == (0, False, 4)
    for index, call in enumerate(calls):
        words = shlex.split(call.partition("|")[2])
        assert "--workers=n1:2222,n2:2222,n3:2222,n4:2222" in words
        assert f"--worker_index={index}" in words and "--resume" in words
    for ended, restarts, expected in (
        ("143", "99", True),  # out of time
        ("137", "3", True),  # a worker was lost
        ("137", "20", False),  # again and again
        ("2", "0", False),  # wrong flags
    ):
        code, _, requeued = run(script, **slurm, CODE=ended, SLURM_RESTART_COUNT=restarts)
        assert (code, requeued) == (int(ended), expected)


def test_kubernetes_names_fit_together(run):
    service, job = manifests("distributed.md")
    spec = job["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert service["spec"]["clusterIP"] == "None" and spec["completionMode"] == "Indexed"
    assert pod["subdomain"] == service["metadata"]["name"]
    labels = spec["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    # The rules on exit codes are for pods that are never restarted in place.
    assert pod["restartPolicy"] == "Never" and pod["terminationGracePeriodSeconds"] >= 60
    assert spec["completions"] == spec["parallelism"]
    port = service["spec"]["ports"][0]["port"]
    assert container["ports"] == [{"containerPort": port}]
    host = f"{job['metadata']['name']}-{{}}.{service['metadata']['name']}:{port}"
    for index in range(spec["completions"]):
        code, (call,), _ = run(container["args"][0], JOB_COMPLETION_INDEX=str(index))
        config, _, words = call.partition("|")
        assert json.loads(config) == {
            "cluster": {"worker": [host.format(i) for i in range(spec["completions"])]},
            "task": {"type": "worker", "index": index},
        }
        assert "--strategy=multi_worker" in words and "--resume" in words and code == 0
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    for path in re.findall(r"--(?:input|vocab|output)=\"?(/\w+)", container["args"][0]):
        assert path == container["volumeMounts"][0]["mountPath"]


def test_the_page_on_checkpoints_runs(tmp_path, monkeypatch, tiny_vocabulary):
    """All its Python, in order, from a tiny model in place of the one it names."""
    config = kb.BertConfig(
        vocabulary_size=len(tiny_vocabulary), hidden_dim=8, num_heads=2, num_layers=1
    )
    model = kb.BertPretrainer(kb.BertBackbone(config))
    monkeypatch.chdir(tmp_path)
    kb.save_preset("bert-base", model, kb.BertTokenizer(tiny_vocabulary))
    names = {}
    for code in blocks("checkpoints.md", "python"):
        exec(code, names)
    assert type(names["model"]) is kb.BertPretrainer
    assert names["larger_tokenizer"].tokenize_to_strings("Covid genomics")[0] == "covid"
    assert names["longer"].config.max_sequence_length == 2_048
    copy = kb.model_from_preset("copy")
    for one, other in zip(copy.weights, names["model"].weights, strict=True):
        assert (one.numpy() == other.numpy()).all()


def test_the_recipes_run(tmp_path, monkeypatch, tiny_vocabulary):
    """All their Python, in order, from a tiny encoder; who reads the files they write."""
    words = [c for c in "小明住在北京他有一只猫，名叫白谁什么？。它首都长江最河流是的" if c]
    vocabulary = list(dict.fromkeys([*tiny_vocabulary, *words]))
    config = kb.BertConfig(
        vocabulary_size=len(vocabulary), hidden_dim=8, num_heads=2, num_layers=1,
        max_sequence_length=128,
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    kb.save_preset("encoder", kb.BertBackbone(config), kb.BertTokenizer(vocabulary))
    names = {}
    for code in blocks("recipes.md", "python"):
        exec(code, names)
    first, second, third = names["rows"][3:]
    assert first["question"] == "谁住在北京？"
    assert second["question"] == "谁住在北京？ 小明 他有什么？"
    assert third["question"] == "谁住在北京？ 小明 他有什么？ 一只猫 它叫什么？"
    assert names["train"].label_counts == {"no": 8, "yes": 4}
    questions, answers = names["history"][::2], names["history"][1::2]
    assert questions == ["谁住在北京？", "他有什么？", "它叫什么？"]
    assert all(answer in names["context"] for answer in answers)
    best, other = names["best"]
    assert best["score"] >= other["score"] and best["text"] == names["facts"][best["place"]]
    assert names["answer"] in names["near"] and len(names["near"]) == 3
    assert [pair["label"] for pair in names["following"]].count(1) == 1
    assert names["masked"].counts.documents == 2
    # The file of rows is one that the command reads.
    data = kb.data.question_answering("talk.jsonl", kb.preprocessor_from_preset("runs/talk"))
    assert data.num_examples == 6
