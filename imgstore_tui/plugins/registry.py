"""Offers what the program asks of plug-ins in one place: the catalogues, and texts made into objects."""

from imgstore_tui.plugins.catalogue import (
    Catalogue,
    check_available,
    check_installed,
    how_to_get,
    missing_imports,
    missing_requirement,
    missing_setting,
    way_to_use,
)
from imgstore_tui.plugins.catalogues import (
    BackendCatalogue,
    backends,
    codecs,
    datasets,
    local_backends,
    sorted_backends,
)
from imgstore_tui.plugins.dataset_resolver import make_dataset, most_images
from imgstore_tui.plugins.locations import parse_location, server_of
from imgstore_tui.plugins.spec_resolver import (
    make_backend,
    make_codec,
    make_local,
    preset_of,
    resolve_spec,
    with_defaults,
)
from imgstore_tui.plugins.store_detection import open_store, open_store_at, possible_backends

__all__ = [
    "BackendCatalogue",
    "Catalogue",
    "backends",
    "check_available",
    "check_installed",
    "codecs",
    "datasets",
    "how_to_get",
    "local_backends",
    "make_backend",
    "make_codec",
    "make_dataset",
    "make_local",
    "missing_imports",
    "missing_requirement",
    "missing_setting",
    "most_images",
    "open_store",
    "open_store_at",
    "parse_location",
    "possible_backends",
    "preset_of",
    "resolve_spec",
    "server_of",
    "sorted_backends",
    "way_to_use",
    "with_defaults",
]
