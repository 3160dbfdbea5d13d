"""The storage systems: one file each, none imports another."""
