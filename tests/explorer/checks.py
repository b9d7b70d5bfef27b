"""What must hold wherever the explorer is: on a page made for the tests, and on that of the real book.

Each check takes a Playwright page on which the explorer was opened; expectations are read from
the page's own data. The page needs the studies mip-math and organism.
"""

from handan import norms

ORGANISM = {"study": "organism", "task": "binary-addition"}


MOST = 3_000_000  # bytes of all that the page loads


def bytes_loaded(page, address):
    """Open an address and add up the sizes of everything that it loads, as the browser sees them."""
    sizes = []
    page.on("requestfinished", lambda done: sizes.append(len(done.response().body())))
    page.goto(address)
    page.wait_for_selector(".explorer-ready")
    page.wait_for_load_state("networkidle")
    return sum(sizes)


def data(page):
    return page.evaluate("document.querySelector('.handan-explorer').explorer.data")


def task_of(page, study, task=None):
    tasks = next(one for one in data(page)["studies"] if one["name"] == study)["tasks"]
    return next(one for one in tasks if task in (None, one["name"]))


def choose(page, **wanted):
    for name in ("study", "task", "model", "with"):
        if name in wanted:
            page.select_option(f"#explorer-{name}", wanted[name])


def state(page):
    return page.evaluate("document.querySelector('.handan-explorer').explorer.state")


def drawn(page):
    """Y values by legend entry; faint points of items that were filtered out count."""
    traces = page.evaluate("document.querySelector('.explorer-plot').data.map(t => [t.name, t.y])")
    return {name: sorted(y for who, ys in traces if who == name for y in ys) for name, _ in traces if name}


def numbers(page):
    return page.locator(".explorer-numbers p").all_inner_texts()


def listed(page):
    return page.locator("#explorer-items [role=option]").all_inner_texts()


def opened(page):
    return page.locator(".explorer-detail h3").inner_text()


LONELIEST = """() => {
  const plot = document.querySelector('.explorer-plot');
  const centre = (path) => (b => [b.x + b.width / 2, b.y + b.height / 2])(path.getBoundingClientRect());
  const every = [...plot.querySelectorAll('.points path')].map(centre);
  const first = [...plot.querySelector('.scatterlayer .trace').querySelectorAll('.points path')].map(centre);
  const room = ([x, y]) => every.map(([a, b]) => Math.hypot(a - x, b - y)).sort((p, q) => p - q)[1];
  const k = first.indexOf(first.reduce((best, one) => (room(one) > room(best) ? one : best)));
  const { task } = document.querySelector('.handan-explorer').explorer;
  return [...first[k], task.items[plot.data[0].customdata[k]]];
}"""
SHOWN = "item => [...document.querySelectorAll('.explorer-plot .hovertext')].some(e => e.textContent.includes(item))"


def hover(page):
    """Move onto the point of the first model that is farthest from all others; its place, item and text."""
    page.locator(".explorer-plot").scroll_into_view_if_needed()
    x, y, item = page.evaluate(LONELIEST)
    page.mouse.move(x + 1, y + 1)
    page.mouse.move(x, y)
    page.wait_for_function(SHOWN, arg=item)
    return x, y, item, page.locator(".explorer-plot .hovertext").first.text_content()


def a_point_tells_its_item_and_the_result(page):
    choose(page, study="mip-math")
    _, _, item, text = hover(page)
    assert text.startswith(item)
    assert all(word in text for word in ("n\u00a0=", "r\u00a0=", "interval", "ceiling"))


def a_click_opens_an_item(page):
    choose(page, study="mip-math")
    x, y, item, _ = hover(page)
    page.mouse.click(x, y)
    assert opened(page) == item
    assert "no text here" in page.locator(".explorer-detail").inner_text()
    assert state(page)["item"] == opened(page)


def choosing_changes_plot_and_numbers(page):
    choose(page, study="mip-math", model="QwQ-32B", **{"with": "LIMO"})
    cells = task_of(page, "mip-math")["cells"]
    names = ["QwQ-32B", "LIMO"]
    assert numbers(page) == [cells[name]["says"] for name in names]
    assert drawn(page) == {
        name: sorted(cost for cost in cells[name]["cost"] if cost is not None) for name in names
    }
    choose(page, **{"with": ""})
    assert list(drawn(page)) == ["QwQ-32B"]
    choose(page, study="organism", task="digit-addition")
    start = next(one for one in data(page)["studies"] if one["name"] == "organism")["start"]
    cells = task_of(page, "organism", "digit-addition")["cells"]
    assert numbers(page)[0] == cells[start[0]]["says"]
    assert page.locator(".explorer-numbers").get_attribute("aria-live") == "polite"


def search_filters_list_and_plot(page):
    choose(page, **ORGANISM)
    every = listed(page)
    page.fill("#explorer-find", "0000+")
    assert listed(page) == [item for item in every if "0000+" in item] != []
    told = page.locator(".explorer-count").inner_text()
    assert told == f"{len(listed(page))} of {len(every)} items match."
    clouds = page.evaluate(
        "document.querySelector('.explorer-plot').data.map(t => [t.marker.opacity, t.y.length])"
    )
    full = [count for opacity, count in clouds if opacity and opacity > 0.5]
    assert full == [len(listed(page))] * 2
    page.fill("#explorer-find", "nothing is called like this")
    assert listed(page) == []
    page.fill("#explorer-find", "")
    assert listed(page) == every


def the_list_works_by_keyboard(page):
    choose(page, **ORGANISM)
    items = task_of(page, "organism", "binary-addition")["items"]
    place = lambda: page.locator("#explorer-items .active").inner_text()  # noqa: E731
    page.focus("#explorer-items")
    assert place() == items[0]
    for key, expected in [("ArrowDown", 1), ("End", -1), ("ArrowDown", -1), ("Home", 0), ("ArrowUp", 0)]:
        page.keyboard.press(key)
        assert place() == items[expected], key
    page.keyboard.type(items[7])
    assert place() == items[7]
    active = page.locator("#explorer-items").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text() == items[7]
    ring = page.evaluate("document.querySelector('.explorer-plot').data.at(-1).x[0]")
    assert ring == task_of(page, "organism", "binary-addition")["human"][7]
    page.keyboard.press("Enter")
    assert opened(page) == items[7]
    assert page.locator("#explorer-items [aria-selected=true]").inner_text() == f"› {items[7]}".strip("› ")
    problem = page.evaluate("document.querySelector('.explorer-detail pre').textContent")
    assert problem == norms.task("binary-addition").prompt(items[7])


def everything_is_reached_by_tab_and_its_focus_is_seen(page):
    choose(page, **ORGANISM)
    page.focus("#explorer-study")
    reached = []
    for _ in range(6):
        seen = page.evaluate(
            "(e => [e.id, getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth])(document.activeElement)"
        )
        reached.append(seen[0])
        assert "none" not in seen, seen
        assert "0px" not in seen, seen
        page.keyboard.press("Tab")
    assert reached == [f"explorer-{name}" for name in ("study", "task", "model", "with", "find", "items")]


def traces_stand_side_by_side(page):
    choose(page, **ORGANISM)
    traces = task_of(page, "organism", "binary-addition")["traces"]
    item = next(iter(traces))
    page.fill("#explorer-find", item)
    page.locator("#explorer-items [role=option]").first.click()
    shown = page.locator(".explorer-trace")
    assert shown.locator("h4").all_inner_texts() == [trace[0] for trace in traces[item]]
    texts = page.evaluate("[...document.querySelectorAll('.explorer-trace pre')].map(e => e.textContent)")
    assert texts == [trace[1] for trace in traces[item]]
    assert len(texts) == 3
    # at one moment, for the page may still be moving to the panel
    tops = shown.evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().top))")
    assert len(set(tops)) == (1 if page.viewport_size["width"] >= 700 else 3)


def the_address_holds_the_view(page):
    choose(page, study="mip-math", model="s1.1-32B", **{"with": ""})
    page.fill("#explorer-find", "algebra")
    page.locator("#explorer-items [role=option]").nth(1).click()
    before = state(page)
    assert (before["model"], before["with"]) == ("s1.1-32B", "")
    assert before["item"]
    assert "#study=mip-math&task=math&model=s1.1-32B&with=&find=algebra&item=" in page.url
    address = page.url
    # a page that is opened anew, as by somebody who was sent the address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(".explorer-ready")
    assert state(page) == before
    assert opened(page) == before["item"]
    page.evaluate("location.hash = '#study=organism&task=no+such&model=nobody&item=none'")
    page.wait_for_function("document.querySelector('.handan-explorer').explorer.state.study == 'organism'")
    assert state(page)["item"] == ""


BACKGROUND = """(box => box && getComputedStyle(box).backgroundColor || '')(
  document.querySelector('.handan-explorer').closest('.text_html'))"""


def dark_colours_follow_the_page(page):
    colour = "document.querySelector('.explorer-plot').layout.font.color"
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"{colour} == getComputedStyle(document.querySelector('.handan-explorer')).color")
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{colour} != '{light}'")
    # the book's theme would put a light box behind it
    assert page.evaluate(BACKGROUND) in ("", "rgba(0, 0, 0, 0)")
    assert page.evaluate(f"{colour} == getComputedStyle(document.querySelector('.handan-explorer')).color")


def nothing_is_wider_than_the_page(page):
    for one in data(page)["studies"]:
        choose(page, study=one["name"])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), one["name"]


def paper_shows_the_figure_instead(page):
    page.emulate_media(media="print")
    assert not page.locator(".handan-explorer").is_visible()
    assert page.locator(".handan-figure img").first.is_visible()
    page.emulate_media(media="screen")
    assert page.locator(".handan-explorer").is_visible()


FOCUSED = "document.activeElement.id"
HEADING_SEEN = """() => (box => box.top >= 0 && box.bottom <= window.innerHeight)(
  document.querySelector('.explorer-detail h3').getBoundingClientRect())"""
AT_REST = """() => new Promise(done => {
  const look = before => (before === window.scrollY ? done() : setTimeout(look, 200, window.scrollY));
  look();
})"""
TOLD = ".explorer-told[aria-live=polite]"


def open_by_keyboard(page, item):
    page.focus("#explorer-items")
    page.keyboard.press("Home")
    page.wait_for_timeout(800)  # else the letters continue a word that was typed before
    page.keyboard.type(item)
    page.keyboard.press("Enter")
    assert opened(page) == state(page)["item"] == item


def assert_closed(page):
    assert state(page)["item"] == ""
    assert "item=" not in page.url
    assert page.locator(".explorer-detail h3").count() == 0
    assert page.locator(TOLD).inner_text() == ""
    assert page.locator("#explorer-items [aria-selected=true]").count() == 0


def escape_closes_the_item(page):
    choose(page, **ORGANISM)
    item = task_of(page, **ORGANISM)["items"][7]
    leave = "document.activeElement.blur()"
    into_the_problem = "document.querySelector('.explorer-detail pre').focus()"
    for before in ("", into_the_problem, leave):
        open_by_keyboard(page, item)
        assert "item=" in page.url
        assert "Escape closes it" in page.locator(".explorer-detail").inner_text()
        page.locator(".explorer-detail h3").scroll_into_view_if_needed()
        page.evaluate(before)
        page.keyboard.press("Escape")
        assert_closed(page)
        assert page.evaluate(FOCUSED) == "explorer-items"
        assert page.locator("#explorer-items .active").inner_text() == item


def escape_leaves_menus_and_searches_alone(page):
    choose(page, **ORGANISM)
    item = task_of(page, **ORGANISM)["items"][7]
    open_by_keyboard(page, item)
    page.fill("#explorer-find", item[:3])
    page.keyboard.press("Escape")
    page.focus("#explorer-model")
    page.keyboard.press("Escape")
    assert opened(page) == item


def opening_shows_the_panel_and_says_which_item(page):
    choose(page, **ORGANISM)
    items = task_of(page, **ORGANISM)["items"]
    page.focus("#explorer-items")
    away = "document.querySelector('#explorer-items').scrollIntoView({block: 'end', behavior: 'instant'})"
    for place in (0, 1):
        page.evaluate(away)
        page.keyboard.press("Enter")
        page.evaluate(AT_REST)
        assert page.evaluate(HEADING_SEEN)
        assert opened(page) == items[place]
        assert page.locator(TOLD).inner_text() == f"Opened: {items[place]}"
        # the keyboard is still in the list
        assert page.evaluate(FOCUSED) == "explorer-items"
        page.keyboard.press("ArrowDown")
        assert page.locator("#explorer-items .active").inner_text() == items[place + 1]
    # without motion the panel is there at once
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(away)
    opening = "document.querySelector('.handan-explorer').explorer.open(5)"
    before, after = page.evaluate(
        f"() => {{ const seen = {HEADING_SEEN}; return [seen(), ({opening}, seen())]; }}"
    )
    assert (before, after) == (False, True)
    page.emulate_media(reduced_motion="no-preference")


def a_search_closes_the_item_that_it_excludes(page):
    choose(page, **ORGANISM)
    items = task_of(page, **ORGANISM)["items"]
    open_by_keyboard(page, items[7])
    page.fill("#explorer-find", items[7])
    assert opened(page) == items[7]
    page.fill("#explorer-find", next(item for item in items if items[7] not in item))
    assert_closed(page)
    assert page.evaluate(FOCUSED) == "explorer-find"
    page.fill("#explorer-find", "")
    assert_closed(page)


FILLS = """name => [...document.querySelectorAll('.explorer-plot .scatterlayer .trace')]
  .filter(group => group.__data__[0].trace.name === name)
  .flatMap(group => [...group.querySelectorAll('.points path')].map(path => path.style.fill))"""


def a_second_model_does_not_hide_the_first(page):
    choose(page, study="mip-math", model="QwQ-32B", **{"with": "LIMO"})
    first, second = (page.evaluate(FILLS, name) for name in ("QwQ-32B", "LIMO"))
    assert first
    assert "none" not in first
    assert set(second) == {"none"}
    # a model is hollow because it comes second, not because of what it is
    choose(page, model="LIMO", **{"with": ""})
    alone = page.evaluate(FILLS, "LIMO")
    assert len(alone) == len(second)
    assert "none" not in alone


CHECKS = (
    a_point_tells_its_item_and_the_result,
    a_click_opens_an_item,
    choosing_changes_plot_and_numbers,
    search_filters_list_and_plot,
    the_list_works_by_keyboard,
    everything_is_reached_by_tab_and_its_focus_is_seen,
    traces_stand_side_by_side,
    the_address_holds_the_view,
    dark_colours_follow_the_page,
    nothing_is_wider_than_the_page,
    paper_shows_the_figure_instead,
    escape_closes_the_item,
    escape_leaves_menus_and_searches_alone,
    opening_shows_the_panel_and_says_which_item,
    a_search_closes_the_item_that_it_excludes,
    a_second_model_does_not_hide_the_first,
)
NARROW = (
    a_click_opens_an_item,
    the_list_works_by_keyboard,
    traces_stand_side_by_side,
    nothing_is_wider_than_the_page,
    escape_closes_the_item,
    opening_shows_the_panel_and_says_which_item,
    a_search_closes_the_item_that_it_excludes,
)
