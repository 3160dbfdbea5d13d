"""What several backends make their stores of, by what their files are.

Bytes: ``raw_file`` is read, ``output`` written, ``npy_file`` is an array. A folder of files with a ``manifest_file``:
``folder_writer``, ``folder_editor``, ``checked_reader``. Payloads one behind the other: ``payload_row``, ``records``.
Tables of Arrow: ``arrow_batches``; images of one size at known places of any file: ``scattered``.
"""
