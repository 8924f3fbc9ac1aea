"""The demo's table, on the terminal and as a small HTML page with its pictures."""

import html
import json
import os

from keras_bert.text.files import write_atomically


def table(results):
    """Returns the measures as lines of text, ours beside what knows no context."""
    lines = [f"{'measured on held-out text':34} {'ours':>8} {'baseline':>9}"]
    for row in results["table"]:
        digits = 1 if row["value"] > 2 else 3
        lines.append(
            f"{row['measure']:34} {row['value']:8.{digits}f} {row['baseline']:9.{digits}f}"
            f"  {row['baseline_is']}"
        )
    return "\n".join(lines)


def write(results, directory):
    """Writes `results.json` and `report.html`, which shows `curves.png` and `confusion.png`."""
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    write_atomically(os.path.join(directory, "results.json"), text)
    write_atomically(os.path.join(directory, "report.html"), _page(results))


def _page(results):
    documents, seeds = results["documents"], results["seeds"]
    measured = [
        (row["measure"], _number(row["value"]), _number(row["baseline"]), row["baseline_is"])
        for row in results["table"]
    ]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keras_bert demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1d2433; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
th, td {{ text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #d9dee8; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
<h1>From raw text to a served answer</h1>
<p>A small BERT read the docstrings of the libraries on this machine ({documents["training"]:,}
documents, {results["steps"]:,} steps). Everything below is measured on {documents["held_out"]:,}
documents it never saw, duplicates removed. It took {results["seconds"]["total"]:.0f} seconds.</p>
<h2>Measures</h2>
{_table(("measured on held-out text", "ours", "baseline", "the baseline is"), measured)}
<p>Accuracy of the classifiers, seed by seed: pretrained
{", ".join(_number(value) for value in seeds["pretrained"])}; from scratch
{", ".join(_number(value) for value in seeds["scratch"])}.</p>
<h2>Filled masks</h2>
{_table(("sentence", "likeliest tokens"), results["filled"])}
<h2>Answers of the SavedModel in a fresh process</h2>
{
        _table(
            ("passage", "library", "score"),
            [(text, label, f"{score:.0%}") for text, label, score in results["answers"]],
        )
    }
<h2>Pretraining</h2>
<p><img src="curves.png" alt="curves of loss and accuracy, training and held out"></p>
<h2>Which library is taken for which</h2>
<p><img src="confusion.png" alt="confusion matrix of the libraries"></p>
</body>
</html>
"""


def _number(value):
    return f"{value:.1f}" if value > 2 else f"{value:.3f}"


def _table(head, rows):
    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    return "\n".join(["<table>", line(head, "th"), *(line(row, "td") for row in rows), "</table>"])
