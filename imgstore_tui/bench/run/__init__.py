"""The supervisor: it runs a plan, and never works inside the measured process."""
