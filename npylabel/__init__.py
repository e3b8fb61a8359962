"""The rooms behind ``npylabel_core``: base, photos, dataset, labeler and ui."""

__version__ = "0.1.0"
