"""A program that trains in processes which kill themselves at chosen moments, and then to the end.

Arguments: the training folder, the folder of the results. Prints one JSON line per moment. All children are forked from
this process, which has imported everything and computed nothing.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import lightning
import torch

from npylabel.base.files import leftovers
from npylabel.labeler import checkpoint as checkpoint_module
from npylabel.labeler import train as train_module
from npylabel.labeler.engine import LabelerModule
from tests.labeler import kit

EPOCHS = 3


def die() -> None:
    """End at once, as a machine that is switched off."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_step(number: int) -> None:
    """Die in a training step; 21 photos in batches of 8 are 3 steps an epoch."""
    step = LabelerModule.training_step

    def training_step(self: LabelerModule, batch: object, index: int) -> object:
        if self.global_step == number:
            die()
        return step(self, batch, index)

    LabelerModule.training_step = training_step


def in_saving(number: int) -> None:
    """Die with half a model file written; each epoch writes the best and the last."""
    load, calls = checkpoint_module.torch.load, []

    def half(path: Path, **options: object) -> object:
        """The reading back of what was just written: here half of it gets lost."""
        calls.append(path)
        if len(calls) == number:
            os.truncate(path, path.stat().st_size // 2)
            die()
        return load(path, **options)

    checkpoint_module.save_checkpoint.__globals__["torch"] = type("Torch", (), {
        "save": staticmethod(checkpoint_module.torch.save), "load": staticmethod(half),
        "__version__": checkpoint_module.torch.__version__})


def in_state(number: int) -> None:
    """Die with half a training state written."""
    save, calls = lightning.Trainer.save_checkpoint, []

    def half(self: lightning.Trainer, path: Path) -> None:
        save(self, path)
        calls.append(path)
        if len(calls) == number:
            os.truncate(path, path.stat().st_size // 2)
            die()

    lightning.Trainer.save_checkpoint = half


def before_metrics(_number: int) -> None:
    """Die when all epochs are done."""
    train_module._Run.finish = lambda *_arguments: die()


MOMENTS: dict[str, tuple[Callable[[int], None], int]] = {
    "first_epoch": (in_step, 1), "between_epochs": (in_step, 3), "second_epoch": (in_step, 4),
    "saving_best": (in_saving, 3), "saving_last": (in_saving, 4), "saving_state": (in_state, 2),
    "saving_first_model": (in_saving, 1), "before_metrics": (before_metrics, 0),
}


def run_child(data_path: Path, model_path: Path, moment: str = "") -> int:
    """The status with which a training process ended, a negative signal number where it was killed."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        sys.stdout = sys.stderr
        if moment:
            hook, number = MOMENTS[moment]
            hook(number)
        kit.train(data_path, model_path, epochs=EPOCHS)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked child must not go on with its parent's work
        traceback.print_exc()
    finally:
        os._exit(code)


def main(data_path: Path, out: Path) -> None:
    """Train without a break, then once for each moment."""
    torch.set_num_threads(1)
    print(json.dumps({"moment": "unbroken", "end": run_child(data_path, out / "unbroken" / "m.pth")}), flush=True)
    for moment in MOMENTS:
        model = out / moment / "m.pth"
        killed = run_child(data_path, model, moment)
        left = [path.name for path in leftovers(model.parent)]
        end = run_child(data_path, model)
        print(json.dumps({"moment": moment, "killed": killed, "left": left, "end": end}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
