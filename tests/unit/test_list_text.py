"""The text of a drawn list is canonical, whatever it says."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.checklist.model import LegalBasis
from domain.document.canonical import canonical
from domain.inspection.answers.content import list_text
from domain.inspection.answers.model import ChecklistLine, DrawnItem

said = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
lines = st.builds(
    ChecklistLine,
    item_id=st.uuids(),
    place=st.integers(1, 500),
    department_id=st.just(UUID(int=7)),
    code=said,
    area=said,
    matter=said,
    sub_matter=st.none() | said,
    content=said,
    method=said,
    mode=st.sampled_from(["once", "daily"]),
    is_on_site=st.booleans(),
    severity=said,
    is_mandatory=st.booleans(),
    penalty_if_overdue=st.booleans(),
    guidance=st.none() | said,
    legal_basis=st.lists(st.builds(LegalBasis, law=said, article=said, verified=st.booleans()), max_size=2),
    answer=st.none(),
)


@given(st.lists(lines, max_size=4))
def test_it_is_the_canonical_text_of_the_items(drawn: list[ChecklistLine]) -> None:
    plain = [{name: getattr(line, name) for name in DrawnItem.__struct_fields__} for line in drawn]
    assert list_text(drawn) == canonical(plain)
