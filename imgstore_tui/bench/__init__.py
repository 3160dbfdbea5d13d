"""The instrument: what is measured, in which process, and where the results go.

In the supervising process ``runner`` runs a ``plan``: it is looked at before anything is done (``preflight``,
``feasible``; what it will take: ``estimate``, ``eta``, ``rates``), data and place are made ready (``source``,
``data_warnings``; ``scratch``, ``apart``, ``mounts``, ``lock``, ``environment``), then ``session`` goes through the
``rounds``, one ``block`` after the other, as far as ``steering`` lets it. ``executor`` hands each ``job`` to the
``zygote``, ``diagnosis`` says why one failed, and the ``journal`` has what came of it before anybody else. From there
``journal_reader``, ``watching``, ``saved_runs`` and ``state`` have what the screen and the command line show.

In a child, forked by the zygote for each job, ``worker`` does it: a ``trial`` is set up by ``rig`` and is ``writing``,
``reading`` (``parallel`` with several processes), ``changing`` or ``probing``, timed by the ``clock``; what was read
ends in the ``sink`` and is compared there. ``cachestate``, ``pagecache``, ``drain`` and ``frames`` see to it that no
trial pays for another; ``inplace`` reads the user's own files as they lie. The ``board`` is seen by all three
processes.
"""
