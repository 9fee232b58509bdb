"""Relative links of Markdown made absolute, for pages that are read outside the repository: on an index, on the site."""

from __future__ import annotations

import re
from collections.abc import Callable

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|mailto:|#)([^)\s]+)\)")
"""A link or a picture of Markdown with a relative address."""


def absolute(
    text: str, repository: str, version: str, path_of: Callable[[str], str | None] = lambda path: path
) -> str:
    """Return Markdown whose relative links and pictures lead to the files of a release.

    Without a repository a link would lead nowhere: its words stay, and a picture is left out.

    Args:
        text: The Markdown.
        repository: Address of the repository, as ``https://HOST/OWNER/NAME``; empty where there is none.
        version: Version of the release; its tag is ``v`` and the version.
        path_of: Returns the path in the repository to which a relative address leads; None leaves the link as it is.
    """

    def lead(found: re.Match[str]) -> str:
        picture, words, address = found.groups()
        path = path_of(address)
        if path is None:
            return found.group()
        if not repository:
            return "" if picture else words
        return (
            f"{picture}[{words}]({repository.rstrip('/')}/{'raw' if picture else 'blob'}/v{version}/{path})"
        )

    return LINK.sub(lead, text)
