"""What is left of killed runs is summed up in a few words."""

from __future__ import annotations

from imgstore_tui.jobs.sweep import ServerLeftover, WeighedLeftover, total_size


def on_server(run: str, place: str, stores: int | None) -> WeighedLeftover:
    return WeighedLeftover(ServerLeftover(run, place), stores=stores)


def test_stores_on_servers_are_summed_up() -> None:
    unknown = [on_server("a", "postgresql://h/db", None), on_server("b", "mongodb://h/db", None)]
    known = [on_server("c", "s3://b", 2), on_server("d", "s3://b", 1)]
    assert total_size(unknown) == "an unknown number of stores on 2 servers"
    assert total_size(known) == "3 stores on a server"
    assert total_size([*known, *unknown]) == "3 stores on a server and an unknown number of stores on 2 servers"
