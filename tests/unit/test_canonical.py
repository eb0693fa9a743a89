"""规范化 JSON: the published vectors hold here and on a phone."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import struct
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.document.canonical import NotCanonical, canonical, record_digest

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "mobile_contract" / "test_vectors" / "canonical.json").read_text("utf-8")
)
VECTORS: list[dict[str, Any]] = PUBLISHED["vectors"]
NUMBERS: list[dict[str, Any]] = PUBLISHED["numbers"]["vectors"]

PHONE = """
const { createHash } = require("crypto");
function canonical(value) {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("no canonical form");
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("no canonical form");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  const keys = Object.keys(value).sort();  // by UTF-16 code units
  return "{" + keys.map((key) => canonical(key) + ":" + canonical(value[key])).join(",") + "}";
}
const sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const number = (hex) => Buffer.from(hex, "hex").readDoubleBE(0);
const texts = asked.values.map(canonical).concat(asked.numbers.map((hex) => canonical(number(hex))));
process.stdout.write(JSON.stringify(texts.map((text) => [text, sha256(text)])));
"""


def double(ieee754: str) -> float:
    """The number of that bit pattern."""
    return struct.unpack(">d", bytes.fromhex(ieee754))[0]


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_a_published_vector_holds(vector: dict[str, Any]) -> None:
    assert canonical(vector["value"]) == vector["canonical"].encode()
    assert record_digest(vector["value"]).hex() == vector["sha256"]


@pytest.mark.parametrize("vector", NUMBERS, ids=[each["ieee754"] for each in NUMBERS])
def test_a_published_number_holds(vector: dict[str, Any]) -> None:
    assert canonical(double(vector["ieee754"])).decode() == vector["canonical"]
    assert hashlib.sha256(vector["canonical"].encode()).hexdigest() == vector["sha256"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine: what a phone computes")
def test_a_phone_computes_the_same() -> None:
    dice = random.Random(8785)
    patterns = [dice.randbytes(8).hex() for _ in range(2000)]
    patterns = [each["ieee754"] for each in NUMBERS] + [each for each in patterns if math.isfinite(double(each))]
    asked = json.dumps({"values": [each["value"] for each in VECTORS], "numbers": patterns})

    node = str(shutil.which("node"))
    done = subprocess.run([node, "-e", PHONE], input=asked.encode(), capture_output=True, check=True, timeout=60)

    told = json.loads(done.stdout)
    ours = [canonical(each["value"]) for each in VECTORS] + [canonical(double(each)) for each in patterns]
    assert told == [[text.decode(), hashlib.sha256(text).hexdigest()] for text in ours]
    published = [[each["canonical"], each["sha256"]] for each in (*VECTORS, *NUMBERS)]
    assert told[: len(published)] == published


def test_structs_dates_and_ids_are_taken_as_they_go_over_the_wire() -> None:
    class Part(msgspec.Struct):
        """Some of a record."""

        id: UUID
        on: date
        at: datetime
        names: tuple[str, ...]

    part = Part(UUID(int=1), date(2026, 8, 5), datetime(2026, 8, 5, 2, tzinfo=UTC), ("韦秀英",))

    assert canonical(part) == canonical(msgspec.json.decode(msgspec.json.encode(part)))


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, "\ud800", {"\udfff": 1}, [{"a": -math.inf}]])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)
