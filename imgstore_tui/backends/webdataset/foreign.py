"""Indexes WebDataset tars: members whose names are equal up to the first dot are one sample."""

from __future__ import annotations

import tarfile
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.storekit.foreign_files import ByteRangeFile, label_of

_MOST_LABEL = 64


class TarImages(ByteRangeFile):
    """A tar: its picture members in order, with labels from ``.cls`` members."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        pictures: dict[str, tuple[int, int]] = {}
        labels: dict[str, int] = {}
        try:
            with tarfile.open(path, "r:") as tar:
                for member in tar:
                    if tar.offset <= member.offset:  # a negative size would lead back to an earlier member
                        raise StoreError(f"{path} is damaged: a member has no size that can be.")
                    folder, slash, leaf = member.name.rpartition("/")
                    stem, _, kind = leaf.partition(".")
                    key = folder + slash + stem
                    if not member.isreg():
                        continue
                    if kind == "cls" and member.size <= _MOST_LABEL:
                        labels[key] = label_of(self.file.read_at(member.offset_data, member.size), path)
                    elif f".{kind.lower()}" in decode.SUFFIXES:
                        if member.offset_data + member.size > self.file.size:
                            raise StoreError(f"{path} has been cut short.")
                        pictures.setdefault(key, (member.offset_data, member.size))
                if tar.offset + tarfile.BLOCKSIZE > self.file.size:  # the end mark would be there
                    raise StoreError(f"{path} has been cut short.")
        except (tarfile.TarError, OSError, ValueError, EOFError) as error:
            self.close()
            raise StoreError(f"{path} is damaged or no tar: {first_line(error)}.") from None
        except StoreError:
            self.close()
            raise
        self.ranges = list(pictures.values())
        self.labels = [labels.get(key, 0) for key in pictures]
