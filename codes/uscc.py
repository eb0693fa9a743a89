"""统一社会信用代码 Unified social credit code (GB 32100-2015): 18 characters, an enterprise's for life."""

import re
import unicodedata
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

import msgspec
from stdnum.cn import uscc as gb32100

from codes.as_typed import compact, lost_digits

_LENGTH: Final = 18
# GB 32100 leaves out I, O, S, V and Z. The first character names the registering department and may be a
# letter: rural collectives begin with N, which `stdnum.cn.uscc.validate` takes for a mistake.
_BODY: Final = "[1-9ANY][0-9A-HJ-NP-RTUWXY][0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}"
_CHECK: Final = "[0-9A-HJ-NP-RTUWXY]"
_WELL_FORMED = re.compile(_BODY + _CHECK)
_WELL_FORMED_BODY = re.compile(_BODY)
_WITHIN_TEXT = re.compile(f"(?<![0-9A-Z]){_BODY}{_CHECK}(?![0-9A-Z])")


class InvalidUscc(ValueError):
    """A body that no unified social credit code can have."""


class UsccOutcome(StrEnum):
    """What the check of a unified social credit code found."""

    OK = "ok"
    BAD_CHECK_DIGIT = "bad_check_digit"
    """A warning: lawful codes exist that fail it."""
    MALFORMED = "malformed"
    """An error; the verdict's fault says why."""


class UsccFault(StrEnum):
    """Why a text is malformed as a unified social credit code."""

    LENGTH = "length"
    CHARACTERS = "characters"
    MANGLED = "mangled"
    """A spreadsheet took the code for a number; its last digits are gone for good."""


class UsccVerdict(msgspec.Struct, frozen=True):
    """The outcome for one text; `uscc` is its normalised form, also when malformed."""

    uscc: str
    outcome: UsccOutcome
    fault: UsccFault | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the code may be stored: well formed, with or without the warning."""
        return self.outcome is not UsccOutcome.MALFORMED


def normalise_uscc(text: str) -> str:
    """The code as GB 32100 writes it: half-width, upper case, no blanks, invisible characters or hyphens."""
    return compact(text)


def check_uscc(text: str) -> UsccVerdict:
    """Judge a typed, scanned or imported code; never raises."""
    code = normalise_uscc(text)
    well_formed = _WELL_FORMED.fullmatch(code) is not None
    if well_formed and gb32100.calc_check_digit(code) == code[-1]:
        return UsccVerdict(code, UsccOutcome.OK)
    if lost_digits(code):
        return UsccVerdict(code, UsccOutcome.MALFORMED, UsccFault.MANGLED)
    if well_formed:
        return UsccVerdict(code, UsccOutcome.BAD_CHECK_DIGIT)
    fault = UsccFault.CHARACTERS if len(code) == _LENGTH else UsccFault.LENGTH
    return UsccVerdict(code, UsccOutcome.MALFORMED, fault)


def make_uscc(body17: str) -> str:
    """The code whose first 17 characters are `body17`, for demonstration data; raises `InvalidUscc`."""
    if not _WELL_FORMED_BODY.fullmatch(body17):
        raise InvalidUscc(f"no unified social credit code begins with {body17!r}")
    return body17 + gb32100.calc_check_digit(body17)


def uscc_from_scan(text: str) -> str | None:
    """The code in what a scanner read from a business licence (营业执照), a URL or plain text; else None.

    A code with a right check digit wins over one without, so that a serial number beside it does no harm.
    """
    readable = unicodedata.normalize("NFKC", unquote(text)).upper()
    codes: list[str] = _WITHIN_TEXT.findall(readable)
    right = (code for code in codes if gb32100.calc_check_digit(code) == code[-1])
    return next(right, codes[0] if codes else None)
