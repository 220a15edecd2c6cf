"""Draws the panels of a Grafana dashboard as Grafana would lay them out, from the data of a run."""

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402
from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: E402

COLUMNS = 24
INCHES_A_COLUMN, INCHES_A_ROW = 0.72, 0.33
INK, QUIET, GRID, PAPER, CARD = "#1f2430", "#6b7280", "#e5e7eb", "#f3f4f6", "#ffffff"
COLOURS = ["#2f7ed8", "#e4572e", "#3aa655", "#a855c7", "#e0a100", "#17a2b8", "#8b5e3c", "#d6336c", "#5c6ac4"]
STATES = {"red": "#d64545", "green": "#3aa655", "blue": "#2f7ed8"}
UNITS = {"s": " s", "ops": "/s", "reqps": "/s"}


def legend(target, labels):
    text = target["legendFormat"]
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text.rsplit("/", 1)[-1]


def number(value, unit):
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:g}{UNITS.get(unit, '')}"


def minutes(seconds, _):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def whole(points):
    """With gaps where there was no data, so that no line is drawn over them."""
    for (at, value), (following, _) in zip(points, points[1:] + [(points[-1][0] + 1, 0)]):
        yield at, value
        if following - at > 1.5:
            yield at + 1, math.nan


def state_colour(panel, value):
    colour = "blue"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            colour = step["color"]
    return STATES[colour]


def draw_time(axes, panel, series, began, ended):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = 0
    for target in panel["targets"]:
        for labels, points in series(target["expr"]):
            times, values = zip(*((at - began, value) for at, value in whole(points)))
            axes.plot(times, values, color=COLOURS[lines % len(COLOURS)], linewidth=1.7, label=legend(target, labels))
            lines += 1
    axes.set_xlim(0, ended - began)
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 1e-3) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=unit == "none", min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 4), unit)))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(minutes))
    axes.grid(color=GRID, linewidth=0.8)
    axes.tick_params(colors=QUIET, labelsize=8, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    longest = max(len(label) for label in axes.get_legend_handles_labels()[1])
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.02, -0.13), ncols=2 if longest > 22 else 3, fontsize=7.5, frameon=False,
        labelcolor=INK, handlelength=1.1, columnspacing=1.2, handletextpad=0.5, borderaxespad=0)


def draw_state(axes, panel, series, began, ended):
    """The value at the end, over how it went; red where it was bad."""
    points = series(panel["targets"][0]["expr"])[0][1]
    for at, value in points:
        axes.axvspan(at - began, at - began + 1, ymax=0.22, color=state_colour(panel, value), linewidth=0)
    axes.text(0.5, 0.6, number(points[-1][1], "none"), transform=axes.transAxes, ha="center", va="center", fontsize=26,
              fontweight="bold", color=state_colour(panel, points[-1][1]))
    axes.set_xlim(0, ended - began)
    axes.set_axis_off()


def draw_alerts(axes, panel, series, began, ended):
    """One bar an alert, in the order in which they came."""
    found = [(labels["alertname"], [at - began for at, _ in points])
             for labels, points in series(panel["targets"][0]["expr"])]
    for row, (name, times) in enumerate(sorted(found, key=lambda one: one[1][0])):
        axes.broken_barh([(at, 1.05) for at in times], (-row - 0.38, 0.76), color=STATES["red"], linewidth=0, zorder=3)
        # Before its bar, where there is room.
        before = times[0] > 0.2 * (ended - began)
        axes.text(times[0] - 0.8 if before else times[-1] + 1.8, -row, name, ha="right" if before else "left",
                  va="center", fontsize=9, color=INK)
    axes.set_xlim(0, ended - began)
    axes.set_ylim(-len(found) + 0.4, 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(minutes))
    axes.set_yticks([])
    axes.grid(color=GRID, linewidth=0.8)
    axes.tick_params(colors=QUIET, labelsize=8, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def draw(dashboard, series, began, breakages, path):
    """`series` gives the data of a query; `breakages` are what was broken, from when, until when."""
    panels = dashboard["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    head = 4.2
    width, height = COLUMNS * INCHES_A_COLUMN, (rows + head) * INCHES_A_ROW
    figure = pyplot.figure(figsize=(width, height), facecolor=PAPER)
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    ended = max(points[-1][0] for _, points in series(panels[0]["targets"][0]["expr"]))
    figure.text(0.012, 1 - 0.9 * INCHES_A_ROW / height, dashboard["title"], fontsize=17, fontweight="bold", color=INK,
                va="center")
    figure.text(0.012, 1 - 2.0 * INCHES_A_ROW / height, "Time in minutes of the run. Shaded, one after the other:",
                fontsize=9.5, color=QUIET, va="center")
    for number_, (what, _, _) in enumerate(breakages):
        figure.text(0.012 + (number_ % 3) * 0.33, 1 - (2.8 + 0.75 * (number_ // 3)) * INCHES_A_ROW / height,
                    f"{number_ + 1}  {what}", fontsize=9.5, color=INK, va="center")
    for panel in panels:
        place = panel["gridPos"]
        left, bottom = place["x"] / COLUMNS, 1 - (head + place["y"] + place["h"]) / (rows + head)
        wide, high = place["w"] / COLUMNS, place["h"] / (rows + head)
        card = figure.add_axes((left + 0.004, bottom + 0.003, wide - 0.008, high - 0.006))
        card.set_facecolor(CARD)
        card.set_xticks([])
        card.set_yticks([])
        for side in card.spines.values():
            side.set_color(GRID)
        card.text(0.14 / (wide * width), 1 - 0.55 * INCHES_A_ROW / (high * height), panel["title"], transform=card.transAxes,
                  fontsize=10, fontweight="bold", color=INK, va="center")
        if panel["type"] == "stat":
            axes = figure.add_axes((left + 0.014, bottom + 0.012, wide - 0.028, high - 0.045))
            draw_state(axes, panel, series, began, ended)
            continue
        if panel["type"] == "state-timeline":
            axes = figure.add_axes((left + 0.014, bottom + high * 0.14, wide - 0.028, high * 0.66))
            draw_alerts(axes, panel, series, began, ended)
        else:
            axes = figure.add_axes((left + 0.045, bottom + high * 0.28, wide - 0.06, high * 0.56))
            draw_time(axes, panel, series, began, ended)
        for number_, (_, start, end) in enumerate(breakages):
            axes.axvspan(start - began, end - began, color="#f2c1b4", alpha=0.45, linewidth=0, zorder=0)
            axes.text((start + end) / 2 - began, 1.0, str(number_ + 1), transform=axes.get_xaxis_transform(),
                      ha="center", va="bottom", fontsize=7, color=QUIET)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
