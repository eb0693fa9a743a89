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


def tours_of(readme: str) -> tuple[str, str, str]:
    """The three bash blocks of that file: one whole visit, the other side of the code, and what is told of it all."""
    visit, other_side, messages = re.findall(
        r"^```bash\n(.*?)^```$", (ROOT / readme).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return visit, other_side, messages


VISIT, OTHER_SIDE, MESSAGES = tours_of("README.md")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """What `make run` starts, in a folder of its own."""
    with running_installation(tmp_path_factory.mktemp("tour") / "var") as running:
        yield running


def walk(installation: Installation, tour: str) -> str:
    """What `tour` prints, ended at the first thing that fails."""
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", tour],
        cwd=ROOT,
        env={**os.environ, "BASE": installation.base_url, "VAR": str(installation.var)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def concluded(said: str) -> list[int]:
    """How many 投诉 of 食品安全 the page counted, each time it was read."""
    return [int(count) for count in re.findall(r"<li>食品安全 (\d+) 件", said)]


def test_both_readmes_give_the_same_tours() -> None:
    assert tours_of("README.md") == tours_of("README.zh-CN.md")


@pytest.mark.slow
def test_the_tour_shows_what_it_promises(installation: Installation) -> None:
    said = walk(installation, VISIT)
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
def test_the_other_side_shows_what_it_promises(installation: Installation) -> None:
    said = walk(installation, OTHER_SIDE)
    assert "营业时间：" in said
    assert "<h1>餐饮服务经营手册</h1>" in said
    assert "\n餐饮服务食品安全监督检查单\n" in said
    assert "公示编号,是否已撤下" in said
    assert "\n一经营单位检查发现问题被责令限期改正\n" in said
    assert '"number": "450100-SJ-' in said
    assert "\n李**\nreceived\naccepted\nanswered\nclosed\n" in said
    before, after = concluded(said)
    assert after == before + 1
    assert re.search(r"^450100-SJ-\d{4}-JB-\d{6}$", said, re.MULTILINE)
    assert "\nassigned_tasks 1\n" in said
    assert "\ncomplaints 1\n" in said
    assert "\nopen\nclosed\n" in said
    assert '"never_public": [' in said
    assert "\nsubmitted\n" in said
    assert '"certificate_is_valid": true' in said
    assert "\n仅核验执法人员身份；检查任务只向被检查单位显示。\n" in said
    assert "/L/" in said
    assert said.count("%PDF-") == 1
    assert "'post': 'manager', 'state': 'active'" in said
    assert "完好" in said
    assert "李一鸣" not in said


@pytest.mark.slow
def test_all_tours_can_be_walked_again_in_one_shell_and_the_last_shows_what_it_promises(
    installation: Installation,
) -> None:
    said = walk(installation, f"{VISIT}\n{OTHER_SIDE}\n{MESSAGES}")
    assert '"visit_sequence": ' in said
    assert len(concluded(said)) == 2
    assert re.search(r"^- 企业诉求 ", said, re.MULTILINE)
    assert '"address": "199****8800"' in said
    assert '"state_label": "已送达"' in said
    assert "<button>打开责令改正通知书</button>" in said
    assert said.count("%PDF-") == 4
    assert re.search(r"^责令改正通知书送达 已送达 打开 2", said, re.MULTILINE)
    assert re.search(r"^- \S+ 检查任务 橙色 ", said, re.MULTILINE)
    assert re.search(r"^- 450100-SJ-\d{4}-DB-\d{6} 待反馈 ", said, re.MULTILINE)
    assert "  已完成：" in said
    assert re.search(r"^\d\d-\d\d .*  督办$", said, re.MULTILINE)
    assert "【南宁市监】责令改正通知书" in said
