"""Looking after the work: what is done, what fits, what can go, and one door to all of it."""
