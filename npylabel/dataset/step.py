"""Step 05 as a whole: verify, repair and export on request, and say who reads the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.i18n import _
from npylabel.base.report import StepReport
from npylabel.dataset.export import export_dataset, zip_folder
from npylabel.dataset.faults import FAULT, explain
from npylabel.dataset.leave_out import settle_left_out
from npylabel.dataset.repair import repair_dataset
from npylabel.dataset.verify import VERIFY_TABLE, Verification, verify_dataset, write_findings
from npylabel.photos.manifest import OK, PhotoRow, read_rows


@dataclass(frozen=True)
class ExportSettings:
    """Whether and how the second layout is made; ``export_dir`` None is no export."""

    export_dir: Path | None
    export_zip: bool
    val_fraction: float
    test_fraction: float
    random_seed: int


def verify_step(
    dataset_dir: Path, table: ClassTable, *, size_px: int, repair: bool, workers: int, export: ExportSettings,
    decisions_dir: Path | None = None,
) -> tuple[StepReport, Verification, list[str]]:
    """(report, what was found, lines on which program reads what).

    Photos that people left out by the journal in ``decisions_dir`` are no part of the dataset: they go aside first.

    Raises:
        NpyLabelError: of ``settle_left_out``, ``verify_dataset`` and ``export_dataset``.
    """
    report = StepReport("verify_tintora")
    if decisions_dir:
        report.messages += settle_left_out(decisions_dir, dataset_dir=dataset_dir)[1]
    size_px = size_px or made_size(read_rows(dataset_dir))
    with report.timed("verify"):
        found = verify_dataset(dataset_dir, table, size_px=size_px, workers=workers)
    if repair and found.findings:
        mended = repair_dataset(dataset_dir, found)
        report.messages.append(_("{count} files were mended.").format(count=mended))
        report.facts["mended"] = mended
        with report.timed("verify"):
            found = verify_dataset(dataset_dir, table, size_px=size_px, workers=workers)
    write_findings(dataset_dir / VERIFY_TABLE, found)
    report.files[VERIFY_TABLE] = dataset_dir / VERIFY_TABLE
    _describe(report, found, table)
    if export.export_dir:
        with report.timed("export"):
            _export(report, found, export)
    return report, found, reader_advice(dataset_dir, export.export_dir, max(table.ids) + 1)


def _describe(report: StepReport, found: Verification, table: ClassTable) -> None:
    faults = found.count(FAULT)
    report.faulty = faults > 0
    report.facts |= {"triplets": len(found.files.stems), "faults": faults, "codes": {
        code: count for code, count in found.codes.items() if explain(code)[0] == FAULT}}
    unknown = sum(class_id == table.unknown_id for class_id in found.class_ids.values())
    report.measured |= {
        "warnings": {code: count for code, count in found.codes.items() if explain(code)[0] != FAULT},
        "unknown_share": round(unknown / max(len(found.class_ids), 1), 4)}
    for code, count in found.codes.items():
        _severity, meaning, cure = explain(code)
        report.messages.append(f"{code}: {count} - {meaning}. {_('What to do')}: {cure}.")
    if faults:
        report.next_step = _("The dataset has faults: verify.html shows them with their cures.")
    else:
        report.next_step = _("The dataset is whole: it is ready for TintoraAI.")


def _export(report: StepReport, found: Verification, export: ExportSettings) -> None:
    if found.count(FAULT):
        report.messages.append(_("Nothing was exported, because the dataset has faults."))
        return
    counts = export_dataset(
        found, export.export_dir, val_fraction=export.val_fraction, test_fraction=export.test_fraction,
        random_seed=export.random_seed)
    # The sides are balanced by label, and labels are what a network thinks.
    report.measured["export"] = counts
    report.facts["exported"] = sum(counts.values())
    report.files["export"] = export.export_dir
    if export.export_zip:
        target = export.export_dir.with_name(f"{export.export_dir.name}.zip")
        report.files["zip"] = zip_folder(export.export_dir, target)


def reader_advice(dataset_dir: Path, export_dir: Path | None, classes: int) -> list[str]:
    """Which TintoraAI reads which layout, with its commands."""
    second = export_dir or Path("EXPORT_DIR")
    return [
        _("# With labels (bw, color, labels): the first TintoraAi"),
        f"python src/training/train.py --data_path {dataset_dir} --num_classes {classes}",
        "",
        _("# Without labels (grayscale, color): the later TintoraAI, whose configuration names the folders"),
        f"train_grayscale_dir: {second}/train/grayscale",
        f"train_color_dir: {second}/train/color",
        f"val_grayscale_dir: {second}/val/grayscale",
        f"val_color_dir: {second}/val/color",
        "",
        _("# Today's TintoraAI makes the gray itself and reads one flat folder of color photos a side: link these"),
        f"ln -s {second}/train/color data/train && ln -s {second}/val/color data/val",
        "python -m src.train --config configs/default.yaml",
    ]


def made_size(rows: Sequence[PhotoRow]) -> int:
    """The side of the pictures that step 01 made, where it is the same for all; else what TintoraAI wants, 512."""
    sizes = {row.settings.partition(" ")[0] for row in rows if row.status == OK}
    size = sizes.pop() if len(sizes) == 1 else ""
    return int(size) if size.isdigit() else 512
