"""The picture of the drains: a bar for each contender, legible on light pages and dark ones."""

from html import escape

from bench import roster

WIDTH, FIGURE = 760, 70
LINE, BAR, TOP = 26, 16, 34
LETTER = 7.8
"""Room for a letter of 13 pixels, in the widest of the usual fonts of systems."""

STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #57606a }
    .ours { font-weight: 600 }
    rect { fill: #9aa4af } rect.ours { fill: #2f81f7 }
    @media (prefers-color-scheme: dark) { text { fill: #b6bec8 } rect { fill: #6b7480 } }
"""


def plot(samples):
    """The picture, as SVG; empty when nothing was drained."""
    drains = {one: samples.median(f"drain {one}") for one in roster.CONTENDERS}
    bars = [(one, figure) for one, figure in drains.items() if figure and one.script not in HIDDEN]
    if not bars:
        return ""
    bars.sort(key=lambda bar: -bar[1])
    left = 10 + LETTER * max(len(_name(one)) for one, _ in bars)
    scale = (WIDTH - left - FIGURE) / bars[0][1]
    drawn = [_bar(row, *bar, left, scale) for row, bar in enumerate(bars)]
    height = TOP + LINE * len(bars) + 4
    title = "Jobs a second that one worker process drains"
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
        f"  <style>{STYLE}  </style>",
        f'  <text x="0" y="16">{title}</text>',
        *drawn,
        "</svg>\n",
    ]
    return "\n".join(lines)


HIDDEN = ("postgres_limit", "sqlite_rotulus_threads", "postgres_rotulus_threads")
"""What stands in the tables only."""


def _name(contender):
    return f"{contender.name} on {contender.home.title}"


def _bar(row, contender, figure, left, scale):
    kind = ' class="ours"' if contender.environment == "rotulus" else ""
    top, length = TOP + row * LINE, max(1.5, figure * scale)
    name = escape(_name(contender))
    middle = top + BAR - 3.5
    return (
        f'  <text{kind} x="{left - 10:.1f}" y="{middle}" text-anchor="end">{name}</text>'
        f'<rect{kind} x="{left:.1f}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2"/>'
        f'<text{kind} x="{left + length + 8:.1f}" y="{middle}">{figure:,.0f}</text>'
    )
