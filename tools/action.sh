#!/bin/bash
# The steps of action.yml, so that they can be run anywhere. Usage: tools/action.sh install|check
# Whatever a workflow says comes in through the environment and is never part of a command's text.
set -euo pipefail

install() {  # bubblewrap, the checker, and what the encoder needs
    if ! command -v bwrap >/dev/null && command -v apt-get >/dev/null; then
        sudo apt-get update -qq && sudo apt-get install -y -qq bubblewrap >/dev/null ||
            echo "::notice title=aecc-check::bubblewrap cannot be installed: the encoder is isolated less well"
    fi
    local options=() needs=()
    read -ra options <<<"${AECC_PIP_OPTIONS:-}"
    if [ -n "${AECC_REQUIREMENTS:-}" ] && [ -f "$AECC_REQUIREMENTS" ]; then needs=(-r "$AECC_REQUIREMENTS"); fi
    python -m pip install --quiet --disable-pip-version-check "${options[@]}" "$GITHUB_ACTION_PATH" "${needs[@]}"
}

check() {  # all reports into aecc-reports, annotations on stdout, the summary, the outputs
    local out=aecc-reports status=0
    mkdir -p "$out"
    # --trust: the code is the workflow's own, so where the runner forbids namespaces the weak box will do
    local words=(--trust --profile "${AECC_PROFILE:-icme-2025}")
    for format in text json html junit sarif github gitlab markdown; do words+=(--report "$format=$out/aecc.$format"); done
    if [ -n "${AECC_PAPER:-}" ]; then words+=(--paper "$AECC_PAPER"); fi
    if [ "${AECC_STRICT:-false}" = true ]; then words+=(--strict); fi
    if [ "${AECC_EVALUATE:-true}" != true ]; then words+=(--no-eval); fi
    aecc-check "${words[@]}" -- "${AECC_SUBMISSION:-.}" || status=$?
    if [ -f "$out/aecc.json" ]; then
        cat "$out/aecc.github"
        cat "$out/aecc.markdown" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
        python - "$out/aecc.json" >>"${GITHUB_OUTPUT:-/dev/null}" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
own = [one["severity"] for one in report["findings"] if not one["because_of"]]
print(f"verdict={report['verdict']}\nerrors={own.count('error')}\nwarnings={own.count('warning')}\nreport={sys.argv[1]}")
PYTHON
    fi
    return "$status"
}

"$1"
