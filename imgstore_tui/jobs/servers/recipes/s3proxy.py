"""S3Proxy, a second server of the S3 API: a gateway to a folder, from Maven Central."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.downloads import MavenJars
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import http_status
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

VERSION = "4.1.0"
USER = "IMGSTORETUIKEY"  # it counts as a secret, so it must be no word of other texts
BUCKET = "images"


class S3ProxyRecipe(ServerRecipe):
    """A Java program that keeps a bucket as a folder."""

    name = "s3proxy"
    backend = "s3"
    title = "S3Proxy"
    for_tests = True
    how_to_get = "imgstore-tui servers fetch s3proxy, and apt-get install openjdk-17-jre-headless"
    download = MavenJars(
        f"S3Proxy {VERSION}",
        f"s3proxy-{VERSION}",
        57_000_000,
        "Apache-2.0",
        # What it needs names an older version of the annotations, with which it does not start.
        (f"org.gaul:s3proxy:{VERSION}", "com.fasterxml.jackson.core:jackson-annotations:2.21"),
    )

    def programs(self) -> Programs | None:
        """Look for the jars and for Java."""
        jar, java = places.downloaded(f"s3proxy-{VERSION}/lib/s3proxy-{VERSION}.jar"), places.java(17, 21, 25)
        return None if jar is None or java is None else {"java": java, "jar": jar}

    def prepare(self, node: Node) -> None:
        """Make the bucket, and write the settings, the secret key among them."""
        folder = node.make_folder("data")
        node.make_folder(f"data/{BUCKET}")
        settings = {
            "s3proxy.endpoint": f"http://127.0.0.1:{node.port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": USER,
            "s3proxy.credential": node.password,
            "s3proxy.ignore-unknown-headers": "true",
            "jclouds.provider": "filesystem-nio2",
            "jclouds.filesystem.basedir": str(folder),
        }
        node.write("s3proxy.conf", "".join(f"{name}={value}\n" for name, value in settings.items()))

    def processes(self, node: Node) -> Sequence[Process]:
        """Start it."""
        jars = f"{node.programs['jar'].parent}/*"
        options = ["-Xmx256M", f"-Djava.io.tmpdir={node.folder / 'tmp'}", "-cp", jars]
        settings = node.folder / "s3proxy.conf"
        return [Process([node.programs["java"], *options, "org.gaul.s3proxy.Main", "--properties", settings])]

    def answers(self, node: Node) -> bool:
        """Whether it answers requests, be it with a refusal."""
        return http_status(node.port, f"/{BUCKET}") is not None

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the keys."""
        secret = quote(node.password, safe="")
        query = f"endpoint=http://127.0.0.1:{node.port}&access_key_id={USER}&secret_access_key={secret}"
        return {"IMGSTORE_S3_URL": f"s3://{BUCKET}?{query}"}
