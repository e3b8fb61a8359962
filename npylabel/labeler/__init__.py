"""The classifier that is trained from scratch on the user's own photos, and the labels it gives."""

import os

# Torch's threads wait for each other busily by default: beside one other busy program on two cores, training was 6 to 8
# times slower. Has to be set before torch is loaded; a value that the user has set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
