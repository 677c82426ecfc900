#!/bin/sh
# Print the path of a Java runtime (17 or newer) for the tests of the Spark engine; install one where
# that is possible. Without one print nothing and say so on standard error: the tests are skipped.
set -eu

find_one() {
    for name in "${JAVA_HOME:+$JAVA_HOME/bin/java}" java; do
        if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
            version=$("$name" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
            if [ -n "$version" ] && [ "$version" -ge 17 ]; then
                command -v "$name"
                return 0
            fi
        fi
    done
    return 1
}

find_one && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing a Java runtime for the tests of the Spark engine (apt-get)." >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless; } >&2 ||
        echo "apt-get could not install it." >&2
    find_one && exit 0
fi
echo "No Java 17: the tests of the Spark engine are skipped. Install one, or set JAVA_HOME." >&2
