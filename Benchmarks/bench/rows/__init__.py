"""The rows of the table, a file each: ours, the peer's and the limit's, side by side in turns."""
