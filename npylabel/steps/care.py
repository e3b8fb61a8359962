"""Looking after the work, and what the notebooks do before their step."""

from npylabel.base.language import choose_language
from npylabel.base.report import StepReport
from npylabel.base.trip import bring, carried
from npylabel.steps.work import open_places
from npylabel.ui.input_checks import check_parameters, check_step_inputs, checked


@checked
@carried
def manage(
    *, action: str = "plan", value: str = "", confirm: bool = False, dataset_dir: str = "tintora_dataset",
    data_path: str = "train_data", save_path: str = "models/tiny_cnn.pth", classes_path: str = "classes.json",
    work_dir: str = "", save_dir: str = "", language: str = "",
) -> StepReport:
    """Plan the work and look after it: what would change is listed first, and done with confirm.

    Args:
        action: plan, doctor, leave_out, take_back, keep_label, assign, label, clear, classes, reset, free or bring
        value: what to act on - photos for plan, names of photos, "old > new; + added" for classes, a step, or parts
        confirm: do what is listed
        dataset_dir: holds bw, color and labels
        data_path: the training data
        save_path: the model file
        classes_path: the class table
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    from npylabel.care.manage import manage_work

    return manage_work(
        open_places(work_dir, save_dir, language), action, value, confirm=confirm, dataset_dir=dataset_dir,
        data_path=data_path, save_path=save_path, classes_path=classes_path)


@carried
def status(*, work_dir: str = "", save_dir: str = "", language: str = "") -> StepReport:
    """Say what is done, what comes next, and where everything is saved.

    Args:
        work_dir: folder below which all relative paths lie
        save_dir: folder on Drive or a network disk that keeps the work folder packed; empty: none, in Colab Drive
        language: en or ru
    """
    places = open_places(work_dir, save_dir, language)
    from npylabel.care.status import describe_status

    return describe_status(places)


def setup(*, work_dir: str = "", save_dir: str = "", language: str = "") -> StepReport:
    """Prepare a notebook: install what is missing, say what machine this is and what is done so far."""
    from npylabel.base.runtime import drive_hint, gpu_hint, install_missing

    choose_language(language)
    install_missing()
    report = status(work_dir=work_dir, save_dir=save_dir, language=language)
    report.messages[:0] = [hint for hint in (gpu_hint(), drive_hint()) if hint]
    return report


def check_inputs(
    step: str, *, work_dir: str = "", save_dir: str = "", language: str = "", **parameters: object
) -> StepReport:
    """Say what a step will find, before it runs; ``parameters`` are those of the step."""
    places = open_places(work_dir, save_dir, language)
    check_parameters(step, parameters)
    bring(places, parameters)
    return check_step_inputs(step, places, parameters)
