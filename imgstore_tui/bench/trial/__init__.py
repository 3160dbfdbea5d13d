"""The measured process only: what runs before, inside and after the clock of one trial."""
