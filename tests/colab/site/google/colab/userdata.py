"""Secrets: none."""

from google.colab import _stub


class SecretNotFoundError(Exception):
    """No secret of this name."""


class NotebookAccessError(Exception):
    """The person did not allow this notebook to read it."""


def get(key: str) -> str:
    """The secret of a name.

    Raises:
        SecretNotFoundError: always.
    """
    _stub.log("userdata.get", key=key)
    raise SecretNotFoundError(f"Secret {key} does not exist.")
