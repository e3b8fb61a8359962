"""The class table: the only source of class ids."""

import difflib
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from npylabel.base.disks import patiently
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

UNKNOWN_NAME = "неопределённый_объект"
_FIELDS = frozenset({"name", "id", "unknown", "aliases", "replaces"})
# Latin letters that look like Cyrillic ones on the screen; a folder named with one of them matches nothing.
_LOOK_ALIKE = str.maketrans("aceopxyABCEHKMOPTXkmtubh", "асеорхуАВСЕНКМОРТХкмтивн")


def nfc(text: str) -> str:
    """The text in Unicode normal form C, in which all names are compared (macOS writes form D)."""
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class ClassTable:
    """Class ids and names.

    Attributes:
        names: name by id, in ascending order of id; ids need not be dense.
        unknown_id: id of the class for "none of these", or None.
        aliases: class id by other name that stands for the class: its names of before, and those of classes that
            were merged into it. A name never changes its meaning, so whatever was made with an older table can be
            read by name.
        retired: class id by id that is not given out any more, because its class was merged into that one.
    """

    names: dict[int, str]
    unknown_id: int | None = None
    aliases: dict[str, int] = field(default_factory=dict)
    retired: dict[int, int] = field(default_factory=dict)

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """All ids, ascending: the order of the network's outputs."""
        return tuple(self.names)

    @cached_property
    def _id_by_name(self) -> dict[str, int]:
        named = {name: class_id for class_id, name in self.names.items()}
        return {name.casefold(): class_id for name, class_id in {**self.aliases, **named}.items()}

    @cached_property
    def sha256(self) -> str:
        """Checksum of ids and names, the same whatever the file's layout.

        Aliases are left out: they change neither what an id means nor how many outputs a network has, and another
        spelling that is added to a class must not make labels and models old.
        """
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def find(self, folder_name: str) -> int | None:
        """The id that a folder's name stands for (a name or alias of a class, or an id), or None."""
        name = nfc(folder_name).strip()
        class_id = self.find_name(name)
        if class_id is not None or not (name.isascii() and name.isdigit()):
            return class_id
        return self.id_now(int(name))

    def find_name(self, name: str) -> int | None:
        """The id of the class that has this name or alias, or None; digits are no id here."""
        return self._id_by_name.get(nfc(name).strip().casefold())

    def id_now(self, class_id: int) -> int | None:
        """The id, or that of the class which a retired one was merged into; None where it never was one."""
        return class_id if class_id in self.names else self.retired.get(class_id)

    def suggestion(self, folder_name: str) -> str:
        """The class name that was probably meant, or ""."""
        name = nfc(folder_name).strip().casefold()
        if name.translate(_LOOK_ALIKE) in self._id_by_name:
            return self.names[self._id_by_name[name.translate(_LOOK_ALIKE)]]
        near = difflib.get_close_matches(name, self._id_by_name, n=1, cutoff=0.6)
        return self.names[self._id_by_name[near[0]]] if near else ""

    def to_json(self) -> dict:
        """The table as plain values, for files."""
        return {"names": {str(i): name for i, name in self.names.items()}, "unknown_id": self.unknown_id}

    @classmethod
    def from_json(cls, value: dict) -> "ClassTable":
        """The table that ``to_json`` wrote."""
        return cls({int(i): name for i, name in value["names"].items()}, value["unknown_id"])

    def difference(self, other: "ClassTable") -> str:
        """What is not the same in the other table, as "id: name / name" pairs, at most five."""
        ids = sorted(set(self.names) | set(other.names))
        pairs = [f"{i}: {self.names.get(i, '-')} / {other.names.get(i, '-')}"
                 for i in ids if self.names.get(i) != other.names.get(i)]
        if self.unknown_id != other.unknown_id:
            pairs.append(f"unknown: {self.unknown_id} / {other.unknown_id}")
        return "; ".join(pairs[:5]) + (" ..." if len(pairs) > 5 else "")


def mixes_alphabets(text: str) -> bool:
    """Whether Latin and Cyrillic letters stand in one name."""
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in nfc(text) if letter.isalpha()}
    return {"LATIN", "CYRILLIC"} <= scripts


def load_classes(path: Path) -> ClassTable:
    """The class table of a JSON file.

    Args:
        path: ``{"0": {"name": "глаза", "id": 0}, ...}`` or ``{"глаза": 0, ...}``, UTF-8. The unknown class is
            the one named ``неопределённый_объект``, or the one marked ``"unknown": true``. An entry of the long
            form may have ``"aliases": ["глаз"]`` and ``"replaces": [7]``, see ``ClassTable``.

    Raises:
        NpyLabelError: ``classes_missing``, ``classes_json`` (with line and column), ``classes_entry``,
            ``classes_double``, ``classes_alphabets``, ``classes_empty``, ``classes_changing``.
    """
    _refuse_half_changed(path)
    return read_classes(path)


def read_classes(path: Path) -> ClassTable:
    """The same, also in the middle of a change of the classes."""
    pairs = _read_pairs(path)
    entries = [_entry(path, key, value) for key, value in pairs]
    if not entries:
        raise _error(path, "classes_empty", _("it names no classes"))
    _refuse_doubles(path, entries)
    unknown = [entry.class_id for entry in entries if entry.marked or entry.name == UNKNOWN_NAME]
    if len(unknown) > 1:
        raise _error(path, "classes_double", _("more than one class is marked as the unknown one"))
    entries.sort(key=lambda entry: entry.class_id)
    return ClassTable(
        {entry.class_id: entry.name for entry in entries}, unknown[0] if unknown else None,
        {name: entry.class_id for entry in entries for name in entry.aliases},
        {class_id: entry.class_id for entry in entries for class_id in entry.replaces})


def classes_text(table: ClassTable, others: Mapping[int, Mapping] | None = None) -> str:
    """The table in the long form of the file, one class a line.

    Args:
        table: what to write.
        others: fields of a person's own by class id, which are kept; see ``read_other_fields``.
    """
    lines = [f'  "{class_id}": ' + json.dumps(_long_entry(table, class_id, others or {}), ensure_ascii=False)
             for class_id in table.ids]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _long_entry(table: ClassTable, class_id: int, others: Mapping[int, Mapping]) -> dict:
    name = table.names[class_id]
    entry = {"name": name, "id": class_id}
    if class_id == table.unknown_id and name != UNKNOWN_NAME:
        entry["unknown"] = True
    if aliases := [alias for alias, owner in table.aliases.items() if owner == class_id]:
        entry["aliases"] = aliases
    if replaces := sorted(old for old, owner in table.retired.items() if owner == class_id):
        entry["replaces"] = replaces
    return {**entry, **others.get(class_id, {})}


def read_other_fields(path: Path) -> dict[int, dict]:
    """What the entries of a class table hold beside our fields, by id; of a file that ``load_classes`` took."""
    values = json.loads(_text_of(path))
    entries = [value for value in values.values() if isinstance(value, dict)]
    return {entry["id"]: {key: value for key, value in entry.items() if key not in _FIELDS} for entry in entries}


def change_mark(path: Path) -> Path:
    """The file beside a class table that says that a change of the classes is not finished."""
    return path.with_name(f".{path.name}.change")


def _refuse_half_changed(path: Path) -> None:
    if _is_there(change_mark(path)):
        raise NpyLabelError(
            "classes_changing",
            _("A change of the classes in {path} was interrupted: labels and folders are between two class tables."
              ).format(path=path),
            _('Finish it first: notebook 00_manage with action="classes" and confirm=True, or '
              "python npylabel_core.py manage --action classes --confirm"))


def _is_there(path: Path) -> bool:
    try:
        patiently(path, path.stat)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _text_of(path: Path) -> str:
    return patiently(path, lambda: path.read_text(encoding="utf-8-sig"))


def _read_pairs(path: Path) -> list[tuple[str, object]]:
    try:
        text = _text_of(path)
    except FileNotFoundError as error:
        raise NpyLabelError(
            "classes_missing",
            _("The class table {path} does not exist.").format(path=path),
            _("Copy classes.json from the project into the work folder, or set classes_path."),
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = _("it cannot be read as UTF-8 text ({reason})").format(reason=error)
        raise _error(path, "classes_json", reason) from error
    try:
        pairs = json.loads(text, object_pairs_hook=lambda items: items)
    except json.JSONDecodeError as error:
        reason = _("line {line}, column {column}: {reason}").format(
            line=error.lineno, column=error.colno, reason=error.msg)
        raise _error(path, "classes_json", reason) from error
    if not isinstance(pairs, list) or not all(isinstance(item, tuple) for item in pairs):
        raise _error(path, "classes_json", _("it is not a JSON object {...}"))
    return pairs


@dataclass(frozen=True)
class _Entry:
    """One entry of the file as it stands there."""

    class_id: int
    name: str
    marked: bool = False
    aliases: tuple[str, ...] = ()
    replaces: tuple[int, ...] = ()


def _entry(path: Path, key: str, value: object) -> _Entry:
    """One entry of either form."""
    fields = {"name": key, "id": value}
    if isinstance(value, list):
        fields = dict(value) if all(isinstance(item, tuple) for item in value) else {}
        if key != str(fields.get("id")):
            raise _error(path, "classes_entry", _("entry {key!r} has the id {value!r}").format(
                key=key, value=fields.get("id")))
    class_id, name = fields.get("id"), fields.get("name")
    aliases, replaces = fields.get("aliases", []), fields.get("replaces", [])
    if not _is_id(class_id):
        raise _error(path, "classes_entry", _("the id of {key!r} is {value!r}, not a whole number from 0 up").format(
            key=key, value=class_id))
    if not isinstance(aliases, list) or not isinstance(replaces, list) or not all(map(_is_id, replaces)):
        raise _error(path, "classes_entry", _(
            '"aliases" of {key!r} must be a list of names, and "replaces" a list of ids').format(key=key))
    for each in (name, *aliases):
        if fault := name_fault(each):
            raise _error(path, fault[0], fault[1])
    return _Entry(class_id, nfc(name), fields.get("unknown") is True, tuple(map(nfc, aliases)), tuple(replaces))


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def name_fault(name: object) -> tuple[str, str] | None:
    """(code, reason) why this cannot be the name of a class, or None where it can."""
    if not isinstance(name, str) or not _is_folder_name(name):
        return "classes_entry", _("the name {value!r} cannot be a folder's name").format(value=name)
    if mixes_alphabets(name):
        return "classes_alphabets", _("the name {name!r} mixes Latin and Cyrillic letters").format(name=name)
    return None


def _is_folder_name(name: str) -> bool:
    bad = set('/\\:*?"<>|') & set(name)
    return bool(name.strip()) and name == name.strip() and not bad and name[0] != "." and name.isprintable()


def _refuse_doubles(path: Path, entries: list[_Entry]) -> None:
    ids = [class_id for entry in entries for class_id in (entry.class_id, *entry.replaces)]
    # Names that differ in case only would share a folder on Windows and macOS.
    folded = [name.casefold() for entry in entries for name in (entry.name, *entry.aliases)]
    double = sorted({str(i) for i in ids if ids.count(i) > 1} | {n for n in folded if folded.count(n) > 1})
    if double:
        raise _error(path, "classes_double", _("these appear more than once: {names}").format(names=", ".join(double)))


def _error(path: Path, code: str, reason: str) -> NpyLabelError:
    return NpyLabelError(
        code,
        _("The class table {path} is wrong: {reason}.").format(path=path, reason=reason),
        _('Write it like the project\'s classes.json: {{"0": {{"name": "глаза", "id": 0}}, ...}}.').format(),
    )
