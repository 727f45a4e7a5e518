"""Files become data sets in the browser: a zip, a folder, images label by label, and a table, to a trained model."""

import base64

import pytest
from playwright.sync_api import expect

from tests.support.waiting import until
from tests.support.zips import bar_files, bars_csv, png, zip_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DROP = """([names, data, target]) => {
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    for (const name of names) transfer.items.add(new File([bytes], name, {type: "image/png"}));
    const options = {bubbles: true, cancelable: true, dataTransfer: transfer};
    for (const kind of ["dragenter", "dragover", "drop"])
        document.querySelector(target).dispatchEvent(new DragEvent(kind, options));
}"""


def image(label, number, name="IMG"):
    return {"name": f"{name}_{number}.png", "mimeType": "image/png", "buffer": png(label, number)}


def drop(page, names, data, target="body"):
    page.evaluate(DROP, [names, base64.b64encode(data).decode(), target])


def drafts(home):
    return [path.name for path in (home / "images" / ".drafts").glob("*")]


def imported(server):
    return {one["name"]: one for one in server.get("/api/datasets")["datasets"] if one["name"].startswith("images:")}


def test_a_zip_is_looked_through_saved_trained_on_and_deleted(page, server, tmp_path):
    page.goto(f"{server.url}/data")
    page.get_by_role("link", name="Import images or drawings").click()
    files = {**bar_files(12, "My Bars/"), "My Bars/up/broken.png": b"?", "My Bars/notes.txt": b"?"}
    page.locator("#import-file").set_input_files(
        {"name": "My Bars.zip", "mimeType": "application/zip", "buffer": zip_of({**files, "__MACOSX/._x.png": b"?"})}
    )
    expect(page.locator("#import-size")).to_have_text("24 images of 2 labels: 20 to train on, 4 to test with.")
    expect(page.locator("#import-size")).to_be_focused()
    page.get_by_text("2 of 26 files were not read").click()
    expect(page.locator("#import-unread-files")).to_contain_text("My Bars/up/broken.png: expected a PNG")
    expect(page.locator(".import-sample")).to_have_count(6)
    expect(page.locator(".import-original")).to_have_count(6)
    expect(page.locator("#import-name")).to_have_value("my-bars")
    page.locator("#import-name").fill("My Bars")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#import-name-error")).to_contain_text("expected up to 64 characters")
    expect(page.locator("#import-name")).to_be_focused()
    page.locator("#import-name").fill("bars")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#browse-title")).to_have_text("Your images: bars")
    expect(page.locator(".cell")).to_have_count(20)
    assert imported(server)["images:bars"]["labels"] == ["flat", "up"]
    assert drafts(tmp_path / "home") == []

    page.get_by_role("link", name="Train on these").click()
    expect(page.locator("#dataset")).to_have_value("images:bars")
    page.locator("#start").click()
    run = until(lambda: (runs := server.get("/api/runs")["runs"]) and runs[0])["id"]
    until(lambda: server.get(f"/api/runs/{run}")["state"] in ("succeeded", "failed"), 300)
    row = server.get(f"/api/runs/{run}")
    assert (row["state"], row["config"]["network"]["layers"][-1]["units"]) == ("succeeded", 2)

    page.goto(f"{server.url}/data?set=images:bars")
    page.get_by_role("button", name="Delete this data set").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#browse-title")).to_have_text("Your images: bars")
    page.get_by_role("button", name="Delete this data set").click()
    page.locator("#confirm").click()
    expect(page.locator("#data-note")).to_contain_text("was deleted")
    assert imported(server) == {}


def test_images_are_brought_label_by_label_dropped_or_chosen(page, server):
    page.goto(f"{server.url}/data")
    expect(page.locator("#sets .set").first).to_be_visible()
    drop(page, [f"IMG_{n}.png" for n in range(4)], png("up"))
    expect(page.locator("#import")).to_be_visible()
    expect(page.locator("#import-label-0")).to_be_focused()
    page.keyboard.type("○")
    drop(page, ["IMG_0.png", "IMG_1.png", "IMG_2.png"], png("up"), ".import-group input")  # on the label's field
    expect(page.locator(".import-group")).to_have_count(1)
    expect(page.locator(".import-group")).to_contain_text("7 images")
    page.locator("#import-file").set_input_files([image("flat", n) for n in range(8)])
    expect(page.locator("#import-label-1")).to_be_focused()
    page.keyboard.type("△")
    page.locator("#import-file").set_input_files([image("flat", n) for n in range(2)])
    page.get_by_role("button", name="Remove the images of label 3").click()
    expect(page.locator(".import-group")).to_have_count(2)
    expect(page.locator("#import-label-0")).to_have_value("○")
    page.locator("#import-label-1").fill("../x")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#import-error")).to_contain_text("cannot begin with a dot")
    expect(page.locator("#import-label-1")).to_be_focused()
    page.locator("#import-label-1").fill("□")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#import-preview")).to_be_visible()
    page.get_by_role("button", name="Don’t save").click()  # and correct it
    page.locator("#import-label-1").fill("△")
    page.keyboard.press("Enter")
    expect(page.locator(".import-label-name")).to_have_text(["△ 8 images", "○ 7 images"])
    expect(page.locator("#import-unread")).to_be_hidden()
    page.locator("#import-name").fill("shapes")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".cell")).to_have_count(13)
    assert imported(server)["images:shapes"]["labels"] == ["△", "○"]


def test_labels_come_from_the_names_of_files(page, server):
    page.goto(f"{server.url}/data?import")
    page.locator("#import-file").set_input_files([image("up", n, name) for name in ("3", "7") for n in range(6)])
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#import-notes")).to_contain_text("with which the names of the files begin")
    expect(page.locator(".import-label-name")).to_have_text(["3 6 images", "7 6 images"])


def test_a_folder_is_chosen_and_what_is_no_set_is_refused_in_words(page, server, tmp_path):
    for name, data in {**bar_files(6, "letters/"), "letters/.hidden/.x.png": b"?", "letters/Thumbs.db": b"?"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    page.goto(f"{server.url}/data?import")
    page.locator("#import-folder").set_input_files(tmp_path / "letters")
    expect(page.locator("#import-size")).to_contain_text("12 images of 2 labels")
    expect(page.locator("#import-unread")).to_be_hidden()
    expect(page.locator("#import-name")).to_have_value("letters")
    page.get_by_role("button", name="Don’t save").click()
    until(lambda: drafts(tmp_path / "home") == [])
    page.locator("#import-folder").set_input_files(tmp_path / "letters" / "up")
    expect(page.locator("#import-label-0")).to_have_value("up")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#import-error")).to_contain_text("one for each label; got 1")
    expect(page.locator(".import-group")).to_have_count(1)  # so that others can be added
    page.locator("#import-file").set_input_files({"name": "a.zip", "mimeType": "", "buffer": b"PK\3\4 cut"})
    expect(page.locator("#import-error")).to_contain_text("damaged, or another file")
    page.locator("#import-folder").set_input_files(tmp_path / "letters" / ".hidden")
    expect(page.locator("#import-error")).to_contain_text("There are no files in that")


def test_a_folder_is_a_trained_model_after_four_presses(page, server, tmp_path):
    for name, data in bar_files(20, "letters/").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    page.goto(server.url)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Data").click()
    page.get_by_role("link", name="Import images or drawings").click()
    with page.expect_file_chooser() as chooser:
        page.locator("#choose-folder").click()
    chooser.value.set_files(tmp_path / "letters")
    page.get_by_role("button", name="Save and train").click()
    expect(page.locator("#dataset")).to_have_value("images:letters")
    expect(page.locator("#run-state")).to_have_text("done", timeout=120_000)
    expect(page.locator("#use-model")).to_be_visible()


def test_a_table_is_a_set_and_a_name_that_is_taken_is_told(page, server):
    page.goto(f"{server.url}/data?import")
    for name in ("digits", "more"):
        page.locator("#import-file").set_input_files(
            {"name": "digits.csv", "mimeType": "text/csv", "buffer": bars_csv()}
        )
        expect(page.locator("#import-size")).to_contain_text("24 images of 2 labels")
        if name == "more":
            page.get_by_role("button", name="Save", exact=True).click()
            expect(page.locator("#import-name-error")).to_contain_text("already a data set images:digits")
            page.locator("#import-name").fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#browse-title")).to_have_text(f"Your images: {name}")
        page.locator("#import-open").click()
    page.goto(f"{server.url}/train")
    expect(page.locator("#dataset option[value='images:digits']")).to_have_text("Your images: digits")


def test_a_page_that_is_left_leaves_no_upload(page, server, tmp_path):
    page.goto(f"{server.url}/data?import")
    upload = {"name": "a.zip", "mimeType": "application/zip", "buffer": zip_of(bar_files())}
    page.locator("#import-file").set_input_files(upload)
    expect(page.locator("#import-preview")).to_be_visible()
    assert len(drafts(tmp_path / "home")) == 1
    page.goto(f"{server.url}/train")
    until(lambda: drafts(tmp_path / "home") == [])


def test_an_upload_is_cancelled_and_sent_again_when_the_server_is_back(page, server, tmp_path):
    held = []
    page.goto(f"{server.url}/data?import")
    page.route("**/api/uploads", lambda route: held.append(route))
    upload = {"name": "a.zip", "mimeType": "application/zip", "buffer": zip_of(bar_files())}
    page.locator("#import-file").set_input_files(upload)
    expect(page.locator("#import-line")).to_contain_text("Uploading")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#choose-files")).to_be_focused()
    page.unroute("**/api/uploads")
    page.route("**/api/uploads", lambda route: route.abort())
    page.locator("#import-file").set_input_files(upload)
    expect(page.locator("#import-error")).to_contain_text("not responding")
    page.unroute("**/api/uploads")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#import-size")).to_contain_text("14 images")


def test_folders_are_dropped_as_the_file_manager_gives_them(page, server, tmp_path):
    for name, data in bar_files(6, "letters/").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    page.goto(f"{server.url}/data")
    expect(page.locator("#sets .set").first).to_be_visible()
    session = page.context.new_cdp_session(page)

    def drop_paths(*paths):
        data = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 400, "data": data})

    drop_paths(tmp_path / "letters")
    expect(page.locator("#import-size")).to_contain_text("12 images of 2 labels")
    expect(page.locator("#import-name")).to_have_value("letters")
    drop_paths(tmp_path / "letters" / "up", tmp_path / "letters" / "flat")  # the folders themselves
    expect(page.locator("#import-name")).to_have_value("images")
    expect(page.locator(".import-label-name")).to_have_text(["flat 6 images", "up 6 images"])
