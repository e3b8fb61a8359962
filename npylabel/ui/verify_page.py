"""``verify.html``: what the verifier found, with pictures, in one file that travels."""

import html
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from npylabel.base.classes import ClassTable, nfc
from npylabel.base.files import write_text
from npylabel.base.i18n import _
from npylabel.base.thumbs import data_uri
from npylabel.dataset.faults import FAULT, Finding, explain
from npylabel.dataset.verify import Verification
from npylabel.ui.sheets import pick

THUMB_PX = 112
# A page of a few megabytes still opens on a phone.
MOST_FINDINGS_PER_CODE = 12
SAMPLES = 24
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.good { color: #17753a; } .bad { color: #b3261e; } .warn { color: #8a5a00; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; } figure { margin: 0; width: 236px; }
figure img { width: 112px; height: 112px; object-fit: cover; border-radius: 4px; background: #ddd; margin-right: 4px; }
figcaption { font-size: .8rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }
.bar { background: #4a7fb5; height: .7rem; border-radius: 2px; }
pre { background: #f4f4f2; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def write_verify_page(path: Path, verification: Verification, table: ClassTable, advice: Sequence[str]) -> Path:
    """Write the page.

    Args:
        path: of the page.
        verification: what was found.
        table: names of the classes.
        advice: lines about what to do with the dataset now, each text or a command.
    """
    body = [_head(verification), *_findings(verification), _samples(verification, table), _classes(verification, table)]
    body.append(f"<h2>{_text(_('What reads this dataset'))}</h2><pre>{_text(chr(10).join(advice))}</pre>")
    write_text(path, (
        f"<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>verify_tintora</title><style>{_STYLE}</style>{''.join(body)}"))
    return path


def _text(value: object) -> str:
    return html.escape(str(value).encode("utf-8", "backslashreplace").decode("utf-8"))


def _head(verification: Verification) -> str:
    faults, warnings = verification.count(FAULT), len(verification.findings) - verification.count(FAULT)
    kind, mark = ("bad", "✗") if faults else ("good", "✓")
    summary = _("{triplets} triplets, {faults} faults, {warnings} warnings").format(
        triplets=len(verification.files.stems), faults=faults, warnings=warnings)
    return f"<h1 class='{kind}'>{mark} {_text(summary)}</h1>"


def _findings(verification: Verification) -> list[str]:
    parts = []
    for code, count in verification.codes.items():
        severity, meaning, cure = explain(code)
        shown = [finding for finding in verification.findings if finding.code == code][:MOST_FINDINGS_PER_CODE]
        kind = "bad" if severity == FAULT else "warn"
        parts.append(
            f"<h2 class='{kind}'>{_text(code)}: {count}</h2><p>{_text(meaning)}<br>"
            f"<b>{_text(_('What to do'))}:</b> {_text(cure)}</p>"
            f"<div class='cards'>{''.join(_finding(finding, verification) for finding in shown)}</div>")
    return parts


def _finding(finding: Finding, verification: Verification) -> str:
    stem = nfc(Path(finding.name).stem if "/" in finding.name else finding.name)
    return _card(stem, verification, f"{finding.name} {finding.detail}")


def _card(stem: str, verification: Verification, caption: str) -> str:
    files = verification.files
    images = "".join(f"<img alt='' src='{uri}'>" for uri in (_thumb(files.color.get(stem)), _thumb(files.bw.get(stem)))
                     if uri)
    return f"<figure>{images}<figcaption>{_text(caption)}</figcaption></figure>"


def _thumb(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX)
    except (OSError, SyntaxError, ValueError):
        return ""
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return data_uri(file.getvalue())


def _samples(verification: Verification, table: ClassTable) -> str:
    cards = []
    for stem in pick(list(verification.class_ids), SAMPLES):
        class_id = verification.class_ids[stem]
        row = verification.label_rows.get(stem)
        confidence = f" {row.confidence}" if row and row.confidence else ""
        cards.append(_card(stem, verification, f"{stem}: {class_id} {table.names[class_id]}{confidence}"))
    return f"<h2>{_text(_('Samples'))}</h2><div class='cards'>{''.join(cards)}</div>"


def _classes(verification: Verification, table: ClassTable) -> str:
    counts = Counter(verification.class_ids.values())
    most = max(counts.values(), default=1)
    rows = "".join(
        f"<tr><td>{class_id}</td><td>{_text(table.names[class_id])}</td><td>{count}</td>"
        f"<td><div class='bar' style='width:{round(200 * count / most)}px'></div></td></tr>"
        for class_id, count in counts.most_common())
    return f"<h2>{_text(_('Classes'))}</h2><table>{rows}</table>"
