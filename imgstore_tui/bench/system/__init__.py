"""Wraps the operating system: page cache, mounts, cgroups, memory, processes, environment, the program's folders."""
