"""browser.py - Debian's Chromium, driven by its own driver: one window with an empty profile, waits instead of sleeps, and a log in which
nothing may stand but refusals that a test has asked for. Runs with Debian's python3, where python3-selenium is (install-deps browser).
It is started once, for all tests of a program: each finds it without cookies, storage and log, at about:blank."""
import atexit
import os
import re
import shutil
import tempfile

from posthorn import PATIENCE_S, Failed, Skip, expect, free_port

try:
    from selenium import webdriver
    from selenium.common.exceptions import ElementNotInteractableException, NoSuchElementException, StaleElementReferenceException, WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--proxy-server=direct://", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
PASSWORDS = {"operator": "correct horse", "viewer": "only looking"}
# What vanishes by itself is kept: a busy machine may not look for as long as it is there.
KEEP_TOASTS = """new MutationObserver((seen) => seen.filter((m) => m.target.className === 'toasts').forEach((m) =>
	m.addedNodes.forEach((n) => (window.toasted = window.toasted || []).push(n.textContent)))).observe(document, {childList: true, subtree: true})"""
GONE = ("does not belong to the document", "No node with given id", "Cannot find context")    # as the driver calls an element that has just gone
_lines = {}
_shared = {"driver": None, "profile": None}


def _start():
    _shared["profile"] = tempfile.mkdtemp(prefix="posthorn-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS + ["--user-data-dir=" + _shared["profile"]]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    _shared["driver"] = webdriver.Chrome(service=Service(DRIVER), options=options)
    _shared["driver"].set_script_timeout(PATIENCE_S)
    _shared["driver"].set_page_load_timeout(PATIENCE_S)
    _shared["driver"].execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": KEEP_TOASTS})


def _end():
    driver, _shared["driver"] = _shared["driver"], None
    if driver is not None:
        try:
            driver.quit()
        finally:
            shutil.rmtree(_shared["profile"], ignore_errors=True)


atexit.register(_end)


def with_console(lab, m, **more):
    """Gives an MTA that is not started a console with the users operator and viewer."""
    m.console = "http://127.0.0.1:%d" % free_port()
    for name, password in PASSWORDS.items():
        if name not in _lines:  # made slow on purpose: once is enough
            said = lab.command("console-password", "--name", name, "--role", name, data=password.encode() + b"\n")
            _lines[name] = re.search(r'password: "(.*)"', said).group(1)
    m.settings["console"] = {"listen": [m.console.rsplit("/", 1)[1]], "users": [
        {"name": name, "role": name, "password": _lines[name]} for name in PASSWORDS], **more}
    return m


class Browser:
    """One window. Elements are found by CSS; text is what a person sees."""

    def __init__(self, lab, width=1280, height=900):
        if webdriver is None or not os.path.exists(CHROMIUM) or not os.path.exists(DRIVER):
            raise Skip("no Chromium, its driver or python3-selenium here: tools/install-deps browser")
        if _shared["driver"] is None:
            _start()
        self.driver = _shared["driver"]
        lab.closers.append(self.close)
        self.driver.get_log("browser")
        self.size(width, height)
        self.dark(False)

    def close(self):
        """Leaves the window empty for the next test; one that does not answer to that is replaced."""
        self.driver = None
        try:
            driver = _shared["driver"]
            driver.execute_script("localStorage.clear()") if driver.current_url.startswith("http") else None
            driver.delete_all_cookies()
            driver.get("about:blank")
        except WebDriverException:
            _end()

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        self._knows("(width: %dpx)" % width)

    def dark(self, on):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]})
        self._knows("(prefers-color-scheme: %s)" % ("dark" if on else "light"))

    def _knows(self, media):
        if self.driver.current_url.startswith("http"):
            self.wait(lambda: self.driver.execute_script("return matchMedia(arguments[0]).matches", media), "the page is told %s" % media)

    # --- waiting ---

    def wait(self, question, text, patience=PATIENCE_S):
        """The first true answer of question(); elements that go meanwhile are asked for again."""
        def ask(_):
            try:
                return question()
            except (StaleElementReferenceException, NoSuchElementException):
                return False
            except WebDriverException as e:
                if not any(text in str(e) for text in GONE):
                    raise
                return False
        try:
            return WebDriverWait(self.driver, patience, poll_frequency=0.1).until(ask)
        except WebDriverException as e:
            if "Timeout" not in type(e).__name__:
                raise
        raise Failed("not in %d s: %s\n    at %s the page says: %s" % (patience, text, self.driver.current_url, self.text("body")[:1500]))

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css, text="", patience=PATIENCE_S):
        """An element of this kind that has this in its text."""
        return self.wait(lambda: next((e for e in self.all(css) if text in e.text), None), "%s with \"%s\"" % (css, text), patience)

    def text(self, css):
        found = self.all(css)
        return found[0].text if found else ""

    def gone(self, css, text=""):
        return self.wait(lambda: not any(text in e.text for e in self.all(css)), "no %s with \"%s\" any more" % (css, text))

    # --- acting ---

    def click(self, css, text=""):
        """Presses what is there, scrolled to where neither head nor foot of the page lie over it; again when it was drawn elsewhere meanwhile, and
        the press went beside it."""
        def press():
            e = next((e for e in self.all(css) if text in e.text), None)
            if e is None or not e.is_enabled():
                return False
            self.driver.execute_script("const e = arguments[0]; e.scrollIntoView({block: 'center'}); window.pressed = false;"
                                       "e.addEventListener('click', () => { window.pressed = true; }, {once: true, capture: true})", e)
            try:
                e.click()
            except StaleElementReferenceException:
                raise
            except WebDriverException:  # something lies over it for a moment
                return False
            return self.driver.execute_script("return window.pressed !== false")
        self.wait(press, "%s with \"%s\" to be pressed" % (css, text))

    def fill(self, css, text):
        """As a person does: WebDriver's own clear() tells the page of no input, which then draws what it knows."""
        def write():
            e = self.all(css)[0] if self.all(css) else None
            try:
                e and e.send_keys(Keys.CONTROL, "a")
                e and e.send_keys(text if text else Keys.DELETE)
            except ElementNotInteractableException:  # the page is being drawn
                return None
            return e
        return self.wait(write, "%s to be written into" % css)

    def keys(self, *keys):
        """As a keyboard gives them: to what has the focus by then, be it seen or not. A modifier holds for the rest."""
        chain, held = ActionChains(self.driver, duration=0), []
        for k in keys:
            if k in (Keys.SHIFT, Keys.CONTROL):
                chain.key_down(k)
                held.append(k)
            else:
                chain.send_keys(k)
        for k in held:
            chain.key_up(k)
        chain.perform()

    def focused(self):
        """What has the focus: its name for a person."""
        return self.driver.execute_script(
            "const e = document.activeElement; return !e || e === document.body || e.id === 'main' ? '' : e.getAttribute('aria-label') || e.innerText || e.name || e.id || ''")

    def tab_to(self, text, most=80, back=False):
        """By the Tab key alone, as who has no mouse does."""
        seen = []
        for _ in range(most):
            now = self.focused()
            if text in now:
                return
            seen.append(now.replace("\n", " ")[:30])
            self.keys(Keys.SHIFT, Keys.TAB) if back else self.keys(Keys.TAB)
        raise Failed("the Tab key does not come to \"%s\"; it came by %s" % (text, seen))

    # --- the console ---

    def go(self, m, route):
        """By the address, within the page when it is there already; its view has been begun when this returns."""
        if self.driver.current_url.startswith(m.console):
            self.driver.execute_async_script(
                "const [route, done] = arguments, was = location.href; location.hash = route;"
                "if (location.href === was) done(); else addEventListener('hashchange', () => done(), {once: true})", route)
        else:
            self.driver.get(m.console + "/" + route)

    def log_in(self, m, name="operator", route="#/links"):
        self.driver.delete_all_cookies()
        self.driver.get("about:blank")
        self.driver.get(m.console + "/" + route)
        self.fill("#name", name)
        self.fill("#password", PASSWORDS[name])
        self.click(".login button", "Log in")
        self.one("nav.side")
        return self

    def choose(self, css, value):
        self.wait(lambda: self.driver.execute_script(
            "const e = document.querySelector(arguments[0]); if (!e || ![...e.options].some((o) => o.value === arguments[1])) return false;"
            "e.value = arguments[1]; e.dispatchEvent(new Event('change', {bubbles: true})); return true", css, value), "%s has %s" % (css, value))

    def toast(self, text):
        """Waits for a short message; one that is gone again was there."""
        self.wait(lambda: any(text in t for t in self.driver.execute_script("return window.toasted || []")), "a short message with \"%s\"" % text)

    def lamp(self, link):
        """(its name, the word beside it) of one moment."""
        return self.driver.execute_script("const e = document.querySelector(`[data-link='${arguments[0]}'] [data-lamp]`); return e && [e.dataset.lamp, e.innerText.trim()]", link)

    def wait_lamp(self, link, *names):
        """Waits for a lamp; what a person reads beside its colour is its name, too."""
        name, word = self.wait(lambda: (lambda x: x if x and x[0] in names else None)(self.lamp(link)), "lamp %s of %s" % (" or ".join(names), link))
        expect(word == name, "the word beside the lamp", word)
        return name

    def fits(self, text):
        """Nothing is wider than the window, once it is drawn for its width."""
        try:
            self.wait(lambda: self.driver.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "%s: no wider than the window" % text)
        except Failed as e:
            raise Failed("%s\n    wider: %s" % (e, self.driver.execute_script(
                "return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"))) from None

    def clean(self, *refusals):
        """The browser's log has nothing in it, but answers of these statuses; 0: none at all."""
        bad = [e["message"] for e in self.driver.get_log("browser")
               if not any("Failed to load resource" in e["message"] and "status of %d" % status in e["message"] for status in refusals + (401,))
               and not ("net::ERR_" in e["message"] and 0 in refusals)]
        expect(not bad, "an empty log of the browser", bad[:5])

    def picture(self, path):
        self.driver.save_screenshot(path)
