from __future__ import annotations

import pytest

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.options import Option, resolve_options
from imgstore_tui.core.spec import parse_dataset_text, parse_spec_text
from imgstore_tui.core.text import safe_text

DECLARED = (
    Option("chunks", 0, "Images a chunk.", minimum=0, maximum=4096),
    Option("filter", "none", "Filter.", choices=("none", "lzf")),
    Option("swmr", False, "Swmr."),
    Option("growth", 2.0, "Growth.", minimum=1.1),
)


def test_a_spec_is_taken_apart() -> None:
    parsed = parse_spec_text("hdf5+png:chunks=64,codec.level=9,preset=article")
    assert (parsed.backend, parsed.codec, parsed.preset) == ("hdf5", "png", "article")
    assert (parsed.options, parsed.codec_options) == ({"chunks": "64"}, {"level": "9"})


@pytest.mark.parametrize("text", ["", "+png", "lmdb+", "LMDB!", "lmdb:x", "lmdb:x=", "lmdb:=1", "lmdb:", "[red]"])
def test_a_spec_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_spec_text(text)


def test_a_dataset_is_taken_apart() -> None:
    parsed = parse_dataset_text('folder:"/a,b/c d",resize=64x64')
    assert (parsed.name, parsed.path, parsed.options) == ("folder", "/a,b/c d", {"resize": "64x64"})
    assert parse_dataset_text("synthetic,size=64").options == {"size": "64"}
    assert parse_dataset_text("folder:C:/x").path == "C:/x"


@pytest.mark.parametrize("text", ["", ":x", "folder:", "folder:x,y", "folder:x,=2"])
def test_a_dataset_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_dataset_text(text)


def test_options_get_their_types_and_defaults() -> None:
    values = resolve_options(DECLARED, {"chunks": "64", "swmr": "yes"}, "backend x")
    assert values == {"chunks": 64, "filter": "none", "swmr": True, "growth": 2.0}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("chunk", "1", "Did you mean 'chunks'"), ("chunks", "many", "whole number"), ("chunks", "-1", "0..4096"),
     ("filter", "zip", "none, lzf"), ("swmr", "perhaps", "yes or no"), ("growth", "nan", "1.1.."),
     ("growth", "x", "a number")],
)  # fmt: skip
def test_options_that_do_not_fit(name: str, value: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_options(DECLARED, {name: value}, "backend x")
    assert word in str(caught.value)


def test_text_that_a_terminal_might_obey_is_spelt_out() -> None:
    assert safe_text("plain Ünïcode 日本 [red]") == "plain Ünïcode 日本 [red]"
    assert safe_text("a\x1b[31mb\nc\u202ed\udcff\x9b") == "a<U+001B>[31mb<U+000A>c<U+202E>d<U+DCFF><U+009B>"
