"""Apache Cassandra, from the jars that ``servers fetch`` takes from Maven Central, and the machine's Java."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.downloads import MavenJars
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import LOOPBACK, replies
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = "cassandra"
KEYSPACE = "imgstore"
VERSION = "5.0.9"
_FIRST_PASSWORD = "cassandra"  # noqa: S105 - what every new node has, until it is replaced
_HEAP = "512M"
_LOGIN_S = 60.0
_OPTIONS_REQUEST = bytes((4, 0, 0, 0, 5, 0, 0, 0, 0))
"""Asks which options the server knows, in version 4 of its protocol; it needs no login."""
_VERSION_OF_ANSWER = bytes((0x84,))
# What Cassandra's own script passes to Java 17.
_EXPORTS = (
    "java.base/jdk.internal.misc", "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server", "java.sql/java.sql", "java.base/java.lang.ref", "jdk.unsupported/sun.misc",
    "jdk.compiler/com.sun.tools.javac.file", "jdk.attach/sun.tools.attach",
)  # fmt: skip
_OPENS = (
    "java.base/java.lang.module", "java.base/jdk.internal.loader", "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect", "java.base/jdk.internal.math", "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar", "jdk.management/com.sun.management.internal", "java.base/sun.nio.ch",
    "java.base/java.io", "java.base/java.lang.reflect", "jdk.compiler/com.sun.tools.javac", "java.base/java.lang",
    "java.base/java.util", "java.base/java.nio", "java.rmi/sun.rmi.transport.tcp",
)  # fmt: skip
_LOGBACK = """<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%-5level %date{HH:mm:ss.SSS} %logger{0} - %msg%n</pattern></encoder></appender>
<root level="WARN"><appender-ref ref="OUT"/></root></configuration>
"""


class CassandraRecipe(ServerRecipe):
    """A cluster of one node; its superuser has a password. Where it listens and keeps its files is all that is set."""

    name = "cassandra"
    backend = "cassandra"
    title = "Apache Cassandra"
    how_to_get = "imgstore-tui servers fetch cassandra, and Java 17 (apt-get install openjdk-17-jre-headless)"
    download = MavenJars(
        f"Apache Cassandra {VERSION}",
        f"cassandra-{VERSION}",
        69_000_000,
        "Apache-2.0, with libraries under BSD, MIT, EPL-1.0 and LGPL-2.1",
        (f"org.apache.cassandra:cassandra-all:{VERSION}",),
    )
    ports = ("server", "storage", "jmx")
    start_s = 180.0
    stop_s = 20.0
    commit_log: ClassVar[Mapping[str, str]] = {"commitlog_sync": "periodic", "commitlog_sync_period": "10000ms"}
    """When the node forces its commit log to the device: its own default."""

    def programs(self) -> Programs | None:
        """Look for Java and the jars."""
        java, jar = places.java(17, 11), places.downloaded(f"cassandra-{VERSION}/lib/cassandra-all-{VERSION}.jar")
        return {"java": java, "jars": jar.parent} if java and jar else None

    def prepare(self, node: Node) -> None:
        """Write what the node is told."""
        node.write("logback.xml", _LOGBACK)
        settings = {
            "cluster_name": "imgstore-tui",
            "num_tokens": "1",
            "initial_token": "0",
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "SimpleSnitch",
            "authenticator": "PasswordAuthenticator",
            "listen_address": LOOPBACK,
            "rpc_address": LOOPBACK,
            "storage_port": f"{node.ports['storage']}",
            "native_transport_port": f"{node.port}",
            "data_file_directories": f"[{node.folder}/data]",
            "auto_bootstrap": "false",
            "auto_snapshot": "false",
            **{
                f"{name}_directory": f"{node.folder}/{name}"
                for name in ("commitlog", "saved_caches", "hints", "cdc_raw")
            },
            **self.commit_log,
        }
        seeds = f'[{{seeds: "{LOOPBACK}:{node.ports["storage"]}"}}]'
        seed_provider = f"[{{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: {seeds}}}]"
        lines = [f"{name}: {value}" for name, value in {**settings, "seed_provider": seed_provider}.items()]
        node.write("cassandra.yaml", "\n".join([*lines, ""]))

    def processes(self, node: Node) -> Sequence[Process]:
        """Start Java with the class that Cassandra's script starts, and what that passes."""
        folder, jars = node.folder, node.programs["jars"]
        jamm = next(iter(sorted(jars.glob("jamm-*.jar"))), jars)
        modules = [
            word
            for option, names in (("--add-exports", _EXPORTS), ("--add-opens", _OPENS))
            for name in names
            for word in (option, f"{name}=ALL-UNNAMED")
        ]
        properties = {
            "java.net.preferIPv4Stack": "true",
            "java.io.tmpdir": f"{folder}/tmp",  # noqa: S108 - a folder of the node
            "java.rmi.server.hostname": LOOPBACK,
            "jdk.attach.allowAttachSelf": "true",
            "io.netty.tryReflectionSetAccessible": "true",
            "io.netty.allocator.useCacheForAllThreads": "true",
            "io.netty.allocator.maxOrder": "11",
            "logback.configurationFile": f"{folder}/logback.xml",
            "cassandra.config": f"file://{folder}/cassandra.yaml",
            "cassandra.storagedir": f"{folder}",
            "cassandra.logdir": f"{folder}",
            "cassandra-foreground": "yes",
            # One node waits for no other.
            "cassandra.ring_delay_ms": "0",
            "cassandra.skip_wait_for_gossip_to_settle": "0",
            "cassandra.superuser_setup_delay_ms": "0",
            "cassandra.jmx.local.port": f"{node.ports['jmx']}",
            "com.sun.management.jmxremote.authenticate": "false",
            # The password is known to nobody else, and checking it costs a tenth of a second by default.
            "cassandra.auth_bcrypt_gensalt_log2_rounds": "4",
        }
        if node.fast:
            # A change of the schema then waits for no file.
            properties["cassandra.unsafesystem"] = "true"
        return [
            Process([
                node.programs["java"], f"-javaagent:{jamm}", f"-Xms{_HEAP}", f"-Xmx{_HEAP}", "-Xss256k", "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=300", "-XX:+PerfDisableSharedMem", "-XX:+ExitOnOutOfMemoryError",
                f"-XX:MaxDirectMemorySize={_HEAP}", *(f"-D{name}={value}" for name, value in properties.items()),
                *modules, "-cp", f"{jars}/*", "org.apache.cassandra.service.CassandraDaemon",
            ])
        ]  # fmt: skip

    def answers(self, node: Node) -> bool:
        """Whether it answers clients."""
        return replies(node.port, _OPTIONS_REQUEST, _VERSION_OF_ANSWER)

    def populate(self, node: Node) -> None:
        """Replace the password that every new node has, and create the keyspace."""
        try:
            from imgstore_tui.backends.cassandra import driver
        except ImportError:
            raise UnavailableError(
                "Cassandra's user is set up with cassandra-driver, which is not installed: "
                "pip install 'imgstore-tui[cassandra]'."
            ) from None
        new_password = node.password.replace("'", "''")
        keyspace = f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = "
        steps = {
            node.password: keyspace + "{'class': 'SimpleStrategy', 'replication_factor': 1}",
            _FIRST_PASSWORD: f"ALTER ROLE {USER} WITH PASSWORD = '{new_password}'",
        }
        deadline = time.monotonic() + _LOGIN_S
        while True:
            # A node has its user a moment after it answers, and checks against a former password for two seconds.
            for password, statement in list(steps.items()):
                try:
                    session = driver.connect([LOOPBACK], node.port, login=(USER, password), connect_s=_LOGIN_S / 3)
                except driver.ERRORS as error:
                    reason = driver.reason(error)
                    continue
                try:
                    session.execute(statement, timeout=driver.SCHEMA_S)
                except driver.ERRORS as error:
                    raise UnavailableError(f"Cassandra cannot be set up: {driver.reason(error)}.") from None
                finally:
                    session.close()
                if password == node.password:
                    return
                del steps[password]
            if time.monotonic() > deadline:
                raise UnavailableError(f"Cassandra does not let its user in: {reason}.")
            time.sleep(0.2)

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the password."""
        word = quote(node.password, safe="")
        return {"IMGSTORE_CASSANDRA_URL": f"cassandra://{USER}:{word}@{LOOPBACK}:{node.port}/{KEYSPACE}"}
