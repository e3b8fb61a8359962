"""The class table: the only source of class ids."""

import difflib
import hashlib
import json
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _

UNKNOWN_NAME = "неопределённый_объект"
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
    """

    names: dict[int, str]
    unknown_id: int | None = None

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """All ids, ascending: the order of the network's outputs."""
        return tuple(self.names)

    @cached_property
    def _id_by_name(self) -> dict[str, int]:
        return {name.casefold(): class_id for class_id, name in self.names.items()}

    @cached_property
    def sha256(self) -> str:
        """Checksum of the content, the same whatever the file's layout."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def find(self, folder_name: str) -> int | None:
        """The id that a folder's name stands for (a class name or an id), or None."""
        name = nfc(folder_name).strip().casefold()
        if name in self._id_by_name:
            return self._id_by_name[name]
        return int(name) if name.isascii() and name.isdigit() and int(name) in self.names else None

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
            the one named ``неопределённый_объект``, or the one marked ``"unknown": true``.

    Raises:
        NpyLabelError: ``classes_missing``, ``classes_json`` (with line and column), ``classes_entry``,
            ``classes_double``, ``classes_alphabets``, ``classes_empty``.
    """
    pairs = _read_pairs(path)
    entries = [_entry(path, key, value) for key, value in pairs]
    if not entries:
        raise _error(path, "classes_empty", _("it names no classes"))
    _refuse_doubles(path, [class_id for class_id, *_rest in entries], [name for _id, name, _mark in entries])
    unknown = [class_id for class_id, name, marked in entries if marked or name == UNKNOWN_NAME]
    if len(unknown) > 1:
        raise _error(path, "classes_double", _("more than one class is marked as the unknown one"))
    names = {class_id: name for class_id, name, _mark in sorted(entries)}
    return ClassTable(names, unknown[0] if unknown else None)


def _read_pairs(path: Path) -> list[tuple[str, object]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
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


def _entry(path: Path, key: str, value: object) -> tuple[int, str, bool]:
    """(id, name, marked as unknown) of one entry of either form."""
    if isinstance(value, list):
        fields = dict(value) if all(isinstance(item, tuple) for item in value) else {}
        name, class_id, marked = fields.get("name"), fields.get("id"), fields.get("unknown") is True
        if key != str(class_id):
            raise _error(path, "classes_entry", _("entry {key!r} has the id {value!r}").format(key=key, value=class_id))
    else:
        name, class_id, marked = key, value, False
    if not isinstance(class_id, int) or isinstance(class_id, bool) or class_id < 0:
        raise _error(path, "classes_entry", _("the id of {key!r} is {value!r}, not a whole number from 0 up").format(
            key=key, value=class_id))
    if not isinstance(name, str) or not _is_folder_name(name):
        raise _error(path, "classes_entry", _("the name {value!r} of {key!r} cannot be a folder's name").format(
            key=key, value=name))
    if mixes_alphabets(name):
        reason = _("the name {name!r} mixes Latin and Cyrillic letters").format(name=name)
        raise _error(path, "classes_alphabets", reason)
    return class_id, nfc(name), marked


def _is_folder_name(name: str) -> bool:
    bad = set('/\\:*?"<>|') & set(name)
    return bool(name.strip()) and name == name.strip() and not bad and name[0] != "." and name.isprintable()


def _refuse_doubles(path: Path, ids: list[int], names: list[str]) -> None:
    # Names that differ in case only would share a folder on Windows and macOS.
    folded = [name.casefold() for name in names]
    double = sorted({str(i) for i in ids if ids.count(i) > 1} | {n for n in folded if folded.count(n) > 1})
    if double:
        raise _error(path, "classes_double", _("these appear more than once: {names}").format(names=", ".join(double)))


def _error(path: Path, code: str, reason: str) -> NpyLabelError:
    return NpyLabelError(
        code,
        _("The class table {path} is wrong: {reason}.").format(path=path, reason=reason),
        _('Write it like the project\'s classes.json: {{"0": {{"name": "глаза", "id": 0}}, ...}}.').format(),
    )
