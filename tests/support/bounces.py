"""Mail that comes back, as mail servers write it."""

from __future__ import annotations


def report(
    to: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "multipart/report; report-type=delivery-status",
    more: str = "",
) -> bytes:
    """A delivery status notification (RFC 3464) in the manner of Postfix, sent to `to`."""
    return f"""\
Return-Path: <>
Received: by mx.laoyou.example (Postfix)
	id 4A1B2C3D4E; Mon,  3 Aug 2026 09:31:00 +0800 (CST)
Date: Mon,  3 Aug 2026 09:31:00 +0800 (CST)
From: MAILER-DAEMON@mx.laoyou.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: {kind};
	boundary="4A1B2C3D4E.1785720660/mx.laoyou.example"

This is a MIME-encapsulated message.

--4A1B2C3D4E.1785720660/mx.laoyou.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.laoyou.example.

<boss@laoyou.example>: host mx.laoyou.example said: {status} User unknown

--4A1B2C3D4E.1785720660/mx.laoyou.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.laoyou.example
X-Postfix-Queue-ID: 4A1B2C3D4E
Arrival-Date: Mon,  3 Aug 2026 09:30:58 +0800 (CST)

Final-Recipient: rfc822; boss@laoyou.example
Original-Recipient: rfc822;boss@laoyou.example
Action: {action}
Status: {status}
Remote-MTA: dns; mx.laoyou.example
Diagnostic-Code: smtp; 550 {status} <boss@laoyou.example>: User unknown
{more}
--4A1B2C3D4E.1785720660/mx.laoyou.example
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: notice@yima.example
To: boss@laoyou.example
Subject: =?utf-8?b?6LSj5Luk5pS55q2j6YCa55+l5Lmm?=

--4A1B2C3D4E.1785720660/mx.laoyou.example--
""".replace("\n", "\r\n").encode()


def out_of_office(to: str) -> bytes:
    """An answer that a program writes while somebody is away."""
    return (
        f"From: boss@laoyou.example\r\nTo: {to}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nStatus: 5.1.1\r\nAction: failed\r\n"
    ).encode()
