"""The rooms behind ``npylabel_core``; each may import those before it, in the order of ``test_architecture``."""

__version__ = "0.1.0"
