"""Forty phones that draw into one set by an invitation, a projector that shows it, and one server.

Each phone is a Chromium context that draws with touch events; the answer to one of its drawings is lost on the way, and
it sends that one again. All share the machine with the server.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support.classroom import ClassReport, hold_class
from tests.support.serving import Server, serve

PHONES = 40
DRAWINGS = 6
LABELS = ["○", "△", "×"]
TOKEN = "a-token-of-the-benchmark"


def main() -> None:
    phones = int(sys.argv[1]) if len(sys.argv) > 1 else PHONES
    with (
        tempfile.TemporaryDirectory() as home,
        serve(Path(home), DIGITPAD_HOST="0.0.0.0", DIGITPAD_TOKEN=TOKEN) as server,
    ):
        report = asyncio.run(hold_class(server.url, TOKEN, LABELS, phones=phones, drawings=DRAWINGS))
        memory = _peak_mebibytes(server)
    print("| phones | drawn | stored | lost | doubled | joined, s | drawn, s | save p50, s | max, s | late, s | MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    print(_row(report, phones, memory))


def _row(report: ClassReport, phones: int, memory: float) -> str:
    drawn = {(phone, number) for phone in range(phones) for number in range(DRAWINGS)}
    lost = len(drawn - set(report.stored))
    doubled = report.stored.total() - len(report.stored)
    cells = [phones, len(drawn), report.stored.total(), lost, doubled]
    times = [
        report.join_seconds,
        report.draw_seconds,
        statistics.median(report.save_seconds),
        max(report.save_seconds),
        report.late_seconds,
    ]
    return f"| {' | '.join([*map(str, cells), *(f'{seconds:.2f}' for seconds in times), f'{memory:.0f}'])} |"


def _peak_mebibytes(server: Server) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
