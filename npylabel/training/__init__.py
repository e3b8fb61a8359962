"""The engine that trains: what a labeler and a colorizer have in common, whatever they learn."""

import os

# Torch's threads wait for each other busily by default: beside one other busy program on two cores, training was 6 to 8
# times slower. A short busy wait (some 20 microseconds; other libraries than GNU's know none) costs nothing there, and
# makes small pictures 15 % quicker where the machine is free. Has to be set before torch is loaded; what the user has
# set stays.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "20000")
