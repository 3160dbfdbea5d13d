"""What methods keep of files, as their backends and codecs declare it, and what an archive does without."""

from __future__ import annotations

import pytest

from imgstore_tui import registry
from imgstore_tui.analysis.advice.keeping import OWN_FILES, Keeping, keepings, unsuitable_for_archive
from imgstore_tui.plugins.registry import sorted_backends
from imgstore_tui.testing.fake_runs import fake_spec


def keepings_of(*labels: str) -> tuple[Keeping, ...]:
    return keepings([registry.resolve_spec(label) for label in labels], labels)


def test_files_are_kept_by_the_codec_that_keeps_them() -> None:
    original, bare, lossy = keepings_of("lmdb+original", "lmdb", "lmdb+jpeg")
    assert (original.originals, original.drops, original.lossless) == (True, (), True)
    assert (bare.originals, bare.lossless) == (False, True)
    assert "EXIF" in bare.drops
    assert (lossy.originals, lossy.lossless) == (False, False)


def test_names_are_kept_by_the_backend_that_can() -> None:
    for keeping in keepings_of(
        "lmdb", "safetensors" if not registry.missing_imports(registry.backends.get("safetensors")) else "npy"
    ):
        assert keeping.names is registry.backends.get(keeping.spec).capabilities.names


def test_every_backend_here_says_which_programs_open_its_stores() -> None:
    for backend in sorted_backends():
        if backend.__module__.startswith("imgstore_tui."):
            assert backend.opened_by, backend.name
            assert not backend.opened_by.endswith(".")


def test_what_is_not_installed_is_left_out_and_own_files_keep_everything() -> None:
    specs = [registry.resolve_spec("lmdb"), fake_spec("unheard-of")]
    assert [keeping.spec for keeping in keepings(specs, ["source", "lmdb", "unheard-of", "never-planned"])] == [
        "source",
        "lmdb",
    ]
    assert (OWN_FILES.names, OWN_FILES.originals, OWN_FILES.drops) == (True, True, ())


def test_an_archive_does_without_what_loses_files_where_something_keeps_them() -> None:
    reasons = unsuitable_for_archive(keepings_of("lmdb+original", "lmdb", "disk+jpeg"))
    assert list(reasons) == ["lmdb", "disk+jpeg"]
    assert reasons["lmdb"] == "it does not keep the files themselves: EXIF, ICC profile would be lost"
    assert "bits of the pixels" in reasons["disk+jpeg"]


@pytest.mark.parametrize(("labels", "left_out"), [(("lmdb", "hdf5"), []), (("lmdb", "lmdb+jpeg"), ["lmdb+jpeg"])])
def test_where_nothing_keeps_files_only_lossy_methods_are_left_out(
    labels: tuple[str, ...], left_out: list[str]
) -> None:
    assert list(unsuitable_for_archive(keepings_of(*labels))) == left_out
