"""How a trial gets a process of its own: the executor, the fork server, and the child's side."""
