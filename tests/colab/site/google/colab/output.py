"""What a notebook asks of the page it is shown in."""

from google.colab import _stub


def eval_js(script: str, ignore_result: bool = False, timeout_sec: float | None = None) -> None:
    """Nothing: there is no page. Asks for a person, as only a page can answer."""
    _stub.log("output.eval_js", script=script, ignore_result=ignore_result, timeout_sec=timeout_sec)
    if not ignore_result:
        _stub.ask("evaluation")


def clear(wait: bool = False, output_tags: object = ()) -> None:
    """Clear the output."""
    _stub.log("output.clear", wait=wait)


def enable_custom_widget_manager() -> None:
    """Allow widgets of third parties."""
    _stub.log("output.enable_custom_widget_manager")


def disable_custom_widget_manager() -> None:
    """Allow them no more."""
    _stub.log("output.disable_custom_widget_manager")
