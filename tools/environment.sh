#!/bin/sh
# Make the virtual environment VENV with the package (editable) and, if asked, the development
# tools: tools/environment.sh PYTHON VENV [dev]
set -eu
python=$1
venv=$2
tools=${3-}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 || fail \
    "There is no '$python' here. Install Python 3.11 or newer, or name one:" \
    "    PYTHON=python3.12 make ..."

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail \
    "'$python' is Python $version; dedup needs 3.11 or newer. If you have one, name it:" \
    "    PYTHON=python3.12 make ..."

"$python" -c 'import ensurepip, venv' 2>/dev/null || fail \
    "'$python' cannot make virtual environments: its modules venv and ensurepip are missing." \
    "On Debian or Ubuntu install them (as root) with:" \
    "    apt-get install python$version-venv" \
    "or name another Python: PYTHON=python3.12 make ..."

# What the environment was made for; another Python or a folder that moved needs a new one.
made="$version $PWD"

if [ -e "$venv" ] && [ ! -f "$venv/making" ]; then
    fail "There is a folder $venv already that was not made here. Remove it, or name another:" \
        "    make VENV=.venv-dedup ..."
fi

if [ ! -f "$venv/made" ] || [ pyproject.toml -nt "$venv/made" ] ||
    [ "$(cat "$venv/made")" != "$made" ]; then
    echo "Making the virtual environment $venv with Python $version and installing dedup;"
    echo "this takes a minute or two."
    rm -rf "$venv"
    mkdir -p "$venv"
    touch "$venv/making"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --upgrade pip
    "$venv/bin/python" -m pip install --quiet --editable .
    echo "$made" >"$venv/made"
fi

if [ "$tools" = dev ] && [ ! -f "$venv/made-dev" ]; then
    echo "Installing the development tools into $venv."
    "$venv/bin/python" -m pip install --quiet --group dev
    touch "$venv/made-dev"
fi
