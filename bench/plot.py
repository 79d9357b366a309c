"""The picture of the drains: a bar for each contender, legible on light pages and dark ones."""

from html import escape

from bench import roster

WIDTH, LABEL, FIGURE = 760, 210, 70
LINE, BAR, TOP = 26, 16, 34

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
    scale = (WIDTH - LABEL - FIGURE) / bars[0][1]
    drawn = [_bar(row, *bar, scale) for row, bar in enumerate(bars)]
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


def _bar(row, contender, figure, scale):
    kind = ' class="ours"' if contender.environment == "rotulus" else ""
    top, length = TOP + row * LINE, max(1.5, figure * scale)
    name = escape(f"{contender.name} on {contender.home.title}")
    middle = top + BAR - 3.5
    return (
        f'  <text{kind} x="{LABEL - 10}" y="{middle}" text-anchor="end">{name}</text>'
        f'<rect{kind} x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2"/>'
        f'<text{kind} x="{LABEL + length + 8:.1f}" y="{middle}">{figure:,.0f}</text>'
    )
