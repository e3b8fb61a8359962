"""A program that trains in processes which kill themselves, again and again, and then once without a break.

Arguments: the training folder, the folder of the results. Prints one JSON line per run. All children are forked from
this process, which has imported everything and computed nothing. Time stands still in them, so that files can be equal.
"""

import json
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch

from npylabel.base import files as files_module
from npylabel.base.files import leftovers
from npylabel.labeler import train as train_module
from npylabel.training import engine, planning
from npylabel.training.engine import TrainingModule
from npylabel.training.speed import Speed
from tests.labeler import kit

EPOCHS = 4
KILLS = 20


class Killer:
    """Ends the process, as a machine that is switched off, at the event with a number; counts them all.

    Args:
        number: of the event, from 1; 0 is none.
        out: gets the name of the event.
    """

    def __init__(self, number: int, out: Path) -> None:
        self.number, self.out, self.count = number, out, 0

    def event(self, name: str, last_deed: Callable[[], object] = lambda: None) -> None:
        """Something that a run can be killed at; ``last_deed`` is what it is killed in the middle of."""
        self.count += 1
        if self.count == self.number:
            last_deed()
            self.out.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Make events of the steps of training and of all that is done to files."""
        for name in ("training_step", "on_train_batch_end", "close_row"):
            self._around(TrainingModule, name)
        self._around(Path, "replace")
        self._around(os, "link")
        self._around(files_module, "_flush")
        self._around(train_module._Run, "finish")
        write = Path.write_bytes

        def write_bytes(path: Path, data: bytes) -> int:
            self.event("half written", lambda: write(path, bytes(data)[:len(data) // 2]))
            return write(path, data)

        Path.write_bytes = write_bytes

    def _around(self, owner: object, name: str) -> None:
        action = getattr(owner, name)

        def counted(*arguments: object, **options: object) -> object:
            self.event(f"before {name}")
            result = action(*arguments, **options)
            self.event(f"after {name}")
            return result

        setattr(owner, name, counted)


def run_child(data_path: Path, model_path: Path, number: int = 0) -> tuple[int, str]:
    """(status with which a training process ended, negative where it was killed; the event that it was killed at)."""
    note = model_path.parent.parent / "event"
    note.unlink(missing_ok=True)
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return status, note.read_text() if note.exists() else ""
    code = 1
    try:
        sys.stdout = sys.stderr
        engine.time = SimpleNamespace(monotonic=lambda: 0.0)
        # Epochs of more than three minutes have parts.
        planning.measure = lambda *_arguments: Speed({32: 70.0}, 1.0, 1.0)
        killer = Killer(number, note)
        killer.watch()
        kit.train(data_path, model_path, epochs=EPOCHS)
        note.write_text(str(killer.count))
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child must not go on with its parent's work
        traceback.print_exc()
    finally:
        os._exit(code)


def main(data_path: Path, out: Path) -> None:
    """Train without a break; then kill 20 times on the way to the end; then once at each kind of event of a save."""
    torch.set_num_threads(1)
    end, events = run_child(data_path, out / "unbroken" / "m.pth")
    print(json.dumps({"run": "unbroken", "end": end, "events": int(events)}), flush=True)
    draw, model, kills = random.Random(3), out / "killed" / "m.pth", []
    model.parent.mkdir()
    while len(kills) < KILLS:
        end, event = run_child(data_path, model, draw.randint(1, int(events) // 8))
        kills.append({"end": end, "event": event, "left": len(leftovers(model.parent))})
    end, _event = run_child(data_path, model)
    print(json.dumps({"run": "killed", "end": end, "kills": kills}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
