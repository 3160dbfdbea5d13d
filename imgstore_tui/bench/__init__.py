"""The instrument: plans, rounds, trials in child processes, the clock, the journal."""
