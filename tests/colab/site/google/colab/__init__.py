"""A stub of Colab's own package: it does what the real one does to files, and logs each call.

Environment variables: ``COLAB_STUB_LOG`` (file of JSON lines), ``COLAB_STUB_PERSON`` ("1": somebody sits in front),
``COLAB_STUB_NOBODY`` ("raise" or "hang": a question that nobody answers), ``COLAB_STUB_STORE`` (the Drive's folder
while it is not mounted), ``COLAB_STUB_MOUNT`` ("move", "link" or "mkdir": how it gets to the mount point),
``COLAB_STUB_UPLOADS`` (folder of the files that a person would choose).
"""

from google.colab import drive, files, output, runtime, userdata

__all__ = ["drive", "files", "output", "runtime", "userdata"]
