"""The READMEs: the same commands in both languages, and nothing in them that does not exist."""

import re
from pathlib import Path

import pytest

import npylabel_core as core
from npylabel.dataset.faults import CODES
from npylabel.ui.command_line import make_parser
from npylabel.ui.notebook_runs import find_notebooks

PROJECT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.ru.md")


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """Lines of the shell blocks, and commands inside sentences and tables."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`((?:bash|python|auto_label|verify_tintora) [^`]+)`", text)
    return [line for block in blocks for line in block.splitlines()] + inline


def test_both_languages_have_the_same_commands() -> None:
    english, russian = (commands(text_of(name)) for name in READMES)
    assert english == russian
    assert "bash colab_setup.sh run" in english
    assert "bash colab_setup.sh test" in english


@pytest.mark.parametrize("name", READMES)
def test_every_step_and_flag_exists(name: str) -> None:
    parser = make_parser({**core.STEPS, "status": core.status})
    found = 0
    for command in commands(text_of(name)):
        words = re.match(r"python npylabel_core\.py (.+)", command)
        if words:
            arguments = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', words[1])]
            parser.parse_args(arguments)
            found += 1
    assert found >= 10


@pytest.mark.parametrize("name", READMES)
def test_every_flag_of_run_exists(name: str) -> None:
    known = {parameter for notebook in find_notebooks() for parameter in notebook.defaults} | {"only", "work_dir"}
    flags = set(re.findall(r"--(\w+)", text_of(name))) - {"help", "num_classes"}
    assert flags - {"input", "output"} <= known


@pytest.mark.parametrize("name", READMES)
def test_every_file_and_room_exists(name: str) -> None:
    text = text_of(name)
    for path in re.findall(r"\]\(([^)h][^)]*)\)", text) + re.findall(r"^(npylabel\S+|notebooks/)", text, re.MULTILINE):
        assert (PROJECT / path).exists(), path
    assert len(CODES) >= int(re.search(r"(\d+) (?:kinds of faults|видов ошибок)", text)[1])
