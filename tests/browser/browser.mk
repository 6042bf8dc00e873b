# A real Chromium for the tests of pages: Debian's, where this is root; elsewhere they are skipped, and say so.
BROWSER_THERE := command -v chromium >/dev/null && command -v chromedriver >/dev/null

browser:  ## Debian's Chromium and its driver, for the tests of pages; as root
	@{ $(BROWSER_THERE); } || { apt-get update -q && apt-get install -y -q --no-install-recommends chromium chromium-driver fonts-dejavu-core; }

browser-if-possible:
	@{ $(BROWSER_THERE); } || [ $$(id -u) != 0 ] || $(MAKE) -s browser || echo "No Chromium: tests of pages are skipped"

pictures: $(READY) browser  ## docs/images: the pages of a run and of a workspace, as they look in a browser
	$(BIN)/python -m browser

.PHONY: browser browser-if-possible pictures
