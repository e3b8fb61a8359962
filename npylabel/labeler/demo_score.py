"""How well the drawn photos were named: the only ones whose right answer is known."""

from pathlib import Path

from npylabel.base.classes import ClassTable
from npylabel.base.tables import read_csv, write_csv
from npylabel.dataset.labels import read_label_rows, table_path
from npylabel.photos.manifest import OK, read_rows

TRUTH = "photos_truth.csv"


def write_truth(demo_dir: Path, truth: dict[str, str]) -> None:
    """Keep the class that each drawn photo shows, by file name."""
    write_csv(demo_dir / TRUTH, ("file", "class_name"), [
        {"file": name, "class_name": truth[name]} for name in sorted(truth)])


def demo_score(demo_dir: Path, labels_dir: Path, table: ClassTable) -> dict[str, float]:
    """Share of the drawn photos whose best class is right, and share below the threshold; {} where unknown."""
    truth = {row["file"]: row["class_name"] for row in read_csv(demo_dir / TRUTH)}
    sources = {row.name: row.source for row in read_rows(labels_dir.parent) if row.status == OK}
    labels = read_label_rows(table_path(labels_dir))
    known = [(label, truth[Path(sources[name]).name]) for name, label in labels.items()
             if name in sources and Path(sources[name]).name in truth]
    if not known:
        return {}
    right = sum(table.find_name(label.best_class_name) == table.find_name(name) is not None for label, name in known)
    unknown = sum(label.class_id == table.unknown_id for label, _name in known)
    return {"demo_best_class_right": round(right / len(known), 4),
            "demo_below_threshold": round(unknown / len(known), 4)}
