"""What the screen and the command line both start beside a run.

``convert`` writes a dataset into a store for keeps; ``fetch`` downloads CIFAR; ``sweep`` removes what dead runs have
left; ``plans`` keeps plans under names; ``preview`` and ``place`` look at data and scratch before anything is done.
``watchdog`` ends a process in time, whatever its terminal does.
"""
