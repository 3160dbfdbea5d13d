"""The instrument: what is measured, in which process, and where the results go.

The supervising process: ``run.runner`` runs a plan (``plan.plans``). It refuses what cannot work (``run.preflight``),
prepares data and scratch (``trial.pixel_cache``, ``run.scratch``), then ``run.run_loop`` goes through the rounds of
``plan.grid``, one ``run.block_round`` after the other. ``processes.executor`` hands each ``protocol.messages`` request
to the fork server, and ``results.journal`` records the outcome before any listener sees it. From there
``results.follow``, ``results.saved_runs`` and ``results.state`` serve the screen and the command line.

The measured process, forked by ``processes.fork_server`` for each request: ``processes.child`` runs ``trial.trial``.
``trial.setup`` prepares it; ``trial.write``, ``trial.read`` and ``trial.edit`` are timed by ``trial.clock``; what was
read ends in ``trial.read_buffer`` and is compared there. All three processes see ``protocol.shared_progress``.
"""
