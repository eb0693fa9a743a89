"""`yima draw verify`: whoever holds the record finds out whether it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from click.testing import CliRunner

from api.draw_commands import draw_group
from domain.selection.verification import RecordUnreadable, digest_of, read_record, record_text, verify

VECTOR = Path(__file__).parents[2] / "mobile_contract" / "test_vectors" / "draw.json"


def record_with(**changes: Any) -> dict[str, Any]:
    return {**json.loads(VECTOR.read_text("utf-8")), **changes}


def differences(record: dict[str, Any]) -> str:
    return "；".join(verify(read_record(json.dumps(record).encode())))


def run(file: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(draw_group, ["verify", str(file), *more])
    return result.exit_code, result.output


def written(folder: Path, record: dict[str, Any]) -> Path:
    file = folder / "draw.json"
    file.write_text(json.dumps(record), "utf-8")
    return file


def test_a_record_that_holds_is_told_to_hold() -> None:
    assert verify(read_record(VECTOR.read_bytes())) == []


def test_each_change_is_found() -> None:
    whole = record_with()
    loser = next(line[0] for line in whole["frame"] if line[0] not in {won["id"] for won in whole["winners"]})
    swapped = [{**whole["winners"][0], "id": loser}, *whole["winners"][1:]]
    another_nonce = [{**whole["departments"][0], "nonce": "ff" * 16}, *whole["departments"][1:]]
    excluded = next(place for place, line in enumerate(whole["frame"]) if line[3])
    let_in = [[*line[:3], None] if place == excluded else line for place, line in enumerate(whole["frame"])]
    richer = [{**whole["strata"][0], "wins": 9}, *whole["strata"][1:]]
    found = {
        "密值": record_with(secret="00" * 32),
        "随机数": record_with(departments=another_nonce),
        "名录摘要": record_with(frame=let_in),
        "名录条数": record_with(frame_size=41),
        "种子": record_with(seed="00" * 32),
        "各层数量": record_with(strata=richer),
        "不应中选": record_with(winners=swapped),
        "应当中选而未列": record_with(winners=whole["winners"][1:]),
        "中选记录不符": record_with(winners=[{**whole["winners"][0], "key": "00" * 32}, *whole["winners"][1:]]),
        "次序": record_with(winners=whole["winners"][::-1]),
        "名录有误": record_with(frame=whole["frame"][::-1]),
        "不认识": record_with(format="yima/draw/2"),
        "请同时提供名录文件": record_with(frame=None),
    }
    for words, record in found.items():
        assert words in differences(record), words


@pytest.mark.parametrize("field", ["purpose", "draw_id", "subject_id", "cap", "public_value"])
def test_what_was_fixed_before_the_draw_cannot_be_changed_after(field: str) -> None:
    other = {"purpose": "items", "draw_id": str(UUID(int=3)), "subject_id": str(UUID(int=3)), "cap": 8}
    assert differences(record_with(**{field: other.get(field)}))


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xfe", b"[]", json.dumps(record_with(secret="no hex")).encode()])
def test_what_is_no_record_is_unreadable(text: bytes) -> None:
    with pytest.raises(RecordUnreadable):
        read_record(text)


def test_the_stored_text_is_the_same_bytes_each_time_and_has_one_digest() -> None:
    record = read_record(VECTOR.read_bytes())
    text = record_text(record)
    assert record_text(read_record(text.encode())) == text
    assert len(digest_of(text)) == 32


# The command


def test_the_command_says_what_it_re_ran(tmp_path: Path) -> None:
    code, said = run(written(tmp_path, record_with()))
    assert code == 0
    for words in ("检查对象抽取", "名录 40 条，排除 4 条", "近期已检查", "分层 四级", "中选 9 条", "一致"):
        assert words in said, words
    assert "不一致" not in said


def test_the_command_exits_with_1_on_a_difference(tmp_path: Path) -> None:
    code, said = run(written(tmp_path, record_with(seed="00" * 32)))
    assert code == 1
    assert "种子不符" in said
    assert said.rstrip().endswith("不一致")


def test_the_command_exits_with_2_where_nothing_can_be_read(tmp_path: Path) -> None:
    assert run(tmp_path / "nowhere.json")[0] == 2
    assert run(written(tmp_path, {}))[0] == 2


def test_a_frame_may_stand_beside_its_record(tmp_path: Path) -> None:
    record = record_with()
    lines = tmp_path / "frame.jsonl"
    lines.write_text("\n".join(json.dumps(line) for line in record["frame"]), "utf-8")
    file = written(tmp_path, record_with(frame=None))

    assert run(file)[0] == 1
    assert run(file, "--frame", str(lines)) == run(written(tmp_path, record))
    lines.write_text("nonsense", "utf-8")
    assert run(file, "--frame", str(lines))[0] == 2


def test_the_vector_is_as_it_would_be_written() -> None:
    assert msgspec.to_builtins(read_record(VECTOR.read_bytes())) == record_with()
