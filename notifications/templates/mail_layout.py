"""How a mail looks: paragraphs as text and as HTML that stays readable in dark mode, without pictures, aloud and large.

Styles stand inline, for many mail programs drop all others; nothing is loaded from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Final, NamedTuple
from urllib.parse import urlsplit

FOOTER: Final = "本邮件由一码系统自动发出，请勿直接回复。"
_BUTTON: Final = re.compile(r"\[([^\[\]]+)\]\((\{[a-z][a-z0-9_]*\})\)")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'（）【】，。；、]+")
_LINES: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_FONT: Final = "-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC',sans-serif"
_PARAGRAPH: Final = "margin:0 0 16px;font-size:16px;line-height:1.75;color:#1f1f1f"
_LINK: Final = "color:#0b57d0;text-decoration:underline;word-break:break-all"
_BUTTON_STYLE: Final = (
    "display:inline-block;padding:12px 24px;border-radius:6px;background-color:#0b57d0;color:#ffffff;"
    "font-size:16px;font-weight:bold;line-height:1.5;text-decoration:none"
)
_DARK: Final = (
    "@media (prefers-color-scheme:dark){body,.page{background-color:#1f1f1f!important}"
    ".card{background-color:#2b2b2b!important;border-color:#4a4a4a!important}"
    "h1,p,li{color:#ececec!important}.quiet{color:#b8b8b8!important;border-color:#4a4a4a!important}"
    "p a,li a{color:#8ab4f8!important}"
    "p a.button{background-color:#8ab4f8!important;color:#1f1f1f!important}}"
)
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
<style>{dark}</style>
</head>
<body style="margin:0;padding:0;background-color:#f4f5f7">
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="background-color:#f4f5f7"><tr><td align="center" style="padding:24px 12px">
<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
style="max-width:600px;background-color:#ffffff;border:1px solid #dcdfe4;border-radius:8px">\
<tr><td style="padding:28px 24px 12px;font-family:{font};text-align:left">
<h1 style="margin:0 0 20px;font-size:22px;line-height:1.4;color:#1f1f1f">{title}</h1>
{body}
<p class="quiet" style="margin:24px 0 16px;padding-top:16px;border-top:1px solid #dcdfe4;font-size:14px;\
line-height:1.6;color:#5c5c5c">{footer}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
"""


class LaidOut(NamedTuple):
    """A mail's body twice."""

    text: str
    html: str


def lay_out(title: str, body: str, known: Mapping[str, str]) -> LaidOut:
    """The paragraphs of `body` filled with `known`; one whose value is empty is left out."""
    texts: list[str] = []
    parts: list[str] = []
    for written in body.strip().split("\n\n"):
        paragraph = written.strip()
        named = _LINES.findall(paragraph)
        if any(not known[name].strip() for name in named):
            continue
        whole = _LINES.fullmatch(paragraph)
        button = _BUTTON.fullmatch(paragraph)
        if whole is not None:
            laid_out = _list(known[whole[1]])
        elif button is not None:
            laid_out = _button(button[1], button[2].format_map(known))
        else:
            laid_out = _paragraph(paragraph.format_map(known))
        texts.append(laid_out.text)
        parts.append(laid_out.html)
    text = "\n\n".join([*texts, f"-- \n{FOOTER}"]) + "\n"
    html = _PAGE.format(title=escape(title), dark=_DARK, font=_FONT, body="\n".join(parts), footer=escape(FOOTER))
    return LaidOut(text, html)


def _paragraph(text: str) -> LaidOut:
    linked = _linked(text).replace("\n", "<br>\n")
    return LaidOut(text, f'<p style="{_PARAGRAPH}">{linked}</p>')


def _button(words: str, address: str) -> LaidOut:
    if not _is_web(address):
        return _paragraph(f"{words}：{address}")
    link = f'<a class="button" href="{escape(address)}" style="{_BUTTON_STYLE}">{escape(words)}</a>'
    shown = f'<a href="{escape(address)}" style="{_LINK}">{escape(address)}</a>'
    html = (
        f'<p style="{_PARAGRAPH}">{link}</p>\n'
        f'<p class="quiet" style="margin:0 0 16px;font-size:14px;line-height:1.6;color:#5c5c5c">'
        f"按钮打不开时，请复制网址：{shown}</p>"
    )
    return LaidOut(f"{words}：\n{address}", html)


def _list(value: str) -> LaidOut:
    """Each line an entry; what stands behind a tabulator is its address."""
    texts: list[str] = []
    items: list[str] = []
    for line in filter(None, (each.strip() for each in value.splitlines())):
        words, _, address = (part.strip() for part in line.partition("\t"))
        if _is_web(address):
            texts.append(f"· {words}\n  {address}")
            items.append(f'<a href="{escape(address)}" style="{_LINK}">{escape(words)}</a>')
        else:
            texts.append(f"· {words}")
            items.append(escape(words))
    entries = "\n".join(f'<li style="margin:0 0 8px">{item}</li>' for item in items)
    style = "margin:0 0 16px;padding:0 0 0 20px;font-size:16px;line-height:1.75;color:#1f1f1f"
    return LaidOut("\n".join(texts), f'<ul style="{style}">\n{entries}\n</ul>')


def _linked(text: str) -> str:
    """`text` escaped, its web addresses as links."""
    pieces: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = found[0]
        pieces.append(escape(text[end : found.start()]))
        pieces.append(f'<a href="{escape(address)}" style="{_LINK}">{escape(address)}</a>')
        end = found.end()
    return "".join([*pieces, escape(text[end:])])


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and _ADDRESS.fullmatch(address) is not None
