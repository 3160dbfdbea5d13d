"""The facts of a run in a line each."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.present.text.captions import fact_pairs
from imgstore_tui.testing.fake_runs import fake_run


def test_of_a_mount_only_the_options_that_change_a_time_are_named() -> None:
    run = fake_run(["disk"], [1], 1)

    def shown(options: str) -> str:
        environment = replace(run.environment, scratch_mount_options=options)
        return dict(fact_pairs(replace(run, environment=environment)))["Work folder"]

    usual = shown("")
    assert shown("rw,relatime,resuid=65534") == usual
    assert "ext4 (discard, data=journal)" in shown("rw,relatime,discard,data=journal,resgid=65534")
