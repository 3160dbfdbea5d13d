"""MariaDB, from Debian's packages of its server and the tools that this needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.jobs.servers import places, probes
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = DATABASE = "imgstore"


class MariadbRecipe(ServerRecipe):
    """A server whose files mariadb-install-db makes; user and database come from a file that it reads at its start."""

    name = "mariadb"
    backend = "mysql"
    title = "MariaDB"
    how_to_get = "apt-get install mariadb-server-core mariadb-client-core"
    refuses_root = True

    def programs(self) -> Programs | None:
        """Look for the server and the tool that makes its files."""
        server = places.first_usable((places.on_path("mariadbd"), places.newest("/usr/sbin/mariadbd")))
        install = places.on_path("mariadb-install-db")
        # The tool is a script that stops half-way without this one, which comes with the client's package.
        defaults = places.on_path("my_print_defaults")
        return {"server": server, "install": install} if server and install and defaults else None

    def prepare(self, node: Node) -> None:
        """Make the files of the server."""
        node.run(
            node.programs["install"], "--no-defaults", f"--datadir={node.folder}/data", "--skip-test-db",
            "--auth-root-authentication-method=normal", f"--basedir={node.programs['server'].parents[1]}",
        )  # fmt: skip
        word = node.password.replace("\\", "\\\\").replace("'", "\\'")
        node.write(
            "users.sql",
            f"CREATE DATABASE IF NOT EXISTS {DATABASE};\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{word}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
            "DROP USER IF EXISTS 'root'@'localhost';\n",
        )

    def processes(self, node: Node) -> Sequence[Process]:
        """Start the server with its defaults, or forcing nothing to the device."""
        folder = node.folder
        words = [
            f"--datadir={folder}/data", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
            f"--tmpdir={folder / 'tmp'}", f"--init-file={folder}/users.sql", f"--port={node.port}",
            "--bind-address=127.0.0.1", "--max-allowed-packet=128M",  # a picture of 50 megapixels fits
        ]  # fmt: skip
        if node.fast:
            words += ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-fast-shutdown=2"]
        return [Process([node.programs["server"], "--no-defaults", *words])]

    def answers(self, node: Node) -> bool:
        """Whether it greets, which it does when it has read the file of users."""
        return probes.replies(node.port)

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the password."""
        word = quote(node.password, safe="")
        return {"IMGSTORE_MYSQL_URL": f"mysql://{USER}:{word}@127.0.0.1:{node.port}/{DATABASE}"}
