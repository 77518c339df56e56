"""The simulator's page for people: that it is one, and how much it has seen. Counts only, nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

TITLES = {
    "modules": "Hồ sơ theo nghiệp vụ / Dossiers by module",
    "states": "Hồ sơ theo trạng thái / Dossiers by state",
    "submissions": "Lượt gửi / Submissions",
}


def page(counts: Mapping[str, Mapping[str, int]], faults: Mapping[str, int]) -> str:
    """GET / as HTML."""
    tables = [(TITLES[name], numbers) for name, numbers in counts.items()]
    tables.append(("Lỗi đã mô phỏng / Faults played", faults))
    return f"""<!doctype html>
<html lang="vi">
<head><meta charset="utf-8"><title>MÔ PHỎNG / SIMULATION: hotich simulate moj</title></head>
<body>
<h1>MÔ PHỎNG / SIMULATION</h1>
<p>Đây là chương trình mô phỏng hệ thống hộ tịch, không phải hệ thống thật. Không có việc hộ tịch nào được đăng ký.</p>
<p lang="en">This is a simulator of the civil-status exchange, not the real one. Nothing is registered anywhere.
Give it invented people only.</p>
{"".join(_table(title, numbers) for title, numbers in tables)}
</body>
</html>
"""


def _table(title: str, numbers: Mapping[str, int]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{number}</td></tr>" for name, number in sorted(numbers.items()))
    return f"<table><caption>{title}</caption>{rows or '<tr><td>0</td></tr>'}</table>\n"
