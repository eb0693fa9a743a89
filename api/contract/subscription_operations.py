"""Operations of subscriptions and their digests."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Told
from api.work import Accepted, DatabaseAway, InProgress
from domain.shared.errors import InvalidField, NotFound
from domain.subscription import rules
from domain.subscription.model import SubscriptionAnswer, SubscriptionsEndedAnswer
from domain.visitor import rules as visitors

_LINK = (rules.SubscriptionLinkUnknown, rules.SubscriptionLinkOver, visitors.TooManyWrites, DatabaseAway)
_BY_PHONE = (visitors.PassRequired, visitors.PhoneNotVerified, DatabaseAway)

SUBSCRIPTION_OPERATIONS: Mapping[str, Told] = {
    "subscribe": Told(
        result=Accepted[SubscriptionAnswer],
        refuses=(
            *_BY_PHONE,
            *KEYED,
            rules.TooManySubscriptions,
            rules.TooManyConfirmations,
            visitors.TooManyWrites,
            visitors.ProofRequired,
            visitors.ProofRefused,
        ),
    ),
    "listOwnSubscriptions": Told(refuses=(*_BY_PHONE, NotFound)),
    "endOwnSubscriptions": Told(result=Accepted[SubscriptionsEndedAnswer], refuses=(*_BY_PHONE, NotFound, *KEYED)),
    "confirmSubscription": Told(refuses=(*_LINK, rules.TooManySubscriptions, InProgress)),
    "readSubscriptionLink": Told(refuses=(*_LINK, NotFound)),
    "endSubscriptionsByLink": Told(refuses=(*_LINK, InvalidField, InProgress)),
    "readDigest": Told(refuses=_LINK),
    "endByDigest": Told(refuses=(*_LINK, InProgress)),
}
