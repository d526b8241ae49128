# Run cfgate with a Python of this machine: see run.sh, which does the same elsewhere.
# Written for Windows PowerShell 5.1, which every Windows has.
# PYTHON: a Python to use instead of the one that is found.
$ErrorActionPreference = 'Continue'
$root = Split-Path -Parent $PSScriptRoot

function Stop-Invalid([string] $reason) {
  Write-Output "::error title=cfgate: invalid::$reason"
  if ($env:GITHUB_OUTPUT) {
    $outputs = "ready=false`ngo=false`nstatus=invalid`nexit-code=2`nreason=$reason`n"
    try { [System.IO.File]::AppendAllText($env:GITHUB_OUTPUT, $outputs) } catch { Write-Output 'the outputs cannot be written' }
  }
  exit 2
}

# It must answer: to end well is nothing that only a Python can. The store's stub, which stands where no Python is
# installed, prints an advice. By -I, no variable and no folder has a word in it.
function Test-Recent([string] $name) {
  if (-not (Get-Command $name -CommandType Application -ErrorAction SilentlyContinue)) { return $false }
  $told = & $name -I -c "import sys; print('recent' if sys.version_info >= (3, 11) else 'old')" 2>$null
  return "$told" -eq 'recent'
}

if ($env:PYTHON) {
  if (-not (Test-Recent $env:PYTHON)) {
    Stop-Invalid 'the input python names no Python 3.11 or newer: name one that this machine has'
  }
  $python = $env:PYTHON
} else {
  $python = @('python3', 'python') | Where-Object { Test-Recent $_ } | Select-Object -First 1
  if (-not $python) {
    Stop-Invalid 'cfgate needs Python 3.11 or newer, and neither python3 nor python is one (a stub of the store is none): install it, use actions/setup-python, or name one by the input python'
  }
}

# Without the packages and variables of others.
$program = Join-Path $root 'cfgate.pyz'
if (Test-Path -LiteralPath $program -PathType Leaf) {
  & $python -X utf8 -E -s $program
} else {
  & $python -I -X utf8 (Join-Path $PSScriptRoot 'checkout.py')
}
exit $LASTEXITCODE
