"""Where results go and come back from: the journal, saved runs, past costs, the lock of a running run."""
