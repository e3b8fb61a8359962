"""The classifier that is trained from scratch on the user's own photos, and the labels it gives."""
