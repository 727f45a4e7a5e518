"""The size of the page `/`: the page, its style sheets, its scripts and their static imports."""

import re
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

from tests.support.serving import serve


def main() -> None:
    with tempfile.TemporaryDirectory() as home, serve(Path(home)) as server:
        print("| file | bytes, unpacked |\n|---|---|")
        total, seen, waiting = 0, set(), [f"{server.url}/"]
        while waiting:
            url = waiting.pop(0)
            if url in seen:
                continue
            seen.add(url)
            with urllib.request.urlopen(url) as response:
                content = response.read().decode()
            size = len(content.encode())
            total += size
            print(f"| {re.sub(r'/static/[^/]*', '', url.removeprefix(server.url))} | {size:,} |")
            links = re.findall(r'(?:<script[^>]*src|<link[^>]*href)="([^"]+)"', content)
            links += re.findall(r'(?:import|from)\s*["\'](\./[^"\']+)["\']', content)
            links += re.findall(r'@import\s+(?:url\()?["\']([^"\']+)', content)
            waiting += [urljoin(url, link) for link in links]
        print(f"| **all** | **{total:,}** |")


if __name__ == "__main__":
    main()
