"""Canvas as a person finds it: its page in a browser, through the tunnel, with the model chosen."""

from __future__ import annotations

import pytest

from tests.lab import fleet
from tests.lab.browser import browser, missing
from tests.lab.flavors import CANVAS
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.tunnels import tunnel_on_a_terminal

PICTURE = fleet.ROOT / ".lab" / "canvas.png"  # docs/guides/canvas.png is one of these
MODEL = "openai/tiny-tools:latest"


@pytest.mark.skipif(missing(), reason="no chromium here: `sh tests/lab/packages.sh chromium` (Debian's package)")
def test_a_browser_is_given_the_key_and_finds_the_model_chosen(canvas: Host) -> None:
    with tunnel_on_a_terminal("lab-1", *fleet.with_data(**CANVAS)) as (url, key), browser() as page:
        page.open(url)
        page.type_into("[data-testid=onboarding-backend-api-key]", key)
        page.click("onboarding-backend-next")
        page.click("onboarding-skip")
        page.uncheck("input[name=analytics]")
        page.press("Confirm preferences")
        assert "Let's Start Building!" in page.text()
        page.open(f"{url}/settings/llm")
        page.wait_for(f"return document.body.innerText.includes('{MODEL}')")
        page.picture(PICTURE)

    code, plan = fleethands("plan", **CANVAS)
    assert (code, changes(plan)) == (0, []), plan
