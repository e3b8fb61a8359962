"""The log and the person of the stub."""

import json
import os
import time


class MessageError(Exception):
    """What Colab raises where the browser did not answer (``google.colab._message.MessageError``)."""


def log(call: str, **values: object) -> None:
    """Write a line about a call."""
    name = os.environ.get("COLAB_STUB_LOG")
    if name:
        line = json.dumps({"call": call, "pid": os.getpid(), **values}, ensure_ascii=False)
        with open(name, "a", encoding="utf-8") as file:
            file.write(line + "\n")


def ask(question: str) -> None:
    """Return when a person is there.

    Raises:
        MessageError: nobody is there and ``COLAB_STUB_NOBODY`` is "raise"; with "hang" this never returns.
    """
    if os.environ.get("COLAB_STUB_PERSON") == "1":
        return
    log("unanswered", question=question)
    while os.environ.get("COLAB_STUB_NOBODY", "raise") == "hang":
        time.sleep(1)
    raise MessageError(f"Error: {question} was unsuccessful")
