"""The drivers of an installation, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import httpx

from notifications.sms.access import AliyunAccess, KannelAccess, ProviderAccess, SmsAccess
from notifications.sms.aliyun import Aliyun
from notifications.sms.kannel import Kannel
from notifications.sms.port import SmsProvider
from notifications.sms.zhiguitong import ZhiguitongSms


def providers_of(
    access: SmsAccess, client: httpx.AsyncClient, receipt_url: Callable[[UUID], str]
) -> tuple[SmsProvider, ...]:
    """The providers that are set up, in fail-over order. They share `client` (see `sms_client`): whoever closes
    one of them closes it.

    `receipt_url` gives the authenticated address to which the receipt of a reference comes.
    """
    return tuple(_provider_of(each, client, receipt_url) for each in access.providers)


def _provider_of(access: ProviderAccess, client: httpx.AsyncClient, receipt_url: Callable[[UUID], str]) -> SmsProvider:
    if isinstance(access, KannelAccess):
        return Kannel(access, client, receipt_url)
    if isinstance(access, AliyunAccess):
        return Aliyun(access, client)
    return ZhiguitongSms(access, client)
