"""Jobs besides a run, which the screen and the command line start.

``convert`` writes a dataset into a permanent store; ``fetch`` downloads CIFAR; ``sweep`` finds and removes leftovers of
killed runs; ``plans`` saves plans by name; ``preview`` looks at data and scratch folder before a run; ``watchdog`` ends
a process in time, whatever its terminal does.
"""
