"""What messages tell people to type exists: commands, flags, parameters, actions, notebooks."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import npylabel_core as core
from npylabel.care.free_room import ON_DEMAND, PARTS
from npylabel.care.manage import ACTIONS
from npylabel.care.plan import NUMBERS
from npylabel.care.start_over import STEPS

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = sorted((PROJECT / "npylabel").rglob("*.py")) + [PROJECT / "npylabel_core.py"]
COMMANDS = {*core.STEPS, "status", "run"}
PARAMETERS = {name for step in (*core.STEPS.values(), core.status) for name in inspect.signature(step).parameters}
# Flags of single commands.
FLAGS = PARAMETERS | {"help", "only"}


def messages(path: Path) -> list[str]:
    """The texts of a module that are shown to people."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [call.args[0].value for call in calls
            if isinstance(call.func, ast.Name) and call.func.id == "_" and isinstance(call.args[0], ast.Constant)]


def blamed_parameters(path: Path) -> set[str]:
    """The parameters that ``_("{name} is {value!r}.").format(name=...)`` blames."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    formats = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "format"
               and "'{name} is {value!r}.'" in ast.unparse(call.func)]
    return {keyword.value.value for call in formats for keyword in call.keywords
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant)}


def unknown_in(text: str) -> list[str]:
    """What a message names and nobody has."""
    named = [
        (COMMANDS, re.findall(r"npylabel_core\.py (\w+)", text)),
        (FLAGS, re.findall(r"--(\w+)", text)),
        (PARAMETERS | set(NUMBERS), re.findall(r"\b([a-z_]+)=(?:\"|'|True|False|\d)", text)),
        (PARAMETERS, re.findall(r"\b(?:[Ss]et|[Gg]ive|give) ([a-z]+_[a-z_]+)\b", text)),
        (ACTIONS, re.findall(r"(?:--action |action=\")(\w+)", text)),
        ({*STEPS, "00"}, re.findall(r"notebook (\d\d)\b", text)),
        ({*STEPS.values(), "manage"}, re.findall(r"notebook \d\d(?:_|, | \()(\w+)", text)),
    ]
    return [name for known, names in named for name in names if name not in known]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_what_messages_name_exists(path: Path) -> None:
    assert {text: unknown for text in messages(path) if (unknown := unknown_in(text))} == {}
    assert blamed_parameters(path) <= PARAMETERS | {"only", "language"}


def test_wrong_messages_would_be_found() -> None:
    assert unknown_in('python npylabel_core.py mange --actoin x or action="docter"') == ["mange", "actoin", "docter"]
    assert unknown_in('names="a" then notebook 07 and notebook 03, teach; set out_dir') == [
        "names", "out_dir", "07", "teach"]
    assert sum(len(messages(path)) for path in SOURCES) > 300


def test_the_parts_that_a_message_gives_as_examples_exist() -> None:
    texts = messages(PROJECT / "npylabel/care/free_room.py")
    examples = [part for text in texts for value in re.findall(r'value="([^"]+)"', text) for part in value.split("; ")]
    assert examples and set(examples) <= {*PARTS, "all"} and set(ON_DEMAND) <= set(PARTS)
