"""公民身份号码 Resident identity number (GB 11643-1999): 18 characters; personal, stored encrypted."""

import re
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec
from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from codes.as_typed import compact, lost_digits

_LENGTH: Final = 18
_WELL_FORMED = re.compile("[1-9][0-9]{16}[0-9X]")
_CENTURIES: Final = ("18", "19", "20")
_SHOWN_AT_START: Final = 4
_SHOWN_AT_END: Final = 2


class ResidentIdFault(StrEnum):
    """Why a text is no resident identity number."""

    LENGTH = "length"
    CHARACTERS = "characters"
    MANGLED = "mangled"
    """A spreadsheet took it for a number; its last digits are gone for good."""
    BIRTH_DATE = "birth_date"
    CHECK_DIGIT = "check_digit"


class ResidentIdVerdict(msgspec.Struct, frozen=True):
    """The finding for one text; `resident_id` is its normalised form, also when at fault."""

    resident_id: str
    fault: ResidentIdFault | None = None
    born_on: date | None = None

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.fault is None


def normalise_resident_id(text: str) -> str:
    """The number as GB 11643 writes it: half-width, upper-case X, no blanks or hyphens, seen or unseen."""
    return compact(text)


def check_resident_id(text: str) -> ResidentIdVerdict:
    """Judge form, birth date and check digit; never raises.

    The place is left alone on purpose: numbers were first given out in 1985 with the codes of that day, so
    that `stdnum.cn.ric.validate`, which looks the county up in the year of birth, refuses lawful numbers of
    older people.
    """
    number = normalise_resident_id(text)
    if not _WELL_FORMED.fullmatch(number):
        return ResidentIdVerdict(number, _fault_of_form(number))
    if ric.calc_check_digit(number) != number[-1]:
        mangled = lost_digits(number)
        return ResidentIdVerdict(number, ResidentIdFault.MANGLED if mangled else ResidentIdFault.CHECK_DIGIT)
    born_on = _birth_date(number)
    return ResidentIdVerdict(number, None if born_on else ResidentIdFault.BIRTH_DATE, born_on)


def mask_resident_id(text: str) -> str:
    """The number for display, `4501************2X`: province, city and the last two characters.

    The last four or six characters serve as a password or a proof of identity in too many places to be
    shown, and without the county and the birth date the rest cannot be worked out from the check digit. A
    text that is no such number is hidden entirely.
    """
    number = normalise_resident_id(text)
    if not _WELL_FORMED.fullmatch(number):
        return "*" * len(number)
    hidden = _LENGTH - _SHOWN_AT_START - _SHOWN_AT_END
    return number[:_SHOWN_AT_START] + "*" * hidden + number[-_SHOWN_AT_END:]


def _fault_of_form(number: str) -> ResidentIdFault:
    if lost_digits(number):
        return ResidentIdFault.MANGLED
    return ResidentIdFault.CHARACTERS if len(number) == _LENGTH else ResidentIdFault.LENGTH


def _birth_date(number: str) -> date | None:
    if number[6:8] not in _CENTURIES:
        return None
    try:
        return ric.get_birth_date(number)
    except InvalidComponent:
        return None
