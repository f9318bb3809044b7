"""Charts of the report and the catalog as SVG; their colours are the page's, light or dark."""

from __future__ import annotations

from math import sqrt
from typing import Any

from markupsafe import Markup, escape

BOX_WIDTH, BOX_HEIGHT, BOX_GAP = 240, 32, 8
COLUMN_GAP, HEAD = 54, 44
LETTER = 7.2  # of the usual fonts at 13 pixels
SIDE, EDGE = 260, 36


def flow_picture(flow: dict[str, Any]) -> Markup:
    """Return the layers as columns of boxes, joined from upstream to table."""
    columns = [column for column in flow["columns"] if column["boxes"]]
    places: dict[str, tuple[float, float]] = {}
    parts: list[str] = []
    tallest = max((len(column["boxes"]) for column in columns), default=0)
    height = HEAD + tallest * (BOX_HEIGHT + BOX_GAP)
    for index, column in enumerate(columns):
        left = index * (BOX_WIDTH + COLUMN_GAP)
        parts.append(_head(column["layer"], left, last=index == len(columns) - 1))
        for row, box in enumerate(column["boxes"]):
            top = HEAD + row * (BOX_HEIGHT + BOX_GAP)
            places[box["key"]] = (left, top + BOX_HEIGHT / 2)
            parts.append(_box(box, column["layer"], left, top))
    wide = {box["key"] for column in columns for box in column["boxes"] if len(box["tables"]) > 1}
    lines = [_edge(places[a], places[b], faint=bool({a, b} & wide)) for a, b in flow["edges"]]
    width = len(columns) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP
    count = sum(len(column["boxes"]) for column in columns)
    title = f"Flow of the rows: {count} boxes in {len(columns)} columns, listed in the tables below"
    return Markup(  # noqa: S704 - every text in the parts is escaped
        f'<svg class="flow" viewBox="-2 0 {width + 4} {height}" role="img" '
        f'style="min-width:{round(width * 0.78)}px;max-width:{width + 4}px"><title>{escape(title)}</title>'
        f'<g class="edges">{"".join(lines)}</g>{"".join(parts)}</svg>'
    )


def _head(layer: str, left: float, *, last: bool) -> str:
    arrow = left + BOX_WIDTH + 14
    line = (
        ""
        if last
        else f'<path class="arrow" d="M{arrow} 16h{COLUMN_GAP - 30}m-6 -5l6 5l-6 5" fill="none"/>'
    )
    return f'<text class="layer {escape(layer)}" x="{left}" y="21">{escape(layer)}</text>{line}'


def _box(box: dict[str, Any], layer: str, left: float, top: float) -> str:
    name = box["label"]
    most = int((BOX_WIDTH - 34) / LETTER) - len(box["value"])
    shown = name if len(name) <= most else name[: most - 1] + "…"
    middle = top + BOX_HEIGHT / 2 + 4.5
    note = f", {box['note']}" if box["note"] else ""
    late = " late" if note else ""
    return (
        f'<g class="box {escape(layer)}{late}"><title>{escape(name)}: {escape(box["value"])}{escape(note)}'
        f'</title><rect x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>'
        f'<rect class="stripe" x="{left}" y="{top + 7}" width="3" height="{BOX_HEIGHT - 14}"/>'
        f'<text x="{left + 12}" y="{middle}">{escape(shown)}</text>'
        f'<text class="count" x="{left + BOX_WIDTH - 10}" y="{middle}">{escape(box["value"])}</text></g>'
    )


def _edge(start: tuple[float, float], end: tuple[float, float], *, faint: bool) -> str:
    """Return a curve from the right of one box to the left of another."""
    x1, y1, x2, y2 = start[0] + BOX_WIDTH, start[1], end[0], end[1]
    bend = (x2 - x1) / 2
    kind = ' class="faint"' if faint else ""
    return f'<path{kind} d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def calibration_picture(points: list[dict[str, Any]]) -> Markup:
    """Return predicted against observed shares; on the diagonal a model is calibrated."""
    usable = [
        (float(p["predicted"]), float(p["observed"]), float(p.get("count") or 0))
        for p in points
        if p.get("predicted") is not None and p.get("observed") is not None
    ]
    if not usable:
        return Markup("")
    # The whole of 0 to 1 would crowd a rare outcome into one corner
    top = min(1.0, max(0.05, 1.15 * max(max(p, o) for p, o, _ in usable)))
    most = max(count for *_, count in usable) or 1

    def x(value: float) -> float:
        return round(EDGE + min(value, top) / top * SIDE, 1)

    def y(value: float) -> float:
        return round(10 + SIDE - min(value, top) / top * SIDE, 1)

    ticks = "".join(
        f'<text class="tick" x="{x(t)}" y="{SIDE + 26}" text-anchor="middle">{t:.0%}</text>'
        f'<text class="tick" x="{EDGE - 6}" y="{y(t) + 4}" text-anchor="end">{t:.0%}</text>'
        f'<path class="grid" d="M{EDGE} {y(t)}H{EDGE + SIDE}M{x(t)} 10V{SIDE + 10}"/>'
        for t in (0, top / 2, top)
    )
    dots = "".join(
        f'<circle class="dot" cx="{x(p)}" cy="{y(o)}" r="{4 + 8 * sqrt(count / most):.1f}"><title>'
        f"predicted {p:.1%}, observed {o:.1%}, {count:,.0f} rows</title></circle>"
        for p, o, count in usable
    )
    line = "".join(
        f"{'L' if place else 'M'}{x(p)} {y(o)}" for place, (p, o, _) in enumerate(sorted(usable))
    )
    label = f'<text class="tick" x="{EDGE + SIDE / 2}" y="{SIDE + 44}" text-anchor="middle">'
    return Markup(  # noqa: S704 - numbers alone
        f'<svg class="calibration" viewBox="0 0 {SIDE + EDGE + 14} {SIDE + 52}" role="img">'
        f"<title>Calibration: predicted share against observed share</title>{ticks}"
        f'<path class="ideal" d="M{x(0)} {y(0)}L{x(top)} {y(top)}"/>'
        f'<path class="curve" d="{line}"/>{dots}{label}predicted, observed upwards</text></svg>'
    )
