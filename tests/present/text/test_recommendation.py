"""Tests the recommendation, and what is missing for one where there is no verdict."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.cli.plan_arguments import add_plan_arguments, plan_from_arguments
from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.operations import CacheState, Operation, Payload
from imgstore_tui.present import exports
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.narrative import operation_verdicts_text, verdict_lines, verdict_text
from imgstore_tui.present.text.recommendation import TITLE, fastest_line, recommendation_lines
from imgstore_tui.testing.fake_runs import fake_run

BOTH = [Operation.WRITE_MANY, Operation.READ_MANY]
PHOTOS = "folder:/data/my photos"


DISK_USE = "On disk, 1,000 images: hdf5 2.94 MiB, disk 3.91 MiB, lmdb 3.92 MiB. One round answers that."


def exact(run: Run, **seconds: float) -> Run:
    return replace(run, measurements=tuple(replace(trial, seconds=seconds[trial.spec]) for trial in run.measurements))


def of_photos(run: Run, *, source: float) -> Run:
    """Return the run with a source row, whose reads take so many seconds and which weighs 100 KiB."""
    own = [
        replace(trial, spec="source", backend="source", codec="original", seconds=source, allocated_bytes=102_400)
        for trial in run.measurements
        if trial.spec == "disk" and not trial.operation.writes
    ]
    return replace(run, measurements=(*run.measurements, *own))


def lines_of(run: Run, cutoff: int | None = None) -> list[str]:
    return [line.text for line in recommendation_lines(build_results(run), cutoff) if not line.headline]


def headlines(run: Run) -> list[str]:
    return [line.text for line in recommendation_lines(build_results(run)) if line.headline]


def commands(run: Run) -> list[str]:
    return [line.text for line in recommendation_lines(build_results(run)) if line.command]


def test_the_first_of_each_operation_at_the_most_images_and_what_it_weighs() -> None:
    run = exact(fake_run(cutoffs=[10, 100], operations=BOTH), disk=3.0, lmdb=2.0, hdf5=2.0)
    assert lines_of(run)[:5] == [
        "lmdb or hdf5: either will do where images are read often. In read-many they take as good as the same time. "
        "hdf5 takes less disk.",
        "Fastest at 100 images:",
        "- write-many: hdf5/lmdb (tie)",
        "- read-many: hdf5/lmdb (tie)",
        "On disk: hdf5 305 KiB, lmdb 416 KiB.",
    ]
    assert lines_of(run, 10)[1] == "Fastest at 10 images:"
    assert lines_of(run, 77) == []


def test_images_that_were_repeated_are_not_passed_off_as_so_many() -> None:
    run = fake_run(cutoffs=[100, 1000], operations=BOTH)
    few = replace(run, datasets=tuple(replace(facts, used=300, repeated=True) for facts in run.datasets))
    assert lines_of(few)[1] == "Fastest at 1,000 images (300 of them, repeated):"
    assert lines_of(few, 100)[1] == "Fastest at 100 images:"


def test_one_image_alone_is_not_said_twice() -> None:
    assert lines_of(fake_run())[2].startswith("- write-one: ")


def test_what_takes_least_disk_is_named_where_it_is_not_among_the_fastest() -> None:
    run = exact(fake_run(cutoffs=[100], operations=BOTH), disk=3.0, lmdb=1.0, hdf5=2.0)
    assert lines_of(run)[4] == "On disk: lmdb 416 KiB; least of all hdf5 305 KiB."


def test_one_s_own_files_stay_as_they_are_where_nothing_reads_faster() -> None:
    run = exact(fake_run(cutoffs=[100], operations=BOTH, dataset=PHOTOS), disk=3.0, lmdb=2.0, hdf5=2.5)
    for source in (1.0, 2.0):
        run_ = of_photos(run, source=source)
        assert lines_of(run_)[0] == (
            "To be read, your files can stay as they are (source): nothing here was shown to be faster in read-many."
        )
        assert not commands(run_)


def test_what_reads_faster_is_held_against_one_s_own_files_and_the_command_is_given() -> None:
    run = of_photos(
        exact(fake_run(cutoffs=[100], operations=BOTH, dataset=PHOTOS), disk=3.0, lmdb=2.0, hdf5=2.5), source=8.0
    )
    headline, advice, command, *_ = recommendation_lines(build_results(run))
    assert headline.headline
    assert advice.text == (
        "Take lmdb where images are read often: it is fastest in read-many. That holds with 95 % for all 2 verdicts of "
        "the run together. Your files as they are (source) take 4 times as long as lmdb (4 to 4); lmdb takes 4.16 "
        "times their disk, and keeps only the pixels (no EXIF, no file names)."
    )
    assert command.command
    assert shlex.split(command.text) == ["imgstore-tui", "convert", PHOTOS, "lmdb", "my photos.lmdb"]


def test_reading_in_random_order_counts_before_reading_in_order() -> None:
    run = fake_run(cutoffs=[100], operations=[Operation.READ_MANY, Operation.READ_RANDOM])
    crossed = replace(
        run,
        measurements=tuple(
            replace(trial, seconds=1.0 if (trial.spec == "disk") == (trial.operation is Operation.READ_RANDOM) else 2.0)
            for trial in run.measurements
        ),
    )
    assert any(line.startswith("Take disk ") for line in lines_of(crossed))


def test_hot_and_cold_are_advised_on_apart_and_the_same_command_is_given_once() -> None:
    both = (CacheState.HOT, CacheState.COLD)
    run = fake_run(cutoffs=[100], operations=BOTH, dataset=PHOTOS, cache=both)
    lines = lines_of(exact(run, disk=3.0, lmdb=2.0, hdf5=2.5))
    assert [line.partition(".")[0].rpartition(", ")[2] for line in lines if line.startswith("Take lmdb ")] == [
        "cache hot",
        "cache cold",
    ]
    assert sum(line.startswith("imgstore-tui convert ") for line in lines) == 1


def test_pixels_measured_bare_are_no_reason_to_store_them_encoded() -> None:
    run = exact(fake_run(cutoffs=[100], operations=BOTH, dataset=PHOTOS), disk=1.0, lmdb=2.0, hdf5=2.5)
    bare = replace(
        run,
        plan=replace(run.plan, payload=Payload.RAW),
        measurements=tuple(replace(trial, payload=Payload.RAW) for trial in run.measurements),
    )
    assert commands(run)
    assert not commands(bare)


@pytest.mark.parametrize("dataset", ["folder:/data/\x1b[31m", "folder:/data/\u202egnp", "not a dataset at all:"])
def test_no_command_is_given_that_cannot_be_shown_as_it_is(dataset: str) -> None:
    run = fake_run(cutoffs=[100], operations=BOTH, dataset=dataset)
    assert not commands(run)
    assert all(line.isprintable() for line in lines_of(run))


def test_images_that_are_made_up_are_said_to_be() -> None:
    assert lines_of(fake_run(operations=BOTH))[-2:] == [
        "These are synthetic images. To measure your own:",
        "imgstore-tui run --rounds 6 --operations write-many read-many -n 1,10,100,1000 -d folder:PATH",
    ]
    assert "made up" not in " ".join(lines_of(fake_run(operations=BOTH, dataset="cifar10:/data")))


@pytest.mark.parametrize("name", ["quick", "article", "custom"])
def test_the_command_for_the_users_own_images_measures_as_the_run_did(name: str) -> None:
    run = fake_run(["disk", "lmdb"], [10, 250], cache=[CacheState.HOT, CacheState.COLD], operations=BOTH)
    (command,) = commands(replace(run, plan=replace(run.plan, name=name)))
    program, _, *words = shlex.split(command)
    parser = CommandParser(prog=program)
    add_plan_arguments(parser)
    words[words.index("folder:PATH")] = "synthetic"
    plan = plan_from_arguments(parser.parse_args(words))
    assert plan.cutoffs == run.plan.cutoffs
    if name == "custom":
        assert [spec.label for spec in plan.specs] == ["disk", "lmdb"]
        assert (plan.operations, plan.cache, plan.rounds) == (run.plan.operations, run.plan.cache, run.plan.rounds)
    else:
        assert plan.operations == named_plan(name).operations


def test_who_decodes_on_the_clock_and_who_keeps_bare_pixels_is_said() -> None:
    sentence = "Decoded on the clock: disk (PNG). Bare pixels, with nothing to decode: lmdb and hdf5."
    assert sentence in lines_of(fake_run(operations=BOTH))
    assert "ecoded on the clock" not in " ".join(lines_of(fake_run(["lmdb", "hdf5"], operations=BOTH)))
    raw = fake_run(operations=BOTH)
    raw = replace(
        raw,
        plan=replace(raw.plan, payload=Payload.RAW),
        measurements=tuple(replace(trial, payload=Payload.RAW) for trial in raw.measurements),
    )
    assert "ecoded on the clock" not in " ".join(lines_of(raw))


def test_where_rounds_are_missing_it_is_said_how_to_get_them() -> None:
    assert lines_of(fake_run(rounds=3, operations=BOTH)) == [
        "No answer: it takes 6 rounds, and the plan has 3.", DISK_USE,
    ]  # fmt: skip
    short = fake_run(rounds=3, operations=BOTH, status="budget")
    short = replace(short, plan=replace(short.plan, rounds=6))
    assert lines_of(short) == [
        "No answer yet: the time budget ran out after 3 of the 6 rounds needed. To continue:",
        f"imgstore-tui resume {short.id}",
        DISK_USE,
    ]


def test_a_run_whose_server_is_gone_with_its_command_offers_no_way_to_go_on() -> None:
    short = fake_run(rounds=3, operations=BOTH, status="budget")
    server = ServerFacts("postgres", "PostgreSQL", "18", "postgresql://127.0.0.1", ends_with_command=True)
    environment = replace(short.environment, servers=(server,))
    short = replace(short, plan=replace(short.plan, rounds=6), environment=environment)
    assert "servers up" in lines_of(short)[0]
    assert "resume" not in " ".join((*lines_of(short), *commands(short)))


def test_the_answer_is_that_of_the_most_images_with_a_verdict_and_what_lacks_one_is_named() -> None:
    run = fake_run(cutoffs=[10, 100], rounds=6, operations=BOTH, status="budget")
    short = replace(run, measurements=tuple(x for x in run.measurements if x.cutoff == 10 or x.round == 1))
    lines = lines_of(short)
    assert "Fastest at 10 images:" in lines
    missing = "No answer yet for 100 images: the time budget ran out after 1 of the 6 rounds needed. To continue:"
    assert lines[lines.index(missing) + 1] == f"imgstore-tui resume {run.id}"


def test_a_run_that_ended_before_a_second_method_had_its_turn_says_how_to_go_on() -> None:
    run = fake_run(rounds=1, operations=BOTH, status="budget")
    first = tuple(trial for trial in run.measurements if trial.spec == "disk")
    short = replace(run, plan=replace(run.plan, rounds=6), measurements=first)
    assert commands(short) == [f"imgstore-tui resume {run.id}"]
    assert lines_of(replace(short, measurements=())) == []


def test_no_verdict_no_answer() -> None:
    assert lines_of(fake_run(["lmdb"], operations=BOTH)) == []
    assert lines_of(fake_run(operations=BOTH, failures={"disk": "x", "lmdb": "x", "hdf5": "x"})) == []
    assert lines_of(fake_run(operations=BOTH, status="running")) == []


def test_what_is_lossy_is_named_and_what_keeps_every_bit_beside_it() -> None:
    run = exact(fake_run(cutoffs=[10], operations=BOTH), disk=1.0, lmdb=2.0, hdf5=2.0)
    lossy = tuple(
        replace(trial, psnr_db=38.4) if trial.spec == "disk" and trial.operation.writes else trial
        for trial in run.measurements
    )
    third, *first, second = lines_of(replace(run, measurements=lossy))[:5]
    assert first == ["Fastest at 10 images:", "- write-many: disk", "- read-many: disk"]
    assert second.endswith("Lossy: disk (38 dB).")
    assert third.endswith("Of those that keep every bit hdf5 is first, and takes 2 times as long as disk (2 to 2).")


FAR, NEAR = (0.5, 0.6, 1.5, 1.6, 1.7, 1.8), (0.6, 0.7, 1.0, 1.1, 1.5, 1.6)


def waver(run: Run, seconds: tuple[float, ...] = FAR) -> Run:
    return replace(
        run,
        measurements=tuple(
            replace(trial, seconds=1.0 if trial.spec == "lmdb" else seconds[trial.round - 1])
            for trial in run.measurements
        ),
    )


@pytest.mark.parametrize("specs", [["lmdb", "hdf5"], ["hdf5", "lmdb"]])
def test_of_those_that_may_yet_be_told_apart_none_is_to_be_taken(specs: list[str]) -> None:
    run = fake_run(specs, cutoffs=[100], operations=[Operation.READ_MANY], dataset=PHOTOS)
    advice, command, *_ = lines_of(waver(run))
    assert advice == (
        f"{' or '.join(specs)}: not decided where images are read often. In read-many they are too close to "
        "call; more rounds may decide."
    )
    # Which has the lowest median is chance; the first of the plan is not.
    assert f" {specs[0]} " in command


def test_either_will_do_only_where_the_medians_are_near() -> None:
    run = fake_run(["lmdb", "hdf5"], cutoffs=[100], operations=[Operation.READ_MANY], dataset=PHOTOS)
    assert headlines(waver(run)) == [
        "lmdb or hdf5, not decided so far: an epoch of 100 images in order takes 1.00 s or 1.55 s."
    ]
    assert headlines(waver(run, NEAR)) == [
        "lmdb or hdf5, either will do so far: an epoch of 100 images in order takes 1.00 s or 1.05 s."
    ]


def test_a_grain_less_on_disk_decides_nothing() -> None:
    run = exact(fake_run(["lmdb", "hdf5"], cutoffs=[100], operations=BOTH, dataset=PHOTOS), lmdb=1.0, hdf5=1.01)
    level = tuple(
        replace(trial, allocated_bytes=100_000 - (trial.spec == "hdf5")) if trial.operation.writes else trial
        for trial in run.measurements
    )
    assert "less disk" not in lines_of(replace(run, measurements=level))[0]
    (command,) = commands(replace(run, measurements=level))
    assert " lmdb " in command


NEAR_CALL = (1.22, 1.03, 1.1, 1.17, 0.99, 1.2, 1.4, 1.17, 1.35, 1.4, 0.99, 0.99, 1.17, 1.4)
"""Seconds by round against 1.0: slower for one verdict, not for ten together."""


def near_call(run: Run, slow: str) -> Run:
    return replace(
        run,
        measurements=tuple(
            replace(trial, seconds=NEAR_CALL[trial.round % len(NEAR_CALL)] if trial.spec == slow else 1.0)
            for trial in run.measurements
        ),
    )


def test_what_is_fastest_in_its_own_verdict_alone_is_no_headline() -> None:
    run = fake_run(["lmdb", "hdf5"], range(1, 11), 12, operations=[Operation.READ_MANY])
    lines = lines_of(near_call(run, "hdf5"))
    assert lines[0] == (
        "Rather lmdb than hdf5 where images are read often: by this verdict alone it is fastest in read-many, but not "
        "surely so when all 10 verdicts of the run are to hold together; more rounds may show it."
    )
    assert lines[1:3] == ["Fastest at 10 images:", "- read-many: lmdb"]


def test_what_its_own_verdict_calls_slower_is_not_among_those_that_will_do() -> None:
    run = near_call(fake_run(["disk", "lmdb", "hdf5"], range(1, 11), 14, operations=[Operation.READ_MANY]), "hdf5")
    first, second, *_ = lines_of(run)
    assert first == (
        "disk or lmdb: either will do where images are read often. In read-many they take as good as the same time. "
        "hdf5 takes longer by this verdict alone, not surely when all 10 verdicts of the run are to hold together."
    )
    assert "hdf5" not in second


def test_files_that_their_own_verdict_calls_slower_are_not_said_to_be_as_fast_as_anything() -> None:
    run = fake_run(["disk"], range(1, 11), 12, operations=[Operation.READ_MANY], dataset=PHOTOS)
    first, *_ = lines_of(near_call(of_photos(run, source=1.0), "source"))
    assert first.startswith("Rather disk than source where images are read often: ")


def test_what_was_read_from_memory_alone_is_said_to_be() -> None:
    sentence = (
        "Everything was read from the page cache. If your set is larger than memory, also measure cold reads "
        "(--cache hot,cold)."
    )
    assert sentence in lines_of(fake_run(operations=BOTH))
    assert sentence not in lines_of(fake_run(operations=BOTH, cache=[CacheState.HOT, CacheState.COLD]))
    assert sentence not in lines_of(fake_run(operations=[Operation.WRITE_MANY]))


def test_a_tie_goes_to_what_keeps_every_bit() -> None:
    run = exact(fake_run(["disk", "lmdb"], cutoffs=[10], operations=BOTH), disk=2.0, lmdb=2.0)
    light = tuple(
        replace(trial, psnr_db=38.4, allocated_bytes=1) if trial.spec == "disk" and trial.operation.writes else trial
        for trial in run.measurements
    )
    assert lines_of(replace(run, measurements=light))[0] == (
        "Take lmdb where images are read often: it keeps every bit, which disk does not, and in read-many it is as "
        "fast, as far as the rounds can tell."
    )


def test_it_stands_before_the_verdicts_on_the_screen_and_in_documents() -> None:
    run = fake_run(operations=BOTH)
    first, *_ = lines_of(run)
    documents = [exports.get(name).export(run).decode() for name in ("md", "html")]
    for text in (verdict_text(build_results(run)).plain, *documents):
        plain = text.replace("\\", "")
        assert plain.index(TITLE) < plain.index(first) < plain.index("lmdb is fastest")


def test_in_short_methods_stand_with_their_operations_and_never_half_of_them() -> None:
    run = exact(fake_run(cutoffs=[10, 100], operations=[Operation.WRITE_ONE, *BOTH]), disk=3.0, lmdb=1.0, hdf5=2.0)
    whole = fastest_line(build_results(run), 100)
    assert whole == "Fastest at 100 images: write-one, write-many, read-many lmdb"
    assert fastest_line(build_results(run), len(whole) - 1) == "Fastest at N=100: write-many, read-many lmdb"
    assert fastest_line(build_results(run), 20) == ""
    assert fastest_line(build_results(fake_run(rounds=3)), 200) == ""


def test_a_verdict_that_is_read_names_few_and_counts_the_rest() -> None:
    run = fake_run([f"lmdb:note={letter}" for letter in "abcdefgh"], [10], operations=[Operation.WRITE_MANY])
    costs = {spec.label: 1.0 + number for number, spec in enumerate(run.plan.specs)}
    run = replace(run, measurements=tuple(replace(trial, seconds=costs[trial.spec]) for trial in run.measurements))
    read = operation_verdicts_text(build_results(run)).plain
    assert "lmdb:note=e takes 5" in read
    assert "lmdb:note=f" not in read
    assert "3 more take 6" in read
    whole, clause = verdict_lines(build_results(run))
    assert clause.startswith("Intervals: 95 % for all methods of a verdict together")
    assert "lmdb:note=h takes 8" in whole, "what is exported has all"


def test_the_title_of_the_answer_gives_its_look_to_nothing_else() -> None:
    text = verdict_text(build_results(fake_run()), width=78)
    assert not text.style
    first = min(text.spans, key=lambda span: span.start)
    assert text.plain[first.start : first.end].strip() == TITLE


def test_of_several_data_sets_it_is_said_which_is_meant() -> None:
    one, other = (fake_run(cutoffs=[10], operations=BOTH, dataset=text) for text in (PHOTOS, "cifar10:/data"))
    both = replace(
        one,
        plan=replace(one.plan, datasets=(PHOTOS, "cifar10:/data")),
        datasets=one.datasets + other.datasets,
        measurements=one.measurements + other.measurements,
    )
    advice = [line for line in lines_of(both) if line.startswith("Take ")]
    assert [line.partition(" for ")[2].partition(" where ")[0] for line in advice] == ["my photos", "cifar10"]


def test_the_answer_in_one_line_says_what_an_epoch_takes() -> None:
    run = exact(fake_run(cutoffs=[100], operations=BOTH, dataset=PHOTOS), disk=3.0, lmdb=2.0, hdf5=2.5)
    assert headlines(run) == [
        "Take lmdb: an epoch of 100 images in order takes 2.00 s instead of 2.50 s with hdf5; 1.36 times the disk use."
    ]
    assert headlines(of_photos(run, source=8.0)) == [
        "Take lmdb: an epoch of 100 images in order takes 2.00 s instead of 8.00 s from your files; 4.16 times the "
        "disk use."
    ]
    assert headlines(of_photos(run, source=1.0)) == [
        "Stay with your files: an epoch of 100 images in order takes 1.00 s, and nothing here was shown to do it in "
        "less time."
    ]


def test_the_answer_in_one_line_names_all_that_will_do() -> None:
    run = exact(fake_run(cutoffs=[100], operations=BOTH), disk=3.0, lmdb=2.0, hdf5=2.0)
    assert headlines(run) == ["lmdb or hdf5, either will do: an epoch of 100 images in order takes 2.00 s."]
    assert headlines(fake_run(rounds=3)) == []


def timed_reads(random_s: float, one_s: float | None, cache: CacheState = CacheState.HOT) -> list[str]:
    """Return the last line on each of a run in which lmdb reads 100 images, and one alone, in so many seconds."""
    operations = [Operation.WRITE_MANY, Operation.READ_RANDOM, *([] if one_s is None else [Operation.GET_ONE])]
    run = fake_run(["lmdb", "disk"], [100], 9, operations=operations, cache=[cache])
    of = {Operation.READ_RANDOM: random_s, Operation.GET_ONE: one_s or 0.0, Operation.WRITE_MANY: 1.0}
    slower = {"lmdb": 1.0, "disk": 3.0}
    trials = tuple(replace(m, seconds=of[m.operation] * slower[m.spec], samples=()) for m in run.measurements)
    return [line for line in lines_of(replace(run, measurements=trials)) if "single" in line or "one by one" in line]


def test_what_a_loop_over_single_images_takes_is_said_or_how_to_measure_it() -> None:
    assert timed_reads(0.1, None) == [
        "Read by calls of up to 64 images. What a loop over single images takes is measured by -o get-one."
    ]
    assert timed_reads(0.1, 0.005) == [
        "Asked for one by one an image takes 5.00 ms (get-one), 5 times as long as by calls of up to 64 images."
    ]
    assert timed_reads(0.1, 0.0012) == [
        "Asked for one by one an image takes 1.20 ms (get-one), about as long as by calls of up to 64 images."
    ]
    assert timed_reads(0.1, 0.0005) == [
        "Asked for one by one an image takes 500 µs (get-one); by calls of up to 64 images, opening the store "
        "included, 2 times as long."
    ]
    assert timed_reads(0.0001, 0.000005) == [
        "Asked for one by one an image takes 5.00 µs (get-one), 5 times as long as by calls of up to 64 images. Single "
        "reads are timed each by itself, with label and checks: microseconds that a bare loop does not have."
    ]
    assert timed_reads(0.1, None, CacheState.COLD) == [], "single reads of an open store are never cold"
