"""Step reports: stable facts, and a display that shows strange names as they are."""

import json
from pathlib import Path

from PIL import Image

from npylabel.base.report import StepReport


def report() -> StepReport:
    return StepReport(
        "train", facts={"b": 2, "a": {"ё": True}}, measured={"accuracy": 0.5}, files={"model": Path("m/<b>.pth")},
        messages=["<script>x</script>"], next_step="Next: <4>.")


def test_the_facts_are_stable_json_without_what_differs_between_machines() -> None:
    first = report()
    first.timings_s["fit"] = 3.0
    text = first.facts_json()
    assert json.loads(text) == {"step": "train", "a": {"ё": True}, "b": 2}
    second = StepReport("train", facts={"a": {"ё": True}, "b": 2}, measured={"accuracy": 0.9})
    assert second.facts_json() == text and "ё" in text


def test_the_exit_code_tells_faults() -> None:
    assert report().exit_code == 0
    assert StepReport("verify", faulty=True).exit_code == 1


def test_the_seconds_of_a_part_add_up() -> None:
    step = StepReport("x")
    step.timings_s["list"] = 5.0
    with step.timed("list"):
        pass
    with step.timed("other"):
        pass
    assert 5.0 <= step.timings_s["list"] < 6.0
    assert list(step.timings_s) == ["list", "other"]


def test_the_text_holds_all_that_a_person_needs() -> None:
    assert str(report()).splitlines() == [
        "== train ==", "<script>x</script>", "  b: 2", "  a: {'ё': True}", "  accuracy: 0.5", "  model: m/<b>.pth",
        "Next: <4>."]


def test_the_page_escapes_what_it_shows() -> None:
    page = report()._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "m/&lt;b&gt;.pth" in page and "Next: &lt;4&gt;." in page
    assert "✅" in page and "⚠️" in StepReport("x", faulty=True)._repr_html_()


def test_pictures_travel_inside_the_page(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.PNG")
    step = StepReport("x", pictures={"one & two": tmp_path / "a.PNG", "gone": tmp_path / "b.png"})
    page = step._repr_html_()
    assert page.count("src='data:image/png;base64,iVBOR") == 1
    assert "one &amp; two" in page and "<figcaption>gone</figcaption>" in page


def test_a_very_long_value_is_cut_in_the_page() -> None:
    page = StepReport("x", facts={"many": "y" * 5000})._repr_html_()
    assert "y" * 300 + " ..." in page and "y" * 301 not in page
