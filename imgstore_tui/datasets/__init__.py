"""The datasets: one file each, none imports another."""
