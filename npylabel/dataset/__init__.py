"""Class folders, splits, labels, and the verified ``bw/ color/ labels/`` dataset."""
