"""One name, one default, three front ends; and the command line as a person types it."""

import ast
import inspect
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import npylabel_core as core
from npylabel.base.errors import NpyLabelError
from npylabel.dataset.decisions import ASSIGN, LEAVE_OUT, Decision, DecisionJournal
from npylabel.photos.manifest import original_hashes
from npylabel.steps import work
from npylabel.ui import notebook_runs
from npylabel.ui.command_line import make_parser, parameter_help
from npylabel.ui.notebook_runs import Notebook, find_notebooks

PROJECT = Path(__file__).resolve().parents[1]
COMMANDS = {**core.STEPS, "status": core.status}


def defaults_of(step: str) -> dict[str, object]:
    return {name: parameter.default for name, parameter in inspect.signature(core.STEPS[step]).parameters.items()}


def step_calls(notebook: Notebook) -> dict[str, dict[str, str]]:
    """What the notebook calls with which of its parameters: the name of a variable by keyword, by step."""
    cells = json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]
    trees = [ast.parse("".join(cell["source"])) for cell in cells if cell["id"] in ("run", "color")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.func.attr: {keyword.arg: keyword.value.id for keyword in call.keywords} for call in calls}


def test_notebooks_have_the_parameters_of_their_functions() -> None:
    notebooks, called = find_notebooks(), []
    for notebook in notebooks:
        # The address to clone from is the notebook's own: the function is there already.
        parameters = {name: value for name, value in notebook.defaults.items() if name != "repo_url"}
        calls, used = step_calls(notebook), {}
        assert next(iter(calls)) == notebook.path.stem[3:]
        for step, given in calls.items():
            assert {name: parameters[variable] for name, variable in given.items()} == defaults_of(step)
            used |= {variable: parameters[variable] for variable in given.values()}
        assert used == parameters
        called += calls
    assert called == list(core.STEPS)


@pytest.mark.parametrize("step", core.STEPS)
def test_command_line_has_the_parameters_of_the_function(step: str) -> None:
    options = vars(make_parser(COMMANDS).parse_args([step]))
    assert options.pop("command") == step
    assert options == defaults_of(step)


@pytest.mark.parametrize("step", [*core.STEPS, "status"])
def test_every_parameter_is_explained(step: str) -> None:
    function = core.STEPS.get(step, core.status)
    assert set(parameter_help(function)) == set(inspect.signature(function).parameters)


def test_commands_of_the_original_tools_work() -> None:
    parse = make_parser(COMMANDS).parse_args
    trained = parse(["train", "--data_path", "a", "--save_path", "b.pth", "--epochs", "7", "--batch_size", "16"])
    assert (trained.data_path, trained.save_path, trained.epochs, trained.batch_size) == ("a", "b.pth", 7, 16)
    labeled = parse(["auto_label", "--input", "i", "--output", "o", "--model_path", "m", "--classes_path", "c"])
    assert (labeled.input_dir, labeled.output_dir, labeled.model_path, labeled.classes_path) == ("i", "o", "m", "c")


@pytest.mark.parametrize(("text", "value"), [
    (["--resume", "false"], False), (["--resume"], True), (["--resume", "True"], True), ([], True)])
def test_flags_of_truth(text: list[str], value: bool) -> None:
    assert make_parser(COMMANDS).parse_args(["train", *text]).resume is value


def test_abbreviated_flags_are_refused() -> None:
    with pytest.raises(SystemExit) as error:
        make_parser(COMMANDS).parse_args(["train", "--epoch", "3"])
    assert error.value.code == 2


def test_wrong_input_gives_exit_code_2_and_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    code = core.main(["train", "--work_dir", str(tmp_path), "--language", "en"])
    error = capsys.readouterr().err
    assert code == 2
    assert "no_train_data" in error
    assert "notebook 02" in error
    assert "Traceback" not in error


def test_faults_give_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "tintora_dataset" / "color").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "tintora_dataset/color/a.png")
    assert core.main(["verify_tintora", "--work_dir", str(tmp_path), "--language", "en"]) == 1
    assert "bw_missing" in capsys.readouterr().out


def test_status_of_nothing_points_to_the_first_notebook(tmp_path: Path) -> None:
    report = core.status(work_dir=str(tmp_path), language="en")
    assert report.facts["own"]["photos"] == 0
    assert "01" in report.next_step


def test_demo_and_own_photos_never_mix(tmp_path: Path) -> None:
    """Own photos in the work folder: a demo model beside them is not used."""
    (tmp_path / "tintora_dataset" / "color").mkdir(parents=True)
    Image.new("RGB", (512, 512)).save(tmp_path / "tintora_dataset/color/a.png")
    (tmp_path / "demo" / "models").mkdir(parents=True)
    (tmp_path / "demo/models/tiny_cnn.pth").write_bytes(b"x")
    with pytest.raises(NpyLabelError) as error:
        core.auto_label(work_dir=str(tmp_path), language="en")
    assert error.value.code == "model_missing"


def test_facts_are_json_with_the_step() -> None:
    report = core.StepReport("train", facts={"b": 1, "a": "я"})
    assert json.loads(report.facts_json()) == {"step": "train", "b": 1, "a": "я"}


def test_a_missing_library_is_named_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def needs_a_library(_work_dir: str, _save_dir: str) -> None:
        raise ModuleNotFoundError("No module named 'simplejpeg'", name="simplejpeg")

    monkeypatch.setattr(work, "find_places", needs_a_library)
    assert core.main(["status"]) == 2
    error = capsys.readouterr().err
    assert "simplejpeg" in error
    assert "colab_setup.sh install" in error


def test_an_unknown_language_is_wrong_input(capsys: pytest.CaptureFixture) -> None:
    assert core.main(["status", "--language", "de"]) == 2
    assert "bad_parameter" in capsys.readouterr().err


def lay_classes_elsewhere(folder: Path) -> Path:
    for number, name in enumerate(("дом", "самовар")):
        (folder / name).mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name / "a.png")
    return folder


def test_run_knows_the_saved_classes_and_says_at_the_end_that_all_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "kept").mkdir()
    common = {"save_dir": str(tmp_path / "kept"), "language": "en"}
    core.manage(action="classes", value="+ самовар", confirm=True, work_dir=str(tmp_path / "one"), **common)
    source = lay_classes_elsewhere(tmp_path / "classes")
    monkeypatch.setattr(notebook_runs, "_execute", lambda *_arguments: False)
    capsys.readouterr()
    code = core.main(["run", "--only", "02", "--source_dir", str(source), "--work_dir", str(tmp_path / "two"),
                      "--save_dir", common["save_dir"], "--language", "en"])
    out = capsys.readouterr().out
    assert code == 0 and "2 photos of 2 classes" in out
    assert "you can close this tab" in out.splitlines()[-1]


def test_class_folders_are_made_where_they_can_be_filled(tmp_path: Path) -> None:
    kept, work = tmp_path / "kept", tmp_path / "work"
    kept.mkdir()
    step = {"source_dir": "my_classes", "make_folders": "дом,небо", "language": "en"}
    common = {**step, "work_dir": str(work), "save_dir": str(kept)}
    checked = core.check_inputs("build_train_data", classes_path="classes.json", **common)
    assert str(kept / "my_classes") in checked.messages[0]
    assert core.build_train_data(**common).facts["folders_made"] == ["дом", "небо"]
    assert sorted(path.name for path in (kept / "my_classes").iterdir()) == ["дом", "небо"]
    assert not (work / "my_classes").exists()
    # Those that are there already are filled up where they are; without a folder elsewhere they are made here.
    (work / "here").mkdir()
    core.build_train_data(**{**common, "source_dir": "here"})
    assert (work / "here" / "дом").is_dir() and not (kept / "here").exists()
    core.build_train_data(**step, work_dir=str(tmp_path / "home"))
    assert (tmp_path / "home" / "my_classes" / "небо").is_dir()


def test_photos_that_people_sorted_are_enough_for_step_02(tmp_path: Path) -> None:
    common = {"work_dir": str(tmp_path), "language": "en"}
    core.collect_and_grayscale(demo_per_class=1, size_px=64, workers=1, **common)
    given = {"source_dir": "sorted", "size_px": 64, "workers": 1, **common}
    assert core.build_train_data(**given).facts["photos"] == 0
    hashes = original_hashes(tmp_path / "demo" / "tintora_dataset")
    first, second, rejected = sorted(hashes)[:3]
    clicks = ((first, ASSIGN, "дом"), (second, ASSIGN, "луна"), (rejected, ASSIGN, "луна"), (rejected, LEAVE_OUT, ""))
    with DecisionJournal(tmp_path / "demo" / "decisions") as journal:
        for name, action, class_name in clicks:
            journal.append([Decision(hashes[name], action, name, class_name, "board")])
    checked = core.check_inputs("build_train_data", classes_path="classes.json", dataset_dir="tintora_dataset",
                                make_folders="", **given)
    assert checked.messages == ["2 sorted photos."]
    facts = core.build_train_data(**given).facts
    assert (facts["made_from"], facts["per_class"]) == ("demo", {"дом": 1, "луна": 1})
    report = core.collect_and_grayscale(demo_per_class=1, size_px=64, workers=1, **common)
    assert report.facts["photos"] == len(hashes) - 1 and any("1 rejected" in line for line in report.messages)
    assert len([*(tmp_path / "demo/left_out/tintora_dataset").glob("*/*.png")]) == 2, "color and gray"


def test_a_check_of_an_upload_that_nobody_can_do_fails_as_the_step_does(tmp_path: Path) -> None:
    given = {"photos_dir": "upload", "work_dir": str(tmp_path), "language": "en"}
    for call in (lambda: core.check_inputs("collect_and_grayscale", dataset_dir="tintora_dataset", **given),
                 lambda: core.collect_and_grayscale(**given)):
        with pytest.raises(NpyLabelError) as caught:
            call()
        assert caught.value.code == "upload_impossible" and "./upload" in caught.value.fix
    (tmp_path / "upload").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "upload" / "a.png")
    report = core.collect_and_grayscale(**{**given, "photos_dir": "./upload"}, size_px=64, workers=1)
    assert report.facts["photos"] == 1


@pytest.mark.parametrize(("only", "code"), [("03,06", 2), ("06", 0)])
def test_a_run_refuses_a_place_that_means_two_things(
    only: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(notebook_runs, "_execute", lambda *_arguments: False)
    given = ["--only", only, "--save_path", "models/mine.pth", "--work_dir", str(tmp_path), "--language", "en"]
    assert core.main(["run", *given]) == code
    assert ("03, 06" in capsys.readouterr().err) == bool(code)


def test_a_run_trains_no_colorizer_unless_it_is_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(notebook_runs, "_execute", lambda notebook, *_rest: bool(ran.append(notebook.number)))
    for only in ([], ["--only", "6"]):
        assert core.main(["run", *only, "--work_dir", str(tmp_path), "--language", "en"]) == 0
    assert ran == ["01", "02", "03", "04", "05", "06"]


@pytest.mark.parametrize("own", [False, True])
def test_a_run_ends_with_where_the_colored_photos_are(
    own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    pages = [tmp_path / part / "colorized/before_after.html" for part in ("demo", ".")[:1 + own]]
    for page in pages:
        page.parent.mkdir(parents=True)
        page.touch()
    monkeypatch.setattr(notebook_runs, "_execute", lambda *_arguments: False)
    assert core.main(["run", "--only", "06", "--work_dir", str(tmp_path), "--language", "en"]) == 0
    # Without own ones the notebook worked in the demo's folder.
    assert f"old photos in color: {pages[-1].resolve()}" in capsys.readouterr().out


def test_run_refuses_an_upload_before_the_first_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    colab = SimpleNamespace(files=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "google", SimpleNamespace(colab=colab))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setenv("NPYLABEL_HEADLESS", "")
    monkeypatch.setattr(notebook_runs, "_execute", lambda *_arguments: pytest.fail("a notebook ran"))
    code = core.main(["run", "--only", "01", "--photos_dir", "upload", "--work_dir", str(tmp_path)])
    assert code == 2 and "upload_impossible" in capsys.readouterr().err
