"""Step 05: is the dataset whole, consistent, and what TintoraAI expects?"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.errors import NpyLabelError
from npylabel.base.i18n import _
from npylabel.base.parallel import WorkerDiedError, run_jobs
from npylabel.base.progress import track
from npylabel.base.tables import printable, write_csv
from npylabel.dataset.faults import FAULT, Finding, explain
from npylabel.dataset.labels import LABELS_TABLE, LabelRow, read_label_rows, table_path
from npylabel.dataset.layout import DatasetFiles, list_dataset
from npylabel.dataset.triplet_check import TripletJob, TripletResult, check_triplet
from npylabel.photos.manifest import OK, PhotoRow, read_rows
from npylabel.photos.reasons import DECODER_CRASHED, describe

VERIFY_TABLE = "verify.csv"
_COLUMNS = ("severity", "code", "name", "detail", "meaning", "cure")
# Worker processes take half a second to start; below this many triplets one process is done sooner.
_WORTH_WORKERS = 40
MOSTLY_UNKNOWN = 0.5


@dataclass(frozen=True)
class Verification:
    """What the verifier found.

    Attributes:
        findings: sorted by severity, code and name.
        files: the files of the dataset.
        class_ids: label by stem, of the triplets whose label can be read.
        rows: step 01's row by stem.
        label_rows: ``labels.csv`` by stem.
    """

    findings: list[Finding]
    files: DatasetFiles
    class_ids: dict[str, int]
    rows: dict[str, PhotoRow]
    label_rows: dict[str, LabelRow]

    def count(self, severity: str) -> int:
        """How many findings of a severity there are."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def codes(self) -> dict[str, int]:
        """Number of findings by code."""
        return dict(sorted(Counter(finding.code for finding in self.findings).items()))


def verify_dataset(dataset_dir: Path, table: ClassTable, *, size_px: int = 512, workers: int = 0) -> Verification:
    """Everything that is wrong with the dataset; nothing is changed.

    Args:
        dataset_dir: holds ``color/``, ``bw/`` and ``labels/``.
        table: the only source of class ids.
        size_px: side that pictures must have.
        workers: processes, 0 for one per core.

    Raises:
        NpyLabelError: ``dataset_missing``, ``manifest_damaged``.
    """
    if not dataset_dir.is_dir() or not any((dataset_dir / name).is_dir() for name in ("color", "bw", "labels")):
        raise NpyLabelError(
            "dataset_missing", _("There is no dataset in {path}.").format(path=dataset_dir),
            _("Run notebook 01 first, or set dataset_dir."))
    files = list_dataset(dataset_dir)
    rows = read_rows(dataset_dir)
    made = {row.name: row for row in rows if row.status == OK}
    labels_csv = table_path(dataset_dir / "labels")
    label_rows = read_label_rows(labels_csv)
    jobs = [_job(stem, files, table, size_px, label_rows.get(stem), made.get(stem)) for stem in files.stems]
    results = _check_all(jobs, workers)
    class_ids = {result.stem: result.class_id for result in results if result.class_id is not None}
    findings = [*files.findings, *(finding for result in results for finding in result.findings)]
    findings += _same_pictures(results) + _table_findings(files, label_rows, labels_csv)
    findings += _whole(class_ids, table, rows)
    findings.sort(key=lambda finding: (finding.severity != FAULT, finding.code, finding.name, finding.detail))
    return Verification(findings, files, class_ids, made, label_rows)


def _job(
    stem: str, files: DatasetFiles, table: ClassTable, size_px: int, row: LabelRow | None, made: PhotoRow | None
) -> TripletJob:
    return TripletJob(
        stem, files.color.get(stem), files.bw.get(stem), files.labels.get(stem), size_px, frozenset(table.ids),
        table.sha256, row, made.color_sha256 if made else "")


def _check_all(jobs: Sequence[TripletJob], workers: int) -> list[TripletResult]:
    few = len(jobs) < _WORTH_WORKERS and not workers
    results = []
    checks = run_jobs(check_triplet, jobs, workers=1 if few else workers)
    for job, result in track(checks, total=len(jobs), label=_("Triplets")):
        if isinstance(result, WorkerDiedError):
            result = TripletResult(job.stem, [Finding("picture_damaged", job.stem, describe(DECODER_CRASHED))])
        results.append(result)
    return sorted(results, key=lambda result: result.stem)


def _same_pictures(results: Sequence[TripletResult]) -> list[Finding]:
    by_pixels = defaultdict(list)
    for result in results:
        if result.pixels_sha256:
            by_pixels[result.pixels_sha256].append(result.stem)
    return [Finding("same_picture", stems[0], ", ".join(stems[1:])) for stems in by_pixels.values() if len(stems) > 1]


def _table_findings(files: DatasetFiles, label_rows: dict[str, LabelRow], labels_csv: Path) -> list[Finding]:
    if not labels_csv.is_file():
        return [Finding("labels_csv_missing", LABELS_TABLE)] if files.labels else []
    unlisted = [Finding("label_unlisted", f"labels/{path.name}") for stem, path in files.labels.items()
                if stem not in label_rows]
    pictures = {*files.color, *files.bw}
    return unlisted + [Finding("label_row_extra", stem) for stem in label_rows if stem not in pictures]


def _whole(class_ids: dict[str, int], table: ClassTable, rows: Sequence[PhotoRow]) -> list[Finding]:
    findings = []
    unknown = sum(class_id == table.unknown_id for class_id in class_ids.values())
    if class_ids and unknown / len(class_ids) > MOSTLY_UNKNOWN:
        findings.append(Finding("unknown_share", LABELS_TABLE, f"{unknown} / {len(class_ids)}"))
    if len({row.made_from for row in rows}) > 1:
        findings.append(Finding("mixed_worlds", "manifest.csv"))
    return findings


def write_findings(path: Path, verification: Verification) -> None:
    """Write ``verify.csv``."""
    rows = []
    for finding in verification.findings:
        severity, meaning, cure = explain(finding.code)
        rows.append({"severity": severity, "code": finding.code, "name": printable(finding.name),
                     "detail": printable(finding.detail), "meaning": meaning, "cure": cure})
    write_csv(path, _COLUMNS, rows)
