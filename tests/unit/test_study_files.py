"""Study files: the shipped ones, and every slip answered in one line with file, field and fix."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.study.card import BASELINE
from orchestrator.study.metrics import METRICS
from orchestrator.study.reading import check, find, read, read_all
from orchestrator.study.values import TITLES
from tests.support.studies import TEXT, study

SHIPPED = read_all(suite_root())


def test_the_papers_studies_are_there() -> None:
    assert list(SHIPPED) == ["boards", "dlmo", "prune-cluster", "qat-edge"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_study_names_what_exists(name: str) -> None:
    catalog = Catalog(suite_root())
    check(SHIPPED[name], catalog)
    assert BASELINE in SHIPPED[name].variants


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_published_value_says_where_in_the_paper_it_stands(name: str) -> None:
    assert all(value.source for value in SHIPPED[name].published)
    assert SHIPPED[name].citation.authors


def test_an_unknown_study_is_refused_with_the_nearest() -> None:
    with pytest.raises(InferometerError, match="unknown study 'dlmoo'. Did you mean dlmo?"):
        find(suite_root(), "dlmoo")


def test_every_metric_has_a_title() -> None:
    assert set(METRICS) == set(TITLES)


SLIPS = [
    ("[smoke]\n", "[smoke]\nonly = {tensorrt = ['nq']}\n", "field smoke.only names 'tensorrt'"),
    ('title = "Two networks made small"', "", "field title is missing; add it"),
    ('models = ["alpha", "beta"]', "", "field models is missing"),
    ('models = ["alpha", "beta"]', 'models = ["alpha", "alpha"]', "field models must list at least one name"),
    ('models = ["alpha", "beta"]', "models = []", "field models must list at least one name"),
    ('models = ["alpha", "beta"]', "models = [1]", "field models must be a list of strings"),
    ('models = ["alpha", "beta"]', 'models = "alpha"', "field models must be a list, got 'alpha'"),
    ('"nq", "fiq", "kd", "wcl"', '"fiq", "kd", "wcl"', "field variants must hold nq"),
    ('rows = "runtimes"', 'rows = "columns"', "field tables[1].rows is 'columns'; use one of"),
    ('columns = ["accuracy", "latency"]', 'columns = ["speed"]', "tables[1].columns holds 'speed'"),
    ('model = "alpha"\n\n[repeats]', 'model = "gamma"\n\n[repeats]', "figures[0].model is 'gamma'"),
    ("seeds = 5", "seeds = 2", "field repeats.seeds is 2; use 3 to 100"),
    ("seeds = 5", "seeds = 101", "field repeats.seeds is 101"),
    ("seeds = 5", 'seeds = "5"', "field repeats.seeds must be a whole number, got '5'"),
    ("value = 91.5", 'value = "91.5"', "field published[0].value must be a number, got '91.5'"),
    ("value = 91.5", "value = nan", "field published[0].value must be a number, got nan"),
    ("value = 91.5", "value = true", "field published[0].value must be a number, got True"),
    ("value = 91.5\n", "", "field published[0].value is missing; add it"),
    ("upper = 68", "upper = 50", "field published[1].upper must lie above value"),
    ('unit = "%"', 'unit = "percent"', "field published[0].unit is 'percent'; use one of '%'"),
    ('source = "Table 5"', "", "field published[0].source is missing"),
    ('metric = "accuracy"\nmodel', 'metric = "top1"\nmodel', "field published[0].metric is 'top1'; use"),
    ('runtime = "tflite"', 'runtime = "tensorrt"', "field published[1].runtime is 'tensorrt'; use one"),
    ('device = "rpi4"', 'device = "rpi9"', "field published[1].device is 'rpi9'; use one of 'rpi4'"),
    ("[citation]", '[options]\n"pytorch.mode" = ["eager"]\n[citation]', "field options.pytorch.mode must be"),
    ("authors = [", "authors = 3 #", "field citation.authors must be a list, got 3"),
    ("year = 2022", "year = 20x2", "not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "complaint"), SLIPS)
def test_a_slip_is_told_in_one_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in TEXT
    with pytest.raises(InferometerError, match=re.escape(complaint)) as caught:
        study(tmp_path, TEXT.replace(old, new, 1))
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_file_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match=r"field tables is missing; add at least one \[\[tables\]\]"):
        study(tmp_path, TEXT.replace("[[tables]]", "[[other]]"))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InferometerError, match="not valid TOML"):
        read(path)


def test_a_study_of_a_runtime_that_is_not_there_is_refused(tmp_path: Path) -> None:
    odd = study(tmp_path, TEXT.replace('"onnxruntime"]', '"onxruntime"]'))
    with pytest.raises(InferometerError, match="two.toml: field runtimes: unknown runtime 'onxruntime'"):
        check(odd, Catalog(suite_root()))


def test_a_citation_says_what_is_not_at_hand() -> None:
    assert str(SHIPPED["boards"].citation) == "Blagitko et al. title: not at hand"
    assert json.dumps(str(SHIPPED["dlmo"].citation)).endswith('doi:10.3390/s22197344"')
