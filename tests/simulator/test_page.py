"""The page that shows the traffic live, in a real browser."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pushctl.simulator import Rule, Script
from simulator.browser import CHROMIUM, WHY_NOT, browsing
from simulator.kit import OTHER_TOKEN, TOKEN, serving


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Its policy forbids every other source, and its text names none."""
    with serving(tmp_path, page_port=0) as served:
        assert served.fake.page_url is not None
        answer = httpx.get(served.fake.page_url, trust_env=False)
    policy = answer.headers["content-security-policy"]
    assert (200, True) == (answer.status_code, "default-src 'none'" in policy)
    assert "unsafe" not in policy
    text = answer.text.replace("http://www.w3.org/", "")
    assert "http://" not in text
    assert "https://" not in text


def test_another_hosts_name_is_refused(tmp_path: Path) -> None:
    """A page of the web whose name was pointed at loopback cannot read the traffic."""
    with serving(tmp_path, page_port=0) as served:
        assert served.fake.page_url is not None
        head = {"host": "evil.example"}
        answer = httpx.get(served.fake.page_url, headers=head, trust_env=False)
    assert answer.is_client_error


@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
def test_traffic_appears_while_it_happens(tmp_path: Path) -> None:
    """Pushes show as rows as they come, with what they were answered, and without an error."""
    script = Script(rules=(Rule(token=OTHER_TOKEN, answer="Unregistered"),))
    with serving(tmp_path, script=script, page_port=0) as served, browsing() as browser:
        assert served.fake.page_url is not None
        browser.open(served.fake.page_url)
        rows = "document.querySelectorAll('#rows tr').length"
        assert 0 == browser.run(rows)
        served.push(TOKEN)
        served.push(OTHER_TOKEN)
        assert browser.until(f"{rows} === 2")
        shown = browser.run("document.querySelector('#rows').innerText")
        reasons = browser.until("document.querySelector('#reasons').innerText")
        for width, dark in ((390, True), (1280, False)):
            browser.look(width=width, height=900, dark=dark)
            wide = browser.run("document.documentElement.scrollWidth")
            assert wide <= width
        assert [] == browser.errors()
    assert ("Unregistered" in shown, "Unregistered" in reasons) == (True, True)
