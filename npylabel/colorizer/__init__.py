"""The colorizer that is trained from scratch on the user's own photos, and the colors it gives."""

import os

# As for the labeler: torch's threads must not wait for each other busily beside other programs. Has to be set before
# torch is loaded; what the user has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
