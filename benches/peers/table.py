"""The pairs of one comparison as a table: `table.py FOLDER`, as run.sh left it."""

import itertools
import json
import pathlib
import statistics
import sys

PEERS = ("logmill", "kafka")


def main(folder):
    runs = {peer: sorted(folder.glob(f"{peer}-*")) for peer in PEERS}
    print_brokers(runs)
    cells = {peer: collect(runs[peer]) for peer in PEERS}
    names = list(dict.fromkeys(name for peer in PEERS for name in cells[peer]))
    columns = ["load", "figure", *PEERS, "ratio"]
    rows = [row for name in names for row in rows_of(name, cells)]
    print_table([columns, *rows])
    print(f"\nmedians of {len(runs['logmill'])} rounds (least to most); ratio = {PEERS[0]} / {PEERS[1]}")


def collect(folders):
    """Workload name -> figure name -> the values of all rounds."""
    figures = {}
    for folder in folders:
        reports = [folder / name / "report.json" for name in ("report", "reading")]
        results = [json.loads(path.read_text())["results"] for path in reports]
        for result in itertools.chain.from_iterable(results):
            name = result["workload"].split(" #")[0]
            for figure, value in figures_of(result).items():
                if value is not None:
                    figures.setdefault(name, {}).setdefault(figure, []).append(value)
    return figures


def figures_of(result):
    own = result["logmill"]
    figures = {
        "MB/s": own["bytesPerSecond"] / 1e6,
        "broker CPU-s/GB": own["brokerCpuSecondsPerGB"],
        "loadgen CPU-s/GB": own["generatorCpuSecondsPerGB"],
    }
    if own["openLoop"]:
        for label, field in (("p50", "50pct"), ("p99", "99pct"), ("p99.9", "999pct")):
            figures[f"ack {label} ms"] = result[f"aggregatedPublishLatency{field}"]
        figures["end to end p99 ms"] = result["aggregatedEndToEndLatency99pct"]
    return figures


def rows_of(name, cells):
    figures = dict.fromkeys(figure for peer in PEERS for figure in cells[peer].get(name, {}))
    for figure in figures:
        values = [cells[peer].get(name, {}).get(figure) for peer in PEERS]
        medians = [statistics.median(value) if value else None for value in values]
        both = all(median is not None for median in medians) and medians[1]
        ratio = f"{medians[0] / medians[1]:.2f}" if both else "-"
        yield [name, figure, *(spread_text(value) for value in values), ratio]


def spread_text(values):
    """The median, and from where to where the rounds went if there were several."""
    if not values:
        return "-"
    text = f"{statistics.median(values):.2f}"
    if len(values) > 1:
        text += f" ({min(values):.2f} to {max(values):.2f})"
    return text


def print_brokers(runs):
    rows = [["broker", "ready ms", "idle MiB", "loaded MiB", "CPU s in all"]]
    for peer in PEERS:
        rows.append(
            [
                peer,
                f"{median_of(runs[peer], 'ready_ms'):.0f}",
                f"{median_of(runs[peer], 'idle_kib') / 1024:.0f}",
                f"{median_of(runs[peer], 'loaded_kib') / 1024:.0f}",
                f"{statistics.median(cpu_seconds(folder) for folder in runs[peer]):.1f}",
            ]
        )
    print_table(rows)
    print()


def median_of(folders, name):
    return statistics.median(float((folder / name).read_text()) for folder in folders)


def cpu_seconds(folder):
    ticks, per_second = (folder / "cpu_ticks").read_text().split()
    return int(ticks) / int(per_second)


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
