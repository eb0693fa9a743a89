"""A person's name as it is shown."""

from __future__ import annotations

from codes.person_name import mask_name


def test_of_a_name_only_the_family_name_is_shown_and_not_how_long_it_is() -> None:
    assert mask_name("韦大山") == "韦**"
    assert mask_name("李四") == "李**"
    assert mask_name("欧阳娜娜") == "欧**"
