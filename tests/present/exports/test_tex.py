"""Tests LaTeX: escaped text, and that it compiles where LaTeX is installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.exports.tex import escape
from imgstore_tui.testing.conformance_exporter import hostile_run
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run


def test_nothing_is_a_command() -> None:
    assert escape("a_b & 50 % $x$ {y} #1 \\cmd ~^") == (
        r"a\_b \& 50 \% \$x\$ \{y\} \#1 \textbackslash{}cmd \textasciitilde{}\textasciicircum{}"
    )
    assert escape("12 µs") == r"12 \ensuremath{\mu}s"


def test_ranges_have_their_dash_and_names_keep_theirs() -> None:
    assert escape("1.21-1.31") == "1.21--1.31"
    assert escape("(1.21-1.31)") == "(1.21--1.31)"
    assert escape("1.21-1.31 ms") == "1.21--1.31 ms"
    assert escape("write-many") == "write{-}many"


def test_a_table_by_hand() -> None:
    text = exports.get("tex").export(fake_run(["hdf5"], [100], 1)).decode()
    assert r"\caption{Disk use. Data: synthetic images, 32x32x3 uint8. On disk" in text
    assert r"100 & hdf5 & 305 KiB & 3.05 KiB & 1.02x & 1 \\" in text


def test_the_paper_alone_numbers_its_tables() -> None:
    text = exports.get("tex").export(fake_article_run((1, 10))).decode()
    assert r"\caption{Store one image and its label." in text
    assert re.search(r"caption\{\d", text) is None


def test_a_table_longer_than_a_page_is_continued_on_another() -> None:
    text = exports.get("tex").export(fake_article_run()).decode()
    floats = [part for part in text.split(r"\begin{table}")[1:] if r"\caption{What the article says" in part]
    assert len(floats) > 1
    assert all(r"\caption{What the article says, continued.}" in part for part in floats[1:])
    rows = [line for part in floats for line in part.splitlines() if line.endswith(r" \\")]
    assert len(rows) == len(floats) + 15, "each claim once, and a head per float"


@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed (apt-get install texlive-latex-base)"
)
@pytest.mark.parametrize(
    "run",
    [
        fake_run(["disk", "lmdb:preset=article"], failures={"disk/read-many/10": "a_b"}),
        fake_article_run(),
        fake_run(["disk", "lmdb", "webdataset+png"], [10, 100, 1000], 12),
        hostile_run(),
    ],
)
def test_it_compiles(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tables.tex").write_bytes(exports.get("tex").export(run))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{array,booktabs,textcomp}"
        r"\begin{document}\input{tables}\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert b"Float too large" not in done.stdout, "a table is cut at the end of its page"
