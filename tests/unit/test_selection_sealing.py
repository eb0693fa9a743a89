"""密封清单: what the server seals, the sticker's token opens, in Python and in a phone's WebCrypto alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.selection.sealing import (
    ListSealBroken,
    derive_list_iv,
    derive_list_key,
    open_list,
    seal_list,
    token_digest,
)

VECTOR = json.loads(
    (Path(__file__).parents[2] / "mobile_contract" / "test_vectors" / "sealed_list.json").read_text("utf-8")
)
TOKEN, NONCE, INSPECTION = VECTOR["token"], bytes.fromhex(VECTOR["nonce"]), UUID(VECTOR["inspection_id"])
OTHER_TOKEN = TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "8")
PLAINTEXT = VECTOR["plaintext"].encode()


def test_the_published_vector_is_what_we_seal() -> None:
    iv = derive_list_iv(TOKEN, NONCE, INSPECTION, PLAINTEXT)
    sealed = seal_list(TOKEN, NONCE, INSPECTION, PLAINTEXT, iv)
    assert derive_list_key(TOKEN, NONCE, INSPECTION).hex() == VECTOR["key"]
    assert (sealed.iv.hex(), sealed.ciphertext.hex()) == (VECTOR["iv"], VECTOR["ciphertext"])
    assert sealed.token_digest.hex() == VECTOR["token_digest"]
    assert open_list(sealed, TOKEN) == PLAINTEXT


def test_the_token_opens_in_either_case() -> None:
    sealed = seal_list(TOKEN.lower(), NONCE, INSPECTION, PLAINTEXT, b"i" * 12)
    assert open_list(sealed, TOKEN) == PLAINTEXT
    assert sealed.token_digest == token_digest(TOKEN.lower()) == token_digest(TOKEN)


def test_nothing_else_opens_it() -> None:
    sealed = seal_list(TOKEN, NONCE, INSPECTION, PLAINTEXT, b"i" * 12)
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    broken = [
        (sealed, OTHER_TOKEN),
        (msgspec.structs.replace(sealed, inspection_id=uuid4()), TOKEN),
        (msgspec.structs.replace(sealed, nonce=b"x" * 16), TOKEN),
        (msgspec.structs.replace(sealed, iv=b"j" * 12), TOKEN),
        (msgspec.structs.replace(sealed, ciphertext=flipped), TOKEN),
        (msgspec.structs.replace(sealed, ciphertext=b""), TOKEN),
    ]
    for changed, token in broken:
        with pytest.raises(ListSealBroken):
            open_list(changed, token)


def test_neither_token_nor_text_can_be_read_off_it() -> None:
    sent = msgspec.json.encode(seal_list(TOKEN, NONCE, INSPECTION, PLAINTEXT, b"i" * 12))
    assert TOKEN.encode() not in sent
    assert b"items" not in sent


def test_the_same_list_has_the_same_iv_and_another_has_another() -> None:
    assert derive_list_iv(TOKEN, NONCE, INSPECTION, b"a") == derive_list_iv(TOKEN, NONCE, INSPECTION, b"a")
    assert derive_list_iv(TOKEN, NONCE, INSPECTION, b"a") != derive_list_iv(TOKEN, NONCE, INSPECTION, b"b")
    assert len(derive_list_iv(TOKEN, NONCE, INSPECTION, b"a")) == 12


# As a phone's browser does it: nothing but WebCrypto.
_PHONE = """
const vector = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");
(async () => {
  const subtle = globalThis.crypto.subtle;
  const token = new TextEncoder().encode(vector.token.toUpperCase());
  const info = new Uint8Array([...new TextEncoder().encode("yima/list/1 "),
    ...bytes(vector.inspection_id.replaceAll("-", ""))]);
  const material = await subtle.importKey("raw", token, "HKDF", false, ["deriveKey"]);
  const key = await subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: bytes(vector.nonce), info },
    material, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
  const plaintext = await subtle.decrypt({ name: "AES-GCM", iv: bytes(vector.iv) }, key, bytes(vector.ciphertext));
  console.log(JSON.stringify({
    plaintext: new TextDecoder().decode(plaintext), token_digest: hex(await subtle.digest("SHA-256", token)) }));
})().catch((error) => { console.error(error.name); process.exit(1); });
"""


def on_a_phone(vector: dict[str, str]) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: WebCrypto cannot be asked")
    return subprocess.run(
        [node, "-e", _PHONE], input=json.dumps(vector), capture_output=True, text=True, check=False, timeout=30
    )


def test_a_phones_webcrypto_opens_the_vector() -> None:
    told = on_a_phone(VECTOR)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {name: VECTOR[name] for name in ("plaintext", "token_digest")}


def test_a_phone_cannot_open_it_with_another_token() -> None:
    told = on_a_phone({**VECTOR, "token": OTHER_TOKEN})
    assert (told.returncode, told.stderr.strip()) == (1, "OperationError")
