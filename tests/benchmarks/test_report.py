"""A report says what is needed to judge a figure and to measure it again."""

import json

from isograd.benchmarks import report


def test_a_report_says_what_is_needed_to_judge_it(tmp_path):
    path = tmp_path / "report.json"
    report.write_report(path, report.report("python -m x", {"a": 1.5}, 0.25))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["results"] == {"a": 1.5}
    assert content["machine"]["cores"] >= 1
    assert {"numpy", "python", "isograd"} <= set(content["versions"])
    assert {"command", "date", "commit", "load_average_before"} <= set(content)
