"""The tour of the READMEs works as it is printed there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation, running_installation

ROOT = Path(__file__).parents[2]


def tour_of(readme: str) -> str:
    """The one bash block of that file."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / readme).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{readme} has one tour"
    return blocks[0]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """What `make run` starts, in a folder of its own."""
    with running_installation(tmp_path_factory.mktemp("tour") / "var") as running:
        yield running


def walk(installation: Installation) -> str:
    """What the tour prints, ended at the first thing that fails."""
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", tour_of("README.md")],
        cwd=ROOT,
        env={**os.environ, "BASE": installation.base_url, "VAR": str(installation.var)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_readmes_give_the_same_tour() -> None:
    assert tour_of("README.md") == tour_of("README.zh-CN.md")


@pytest.mark.slow
def test_the_tour_shows_what_it_promises(installation: Installation) -> None:
    said = walk(installation)
    assert "<h1>" in said
    assert "https://ref.gs1.org/voc/defaultLink" in said
    assert '"audience": "citizen"' in said
    assert '"due_mark": "due_soon"' in said
    assert "\ninspector_with_order\n" in said
    assert "urn:yima:problem:wrong-site" in said
    assert '"means": "printed_code"' in said
    assert '"flags": []' in said
    assert "\nthe same receipt\n" in said
    assert "\nacknowledged\n" in said
    assert "\n一致\n" in said
    assert said.count("%PDF-") == 2
    assert '"state": "unsealed"' in said
    assert "发现问题已责令改正" in said
    assert "已整改" in said
    seen = re.findall(r"^\d+ (\w+\.\w+) ", said, re.MULTILINE)
    assert seen == [
        "inspection.checked_in",
        "inspection.officers_identified",
        "evidence.stored",
        "inspection.record_facts_recorded",
        *["inspection.record_signed"] * 4,
        "rectification.order_issued",
        "inspection.departed",
        "inspection.completed",
        "publication.published",
        "evidence.stored",
        "rectification.fed_back",
        "rectification.re_inspected",
    ]
    assert "完好" in said


@pytest.mark.slow
def test_the_tour_can_be_walked_twice(installation: Installation) -> None:
    assert '"visit_sequence": ' in walk(installation)
