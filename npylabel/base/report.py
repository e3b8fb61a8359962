"""What a step says when it is done."""

import html
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from npylabel.base.i18n import _


@dataclass
class StepReport:
    """The result of a step: shows itself in a notebook and prints itself in a terminal.

    Attributes:
        step: name of the step, such as "train".
        facts: what must be the same on every machine: counts, ids, shapes, booleans.
        measured: what may differ between machines: scores, sizes, rates.
        timings_s: seconds by part of the work.
        files: what was written, by meaning.
        messages: sentences for the person, translated.
        pictures: picture files that the display shows, by translated caption.
        faulty: the result has faults that the report lists (exit code 1).
        next_step: what to do now, translated.
    """

    step: str
    facts: dict[str, object] = field(default_factory=dict)
    measured: dict[str, object] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    pictures: dict[str, Path] = field(default_factory=dict)
    faulty: bool = False
    next_step: str = ""

    @property
    def exit_code(self) -> int:
        """0, or 1 where the result has faults."""
        return int(self.faulty)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the seconds of the block to ``timings_s[part]``."""
        started = time.monotonic()
        yield
        self.timings_s[part] = round(self.timings_s.get(part, 0.0) + time.monotonic() - started, 3)

    def facts_json(self, *later: "StepReport") -> str:
        """The facts as stable JSON text, with those of later steps by their names."""
        facts = {"step": self.step, **self.facts, **{report.step: report.facts for report in later}}
        return json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)

    def __str__(self) -> str:
        lines = [f"== {self.step} ==", *self.messages]
        lines += [f"  {name}: {value}" for name, value in {**self.facts, **self.measured}.items()]
        lines += [f"  {name}: {path}" for name, path in self.files.items()]
        return "\n".join([*lines, *([self.next_step] if self.next_step else [])])

    def _repr_html_(self) -> str:
        from npylabel.base.thumbs import picture_html

        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(str(name))}</td>"
            f"<td style='text-align:left'>{html.escape(_short(value))}</td></tr>"
            for name, value in {**self.facts, **self.measured, **self.files}.items()
        )
        messages = "".join(f"<div>{html.escape(line)}</div>" for line in self.messages)
        pictures = "".join(picture_html(path, caption) for caption, path in self.pictures.items())
        title = "⚠️" if self.faulty else "✅"
        return (
            f"<div><h3>{title} {html.escape(self.step)}</h3>{messages}{pictures}"
            f"<details><summary>{html.escape(_('Details'))}</summary><table>{rows}</table></details>"
            f"<p><b>{html.escape(self.next_step)}</b></p></div>"
        )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 300 else text[:300] + " ..."
