"""The classifier that is trained from scratch on the user's own photos, and the labels it gives."""

# Sets how torch's threads wait, which has to be before torch is loaded.
import npylabel.training  # noqa: F401
