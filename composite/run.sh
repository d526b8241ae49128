# Run cfgate with a Python of this machine: the single file beside the action, where there is one, or else
# what was checked out, with the locked requirements. Settings come by the environment, none as an argument.
# PYTHON: a Python to use instead of the one that is found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

refuse() {
  printf '::error title=cfgate: invalid::%s\n' "$1" || true
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    { printf 'ready=false\ngo=false\nstatus=invalid\nexit-code=2\nreason=%s\n' "$1" >>"$GITHUB_OUTPUT"; } 2>/dev/null || true
  fi
  exit 2
}

# It must answer: to end well is nothing that only a Python can. By -I, no variable and no folder has a word in it.
recent() {
  [ "$("$1" -I -c 'import sys; print("recent" if sys.version_info >= (3, 11) else "old")' 2>/dev/null </dev/null)" = recent ]
}

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

# In the place of this shell, so that signals reach it. Without the packages and variables of others.
if [ -f "$root/cfgate.pyz" ]; then
  exec "$python" -X utf8 -E -s "$root/cfgate.pyz"
fi
exec "$python" -I -X utf8 "$root/composite/checkout.py"
