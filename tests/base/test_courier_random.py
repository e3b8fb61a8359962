"""Machines that do anything, on a folder that is late, fails and kills: whatever was saved is there in the end."""

import os
import random
from pathlib import Path

import pytest

from npylabel.base.errors import NpyLabelError
from npylabel.base.mirror import Mirror
from npylabel.base.remote import RemoteFolder
from tests.base.courier_kit import Machine, machines, saved

PATHS = ["a.csv", "b.json", "d/color/x.png", "d/color/y.png", "m/m.pth", "m/m.resume.ckpt"]


class World:
    """Three machines; every text is written once, so that it can be followed."""

    def __init__(self, folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.dice, self.seed = folder, random.Random(seed), seed
        self.machines = machines(folder, 3)
        self.limbo: dict[Path, bytes] = {}
        self.safe: set[str] = set()
        self.replaced: set[str] = set()
        self.count = 0
        self.trouble = 0.0
        store, write = RemoteFolder.store, Mirror.write

        def unsteady_store(remote: RemoteFolder, name: str, source: Path) -> str:
            self.stumble()
            sha256 = store(remote, name, source)
            self.stumble()
            return sha256

        def unsteady_write(mirror: Mirror) -> None:
            self.stumble()
            write(mirror)
            self.stumble()

        monkeypatch.setattr(RemoteFolder, "store", unsteady_store)
        monkeypatch.setattr(Mirror, "write", unsteady_write)

    def stumble(self) -> None:
        chance = self.dice.random()
        if chance < self.trouble:
            raise KeyboardInterrupt if chance < self.trouble / 2 else NpyLabelError("drive_fault", "x", "y")

    def change(self, machine: Machine) -> None:
        path = self.dice.choice(PATHS)
        if (machine.root / path).exists():
            self.replaced.add((machine.root / path).read_text())
        if self.dice.random() < 0.2:
            (machine.root / path).unlink(missing_ok=True)
            return
        self.count += 1
        machine.write({path: f"{self.seed} {self.count} {path}"})

    def push(self, machine: Machine) -> None:
        texts = set(machine.read().values())
        machine.push()
        self.safe |= texts

    def hide(self) -> None:
        """Something that was just written is not to be seen yet."""
        newest = sorted(saved(self.folder).glob("*"), key=lambda path: path.stat().st_mtime_ns)[-3:]
        for path in newest:
            if self.dice.random() < 0.5:
                self.limbo[path] = path.read_bytes()
                path.unlink()

    def show(self) -> None:
        for path, data in self.limbo.items():
            path.write_bytes(data)
        self.limbo = {}

    def act(self) -> None:
        machine = self.dice.choice(self.machines)
        action = self.dice.choice(["change", "change", "pull", "push", "push", "hide", "show", "restart"])
        try:
            if action in ("change", "push"):
                getattr(self, action)(machine)
            elif action == "pull":
                machine.pull()
            elif action == "restart":
                machine.restart()
            else:
                getattr(self, action)()
        except KeyboardInterrupt:
            machine.restart()
        except NpyLabelError as error:
            assert error.code in ("drive_fault", "saved_damaged")


@pytest.mark.parametrize("trouble", [0.0, 0.1])
def test_whatever_was_saved_is_there_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: float
) -> None:
    monkeypatch.setenv("NPYLABEL_DRIVE_PATIENCE_S", "0")
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    for seed in range(int(os.environ.get("NPYLABEL_SEEDS", "12"))):
        with monkeypatch.context() as patch:
            folder = tmp_path / f"{seed}"
            world = World(folder, seed, patch)
            (saved(folder)).mkdir()
            world.trouble = trouble
            for _step in range(40):
                world.act()
            world.trouble = 0.0
            world.show()
            got = {machine: machine.restart().pull() and machine.read() for machine in world.machines}
            assert got
            fresh = Machine(folder / "fresh", folder / "drive")
            fresh.pull()
            lost = world.safe - world.replaced - set(fresh.read().values())
            assert not lost, (seed, lost)
            for machine in [*world.machines, *world.machines]:
                machine.pull()
                machine.push()
            for machine in world.machines:
                machine.pull()
            assert len({str(machine.read()) for machine in world.machines}) == 1, seed
