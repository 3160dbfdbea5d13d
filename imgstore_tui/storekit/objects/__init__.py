"""Implements stores in object storage on one engine; the backends s3, gcs and azure say how to connect to theirs.

A store is the objects whose keys begin with its name and ``/``. One of them, the manifest, says what it holds and in
which object, at which offset, each image lies; it is first put unfinished and at the end whole, so that a store is
whole or absent. Nothing outside those keys is read or changed. Every object is put by one request, never in parts, so
that none is ever left half uploaded.
"""
