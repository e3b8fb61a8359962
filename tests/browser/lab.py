"""JupyterLab with the project's kernel, and a person's browser in front of it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_KEYS_TRIES = 5
# A folder for a picture of what was seen when a test failed.
SHOTS = os.environ.get("NPYLABEL_SHOTS", "")


@contextmanager
def running_lab(folder: Path, command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The address of a JupyterLab that shows a folder.

    Args:
        folder: its files, and all that it keeps.
        command: that starts it.
        environment: on top of this process's.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = folder / ".lab"
    places = {f"JUPYTER_{name}_DIR": str(own / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
               "IPYTHONDIR": str(own / "ipython"), "PYTHONPATH": str(PROJECT)}
    notices = own / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    notices.parent.mkdir(parents=True)
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with (own / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", "--ServerApp.token=",
             "--ServerApp.password=", "--expose-app-in-browser", f"--ServerApp.root_dir={folder}"],
            env={**os.environ, **places, **environment}, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(port: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab ended with {process.returncode}")


@contextmanager
def open_page(width: int, height: int, *, touch: bool = False) -> Iterator[Page]:
    """A page of a browser of this size."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=touch,
                                      device_scale_factor=2 if touch else 1)
        page = context.new_page()
        try:
            yield page
        except BaseException:
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / "failed.png")
            raise
        finally:
            browser.close()


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of code cells for the kernel that runs this test."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, path)


class Notebook:
    """An open notebook, as a person uses it.

    Args:
        page: of the browser.
        address: of JupyterLab.
        name: of the notebook.
    """

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page = page
        page.goto(f"{address}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        page.evaluate("""() => { const app = window.jupyterapp ?? window.jupyterlab;
            return app.restored.then(() => { app.shell.collapseLeft(); app.shell.collapseRight() }) }""")

    def command(self, *names: str) -> None:
        """Run the first of these commands of JupyterLab that exists."""
        self.page.evaluate("""names => { const app = window.jupyterapp ?? window.jupyterlab;
            const name = names.find(name => app.commands.hasCommand(name));
            return name ? app.commands.execute(name) && null : null }""", list(names))

    def run_all(self) -> None:
        """Run all cells; they may still work when this returns."""
        self.page.wait_for_function("""() => { const app = window.jupyterapp ?? window.jupyterlab;
            const widget = app.shell.currentWidget;
            return widget?.sessionContext?.session?.kernel?.status === 'idle' }""", timeout=90_000)
        self.command("notebook:run-all-cells")

    def restart(self) -> None:
        """What a person does after a kernel died."""
        self.page.evaluate("""() => { const app = window.jupyterapp ?? window.jupyterlab;
            return app.shell.currentWidget.sessionContext.session.kernel.restart().catch(() => null) }""")

    def text(self) -> str:
        """All that the notebook shows."""
        return self.page.locator(".jp-Notebook").inner_text()


class BoardDriver:
    """The board in a page, driven by clicks and keys.

    Args:
        page: of the browser.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        page.wait_for_selector(".npl-board .npl-tiles .npl-t0", timeout=40_000)

    @property
    def tiles(self) -> Locator:
        """The tiles that are seen."""
        return self.page.locator(".npl-tile:visible")

    def click_tiles(self, *places: int) -> None:
        """Click photos one after the other, where they are on the screen."""
        self.page.locator(f".npl-t{places[-1]}").scroll_into_view_if_needed()
        spots = self.page.evaluate("""places => places.map(place => {
            const box = document.querySelector(`.npl-t${place}`).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2] })""", places)
        top = self.page.locator(".npl-tiles").bounding_box()["y"]
        for place, (x, y) in zip(places, spots, strict=True):
            if max(top, 100) < y < self.page.viewport_size["height"] - 40:
                self.page.mouse.click(x, y)
            else:
                self.page.locator(f".npl-t{place}").click()

    def captions(self) -> list[str]:
        """What stands on the tiles that are seen."""
        return self.page.evaluate("""() => [...document.querySelectorAll('.npl-tile')].filter(tile => tile.offsetWidth)
            .map(tile => getComputedStyle(tile, '::after').content.replace(/^"|"$/g, ''))""")

    def type_class(self, text: str) -> None:
        """Type into the field and press Enter; the first key may get lost while the page is busy, so look at it."""
        field = self.page.locator(".npl-picker textarea")
        for _try in range(_KEYS_TRIES):
            field.click()
            field.press_sequentially(text)
            if field.input_value() == text:
                break
            field.fill("")
        field.press("Enter")

    def press(self, name: str) -> None:
        """Click one of the board's buttons, such as "undo"."""
        self.page.locator(f".npl-{name}").click()

    def saved(self) -> int:
        """The number of decisions that the board says are saved."""
        return int(self.page.locator(".npl-light").first.inner_text().rsplit(" ", 1)[-1])

    def wait_saved(self, count: int) -> None:
        """Wait until the board says that so many decisions are saved."""
        self.page.wait_for_function(
            "count => document.querySelector('.npl-light')?.innerText.endsWith(' ' + count)", arg=count, timeout=30_000)
