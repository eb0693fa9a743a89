"""Pages that messages lead to, each by a link that only its receiver knows."""

from __future__ import annotations

import html
import re

from api.paper_rendering import render_document
from tests.support.client import Api
from tests.support.factories import World
from tests.support.notices import notified
from tests.support.publishing import complete
from tests.support.subscribing import asks, confirm_link, link_in, mails, subscribed, the_next_morning
from tests.support.visits import rows


async def links(api: Api, world: World) -> list[str]:
    """Every address that a message led somebody to: those that are good, one that is over, and one that is none."""
    _, message, notice = await notified(api, world)
    asked = await asks(api)
    confirmed = await subscribed(api, email="other@example.com", topic="region", scene_code=None, region_code="450000")
    await complete(api, world, await world.dispatch(), days=0)
    await the_next_morning(api)
    [mail] = await mails(api, "subscription_digest")
    assert (message["channel"], confirmed["state"]) == ("sms", "active")
    for document in await rows(api, "document"):
        await render_document(api.parts, document["id"].bytes)
    opened = await api.http.post(notice, follow_redirects=True)
    [paper] = re.findall(rf'href="({notice}/paper\.pdf[^"]*)"', opened.text)
    own = link_in(mail.text, r"/subscriptions/[\w-]{40}")
    digest = link_in(mail.text, r"/d/[\w-]{11}")
    nothing = ("A" * 11, "A" * 40)
    return [
        *(each for token in (notice, f"/n/{nothing[0]}") for each in (token, f"{token}/paper.pdf")),
        html.unescape(paper),
        html.unescape(paper).replace("/paper.pdf", ""),
        *(each for token in (digest, f"/d/{nothing[0]}") for each in (token, f"{token}/end")),
        own,
        f"/subscriptions/{nothing[1]}",
        f"/subscriptions/confirm/{confirm_link(api, asked['id'])}",
        f"/subscriptions/confirm/{nothing[1]}",
        *(f"/api/v1/public/digests/{token}" for token in (digest.rpartition("/")[2], nothing[0])),
        *(f"/api/v1/public/subscription-links/{token}" for token in (own.rpartition("/")[2], nothing[1])),
    ]
