"""What the operating system gives: page cache, mounts, cgroups, processes, environment."""
