"""What a test reads on the page of a run."""

from playwright.sync_api import Page

EPOCHS = """async () => {
    const details = document.querySelector("#epochs-details");
    if (document.querySelector("#run").hidden) return [];
    if (!details.open) {
        const filled = new Promise((resolve) => details.addEventListener("toggle", resolve, { once: true }));
        details.open = true;
        await filled;
    }
    return [...document.querySelectorAll("#epoch-rows th")].map((cell) => Number(cell.textContent));
}"""
COLORED = """([key, color]) => {
    const canvas = document.querySelector(`#chart-${key} canvas`);
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${color}`);
    probe.fillRect(0, 0, 1, 1);
    const wanted = new Uint32Array(probe.getImageData(0, 0, 1, 1).data.buffer)[0];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer).filter((pixel) => pixel === wanted).length;
}"""


def open_tab(page: Page, name: str) -> None:
    """Show one view of the run: curves, inside, evaluation, settings or log."""
    page.locator(f"#tab-{name}").click()


def epochs(page: Page) -> list[int]:
    """The epochs in the table under the curves."""
    found: list[int] = page.evaluate(EPOCHS)
    return found


def last_epoch(page: Page, key: str = "loss") -> int:
    """The last epoch that a chart has drawn; 0 before the first."""
    return int(float(page.locator(f"#chart-{key}").get_attribute("aria-valuemax") or 0))  # batches are in between


def first_epoch(page: Page, key: str) -> int:
    """The first epoch that a chart shows, as it is enlarged now."""
    return int(page.locator(f"#chart-{key}").get_attribute("aria-valuemin") or 0)


def lines(page: Page, key: str) -> list[str]:
    """The names in the legend of a chart."""
    return page.locator(f"#chart-{key}-legend .legend-item").all_text_contents()


def painted(page: Page, key: str, color: str) -> bool:
    """Whether a chart has pixels of that colour of the page."""
    return bool(page.evaluate(COLORED, [key, color]))
