"""Provides what backends build on.

Where a store lives: ``local`` (a folder or a file), ``server``.
Bytes: ``raw_file`` reads, ``output`` writes, ``npy_file`` is an array file, ``atomic_write`` replaces whole files.
A folder of files with a ``manifest_file``: ``folder_writer``, ``folder_editor``, ``checked_reader``.
Payloads in a row: ``payload_row``, ``records``; images of one size at known offsets: ``fixed_records``.
Arrow tables: ``arrow_batches``. Files of other programs: ``foreign_files``.
Errors: ``store_errors``. Removing folders: ``safe_remove``. Child processes: ``child_python``, ``messages``.
"""
