"""Writes results and reads them back: the journal, saved runs, past costs, the lock of a running run."""
