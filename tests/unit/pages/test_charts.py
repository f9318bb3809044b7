"""The charts of report and catalog as SVG."""

from __future__ import annotations

import re

from pages.charts import calibration_picture, flow_picture


def box(key, label="orders", value="3", note="", tables=1):
    """A box as the pages make them."""
    return {"key": key, "label": label, "value": value, "note": note, "tables": [key] * tables}


def test_a_flow_has_a_box_a_table_and_a_curve_an_edge():
    """Empty columns are left out; a box behind its upstream is marked."""
    flow = {
        "columns": [
            {"layer": "source", "boxes": []},
            {"layer": "bronze", "boxes": [box("b")]},
            {"layer": "silver", "boxes": [box("s", note="behind"), box("h", tables=2)]},
        ],
        "edges": [("b", "s"), ("b", "h")],
    }
    text = str(flow_picture(flow))
    assert text.count('<g class="box') == 3
    assert text.count('class="box silver late"') == 1
    assert "3 boxes in 2 columns" in text
    curves = re.search(r'<g class="edges">(.*?)</g>', text)[1]
    assert curves.count("<path") == 2
    assert curves.count('class="faint"') == 1, "an edge to several tables"


def test_texts_are_escaped_and_long_names_cut():
    """A name is whole in the title, and as long as its box in the picture."""
    name = "<b>" + "x" * 60
    text = str(
        flow_picture({"columns": [{"layer": "gold", "boxes": [box("g", name)]}], "edges": []})
    )
    assert "<b>" not in text
    assert "&lt;b&gt;" + "x" * 60 in text
    assert "…</text>" in text


def test_a_calibration_has_a_dot_a_bin():
    """Bins without rows are left out; without any bin there is no picture."""
    points = [
        {"predicted": 0.1, "observed": 0.2, "count": 100},
        {"predicted": 0.4, "observed": 0.3, "count": 25},
        {"predicted": None, "observed": None, "count": 0},
    ]
    text = str(calibration_picture(points))
    radii = [float(radius) for radius in re.findall(r' r="([\d.]+)"', text)]
    assert radii == [12.0, 8.0], "the area grows with the rows"
    assert str(calibration_picture([])) == ""
    assert str(calibration_picture(points[2:])) == ""
