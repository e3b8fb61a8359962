"""Machines of the tests' Colab: what programs in them see, how they are killed, and Colab's own package."""

import json
import os
import random
import signal
import time
from pathlib import Path

import nbformat
import pytest

from tests.base.processes import start
from tests.colab.drive_death import processes_of
from tests.colab.machine import PROJECT, Colab, Machine

WORK = "tests.colab.child_work"
MOUNT = "import os; from google.colab import drive; point = os.environ['NPYLABEL_CONTENT'] + '/drive'; "


@pytest.fixture
def colab(tmp_path: Path) -> Colab:
    return Colab(tmp_path / "colab")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- processes --------------------------------------------------------------------------------------------------------


def test_children_and_their_workers_are_on_the_drive(colab: Colab) -> None:
    machine = colab.machine(mounted=True, project="")
    assert machine.run_python(f"{WORK}:write_files", str(machine.drive), 3).code == 0
    assert machine.usage().operations == {"create": 3, "write": 3, "close": 3}
    ran = machine.run_python(f"{WORK}:write_in_workers", str(machine.drive), 6)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "False\n", "")
    assert machine.usage().written == 9000
    assert machine.usage().operations == {"create": 9, "write": 9, "close": 9}
    assert names(colab.drive) == [f"{number:03}" for number in range(6)]


def test_forked_children_are_on_the_drive(colab: Colab) -> None:
    for name in ("parent", "child"):
        (colab.store / name).mkdir()
    machine = colab.machine(mounted=True, lag_ops=1e9)
    assert machine.run_python(f"{WORK}:write_in_fork", str(machine.drive)).code == 0
    assert machine.usage().operations == {"create": 60, "write": 60, "close": 60}
    assert len(machine.pending()) == 60


def test_a_program_dies_at_its_operation(colab: Colab) -> None:
    """The same operation leaves the same files; in the 14th, the fifth file is written half-way."""
    sizes = []
    for _ in range(2):
        machine = colab.machine(mounted=True, project="")
        ran = machine.run_python(f"{WORK}:write_files", str(machine.drive), 50, kill_after_ops=14)
        assert ran.killed
        assert machine.usage().total == 14
        sizes.append([path.stat().st_size for path in sorted(colab.drive.iterdir())])
        machine.ends()
    assert sizes[0] == sizes[1]
    assert sizes[0][:4] == [1000] * 4
    assert 0 <= sizes[0][4] < 1000
    assert len(sizes[0]) == 5


def test_an_operation_that_fails_by_itself_can_be_the_last(colab: Colab) -> None:
    machine = colab.machine(mounted=True)
    code = "import sys; from pathlib import Path; [Path(sys.argv[1], 'x').unlink(missing_ok=True) for _ in range(20)]"
    for number in range(1, 13):
        assert machine.run_python(code, machine.drive, kill_after_ops=number).killed
    assert machine.usage().operations == {"remove": 78}


def test_operations_count_from_the_start_of_a_program(colab: Colab) -> None:
    machine = colab.machine(mounted=True)
    machine.run_python(f"{WORK}:write_files", str(machine.drive), 5)
    assert machine.run_python(f"{WORK}:write_files", str(machine.drive), 5, kill_after_ops=15).killed
    assert machine.usage().total == 30
    assert not machine.run_python(f"{WORK}:write_files", str(machine.drive), 5, kill_after_ops=16).killed


def test_a_file_that_a_killed_program_left_open_is_uploaded(colab: Colab) -> None:
    machine = colab.machine(mounted=True, lag_ops=2)
    machine.run_python(f"{WORK}:write_files", str(machine.drive), 5, kill_after_ops=2)
    assert machine.pending() == {"000": "write"}
    machine.run_python("import os, sys; [os.stat(sys.argv[1]) for _ in range(9)]", machine.drive)
    assert machine.pending() == {}


def test_workers_die_with_the_machine(colab: Colab) -> None:
    machine = colab.machine(mounted=True)
    # The close of the second file: both workers are at work then.
    ran = machine.run_python(f"{WORK}:sleep_with_workers", str(machine.drive), kill_after_ops=6, timeout_s=20)
    assert ran.killed
    assert processes_of(machine.mark) == []
    ran = machine.run_python(f"{WORK}:sleep_with_workers", str(machine.drive), kill_after_s=0.8)
    assert ran.killed
    assert processes_of(machine.mark) == []


def test_a_machine_dies_with_its_test(tmp_path: Path) -> None:
    test = start(PROJECT / "tests" / "colab" / "child_work.py", tmp_path / "colab")
    mark = test.stdout.readline().decode().strip()
    end = time.monotonic() + 20
    while len(processes_of(mark)) < 3 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(processes_of(mark)) >= 3
    os.kill(test.pid, signal.SIGKILL)
    test.wait()
    while processes_of(mark) and time.monotonic() < end:
        time.sleep(0.05)
    assert processes_of(mark) == []
    test.stdout.close()


def test_the_drive_outlives_its_machines(colab: Colab) -> None:
    machine = colab.machine(mounted=True, lag_ops=1e9)
    machine.run_python(f"{WORK}:write_files", str(machine.drive), 20)
    (machine.content / "local").touch()
    fates = machine.dies(random.Random(3))
    assert sorted(path for path, _fate in fates) == [f"{number:03}" for number in range(20)]
    assert {fate for _path, fate in fates} == {"whole", "never", "short", "late"}
    left = {path.name: path.stat().st_size for path in colab.store.iterdir()}
    for path, fate in fates:
        assert {"whole": left.get(path) == 1000, "short": left.get(path, 1000) < 1000}.get(fate, path not in left)
    machine = colab.machine(mounted=True)
    assert names(machine.content) == ["drive", "npylabel_workbook"]
    machine.settle_late()
    assert len(names(machine.drive)) == len(left) + sum(fate == "late" for _path, fate in fates)
    with pytest.raises(AssertionError, match="has not ended"):
        colab.machine()


def test_a_machine_is_fresh(colab: Colab) -> None:
    machine = colab.machine()
    ran = machine.run_python("import os, json, sys; print(json.dumps([dict(os.environ), os.getcwd(), sys.path]))",
                             project_on_path=False)
    variables, folder, path = json.loads(ran.stdout)
    assert variables["NPYLABEL_CONTENT"] == folder == str(machine.content)
    assert (variables["COLAB_RELEASE_TAG"], variables["HOME"]) == ("stub", str(colab.home))
    assert "COLAB_STUB_LEASH" not in variables
    assert str(PROJECT) not in path


# --- Colab's package --------------------------------------------------------------------------------------------------


def test_a_person_mounts(colab: Colab) -> None:
    (colab.store / "there").touch()
    machine = colab.machine(project="")
    code = MOUNT + ("print(os.path.exists(point)); drive.mount(point); drive.mount(point); "
                    "print(os.listdir(point + '/MyDrive'))")
    ran = machine.run_python(code, person=True)
    lines = ran.stdout.splitlines()
    assert lines[0] == "False"
    assert lines[1] == f"Mounted at {machine.content}/drive"
    assert lines[2].startswith("Drive already mounted at")
    assert lines[3] == "['there']"
    assert machine.usage().operations == {"list": 1}
    calls = machine.calls("drive.mount")
    assert [(call["mountpoint"], call["force_remount"]) for call in calls] == [(f"{machine.content}/drive", False)] * 2


def test_after_the_mount_files_are_late(colab: Colab) -> None:
    machine = colab.machine(mounted=True, project="")
    machine.run_python(f"{WORK}:write_files", str(machine.drive), 2)
    machine.ends()
    machine = colab.machine(late_ops=3)
    code = MOUNT + "drive.mount(point); print([len(os.listdir(point + '/MyDrive')) for _ in range(4)])"
    assert machine.run_python(code, person=True).stdout.splitlines()[-1] == "[0, 0, 2, 2]"


def test_nobody_mounts(colab: Colab) -> None:
    machine = colab.machine()
    ran = machine.run_python(MOUNT + "drive.mount(point)")
    assert ran.code == 1
    assert "MessageError: Error: credential propagation was unsuccessful" in ran.stderr
    machine.ends()
    machine = colab.machine(nobody="hang")
    assert machine.run_python(MOUNT + "drive.mount(point)", kill_after_s=0.6).killed
    assert [call["call"] for call in machine.calls()] == ["drive.mount", "unanswered"]
    assert not machine.drive.exists()


def test_a_folder_in_the_way_stops_the_mount(colab: Colab) -> None:
    """What is written below the mount point before is no operation on Drive, and spoils the mount."""
    machine = colab.machine()
    code = MOUNT + ("os.makedirs(point + '/MyDrive/npylabel'); open(point + '/MyDrive/x', 'w').close(); "
                    "drive.mount(point)")
    ran = machine.run_python(code, person=True)
    assert "ValueError: Mountpoint must not already contain files" in ran.stderr
    assert machine.usage().total == 0


@pytest.mark.parametrize(("how", "expected"), [("link", ["there"]), ("mkdir", [])])
def test_other_ways_to_appear(colab: Colab, how: str, expected: list[str]) -> None:
    (colab.store / "there").touch()
    machine = colab.machine(mount=how, project="")
    ran = machine.run_python(MOUNT + "drive.mount(point); print(os.listdir(point + '/MyDrive'))", person=True)
    assert ran.stdout.splitlines()[-1] == str(expected)
    assert machine.usage().operations == {"list": 1}
    machine.ends()
    assert names(colab.drive) == ["there"]


def test_flush_uploads_and_takes_away(colab: Colab) -> None:
    machine = colab.machine(lag_ops=1e9)
    code = MOUNT + ("drive.mount(point); open(point + '/MyDrive/x', 'w').close(); drive.flush_and_unmount(); "
                    "print(os.path.exists(point + '/MyDrive'))")
    assert machine.run_python(code, person=True).stdout.splitlines()[-1] == "False"
    assert machine.pending() == {}
    assert machine.dies(random.Random(1)) == []
    assert names(colab.drive) == ["x"]


def test_a_dropped_mount_is_mounted_again(colab: Colab) -> None:
    machine = colab.machine(mounted=True, drop_at=3)
    code = MOUNT + ("look = lambda: os.path.isdir(point + '/MyDrive')\n"
                    "print(look(), look())\n"
                    "try: look(); os.listdir(point + '/MyDrive')\n"
                    "except OSError as error: print(error.errno)\n"
                    "drive.mount(point, force_remount=True); print(look())")
    assert machine.run_python(code, person=True).stdout.split("\n")[:2] == ["True True", "107"]
    assert machine.run_python(MOUNT + "print(os.path.isdir(point + '/MyDrive'))").stdout == "True\n"


def test_uploaded_files_are_written_here(colab: Colab, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    chosen.mkdir()
    (chosen / "фото.jpg").write_bytes(b"photo")
    (chosen / "kaggle.json").write_bytes(b"{}")
    machine = colab.machine(uploads=chosen)
    code = "from google.colab import files; print(sorted(files.upload())); print(sorted(files.upload().items()))"
    lines = machine.run_python(code, person=True).stdout.splitlines()
    assert [line for line in lines if line[0] == "["] == [
        "['kaggle.json', 'фото.jpg']", str([("kaggle (1).json", b"{}"), ("фото (1).jpg", b"photo")])]
    assert names(machine.content) == ["kaggle (1).json", "kaggle.json", "npylabel_workbook", "фото (1).jpg", "фото.jpg"]
    assert "MessageError" in machine.run_python(code).stderr


def test_the_rest_of_the_package_is_logged(colab: Colab) -> None:
    machine = colab.machine()
    ran = machine.run_python("""
import google.colab
from google.colab import files, output, runtime, userdata
open("x", "w").close()
files.download("x")
output.enable_custom_widget_manager()
output.clear()
output.eval_js("1", ignore_result=True)
runtime.unassign()
for call in (lambda: files.download("none"), lambda: userdata.get("TOKEN")):
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
""")
    assert ran.stdout.split() == ["FileNotFoundError", "SecretNotFoundError"]
    assert [call["call"] for call in machine.calls()] == [
        "files.download", "output.enable_custom_widget_manager", "output.clear", "output.eval_js", "runtime.unassign",
        "userdata.get"]


# --- notebooks --------------------------------------------------------------------------------------------------------


def notebook(path: Path, *cells: str) -> Path:
    """A notebook with the workbook's own setup cell, and these after it."""
    own = nbformat.read(PROJECT / "notebooks" / "01_collect_and_grayscale.ipynb", as_version=4)
    setup = next(cell for cell in own.cells if cell.id == "setup")
    parameters = nbformat.v4.new_code_cell(
        'work_dir = ""\nsave_dir = ""\nlanguage = ""\nrepo_url = ""', id="parameters",
        metadata={"tags": ["parameters"]})
    more = [nbformat.v4.new_code_cell(text, id=f"cell-{number}") for number, text in enumerate(cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, setup, *more]), path)
    return path


def run_setup(machine: Machine, path: Path, **options: object) -> object:
    return machine.run_notebook(path, {"language": "en"}, timeout_s=60, **options)


def test_a_real_kernel_is_in_the_machine(colab: Colab, tmp_path: Path) -> None:
    machine = colab.machine(lag_ops=1e9, project="drive")
    path = notebook(tmp_path / "n.ipynb", "from google.colab import files\nprint(project, language, Path.cwd())",
                    "from tests.colab.child_work import write_in_workers\nwrite_in_workers(str(drive), 2)",
                    "(drive / 'x').write_text('x'), os.getxattr(drive / 'x', 'user.drive.id')[:6]")
    ran = run_setup(machine, path, person=True)
    assert ran.error is None, ran.error
    assert ran.code == 0
    assert ran.text("cell-0").split() == [f"{machine.drive}/npylabel_workbook", "en", str(machine.content)]
    assert ran.text("cell-1") == "False\n"
    assert ran.cells["cell-2"].outputs[0].data["text/plain"] == "(1, b'local-')"
    assert len(machine.calls("drive.mount")) == 1
    assert machine.pending() == {"npylabel": "mkdir", "000": "write", "001": "write", "x": "write"}
    assert processes_of(machine.mark) == []


def test_a_kernel_dies_in_the_middle(colab: Colab, tmp_path: Path) -> None:
    machine = colab.machine(mounted=True)
    path = notebook(tmp_path / "n.ipynb", "for number in range(50):\n    (drive / str(number)).write_text('x')")
    ran = run_setup(machine, path, kill_after_ops=60)
    assert ran.killed
    assert machine.usage().total == 60
    assert processes_of(machine.mark) == []
    assert 10 < len(names(colab.drive)) <= 20


def test_without_a_person_a_kernel_asks_nothing(colab: Colab, tmp_path: Path) -> None:
    machine = colab.machine(project="", nobody="hang")
    ran = run_setup(machine, notebook(tmp_path / "n.ipynb"))
    assert ran.code == 3
    assert ran.error[0] == "AssertionError"
    assert "Put the project into MyDrive" in ran.error[1]
    assert machine.calls() == []


def test_the_setup_cell_brings_back_a_drive_that_dropped(colab: Colab, tmp_path: Path) -> None:
    machine = colab.machine(mounted=True)
    machine.drop()
    ran = run_setup(machine, notebook(tmp_path / "n.ipynb", "print(sorted(path.name for path in drive.iterdir()))"),
                    person=True)
    assert ran.error is None, ran.error
    assert [call["force_remount"] for call in machine.calls("drive.mount")] == [True]
    assert "npylabel" in ran.text("cell-0")
