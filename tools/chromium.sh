#!/bin/sh
# Print the path of a Chromium for the browser tests; install one where that is possible.
# Without one print nothing and say so on standard error: the browser tests are then skipped.
set -eu

find_one() {
    for name in "${CHROMIUM-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 &&
            "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

find_one && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests (apt-get)." >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >&2 ||
        echo "apt-get could not install it." >&2
    find_one && exit 0
fi
echo "No Chromium: the browser tests are skipped. Install one, or name it in CHROMIUM." >&2
