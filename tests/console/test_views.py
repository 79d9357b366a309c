"""Views and columns of the list of jobs: what a browser keeps, in all tabs, and who is told of it."""

import json

import pytest
from playwright.sync_api import expect

from console.shop import Shop

pytestmark = pytest.mark.anywhere

LONG = "W" * 60


@pytest.fixture
def address(tmp_path, serve):
    """Where the console of a shop is, without a worker; one job waits."""
    shop = Shop(f"sqlite:///{tmp_path}/shop.db")
    shop.send.enqueue("anna")
    yield f"{serve(lambda: shop.service(worker=False)).address}/console"
    shop.app.close()


@pytest.fixture
def open_kept(open_page):
    """Opens a page of a browser that has kept something."""

    def make(address, kept, **options):
        page = open_page(**options)
        lines = [f"localStorage.setItem({json.dumps(k)}, {json.dumps(v)})" for k, v in kept]
        page.add_init_script(f"if (!localStorage.length) {{ {';'.join(lines)} }}")
        page.goto(address)
        return page

    return make


def saved(*names):
    """Views as a browser keeps them."""
    return ("rotulus.views", json.dumps([{"name": one, "says": {"q": "task:x"}} for one in names]))


def save(page, name):
    """Save the view that is shown."""
    page.get_by_label("Name of the view").fill(name)
    page.get_by_label("Name of the view").press("Enter")


def open_views(page):
    """Open the menu."""
    page.get_by_title("Views of the list").click()


def test_two_tabs_keep_the_views_of_both(address, open_page):
    """Each follows what the other one does, in the menu and with the theme."""
    page = open_page()
    page.goto(f"{address}/jobs")
    other = page.context.new_page()
    other.goto(f"{address}/jobs")
    open_views(page)
    open_views(other)
    save(page, "One")
    expect(other.get_by_role("link", name="One")).to_be_visible()
    save(other, "Two")
    expect(page.get_by_role("link", name="Two")).to_be_visible()
    expect(page.get_by_role("link", name="One")).to_be_visible()
    other.keyboard.press("Control+k")
    other.keyboard.type("theme: dark")
    other.keyboard.press("Enter")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_long_name_leaves_the_menu_within_the_page(address, open_kept, width):
    """It is cut, and its title says all of it."""
    page = open_kept(f"{address}/jobs", [saved(LONG)], width=width)
    open_views(page)
    expect(page.get_by_title(LONG)).to_be_visible()
    box = page.locator(".has-menu > .menu").bounding_box()

    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["width"] <= 360
    assert page.get_by_role("button", name="Delete").bounding_box()["x"] < box["x"] + box["width"]


def test_a_name_that_is_taken_is_refused(address, open_kept):
    """A view never goes because another one gets its name, unless somebody asks for that."""
    page = open_kept(f"{address}/jobs?q=task:y", [saved("One", "Two")])
    open_views(page)
    page.get_by_role("button", name="Rename One").click()
    field = page.get_by_label("Name of the view")
    expect(field).to_be_focused()
    save(page, "Two")
    expect(page.get_by_role("alert")).to_contain_text("There is a view of this name")
    expect(page.get_by_role("link", name="One")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(field).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)
    save(page, "Running now")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Replace")).to_have_count(0)
    save(page, "Two")
    expect(page.get_by_role("link", name="Two")).not_to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Replace").click()
    expect(page.get_by_role("link", name="Two")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Undo").click()
    open_views(page)

    expect(page.get_by_role("link", name="Two")).not_to_have_attribute("aria-current", "true")


def test_a_menu_that_was_closed_renames_nothing(address, open_kept):
    """Escape closes it, and its button has the focus."""
    page = open_kept(f"{address}/jobs", [saved("One")])
    open_views(page)
    page.get_by_role("button", name="Rename One").click()
    page.keyboard.press("Escape")
    expect(page.get_by_title("Views of the list")).to_be_focused()
    page.keyboard.press("Enter")
    save(page, "Two")

    expect(page.get_by_role("link", name="One")).to_be_visible()
    expect(page.get_by_role("link", name="Two")).to_be_visible()


def test_a_view_that_was_deleted_comes_back(address, open_kept):
    """Readers of screens are told of it; the focus goes to the field."""
    page = open_kept(f"{address}/jobs", [saved("One")])
    open_views(page)
    page.get_by_role("button", name="Delete One").click()
    expect(page.locator(".toasts")).to_contain_text("The view One is deleted.")
    expect(page.get_by_label("Name of the view")).to_be_focused()
    expect(page.get_by_role("link", name="One")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    open_views(page)
    expect(page.get_by_role("link", name="One")).to_be_visible()
    save(page, "Mine")

    expect(page.locator(".toasts")).to_contain_text("The view Mine is saved.")
    expect(page.get_by_role("link", name="Mine")).to_have_attribute("aria-current", "true")


def test_rubbish_that_was_kept_shows_the_console(address, open_kept):
    """As if nothing had been kept; so do columns in the address that are none."""
    kept = [
        ("rotulus.views", '[{"name": "x", "says": ["abc"]}]'),
        ("rotulus.columns", "rubbish"),
        ("rotulus.density", "constructor"),
        ("rotulus.theme", "purple"),
    ]
    page = open_kept(f"{address}/jobs?columns=bogus", kept)
    expect(page.get_by_role("columnheader", name="Task")).to_be_visible()
    expect(page.get_by_role("row", name="mail.send")).to_be_visible()
    open_views(page)
    expect(page.get_by_text("Give this one a name")).to_be_visible()

    expect(page.locator("html")).to_have_attribute("data-theme", "system")


def test_columns_of_a_link_stay_those_of_the_link(address, open_page):
    """One that is ticked there is in the address; the list without it has one's own columns."""
    page = open_page()
    page.goto(f"{address}/jobs?columns=task,queue")
    page.get_by_title("Columns of the table").click()
    page.get_by_label("Worker").check()
    expect(page.get_by_role("columnheader", name="Worker")).to_be_visible()
    assert "worker" in page.url
    page.goto(f"{address}/jobs")
    expect(page.get_by_role("columnheader", name="Added")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Worker")).to_have_count(0)
    page.goto(f"{address}/jobs?by=task")
    expect(page.get_by_title("Views of the list")).to_be_visible()

    expect(page.get_by_title("Columns of the table")).to_have_count(0)


def test_a_path_of_any_name_is_typed_into_the_query_bar(address, open_page):
    """Parameters that the framework fills are not suggested: no argument has their names."""
    page = open_page()
    page.goto(f"{address}/jobs")
    bar = page.get_by_role("combobox", name="Find jobs")
    for name in ("constructor", "toString", "valueOf", "__proto__"):
        bar.fill(f"args.{name}:")
    bar.fill("args.")
    expect(page.get_by_role("option", name="args.message", exact=True)).to_be_visible()

    expect(page.get_by_role("option", name="args.job", exact=True)).to_have_count(0)


def test_an_address_that_is_no_text_is_no_screen(address, open_page):
    """The page says so, rather than stay blank."""
    page = open_page()
    page.goto(f"{address}/jobs/%E0%A4%A")

    expect(page.get_by_text("There is no such screen.")).to_be_visible()
