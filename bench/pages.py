"""Puts tables into pages, between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`."""

import re

PLACE = re.compile(r"(<!-- bench:(\w+) -->\n).*?(<!-- /bench:\2 -->)", re.DOTALL)


def fill(path, texts):
    """Replace what stands between the markers by the texts of those names, if there is any."""

    def filled(found):
        text = texts[found[2]]
        return f"{found[1]}{text}\n{found[3]}" if text else found[0]

    path.write_text(PLACE.sub(filled, path.read_text()))
