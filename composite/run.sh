# Run cfgate with a Python of this machine: the single file beside the action, where there is one, or else
# what was checked out, with the locked requirements. Settings come by the environment, none as an argument.
# PYTHON: a Python to use instead of the one that is found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

refuse() {
  printf '::error title=cfgate: invalid::%s\n' "$1"
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'ready=false\ngo=false\nstatus=invalid\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  fi
  exit 2
}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local name
  for name in python3 python; do
    if recent "$name"; then
      command -v "$name"
      return
    fi
  done
  return 1
}

if [ -n "${PYTHON:-}" ]; then
  recent "$PYTHON" || refuse 'the input python names no Python 3.11 or newer: name one that this machine has'
  python=$PYTHON
else
  python=$(find_python) || refuse 'cfgate needs Python 3.11 or newer, and neither python3 nor python is one: install it, use actions/setup-python, or name one by the input python'
fi

program=$root/cfgate.pyz
if [ ! -f "$program" ]; then
  program=$root/entrypoint.py
  locked=$root/requirements/runtime.txt
  environment=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/cfgate-python
  if ! cmp -s "$locked" "$environment/installed.txt"; then
    "$python" -m venv --clear "$environment" ||
      refuse 'no virtual environment could be made in RUNNER_TEMP: this Python may lack the module venv'
    "$environment/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
      --only-binary :all: --require-hashes -r "$locked" ||
      refuse 'the locked requirements could not be installed: pip says above why'
    cp "$locked" "$environment/installed.txt"
  fi
  python=$environment/bin/python
fi

# In the place of this shell, so that signals reach it. Without the packages and variables of others.
exec "$python" -X utf8 -E -s "$program"
