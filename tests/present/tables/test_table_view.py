"""Tests sorted and filtered tables: by value and not by text, headings kept, unknown values last."""

from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry
from imgstore_tui.present.tables.table_view import TableView, apply_view, view_text
from imgstore_tui.present.tables.timings import overview_tables, timing_tables
from imgstore_tui.testing.fake_runs import fake_run

RESULTS = build_results(fake_run(failures={"hdf5/read-one": "broke"}))
READ_ONE = next(table for table in timing_tables(RESULTS) if table.title.startswith("read-one"))
WRITE_MANY = next(table for table in timing_tables(RESULTS) if table.title.startswith("write-many"))
(OVERVIEW,) = overview_tables(RESULTS)


def column(table: Table, title: str) -> list[str]:
    column = [entry.title for entry in table.columns].index(title)
    return [row[column].text.strip() for row in table.rows]


def test_numbers_are_sorted_as_numbers_and_what_is_not_known_stays_last() -> None:
    for falling, sign in ((False, "▲"), (True, "▼")):
        table = apply_view(READ_ONE, TableView("", "median", falling))
        column = [entry.title for entry in table.columns].index(f"median {sign}")
        values = [row[column].value for row in table.rows]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=falling)
        assert values[-4:] == [None] * 4
        assert [row[column].text for row in table.rows[-4:]] == ["failed"] * 4
        assert len(table.rows) == len(READ_ONE.rows)


def test_sizes_with_units_are_sorted_by_what_they_weigh() -> None:
    (table,) = disk_tables(RESULTS)
    sizes = column(apply_view(table, TableView("", "on disk")), "on disk ▲")
    assert sizes[0].startswith("7.01 KiB")
    assert sizes[-1].startswith("3.91 MiB") or sizes[-1].startswith("3.92 MiB")


def test_words_are_sorted_by_letter() -> None:
    names = column(apply_view(WRITE_MANY, TableView("", "method")), "method ▲")
    assert names == ["disk"] * 4 + ["hdf5"] * 4 + ["lmdb"] * 4


def test_below_a_heading_rows_are_sorted_among_themselves() -> None:
    table = apply_view(OVERVIEW, TableView("", "N=1k"))
    heads = [table.rows[index][0].text for index in sorted(table.heads)]
    assert heads == [OVERVIEW.rows[index][0].text for index in sorted(OVERVIEW.heads)]
    written = column(table, "method")[5:8]
    assert written == ["hdf5", "lmdb", "disk"]


def test_every_word_must_be_found_in_method_operation_or_level() -> None:
    results = build_results(fake_run(cache=[CacheState.HOT, CacheState.COLD]))
    (table,) = overview_tables(results)
    left = apply_view(table, TableView("LMDB read cold"))
    assert column(left, "method") == [
        "read-one, cache cold", "lmdb", "read-many, cache cold", "lmdb", "read-random, cache cold", "lmdb",
    ]  # fmt: skip
    assert left.heads == {0, 2, 4}
    assert left.breaks == {1, 3, 5}
    assert not apply_view(table, TableView("lmdb nothing")).rows


def test_a_number_means_that_many_images_and_no_other() -> None:
    for word in ("10", "n=10", "N=10"):
        assert set(column(apply_view(WRITE_MANY, TableView(word)), "images")) == {"10"}
    for word in ("1k", "1000", "1,000", "N=1k"):
        assert set(column(apply_view(WRITE_MANY, TableView(word)), "images")) == {"1,000"}
        assert [entry.title for entry in apply_view(OVERVIEW, TableView(word)).columns] == ["method", "N=1k", "access"]
    assert not apply_view(WRITE_MANY, TableView("5")).rows


def test_without_wishes_a_table_stays_as_it_is() -> None:
    for table in (OVERVIEW, READ_ONE, WRITE_MANY, *disk_tables(RESULTS)):
        assert apply_view(table, TableView()) == table
        assert apply_view(table, TableView("", "no such column")) == table


def test_words_of_the_data_are_no_pattern() -> None:
    table = Table("t", (TableColumn("a", right=False),), ((TableEntry("[red](.*)"),), (TableEntry("x"),)))
    assert [row[0].text for row in apply_view(table, TableView("(.*)")).rows] == ["[red](.*)"]


def test_asking_for_a_column_again_turns_it_and_then_lets_it_go() -> None:
    first = TableView("words").sorted_by("median")
    assert first == TableView("words", "median", False)
    second = first.sorted_by("median")
    assert second == TableView("words", "median", True)
    assert second.sorted_by("median").sort_column == ""
    assert second.sorted_by("images") == TableView("words", "images", False)
    assert view_text(second, 3, 12) == "/words: 3 of 12 rows"
    assert view_text(TableView("", "median"), 3, 3) == ""


def test_one_operation_only_has_no_holes() -> None:
    (table,) = overview_tables(build_results(fake_run(["disk"], [10], operations=[Operation.READ_MANY])))
    assert column(apply_view(table, TableView("disk 10", "N=10")), "method") == ["read-many, cache hot", "disk"]


def test_a_word_of_thousands_of_digits_is_no_number_of_images() -> None:
    assert apply_view(OVERVIEW, TableView("9" * 5000)).rows == ()
