"""Plug-ins that were written for an older contract: what they declare under former names is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.codecs.raw import RawCodec
from imgstore_tui.core.backend import Continuation, Editor
from imgstore_tui.plugins.catalogues import as_local
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.storekit.local import LocalBackend
from tests.outside.ledger import Ledger

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


class FormerBackend(Ledger):
    marks = ("table.bin",)
    own_files = re.compile(r"table\.bin")


class FormerOverride(FormerBackend):
    @classmethod
    def strangers(cls, location: Path) -> Iterator[Path]:
        yield location / "all of it"


class FormerEditor(Editor):
    def touched(self) -> Iterable[Path]:
        return [Path("table.bin")]

    def close(self) -> None: ...

    def abort(self) -> None: ...


class FormerCodec(RawCodec):
    name = "former"

    def meant(self, image: Pixels) -> Pixels:
        return image[:1]


def local(kind: type) -> type[LocalBackend]:
    """Return the class as the program makes it of a plug-in's."""
    adapted = as_local(kind)
    assert issubclass(adapted, LocalBackend)
    return adapted


def test_a_backend_may_declare_former_names(tmp_path: Path) -> None:
    assert local(FormerBackend).signature_files == ("table.bin",)
    (tmp_path / "table.bin").touch()
    (tmp_path / "notes.txt").touch()
    assert list(local(FormerBackend).unowned_files(tmp_path)) == [tmp_path / "notes.txt"]
    assert list(local(FormerOverride).unowned_files(tmp_path)) == [tmp_path / "all of it"]
    assert local(FormerOverride).signature_files == ("table.bin",)


def test_present_names_win_over_former_ones_in_one_class() -> None:
    class Both(Ledger):
        marks = ("old",)
        signature_files = ("new",)

    assert local(Both).signature_files == ("new",)
    assert local(Ledger).signature_files == ()


def test_an_editor_and_a_codec_may_define_former_methods() -> None:
    assert FormerEditor().changed_paths() == [Path("table.bin")]
    assert FormerCodec({}).kept_pixels(np.zeros((4, 4), np.uint8)).shape == (1, 4)
    assert RawCodec({}).kept_pixels(np.zeros((4, 4), np.uint8)).shape == (4, 4)


def test_the_former_name_of_a_restart_is_the_same_member() -> None:
    assert Continuation("anew") is Continuation.RESTART
    assert Continuation["ANEW"] is Continuation["RESTART"]


def test_a_dataset_may_read_the_former_name_of_its_limit() -> None:
    dataset = make_dataset("synthetic")
    assert dataset.wanted is None
    dataset.image_limit = 5
    assert dataset.wanted == 5
