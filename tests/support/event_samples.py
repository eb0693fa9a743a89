"""Samples of any event, made out of its fields' types: to walk what follows from each of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import inspect

from domain.shared.events import Event

S = TypeVar("S", bound=msgspec.Struct)
_MOST: Final = 2000
_TOLD: Final[Mapping[tuple[str, str], tuple[object, ...]]] = {
    ("RectificationOrderIssued", "consents"): ([], ["sms"], ["email"], ["sms", "email"]),
    ("RectificationReInspected", "state"): ("rectified", "to_rectify", "transferred", "fed_back"),
    ("ReInspectionFacts", "state"): ("rectified", "to_rectify", "transferred", "fed_back"),
    ("TellingFacts", "means"): ("sms", "email"),
    ("RequestMoved", "step"): ("transfer", "answer", "return", "accept"),
    ("RequestStanding", "state"): ("answered", "returned"),
    ("MembershipStanding", "post"): ("manager", "clerk", "viewer"),
    ("GrievanceStanding", "term"): ("decision", "answer"),
    ("MadeDigest", "channel"): ("email", "sms"),
    ("CheckInFacts", "means"): ("live_code", "badge"),
    ("ExpiryFacts", "step"): (30, 1, 0),
}
"""What a field of type `str` may hold where the reaction reads more than words: by struct and field."""


def samples(event: type[Event]) -> Iterator[Event]:
    """Events of that type: each combination of what its fields may be, or each choice once where they are too many."""
    fields = _fields_of(event)
    if math.prod(map(len, fields.values())) <= _MOST:
        for chosen in itertools.product(*fields.values()):
            yield _made(event, dict(zip(fields, chosen, strict=True)))
        return
    yield from _each_choice(event, fields)


def _fields_of(struct: type[msgspec.Struct]) -> dict[str, tuple[object, ...]]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return {
        field.name: _TOLD.get((struct.__name__, field.name)) or _choices(field.type, field.name)
        for field in described.fields
    }


def _choices(kind: inspect.Type, name: str) -> tuple[object, ...]:
    """What the field may be, the most telling first."""
    if isinstance(kind, inspect.UnionType):
        found = [choice for part in kind.types for choice in _choices(part, name)]
        return tuple(sorted(found, key=lambda choice: choice is None))
    return _one(kind, name)


def _one(kind: inspect.Type, name: str) -> tuple[object, ...]:
    match kind:
        case inspect.StructType(cls=cls):
            return tuple(_each_choice(cls, _fields_of(cls)))
        case inspect.EnumType(cls=cls):
            return tuple(cls)
        case inspect.LiteralType(values=values):
            return tuple(values)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            return ([*_choices(kind.item_type, name)][:2], [])
        case _:
            return _PLAIN[type(kind)]


_PLAIN: Final[Mapping[type[inspect.Type], tuple[object, ...]]] = {
    inspect.StrType: ("南宁",),
    inspect.UUIDType: (UUID(int=7),),
    inspect.BoolType: (True, False),
    inspect.IntType: (12,),
    inspect.FloatType: (1.5,),
    inspect.BytesType: (b"",),
    inspect.DateType: (date(2026, 12, 31),),
    inspect.DateTimeType: (datetime(2026, 12, 1, 9, 0, tzinfo=UTC),),
    inspect.DictType: ({},),
    inspect.NoneType: (None,),
    inspect.AnyType: (None,),
}


def _each_choice(cls: type[S], fields: Mapping[str, tuple[object, ...]]) -> Iterator[S]:
    first = {name: choices[0] for name, choices in fields.items()}
    yield _made(cls, first)
    for name, choices in fields.items():
        for choice in choices[1:]:
            yield _made(cls, {**first, name: choice})


def _made(cls: type[S], fields: Mapping[str, object]) -> S:
    return cls(**fields)
