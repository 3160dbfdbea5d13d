from __future__ import annotations

import time

import pytest

from imgstore_tui.bench.trial.clock import Clock


def test_phases_add_up_and_gaps_do_not_count() -> None:
    clock = Clock()
    clock.start()
    time.sleep(0.01)
    clock.lap("open")
    time.sleep(0.02)
    clock.lap("storage")
    clock.stop()
    time.sleep(0.05)
    clock.start()
    time.sleep(0.01)
    clock.lap("storage")
    clock.stop()
    sample = clock.take_sample()
    assert sample.seconds == pytest.approx(sum(sample.phases.values()), abs=1e-12)
    assert sample.phases["open"] >= 0.01
    assert sample.phases["storage"] >= 0.03
    assert clock.elapsed_s >= sample.seconds + 0.05
    assert clock.take_sample().phases == {}


def test_cpu_of_gaps_does_not_count() -> None:
    clock = Clock()
    clock.start()
    clock.lap("open")
    clock.stop()
    began = time.process_time()
    while time.process_time() - began < 0.3:
        sum(range(10_000))
    clock.start()
    clock.lap("close")
    clock.stop()
    assert clock.cpu_user_s + clock.cpu_system_s < 0.15


def test_the_seconds_of_several_workers_are_phases_and_not_the_time() -> None:
    clock = Clock()
    clock.start()
    clock.lap("storage")
    clock.stop()
    for _ in range(2):
        clock.count_worker("codec", 5_000_000_000)
    sample = clock.take_sample()
    assert sample.phases["codec"] == 10.0
    assert sample.seconds < 1.0


def test_cpu_that_is_left_out_does_not_count() -> None:
    clock = Clock()
    with clock.running():
        clock.start()
        clock.lap("open")
        clock.stop()
        with clock.left_out():
            began = time.thread_time()
            while time.thread_time() - began < 0.3:
                sum(range(10_000))
    assert clock.cpu_user_s + clock.cpu_system_s < 0.15
