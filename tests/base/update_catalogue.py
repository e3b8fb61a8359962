"""``python -m tests.base.update_catalogue``: bring the Russian catalogue in step with the sources.

Translations are kept, messages that no source has any more are dropped (and shown, so that a reworded one can be
translated from what was there), new ones get an empty translation and are listed. The output depends on the sources
and the translations alone: no dates, no line numbers, no version of the tool.
"""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from npylabel.base.i18n import LOCALE_DIR

PROJECT = Path(__file__).resolve().parents[2]
PO = LOCALE_DIR / "ru" / "LC_MESSAGES" / "npylabel.po"
MO = PO.with_suffix(".mo")
# The functions whose argument is a message: translated at once, or later (in tables).
MARKS = ("_", "N_")
_COMMENT = "# Russian texts of npylabel. Update and compile: python -m tests.base.update_catalogue"


class RussianCatalogue(Catalog):
    """A catalogue whose header says nothing that changes by itself."""

    mime_headers = property(lambda _self: [
        ("Language", "ru"), ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit")])


def source_files() -> list[Path]:
    """The sources whose texts a person reads, in order."""
    return [*sorted((PROJECT / "npylabel").rglob("*.py")), PROJECT / "npylabel_core.py"]


def marked_calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of ``_`` and ``N_`` at and below a node, in the order of the syntax tree."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
        yield node
    for child in ast.iter_child_nodes(node):
        yield from marked_calls(child)


def extract_marked(fileobj: io.BufferedIOBase, *_rest: object, **_options: object) -> Iterator[tuple]:
    """A Babel extraction method that also finds calls inside f-strings, on every version of Python alike."""
    for call in marked_calls(ast.parse(fileobj.read())):
        texts = tuple(arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
        yield call.lineno, "_", texts, []


def source_messages() -> list[str]:
    """All messages of the sources, each once, by file and place."""
    found = [message for path in source_files() for _line, message, *_rest in extract_from_file(extract_marked, path)]
    return list(dict.fromkeys(found))


def read_catalogue(path: Path = PO) -> Catalog:
    """The catalogue of a .po file; an empty one where there is no file."""
    if not path.is_file():
        return Catalog(locale="ru")
    with path.open("rb") as file:
        return read_po(file, locale="ru", domain="npylabel")


def in_step(old: Catalog, messages: list[str]) -> RussianCatalogue:
    """A catalogue of exactly these messages, with the translations that there were."""
    new = RussianCatalogue(locale="ru", domain="npylabel", header_comment=_COMMENT, fuzzy=False)
    for message_id in messages:
        known = old.get(message_id)
        # Babel's flags differ between its versions; the tests compare the placeholders instead.
        new.add(message_id, known.string if known and not known.fuzzy else "").flags.clear()
    return new


def po_bytes(catalogue: Catalog) -> bytes:
    """The text form of a catalogue; long messages stay on one line."""
    file = io.BytesIO()
    write_po(file, catalogue, width=0, no_location=True, ignore_obsolete=True)
    return file.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """The compiled form of a catalogue."""
    file = io.BytesIO()
    write_mo(file, in_step(catalogue, [message.id for message in catalogue if message.id]))
    return file.getvalue()


def main() -> int:
    """Write both files and print what is left to do; the exit code is 1 where a translation is missing."""
    old, messages = read_catalogue(), source_messages()
    new = in_step(old, messages)
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_bytes(po_bytes(new))
    MO.write_bytes(mo_bytes(new))
    missing = [message.id for message in new if message.id and not message.string]
    for message in old:
        if message.id and message.id not in new:
            print(f"dropped: {message.id!r} -> {message.string!r}")
    print(*(f"untranslated: {message_id!r}" for message_id in missing), sep="\n", end="\n" if missing else "")
    print(f"{len(messages)} messages, {len(missing)} untranslated")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
