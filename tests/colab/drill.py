"""A drill: five steps on machines that die at random moments, on a Drive that is late, cuts and fails.

``python -m tests.colab.drill --kills 100 --fault_rate 0.1 --seed 3`` works through the steps again and again, each time
on an empty Drive, until so many machines were killed. Every step runs on a fresh local disk, in a process forked from
this one, which has imported everything. What a person does is done here: a step is run again until it returned and
the tab may be closed; only then comes the next one, and only then the photos of the first portion are taken off Drive.

Checked: after each step that says "everything is saved", whatever then becomes of its machine, a quiet machine finds
every file of it; and the end of each round has the same bytes as one quiet run. Prints one JSON object; exit code 1
where anything differed. Waiting is 40 times faster than in reality; operations of the Drive are as fast as they are.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import torch

# First: it says where Drive is.
from tests.colab.forks import COMMON, DRIVE, LOCAL_DISK, ROOT, SAVE, SPEED, STATE, WORK, Ended, forked  # isort: skip
import npylabel_core as core
from npylabel.base.courier import Courier
from npylabel.base.mirror import Mirror
from npylabel.base.report import StepReport
from tests.colab import slow_drive
from tests.colab.slow_drive import DriveSettings
from tests.labeler import kit

PICTURES = {"size_px": 64, "workers": 1}
STAGES: dict[str, tuple[Callable, dict[str, object]]] = {
    "01, portion 1": (core.collect_and_grayscale, {"photos_dir": "portion_1", **PICTURES}),
    "01, portion 2": (core.collect_and_grayscale, {"photos_dir": "portion_2", **PICTURES}),
    "02": (core.build_train_data, {"source_dir": "class_photos", **PICTURES}),
    "03": (core.train, {"network": "minicnn", "input_px": 32, "epochs": 6, "batch_size": 8, "device": "cpu"}),
    "04": (core.auto_label, {"device": "cpu", "batch_size": 8, "threshold": 0.3}),
    "05": (core.verify_tintora, PICTURES),
}
# What has to be the same to the last byte. Histories and metrics hold seconds, the plan of a training the machine's
# speed.
SAME_TABLES = ("manifest.csv", "quarantine.csv", "labels.csv", "split.csv", "verify.csv", ".per_class.csv",
               "tiny_cnn.pth", "tiny_cnn.last.pth", "checkpoint_epoch_5.pth")
MOST_ATTEMPTS, MOST_FAULTY, LOOKS = 60, 6, 6
# What the status shows when a stage is done.
DONE = {
    "01, portion 1": {"photos": 18}, "01, portion 2": {"photos": 33}, "02": {"training_photos": 24},
    "03": {"epochs": 6}, "04": {"labels": 33}, "05": {},
}
# What each stage writes, and so claims to have saved; what else lies here may be older than what is saved.
WRITES = {
    "01, portion 1": ("tintora_dataset/color/", "tintora_dataset/bw/", "tintora_dataset/manifest.csv",
                      "tintora_dataset/quarantine.csv"),
    "02": ("train_data/",), "03": ("models/",), "04": ("tintora_dataset/labels",), "05": ("tintora_dataset/verify",),
}
WRITES["01, portion 2"] = WRITES["01, portion 1"]


@dataclass
class Tally:
    """What happened in all rounds.

    Attributes:
        kills: by stage.
        attempts: by stage and how they ended: done, killed, still sending, or the code of an error.
        fates: what became of the pending changes of machines that died.
        claims: how often a claim that everything is saved was compared, by the end of its machine.
        differences: every one is a defect.
    """

    rounds: int = 0
    kills: Counter = field(default_factory=Counter)
    attempts: dict[str, Counter] = field(default_factory=lambda: {stage: Counter() for stage in STAGES})
    fates: Counter = field(default_factory=Counter)
    claims: Counter = field(default_factory=Counter)
    conflicts: int = 0
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        values = {**vars(self), "kills": sum(self.kills.values()), "kills_by_stage": self.kills}
        return json.dumps(values, ensure_ascii=False, indent=1)


def write_originals() -> None:
    """The person's photos in two portions, class folders and a class table, all on Drive, the same each time."""
    SAVE.mkdir(parents=True)
    kit.photo_folder(SAVE / "portion_1", 6)
    kit.photo_folder(SAVE / "portion_2", 5, first=600)
    shutil.copyfile(SAVE / "portion_1" / "3_500.png", SAVE / "portion_1" / "same.png")
    shutil.copyfile(SAVE / "portion_1" / "3_501.png", SAVE / "portion_2" / "again.png")
    (SAVE / "portion_2" / "broken.jpg").write_bytes(b"\xff\xd8\xff" + bytes(500))
    kit.class_folders(SAVE / "class_photos", 8)
    (SAVE / "classes.json").write_text(json.dumps(
        {name: class_id for class_id, name in kit.TABLE.names.items()}, ensure_ascii=False), encoding="utf-8")
    for path in SAVE.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def fresh_drive() -> None:
    """An empty Drive with the originals, and no machine yet."""
    shutil.rmtree(ROOT, ignore_errors=True)
    STATE.mkdir(parents=True)
    LOCAL_DISK.mkdir()
    write_originals()


def attempt(
    stage: str, settings: DriveSettings, kill_after_s: float = 0.0, done: Mapping[str, int] = MappingProxyType({})
) -> Ended:
    """Run a stage in a forked process on the Drive, as soon as the status shows what is ``done``."""
    function, parameters = STAGES[stage]

    def look_and_run() -> StepReport:
        # The setup cell tells the numbers; a person who knows better waits, because Drive shows files late.
        for _look in range(LOOKS):
            facts = core.status(**COMMON).facts["own"]
            if all(facts[name] >= count for name, count in done.items()):
                break
            time.sleep(30 / SPEED)
        return function(**parameters, **COMMON)

    return forked(look_and_run, settings, kill_after_s)


def note(text: str) -> None:
    """A line in the log of all steps."""
    with (ROOT / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"\n{text}\n")


def end_machine(rng: random.Random, tally: Tally, *, dies: bool) -> None:
    """The machine is gone, and its local disk with it."""
    for path in LOCAL_DISK.iterdir():
        shutil.rmtree(path)
    if dies:
        fates = slow_drive.machine_dies(DRIVE, rng, state=STATE)
        note(f"machine died: {fates}")
        tally.fates.update(fate for _path, fate in fates)
    else:
        note("machine ended")
        slow_drive.machine_ends(DRIVE, state=STATE)


def saved_files(folder: Path) -> dict[str, bytes]:
    """Everything that a quiet machine finds saved once all late files appeared; the Drive itself is not touched."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SAVE / "saved", folder / "drive" / "npylabel" / "saved")
    shutil.copytree(STATE, folder / "state")
    slow_drive.settle_late(folder / "drive", state=folder / "state")
    os.environ["NPYLABEL_DRIVE_PATIENCE_S"] = "0"
    try:
        Courier(folder / "work", folder / "drive" / "npylabel").pull(lambda path: True)
    finally:
        del os.environ["NPYLABEL_DRIVE_PATIENCE_S"]
    found = {path: (folder / "work" / path).read_bytes() for path in Mirror(folder / "work").scan()}
    shutil.rmtree(folder)
    return found


def compared(files: dict[str, bytes]) -> dict[str, bytes]:
    """Those of the files that must be the same to the last byte."""
    # A first model without its training state is moved aside, as after any kill at that moment.
    aside, pictures = ("models/archive/", "conflicts/"), ("tintora_dataset/", "train_data/")
    return {path: data for path, data in files.items() if not path.startswith(aside)
            and (path.endswith(SAME_TABLES) or (path.startswith(pictures) and path.endswith((".png", ".npy"))))}


# Operations on Drive and seconds of the stages, as last seen; they only aim the kills.
_OPERATIONS: dict[str, int] = {}
_SECONDS: dict[str, float] = {}


class Round:
    """All steps once, on one Drive.

    Args:
        rng: chooses everything.
        tally: gets what happened.
        fault_rate: share of the operations that fail.
        kills: how many machines may still be killed.
        is_quiet: a Drive that is prompt and never fails.
    """

    def __init__(self, rng: random.Random, tally: Tally, fault_rate: float, kills: int, *,
                 is_quiet: bool = False) -> None:
        self.is_quiet, self.done, self.faulty = is_quiet, {}, 0
        self.rng, self.tally, self.fault_rate, self.kills_left = rng, tally, fault_rate, kills
        fresh_drive()

    def play(self) -> dict[str, bytes]:
        """The saved files at the end."""
        for stage in STAGES:
            for _number in range(MOST_ATTEMPTS):
                if self._is_done(stage):
                    break
            else:
                self.tally.differences.append(f"{stage}: not done after {MOST_ATTEMPTS} attempts")
                return {}
            self.done |= DONE[stage]
            if stage == "01, portion 1":
                shutil.rmtree(SAVE / "portion_1")
        return saved_files(ROOT / "check")

    def _settings(self, stage: str) -> tuple[DriveSettings, float]:
        """A Drive of some mood, and after how many seconds its machine is killed (0: not by the clock)."""
        if self.is_quiet:
            return DriveSettings(str(DRIVE), str(STATE)), 0.0
        rng, before = self.rng, slow_drive.usage(DRIVE, state=STATE).total
        usual = _OPERATIONS.get(stage, 60)
        kill_at, kill_after_s = 0, 0.0
        if self.kills_left and rng.random() < 0.75:
            if rng.random() < 0.6:
                kill_at = before + rng.randint(1, round(1.1 * usual))
            else:
                kill_after_s = rng.uniform(0.05, 1.1 * _SECONDS.get(stage, 2.0))
        settings = DriveSettings(
            str(DRIVE), str(STATE), fault_rate=self.fault_rate, seed=rng.randrange(10**9), kill_at=kill_at,
            drop_at=before + rng.randint(1, 2 * usual) if self.fault_rate and rng.random() < 0.08 else 0,
            lag_ops=rng.choice([0, 5, 40, 300]), lag_s=rng.choice([0, 0, 0.1, 0.5]),
            late_ops=rng.choice([0, 0, 5, 60]), late_s=rng.choice([0, 0, 0.2]))
        return settings, kill_after_s

    def _is_done(self, stage: str) -> bool:
        """One attempt; whether the person can go on to the next stage."""
        started, settings_and_time = time.monotonic(), self._settings(stage)
        before = slow_drive.usage(DRIVE, state=STATE).total
        ended = attempt(stage, *settings_and_time, done=self.done)
        name = "still sending" if ended.how == "done" and not ended.all_saved else ended.how
        self.tally.attempts[stage][name] += 1
        moods = ("seed", "kill_at", "drop_at", "lag_ops", "lag_s", "late_ops", "late_s")
        note(f"^ {stage}: {name}; {[(mood, getattr(settings_and_time[0], mood)) for mood in moods]}, "
             f"killed after {settings_and_time[1]:.2f} s")
        if ended.how == "killed":
            self.kills_left -= 1
            self.tally.kills[stage] += 1
            # Now and then only the kernel is killed, and the local disk lives on.
            if self.rng.random() < 0.9:
                end_machine(self.rng, self.tally, dies=True)
            return False
        if ended.how == "done":
            _OPERATIONS[stage] = slow_drive.usage(DRIVE, state=STATE).total - before
            _SECONDS[stage] = time.monotonic() - started
            return self._end_well(stage, ended)
        self.faulty += ended.how == "faulty"
        is_hopeless = ended.how == "faulty" and self.faulty > MOST_FAULTY
        if ended.how in ("traceback", "hung") or is_hopeless:
            self.tally.differences.append(f"{stage}: {ended.how}: {ended.text}")
        if is_hopeless:
            return True
        if self.rng.random() < 0.5:
            # The person runs the setup cell and this one again.
            slow_drive.remount(DRIVE, state=STATE)
        else:
            end_machine(self.rng, self.tally, dies=self.rng.random() < 0.5)
        return False

    def _end_well(self, stage: str, ended: Ended) -> bool:
        is_patient = ended.all_saved or self.rng.random() < 0.5
        dies = self.rng.random() < 0.5 if ended.all_saved else not is_patient
        here = {path: (WORK / path).read_bytes() for path in Mirror(WORK).scan()
                if path.startswith(WRITES[stage])}
        end_machine(self.rng, self.tally, dies=dies)
        if not is_patient:
            return False  # Told to leave the tab open, the person closed it, and does this step again.
        self.tally.claims["machine died" if dies else "machine ended"] += 1
        saved = saved_files(ROOT / "check")
        self.tally.conflicts += sum(path.startswith("conflicts/") for path in saved)
        lost = sorted(path for path, data in here.items() if saved.get(path) != data)
        if lost:
            self.tally.differences.append(f"{stage}: said to be saved and is not: {lost[:5]} of {len(lost)}")
        return True


def differences(found: dict[str, bytes], wanted: dict[str, bytes]) -> list[str]:
    """Paths whose bytes differ, are missing, or should not be there."""
    found, wanted = compared(found), compared(wanted)
    return [f"{path}: {'missing' if path not in found else 'too many' if path not in wanted else 'differs'}"
            for path in sorted({*found, *wanted}) if found.get(path) != wanted.get(path)]


def drill(kills: int, fault_rate: float, seed: int, *, stop: bool = False) -> Tally:
    """Play rounds until so many machines were killed."""
    torch.set_num_threads(1)
    tally, rng, started = Tally(), random.Random(seed), time.monotonic()
    calm = Tally()
    quiet = Round(random.Random(0), calm, 0.0, 0, is_quiet=True).play()
    assert not calm.differences and compared(quiet), calm
    while sum(tally.kills.values()) < kills and not (stop and tally.differences):
        tally.rounds += 1
        found = Round(rng, tally, fault_rate, kills - sum(tally.kills.values())).play()
        unlike = differences(found, quiet)
        tally.differences += [f"round {tally.rounds}: {text}" for text in unlike[:10]]
        print(json.dumps({"round": tally.rounds, "kills": sum(tally.kills.values()), "unlike": len(unlike)}),
              file=sys.stderr, flush=True)
    tally.seconds = round(time.monotonic() - started, 1)
    return tally


def main() -> int:
    """Run the drill that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--fault_rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep_log", default="", help="where the messages of the last round's steps go")
    parser.add_argument("--stop", action="store_true", help="stop after the first round that differs")
    options = parser.parse_args()
    try:
        tally = drill(options.kills, options.fault_rate, options.seed, stop=options.stop)
    finally:
        if options.keep_log and (ROOT / "log.txt").exists():
            shutil.copyfile(ROOT / "log.txt", options.keep_log)
        shutil.rmtree(ROOT, ignore_errors=True)
    print(tally)
    return int(bool(tally.differences))


if __name__ == "__main__":
    sys.exit(main())
