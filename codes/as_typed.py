"""What people, phones and spreadsheets do to a number before it reaches us."""

import re
import unicodedata

# Blanks of every kind, the invisible characters that chat programs and web pages paste along (zero-width
# spaces, joiners, direction marks, the byte order mark), soft hyphens and every dash.
_INVISIBLE = r"\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_NOISE = re.compile(rf"[\s{_INVISIBLE}\-\u2010-\u2015\u2212]+")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,2}")
_SPREADSHEET_DIGITS = 15  # significant digits that a spreadsheet keeps of a number


def compact(text: str) -> str:
    """Full-width characters made half-width, blanks, invisible characters and dashes removed, upper case."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()


def lost_digits(compacted: str) -> bool:
    """Whether a compacted 18-digit number went through a spreadsheet's number cell and lost its last digits.

    Three marks: scientific notation (`9.14501E+17`), the three zeros that stand for the digits beyond the
    fifteenth (`450102199001011000`), and the binary neighbour of such a number, which a program that reads
    the cell as a float prints (`450102199001011008`). A number may end in three zeros lawfully: ask only once
    its check digit has failed.
    """
    if _SCIENTIFIC.fullmatch(compacted):
        return True
    digits = compacted.removesuffix(".0")
    if len(digits) != 18 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 -- both national numbers have 18
        return False
    return digits.endswith("000") or _is_a_rounded_float(digits)


def _is_a_rounded_float(digits: str) -> bool:
    number = float(digits)
    kept = f"{number:.{_SPREADSHEET_DIGITS - 1}e}"
    return int(number) == int(digits) and float(kept) == number
