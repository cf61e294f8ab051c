"""A chart of the backlog cases as SVG: curves over the number of queued messages, one panel for each unit."""
import math

WIDTH, PANEL, LEFT, RIGHT, TOP, BOTTOM = 720, 240, 70, 190, 44, 40
COLOURS = ["#1b6ca8", "#c8553d", "#588157", "#7b2d8b"]


def steps(top):
    """Round values from 0 to at least top, five or so."""
    unit = 10 ** math.floor(math.log10(top / 4))
    unit *= next(m for m in (1, 2, 2.5, 5, 10) if m * unit * 5 >= top)
    return [i * unit for i in range(math.ceil(top / unit) + 1)]


def number(x):
    return f"{x:g}" if x < 10 ** 6 else f"{x / 10 ** 6:g}e6"


def panel(out, y0, title, unit, counts, curves, limit):
    """curves: [(name, [value or None for each count])]; limit: a line that no value may pass, or None."""
    values = [v for _, vs in curves for v in vs if v is not None]
    scale = steps(max(values + ([limit] if limit and limit < 6 * max(values) else [])) or 1)
    x0, x1, bottom, height = LEFT, WIDTH - RIGHT, y0 + PANEL - BOTTOM, PANEL - TOP - BOTTOM
    span = max(math.log10(counts[-1] / counts[0]), 1)

    def at(n, v):
        return x0 + (x1 - x0) * math.log10(n / counts[0]) / span, bottom - height * v / scale[-1]

    def text(x, y, s, more=""):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" {more}>{s}</text>')

    text(x0, y0 + 20, f"{title} ({unit})" + (f"; limit {limit:g}" if limit else ""), 'font-weight="bold"')
    for v in scale:
        y = at(counts[0], v)[1]
        out.append(f'<line x1="{x0}" y1="{y:.1f}" x2="{x1}" y2="{y:.1f}" stroke="#ddd"/>')
        text(x0 - 8, y + 4, f"{v:g}", 'text-anchor="end"')
    for n in counts:
        text(at(n, 0)[0], bottom + 18, number(n), 'text-anchor="middle"')
    if limit and limit <= scale[-1]:
        y = at(counts[0], limit)[1]
        out.append(f'<line x1="{x0}" y1="{y:.1f}" x2="{x1}" y2="{y:.1f}" stroke="#333" stroke-dasharray="6 4"/>')
    for i, (name, vs) in enumerate(curves):
        points = [at(n, v) for n, v in zip(counts, vs) if v is not None]
        colour = COLOURS[i % len(COLOURS)]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        text(x1 + 14, y0 + TOP + 16 * i + 8, name, f'fill="{colour}"')


def chart(path, heading, counts, panels):
    """panels: [(title, unit, curves, limit)]."""
    height = 30 + PANEL * len(panels)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>', f'<text x="{LEFT}" y="20" font-size="14">{heading}</text>']
    for i, (title, unit, curves, limit) in enumerate(panels):
        panel(out, 30 + i * PANEL, title, unit, counts, curves, limit)
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n</svg>\n")
