"""The colorizer that is trained from scratch on the user's own photos, and the colors it gives."""

import npylabel.training  # noqa: F401 - it sets torch's threads before torch is loaded
