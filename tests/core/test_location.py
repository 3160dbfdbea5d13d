"""The grammar of locations: what is a path, what is an address, and what is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.location import (
    AddressForm,
    Scheme,
    ServerLocation,
    is_address,
    parse_location,
    public_text,
    server_of,
)

TABLE, BUCKET = Scheme(AddressForm.TABLE, "IMGSTORE_TOY_URL"), Scheme(AddressForm.OBJECT, "IMGSTORE_BUCKET_URL")
TLS = Scheme(AddressForm.TABLE, "IMGSTORE_TLS_URL", frozenset({"ssl-mode", "ssl-ca"}))
SCHEMES = {"postgresql": TABLE, "mongodb": TABLE, "s3": BUCKET, "mysql": TLS}


def parsed(text: str) -> ServerLocation:
    location = parse_location(text, SCHEMES)
    assert isinstance(location, ServerLocation)
    return location


@pytest.mark.parametrize("text", ["photos", "./a,b", "/tmp/x#y", "c:photos", "s3:/bucket", "~root/x"])
def test_what_is_not_an_address_is_a_path(text: str) -> None:
    assert isinstance(parse_location(text, SCHEMES), Path)
    assert not is_address(text)


def test_a_path_that_exists_is_a_path_whatever_it_looks_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "bucket").mkdir(parents=True)
    assert parse_location("s3://bucket", SCHEMES) == Path("s3:/bucket")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///data/a%20b", "/data/a b"),
        ("file:/data/x", "/data/x"),
        ("file://localhost/x,y", "/x,y"),
        ("file:./here", "here"),
    ],
)
def test_a_file_address_is_a_path(text: str, path: str) -> None:
    assert parse_location(text, SCHEMES) == Path(path)


def test_an_address_of_a_table() -> None:
    location = parsed("postgresql://me@db.example:5433/art?sslmode=require&a=1,b=2#photos")
    assert (location.user, location.host, location.port) == ("me", "db.example", 5433)
    assert (location.database, location.name) == ("art", "photos")
    assert location.parameters == (("sslmode", "require"), ("a", "1,b=2"))
    assert location.child("other").name == "other"
    assert location.place.name == ""


def test_an_address_of_an_object_store() -> None:
    location = parsed("s3://bucket/some/prefix?endpoint=http://127.0.0.1:9000")
    assert (location.database, location.name, location.host) == ("bucket", "some/prefix", "")
    assert location.child("photos").public().startswith("s3://bucket/some/prefix/photos?endpoint=")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h/db",
        "postgresql://h:1/db#a%2Cb%23c%22d%20e",
        "postgresql://[::1]:5432/db#t",
        "postgresql://h/d%2Fb?options=-c%20x#s.t",
        "mongodb://a:1,b:2/db#photos",
        "s3://bucket",
        "s3://bucket/a%2Cb/c?region=x",
    ],
)
def test_the_public_text_is_parsed_to_the_same_location(text: str) -> None:
    if text == "postgresql://h/d%2Fb?options=-c%20x#s.t":
        with pytest.raises(UsageError, match="more than a database"):
            parsed(text)
        return
    location = parsed(text)
    assert parsed(location.public()) == location
    assert not {'"', " "} & set(public_text(location))
    assert parsed(f'"{location}"') == location


def test_parameters_that_a_scheme_knows_are_taken() -> None:
    assert parsed("mysql://h/db?ssl_mode=REQUIRED&SSL-CA=x").parameters == (("ssl_mode", "REQUIRED"), ("SSL-CA", "x"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The address names no kind of server. Write postgresql://HOST/DATABASE."),
        ("/tmp/db", "The address names no kind of server. Write postgresql://HOST/DATABASE."),
        ("localhost:5432/db", "The address names no kind of server. Write postgresql://HOST/DATABASE."),
        ("gopher://h/db", "Unknown kind of address 'gopher'. Known: postgresql."),
        ("postgresql://h", "An address postgresql://h names no database. Write postgresql://HOST/DATABASE."),
    ],
)
def test_a_bad_address_in_a_variable_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        server_of(text, {"postgresql": TABLE})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("postgres://h/db", "Did you mean 'postgresql'"),
        ("gopher://h/db", "Unknown kind of address 'gopher'"),
        ("postgresql:///db", "names no host"),
        ("postgresql://h", "names no database. Write postgresql://HOST/DATABASE#NAME"),
        ("postgresql://h/#t", "names no database"),
        ("postgresql://h/a/b#t", "more than a database"),
        ("postgresql://h:port/db", "valid host and port"),
        ("postgresql://h:70000/db", "port 70000"),
        ("postgresql://[::1/db", "malformed"),
        ("postgresql://h/d b", "Percent-encode"),
        ('postgresql://h/db#a"b', "Percent-encode"),
        ("postgresql://h/db#50%", "Percent-encode"),
        ("s3:///key", "names no bucket"),
        ("postgresql://h/a%00b", "control character"),
        ("postgresql://h%0A/db", "control character"),
        ("postgresql://h/db#a%00b", "control character"),
        ("s3://bucket/a%09b", "control character"),
        ("mysql://h/db?ssl=true", "Unknown parameter of an address mysql:// 'ssl'.*ssl-mode"),
        ("file://host/x", "names another machine"),
    ],
)
def test_a_bad_address_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_location(text, SCHEMES)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:canary@h/db",
        "postgresql://me:can%61ry@h/d b",
        "postgresql://:canary@/db",
        "postgresql://me:can#ary/canary@h/db",
        "postgresql://me:canary@1@h/db",
        "postgresql://h/db?password=canary",
        "postgresql://h/db?sslpassword=canary",
        "s3://bucket/x?aws_secret_access_key=canary",
        "postgresql://host/db#photos?password=canary",
        "postgresql://me%3Acanary@host/db#photos",
        "s3://bucket/x?access_key=canary&region=x",
        "s3://canary:canary@bucket/x",
    ],
)
def test_an_address_with_a_secret_is_refused_with_the_variable_to_use(text: str) -> None:
    with pytest.raises(UsageError, match="set the variable IMGSTORE_") as refused:
        parse_location(text, SCHEMES)
    assert "canary" not in str(refused.value)
