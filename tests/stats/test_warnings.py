"""Signs of noise."""

import pytest

from imgstore_tui.stats.warnings import Noise, modified_z, noise_warnings


def kinds(*arguments: list[float]) -> list[Noise]:
    return [warning.kind for warning in noise_warnings(*arguments)]


def test_quiet_rounds_have_nothing_to_say() -> None:
    assert kinds([1.0, 1.01, 0.99, 1.02, 1.0, 1.0], [1.0] * 6) == []


def test_modified_z_counts_in_mads() -> None:
    assert modified_z([9.0, 10.0, 11.0, 20.0, 8.0]) == (-1.0, 0.0, 1.0, 10.0, -2.0)


def test_a_tiny_mad_does_not_make_outliers() -> None:
    assert kinds([1.0, 1.0, 1.0, 1.0, 1.0, 1.05]) == []


@pytest.mark.parametrize(
    ("rounds", "kind"),
    [
        ([5.0, 1.0, 1.01, 0.99, 1.0, 1.02], Noise.SLOW_FIRST),
        ([1.0, 5.0, 1.01, 0.99, 1.0, 1.02], Noise.OUTLIERS),
        ([1.0, 1.3, 0.8, 1.2, 0.9, 1.1], Noise.SPREAD),
        ([1.0, 1.9, 1.0], Noise.SPREAD),
    ],
)
def test_each_sign_alone(rounds: list[float], kind: Noise) -> None:
    assert kinds(rounds) == [kind]


def test_short_clocks() -> None:
    assert kinds([1e-4] * 6, [5e-4] * 6) == [Noise.SHORT]
    assert kinds([1e-4] * 6, [5e-3] * 6) == []


def test_two_rounds_are_too_few_for_a_spread() -> None:
    assert kinds([1.0, 2.0]) == []


def test_a_warning_reads_as_a_sentence_with_advice() -> None:
    (warning,) = noise_warnings([5.0, 1.0, 1.01, 0.99, 1.0, 1.02])
    assert str(warning) == (
        "The first round took 5.0 times the median. "
        "Something was warming up; the median ignores it, a second run would show."
    )
