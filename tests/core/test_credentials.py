"""Secrets are held in memory and taken out of what is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imgstore_tui.core import credentials


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    before = credentials.held()
    credentials.forget()
    yield
    credentials.forget()
    credentials.hold(before)


@pytest.mark.parametrize(
    "message",
    ["bad: postgresql://me:p%40ss-canary@h/db", "password p@ss-canary refused", "(p@ss-canary)", "x=p%40ss-canary&y"],
)
def test_a_password_is_taken_out_in_every_form(message: str) -> None:
    credentials.hold({"IMGSTORE_TOY_URL": "postgresql://me:p%40ss-canary@h/db"})
    assert "canary" not in credentials.scrub(message)
    assert credentials.HIDDEN in credentials.scrub(message)


def test_a_short_secret_is_taken_out_as_a_word_only() -> None:
    credentials.hold({"PGPASSWORD": "pg"})
    assert credentials.scrub("pg_hba: no entry for pg") == "pg_hba: no entry for ***"


def test_the_rest_of_an_address_is_no_secret() -> None:
    credentials.hold({"IMGSTORE_TOY_URL": "postgresql://me:secret@h/db?sslpassword=other"})
    assert credentials.scrub("me at h/db: secret, other") == "me at h/db: ***, ***"
