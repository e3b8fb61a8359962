"""Two languages: the Russian catalogue is whole, says the same as the source, and is what the program uses."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

import pytest

from npylabel.base import i18n
from npylabel.base.classes import load_classes
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import set_language
from npylabel.dataset.faults import explain
from npylabel.photos.reasons import describe
from tests.base.update_catalogue import (
    MARKS,
    MO,
    PROJECT,
    extract_marked,
    in_step,
    marked_calls,
    mo_bytes,
    po_bytes,
    read_catalogue,
    source_files,
    source_messages,
)

# Texts that are the same in both languages.
SAME_IN_BOTH = {"macro-F1"}
# Names that a person types or looks for: parameters, files, flags, settings.
NAMES = re.compile(r"--\w+|[A-Za-z]+(?:_[A-Za-z]+)+|\w+\.(?:json|csv|html|pth|py)\b|[a-z_]+=[\w.]+")
LATIN, CYRILLIC = re.compile(r"[A-Za-z]"), re.compile(r"[А-Яа-яЁё]")
# A Latin letter alone that looks like a Russian preposition or conjunction is one that was typed by mistake.
LONE_LOOK_ALIKES = set("aceoykxABCEHKMOPTXY")

CATALOGUE = read_catalogue()
TRANSLATIONS = {message.id: message.string for message in CATALOGUE if message.id}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    set_language("en")


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_message_is_translated_and_no_other_is_kept() -> None:
    cure = "run: python -m tests.base.update_catalogue"
    assert [message for message in source_messages() if not TRANSLATIONS.get(message)] == [], cure
    assert set(TRANSLATIONS) == set(source_messages()), cure
    assert not CATALOGUE.obsolete
    assert not any(message.fuzzy for message in CATALOGUE)


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    assert MO.read_bytes() == mo_bytes(CATALOGUE), "run: python -m tests.base.update_catalogue"


def test_an_update_changes_nothing_by_itself() -> None:
    once = in_step(CATALOGUE, list(TRANSLATIONS))
    assert po_bytes(once) == po_bytes(in_step(once, list(TRANSLATIONS)))
    assert b"Date" not in po_bytes(once) and b"Generated" not in po_bytes(once)


def test_an_update_keeps_translations_and_drops_what_is_gone() -> None:
    old = in_step(CATALOGUE, [])
    old.add("kept", "оставлено")
    old.add("gone", "убрано")
    new = in_step(old, ["kept", "new"])
    assert {message.id: message.string for message in new if message.id} == {"kept": "оставлено", "new": ""}


def test_extraction_sees_f_strings_tables_and_joined_literals(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("a = f\"<b>{_('in f')}</b>\"\nb = N_('in ' 'a table')\nc = other('not')\n")
    with source.open("rb") as file:
        assert [texts for _line, _name, texts, _comments in extract_marked(file)] == [("in f",), ("in a table",)]


def test_marked_texts_are_literals() -> None:
    """What a translator never sees cannot be translated: ``_`` takes a variable only beside a table of ``N_``."""
    for path in source_files():
        calls = list(marked_calls(ast.parse(path.read_text(encoding="utf-8"))))
        has_table = any(call.func.id == "N_" for call in calls)
        for call in calls:
            literal = isinstance(call.args[0], ast.Constant)
            assert literal or (has_table and isinstance(call.args[0], ast.Name)), f"{path}:{call.lineno}"


# --- each translation ------------------------------------------------------------------------------------------------


def placeholders(text: str) -> set[tuple[str, str, str]]:
    """(name, format, conversion) of the placeholders."""
    return {(name, spec or "", conversion or "")
            for _text, name, spec, conversion in Formatter().parse(text) if name is not None}


def words(text: str) -> list[str]:
    """The words of the literal parts."""
    return [word for part, *_field in Formatter().parse(text) for word in re.findall(r"\w+", part)]


def wrong(is_right: Callable[[str, str], bool]) -> list[tuple[str, str]]:
    """The messages and translations that a rule does not hold for."""
    return [pair for pair in TRANSLATIONS.items() if not is_right(*pair)]


def test_placeholders_and_names_are_kept() -> None:
    assert wrong(lambda message, translation: placeholders(translation) == placeholders(message)) == []
    assert wrong(lambda message, translation: set(NAMES.findall(message)) <= set(NAMES.findall(translation))) == []


def test_a_translation_begins_and_ends_like_its_message() -> None:
    assert wrong(lambda message, translation: translation.endswith(".") == message.endswith(".")) == []
    marks = (",", "#")
    assert wrong(lambda message, translation: translation.startswith(marks) == message.startswith(marks)) == []
    assert wrong(lambda message, translation: translation == translation.strip()) == []


def test_translations_are_russian() -> None:
    assert wrong(lambda message, translation: message in SAME_IN_BOTH or CYRILLIC.search(translation)) == []
    assert wrong(lambda _message, translation: not mixed_words(translation)) == []


def mixed_words(text: str) -> list[str]:
    """Words with letters of both alphabets, and lone Latin letters that pass for Russian words."""
    return [word for word in words(text)
            if (LATIN.search(word) and CYRILLIC.search(word)) or word in LONE_LOOK_ALIKES]


def test_look_alike_letters_are_found() -> None:
    assert mixed_words("фотo и {path}") == ["фотo"]
    assert mixed_words("фото c телефона") == ["c"]
    assert mixed_words("режим L, zip-архив, {x!r}, неопределённый_объект") == []


# --- the program speaks it -------------------------------------------------------------------------------------------


def _texts(tmp_path: Path) -> list[str]:
    with pytest.raises(NpyLabelError) as caught:
        load_classes(tmp_path / "none.json")
    return [*str(caught.value).splitlines()[:2], describe("empty_file"), *explain("label_missing")[1:]]


def test_errors_reasons_and_faults_speak_the_chosen_language(tmp_path: Path) -> None:
    assert set_language("ru") == "ru"
    russian = _texts(tmp_path)
    assert all(CYRILLIC.search(text) for text in russian)
    assert russian[1].startswith("Что делать: ") and "classes_path" in russian[1]
    assert set_language("en") == "en"
    english = _texts(tmp_path)
    assert not any(CYRILLIC.search(text) for text in english)
    assert english[1].startswith("What to do: ")


@pytest.mark.parametrize(("environment", "language"), [
    ({"LANG": "ru_RU.UTF-8"}, "ru"), ({"LANG": "en_US.UTF-8"}, "en"), ({"LANG": "C.UTF-8"}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "en"), ({"LC_ALL": "ru_RU.UTF-8", "LANG": "en_US.UTF-8"}, "ru"),
    ({"LC_ALL": "en_US.UTF-8", "LANG": "ru_RU.UTF-8"}, "en"), ({"LC_MESSAGES": "ru_RU", "LANG": "C"}, "ru"),
    ({"LC_ALL": "", "LANG": "ru_RU.UTF-8"}, "ru"),
])
def test_the_command_line_follows_the_system(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "in_notebook", lambda: False)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert set_language("") == language
    assert (i18n._("What to do") == "Что делать") == (language == "ru")


def test_a_notebook_speaks_russian_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "in_notebook", lambda: True)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert set_language() == "ru"
    assert set_language("en") == "en"


@pytest.mark.parametrize("language", ["de", "RU", "russian"])
def test_an_unknown_language_is_refused(language: str) -> None:
    set_language("ru")
    with pytest.raises((ValueError, NpyLabelError), match=language):
        set_language(language)


# --- nothing is said past the catalogue ------------------------------------------------------------------------------


def said(node: ast.AST) -> list[ast.expr]:
    """The expressions of a statement or call that a person will read."""
    match node:
        case ast.Call(func=ast.Name(id="NpyLabelError")):
            return [*node.args[1:3], *(word.value for word in node.keywords if word.arg in ("what", "fix"))]
        case ast.Call(func=ast.Name(id="print")):
            return node.args
        case ast.Call(func=ast.Name(id="track")):
            return [word.value for word in node.keywords if word.arg == "label"]
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="messages"))):
            return node.args
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="pictures"), slice=caption)]):
            return [caption]
        case ast.Assign(targets=[ast.Attribute(attr="next_step" | "messages")]):
            return [node.value]
        case ast.AugAssign(target=ast.Attribute(attr="next_step" | "messages")):
            return [node.value]
    return []


def bare(node: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[ast.Constant]:
    """The literals with letters in an expression of text that no mark makes translatable.

    Args:
        node: the expression.
        names: what the variables of the function were set to.
    """
    match node:
        case ast.Constant(value=str(text)) if any(letter.isalpha() for letter in text):
            yield node
        case ast.Name(id=name):
            for value in names.get(name, []):
                yield from bare(value, {})
        case ast.Call(func=ast.Name(id=name)) if name in MARKS:
            pass
        case ast.Call(func=ast.Attribute(value=text, attr=method)):
            for part in [text, *(node.args if method == "join" else [])]:
                yield from bare(part, names)
        case (ast.JoinedStr() | ast.FormattedValue() | ast.BinOp() | ast.IfExp() | ast.BoolOp() | ast.List()
              | ast.Tuple() | ast.Starred() | ast.ListComp() | ast.GeneratorExp()):
            for child in ast.iter_child_nodes(node):
                yield from bare(child, names)


def unmarked(source: str) -> list[str]:
    """"line: text" of everything that a source says to a person past the catalogue."""
    found = set()
    scopes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.FunctionDef)]
    for scope in scopes:
        names = assigned(scope) if isinstance(scope, ast.FunctionDef) else {}
        spoken = [part for node in ast.walk(scope) for part in said(node)]
        found |= {f"{text.lineno}: {text.value}" for part in spoken for text in bare(part, names)}
    return sorted(found)


def assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """What each variable of a function is set to or lengthened by."""
    names: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                names.setdefault(name, []).append(node.value)
    return names


@pytest.mark.parametrize("path", source_files(), ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_a_source_says_nothing_past_the_catalogue(path: Path) -> None:
    assert unmarked(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", [
    'raise NpyLabelError("code", "What is wrong.", _("Mend it."))',
    'raise NpyLabelError("code", _("What is wrong."), fix="Mend it.")',
    'raise NpyLabelError("code", f"{path} is wrong", _("Mend it."))',
    'raise NpyLabelError("code", _("What is wrong.") + " Really.", _("Mend it."))',
    'raise NpyLabelError("code", "{} is wrong".format(path), _("Mend it."))',
    'def f():\n    what = "What is wrong."\n    raise NpyLabelError("code", what, _("Mend it."))',
    'report.messages.append("Done.")', 'report.messages.insert(0, "Done.")', 'report.messages += [f"{count} done"]',
    'report.next_step = "Go on."', 'report.next_step = _("Go on.") if more else "Stop."',
    'report.pictures["Curves"] = path', 'track(items, total=3, label="Photos")', 'print(f"{count} photos")',
])
def test_a_bare_text_is_found(source: str) -> None:
    assert len(unmarked(source)) == 1


@pytest.mark.parametrize("source", [
    'raise NpyLabelError("code", _("{name} is wrong: {x}.").format(name="size_px", x="-"), _("Mend it."))',
    'report.messages.append(f"{code}: {count} - {describe(code)}")', 'report.messages += [_("Done.")]',
    'report.next_step = _("Go on.") if more else _("Stop.")', 'report.facts["mended"] = 3',
    'report.messages.append(", ".join(names))', 'track(items, total=3, label=_("Photos"))', 'print(report)',
])
def test_a_marked_text_is_not(source: str) -> None:
    assert unmarked(source) == []
