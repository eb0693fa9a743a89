"""电话号码 Telephone numbers of the mainland: mobiles (手机), which receive SMS, and landlines (固定电话)."""

import re
import unicodedata
from enum import StrEnum

import msgspec

from codes.as_typed import compact

_DECORATION = re.compile(r"[().·/]+")
_WHOLE_FLOAT = re.compile(r"\.0+$")  # a spreadsheet's number cell read as a float; 11 digits lose nothing
_EXTENSION = re.compile(r"(?:转|EXT\.?|X|,|#)([0-9]{1,6})$")
_TYPED_EXTENSION = re.compile(r"^(.*[0-9]{7,8})\s*[-\u2010-\u2015]\s*([0-9]{1,5})$")
_COUNTRY = re.compile(r"^(?:\+|00)86")
_MOBILE = re.compile(r"(?:86|0)?(1[3-9][0-9]{9})")  # a 0 was dialled before a mobile of another city
# Beijing and the 02x cities have three-digit area codes and eight-digit numbers, all others 0xxx.
_LANDLINE = re.compile(r"(010|02[0-57-9])([2-9][0-9]{7})|(0[3-9][0-9]{2})([2-9][0-9]{6,7})")


class PhoneKind(StrEnum):
    """What a telephone number can be used for."""

    MOBILE = "mobile"
    LANDLINE = "landline"


class Phone(msgspec.Struct, frozen=True):
    """A recognised number: `13800005678`, or `0771-5812345` with an optional extension."""

    kind: PhoneKind
    number: str
    extension: str = ""

    @property
    def masked(self) -> str:
        """The number for display: `138****5678`, `0771-****345`; an extension is not shown."""
        if self.kind is PhoneKind.MOBILE:
            return f"{self.number[:3]}****{self.number[-4:]}"
        area, _, local = self.number.partition("-")
        return f"{area}-{'*' * (len(local) - 3)}{local[-3:]}"


def parse_phone(text: str) -> Phone | None:
    """Recognise a mobile or a landline with its area code however it was typed; None for anything else."""
    if mobile := _MOBILE.fullmatch(_COUNTRY.sub("", _bare(text))):
        return Phone(PhoneKind.MOBILE, mobile[1])
    base, extension = _split_extension(text)
    # With the country's code before it, an area code loses its zero: +86 771 5812345.
    landline = _LANDLINE.fullmatch(_COUNTRY.sub("0", base)) or _LANDLINE.fullmatch(_COUNTRY.sub("", base))
    if not landline:
        return None
    area, local = (part for part in landline.groups() if part)
    return Phone(PhoneKind.LANDLINE, f"{area}-{local}", extension)


def normalise_mobile(text: str) -> str | None:
    """The 11 digits of a mainland mobile, or None when the text is none (then no SMS can be sent)."""
    phone = parse_phone(text)
    return phone.number if phone and phone.kind is PhoneKind.MOBILE else None


def is_landline(text: str) -> bool:
    """Whether the text is a landline: a number, but none that receives SMS."""
    phone = parse_phone(text)
    return phone is not None and phone.kind is PhoneKind.LANDLINE


def mask_phone(text: str) -> str:
    """A typed number for display, `138****5678`; what is not recognised is hidden entirely."""
    phone = parse_phone(text)
    return phone.masked if phone else "*" * len(text.strip())


def _split_extension(text: str) -> tuple[str, str]:
    """The bare number and its extension (分机), which a hyphen, 转 or a comma sets off."""
    if typed := _TYPED_EXTENSION.match(unicodedata.normalize("NFKC", text).strip()):
        return _bare(typed[1]), typed[2]
    base = compact(text)
    if found := _EXTENSION.search(base):
        return _bare(base[: found.start()]), found[1]
    return _bare(base), ""


def _bare(text: str) -> str:
    return _DECORATION.sub("", _WHOLE_FLOAT.sub("", compact(text)))
