"""One function per step: what the notebooks and the command line call. Heavy libraries are imported inside of them."""
