"""Figures as text: median [smallest..largest], and tables in Markdown."""

import statistics


def number(value):
    if value == 0:
        return "0"
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{max(digits, 0)}f}" if value >= 0.1 else f"{value:.4f}"


def spread(values):
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{number(middle)} [{number(low)}..{number(high)}]"


def median(values):
    return statistics.median(values)


def ratio(values, floor):
    """Of the medians; each round ran both, so the machine's mood cancels out."""
    return f"{statistics.median(values) / statistics.median(floor):.2f}"


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)
