"""Draws the pictures of the guide into `docs/pictures/`: boxes, arrows and words, as SVG.

Each is legible on light pages and dark ones, has a background of its own, and loads nothing.
"""

from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"

STYLE = """
    :root { color-scheme: light dark }
    .paper { fill: #ffffff; stroke: #d7dde3 }
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    .small { font-size: 12px; fill: #57606a }
    .strong { font-weight: 600 }
    .box { fill: #f3f6f9; stroke: #8c98a4 }
    .good { fill: #dff3e4; stroke: #3f9a58 }
    .bad { fill: #fde5e3; stroke: #c9564b }
    .ours { fill: #e2eefd; stroke: #2f7ad6 }
    .idle { fill: #e7ebef; stroke: #b9c2cb }
    .line { stroke: #6b7783; fill: none; stroke-width: 1.4 }
    .thin { stroke: #b9c2cb; fill: none }
    .refused { stroke: #c9564b; fill: none; stroke-width: 1.4; stroke-dasharray: 5 4 }
    .tip { fill: #6b7783 }
    .stop { fill: #c9564b }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #1f242b; stroke: #39424d }
      text { fill: #e3e8ee }
      .small { fill: #aab4bf }
      .box { fill: #2a3139; stroke: #75818d }
      .good { fill: #1f3a2a; stroke: #55b06e }
      .bad { fill: #45262a; stroke: #e0776d }
      .ours { fill: #1d3450; stroke: #5a9ce6 }
      .idle { fill: #333b44; stroke: #55606b }
      .line { stroke: #98a4b0 }
      .thin { stroke: #4b5662 }
      .refused { stroke: #e0776d }
      .tip { fill: #98a4b0 }
      .stop { fill: #e0776d }
    }
"""

TIPS = """  <defs>
    <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="tip" d="M0 0 8 4 0 8Z"/></marker>
    <marker id="stop" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="stop" d="M0 0 8 4 0 8Z"/></marker>
  </defs>"""  # noqa: E501 - a marker is one line


class Picture:
    """A picture: shapes are added one after the other, the first at the bottom."""

    def __init__(self, title, width, height):
        self.title, self.width, self.height = title, width, height
        self.shapes = []

    def box(self, x, y, width, height, *lines, kind="box"):
        """A rounded box with lines in its middle; the first one is strong."""
        self.shapes.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
        )
        top = y + height / 2 - (len(lines) - 1) * 8.5 + 4.5
        for number, line in enumerate(lines):
            style = "small" if number else "strong"
            self.text(x + width / 2, top + 17 * number, line, style, "middle")

    def bar(self, x, y, width, kind, height=18):
        """A bar of a time line."""
        self.shapes.append(
            f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"/>'
        )

    def text(self, x, y, words, style="small", anchor="start"):
        """A line of text."""
        place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
        self.shapes.append(f'<text class="{style}" {place}>{escape(words)}</text>')

    def arrow(self, *points, style="line"):
        """A line with a tip at its end, through the points."""
        tip = "stop" if style == "refused" else "tip"
        self.line(*points, style=style, more=f' marker-end="url(#{tip})"')

    def line(self, *points, style="thin", more=""):
        """A line through the points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.shapes.append(f'<polyline class="{style}" points="{path}"{more}/>')

    def __str__(self):
        """The picture, as SVG."""
        size = (
            f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        )
        label = escape(self.title, quote=True)
        paper = f'width="{self.width - 1}" height="{self.height - 1}" rx="8"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">',
                f"  <style>{STYLE}  </style>",
                TIPS,
                f'  <rect class="paper" x="0.5" y="0.5" {paper}/>',
                *(f"  {shape}" for shape in self.shapes),
                "</svg>\n",
            ]
        )


def life():
    """The states of a job, and what leads from one to the other."""
    picture = Picture(
        "The life of a job: its states, and what leads from one to the next", 760, 400
    )
    picture.text(170, 34, "enqueue", anchor="middle")
    picture.arrow((170, 42), (170, 68))
    picture.text(430, 34, "enqueue for later", anchor="middle")
    picture.arrow((430, 42), (430, 68))
    picture.box(100, 70, 140, 46, "queued", "due", kind="ours")
    picture.box(360, 70, 140, 46, "delayed", "its time is ahead", kind="box")
    picture.box(590, 70, 140, 46, "blocked", "waits for steps", kind="box")
    picture.arrow((358, 84), (242, 84))
    picture.text(300, 76, "its time has come", anchor="middle")
    picture.arrow((242, 102), (358, 102))
    picture.text(300, 118, "put off: debounce", anchor="middle")
    picture.line((660, 68), (660, 52), (210, 52), style="line")
    picture.arrow((210, 52), (210, 68))
    picture.text(600, 46, "what it needs has ended", anchor="middle")

    picture.box(100, 190, 140, 46, "running", "with a lease", kind="ours")
    picture.arrow((150, 118), (150, 188))
    picture.text(160, 140, "claim:")
    picture.text(160, 156, "attempt + 1")
    picture.arrow((242, 205), (400, 205), (400, 118))
    picture.text(408, 150, "retry, snooze,")
    picture.text(408, 166, "second loss")
    picture.arrow((98, 213), (56, 213), (56, 93), (98, 93))
    picture.text(63, 150, "first loss,")
    picture.text(63, 166, "given back")

    ends = (
        ("succeeded", "it returned", "good"),
        ("failed", "the task failed", "bad"),
        ("dead", "given up", "bad"),
        ("cancelled", "on request", "box"),
        ("skipped", "left out", "box"),
    )
    for number, (state, why, kind) in enumerate(ends):
        picture.box(100 + 128 * number, 310, 118, 46, state, why, kind=kind)
    picture.line((170, 238), (170, 284), style="line")
    picture.line((159, 284), (543, 284), style="line")
    for number in range(4):
        picture.arrow((159 + 128 * number, 284), (159 + 128 * number, 308))
    picture.arrow((671, 118), (671, 308))
    picture.text(680, 214, "its rule, or")
    picture.text(680, 230, "rotulus skip")
    picture.line((543, 358), (543, 380), (30, 380), style="line")
    picture.line((287, 358), (287, 380), style="line")
    picture.line((415, 358), (415, 380), style="line")
    picture.line((30, 380), (30, 60), (130, 60), style="line")
    picture.arrow((130, 60), (130, 68))
    picture.text(552, 384, "rotulus retry sends it back")
    return picture


def fence():
    """Two workers, one job: the late outcome of the first is refused."""
    picture = Picture("The fence: a worker that comes back too late is refused", 760, 300)
    for y, name in ((60, "worker A"), (140, "the job's row"), (220, "worker B")):
        picture.text(20, y + 5, name, "strong")
        picture.line((130, y), (740, y))
    picture.bar(150, 51, 90, "ours")
    picture.text(195, 42, "runs attempt 1", anchor="middle")
    picture.bar(240, 51, 250, "idle")
    picture.text(365, 42, "stopped, cut off, or only slow", anchor="middle")
    picture.bar(490, 51, 50, "ours")
    picture.text(515, 42, "wakes up", anchor="middle")
    picture.arrow((150, 131), (150, 71))
    picture.text(156, 105, "claim")
    picture.bar(150, 131, 200, "ours")
    picture.text(250, 145, "running, attempt 1", "small", "middle")
    picture.bar(350, 131, 40, "idle")
    picture.text(370, 122, "lease over", anchor="middle")
    picture.bar(390, 131, 200, "ours")
    picture.text(490, 145, "running, attempt 2", "small", "middle")
    picture.bar(590, 131, 140, "good")
    picture.text(660, 145, "succeeded", "small", "middle")
    picture.arrow((390, 151), (390, 209))
    picture.text(396, 186, "claim")
    picture.bar(390, 211, 200, "ours")
    picture.text(490, 248, "runs attempt 2", anchor="middle")
    picture.arrow((590, 209), (590, 151))
    picture.text(596, 186, "attempt 2: stored")
    picture.arrow((540, 71), (540, 127), style="refused")
    picture.text(548, 105, "attempt 1: refused")
    picture.text(
        380, 282, "A write names job and attempt, and is applied only while that attempt runs.",
        anchor="middle",
    )  # fmt: skip
    return picture


def run():
    """A run of a workflow over time: when each step waited, ran, and failed."""
    picture = Picture("A run over time: when each step waited, ran, and was tried again", 760, 262)
    left, top, row = 130, 56, 34
    for second in range(7):
        x = left + 100 * second
        picture.line((x, 40), (x, top + 5 * row - 6))
        picture.text(x, 32, f"{second} s", anchor="middle")
    steps = (
        ("fetch", ((0, 90, "ours"), (90, 60, "idle"), (150, 90, "ours"))),
        ("parse 1", ((240, 110, "ours"),)),
        ("parse 2", ((240, 20, "idle"), (260, 150, "ours"))),
        ("parse 3", ((240, 20, "idle"), (260, 60, "bad"), (320, 60, "idle"), (380, 90, "ours"))),
        ("load", ((470, 120, "good"),)),
    )
    for number, (step, bars) in enumerate(steps):
        y = top + row * number
        picture.text(20, y + 13, step, "strong")
        for start, length, kind in bars:
            picture.bar(left + start, y, length, kind)
    picture.text(left + 95, top - 6, "waits for its retry")
    picture.text(left + 400, top + row + 13, "three branches, side by side")
    picture.text(left + 480, top + 3 * row + 13, "now load is due")
    x = left
    for kind, words in (("ours", "runs"), ("idle", "waits"), ("bad", "failed, tried again"), ("good", "the last step")):  # fmt: skip # noqa: E501
        picture.bar(x, 234, 14, kind, 14)
        picture.text(x + 20, 246, words)
        x += 44 + 7 * len(words)
    return picture


def deployment():
    """The pieces of a deployment: programs that enqueue, the database, workers."""
    picture = Picture("The pieces of a deployment: programs, the database, workers", 760, 330)
    for number, (name, words) in enumerate(
        (
            ("web application", "task.enqueue(...)"),
            ("scripts, a shell", "rotulus enqueue ..."),
            ("rotulus serve", "HTTP, health, metrics"),
        )
    ):
        y = 50 + 84 * number
        picture.box(24, y, 180, 54, name, words)
        if number < 2:
            picture.arrow((206, y + 27), (296, 134 + 16 * number))
    picture.arrow((206, 245), (296, 186))
    picture.box(
        300, 106, 160, 110, "the database", "PostgreSQL,", "or one SQLite file", kind="ours"
    )
    for number, machine in enumerate(("machine 1", "machine 2")):
        y = 40 + 136 * number
        picture.shapes.append(
            f'<rect class="thin" x="548" y="{y}" width="190" height="116" rx="8"/>'
        )
        picture.text(558, y + 18, machine)
        picture.box(566, y + 26, 154, 34, "supervisor", kind="box")
        picture.box(566, y + 70, 72, 34, "worker", kind="good")
        picture.box(648, y + 70, 72, 34, "worker", kind="good")
        picture.line((602, y + 60), (602, y + 70), style="line")
        picture.line((684, y + 60), (684, y + 70), style="line")
    picture.arrow((546, 110), (464, 142))
    picture.arrow((546, 226), (464, 182))
    picture.text(504, 92, "claim,", anchor="middle")
    picture.text(504, 108, "settle", anchor="middle")
    picture.text(114, 34, "programs that enqueue", anchor="middle")
    picture.text(380, 96, "jobs, schedules, results", anchor="middle")
    picture.text(643, 30, "programs that run jobs", anchor="middle")
    picture.text(
        380, 314, "No broker, no scheduler process, no leader: only the database has to be there.",
        anchor="middle",
    )  # fmt: skip
    return picture


def stations():
    """The life of one job inside: the caller above, the row in the middle, the worker below."""
    picture = Picture("The life of one job, from enqueue to result", 760, 330)
    picture.text(20, 34, "the program", "strong")
    picture.text(20, 294, "the worker", "strong")
    top = (
        ("1 Task", "checks the call"),
        ("2 AppPort", "of the open app"),
        ("3 JobFactory", "makes the job"),
    )
    for number, (name, words) in enumerate(top):
        x = 130 + 150 * number
        picture.box(x, 20, 130, 48, name, words)
        if number:
            picture.arrow((x - 20, 44), (x - 2, 44))
    picture.box(600, 20, 130, 48, "11 Job.result", "reads the value", kind="good")
    picture.box(130, 130, 600, 64, "the row of the job in the store", kind="ours")
    for x, words in (
        (250, "4 add: queued"),
        (430, "6 claim: running"),
        (620, "10 settle: succeeded"),
    ):
        picture.text(x, 184, words, anchor="middle")
    picture.arrow((495, 70), (495, 100), (250, 100), (250, 128))
    picture.text(262, 122, "4 stored")
    picture.arrow((665, 128), (665, 70))
    bottom = (
        ("5 Worker", "woken, claims"),
        ("7 AttemptRunner", "slot and lease"),
        ("8 Executor", "calls the function"),
        ("9 Verdict", "what it means"),
    )
    for number, (name, words) in enumerate(bottom):
        x = 130 + 154 * number
        picture.box(x, 266, 138, 48, name, words)
        if number:
            picture.arrow((x - 16, 290), (x - 2, 290))
    picture.arrow((195, 196), (195, 264))
    picture.text(203, 234, "6 claimed")
    picture.arrow((667, 264), (667, 196))
    picture.text(659, 234, "10 settled, if it is still this attempt", anchor="end")
    return picture


PICTURES = (life, fence, run, deployment, stations)


def main():
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for draw in PICTURES:
        (FOLDER / f"{draw.__name__}.svg").write_text(str(draw()), encoding="utf-8")


if __name__ == "__main__":
    main()
