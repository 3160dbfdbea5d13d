"""Tests what the screen can export: the run in every format, the chart as text, drawing and picture."""

from __future__ import annotations

import importlib.util
import io
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from PIL import Image

from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.charts.axes import Scales
from imgstore_tui.present.charts.chart_list import Chart, run_charts
from imgstore_tui.present.charts.figures import ChartKind
from imgstore_tui.present.export_choices import ExportChoice, export_choices
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run

HOSTILE = "[red]\x1b[2J<b>&"


def hostile() -> Run:
    """A run of which one method has a name that would speak."""
    run = fake_run()
    specs = tuple(replace(spec, label=HOSTILE) if spec.label == "hdf5" else spec for spec in run.plan.specs)
    trials = tuple(replace(trial, spec=HOSTILE) if trial.spec == "hdf5" else trial for trial in run.measurements)
    return replace(run, plan=replace(run.plan, specs=specs), measurements=trials)


RUN = hostile()
DRAWINGS = run_charts(build_results(RUN))


def offer(name: str, drawing: Chart) -> ExportChoice:
    return next(entry for entry in export_choices(RUN, drawing) if entry.name == name)


def test_every_export_is_offered_and_the_chart_where_there_is_one() -> None:
    names = [entry.name for entry in export_choices(RUN, DRAWINGS[0])]
    of_run = sorted(exports.names(), key=lambda name: exports.catalogue.get(name).archive)
    assert names == [*of_run, "chart-txt", "chart-svg", "chart-png"]
    assert [entry.name for entry in export_choices(RUN, None)] == of_run
    empty = run_charts(build_results(fake_run(("disk",), failures={"disk": "no"})))[0]
    assert [entry.name for entry in export_choices(RUN, empty)] == of_run
    for entry in export_choices(RUN, DRAWINGS[0]):
        if not entry.how_to_get and not entry.chart:
            assert entry.make() == exports.get(entry.name).export(RUN)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.figure.kind.value)
def test_the_chart_as_text_is_whole_and_harmless(drawing: Chart) -> None:
    text = offer("chart-txt", drawing).make().decode()
    assert "\x1b" not in text
    assert "disk" in text
    assert drawing.figure.title.split(",")[0] in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.figure.kind.value)
def test_the_chart_as_a_drawing_stands_alone(drawing: Chart) -> None:
    svg = offer("chart-svg", drawing).make().decode()
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.count("http") == 1, "nothing is loaded from elsewhere but the name of the format"
    assert "lmdb" in svg
    assert "\x1b" not in svg
    classes = {element.get("class") for element in root.iter()} - {None}
    assert {name for name in classes if f".{name}{{" not in svg} == set(), "every class has its style"


def test_axes_are_those_on_the_screen() -> None:
    figure = next(entry.figure for entry in DRAWINGS if entry.figure.kind is ChartKind.WRITE)
    log, linear = (offer("chart-txt", Chart(figure, Scales(on, on))).make() for on in (True, False))
    assert log != linear


def test_the_chart_as_a_picture() -> None:
    choice = offer("chart-png", DRAWINGS[0])
    if importlib.util.find_spec("matplotlib") is None:
        assert choice.how_to_get.endswith(" -m pip install 'matplotlib>=3.10'")
        pytest.skip("matplotlib is not installed (extra plot)")
    picture = Image.open(io.BytesIO(choice.make()))
    assert picture.format == "PNG"
    assert min(picture.size) > 300
