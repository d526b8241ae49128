# Run cfgate with a Python of this machine: see run.sh, which does the same elsewhere.
# Written for Windows PowerShell 5.1, which every Windows has.
# PYTHON: a Python to use instead of the one that is found.
$ErrorActionPreference = 'Continue'
$root = Split-Path -Parent $PSScriptRoot

function Stop-Invalid([string] $reason) {
  Write-Output "::error title=cfgate: invalid::$reason"
  if ($env:GITHUB_OUTPUT) {
    [System.IO.File]::AppendAllText($env:GITHUB_OUTPUT, "ready=false`ngo=false`nstatus=invalid`nexit-code=2`n")
  }
  exit 2
}

# The store's stub, which stands where no Python is installed, only prints an advice and ends with 9009.
function Test-Recent([string] $name) {
  if (-not (Get-Command $name -CommandType Application -ErrorAction SilentlyContinue)) { return $false }
  $null = & $name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>&1
  return $LASTEXITCODE -eq 0
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

$program = Join-Path $root 'cfgate.pyz'
if (-not (Test-Path -LiteralPath $program -PathType Leaf)) {
  $program = Join-Path $root 'entrypoint.py'
  $locked = Join-Path $root 'requirements\runtime.txt'
  $temporary = if ($env:RUNNER_TEMP) { $env:RUNNER_TEMP } else { [System.IO.Path]::GetTempPath() }
  $environment = Join-Path $temporary 'cfgate-python'
  $installed = Join-Path $environment 'installed.txt'
  $inside = Join-Path $environment 'Scripts\python.exe'
  $same = (Test-Path -LiteralPath $installed) -and
    ((Get-FileHash -LiteralPath $installed).Hash -eq (Get-FileHash -LiteralPath $locked).Hash)
  if (-not $same) {
    & $python -m venv --clear $environment
    if ($LASTEXITCODE -ne 0) {
      Stop-Invalid 'no virtual environment could be made in RUNNER_TEMP: this Python may lack the module venv'
    }
    & $inside -m pip install -qq --disable-pip-version-check --no-input --only-binary :all: --require-hashes -r $locked
    if ($LASTEXITCODE -ne 0) {
      Stop-Invalid 'the locked requirements could not be installed: pip says above why'
    }
    Copy-Item -LiteralPath $locked -Destination $installed
  }
  $python = $inside
}

& $python -X utf8 -E -s $program
exit $LASTEXITCODE
