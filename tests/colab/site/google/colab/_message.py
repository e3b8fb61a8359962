"""Where Colab keeps its error."""

from google.colab._stub import MessageError

__all__ = ["MessageError"]
